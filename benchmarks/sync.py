"""The sync engine: first import, a sync with nothing changed, and 100,000 appointments.

The sandbox tenant's pages are made beforehand and replayed from memory, so that what is measured is
the addon and not the sandbox. ``floor`` is reading the same pages with ``json.loads`` and one plain
ORM ``create`` of the same partners and rows; ``copy`` is reading them, creating the same partners, and
``COPY`` of the finished rows. ``peer`` is Odoo's own ``microsoft_calendar`` taking
over the same bookings as events (``_sync_microsoft2odoo``), measured on a sample and scaled. It writes an invitation for
each that is still to come; ``peer_past`` is what it takes where all lie in the past.
"""

import contextlib
import datetime
import gc
import io
import json
import os
import re
import tempfile
import time
from pathlib import Path

from .runner import benchmark, scaled
from .sync_floors import copy_floor, create_floor, read_all

ANCHOR = datetime.date.today()
COUNT, PEOPLE = scaled(10_000), scaled(1_000)
LOOK_BACK, LOOK_AHEAD = 80, 25
PERIOD = LOOK_BACK + LOOK_AHEAD
# Events that the peer takes over, after so many that warm it up.
PEER_COUNT, WARM_UP = scaled(1_000), scaled(100)


@benchmark("sync_import")
def sync_import(ctx):
    """Seconds for the first sync of 10,000 appointments of 1,000 customers.

    All is measured twice, in two new databases, and the better of both counts, on each side: what else runs on the machine
    only adds.
    """
    once, again = _first_import(ctx), _first_import(ctx)
    return once | {name: min(once[name], again[name]) for name in FIRST_IMPORT}


FIRST_IMPORT = ("value", "floor", "copy", "peer", "peer_past")


def _first_import(ctx):
    with ctx.odoo("bookings_invoicing", "microsoft_calendar") as env:
        setup = make_setup(env, COUNT, PEOPLE)
        with replayed(env, setup) as pages:
            value, queries = _timed_sync(env, setup)
            rows = env["bookings.booking"].search_count([("setup_id", "=", setup.id)])
            floor = create_floor(env, setup, pages)
            copy = copy_floor(env, setup, pages)
        peer, past, _again = peer_seconds(env, setup)
    seconds = value, floor, copy, round(peer * rows, 3), round(past * rows, 3)
    found = dict(zip(FIRST_IMPORT, seconds, strict=True))
    return found | {"n": COUNT, "rows": rows, "queries": queries}


@benchmark("sync_unchanged")
def sync_unchanged(ctx):
    """Seconds for a sync of 10,000 appointments of which none changed; it must not write."""
    with ctx.odoo("bookings_invoicing", "microsoft_calendar") as env:
        setup = make_setup(env, COUNT, PEOPLE)
        with replayed(env, setup) as pages:
            _timed_sync(env, setup)
            before = written(env)
            value, queries = min(_timed_sync(env, setup) for _ in range(2))
            changed = {
                name: number for name, number in written(env).items() if before[name] != number
            }
            if changed:
                raise ValueError(f"an unchanged sync wrote: {changed}")
            floor = timed(read_all, pages)
        _first, _past, peer = peer_seconds(env, setup)
    result = {"value": value, "floor": floor, "peer": round(peer * COUNT, 3), "n": COUNT}
    return result | {"queries": queries, "pages": len(pages.places)}


@benchmark("sync_100k")
def sync_100k(ctx):
    """Seconds for the first sync of 100,000; ``floor`` is ten times that of 10,000 in the same run."""
    with ctx.odoo() as env:
        setups = make_setup(env, COUNT, PEOPLE), make_setup(env, 10 * COUNT, PEOPLE, seed=2)
        with replayed(env, *setups):
            small, _queries, memory = _watched_sync(env, setups[0])
            value, queries, most = _watched_sync(env, setups[1])
    return {
        "value": value,
        "floor": round(10 * small, 3),
        "n": 10 * COUNT,
        "queries": queries,
        "rss_mb": round(most, 1),
        "rss_mb_above_10k": round(most - memory, 1),
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
            "business_id": tenant.business_id,
            "customer_sync": "import",
            "customer_template_id": partner.id,
            "service_sync": "import",
            "service_template_id": template.id,
            "look_back_days": LOOK_BACK,
            "look_ahead_days": LOOK_AHEAD,
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


def _watched_sync(env, setup):
    """Return seconds, queries, and the peak memory of the process in MB."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    seconds, queries = _timed_sync(env, setup)
    status = Path("/proc/self/status").read_text()
    return seconds, queries, int(re.search(r"VmHWM:\s*(\d+)", status)[1]) / 1024


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
def replayed(env, *setups):
    """Answer the requests of these setups from a file; yields the :class:`_Tape`."""
    from odoo import fields

    connections = type(setups[0].connection_id)
    live = connections._session
    with tempfile.TemporaryFile() as file:
        tape = _Tape(file)

        def session(self):
            session = live(self)
            for prefix, adapter in list(session.adapters.items()):
                session.adapters[prefix] = _Replay(adapter, tape, self.id)
            return session

        connections._session = session
        try:
            for setup in setups:
                client = setup._client()
                # the time zone of the business decides the period
                setup._take_business(client.business(setup.business_id))
                period = setup._period_to_read(fields.Datetime.now(), True)
                _read_through(client, setup, *period)
            tape.is_complete = True
            yield tape
        finally:
            connections._session = live


def _read_through(client, setup, start, end):
    for reader in (client.services, client.staff, client.customers, client.custom_questions):
        for _page in reader(setup.business_id):
            pass
    for _page in client.calendar_view(setup.business_id, start, end):
        pass


class _Tape:
    """Answers by request, in a file, so that the measured process does not hold them in memory."""

    def __init__(self, file):
        self.file, self.places = file, {}
        self.is_complete = False

    def keep(self, key, reply):
        if self.is_complete:
            raise ValueError(f"not recorded beforehand: {key}")
        place = self.file.seek(0, os.SEEK_END), len(reply.content)
        self.file.write(reply.content)
        self.places[key] = reply.status_code, dict(reply.headers), place

    def read(self, place):
        offset, length = place
        self.file.seek(offset)
        return self.file.read(length)


class _Replay:
    """An adapter that remembers each answer and gives it again."""

    def __init__(self, adapter, tape, connection_id):
        self.adapter, self.tape, self.connection_id = adapter, tape, connection_id

    def send(self, request, **options):
        key = (self.connection_id, request.method, request.url, request.body)
        if "login." in request.url:
            return self.adapter.send(request, **options)
        if key not in self.tape.places:
            self.tape.keep(key, self.adapter.send(request, **options | {"stream": False}))
        return self._reply(request, *self.tape.places[key])

    def _reply(self, request, status, headers, place):
        from requests import Response
        from urllib3.response import HTTPResponse

        reply = Response()
        reply.status_code, reply.url, reply.request = status, request.url, request
        reply.headers.update(headers)
        body = io.BytesIO(self.tape.read(place))
        reply.raw = HTTPResponse(body, headers, status, preload_content=False, decode_content=False)
        return reply

    def close(self):
        self.adapter.close()


# -- the peer ----------------------------------------------------------------------------------------


def peer_seconds(env, setup):
    """Seconds a row in which ``microsoft_calendar`` takes over the same bookings, as events, and does so again.

    A sample has all bookings of some customers, so that it has as many people per booking as the whole. None of them is
    in Odoo yet, as for the addon.

    :returns: for the first time, for the first time with all events in the past, unchanged
    """
    bookings = env["bookings.booking"].search([("setup_id", "=", setup.id)], order="start, id")
    parts = max(4, len(bookings) // PEER_COUNT)
    people = dict.fromkeys(one.customer_id or one for one in bookings)
    part_of = {person: number % parts for number, person in enumerate(people)}

    def events(part, *args):
        chosen = bookings.filtered(lambda one: part_of[one.customer_id or one] == part)
        return [_event(env, booking, *args) for booking in chosen]

    rows = events(0)
    # They take half as long, so twice as many are as precise.
    past = [event for part in (1, 3) for event in events(part, datetime.timedelta(days=PERIOD))]
    # The other part warms up what any process makes once: caches, compiled templates.
    first = _take_over(env, rows, events(2)[:WARM_UP])
    again = min(_take_over(env, rows) for _ in range(2))
    return first, _take_over(env, past), again


def _take_over(env, rows, before=()):
    """Seconds a row."""
    from odoo.addons.microsoft_calendar.utils.microsoft_event import MicrosoftEvent

    model = env["calendar.event"].with_context(no_calendar_sync=True)
    for part in (before, rows):
        sent = json.dumps({"value": part})
        start = time.perf_counter()
        model._sync_microsoft2odoo(MicrosoftEvent(json.loads(sent)["value"]))
        env.flush_all()
        env.cr.commit()
    return (time.perf_counter() - start) / len(rows)


def _event(env, booking, earlier=datetime.timedelta()):
    """Return a booking as Graph sends an event. Past events are imported without an invitation."""
    person = booking.customer_id
    address = person.email or f"person{person.id}@bench.example"
    attendee = {"name": booking.name, "address": f"peer.{address}"}  # not in Odoo yet
    return {
        "id": f"event{booking.id}{earlier.days}",
        "iCalUId": f"uid{booking.id}{earlier.days}",
        "type": "singleInstance",
        "subject": booking.service_id.name,
        "body": {"contentType": "html", "content": "<p>Appointment</p>"},
        "start": _moment(booking.start - earlier),
        "end": _moment(booking.stop - earlier),
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
        "location": {"displayName": booking.place or ""},
        "lastModifiedDateTime": "2026-01-01T00:00:00Z",
        "createdDateTime": "2026-01-01T00:00:00Z",
        "sensitivity": "normal",
        "showAs": "busy",
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": False,
        "onlineMeeting": None,
    }


def _moment(when):
    return {"timeZone": "UTC", "dateTime": f"{when:%Y-%m-%dT%H:%M:%S}.0000000"}


def timed(function, *args):
    start = time.perf_counter()
    function(*args)
    return round(time.perf_counter() - start, 4)
