"""The sync engine: first import, a sync with nothing changed, and 100,000 appointments.

The sandbox tenant's pages are made beforehand and replayed from memory, so that what is measured is
the addon and not the sandbox. ``floor`` is reading the same pages with ``json.loads`` and one plain
ORM ``create`` of the same partners and rows; ``peer`` is Odoo's own ``microsoft_calendar`` taking
over as many events (``_sync_microsoft2odoo``), measured on fewer and scaled.
"""

import contextlib
import datetime
import gc
import json
import os
import resource
import time

from .bench import benchmark

ANCHOR = datetime.date.today()
COUNT, PEOPLE, PEER_COUNT = int(os.environ.get("BOOKINGS_BENCH_N", 10_000)), 1_000, 1_000
WARM_UP = 100


@benchmark("sync_import")
def sync_import(ctx):
    """Seconds for the first sync of 10,000 appointments of 1,000 customers."""
    with ctx.odoo("bookings_invoicing", "microsoft_calendar") as env:
        setup = make_setup(env, COUNT, PEOPLE)
        with replayed(env, setup) as pages:
            result = {"n": COUNT}
            value, queries = _first_sync(env, setup)
            rows = env["bookings.booking"].search_count([("setup_id", "=", setup.id)])
            floor = _floor(env, setup, pages)
        peer, _again = peer_seconds(env, PEER_COUNT)
    result |= {"value": value, "floor": floor, "rows": rows, "queries": queries}
    return result | {"peer": round(peer * rows / PEER_COUNT, 3), "peer_n": PEER_COUNT}


@benchmark("sync_unchanged")
def sync_unchanged(ctx):
    """Seconds for a sync of 10,000 appointments of which none changed; it must not write."""
    with ctx.odoo("bookings_invoicing", "microsoft_calendar") as env:
        setup = make_setup(env, COUNT, PEOPLE)
        with replayed(env, setup) as pages:
            _first_sync(env, setup)
            before = written(env)
            value, queries = min(_timed_sync(env, setup) for _ in range(2))
            changed = {
                name: number for name, number in written(env).items() if before[name] != number
            }
            if changed:
                raise ValueError(f"an unchanged sync wrote: {changed}")
            floor = timed(read_all, pages)
        _first, peer = peer_seconds(env, PEER_COUNT)
    result = {"value": value, "floor": floor, "queries": queries, "n": COUNT, "pages": len(pages)}
    return result | {"peer": round(peer * COUNT / PEER_COUNT, 3), "peer_n": PEER_COUNT}


@benchmark("sync_100k")
def sync_100k(ctx):
    """Seconds for the first sync of 100,000; ``floor`` is ten times that of 10,000 in the same run."""
    with ctx.odoo() as env:
        small, _queries = _first_sync(env, make_setup(env, COUNT, PEOPLE))
        env.cr.commit()
        env.invalidate_all()
        gc.collect()
        memory = _peak_mb()
        value, queries = _first_sync(env, make_setup(env, 10 * COUNT, PEOPLE, seed=2))
        more = _peak_mb() - memory
    return {
        "value": value,
        "floor": round(10 * small, 3),
        "n": 10 * COUNT,
        "queries": queries,
        "rss_mb": round(memory + more, 1),
        "rss_mb_above_10k": round(more, 1),
    }


# -- the addon ---------------------------------------------------------------------------------------


def make_setup(env, count, people, seed=1):
    """A sync setup on a sandbox tenant, with a chart of accounts, templates and a product per service."""
    company = env.company
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
    connection = env["bookings.connection"].create(
        {"name": f"Bench {seed}", "mode": "sandbox", "sandbox_seed": seed, "sandbox_anchor": ANCHOR}
        | {"sandbox_size": count, "company_id": company.id}
    )
    tenant = type(connection)._sandbox_tenant(connection)
    type(connection)._sandbox_tenant = _tenant_of(people)
    partner = env["res.partner"].create({"name": "Template"})
    template = env["product.template"].create({"name": "Service", "type": "service"})
    return env["bookings.sync.setup"].create(
        {
            "name": f"Bench {seed}",
            "connection_id": connection.id,
            "business_id": f"{tenant.business_id}" if seed == 1 else tenant.business_id,
            "customer_sync": "import",
            "customer_template_id": partner.id,
            "service_sync": "import",
            "service_template_id": template.id,
            "look_back_days": 80,
            "look_ahead_days": 25,
        }
    )


def _tenant_of(people):
    from odoo.addons.bookings_invoicing import sandbox

    def tenant(self):
        facts = (
            self.sandbox_seed,
            self.sandbox_anchor,
            self.sandbox_size,
            self.company_id.currency_id.name,
        )
        return sandbox.Tenant(*facts, customers=people)

    return tenant


def _first_sync(env, setup):
    seconds, queries = _timed_sync(env, setup)
    return seconds, queries


def _timed_sync(env, setup):
    commit = _Commit(env)
    env.cr.commit()
    env.invalidate_all()
    queries = env.cr.sql_log_count
    start = time.perf_counter()
    run = setup._sync_run(commit=commit)
    seconds = time.perf_counter() - start
    if run.state != "done":
        raise ValueError(f"the sync ended {run.state}: {run.error}")
    return round(seconds, 3), env.cr.sql_log_count - queries


class _Commit:
    """What the cron's helper does: commit, and say how many seconds are left."""

    def __init__(self, env):
        self.env = env

    def __call__(self, *_args, **_named):
        self.env.cr.commit()
        return float("inf")


def written(env):
    """Rows inserted, updated and deleted so far in each table but those that every run writes."""
    env.cr.commit()
    env.cr.execute("SELECT pg_stat_force_next_flush()")
    env.cr.commit()
    env.cr.execute("SELECT pg_stat_clear_snapshot()")
    env.cr.execute(
        """SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables
            WHERE relname NOT IN ('bookings_sync_run', 'bookings_sync_setup')"""
    )
    return dict(env.cr.fetchall())


# -- the pages ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def replayed(env, setup):
    """Answer this setup's requests from memory; yields ``{(method, url, body): response bytes}``."""
    from odoo.addons.bookings_invoicing.models.sync_job import SyncJob

    tape = {}
    connections = type(setup.connection_id)
    live = connections._session

    def session(self):
        session = live(self)
        for prefix, adapter in list(session.adapters.items()):
            session.adapters[prefix] = _Tape(adapter, tape)
        return session

    connections._session = session
    try:
        client = setup._client()
        _read_through(client, setup, *SyncJob(setup, "script")._period())
        yield tape
    finally:
        connections._session = live


def _read_through(client, setup, start, end):
    client.business(setup.business_id)
    for reader in (client.services, client.staff, client.customers, client.custom_questions):
        for _page in reader(setup.business_id):
            pass
    for _page in client.calendar_view(setup.business_id, start, end):
        pass


class _Tape:
    """An adapter that remembers each answer and gives it again."""

    def __init__(self, adapter, tape):
        self.adapter, self.tape = adapter, tape

    def send(self, request, **options):
        from requests import Response

        key = (request.method, request.url, request.body)
        if "login." in request.url:
            return self.adapter.send(request, **options)
        if key not in self.tape:
            reply = self.adapter.send(request, **options | {"stream": False})
            self.tape[key] = (reply.status_code, dict(reply.headers), reply.content)
        status, headers, content = self.tape[key]
        reply = Response()
        reply.status_code, reply.url, reply.request = status, request.url, request
        reply.headers.update(headers)
        reply._content = content
        import io

        from urllib3.response import HTTPResponse

        reply.raw = HTTPResponse(
            body=io.BytesIO(content),
            headers=headers,
            status=status,
            preload_content=False,
            decode_content=False,
        )
        reply._content = False
        return reply

    def close(self):
        self.adapter.close()


def read_all(pages):
    """Parse each page once with ``json.loads``."""
    for _status, _headers, content in pages.values():
        json.loads(content)


def _floor(env, setup, pages):
    """Read the pages; create the same partners and rows again, for a second setup, in one call each."""
    context = {"tracking_disable": True, "mail_create_nolog": True, "mail_create_nosubscribe": True}
    other = setup.copy({"business_id": "other@bench.example", "name": "Floor"})
    people = env["bookings.customer"].search([("setup_id", "=", setup.id)])
    bookings = env["bookings.booking"].search([("setup_id", "=", setup.id)], order="id")
    partner_values = [
        {name: row[name] for name in ("name", "email", "phone", "street", "city", "zip")}
        for row in people.partner_id
    ]
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
    partners = env["res.partner"].with_context(**context).create(partner_values)
    place = dict(zip(partner_ids, partners.ids, strict=True))
    for values in person_values:
        values["partner_id"] = place.get(values.pop("partner"))
    customers = env["bookings.customer"].with_context(**context).create(person_values)
    place = dict(zip(person_ids, customers.ids, strict=True))
    for values in row_values:
        values["customer_id"] = place.get(values["customer_id"])
    env["bookings.booking"].with_context(**context).create(row_values)
    env.flush_all()
    env.cr.commit()
    return round(time.perf_counter() - start, 3)


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


# -- the peer ----------------------------------------------------------------------------------------


def peer_seconds(env, count):
    """Seconds in which ``microsoft_calendar`` reads and takes over so many events, and does so again."""
    from odoo.addons.microsoft_calendar.utils.microsoft_event import MicrosoftEvent

    # The first ones warm up what any process makes once: caches, partners, compiled templates.
    rows = [_event(env, number) for number in range(count + WARM_UP)]
    model = env["calendar.event"].with_context(no_calendar_sync=True)

    def take_over(rows=rows[WARM_UP:]):
        sent = json.dumps({"value": rows})
        start = time.perf_counter()
        model._sync_microsoft2odoo(MicrosoftEvent(json.loads(sent)["value"]))
        env.flush_all()
        env.cr.commit()
        return time.perf_counter() - start

    take_over(rows[:WARM_UP])
    return take_over(), take_over()


def _event(env, number):
    # In the past: for what is to come the peer would also write invitations.
    start = datetime.datetime.combine(ANCHOR, datetime.time(8)) - datetime.timedelta(
        minutes=30 * (number + 48)
    )
    moment = {"timeZone": "UTC"}
    attendee = {"name": f"Person {number % 50}", "address": f"person{number % 50}@bench.example"}
    return {
        "id": f"event{number}",
        "iCalUId": f"uid{number}",
        "type": "singleInstance",
        "subject": f"Appointment {number}",
        "body": {"contentType": "html", "content": "<p>Appointment</p>"},
        "start": moment | {"dateTime": f"{start:%Y-%m-%dT%H:%M:%S}.0000000"},
        "end": moment
        | {"dateTime": f"{start + datetime.timedelta(minutes=30):%Y-%m-%dT%H:%M:%S}.0000000"},
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": True,
        "organizer": {
            "emailAddress": {
                "name": env.user.name,
                "address": env.user.email or "admin@bench.example",
            }
        },
        "attendees": [
            {"type": "required", "status": {"response": "accepted"}, "emailAddress": attendee}
        ],
        "location": {"displayName": "Room 1"},
        "lastModifiedDateTime": "2026-01-01T00:00:00Z",
        "createdDateTime": "2026-01-01T00:00:00Z",
        "sensitivity": "normal",
        "showAs": "busy",
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": False,
        "onlineMeeting": None,
    }


def timed(function, *args):
    start = time.perf_counter()
    function(*args)
    return round(time.perf_counter() - start, 4)


def _peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
