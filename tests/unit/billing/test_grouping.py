"""Invoices by grouping; what never shares one."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.grouping import GROUPINGS, Item, Split, can_join, group, group_key

BASE = Split(company=1, payer=7, currency=2, journal=3)
START = datetime(2026, 1, 30, 9)


def item(number, grouping="customer", days=0, **split):
    start = START + timedelta(days=days)
    return Item(number, BASE._replace(**split), start, start.date(), grouping)


def ids(groups):
    return [[one.id for one in found.items] for found in groups]


@pytest.mark.parametrize(
    ("grouping", "expected"),
    [
        ("customer", [[1, 2, 3, 4]]),
        ("customer_month", [[1, 2], [3, 4]]),
        ("customer_week", [[1, 2, 3], [4]]),
        ("booking", [[1], [2], [3], [4]]),
    ],
)
def test_groupings(grouping, expected):
    """Friday 30 and Saturday 31 January, Sunday 1 and Monday 2 February 2026."""
    items = [item(number, grouping, days) for number, days in ((4, 3), (2, 1), (1, 0), (3, 2))]
    assert ids(group(items)) == expected


@pytest.mark.parametrize("grouping", GROUPINGS)
@pytest.mark.parametrize("field", Split._fields)
def test_every_split_key_splits_whatever_the_grouping(field, grouping):
    other = "PO 1" if field == "reference" else 99
    groups = group([item(1, grouping), item(2, grouping, **{field: other})])
    assert ids(groups) == [[1], [2]]
    assert not can_join(BASE, BASE._replace(**{field: other}))


@pytest.mark.parametrize("empty", [None, False, 0])
def test_empty_ids_are_one(empty):
    groups = group([item(1), item(2, fiscal_position=empty, delivery_address=empty)])
    assert ids(groups) == [[1, 2]]


def test_purchase_orders_differ_by_more_than_spaces():
    groups = group(
        [item(1, reference="PO 1"), item(2, reference=" PO  1 "), item(3, reference="po 1")]
    )
    assert ids(groups) == [[1, 2], [3]]


def test_payers_with_groupings_of_their_own():
    items = [item(1), item(2, "booking"), item(3, "booking"), item(4)]
    assert ids(group(items)) == [[1, 4], [2], [3]]


def test_years_do_not_meet():
    groups = group([item(1, "customer_month"), item(2, "customer_month", days=366 + 28)])
    assert len(groups) == 2


def test_unknown_groupings_are_refused():
    with pytest.raises(ValueError):
        group_key(BASE, "customer_year", date(2026, 1, 1), 1)


ITEMS = st.lists(
    st.builds(
        lambda number, split, days, grouping: Item(
            number,
            split,
            START + timedelta(days=days),
            (START + timedelta(days=days)).date(),
            grouping,
        ),
        st.integers(1, 10**6),
        st.builds(
            Split,
            company=st.integers(1, 2),
            payer=st.integers(1, 3),
            currency=st.integers(1, 2),
            journal=st.integers(1, 2),
            fiscal_position=st.sampled_from([None, 5]),
            delivery_address=st.sampled_from([None, 6]),
            reference=st.sampled_from(["", "A", "B"]),
        ),
        st.integers(0, 90),
        st.sampled_from(GROUPINGS),
    ),
    max_size=40,
    unique_by=lambda one: one.id,
)


@given(ITEMS, st.randoms())
def test_nothing_is_mixed_lost_or_doubled(items, random):
    groups = group(items)
    assert sorted(one.id for found in groups for one in found.items) == sorted(
        one.id for one in items
    )
    for found in groups:
        assert {one.split.normal() for one in found.items} == {found.split}
        assert [one.start for one in found.items] == sorted(one.start for one in found.items)
    firsts = [found.items[0].start for found in groups]
    assert firsts == sorted(firsts)
    shuffled = list(items)
    random.shuffle(shuffled)
    assert group(shuffled) == groups
