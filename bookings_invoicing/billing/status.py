"""Determine the status of a booking and the first reason why it needs attention.

Precedence: a live line > not billable > cancelled > upcoming > attention > ready.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

STATUSES = (
    ("upcoming", "Upcoming"),
    ("ready", "Ready"),
    ("attention", "Needs Attention"),
    ("drafted", "Drafted"),
    ("invoiced", "Invoiced"),
    ("not_billable", "Not Billable"),
    ("cancelled", "Canceled"),
)
# In order of precedence: the first one found is displayed, because users must resolve it first.
ATTENTION_REASONS = (
    ("no_attendee", "No Attendee"),
    ("no_customer", "No Customer"),
    ("payer_archived", "Payer Archived"),
    ("ambiguous_customer", "Several Customers Match"),
    ("no_product", "No Product"),
    ("price_to_decide", "Price Missing"),
    ("currency", "Currency Inactive or Not the Journal's"),
    ("journal", "No Usable Journal"),
    ("account", "No Income Account"),
    ("no_tax", "No Tax"),
    ("lock_date", "Date in a Locked Period"),
    ("credited", "Credited"),
    ("removed_after", "Removed After It Took Place"),
    ("label", "Label Needs a Decision"),
    ("attendance", "Attendance Unknown"),
    ("address", "Address Incomplete"),
    ("vat", "Tax ID Missing"),
    ("e_invoice", "E-Invoice Details Missing"),
    ("e_invoice_tax", "Tax Lacks E-Invoice Details"),
)
NOT_BILLABLE_REASONS = (
    ("free", "Free of Charge"),
    ("billed_elsewhere", "Billed Elsewhere"),
    ("label", "Label"),
    ("no_show", "No-Show"),
    ("waived", "Waived"),
    ("duplicate", "Duplicate"),
    ("other", "Other"),
)
# Status of a booking by the state of its live line. Glue modules add their states.
LINE_STATUS = {"draft": "drafted", "posted": "invoiced"}
# Statuses of bookings on a document: facts, price, and payer do not change. "ordered" comes with
# the flow by sales orders.
BILLED = ("ordered", "drafted", "invoiced")
_RANK = {key: rank for rank, (key, _label) in enumerate(ATTENTION_REASONS)}


@dataclass(frozen=True)
class BookingFacts:
    """The facts that determine a status. All times are naive UTC, or all are aware.

    ``live_line``: None, ``draft``, ``posted``, or another key of ``line_status``. ``cancelled``: whether it was removed
    before its start. ``removed_after``: whether it was removed after its start. ``credited``: whether it was billed and
    credited to zero. ``charge_fee``: whether a cancellation is billed with a fee. ``blockers``: keys of
    :data:`ATTENTION_REASONS`.
    """

    stop: datetime
    now: datetime
    bill_after: timedelta = timedelta(0)
    live_line: str | None = None
    not_billable_reason: str | None = None
    cancelled: bool = False
    removed_after: bool = False
    credited: bool = False
    charge_fee: bool = False
    price_to_decide: bool = False
    blockers: Collection[str] = field(default=())


class Status(NamedTuple):
    """The status, the first reason ("" unless it needs attention), and all reasons in order of precedence."""

    status: str
    reason: str = ""
    reasons: tuple[str, ...] = ()


def sort_reasons(reasons: Collection[str]) -> tuple[str, ...]:
    """Return reasons without duplicates in order of precedence, and unknown ones (of glue modules) last, by name.

    >>> sort_reasons(["no_tax", "no_customer", "no_tax"])
    ('no_customer', 'no_tax')
    """
    return tuple(sorted(set(reasons), key=lambda key: (_RANK.get(key, len(_RANK)), key)))


def billable_from(stop: datetime, bill_after: timedelta = timedelta(0)) -> datetime:
    """Return the time from which a booking is no longer upcoming."""
    return stop + bill_after


def status_of(facts: BookingFacts, line_status: dict[str, str] | None = None) -> Status:
    """Return the status of a booking by precedence.

    >>> ended = datetime(2026, 2, 3, 10)
    >>> status_of(BookingFacts(ended, now=ended)).status
    'ready'
    >>> status_of(BookingFacts(ended, now=ended, blockers=["no_tax", "no_product"]))
    Status(status='attention', reason='no_product', reasons=('no_product', 'no_tax'))
    """
    if facts.live_line:
        return Status((line_status or LINE_STATUS)[facts.live_line])
    if facts.not_billable_reason:
        return Status("not_billable")
    if facts.cancelled and not facts.charge_fee:
        return Status("cancelled")
    if facts.now < billable_from(facts.stop, facts.bill_after):
        return Status("upcoming")
    reasons = set(facts.blockers)
    for flag in ("price_to_decide", "credited", "removed_after"):
        if getattr(facts, flag):
            reasons.add(flag)
    reasons = sort_reasons(reasons)
    if reasons:
        return Status("attention", reasons[0], reasons)
    return Status("ready")


def automatic_reason(
    day: date, bill_from: date | None, free: bool, label_reason: str | None = None
) -> str | None:
    """Return why a booking is automatically not billable, or None. A user's own reason takes precedence.

    :param day: the service date, see :func:`.period.service_day`

    >>> automatic_reason(date(2026, 1, 31), date(2026, 2, 1), free=True)
    'billed_elsewhere'
    """
    if bill_from is not None and day < bill_from:
        return "billed_elsewhere"
    return label_reason or ("free" if free else None)
