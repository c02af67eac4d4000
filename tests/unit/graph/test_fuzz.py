"""Damaged documents by the thousand: nothing escapes the parser, and no row harms another.

Each operator of ``mutations`` gets its share, alone and with others: 1,000 documents a run, ten
times as many with BOOKINGS_TEST_LONG.
"""

import dataclasses
import datetime
import os
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bookings_invoicing import graph
from bookings_invoicing.graph import fields
from bookings_invoicing.graph.answers import loads
from bookings_invoicing.graph.page import parse_rows

from . import payloads
from .mutations import MUTATIONS, mutate, page_bytes

DOCUMENTS = 10_000 if os.environ.get("BOOKINGS_TEST_LONG") else 1_000
RECORDS = {
    graph.Appointment: payloads.appointment,
    graph.Customer: payloads.customer,
    graph.Service: payloads.service,
}
FREELY = settings(
    max_examples=-(-DOCUMENTS // len(MUTATIONS)),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


def test_there_are_enough_operators():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS) >= 60


@pytest.mark.parametrize("first", MUTATIONS, ids=repr)
@seed(20261120)
@FREELY
@given(data=st.data())
def test_a_damaged_row(first, data):
    """It is read in a sound form or put aside; its neighbours are read as if it were not there."""
    kinds = [*RECORDS, graph.Appointment, graph.Appointment]
    kind = data.draw(st.sampled_from(kinds), "kind")
    others = data.draw(st.lists(st.sampled_from(MUTATIONS), max_size=3), "others")
    rows = [RECORDS[kind](number) for number in (1, 2, 3)]
    mutations = [first, *others]
    for mutation in mutations:
        mutate(rows[1], mutation, lambda below: data.draw(st.integers(0, below - 1)))
    document = page_bytes(rows, mutations)
    try:
        page = loads(document)
    except ValueError:
        assert any(mutation.on_bytes for mutation in mutations)
        return
    if not isinstance(page, dict) or not isinstance(page.get("value"), list):
        assert any(mutation.on_bytes for mutation in mutations)
        return
    records, malformed = parse_rows(page["value"], kind)
    assert set(fields._lines) == {None, ""} and fields._ids == set()
    if not any(mutation.on_bytes for mutation in mutations):
        assert neighbours(records, kind) == neighbours(
            parse_rows([rows[0], rows[2]], kind)[0], kind
        )
    assert 2 <= len(records) + len(malformed) <= 3
    for record in records:
        sound(record)
    for bad in malformed:
        sound(bad)
        assert bad.reason
        assert len(bad.payload.encode()) <= 20_000


def neighbours(records, kind):
    wanted = [kind.parse(RECORDS[kind](number)).id for number in (1, 3)]
    return [record for record in records if record.id in wanted]


def sound(value):
    """What every record promises, whatever it was made of."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            sound(getattr(value, field.name))
        if isinstance(value, graph.Appointment):
            assert value.start <= value.end
            assert 0 < len(value.id) <= 255
        if hasattr(value, "price_type"):
            assert value.price_type in graph.PRICE_TYPES
    elif isinstance(value, tuple):
        for item in value:
            sound(item)
    elif isinstance(value, str):
        sound_text(value)
    elif isinstance(value, Decimal):
        assert value.is_finite() and 0 <= value < 10**12
        assert value.as_tuple().exponent >= -6
    elif isinstance(value, datetime.datetime):
        assert value.tzinfo is datetime.timezone.utc
        assert 1970 <= value.year <= 2200
    else:
        assert value is None or isinstance(value, bool | int | datetime.timedelta)


def sound_text(value):
    assert len(value) <= 20_000
    value.encode("utf-8")
    assert not [c for c in value if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert not set(value) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    assert value == value.strip() or value.startswith(("{", "[", '"'))


@pytest.mark.parametrize("kind", [*RECORDS, graph.Business, graph.StaffMember, graph.Question])
@seed(20261120)
@FREELY
@given(raw=st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["id", "price", "priceType", "start", "end", "dateTime", "timeZone",
                         "customers", "name", "location", "address", "phones", "addresses"])
        | st.text(max_size=5), inner, max_size=6),
    max_leaves=20,
))  # fmt: skip
def test_anything_at_all(kind, raw):
    """JSON of no particular shape: put aside, never an exception."""
    rows = raw if isinstance(raw, list) else [raw]
    records, malformed = parse_rows(rows, kind)
    assert len(records) + len(malformed) <= len(rows)
    for value in (*records, *malformed):
        sound(value)
