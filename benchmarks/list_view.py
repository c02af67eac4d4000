"""Opening the list of uninvoiced bookings: on 1,000,000 bookings of which 2,000 are uninvoiced, beside 10,000.

``value`` is the first page and the count as the web client asks for them, the best of some rounds from a cold ORM cache;
``floor`` the same on 10,000 bookings of which 2,000 are uninvoiced.
"""

import time

from .invoicing import World
from .runner import benchmark, scaled

UNINVOICED, SMALL, LARGE, ROUNDS = scaled(2000), scaled(10_000), scaled(1_000_000), 5
COLUMNS = (
    "day",
    "partner_id",
    "payer_id",
    "service_id",
    "duration",
    "quantity",
    "price_unit",
    "amount",
    "status",
)


@benchmark("list_1m")
def list_1m(ctx):
    """Seconds to open the list on a million bookings."""
    with ctx.odoo() as env:
        world = World(env, UNINVOICED // 4, 4)
        _add_history(world.env, SMALL - UNINVOICED)
        floor = _open(world.env)
        _add_history(world.env, LARGE - SMALL)
        value = _open(world.env)
    return {"value": value, "floor": floor, "n": LARGE}


def _add_history(env, number):
    """Copies of a booking that are billed elsewhere, years back, written as rows."""
    names = [
        field.name
        for field in env["bookings.booking"]._fields.values()
        if field.store
        and field.column_type
        and field.name
        not in ("id", "appointment_id", "start", "stop", "status", "not_billable_reason")
    ]
    columns = ", ".join(f'"{name}"' for name in names)
    env.cr.execute(
        f"""INSERT INTO bookings_booking ({columns}, appointment_id, start, stop, status, not_billable_reason)
            SELECT {columns}, 'old' || n || '-' || (SELECT COUNT(*) FROM bookings_booking),
                   start - n * interval '7 minutes', stop - n * interval '7 minutes', 'not_billable', 'billed_elsewhere'
              FROM (SELECT * FROM bookings_booking ORDER BY id LIMIT 1) one, generate_series(1, %s) n""",
        [number],
    )
    env.cr.commit()
    env.cr.execute("ANALYZE bookings_booking")
    env.cr.commit()


def _open(env):
    booking = env["bookings.booking"]
    action = env["ir.actions.act_window"]._for_xml_id(
        "bookings_invoicing.booking_action_uninvoiced"
    )
    domain = [("status", "in", ("ready", "attention"))]
    specification = {name: {} for name in COLUMNS}
    times = []
    for _round in range(ROUNDS):
        env.invalidate_all()
        start = time.perf_counter()
        found = booking.with_context(bin_size=True).web_search_read(domain, specification, limit=80)
        times.append(time.perf_counter() - start)
        if found["length"] != UNINVOICED or not action:
            raise ValueError(f"{found['length']} uninvoiced bookings instead of {UNINVOICED}")
    return round(min(times), 4)
