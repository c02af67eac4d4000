"""What a user waits for: requests to Microsoft of a first, an unchanged and a slightly changed sync, and of the daily look.

A tenant of 2,000 appointments, all unbilled, half of them older than the look-back; once one that lists its
customers, once one that leaves them out of its lists. Every request is answered after 50 ms more. ``floor`` is what
the pages of the same run alone would take. ``look`` is the run that looks at the older ones, once a day.
"""

import contextlib
import datetime
import json
import time

from .runner import benchmark, scaled
from .sync import make_setup

COUNT, PEOPLE, LATENCY = scaled(2_000, 40), scaled(300, 6), 0.05
LOOK_BACK = 38  # half of the tenant's appointments are older
TENANTS = {"listed": 0.0, "left_out": 1.0}


@benchmark("requests")
def requests(ctx):
    """Seconds and requests of an unchanged sync of a tenant that leaves its customers out of lists, and the others."""
    result = {"n": COUNT}
    with ctx.odoo() as env:
        for seed, (kind, share) in enumerate(TENANTS.items(), 1):
            setup = make_setup(env, COUNT, PEOPLE, seed=seed)
            setup.look_back_days = LOOK_BACK
            setup.bill_from = setup.connection_id.sandbox_anchor - datetime.timedelta(days=80)
            with waiting(env, setup, share) as wire:
                for step in ("first", "unchanged", "changed", "look"):
                    if step == "changed":
                        result[f"{kind}_changed_rows"] = _change(env, setup, wire.tenant)
                    if step == "look":
                        setup.last_look = False
                    for name, value in _measured(env, setup, wire).items():
                        result[f"{kind}_{step}_{name}"] = value
    same = {name: result[f"left_out_unchanged_{name}"] for name in ("requests", "by_id", "pages")}
    seconds = result["left_out_unchanged_seconds"]
    return result | same | {"value": seconds, "floor": round(LATENCY * same["pages"], 3)}


def _measured(env, setup, wire):
    wire.pages = wire.sent = wire.by_id = 0
    env.cr.commit()
    env.invalidate_all()
    start = time.perf_counter()
    run = setup._sync_run(commit=env.cr.commit)
    seconds = time.perf_counter() - start
    if run.state not in ("done", "partial"):
        raise ValueError(f"the sync ended {run.state}: {run.error}")
    counted = {"requests": wire.sent, "pages": wire.pages, "by_id": wire.by_id}
    return {"seconds": round(seconds, 3)} | counted


def _change(env, setup, tenant):
    """Move the price of one in a hundred of the appointments that are listed; returns how many."""
    bookings = env["bookings.booking"].search([("setup_id", "=", setup.id)], order="start desc, id")
    mine = dict.fromkeys(one.appointment_id for one in bookings if one.stop < setup.create_date)
    chosen = list(mine)[: max(1, COUNT // 100)]
    for appointment in chosen:
        tenant.apply({"op": "reprice", "appointment": appointment, "price": "61.00"})
    return len(chosen)


@contextlib.contextmanager
def waiting(env, setup, share):
    """Answer the requests of this setup after a while, from a tenant that stays in memory; yields a :class:`_Wire`."""
    from odoo.addons.bookings_invoicing import sandbox

    connections, connection = type(setup.connection_id), setup.connection_id
    live = connections._session
    tenant = sandbox.Tenant(
        connection.sandbox_seed,
        connection.sandbox_anchor,
        connection.sandbox_size,
        connection.company_id.currency_id.name,
        customers=PEOPLE,
        empty_customers=share,
    )
    wire = _Wire(tenant)

    def session(self):
        made = sandbox.sandbox_session(tenant)
        for prefix, adapter in list(made.adapters.items()):
            made.adapters[prefix] = _Slow(adapter, wire)
        return made

    connections._session = session
    try:
        yield wire
    finally:
        connections._session = live


class _Wire:
    """Counts what is sent."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.sent = self.pages = self.by_id = 0


class _Slow:
    """An adapter that takes its time."""

    def __init__(self, adapter, wire):
        self.adapter, self.wire = adapter, wire

    def send(self, request, **options):
        self.wire.sent += 1
        if request.url.endswith("/$batch"):
            self.wire.by_id += len(json.loads(request.body)["requests"])
        elif request.method == "GET" and "/solutions/" in request.url:
            self.wire.pages += _is_page(request.url)
        time.sleep(LATENCY)
        return self.adapter.send(request, **options)

    def close(self):
        self.adapter.close()


def _is_page(url):
    lists = ("/calendarView", "/services", "/staffMembers", "/customers")
    return url.partition("?")[0].endswith(lists)
