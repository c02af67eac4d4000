"""A debit note bills no booking: Odoo copies the lines of the invoice, but not what they bill.

The module is Odoo's own and not among what the addon needs, hence a database of its own.
"""

import json
import subprocess

from devtools import databases
from devtools.paths import REPO


def test_debit_note_bills_no_booking(environment):
    needed = sorted({*databases.dependencies(), "account_debit_note"})
    with databases.temporary(environment, "bookings_check", needed) as database:
        databases.install(environment, database, ("bookings_invoicing",))
        done = subprocess.run(
            [environment.python, "-m", "tests.system.debit_note", database],
            cwd=REPO,
            env=environment.variables(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    billed, credited = json.loads(done.stdout.splitlines()[-1])
    assert billed == {"copied": True, "linked": [], "status": ["invoiced"] * 2, "billed": 81.0}
    assert credited == {"copied": True, "linked": [], "status": ["attention"] * 2, "billed": 0.0}
