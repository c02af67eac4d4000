"""What must hold for any price under any rule."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.price import (
    PRICE_TYPES,
    RULE_KINDS,
    Manual,
    PriceRule,
    billed_minutes,
    price_booking,
)

D = Decimal

RATES = st.decimals(0, 10_000, places=2)
RULE = st.builds(
    PriceRule,
    kind=st.sampled_from(RULE_KINDS),
    price=st.none() | RATES,
    rounding=st.sampled_from(("none", "up", "nearest")),
    step=st.sampled_from((5, 6, 10, 15, 30, 60)),
    minimum=st.sampled_from((0, 10, 45)),
)


@given(
    price_type=st.sampled_from((*PRICE_TYPES, "somethingNew", "")),
    price=st.none() | RATES,
    minutes=st.integers(-10, 100_000).map(lambda n: Fraction(n, 7)),
    rule=RULE,
    list_price=st.none() | RATES,
    manual=st.builds(
        Manual,
        st.none() | RATES,
        st.none() | st.decimals(0, 100, places=3),
        st.sampled_from((None, "hour", "unit")),
    ),
    unit_digits=st.integers(0, 4),
    digits=st.integers(0, 3),
)
def test_whatever_comes_adds_up(
    price_type, price, minutes, rule, list_price, manual, unit_digits, digits
):
    """The line multiplies to the amount, fits the database's precision, and is explained."""
    priced = price_booking(
        price_type,
        price,
        minutes,
        rule,
        list_price=list_price,
        manual=manual,
        unit_digits=unit_digits,
        currency_digits=digits,
    )
    product = (priced.quantity * priced.price_unit).quantize(D(1).scaleb(-digits), ROUND_HALF_UP)
    assert priced.amount == product >= 0
    assert priced.amount.as_tuple().exponent == -digits
    assert priced.quantity == priced.quantity.quantize(D(1).scaleb(-unit_digits))
    assert str(priced.explanation)
    if priced.outcome != "priced":
        assert (priced.quantity, priced.amount, priced.calculation) == (1, 0, None)


@given(minutes=st.integers(0, 10_000), rule=RULE)
def test_rounding_never_takes_more_than_a_step(minutes, rule):
    billed = billed_minutes(minutes, rule)
    assert billed >= rule.minimum
    if rule.rounding == "up":
        assert minutes <= billed < max(minutes + rule.step, rule.minimum + 1)
    elif rule.rounding == "nearest" and billed != rule.minimum:
        assert abs(billed - minutes) * 2 <= rule.step
    if rule.rounding != "none" and billed != rule.minimum:
        assert billed % rule.step == 0
