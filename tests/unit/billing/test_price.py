"""Every price type under every rule, by hand-made tables, and what must hold for any of them."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest

from bookings_invoicing.billing.price import (
    PRICE_TYPES,
    RULE_KINDS,
    Manual,
    PriceRule,
    Share,
    billed_minutes,
    list_quantity,
    price_booking,
    size_of_unit,
    time_text,
)

D = Decimal

# 90 minutes, 60.00 in Bookings; the rules' own prices are 50 (fixed) and 40 (hourly), the price
# list says 45. "amount" or "quantity x price unit = amount", "free", "ask".
GOLDEN = """
             bookings         fixed      hourly          hourly_bare      pricelist  pricelist_h     free  ask
fixedPrice   1x60=60.00       1x50=50.00 1.50x40=60.00h  1.50x60=90.00h   1x45=45.00 1.50x45=67.50h  free  ask
startingAt   ask              1x50=50.00 1.50x40=60.00h  ask              1x45=45.00 1.50x45=67.50h  free  ask
hourly       1.50x60=90.00h   1x50=50.00 1.50x40=60.00h  1.50x60=90.00h   1x45=45.00 1.50x45=67.50h  free  ask
free         free             1x50=50.00 1.50x40=60.00h  free             1x45=45.00 1.50x45=67.50h  free  ask
priceVaries  ask              1x50=50.00 1.50x40=60.00h  ask              1x45=45.00 1.50x45=67.50h  free  ask
callUs       ask              1x50=50.00 1.50x40=60.00h  ask              1x45=45.00 1.50x45=67.50h  free  ask
notSet       ask              1x50=50.00 1.50x40=60.00h  ask              1x45=45.00 1.50x45=67.50h  free  ask
undefined    ask              1x50=50.00 1.50x40=60.00h  ask              1x45=45.00 1.50x45=67.50h  free  ask
unknown      ask              1x50=50.00 1.50x40=60.00h  ask              1x45=45.00 1.50x45=67.50h  free  ask
"""  # noqa: E501 - a table is read across
RULES = {
    "bookings": PriceRule(),
    "fixed": PriceRule("fixed", D(50)),
    "hourly": PriceRule("hourly", D(40)),
    "hourly_bare": PriceRule("hourly"),
    "pricelist": PriceRule("pricelist"),
    "pricelist_h": PriceRule("pricelist"),
    "free": PriceRule("free"),
    "ask": PriceRule("ask"),
}


def golden_cells():
    header, *rows = (line.split() for line in GOLDEN.strip().splitlines())
    for price_type, *cells in rows:
        for rule, cell in zip(header, cells, strict=True):
            yield price_type, rule, cell


def shown(priced):
    if priced.outcome != "priced":
        return priced.outcome
    unit = "h" if priced.unit == "hour" else ""
    return f"{priced.quantity}x{priced.price_unit}={priced.amount}{unit}"


@pytest.mark.parametrize(("price_type", "rule", "cell"), list(golden_cells()))
def test_golden(price_type, rule, cell):
    priced = price_booking(
        price_type,
        D(60),
        timedelta(minutes=90),
        RULES[rule],
        list_price=D(45),
        list_unit="hour" if rule.endswith("_h") else "unit",
    )
    assert shown(priced) == cell
    assert "%(" not in str(priced.explanation)


def test_the_table_is_complete():
    """A new price type or rule needs a row or column here."""
    seen = {(price_type, RULES[rule].kind) for price_type, rule, _cell in golden_cells()}
    assert seen == {(price_type, kind) for price_type in PRICE_TYPES for kind in RULE_KINDS}


SENTENCES = [
    (("fixedPrice", D("60.00"), 30, PriceRule()), "Fixed price of 60.00 from Bookings."),
    (
        ("fixedPrice", D(60), 30, PriceRule("fixed", D("55.00"))),
        "Fixed price of 55.00 set on the service.",
    ),
    (
        ("hourly", D(60), 90, PriceRule()),
        "1:30 h at 60 per hour from Bookings = 90.00.",
    ),
    (
        ("hourly", D(60), 50, PriceRule(rounding="up", step=15)),
        "1:00 h at 60 per hour from Bookings = 60.00. "
        "The appointment took 0:50 h; rounded up to full 15 minutes.",
    ),
    (
        ("hourly", D(60), 52, PriceRule("hourly", D(80), "nearest", 15)),
        "0:45 h at 80 per hour set on the service = 60.00. "
        "The appointment took 0:52 h; rounded to the nearest 15 minutes.",
    ),
    (
        ("hourly", D(60), 10, PriceRule(minimum=30)),
        "0:30 h at 60 per hour from Bookings = 30.00. "
        "The appointment took 0:10 h; at least 30 minutes are billed.",
    ),
    (("free", D(0), 30, PriceRule()), "Free of charge in Bookings."),
    (("fixedPrice", D(9), 30, PriceRule("free")), "Free of charge: set on the service."),
    (
        ("startingAt", D("35.00"), 30, PriceRule()),
        "Bookings says 'starting at 35.00'. Enter the price on the booking.",
    ),
    (
        ("weekly", D(35), 30, PriceRule()),
        "Bookings gives an unknown price type. Enter the price on the booking.",
    ),
]


@pytest.mark.parametrize(("case", "sentence"), SENTENCES)
def test_sentence(case, sentence):
    assert str(price_booking(*case).explanation) == sentence


@pytest.mark.parametrize("price_type", PRICE_TYPES)
def test_zero_is_free_only_where_bookings_says_free(price_type):
    priced = price_booking(price_type, D("0.0"), 60)
    assert (priced.outcome == "free") == (price_type == "free")
    assert priced.amount == 0


@pytest.mark.parametrize("price", [None, D(-1), D("NaN"), D("Infinity")])
@pytest.mark.parametrize("price_type", ["fixedPrice", "hourly"])
def test_no_usable_price_is_asked_for(price_type, price):
    assert price_booking(price_type, price, 60).outcome == "ask"


@pytest.mark.parametrize(
    "rule", [PriceRule("fixed"), PriceRule("pricelist"), PriceRule("fixed", D(-1))]
)
def test_a_rule_without_its_price_is_asked_for(rule):
    assert price_booking("fixedPrice", D(60), 60, rule).outcome == "ask"


def test_a_product_sold_by_weight_is_asked_for():
    priced = price_booking(
        "fixedPrice", D(60), 60, PriceRule("pricelist"), list_price=D(45), list_unit="kg"
    )
    assert (priced.outcome, priced.explanation.params) == ("ask", {"unit": "kg"})


@pytest.mark.parametrize(
    ("minutes", "rule", "unit", "manual", "quantity"),
    [
        (150, PriceRule("pricelist", None, "up", 60), "hour", None, 3),
        (20, PriceRule("pricelist", minimum=30), "hour", None, Fraction(1, 2)),
        (-20, PriceRule("pricelist"), "hour", None, 0),
        (20, PriceRule("pricelist"), "hour", Manual(quantity=D(4), unit="hour"), 4),
        (20, PriceRule("pricelist"), "hour", Manual(quantity=D(4), unit="unit"), Fraction(1, 3)),
        (20, PriceRule("pricelist"), "unit", Manual(quantity=D(4)), 4),
        (20, PriceRule("pricelist"), "unit", Manual(price=D(4)), 1),
    ],
)
def test_a_price_list_is_asked_for_what_will_be_billed(minutes, rule, unit, manual, quantity):
    assert list_quantity(minutes, rule, unit, manual) == quantity


@pytest.mark.parametrize(
    ("factor", "size"),
    [
        (0.0166667, Fraction(1, 60)),
        (0.000277778, Fraction(1, 3600)),
        (0.25, Fraction(1, 4)),
        (7.4, Fraction(37, 5)),
        (1924.0, Fraction(1924)),
        (0.00000123, Fraction(0.00000123)),
    ],
)
def test_units_are_as_exact_as_they_are_kept(factor, size):
    assert size_of_unit(factor) == size


def test_time_that_runs_backwards_is_asked_for():
    assert price_booking("hourly", D(60), timedelta(minutes=-30)).outcome == "ask"
    assert price_booking("fixedPrice", D(60), timedelta(minutes=-30)).amount == 60


def test_floats_are_refused():
    for kwargs in ({"price": 60.0}, {"minutes": 30.0}):
        arguments = {"price_type": "hourly", "price": D(60), "minutes": 30, **kwargs}
        with pytest.raises(TypeError):
            price_booking(**arguments)


ROUNDING = [
    # minutes, rounding, step, minimum -> billed
    (0, "none", 0, 0, 0),
    (0, "up", 15, 0, 0),
    (0, "up", 15, 30, 30),
    (1, "up", 5, 0, 5),
    (5, "up", 5, 0, 5),
    (6, "up", 5, 0, 10),
    (7, "nearest", 5, 0, 5),
    (8, "nearest", 5, 0, 10),
    (3, "nearest", 6, 0, 6),
    (2, "nearest", 6, 0, 0),
    (25, "nearest", 10, 0, 30),
    (24, "nearest", 10, 0, 20),
    (37, "up", 15, 0, 45),
    (37, "nearest", 15, 0, 30),
    (38, "nearest", 15, 0, 45),
    (61, "up", 30, 0, 90),
    (89, "nearest", 60, 0, 60),
    (90, "nearest", 60, 0, 120),
    (91, "up", 60, 0, 120),
    (20, "up", 30, 45, 45),
    (50, "up", 30, 45, 60),
    (50, "none", 0, 45, 50),
]


@pytest.mark.parametrize(("minutes", "rounding", "step", "minimum", "billed"), ROUNDING)
def test_rounding_and_minimum(minutes, rounding, step, minimum, billed):
    rule = PriceRule("hourly", D(60), rounding, step, minimum)
    assert billed_minutes(minutes, rule) == billed


def test_seconds_count():
    rule = PriceRule("hourly", D(60), "up", 15)
    assert billed_minutes(Fraction(15) + Fraction(1, 60), rule) == 30
    assert price_booking("hourly", D(60), timedelta(seconds=90)).amount == D("1.50")


@pytest.mark.parametrize("bad", [("up", 0, 0), ("up", -5, 0), ("none", 0, -1), ("down", 5, 0)])
def test_impossible_rules_are_refused(bad):
    rounding, step, minimum = bad
    with pytest.raises(ValueError):
        PriceRule("hourly", D(60), rounding, step, minimum)


@pytest.mark.parametrize(
    "rate", ["0.01", "7.77", "33.33", "59.95", "60", "100", "199.99", "1234.5"]
)
@pytest.mark.parametrize("unit_digits", [0, 2, 3])
@pytest.mark.parametrize("digits", [0, 2, 3])
def test_hourly_amount_is_the_rounded_exact_product(rate, unit_digits, digits):
    """1-600 minutes: amount = round(hours x rate), and the line's own product rounds to it."""
    quantum = D(1).scaleb(-digits)
    for minutes in range(1, 601):
        priced = price_booking(
            "hourly", D(rate), minutes, unit_digits=unit_digits, currency_digits=digits
        )
        oracle = (D(rate) * minutes * 10 / 600).quantize(quantum, ROUND_HALF_UP)
        assert priced.amount == oracle
        line = (priced.quantity * priced.price_unit).quantize(quantum, ROUND_HALF_UP)
        assert line == priced.amount
        assert priced.quantity == priced.quantity.quantize(D(1).scaleb(-unit_digits))
        exact_hours = (minutes * 10**unit_digits) % 60 == 0
        assert (priced.unit == "hour") == exact_hours
        assert (priced.calculation is None) == exact_hours


def test_twenty_minutes_at_a_hundred():
    """0.33 h would be 33.00; a third of an hour is 33.33."""
    priced = price_booking("hourly", D("100.00"), 20)
    assert shown(priced) == "1x33.33=33.33"
    assert str(priced.calculation) == "0:20 h at 100.00 per hour"


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0:00 h"),
        (5, "0:05 h"),
        (60, "1:00 h"),
        (1500, "25:00 h"),
        (Fraction(1, 2), "0:00:30 h"),
    ],
)
def test_time_text(minutes, text):
    assert time_text(minutes) == text


class TestByHand:
    """What a person typed stays what it was, named with who and when."""

    def test_price_of_a_fixed_one(self):
        manual = Manual(D("70.00"), by="Ann", on="3 Feb")
        priced = price_booking("fixedPrice", D("60.00"), 30, manual=manual)
        assert shown(priced) == "1x70.00=70.00"
        assert str(priced.explanation) == (
            "1 x 70.00, set manually by Ann on 3 Feb. Without the change: 1 x 60.00."
        )

    def test_quantity_of_a_fixed_one(self):
        priced = price_booking("fixedPrice", D(60), 30, manual_quantity=D("2.5"))
        assert shown(priced) == "2.50x60=150.00"

    def test_rate_survives_a_move(self):
        """Typed as a rate on 1.5 h; the appointment then becomes 20 minutes, not 50.00 in all."""
        manual = Manual(price=D(50), unit="hour")
        assert shown(price_booking("hourly", D(60), 90, manual=manual)) == "1.50x50=75.00h"
        moved = price_booking("hourly", D(60), 20, manual=manual)
        assert (moved.amount, str(moved.calculation)) == (D("16.67"), "0:20 h at 50 per hour")

    def test_total_survives_a_move(self):
        """Typed as a total on 1 x 20.00; it stays a total when the hours become exact."""
        manual = Manual(price=D(25), unit="unit")
        for minutes in (20, 30, 90):
            assert price_booking("hourly", D(60), minutes, manual=manual).amount == 25

    def test_hours_by_hand_keep_the_rate(self):
        manual = Manual(quantity=D("1.25"), unit="hour")
        assert shown(price_booking("hourly", D(60), 20, manual=manual)) == "1.25x60=75.00h"
        assert shown(price_booking("hourly", D(60), 90, manual=manual)) == "1.25x60=75.00h"

    def test_quantity_on_an_inexact_hourly_line(self):
        manual = Manual(quantity=D(2), unit="unit")
        assert price_booking("hourly", D(100), 20, manual=manual).amount == D("66.66")
        moved = price_booking("hourly", D(100), 90, manual=manual)
        assert shown(moved) == "2.00x150.00=300.00"

    def test_hours_of_a_price_that_is_fixed_now(self):
        manual = Manual(quantity=D("1.25"), unit="hour")
        assert price_booking("fixedPrice", D(60), 90, manual=manual).outcome == "ask"

    @pytest.mark.parametrize("price_type", PRICE_TYPES)
    def test_a_price_decides_what_was_to_be_decided(self, price_type):
        priced = price_booking(price_type, D(0), 30, manual_price=D(80))
        assert priced.outcome == "priced"
        assert priced.price_unit == 80
        assert "set manually" in str(priced.explanation)

    @pytest.mark.parametrize("price_type", ["free", "callUs"])
    def test_a_quantity_alone_decides_nothing(self, price_type):
        untouched = price_booking(price_type, D(0), 30)
        assert price_booking(price_type, D(0), 30, manual_quantity=D(3)) == untouched

    def test_zero_by_hand_is_a_price(self):
        assert shown(price_booking("fixedPrice", D(60), 30, manual_price=D(0))) == "1x0=0.00"

    @pytest.mark.parametrize("manual", [Manual(D(-1)), Manual(quantity=D(-1))])
    def test_negative_is_refused(self, manual):
        with pytest.raises(ValueError):
            price_booking("fixedPrice", D(60), 30, manual=manual)


class TestShare:
    def test_sentence_and_line(self):
        priced = price_booking("hourly", D(60), 90, share=Share(D("22.50"), D("90.00"), 4))
        assert shown(priced) == "1x22.50=22.50"
        assert str(priced.explanation) == (
            "Share of 90.00 for the appointment, split among 4 attendees."
        )

    def test_by_hand_goes_before_the_share(self):
        share = Share(D("22.50"), D("90.00"), 4)
        priced = price_booking("fixedPrice", D(90), 60, share=share, manual_price=D(10))
        assert priced.amount == 10
