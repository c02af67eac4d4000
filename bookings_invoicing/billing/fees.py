"""Fees of attendees who did not attend or canceled late: when a cancellation is late, and how much a fee is.

A fee is an amount or a percentage of the booking's own price. What is not known is never charged.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from .money import ONE, ZERO, decimal_of, exact, round_half_up
from .price import Priced
from .sentences import Explanation

FEE_KINDS = ("amount", "percent")
FEE_CAUSES = ("no_show", "late_cancel", "label")


@dataclass(frozen=True)
class Fee:
    """An ``amount`` in the business's currency or a ``percent`` (0-100) of the booking's amount."""

    kind: str
    value: Decimal

    def __post_init__(self):
        if self.kind not in FEE_KINDS or self.value < 0:
            raise ValueError(f"not a fee: {self.kind} {self.value}")
        if self.kind == "percent" and self.value > 100:
            raise ValueError("a fee is at most 100 percent of the price")


def fee_of(kind: str, value: float) -> Fee | None:
    """The fee that Odoo's fields state, or None where they state none.

    >>> fee_of("percent", 50.0), fee_of("none", 0.0)
    (Fee(kind='percent', value=Decimal('50.0')), None)
    """
    return Fee(kind, decimal_of(value)) if kind and kind != "none" else None


def cancellation_timing(
    start: datetime,
    last_seen: datetime | None,
    missing_since: datetime | None,
    notice_hours: float | int,
) -> str:
    """Return whether a cancellation came in time: ``kept``, ``in_time``, ``late`` or ``unsure``.

    It was still there at ``last_seen`` and was first missed at ``missing_since``; a sync sees no
    more than that. ``unsure``: the notice ran out between the two; treat it as in time, or ask.

    >>> start = datetime(2026, 2, 3, 10)
    >>> cancellation_timing(start, datetime(2026, 2, 2, 18), datetime(2026, 2, 3, 8), 24)
    'late'
    >>> cancellation_timing(start, datetime(2026, 2, 1), datetime(2026, 2, 3, 8), 24)
    'unsure'
    """
    if missing_since is None:
        return "kept"
    limit = start - timedelta(hours=notice_hours)
    if missing_since <= limit:
        return "in_time"
    if last_seen is not None and last_seen > limit:
        return "late"
    return "unsure"


def price_fee(
    fee: Fee,
    base: Priced,
    cause: str,
    currency_digits: int = 2,
    currency_step: Decimal | None = None,
) -> Priced:
    """The booking priced as a fee: 1 x the fee, whatever it would have cost.

    A percentage of a price that is still to be decided is to be decided itself; of a free booking
    it is zero.

    >>> from .price import price_booking
    >>> base = price_booking("fixedPrice", Decimal("85.00"), 60)
    >>> str(price_fee(Fee("percent", Decimal("50")), base, "no_show").explanation)
    'Fee for a no-show: 50 % of 85.00 = 42.50.'
    """
    if cause not in FEE_CAUSES:
        raise ValueError(f"unknown cause of a fee: {cause!r}")
    if fee.kind == "amount":
        amount = round_half_up(fee.value, currency_digits, currency_step)
        explanation = Explanation(f"fee_{cause}", {"amount": amount})
        return Priced("priced", ONE, amount, amount, explanation)
    if base.outcome == "ask":
        zero = round_half_up(ZERO, currency_digits)
        explanation = Explanation("fee_ask", {"percent": fee.value}, base.explanation)
        return Priced("ask", ONE, zero, zero, explanation)
    amount = round_half_up(
        exact(base.amount) * exact(fee.value) / 100, currency_digits, currency_step
    )
    params = {"percent": fee.value, "price": base.amount, "amount": amount}
    return Priced("priced", ONE, amount, amount, Explanation(f"fee_{cause}_percent", params))
