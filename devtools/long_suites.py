"""Odoo's own test runner and suites, for ``./dev test --long``.

pytest runs tests in its own order. Odoo's runner also distinguishes at_install and post_install, and the suites of
account and sale show whether our addons break them. A failed test of these suites counts only if it passes without our
addons.
"""

import re
import subprocess

from . import databases
from .console import free_port, say, step
from .lanes import Result
from .odoo_log import complaints
from .paths import manifests

STARTED = re.compile(r" odoo\.addons\.\S+: (?:Starting|skip) ")
BROKEN = re.compile(r" (?:ERROR|FAIL): (?:subTest )?(\w+)\.(\w+)")
# If the setup of a class fails, none of its tests starts.
BROKEN_CLASS = re.compile(r" ERROR: (setUpClass|tearDownClass) \(\S+\.(\w+)\)")
SUITES = ("account", "sale")


def run_suites(env):
    """Run our tests under Odoo's runner and the suites of account and sale, and return the result."""
    result = Result("suites")
    addons = sorted(manifests())
    modules = sorted({*databases.dependencies(addons), *SUITES})
    with databases.temporary(env, "bookings_test", modules) as name:
        databases.install(env, name, addons)
        databases.without_autovacuum(env, name)
        with step("our tests under Odoo's runner"):
            tags = ",".join(f"/{addon}" for addon in addons)
            started, broken, log = _run(env, name, tags, ["-u", ",".join(addons)])
            _add(result, started, broken, log)
        with step("the suites of account and sale with our addons installed"):
            tags = ",".join(f"/{suite}" for suite in SUITES)
            started, broken, log = _run(env, name, tags, [])
    ours = _not_broken_without_us(env, modules, broken) if broken else set()
    for case, test in sorted(broken - ours):
        say(f"fails without our addons too: {case}.{test}")
    result.skipped += len(broken - ours)
    _add(result, started - len(broken - ours), ours, log)
    return result


def _not_broken_without_us(env, modules, broken):
    with databases.temporary(env, "bookings_test", modules) as name:
        databases.without_autovacuum(env, name)
        tags = ",".join(
            f":{case}.{test}" if test.startswith("test") else f":{case}"
            for case, test in sorted(broken)
        )
        with step(f"{len(broken)} failed tests once more, without our addons"):
            _started, again, _log = _run(env, name, tags, [])
    return broken - again


def _run(env, database, tags, extra):
    command = env.odoo("-d", database, f"--test-tags={tags}", "--stop-after-init", *extra)
    command += ["--http-port", free_port()]
    done = subprocess.run(
        command,
        env=env.variables(BOOKINGS_TEST_LONG=1, **databases.wheels(env, manifests())),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    log = done.stdout
    return len(STARTED.findall(log)), broken_in(log), log


def broken_in(log):
    """Return the failed tests and classes in a log: ``{(class, test)}``.

    >>> sorted(broken_in('''
    ... ERROR db odoo.addons.a.tests.test_b: FAIL: TestB.test_one
    ... ERROR db odoo.addons.a.tests.test_b: ERROR: subTest TestB.test_two (row=1)
    ... ERROR db odoo.tests.suite: ERROR: setUpClass (odoo.addons.a.tests.test_c.TestC)'''))
    [('TestB', 'test_one'), ('TestB', 'test_two'), ('TestC', 'setUpClass')]
    """
    classes = {(case, when) for when, case in BROKEN_CLASS.findall(log)}
    return set(BROKEN.findall(log)) | classes


def _add(result, started, broken, log):
    result.passed += started - sum(test.startswith("test") for _case, test in broken)
    result.failed += len(broken)
    for case, test in sorted(broken):
        records = [text for text in complaints(log) if (case, test) in broken_in(text)]
        result.problems.append("\n    ".join([f"suites: {case}.{test} fails", *records]))
