"""Late cancellations, as a synchronization sees them, and fees."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.fees import FEE_CAUSES, Fee, cancellation_timing, price_fee
from bookings_invoicing.billing.price import price_booking

D = Decimal
START = datetime(2026, 2, 3, 10)
LIMIT = START - timedelta(hours=24)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("last_seen", "missing_since", "timing"),
    [
        (LIMIT, None, "kept"),
        (LIMIT - SECOND, LIMIT, "in_time"),
        (LIMIT - SECOND, LIMIT + SECOND, "unsure"),
        (LIMIT, LIMIT + SECOND, "unsure"),
        (LIMIT + SECOND, START, "late"),
        (None, LIMIT + SECOND, "unsure"),
        (None, LIMIT, "in_time"),
    ],
)
def test_cancellations(last_seen, missing_since, timing):
    assert cancellation_timing(START, last_seen, missing_since, 24) == timing


BASE = price_booking("fixedPrice", D("85.55"), 60)


@pytest.mark.parametrize("cause", FEE_CAUSES)
def test_an_amount_is_that_amount(cause):
    for base in (BASE, price_booking("callUs", D(0), 60), price_booking("free", D(0), 60)):
        priced = price_fee(Fee("amount", D("25.005")), base, cause)
        assert (priced.outcome, priced.quantity, priced.price_unit) == ("priced", 1, D("25.01"))
        assert "25.01" in str(priced.explanation)


@pytest.mark.parametrize(("percent", "amount"), [(0, "0.00"), (33, "28.23"), (100, "85.55")])
def test_a_share_of_the_price(percent, amount):
    priced = price_fee(Fee("percent", D(percent)), BASE, "no_show")
    assert str(priced.amount) == amount
    assert f"{percent} %" in str(priced.explanation)


def test_a_share_of_nothing_known_is_asked_for():
    priced = price_fee(Fee("percent", D(50)), price_booking("callUs", D(0), 60), "late_cancel")
    assert priced.outcome == "ask"
    assert "call us" in str(priced.explanation)


@given(st.decimals(0, 100, places=2), st.decimals(0, 10_000, places=2), st.integers(0, 3))
def test_a_fee_is_rounded_once_and_never_more_than_the_price(percent, price, digits):
    base = price_booking("fixedPrice", price, 60, currency_digits=digits)
    priced = price_fee(Fee("percent", percent), base, "label", digits)
    oracle = (base.amount * percent / 100).quantize(D(1).scaleb(-digits), ROUND_HALF_UP)
    assert priced.amount == priced.price_unit == oracle <= base.amount


@pytest.mark.parametrize("bad", [("amount", -1), ("percent", 101), ("percent", -1), ("hours", 1)])
def test_impossible_fees_are_refused(bad):
    with pytest.raises(ValueError):
        Fee(bad[0], D(bad[1]))


def test_an_unknown_cause_is_refused():
    with pytest.raises(ValueError):
        price_fee(Fee("amount", D(1)), BASE, "rain")
