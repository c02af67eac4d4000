"""Opening the list of uninvoiced bookings and the preview of their invoices: on 1,000,000 bookings beside 10,000.

In both, 2,000 bookings of 500 customers are ready; the others were billed, further and further back. ``list_1m`` is the
first page and the count as the web client asks for them, ``preview_1m`` what it asks for when the preview opens on all
uninvoiced bookings. The best of some rounds from a cold ORM cache counts; ``floor`` is the same on 10,000.
"""

import time

from .invoicing import World
from .runner import benchmark, scaled

UNINVOICED, SMALL, LARGE, ROUNDS = scaled(2000), scaled(10_000), scaled(1_000_000), 5
EACH = 4  # bookings of a customer
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


PREVIEW = (
    *("scope", "grouping", "ended_before", "only_serious", "candidate_draft_ids", "booking_ids"),
    *("invoice_count", "booking_count", "totals", "left_out_count", "serious_count", "is_cut"),
    *("is_queued", "create_label"),
)
PREVIEW_LINE = (
    *("is_serious", "hint", "hint_short", "details", "payer_id", "booking_count", "currency_id"),
    *("service_from", "service_to", "amount_untaxed", "amount_tax", "amount_total"),
)


@benchmark("list_1m")
def list_1m(ctx):
    """Seconds to open the list on a million bookings."""
    return _small_and_large(ctx, _open)


@benchmark("preview_1m")
def preview_1m(ctx):
    """Seconds to open the preview of 2,000 ready bookings on a million."""
    return _small_and_large(ctx, _open_preview)


def _small_and_large(ctx, way):
    with ctx.odoo() as env:
        world = World(env, UNINVOICED // EACH, EACH)
        _add_history(world.env, SMALL - UNINVOICED)
        floor = _best(world.env, way)
        _add_history(world.env, LARGE - SMALL)
        value = _best(world.env, way)
    return {"value": value, "floor": floor, "n": LARGE}


def _add_history(env, number):
    """Copies of the bookings that were billed, one every seven minutes backwards in time, written as rows."""
    own = {"appointment_id", "start", "stop", "due_at", "service_day", "status"}
    names = [
        field.name
        for field in env["bookings.booking"]._fields.values()
        if field.store and field.column_type and field.name not in {"id", *own}
    ]
    columns = ", ".join(f'"{name}"' for name in names)
    env.cr.execute(
        f"""WITH pattern AS (
                SELECT *, row_number() OVER (ORDER BY id) AS turn FROM bookings_booking
                 ORDER BY id LIMIT {UNINVOICED})
            INSERT INTO bookings_booking
                   ({columns}, appointment_id, start, stop, due_at, service_day, status)
            SELECT {columns}, 'old' || n || '-' || (SELECT COUNT(*) FROM bookings_booking),
                   start - n * interval '7 minutes', stop - n * interval '7 minutes',
                   due_at - n * interval '7 minutes', service_day - n / 200, 'invoiced'
              FROM generate_series(1, %s) n JOIN pattern ON turn = 1 + n %% {UNINVOICED}""",
        [number],
    )
    env.cr.commit()
    env.cr.execute("ANALYZE bookings_booking")
    env.cr.commit()


def _best(env, way):
    times = []
    for _round in range(ROUNDS):
        env.invalidate_all()
        start = time.perf_counter()
        way(env)
        times.append(time.perf_counter() - start)
        env.cr.rollback()
    return round(min(times), 4)


def _open(env):
    env["ir.actions.act_window"]._for_xml_id("bookings_invoicing.booking_action_uninvoiced")
    found = (
        env["bookings.booking"]
        .with_context(bin_size=True)
        .web_search_read(
            [("status", "in", ("ready", "attention"))], {name: {} for name in COLUMNS}, limit=80
        )
    )
    if found["length"] != UNINVOICED:
        raise ValueError(f"{found['length']} uninvoiced bookings instead of {UNINVOICED}")


def _open_preview(env):
    preview = env["bookings.invoice.preview"].with_context(active_model="bookings.booking")
    specification = {name: {} for name in PREVIEW} | {
        name: {"fields": {column: {} for column in PREVIEW_LINE}}
        for name in ("line_ids", "serious_line_ids")
    }
    found = preview.onchange({}, [], specification)["value"]
    if found["booking_count"] != UNINVOICED:
        raise ValueError(f"{found['booking_count']} bookings instead of {UNINVOICED}")
