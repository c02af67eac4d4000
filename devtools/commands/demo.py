"""``./dev demo``: run the main workflow on a fresh database, then serve it."""

import argparse
import subprocess
import time

from .. import databases, odoo_log
from ..console import DevError, locked, say, step
from ..environment import Environment
from ..paths import REPO, locks
from .serve import check_port, serve

ADDON = "bookings_invoicing"


def main(args):
    """Run the demo and serve the database until Ctrl-C, unless --no-serve is given."""
    parser = argparse.ArgumentParser(prog="./dev demo")
    parser.add_argument("--no-serve", action="store_true", help="stop after the job")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--port", default="8069")
    parser.add_argument("-d", "--database", default="demo")
    options = parser.parse_args(args)
    if not options.no_serve:
        check_port(options.port)
    env = Environment()
    with locked(locks(), f"demo-{options.database}"):
        code = _run(env, options)
        if code or options.no_serve:
            return code
        return serve(env, options.database, options.port)


def _run(env, options):
    databases.template(env)
    started = time.time()
    with step(f"making the database {options.database} and installing the addon"):
        databases.drop(env, options.database)
        databases.create(env, options.database)
        log = databases.install(env, options.database, [ADDON])
    for record in odoo_log.complaints(log):
        say(record)
    command = [env.python, "-m", "devtools.demo", options.database, f"--started={started}"]
    if options.json:
        command.append("--json")
    done = subprocess.run(command, cwd=REPO, env=env.variables(), stdin=subprocess.DEVNULL)
    if done.returncode:
        raise DevError("the demo stopped; see the messages above")
    return 0
