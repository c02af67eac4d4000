"""What a booking costs: Graph's price type, the service's rule, the time, a person's word.

Rules (Graph ``bookingPriceType`` and ``bookingAppointment``, where ``price`` is
never null, so that 0.0 says nothing about *free*):

- a person's price or quantity wins over everything and is named with who and when;
- the rule of the service wins over the price type, ``bookings`` means: as Bookings says;
- nothing is guessed: what names no price has the outcome ``ask``.

The amount is ``quantity * price_unit`` rounded half up once. Hours that are not exact at the
database's unit precision would not multiply back to the agreed amount (20 minutes at 100.00 are
33.33, but 0.33 h are 33.00), so such a line is 1 x the amount, and :attr:`Priced.calculation` says
hours and rate for its text.
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
    """How a service is priced.

    ``price``: the fixed price or the rate per hour, for the kinds ``fixed`` and ``hourly`` (an
    hourly rule without one takes the price that Bookings names, if it names one, as the rate).
    ``rounding`` to ``step`` minutes and the ``minimum`` in minutes hold wherever hours are billed;
    the minimum is applied after the rounding.
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
    """One attendee's part of an appointment priced as a whole (see :func:`share_out`)."""

    amount: Decimal
    total: Decimal
    count: int


@dataclass(frozen=True)
class Manual:
    """What a person decided for one booking, kept over syncs.

    ``unit`` is the unit that the booking showed when the values were typed (``hour`` or ``unit``):
    a rate must not become a total because the appointment was moved. ``by`` and ``on`` are for the
    sentence.
    """

    price: Decimal | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    by: str = ""
    on: str = ""


@dataclass(frozen=True)
class Priced:
    """The outcome: ``priced``, ``free`` or ``ask`` (then quantity is 1 and the money 0).

    ``unit``: ``hour`` (quantity = hours, price_unit = rate) or ``unit``. ``minutes``: the time
    billed, where time was. ``calculation``: hours and rate to be added to the line's text where the
    quantity does not say them.
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
    """Exact minutes of a timedelta, or of a number that already counts minutes.

    >>> minutes_of(timedelta(hours=1, seconds=30))
    Fraction(121, 2)
    """
    if isinstance(duration, timedelta):
        return Fraction(duration // timedelta(microseconds=1), 60_000_000)
    return exact(duration)


def billed_minutes(minutes: Number, rule: PriceRule) -> Fraction:
    """The minutes to bill after rounding and minimum.

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
    """A unit's size in hours or pieces, exactly: Odoo keeps a minute as 0.0166667 hours.

    >>> size_of_unit(0.0166667), size_of_unit(8.0), size_of_unit(7.4)
    (Fraction(1, 60), Fraction(8, 1), Fraction(37, 5))
    """
    near = Fraction(factor).limit_denominator(10_000)
    return near if abs(near - Fraction(factor)) <= near / 100_000 else Fraction(factor)


def list_quantity(
    minutes: timedelta | Number, rule: PriceRule, list_unit: str, manual: Manual | None = None
) -> Fraction:
    """For how many hours or pieces a price list is asked: what will be billed.

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
    """Hours and minutes in a form that needs no translation.

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
    """Price one booking; money in the business's currency, on whichever tax basis it is kept there.

    ``minutes``: the time it took, a timedelta or a number of minutes. ``unit_digits``: decimals of
    Odoo's *Product Unit*. ``list_price`` is the payer's price list price per ``list_unit``:
    ``hour``, ``unit``, or the name of a unit that converts to neither. ``manual_price`` and
    ``manual_quantity`` are short for ``manual``. Raise ``TypeError`` for floats.

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
    """The precisions of one database and currency, and lines made with them."""

    unit_digits: int
    digits: int
    step: Decimal | None

    def line(self, quantity, rate, code, unit="unit", minutes=None, then=None, **params) -> Priced:
        """``quantity`` (a rational) times ``rate``; 1 x amount where the quantity is not exact."""
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
    """Say why the time billed is not the time it took."""
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
    """By the payer's price list, per hour or per piece."""
    if not _usable(list_price):
        return money.nothing("ask", "ask_no_list_price")
    if list_unit == "hour":
        return money.hours(minutes, list_price, "price_hourly_list", rule)
    if list_unit == "unit":
        return money.line(1, list_price, "price_list")
    return money.nothing("ask", "ask_list_unit", unit=list_unit)


def _by_type(price_type, price, minutes, rule, money) -> Priced:
    """As Bookings says; an hourly rule without a price takes that of Bookings as its rate."""
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
    """A person's price and quantity over what was found, in the unit they were typed for."""
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
    """The price found per ``unit``; ``None`` per hour where the price is not hourly any more."""
    if unit == "hour":
        return found.explanation.params["price"] if found.minutes is not None else None
    return found.amount if found.unit == "hour" else found.price_unit
