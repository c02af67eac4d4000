"""One of several processes that bill the same bookings; started by test_invoicing_concurrency.

``build N FLOW``: bookings that are ready, billed by that flow. ``draft``: waits until the parent lets all begin at once,
bills, and prints one JSON line: tries (transactions begun), drafts or orders made. ``free``: removes them again.
"""

import json
import sys

from benchmarks.invoicing import World
from devtools.odoo_process import odoo_environment

GATE = 7_316_501  # advisory lock that the parent holds until all processes are ready


def build(env, number, flow):
    World(env, int(number) // 3, 3).setup.billing_flow = flow


def documents(run):
    """Whatever the run made: drafts, and orders where Sales is installed."""
    return [run.move_ids, *([run.order_ids] if "order_ids" in run else [])]


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
        return sum(map(len, documents(run)))

    made = odoo.service.model.retrying(work, env)
    print(json.dumps({"tries": len(tries), "made": made}), flush=True)


def free(env):
    for made in documents(env["bookings.invoice.run"].search([])):
        if made._name == "sale.order":
            made._action_cancel()
        made.unlink()


if __name__ == "__main__":
    database, what, *words = sys.argv[1:]
    with odoo_environment(database, "critical") as environment:
        {"build": build, "draft": draft, "free": free}[what](environment, *words)
