"""What no import could undercut: reading the pages, and writing their rows by ``create`` or by ``COPY``."""

import io
import json
import time

QUIET = {"tracking_disable": True, "mail_create_nolog": True, "mail_create_nosubscribe": True}


def read_all(tape):
    """Parse each page once with ``json.loads``."""
    for _status, _headers, place in tape.places.values():
        json.loads(tape.read(place))


def create_floor(env, setup, pages):
    """Read the pages; create the same partners and rows again, for a second setup, in one call each."""
    other = setup.copy({"business_id": "other@bench.example", "name": "Floor"})
    people = env["bookings.customer"].search([("setup_id", "=", setup.id)])
    bookings = env["bookings.booking"].search([("setup_id", "=", setup.id)], order="id")
    partner_values = _partner_values(people)
    person_values = [
        {
            name: row[name]
            for name in ("remote_id", "name", "email", "email_normalized", "phone", "remote_hash")
        }
        | {"setup_id": other.id, "partner": row.partner_id.id}
        for row in people
    ]
    row_values = [_row_values(row, other) for row in bookings]
    partner_ids, person_ids = people.partner_id.ids, people.ids
    env.cr.commit()
    env.invalidate_all()
    start = time.perf_counter()
    read_all(pages)
    partners = env["res.partner"].with_context(**QUIET).create(partner_values)
    place = dict(zip(partner_ids, partners.ids, strict=True))
    for values in person_values:
        values["partner_id"] = place.get(values.pop("partner"))
    customers = env["bookings.customer"].with_context(**QUIET).create(person_values)
    place = dict(zip(person_ids, customers.ids, strict=True))
    for values in row_values:
        values["customer_id"] = place.get(values["customer_id"])
    env["bookings.booking"].with_context(**QUIET).create(row_values)
    env.flush_all()
    env.cr.commit()
    return round(time.perf_counter() - start, 3)


def copy_floor(env, setup, pages):
    """Read the pages; create the same partners once more, and ``COPY`` the finished rows for another setup."""
    other = setup.copy({"business_id": "copy@bench.example", "name": "Copy"})
    partner_values = _partner_values(env["bookings.customer"].search([("setup_id", "=", setup.id)]))
    tables = [_finished_rows(env, query, setup.id, other.id) for query in FINISHED]
    env.cr.commit()
    env.invalidate_all()
    start = time.perf_counter()
    read_all(pages)
    env["res.partner"].with_context(**QUIET).create(partner_values)
    env.flush_all()
    for table, columns, text in tables:
        env.cr.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO(text))
    env.cr.commit()
    return round(time.perf_counter() - start, 3)


# Tables that an import fills, and which of their columns hold an id of a row that is copied, too.
FINISHED = (
    ("bookings_customer", ("id",), "setup_id = %s"),
    ("bookings_booking", ("id", "customer_id"), "setup_id = %s"),
    (
        "bookings_booking_bookings_staff_rel",
        ("bookings_booking_id",),
        "bookings_booking_id IN (SELECT id FROM bookings_booking WHERE setup_id = %s)",
    ),
)
APART = 10_000_000  # between the id of a row and that of its copy


def _finished_rows(env, query, setup_id, other_id):
    """``(table, columns, rows as COPY takes them)`` of a setup, for another one."""
    table, own_ids, where = query
    env.cr.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table]
    )
    names = [name for (name,) in env.cr.fetchall()]
    values = {name: f'"{name}"' for name in names}
    values |= {name: f'"{name}" + {APART}' for name in own_ids}
    if "setup_id" in values:
        values["setup_id"] = str(int(other_id))
    columns = ", ".join(f'"{name}"' for name in names)
    select = f"SELECT {', '.join(values.values())} FROM {table} WHERE {where % int(setup_id)}"
    text = io.StringIO()
    env.cr.copy_expert(f"COPY ({select}) TO STDOUT", text)
    return table, columns, text.getvalue()


def _partner_values(people):
    names = ("name", "email", "phone", "street", "city", "zip")
    return [{name: row[name] for name in names} for row in people.partner_id]


def _row_values(row, setup):
    plain = (
        "appointment_id",
        "attendee_key",
        "remote_hash",
        "name",
        "label",
        "place",
        "is_online",
        "start",
        "stop",
    ) + ("price", "price_type")
    return {name: row[name] for name in plain} | {
        "setup_id": setup.id,
        "customer_id": row.customer_id.id,
        "service_id": row.service_id.id,
        "staff_ids": [(6, 0, row.staff_ids.ids)],
    }
