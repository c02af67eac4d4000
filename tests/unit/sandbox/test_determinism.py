"""The same few values give the same tenant: everywhere, on every Python, on every day."""

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bookings_invoicing.sandbox import Tenant
from bookings_invoicing.sandbox.ids import Dice, guid

from .conftest import ANCHOR, NOON, Asker, whole_window

REPOSITORY = Path(__file__).resolve().parents[3]
# Changes only when the sandbox's data is meant to change; screenshots and docs then change too.
DIGEST = "57c8360ce7348e0d15297d3505c932bd34638d882784e4157e405e6966fc609c"


def digest(tenant) -> str:
    """Of every business, service, staff member, customer, question and appointment."""
    whole = [
        tenant.businesses,
        tenant.services,
        tenant.staff,
        tenant.customers,
        tenant.questions,
        tenant.appointments,
        list(tenant.iter_appointments(tenant.mailboxes[1].id)),
    ]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def test_the_tenant_of_the_demo_is_this_one():
    """One digest, for every version of Python that the tests run on."""
    assert digest(Tenant(1, ANCHOR)) == DIGEST


def test_the_tenant_is_the_same_in_another_process():
    """Another hash seed, another zone, another locale: the same bytes."""
    program = (
        "import sys, types; package = types.ModuleType('bookings_invoicing');"
        "package.__path__ = ['bookings_invoicing']; sys.modules['bookings_invoicing'] = package;"
        "from tests.unit.sandbox.test_determinism import digest, Tenant, ANCHOR;"
        "print(digest(Tenant(1, ANCHOR)))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "123", "TZ": "Pacific/Apia", "LC_ALL": "C"}
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == DIGEST


@pytest.mark.parametrize("argument", [{"seed": 2}, {"currency": "DKK"}, {"size": 121}])
def test_every_argument_counts(argument):
    given = {"seed": 1, "anchor": ANCHOR, **argument}
    assert digest(Tenant(**given)) != DIGEST


def test_the_anchor_is_a_date_or_its_text():
    assert digest(Tenant(1, ANCHOR.isoformat())) == DIGEST
    for wrong in (None, NOON, 20261120):
        with pytest.raises(TypeError):
            Tenant(1, wrong)


def test_another_anchor_moves_the_calendar():
    """Dates follow the anchor: data from 75 days before to 21 days after."""
    for anchor in (ANCHOR, dt.date(2027, 3, 1), dt.date(2024, 2, 29)):
        days = [row["start"].date() for row in Tenant(1, anchor).expected_bookings()]
        assert anchor - dt.timedelta(days=76) <= min(days) < anchor - dt.timedelta(days=70)
        assert anchor + dt.timedelta(days=14) < max(days) <= anchor + dt.timedelta(days=21)


@pytest.mark.parametrize("size", [0, 1, 2, 5, 97, 1000])
def test_the_size_is_the_number_of_appointments(size):
    tenant = Tenant(1, ANCHOR, size)
    ids = [record["id"] for record in tenant.iter_appointments()]
    assert len(set(ids)) == len(ids) == size
    starts = [row["start"] for row in tenant.expected_bookings()]
    assert starts == sorted(starts)


def test_changes_in_a_list_equal_changes_one_by_one():
    """A stored list of changes makes the tenant that it was recorded on."""
    one = Tenant(1, ANCHOR)
    first = one.appointments[10]["id"]
    service = one.services[0]["id"]
    for change in (
        {"op": "move", "appointment": first, "start": "2026-11-25T09:00:00Z"},
        {"op": "create", "service": service, "start": "2026-11-26T09:00:00+01:00"},
        {"op": "cancel", "appointment": first},
    ):
        one.apply(change)
    stored = json.loads(json.dumps(one.changes))
    other = Tenant(1, ANCHOR, changes=stored)
    assert digest(other) == digest(one) != DIGEST
    assert stored[1]["appointment"] == other.appointments[-1]["id"]


def test_the_page_size_does_not_change_what_is_read(tenant):
    """Pages of 1, 7 and 100 hold the same records in the same order."""
    start, end = whole_window(tenant)
    readings = []
    for size in (1, 7, 100):
        asker = Asker(tenant, page_size=size)
        readings.append(asker.all(asker.calendar(start, end)))
    assert readings[0] == readings[1] == readings[2]
    assert len(readings[0]) == 120


def test_dice_and_ids_are_fixed():
    """The draws themselves, since everything rests on them."""
    dice = Dice(1, "visit", 7)
    assert [dice.below(1000) for _ in range(5)] == [272, 427, 155, 754, 664]
    assert guid("a", 1) == "a4cf551c-6c14-4677-981e-0eaa913e0326"
    many = Dice("long")
    assert sum(many.below(2) for _ in range(10_000)) in range(4_800, 5_200)
