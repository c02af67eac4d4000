"""Seeded anomalies are found; a clean month gives no hint."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.hints import (
    HintFacts,
    InvoiceLook,
    Usual,
    booking_hints,
    invoice_hints,
    overlaps,
    usual_of,
)

D = Decimal
NINE = datetime(2026, 2, 3, 9)


def look(number=1, start=0, minutes=30, person="ann", amount="60.00", **more):
    begin = NINE + timedelta(minutes=start)
    stop = begin + timedelta(minutes=minutes)
    return HintFacts(number, person, "massage", begin, stop, D(amount), setup=1, **more)


USUAL = Usual(D("60.00"), Fraction(30), 12)


def codes(hints):
    return [hint.code for hint in hints]


@pytest.mark.parametrize(
    ("booking", "usual", "found"),
    [
        (look(), USUAL, []),
        (look(amount="0.00"), USUAL, ["hint_zero_usually"]),
        (look(amount="0.00"), Usual(D(0), Fraction(30), 12), []),
        (look(amount="0.00"), Usual(D(60), Fraction(30), 2), ["hint_zero"]),
        (look(amount="0.00"), None, ["hint_zero"]),
        (look(minutes=89), USUAL, []),
        (look(minutes=90), USUAL, ["hint_long"]),
        (look(minutes=90), Usual(D(60), Fraction(30), 2), []),
        (look(amount="179.99"), USUAL, []),
        (look(amount="180.00"), USUAL, ["hint_high"]),
        (look(minutes=90, amount="180.00"), USUAL, ["hint_long"]),
        (look(minutes=0), USUAL, ["hint_no_time"]),
        (look(bookings_free=True), USUAL, ["hint_free_in_bookings"]),
        (look(attendance="no_show"), USUAL, ["hint_no_show"]),
        (look(attendance="late_cancel"), USUAL, ["hint_late_cancel"]),
        (look(attendance="came"), USUAL, []),
        (look(ask_attendance=True), USUAL, ["hint_attendance"]),
        (look(ask_attendance=True, attendance="came"), USUAL, []),
        (look(ask_attendance=True, attendance="no_show"), USUAL, ["hint_no_show"]),
        (look(changed_late=True), USUAL, ["hint_changed_late"]),
        (look(was_billed=True), USUAL, ["hint_was_billed"]),
    ],
)
def test_one_booking(booking, usual, found):
    hints = booking_hints(booking, usual)
    assert codes(hints) == found
    assert all("%(" not in str(hint) for hint in hints)


def test_the_usual_is_not_moved_by_one_odd_booking():
    usual = usual_of([look(n) for n in range(9)] + [look(9, minutes=600, amount="0.00")])
    assert usual == (Usual(D("60.00"), Fraction(30), 10))
    assert usual_of([]) == Usual()


def test_a_clock_change_makes_nothing_long():
    zone = ZoneInfo("Europe/Copenhagen")
    night = HintFacts(
        1,
        "ann",
        "watch",
        datetime(2026, 3, 29, 1, 45, tzinfo=zone),
        datetime(2026, 3, 29, 3, 15, tzinfo=zone),
        D("60.00"),
    )
    assert booking_hints(night, USUAL) == []


PAIRS = [
    (look(1), look(2, start=30), {}),
    (look(1), look(2, start=29), {1: ["hint_overlap"], 2: ["hint_overlap"]}),
    (look(1, minutes=120), look(2, start=30), {1: ["hint_overlap"], 2: ["hint_overlap"]}),
    (look(1), look(2), {1: ["hint_double"], 2: ["hint_double"]}),
    (look(1), replace(look(2), service="yoga"), {1: ["hint_overlap"], 2: ["hint_overlap"]}),
    (look(1), replace(look(2), service="yoga", setup=2), {1: ["hint_double"], 2: ["hint_double"]}),
    (look(1), look(2, person="bob"), {}),
    (look(1, person=None), look(2, person=None), {}),
    (look(1, minutes=0), look(2), {}),
]


@pytest.mark.parametrize(("one", "two", "found"), PAIRS)
def test_two_bookings(one, two, found):
    for pair in ([one, two], [two, one]):
        assert {key: codes(hints) for key, hints in overlaps(pair).items()} == found


@given(
    st.lists(
        st.tuples(st.integers(0, 600), st.integers(0, 120), st.sampled_from(["ann", "bob", None])),
        max_size=15,
    )
)
def test_overlaps_agree_with_looking_at_every_pair(seeds):
    looks = [look(n, start, minutes, person) for n, (start, minutes, person) in enumerate(seeds)]
    expected = {}
    for one in looks:
        others = [
            two
            for two in looks
            if two.id != one.id
            and one.person is not None
            and one.person == two.person
            and one.start < one.stop
            and two.start < two.stop
            and one.start < two.stop
            and two.start < one.stop
        ]
        if others:
            expected[one.id] = len(others)
    assert {key: len(hints) for key, hints in overlaps(looks).items()} == expected


def test_a_clean_month_is_silent():
    month = [look(n, start=n * 45, person=f"person {n % 7}") for n in range(200)]
    usual = usual_of(month)
    assert not overlaps(month)
    assert not any(booking_hints(booking, usual) for booking in month)
    assert not invoice_hints(InvoiceLook(D("240.00")))


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"first": True}, "hint_first", "first invoice"),
        ({"credit": D("12.50")}, "hint_credit", "12.50"),
        ({"down_payment": True}, "hint_down_payment", "down payment"),
        ({"draft": "Draft 7"}, "hint_draft", "Draft 7"),
        ({"limit": D("239.99")}, "hint_limit", "239.99"),
        ({"old_months": ("2025-11", "2025-12")}, "hint_old_months", "2025-11, 2025-12"),
        ({"incomplete": ("street", "city")}, "hint_incomplete", "street, city"),
        ({"untaxed": ("Massage",), "position": "Export"}, "hint_tax_taken_off", "Export removes"),
    ],
)
def test_one_invoice(change, code, words):
    (hint,) = invoice_hints(InvoiceLook(D("240.00"), **change))
    assert hint.code == code
    assert words in str(hint)


def test_at_the_limit_is_not_over_it():
    assert not invoice_hints(InvoiceLook(D("240.00"), limit=D("240")))
