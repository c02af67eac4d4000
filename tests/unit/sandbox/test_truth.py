"""What the sandbox says it holds is what a reader finds in it, after any sequence of changes."""

import datetime as dt
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.sandbox import Tenant, random_change
from bookings_invoicing.sandbox.ids import parse_moment
from bookings_invoicing.sandbox.random_changes import REMOTE_EDITS
from bookings_invoicing.sandbox.tenant import count_people

from .conftest import ANCHOR, NOON, Asker, whole_window


def read_bookings(asker, window):
    """One row per attendee, from the answers alone: lists, then by id where nobody is listed."""
    for record in asker.all(asker.calendar(*window)):
        if not record["customers"]:
            record = asker.get(asker.path("appointments", record["id"]))
        shared = (
            record["id"],
            record["serviceId"],
            parse_moment(record["startDateTime"]["dateTime"]),
            parse_moment(record["endDateTime"]["dateTime"]),
            Decimal(str(record["price"])).quantize(Decimal("0.01")),
            record["priceType"],
            record["appointmentLabel"] or "",
            tuple(record["staffMemberIds"]),
        )
        people = [
            (who["customerId"], who["name"] or "", who["emailAddress"] or "")
            for who in record["customers"]
        ]
        top = (None, record["customerName"] or "", record["customerEmailAddress"] or "")
        for person in people or [top]:
            yield (*shared, *person)


def expected(tenant, window):
    keys = ("appointment", "service", "start", "end", "price", "price_type", "label", "staff")
    for row in tenant.expected_bookings(None, *window):
        price = row["price"].quantize(Decimal("0.01"))
        row = {**row, "price": price}
        yield tuple(row[key] for key in (*keys, "customer_id", "name", "email"))


def order(rows):
    return sorted(rows, key=repr)


@given(
    seed=st.integers(0, 10**6),
    edits=st.integers(0, 40),
    shift=st.integers(0, 100),
    days=st.integers(1, 120),
    page_size=st.sampled_from([1, 7, 100]),
)
def test_a_reader_finds_the_truth(seed, edits, shift, days, page_size):
    """Random tenant, random edits, random window: the answers equal expected_bookings."""
    rng = random.Random(seed)
    tenant = Tenant(seed, ANCHOR, size=60)
    for _ in range(edits):
        tenant.apply(random_change(tenant, rng))
    start = dt.datetime(2026, 9, 1, tzinfo=dt.timezone.utc) + dt.timedelta(days=shift)
    window = (start, start + dt.timedelta(days=days))
    found = list(read_bookings(Asker(tenant, page_size=page_size), window))
    assert order(found) == order(expected(tenant, window))


def test_the_border_of_a_window_belongs_to_nobody(tenant):
    """What ends when a window begins, or begins when it ends, is outside: for both alike."""
    asker = Asker(tenant)
    for row in list(tenant.expected_bookings())[::10]:
        for window in (
            (row["end"], row["end"] + dt.timedelta(minutes=5)),
            (row["start"] - dt.timedelta(minutes=5), row["start"]),
        ):
            told = {other["appointment"] for other in tenant.expected_bookings(None, *window)}
            assert row["appointment"] not in told
            assert told == {record["id"] for record in asker.all(asker.calendar(*window))}


def test_random_changes_are_valid_and_of_every_kind():
    """1,000 in a row: each is taken, each operation comes, and the same seed gives the same."""
    kinds, tenants = {}, []
    for _ in range(2):
        tenant, rng = Tenant(1, ANCHOR, size=40), random.Random(3)
        for _ in range(1000):
            change = tenant.apply(random_change(tenant, rng))
            kinds[change["op"]] = kinds.get(change["op"], 0) + 1
        tenants.append(tenant)
    assert tenants[0].changes == tenants[1].changes
    assert set(kinds) == set(REMOTE_EDITS) and min(kinds.values()) > 20
    again = Tenant(1, ANCHOR, size=40, changes=tenants[0].changes)
    assert again.truth(NOON) == tenants[0].truth(NOON)


def test_random_changes_in_another_business_and_in_an_empty_one():
    tenant, rng = Tenant(1, ANCHOR, size=0), random.Random(1)
    with pytest.raises(LookupError):
        random_change(tenant, rng, ops=("move", "cancel", "restore"))
    other = tenant.mailboxes[1].id
    for _ in range(100):
        change = tenant.apply(random_change(tenant, rng, business_id=other))
        assert change["business"] == other
    assert tenant.truth(NOON)["appointments"] == 0
    assert tenant.truth(NOON, other)["appointments"] > 0


@pytest.mark.parametrize("days_ago", [0, 1, 30])
@pytest.mark.parametrize("minutes", [0, 10, 600])
def test_the_counts_add_up(tenant, days_ago, minutes):
    """truth() by a second way, from the records: as a visit begins, goes on, and is long over."""
    records = tenant.appointments
    before = NOON - dt.timedelta(days=days_ago)
    starts = [parse_moment(record["startDateTime"]["dateTime"]) for record in records]
    now = max(start for start in starts if start < before) + dt.timedelta(minutes=minutes)
    truth = tenant.truth(now)
    assert truth["running"] > 0 or minutes == 600
    heads = [max(1, len(record["customers"])) for record in records]
    ends = [parse_moment(record["endDateTime"]["dateTime"]) for record in records]
    assert truth["appointments"] == len(records) == 120
    assert truth["bookings"] == sum(heads) > 120
    assert truth["ended"] == sum(n for n, end in zip(heads, ends, strict=True) if end <= now)
    assert truth["upcoming"] == sum(n for n, at in zip(heads, starts, strict=True) if at > now)
    assert truth["ended"] + truth["running"] + truth["upcoming"] == truth["bookings"]
    assert sum(truth["ended_by_price_type"].values()) == truth["ended"]
    assert truth["without_attendees"] == sum(not record["customers"] for record in records)
    assert truth["services"] == 10 and truth["staff"] == 5 and truth["customers"] == 40
    emails = {
        who["emailAddress"].lower()
        for record in records
        for who in record["customers"]
        if who["emailAddress"]
    }
    no_email = {
        who["customerId"]
        for record in records
        for who in record["customers"]
        if not who["emailAddress"]
    }
    top = {
        record["customerEmailAddress"].lower()
        for record in records
        if not record["customers"] and record["customerEmailAddress"]
    }
    assert truth["people"] == len(emails | top) + len(no_email)


def test_truth_in_a_window(tenant):
    start, end = whole_window(tenant)
    assert tenant.truth(NOON, None, start, end) == tenant.truth(NOON)
    part = tenant.truth(NOON, None, NOON, end)
    assert 0 < part["appointments"] < 60 and part["ended"] == 0


def test_people_are_joined_by_id_or_address():
    """A and B share an address, B and C an id: one person; D has neither."""

    def row(key, email, name=""):
        return {"customer_id": key, "email": email, "name": name}

    rows = [row("a", "X@y"), row("b", "x@Y "), row("b", ""), row("d", ""), row("d", "")]
    assert count_people(rows) == 2
    nobody = row(None, "")
    named = [row(None, "", "Ada"), row(None, "", "ADA "), row(None, "x@y", "Z")]
    assert count_people([nobody]) == 0
    assert count_people([*rows, nobody, *named]) == 3
    assert count_people([]) == 0
