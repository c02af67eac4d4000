"""Processes that system tests start: a module beside them, Odoo, or a script in Odoo's shell. Each must end well."""

import json
import subprocess

from devtools.paths import REPO


def run_module(environment, name, *words, **variables):
    """``python -m tests.system.NAME WORDS...``: the finished process."""
    command = [environment.python, "-m", f"tests.system.{name}", *words]
    return _finished(environment, command, "", variables)


def run_odoo(environment, *words, script="", **variables):
    """Odoo, fed with a script: the finished process."""
    return _finished(environment, environment.odoo(*words), script, variables)


def run_script(environment, database, script, **variables):
    """A script in ``odoo shell``, which logs warnings only: the finished process."""
    words = ("shell", "-d", database, "--log-level=warn")
    return run_odoo(environment, *words, script=script, **variables)


def last_line(done):
    """What a module answers: the JSON of its last line."""
    return json.loads(done.stdout.splitlines()[-1])


def result(done, word="RESULT"):
    """What a script answers: the JSON after a word of its own."""
    line = next((line for line in done.stdout.splitlines() if word in line), None)
    assert line, done.stderr[-3000:]
    return json.loads(line.split(word)[1])


def _finished(environment, command, text, variables):
    done = subprocess.run(
        command,
        cwd=REPO,
        env=environment.variables(**variables),
        input=text,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done
