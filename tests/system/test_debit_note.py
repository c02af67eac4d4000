"""A debit note bills no booking: Odoo copies the lines of the invoice, but not what they bill.

The module is Odoo's own and not among what the addon needs, hence a database of its own.
"""

from devtools import databases

from .processes import last_line, run_module


def test_debit_note_bills_no_booking(environment):
    needed = sorted({*databases.dependencies(), "account_debit_note"})
    with databases.temporary(environment, "bookings_check", needed) as database:
        databases.install(environment, database, ("bookings_invoicing",))
        billed, credited = last_line(run_module(environment, "debit_note", database))
    assert billed == {"copied": True, "linked": [], "status": ["invoiced"] * 2, "billed": 81.0}
    assert credited == {"copied": True, "linked": [], "status": ["attention"] * 2, "billed": 0.0}
