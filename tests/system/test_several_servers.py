"""Several Odoo servers on one database do the work of twenty setups, and one of them is killed in the middle of it.

Each is a process with a port and cron threads of its own. ``--long``: four servers, none of which is spared but one.
"""

import os
import subprocess

import pytest

from benchmarks import hosts
from devtools.odoo_log import complaints
from devtools.paths import REPO

LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))
SETUPS, SIZE = 20, 10

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def world(environment, addon_database):
    """Setups that are not due yet."""
    command = [environment.python, "-m", "benchmarks.hosts", "build", addon_database]
    command += [str(SETUPS), str(SIZE)]
    subprocess.run(command, cwd=REPO, env=environment.variables(), check=True)
    return addon_database


def test_one_server_is_killed_and_the_others_do_its_work(environment, world):
    """Nothing is done twice, nothing is lost, and no contact is created twice by setups that are read at the same time."""
    with hosts.servers(environment, world, 4 if LONG else 2, latency=0.05) as started:
        seconds, _cpu = started.work(kill=True)
        log = started.log()
    seen = hosts.judged(environment, world)
    # It has two cron threads: one or two synchronizations were in the middle.
    assert seen["interrupted"] in (1, 2)
    assert (seen["setups"], seen["synced"], seen["again"]) == (SETUPS, SETUPS, 0)
    assert seen["queued"] and (seen["drafted"], seen["drafted_twice"]) == (seen["queued"], 0)
    assert (seen["automatic"], seen["automatic_wanted"], seen["contacts_twice"]) == (1, 1, 0)
    assert (seen["twice"], seen["lost"]) == (0, 0)
    assert seconds < 300, "the others go on within the interval of a scheduled action"
    assert complaints(log) == []
