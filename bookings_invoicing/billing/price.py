"""Price a booking from Graph's price type, the service's rule, the time, and manual values.

Rules (Graph ``bookingPriceType`` and ``bookingAppointment``, where ``price`` is never null, so that 0.0 does not mean
*free*):

- a manual price or quantity takes precedence over everything, and is explained with user and date;
- the rule of the service takes precedence over the price type; the rule ``bookings`` uses the price in Bookings;
- nothing is guessed: without a price, the outcome is ``ask``.

The amount is ``quantity * price_unit``, rounded half up once. Hours that are not exact at the database's unit precision
would not result in the agreed amount (20 minutes at 100.00 are 33.33, but 0.33 h are 33.00). Such a line is 1 x the
amount, and :attr:`Priced.calculation` states hours and rate for its text.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from .money import (  # noqa: F401 - share_* belong to this module's interface
    ONE,
    ZERO,
    Number,
    decimal_of,
    exact,
    exact_decimal,
    round_half_up,
    share_by_key,
    share_out,
)
from .sentences import Explanation

PRICE_TYPES = (
    "fixedPrice",
    "startingAt",
    "hourly",
    "free",
    "priceVaries",
    "callUs",
    "notSet",
    "undefined",
    "unknown",
)
RULE_KINDS = ("bookings", "fixed", "hourly", "pricelist", "free", "ask")
ROUNDINGS = ("none", "up", "nearest")


@dataclass(frozen=True)
class PriceRule:
    """The price rule of a service.

    ``price`` is the fixed price or hourly rate for the kinds ``fixed`` and ``hourly``. An hourly rule without a price uses
    the price in Bookings as the rate. ``rounding`` to ``step`` minutes and the ``minimum`` in minutes apply to all billed
    hours, with the minimum after the rounding.
    """

    kind: str = "bookings"
    price: Decimal | None = None
    rounding: str = "none"
    step: int = 0
    minimum: int = 0

    def __post_init__(self):
        if self.kind not in RULE_KINDS or self.rounding not in ROUNDINGS:
            raise ValueError(f"unknown price rule: {self.kind}/{self.rounding}")
        if self.step < 0 or self.minimum < 0 or (self.rounding != "none" and not self.step):
            raise ValueError("rounding needs a step in minutes, and no time may be negative")


class Share(NamedTuple):
    """One attendee's share of the price of an appointment (see :func:`share_out`)."""

    amount: Decimal
    total: Decimal
    count: int


@dataclass(frozen=True)
class Manual:
    """The manual values of a booking, which synchronizations do not change.

    ``unit`` is the unit of the booking when a user entered the values (``hour`` or ``unit``), so that a rate does not
    become a total when the appointment changes. ``by`` and ``on`` are the user and date for the explanation.
    """

    price: Decimal | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    by: str = ""
    on: str = ""


@dataclass(frozen=True)
class Priced:
    """The price of a booking. ``outcome`` is ``priced``, ``free``, or ``ask`` (then quantity is 1 and the amounts are 0).

    ``unit``: ``hour`` (quantity = hours, price_unit = rate) or ``unit``. ``minutes``: the billed time, if any.
    ``calculation``: hours and rate for the text of the line if the quantity does not state them.
    """

    outcome: str
    quantity: Decimal
    price_unit: Decimal
    amount: Decimal
    explanation: Explanation
    unit: str = "unit"
    minutes: Fraction | None = None
    calculation: Explanation | None = None


def minutes_of(duration: timedelta | Number) -> Fraction:
    """Return the exact minutes of a timedelta, or of a number of minutes.

    >>> minutes_of(timedelta(hours=1, seconds=30))
    Fraction(121, 2)
    """
    if isinstance(duration, timedelta):
        return Fraction(duration // timedelta(microseconds=1), 60_000_000)
    return exact(duration)


def billed_minutes(minutes: Number, rule: PriceRule) -> Fraction:
    """Return the minutes to bill after rounding and minimum.

    >>> billed_minutes(50, PriceRule("hourly", rounding="up", step=15))
    Fraction(60, 1)
    >>> billed_minutes(20, PriceRule("hourly", rounding="nearest", step=15, minimum=30))
    Fraction(30, 1)
    """
    minutes = exact(minutes)
    if rule.rounding != "none":
        steps = minutes / rule.step
        count = -(-steps // 1) if rule.rounding == "up" else (2 * steps + 1) // 2
        minutes = Fraction(count * rule.step)
    return max(minutes, Fraction(rule.minimum))


def size_of_unit(factor: float) -> Fraction:
    """Return the exact size of a unit in hours or pieces, because Odoo stores a minute as 0.0166667 hours.

    >>> size_of_unit(0.0166667), size_of_unit(8.0), size_of_unit(7.4)
    (Fraction(1, 60), Fraction(8, 1), Fraction(37, 5))
    """
    near = Fraction(factor).limit_denominator(10_000)
    return near if abs(near - Fraction(factor)) <= near / 100_000 else Fraction(factor)


def list_quantity(
    minutes: timedelta | Number, rule: PriceRule, list_unit: str, manual: Manual | None = None
) -> Fraction:
    """Return the number of hours or pieces to bill, for which the pricelist price is looked up.

    >>> list_quantity(200, PriceRule("pricelist"), "hour"), list_quantity(200, PriceRule(), "unit")
    (Fraction(10, 3), Fraction(1, 1))
    """
    manual = manual or Manual()
    if manual.quantity is not None and (manual.unit or list_unit) == list_unit:
        return exact(manual.quantity)
    if list_unit == "hour":
        return max(billed_minutes(minutes_of(minutes), rule), Fraction(0)) / 60
    return Fraction(1)


def time_text(minutes: Number) -> str:
    """Return hours and minutes as text that needs no translation.

    >>> time_text(80), time_text(Fraction(121, 2))
    ('1:20 h', '1:00:30 h')
    """
    seconds = int(round_half_up(exact(minutes) * 60, 0))
    hours, rest = divmod(seconds, 3600)
    minute, second = divmod(rest, 60)
    return f"{hours}:{minute:02d}:{second:02d} h" if second else f"{hours}:{minute:02d} h"


def price_booking(
    price_type: str,
    price: Decimal | None,
    minutes: timedelta | Number,
    rule: PriceRule | None = None,
    *,
    unit_digits: int = 2,
    currency_digits: int = 2,
    currency_step: Decimal | None = None,
    list_price: Decimal | None = None,
    list_unit: str = "unit",
    manual: Manual | None = None,
    manual_price: Decimal | None = None,
    manual_quantity: Decimal | None = None,
    share: Share | None = None,
) -> Priced:
    """Price a booking. Amounts are in the business's currency, with or without tax as there.

    ``minutes``: the duration, a timedelta or a number of minutes. ``unit_digits``: decimals of Odoo's *Product Unit*.
    ``list_price``: the payer's pricelist price per ``list_unit``, which is ``hour``, ``unit``, or the name of a unit that
    converts to neither. ``manual_price`` and ``manual_quantity``: short for ``manual``. Raises ``TypeError`` for floats.

    >>> p = price_booking("hourly", Decimal("100"), 20, PriceRule())
    >>> p.quantity, p.price_unit, p.amount, p.unit, str(p.calculation)
    (Decimal('1'), Decimal('33.33'), Decimal('33.33'), 'unit', '0:20 h at 100 per hour')
    >>> p = price_booking("hourly", Decimal("100"), timedelta(minutes=90), PriceRule())
    >>> p.quantity, p.price_unit, p.amount, p.unit
    (Decimal('1.50'), Decimal('100'), Decimal('150.00'), 'hour')
    >>> price_booking("fixedPrice", Decimal("60.00"), 30).amount
    Decimal('60.00')
    >>> price_booking("callUs", Decimal("0"), 30).outcome
    'ask'
    """
    rule = rule or PriceRule()
    money = _Money(unit_digits, currency_digits, currency_step)
    manual = manual or Manual(manual_price, manual_quantity)
    if share is not None:
        found = money.share(share)
    else:
        found = _by_rule(price_type, price, minutes_of(minutes), rule, money, list_price, list_unit)
    if manual.price is None and (manual.quantity is None or found.outcome != "priced"):
        return found
    return _by_hand(found, manual, minutes_of(minutes), rule, money)


class _Money(NamedTuple):
    """The precisions of a database and currency, and the prices computed with them."""

    unit_digits: int
    digits: int
    step: Decimal | None

    def line(self, quantity, rate, code, unit="unit", minutes=None, then=None, **params) -> Priced:
        """Return ``quantity`` (a rational) times ``rate``, or 1 x the amount if the quantity is not exact."""
        product = rate if quantity == 1 else exact(quantity) * exact(rate)
        amount = round_half_up(product, self.digits, self.step)
        shown = exact_decimal(quantity, self.unit_digits)
        params.setdefault("price", rate)
        if unit == "hour":
            minutes = exact(quantity) * 60
            params.update(time=time_text(minutes), amount=amount)
        explanation = Explanation(code, params, then)
        if shown is not None:
            quantity = ONE if shown == 1 else shown
            return Priced("priced", quantity, rate, amount, explanation, unit, minutes)
        note = None
        if unit == "hour":
            note = Explanation("line_hours", {"time": params["time"], "price": rate})
        return Priced("priced", ONE, amount, amount, explanation, "unit", minutes, note)

    def hours(self, minutes, rate, code, rule, **params) -> Priced:
        if minutes < 0:
            return self.nothing("ask", "ask_duration")
        billed = billed_minutes(minutes, rule)
        return self.line(
            billed / 60, rate, code, "hour", then=_time_note(minutes, billed, rule), **params
        )

    def share(self, share: Share) -> Priced:
        amount = round_half_up(share.amount, self.digits, self.step)
        explanation = Explanation("price_share", {"total": share.total, "count": share.count})
        return Priced("priced", ONE, amount, amount, explanation)

    def nothing(self, outcome, code, **params) -> Priced:
        zero = round_half_up(ZERO, self.digits)
        return Priced(outcome, ONE, zero, zero, Explanation(code, params))


def _time_note(minutes, billed, rule) -> Explanation | None:
    """Return why the billed time differs from the duration, or None."""
    if billed == minutes:
        return None
    real = time_text(minutes)
    if rule.minimum and billed == rule.minimum:
        return Explanation("time_minimum", {"real": real, "minimum": rule.minimum})
    return Explanation(f"time_{rule.rounding}", {"real": real, "step": rule.step})


def _usable(price) -> bool:
    if isinstance(price, float):
        raise TypeError("a price is a Decimal: convert floats with decimal_of()")
    return price is not None and Decimal(price).is_finite() and price >= 0


def _by_rule(price_type, price, minutes, rule, money, list_price, list_unit) -> Priced:
    kind = rule.kind
    if kind == "bookings":
        return _by_type(price_type, price, minutes, rule, money)
    if kind == "free":
        return money.nothing("free", "price_free_rule")
    if kind == "ask":
        return money.nothing("ask", "ask_rule")
    if kind == "pricelist":
        return _by_list(list_price, list_unit, minutes, rule, money)
    if kind == "hourly" and rule.price is None:
        return _by_type(price_type, price, minutes, rule, money)
    if not _usable(rule.price):
        return money.nothing("ask", "ask_no_price")
    if kind == "fixed":
        return money.line(1, rule.price, "price_fixed_rule")
    return money.hours(minutes, rule.price, "price_hourly_rule", rule)


def _by_list(list_price, list_unit, minutes, rule, money) -> Priced:
    """Price by the payer's pricelist, per hour or per piece."""
    if not _usable(list_price):
        return money.nothing("ask", "ask_no_list_price")
    if list_unit == "hour":
        return money.hours(minutes, list_price, "price_hourly_list", rule)
    if list_unit == "unit":
        return money.line(1, list_price, "price_list")
    return money.nothing("ask", "ask_list_unit", unit=list_unit)


def _by_type(price_type, price, minutes, rule, money) -> Priced:
    """Price as in Bookings. An hourly rule without a price uses the price in Bookings as its rate."""
    if price_type == "free":
        return money.nothing("free", "price_free")
    if price_type not in ("fixedPrice", "hourly"):
        kind = price_type if price_type in PRICE_TYPES else "unknown"
        params = {"price": price if _usable(price) else ZERO} if kind == "startingAt" else {}
        return money.nothing("ask", f"ask_{kind}", **params)
    if not _usable(price):
        return money.nothing("ask", "ask_no_price")
    if price_type == "fixedPrice" and rule.kind != "hourly":
        return money.line(1, price, "price_fixed")
    return money.hours(minutes, price, "price_hourly", rule)


def _by_hand(found, manual, minutes, rule, money) -> Priced:
    """Apply the manual price and quantity, in the unit for which they were entered."""
    given = [value for value in (manual.price, manual.quantity) if value is not None]
    if not all(map(_usable, given)):
        raise ValueError("a manual price or quantity cannot be negative")
    unit = manual.unit or found.unit
    rate = _rate_of(found, unit) if manual.price is None else manual.price
    if rate is None:
        return money.nothing("ask", "ask_hours_by_hand")
    before = None
    if found.outcome == "priced":
        shown = {"quantity": found.quantity, "price": found.price_unit}
        before = Explanation("price_before", shown)
    who = {"by": manual.by, "on": manual.on}
    if unit == "hour":
        if manual.quantity is None and minutes < 0:
            return money.nothing("ask", "ask_duration")
        hours = billed_minutes(minutes, rule) / 60 if manual.quantity is None else manual.quantity
        return money.line(hours, rate, "price_manual_hours", "hour", then=before, **who)
    quantity = ONE if manual.quantity is None else manual.quantity
    return money.line(quantity, rate, "price_manual", then=before, count=quantity, **who)


def _rate_of(found: Priced, unit: str) -> Decimal | None:
    """Return the price per ``unit``, or None for ``hour`` if the price is no longer hourly."""
    if unit == "hour":
        return found.explanation.params["price"] if found.minutes is not None else None
    return found.amount if found.unit == "hour" else found.price_unit
