"""An invoice of bookings gets a debit note, all lines copied; started by test_debit_note.

Run as ``python -m tests.system.debit_note DATABASE`` in the environment of ./dev, on a database with the addon and
``account_debit_note``. The last line of stdout is one JSON list about the bookings: billed,
then credited.
"""

import json
import sys

from benchmarks.invoicing import World
from devtools.odoo_process import odoo_environment


def debit(env):
    bookings = World(env, 1, 2).bookings
    invoice = env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)]).move_ids
    invoice.action_post()
    billed = _debited(invoice, bookings)
    # What is credited is billed nowhere, and yet a debit note is not what bills it again.
    invoice._reverse_moves([{}]).action_post()
    return [billed, _debited(invoice, bookings)]


def _debited(invoice, bookings):
    before = invoice.debit_note_ids
    wizard = invoice.env["account.debit.note"].with_context(
        active_model="account.move", active_ids=invoice.ids
    )
    wizard.create({"copy_lines": True}).create_debit()
    note = invoice.debit_note_ids - before
    note.action_post()
    return {
        "copied": note.amount_untaxed == invoice.amount_untaxed,
        "linked": note.line_ids.booking_id.ids,
        "status": bookings.mapped("status"),
        "billed": sum(bookings.mapped("billed_amount")),
    }


if __name__ == "__main__":
    with odoo_environment(sys.argv[1], "error") as environment:
        found = debit(environment)
    print(json.dumps(found), flush=True)
