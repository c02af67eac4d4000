"""A hundred thousand appointments: flat memory, and windows that cost what they hold."""

import datetime as dt
import itertools
import json
import subprocess
import sys
import time
import tracemalloc

from bookings_invoicing.sandbox import Tenant
from bookings_invoicing.sandbox.record_cache import RecordCache

from .conftest import ANCHOR, Asker
from .test_determinism import REPOSITORY

LARGE = 100_000
DAY = dt.datetime(2026, 11, 10, tzinfo=dt.timezone.utc)


def test_a_large_tenant_is_made_at_once():
    began = time.perf_counter()
    tenant = Tenant(1, ANCHOR, LARGE)
    record = tenant.mailbox().visit(tenant.mailbox().appointment_id(LARGE - 1))
    assert record is not None
    assert time.perf_counter() - began < 1.0


def test_a_window_costs_what_it_holds():
    """A quarter of an hour out of 100,000 appointments is made without the others."""
    tenant = Tenant(2, ANCHOR, LARGE)
    box, made = tenant.mailbox(), []
    real = box._maker.make
    box._maker.make = lambda number: made.append(number) or real(number)
    asker = Asker(tenant)
    found = asker.all(asker.calendar(DAY + dt.timedelta(hours=9), DAY + dt.timedelta(hours=9.25)))
    assert 30 < len(found) < 200
    assert len(made) < 1000


def test_pages_cost_what_they_hold():
    """A page late in a list does not make the ones before it."""
    tenant = Tenant(3, ANCHOR, LARGE)
    box, made = tenant.mailbox(), []
    real = box._maker.make
    box._maker.make = lambda number: made.append(number) or real(number)
    found = [number for number, _ in itertools.islice(box.scan(position=99_000), 100)]
    assert found == made == list(range(99_000, 99_100))


def test_ids_lead_to_appointments_and_back():
    tenant = Tenant(4, ANCHOR, LARGE)
    box = tenant.mailbox()
    for number in (0, 25, 26, 63, 64, 4095, 99_999):
        assert box.visit(box.appointment_id(number)).number == number
        assert box.customer_number(box.customer_id(number % 1000)) == number % 1000
    assert box.visit(box.appointment_id(LARGE)) is None
    assert len({box.appointment_id(number) for number in range(20_000)}) == 20_000


def test_reading_on_keeps_memory_flat():
    """Megabytes of pages go by, and what Python holds grows by the cache's budget at most."""
    tenant = Tenant(5, ANCHOR, LARGE)
    tenant.mailbox()._cache = RecordCache(budget=100_000)
    asker = Asker(tenant)
    seen, held = 0, []
    tracemalloc.start()
    try:
        for hour in (9, 10, 11):
            start = DAY + dt.timedelta(hours=hour)
            for page in asker.pages(asker.calendar(start, start + dt.timedelta(hours=2))):
                seen += len(json.dumps(page))
            del page
            held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert seen > 2 * 2**20
    assert held[-1] - held[0] < 2**19


def test_the_cache_stops_at_its_budget(tenant):
    box = tenant.mailbox()
    cache = RecordCache(budget=20_000)
    for number, visit in box.scan():
        cache.put(number, visit, b'{"id": "%d"}' % number * 50)
    kept = [number for number in range(120) if cache.get(number)]
    assert 5 < len(kept) < 120 and kept == list(range(len(kept)))
    assert cache.body(cache.get(3)) == b'{"id": "3"}' * 50
    assert cache.used < 20_000 + 1000


def test_nothing_of_odoo_or_the_network_is_imported():
    """The package alone: no ORM, and the sandbox runs where msal is not installed."""
    program = (
        "import sys, types; package = types.ModuleType('bookings_invoicing');"
        "package.__path__ = ['bookings_invoicing']; sys.modules['bookings_invoicing'] = package;"
        "import bookings_invoicing.sandbox;"
        "print([name for name in ('odoo', 'msal', 'cryptography') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
