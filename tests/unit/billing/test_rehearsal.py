"""Both sides of a month compared: verdict, difference, probable cause."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.rehearsal import VERDICTS, Ours, Theirs, compare

D = Decimal


def ours(*amounts, **more):
    return Ours(1, "Ann", tuple((f"Visit {n}", D(a)) for n, a in enumerate(amounts)), **more)


def theirs(*lines, **more):
    lines = tuple((f"Line {n}", D(a), mapped) for n, (a, mapped) in enumerate(lines))
    more.setdefault("other_basis", sum((line[1] for line in lines), D(0)))
    return Theirs(1, "Ann", lines, invoices=("INV/1",), **more)


CASES = {
    "to the cent": (ours("50", "40.50"), theirs(("90.50", True)), "same", "", {}),
    "less than a cent": (ours("33.333"), theirs(("33.33", True)), "same", "", {}),
    "tax": (ours("125"), theirs(("100", True), other_basis=D("125")), "different", "tax", {}),
    "also other products": (
        ours("50"),
        theirs(("50", True), ("19.90", False)),
        "different",
        "also_other_products",
        {"amount": D("19.90")},
    ),
    "one booking not on the invoice": (
        ours("50", "30"),
        theirs(("50", True)),
        "different",
        "missing_there",
        {"booking": "Visit 1"},
    ),
    "one line without booking": (
        ours("50"),
        theirs(("50", True), ("20", True)),
        "different",
        "missing_here",
        {"line": "Line 1"},
    ),
    "rest in another month": (
        ours("50", "20", "10"),
        theirs(("50", True), nearby=(("INV/9", D(30)),)),
        "different",
        "other_month",
        {"invoice": "INV/9"},
    ),
    "discount": (ours("50", "70"), theirs(("108", True)), "different", "discount", {"percent": 10}),
    "nothing decided": (
        ours("50", undecided=2),
        theirs(("50", True)),
        "different",
        "undecided",
        {"count": 2},
    ),
    "other number": (
        ours("50", "51.17"),
        theirs(("120.31", True)),
        "different",
        "count",
        {"bookings": 2, "lines": 1},
    ),
    "other prices": (ours("50"), theirs(("61.17", True)), "different", "prices", {}),
    "never invoiced": (ours("50"), None, "only_ours", "never_invoiced", {"count": 1}),
    "unknown": (ours("50", known=False), None, "only_ours", "unknown_customer", {}),
    "all in another month": (
        ours("50"),
        theirs(nearby=(("INV/9", D(50)),)),
        "only_ours",
        "other_month",
        {"invoice": "INV/9"},
    ),
    "no appointment": (
        None,
        theirs(("50", True)),
        "only_theirs",
        "no_appointment",
        {"invoices": "INV/1"},
    ),
    "only goods": (
        None,
        theirs(("50", False)),
        "only_theirs",
        "other_products",
        {"invoices": "INV/1"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_verdict_and_cause(name):
    mine, posted, verdict, cause, params = CASES[name]
    (row,) = compare([mine] if mine else [], [posted] if posted else [])
    assert (row.verdict, row.cause, row.params) == (verdict, cause, params)
    assert row.difference == row.ours - row.theirs


amounts = st.lists(st.decimals(min_value=0, max_value=999, places=2), max_size=4)


@given(st.dictionaries(st.integers(0, 5), amounts), st.dictionaries(st.integers(0, 5), amounts))
def test_sums_tie(mine, posted):
    """Whatever the months hold: every payer once, both totals as they came."""
    left = [Ours(k, str(k), tuple(("b", a) for a in v)) for k, v in mine.items()]
    right = [Theirs(k, str(k), tuple(("l", a, True) for a in v)) for k, v in posted.items()]
    rows = compare(left, right)
    assert sorted(row.payer for row in rows) == sorted(
        {*mine, *(k for k, v in posted.items() if v)}
    )
    assert sum(row.ours for row in rows) == sum(map(sum, mine.values()))
    assert sum(row.theirs for row in rows) == sum(map(sum, posted.values()))
    assert {row.verdict for row in rows} <= set(VERDICTS)
    assert sum(row.difference for row in rows) == sum(row.ours - row.theirs for row in rows)


def test_what_needs_a_look_comes_first():
    rows = compare(
        [
            Ours(1, "A", (("v", D(1)),)),
            Ours(2, "B", (("v", D(9)),)),
            Ours(3, "C", (("v", D(5)),)),
        ],
        [Theirs(1, "A", (("l", D(1), True),)), Theirs(3, "C", (("l", D(2), True),))],
    )
    assert [row.name for row in rows] == ["C", "B", "A"]
