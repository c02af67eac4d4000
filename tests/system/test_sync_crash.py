"""The crash sweep of the sync, and the same sweep on an engine with mistakes: it must find each of them."""

import json
import os
import subprocess

import pytest

from devtools import databases
from devtools.paths import REPO

from . import sync_crash

LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))


@pytest.fixture(scope="module")
def crash_database(environment):
    """A database with the addon, for this module."""
    with databases.temporary(environment, "bookings_check") as name:
        databases.install(environment, name, ["bookings_invoicing"])
        yield name


def _sweep(environment, database, *options):
    done = subprocess.run(
        [environment.python, "-m", "tests.system.sync_crash", database, *options],
        cwd=REPO,
        env=environment.variables(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_killed_anywhere_nothing_is_lost_and_nothing_twice(environment, crash_database):
    result = _sweep(environment, crash_database, "--every", "1" if LONG else "10")["none"]
    assert result["violations"] == {}
    assert result["points"] > 50, "the sweep must reach the commits and statements of three pages"


@pytest.mark.skipif(not LONG, reason="the engine with mistakes is swept by ./dev test --long")
@pytest.mark.parametrize("bug", sorted(sync_crash.BUGS))
def test_sweep_finds_seeded_bug(environment, crash_database, bug):
    result = _sweep(environment, crash_database, "--every", "10", "--bugs", bug)[bug]
    assert result["violations"], f"the sweep does not see {bug}"
