"""Labels as instructions, attendance, and the fees for those who did not come.

Staff stamp a label on an appointment in Bookings (Graph ``appointmentLabel``); a rule table of the
setup turns it into an outcome. Fees are an amount or a share of the booking's own price; what is
not known is never charged.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from .matching import name_key
from .money import ONE, ZERO, decimal_of, exact, round_half_up
from .price import Priced
from .sentences import Explanation

MATCHES = ("exact", "contains")
OUTCOMES = ("not_billable", "no_show", "free", "fee", "payer", "attention")
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


@dataclass(frozen=True)
class LabelRule:
    """One row of the rule table; ``reason``, ``fee``, ``payer`` (id) belong to their outcomes."""

    text: str
    outcome: str
    match: str = "exact"
    reason: str = "label"
    fee: Fee | None = None
    payer: int | None = None
    note: str = ""

    def __post_init__(self):
        if self.match not in MATCHES or self.outcome not in OUTCOMES:
            raise ValueError(f"unknown label rule: {self.match}/{self.outcome}")
        if (self.outcome == "fee" and not self.fee) or (self.outcome == "payer" and not self.payer):
            raise ValueError(f"the outcome {self.outcome} needs its value")


def rule_for(label: str | None, rules: Iterable[LabelRule]) -> LabelRule | None:
    """The first rule, in the order given, that the label meets; case and spaces do not count.

    A rule without text meets nothing, and neither does an appointment without a label.

    >>> rules = [LabelRule("No show", "no_show"), LabelRule("free", "free", match="contains")]
    >>> rule_for("  NO  SHOW", rules).outcome, rule_for("First one free!", rules).outcome
    ('no_show', 'free')
    >>> rule_for("No show, free", rules[:1]) is None
    True
    """
    label = name_key(label)
    if not label:
        return None
    for rule in rules:
        text = name_key(rule.text)
        if text and (label == text if rule.match == "exact" else text in label):
            return rule
    return None


def cancellation_timing(
    start: datetime,
    last_seen: datetime | None,
    missing_since: datetime | None,
    notice_hours: float | int,
) -> str:
    """Whether a cancellation came in time: ``kept``, ``in_time``, ``late`` or ``unsure``.

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
