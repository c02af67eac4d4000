"""Rounding and sharing out: exact to the cent, the same every time."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.money import (
    decimal_of,
    exact,
    exact_decimal,
    round_half_up,
    share_by_key,
    share_out,
)

D = Decimal
CASES = [
    ("0.005", 2, "0.01"),
    ("0.004999999999999999999999999999", 2, "0.00"),
    ("1.005", 2, "1.01"),
    ("2.5", 0, "3"),
    ("-2.5", 0, "-3"),
    ("-0.005", 2, "-0.01"),
    ("12345678901234567890123456789.995", 2, "12345678901234567890123456790.00"),
    ("0.0005", 3, "0.001"),
]


@pytest.mark.parametrize(("value", "digits", "rounded"), CASES)
def test_half_goes_away_from_zero(value, digits, rounded):
    assert str(round_half_up(D(value), digits)) == rounded


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("7.42", "7.40"), ("7.425", "7.45"), ("7.43", "7.45"), ("-7.425", "-7.45")],
)
def test_steps_that_are_no_power_of_ten(value, rounded):
    assert str(round_half_up(D(value), 2, D("0.05"))) == rounded


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**50), max_value=10**50),
    st.integers(0, 4),
)
def test_decimals_are_rounded_like_the_rationals_they_are(value, digits):
    assert str(round_half_up(value, digits)) == str(round_half_up(Fraction(value), digits))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_not_finite_cannot_be_rounded(value):
    with pytest.raises((ValueError, OverflowError)):
        round_half_up(D(value))


def test_a_step_finer_than_the_decimals_is_refused():
    with pytest.raises(ValueError):
        round_half_up(D("1.125"), 2, D("0.125"))


@given(st.decimals(-(10**9), 10**9, places=5), st.integers(0, 4))
def test_agrees_with_decimal(value, digits):
    assert round_half_up(Fraction(value), digits) == value.quantize(
        D(1).scaleb(-digits), ROUND_HALF_UP
    )


@given(st.fractions(-1000, 1000), st.integers(0, 4))
def test_is_the_nearest(value, digits):
    error = abs(Fraction(round_half_up(value, digits)) - value)
    assert error <= Fraction(1, 2 * 10**digits)


@given(st.fractions(0, 100), st.integers(0, 4))
def test_exact_decimal_is_exact_or_nothing(value, digits):
    found = exact_decimal(value, digits)
    assert found is None or Fraction(found) == value
    assert (found is None) == ((value * 10**digits).denominator != 1)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_in_as_they_are_shown(value):
    assert float(decimal_of(value)) == value


@pytest.mark.parametrize("value", ["NaN", "inf", float("nan"), "1,5", ""])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError):
        decimal_of(value)


def test_floats_do_not_slip_in():
    with pytest.raises(TypeError):
        exact(0.1)


TOTALS = st.decimals(0, 100_000, places=2)


@given(TOTALS, st.integers(1, 40), st.integers(0, 3))
def test_shares_add_up_and_are_fair(total, parts, digits):
    shares = share_out(total, parts, digits)
    assert sum(shares) == round_half_up(total, digits)
    assert max(shares) - min(shares) <= D(1).scaleb(-digits)
    assert list(shares) == sorted(shares, reverse=True)
    assert shares == share_out(total, parts, digits)


@given(TOTALS, st.integers(1, 12), st.data())
def test_billed_shares_stay(total, parts, data):
    places = data.draw(st.sets(st.integers(0, parts - 1)))
    fixed = {place: data.draw(st.decimals(0, 50_000, places=2)) for place in places}
    shares = share_out(total, parts, 2, fixed)
    assert all(shares[place] == share for place, share in fixed.items())
    assert min(shares) >= 0
    if len(fixed) < parts:
        assert sum(shares) == max(total, sum(fixed.values()))


@given(TOTALS, st.integers(1, 12), st.data())
def test_billing_one_after_the_other_bills_the_total(total, parts, data):
    """Whoever is billed first, and however the list is shared out again after each: it adds up."""
    keys = list(range(parts))
    billed = {}
    for key in data.draw(st.permutations(keys)):
        billed[key] = share_by_key(total, keys, 2, billed)[key]
    assert sum(billed.values()) == total


def test_somebody_billed_who_left_has_paid():
    shares = share_by_key(D("90.00"), ["a", "b"], fixed={"gone": D("40.00")})
    assert shares == {"a": D("25.00"), "b": D("25.00")}


def test_coins_of_five():
    assert share_out(D("10.00"), 3, 2, step=D("0.05")) == (D("3.35"), D("3.35"), D("3.30"))


def test_a_billed_share_off_the_grid_leaves_less_than_a_coin():
    """A share edited to 3.33 where coins are 0.05: the others get whole coins."""
    assert share_out(D("10.00"), 3, 2, {0: D("3.33")}, D("0.05"))[1:] == (D("3.35"), D("3.30"))


@pytest.mark.parametrize("bad", [(D(1), 0, None), (D(-1), 2, None), (D(1), 2, {2: D(1)})])
def test_nonsense_is_refused(bad):
    total, parts, fixed = bad
    with pytest.raises(ValueError):
        share_out(total, parts, 2, fixed)
