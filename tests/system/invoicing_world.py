"""One of several processes that draft the invoices of the same bookings; started by test_invoicing_concurrency.

``build N``: bookings that are ready. ``draft``: waits until the parent lets all begin at once, drafts, and prints one JSON
line: tries (transactions begun), drafts made. ``free``: removes the drafts again.
"""

import json
import sys

from devtools.bench_invoicing import World
from devtools.odoo_process import odoo_environment

GATE = 7_316_501  # advisory lock that the parent holds until all processes are ready


def build(env, number):
    World(env, number // 3, 3)


def draft(env):
    import odoo.service.model

    bookings = env["bookings.booking"].search([]).ids
    env.cr.commit()
    env.cr.execute("SELECT pg_advisory_lock_shared(%s)", [GATE])
    env.cr.execute("SELECT pg_advisory_unlock_shared(%s)", [GATE])
    env.cr.commit()
    tries = []

    def work():
        tries.append(1)
        run = env["bookings.booking"]._invoice_all(
            [("id", "in", bookings), ("status", "=", "ready")]
        )
        return len(run.move_ids)

    made = odoo.service.model.retrying(work, env)
    print(json.dumps({"tries": len(tries), "made": made}), flush=True)


def free(env):
    env["bookings.invoice.run"].search([]).move_ids.unlink()


if __name__ == "__main__":
    database, what, *numbers = sys.argv[1:]
    with odoo_environment(database, "critical") as environment:
        {"build": build, "draft": draft, "free": free}[what](environment, *map(int, numbers))
