"""No hook that costs those who confirm invoices without bookings: the same queries with the addon as without it."""

import json
import subprocess

from devtools import databases
from devtools.paths import REPO


def _queries(environment, database):
    done = subprocess.run(
        [environment.python, "-m", "tests.system.plain_invoices", database, "1", "20"],
        cwd=REPO,
        env=environment.variables(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_invoices_without_bookings_cost_no_query_more(environment, database):
    """One and twenty invoices in the same database, before the addon was installed and after."""
    without = _queries(environment, database)
    databases.install(environment, database, ("bookings_invoicing",))
    more = {
        f"{number} x {step}": count - without[number][step]
        for number, steps in _queries(environment, database).items()
        for step, count in steps.items()
    }
    assert len(more) == 20
    assert {step: extra for step, extra in more.items() if extra > 0} == {}
