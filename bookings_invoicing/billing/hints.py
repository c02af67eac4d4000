"""Hints: what users should check before drafts are created.

Hints block nothing, but automatic drafts do not include bookings with a hint. Each function takes plain values and
returns :class:`~.sentences.Explanation` objects with codes that start with ``hint_``.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import median
from typing import NamedTuple

from .money import ZERO, exact
from .period import elapsed
from .price import minutes_of, time_text
from .sentences import Explanation

USUAL_SAMPLE = 3
LONG_FACTOR = 3
HIGH_FACTOR = 3

# Something may be wrong. The other hints are worth knowing and true of many right invoices.
SERIOUS = frozenset(
    f"hint_{name}"
    for name in (
        "zero_usually",
        "high",
        "long",
        "no_time",
        "attendance",
        "was_billed",
        "invoiced",
        "double",
        "overlap",
        "limit",
        "no_country",
        "no_rate",
        "tax_taken_off",
    )
)


class Told(NamedTuple):
    """A hint in the reader's language, whether something may be wrong, and its text for a narrow column."""

    text: str
    serious: bool
    short: str = ""


def ranked(told: Iterable[Told]) -> list[Told]:
    """Return each hint once, serious ones first.

    >>> [one.text for one in ranked([Told("first", False), Told("twice", True), Told("first", False)])]
    ['twice', 'first']
    """
    return sorted(dict.fromkeys(told), key=lambda one: not one.serious)


@dataclass(frozen=True)
class HintFacts:
    """The facts of a booking that determine its hints.

    ``person``: ID of the attendee that is the same in all setups, or None if unknown. ``bookings_free``: whether the price
    in Bookings is free or 0.00. ``changed_late``: whether it was changed after it took place. ``ask_attendance``: whether
    unknown attendance is a hint. ``was_billed``: whether it was on a posted invoice. ``invoiced_on``: number of a posted
    invoice without bookings that bills this product and date to the payer.
    """

    id: Hashable
    person: Hashable
    service: Hashable
    start: datetime
    stop: datetime
    amount: Decimal
    setup: Hashable = None
    attendance: str = "unknown"
    ask_attendance: bool = False
    bookings_free: bool = False
    changed_late: bool = False
    was_billed: bool = False
    invoiced_on: str = ""

    @property
    def duration(self) -> timedelta:
        return elapsed(self.start, self.stop)


@dataclass(frozen=True)
class Usual:
    """Median amount and minutes of a service's past bookings, and the number of these bookings."""

    amount: Decimal = ZERO
    minutes: Fraction = Fraction(0)
    count: int = 0


def usual_of(bookings: Iterable[HintFacts]) -> Usual:
    """Return the usual amount and time of a service. They are medians, so that a single unusual booking has no effect.

    >>> day = datetime(2026, 2, 3, 9)
    >>> past = [HintFacts(n, 1, 1, day, day + timedelta(minutes=m), Decimal(a))
    ...         for n, (m, a) in enumerate([(30, 60), (30, 60), (240, 480)])]
    >>> usual_of(past)
    Usual(amount=Decimal('60'), minutes=Fraction(30, 1), count=3)
    """
    bookings = list(bookings)
    if not bookings:
        return Usual()
    return Usual(
        median(booking.amount for booking in bookings),
        median(minutes_of(booking.duration) for booking in bookings),
        len(bookings),
    )


def booking_hints(booking: HintFacts, usual: Usual | None = None) -> list[Explanation]:
    """Return the hints for a single booking.

    ``usual`` is ignored if it comes from fewer than three bookings.

    >>> day = datetime(2026, 2, 3, 9)
    >>> odd = HintFacts(1, 7, 3, day, day + timedelta(hours=2), Decimal("0.00"))
    >>> [hint.code for hint in booking_hints(odd, Usual(Decimal(60), Fraction(30), 12))]
    ['hint_zero_usually', 'hint_long']
    """
    found = []
    known = usual is not None and usual.count >= USUAL_SAMPLE
    if booking.amount == 0:
        if not known:
            found.append(Explanation("hint_zero"))
        elif usual.amount > 0:
            found.append(Explanation("hint_zero_usually", {"usual": usual.amount}))
    elif booking.bookings_free:
        found.append(Explanation("hint_free_in_bookings", {"amount": booking.amount}))
    minutes = minutes_of(booking.duration)
    if known and usual.minutes > 0 and minutes >= LONG_FACTOR * usual.minutes:
        params = {"time": time_text(minutes), "usual_time": time_text(usual.minutes)}
        found.append(Explanation("hint_long", params))
    elif known and usual.amount > 0 and booking.amount >= HIGH_FACTOR * usual.amount:
        params = {"amount": booking.amount, "usual": usual.amount}
        found.append(Explanation("hint_high", params))
    if minutes <= 0:
        found.append(Explanation("hint_no_time"))
    if attendance := _attendance_hint(booking):
        found.append(attendance)
    return found + _history_hints(booking)


def _history_hints(booking):
    found = []
    if booking.changed_late:
        found.append(Explanation("hint_changed_late"))
    if booking.was_billed:
        found.append(Explanation("hint_was_billed"))
    if booking.invoiced_on:
        found.append(Explanation("hint_invoiced", {"name": booking.invoiced_on}))
    return found


def _attendance_hint(booking):
    if booking.attendance in ("no_show", "late_cancel"):
        return Explanation(f"hint_{booking.attendance}")
    if booking.attendance == "unknown" and booking.ask_attendance:
        return Explanation("hint_attendance")
    return None


def overlaps(bookings: Iterable[HintFacts]) -> dict[Hashable, list[Explanation]]:
    """Return the hints for bookings of one person that overlap or are duplicates: ``{booking id: hints}``.

    Consecutive bookings do not overlap. ``hint_double``: same start, end, and service, or same start and end in another
    setup; otherwise ``hint_overlap``. Bookings of unknown persons are ignored.

    >>> day = datetime(2026, 2, 3, 9)
    >>> look = lambda id, start, stop: HintFacts(id, 7, 3, day.replace(hour=start),
    ...                                            day.replace(hour=stop), Decimal(60))
    >>> sorted(overlaps([look(1, 9, 11), look(2, 10, 12), look(3, 12, 13)]))
    [1, 2]
    """
    people: dict[Hashable, list[HintFacts]] = {}
    for booking in bookings:
        if booking.person is not None and booking.start < booking.stop:
            people.setdefault(booking.person, []).append(booking)
    found: dict[Hashable, list[Explanation]] = {}
    for theirs in people.values():
        theirs.sort(key=lambda booking: (booking.start, booking.stop, str(booking.id)))
        running: list[HintFacts] = []
        for booking in theirs:
            running = [other for other in running if other.stop > booking.start]
            for other in running:
                for one, two in ((booking, other), (other, booking)):
                    found.setdefault(one.id, []).append(_overlap(one, two))
            running.append(booking)
    return found


def _overlap(one: HintFacts, two: HintFacts) -> Explanation:
    same = (one.start, one.stop, one.service) == (two.start, two.stop, two.service)
    same_hours = one.setup != two.setup and (one.start, one.stop) == (two.start, two.stop)
    return Explanation("hint_double" if same or same_hours else "hint_overlap")


@dataclass(frozen=True)
class InvoiceLook:
    """An invoice as the preview will make it. Moneys are in its currency, with tax.

    ``credit``: what the payer has paid or was credited and is not applied yet; ``down_payment``:
    an open one exists; ``draft``: the name of a draft that could take the lines; ``old_months``: names
    of months of service before last month. ``untaxed``: services given on the spot whose tax the fiscal
    ``position`` takes off. ``no_country``: the payer has none, and it decides the tax. ``no_rate``: the
    currency, where Odoo knows no rate of it and would book it one to one.
    """

    total: Decimal
    first: bool = False
    credit: Decimal = ZERO
    down_payment: bool = False
    draft: str = ""
    limit: Decimal | None = None
    old_months: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()
    position: str = ""
    untaxed: tuple[str, ...] = ()
    no_country: bool = False
    no_rate: str = ""


def invoice_hints(invoice: InvoiceLook) -> list[Explanation]:
    """Return the hints for an invoice and its payer.

    >>> [str(hint) for hint in invoice_hints(InvoiceLook(Decimal("120.00"), first=True))]
    ['This is the first invoice to this payer.']
    """
    found = _payer_hints(invoice)
    if invoice.credit > 0:
        found.append(Explanation("hint_credit", {"credit": invoice.credit}))
    if invoice.down_payment:
        found.append(Explanation("hint_down_payment"))
    if invoice.draft:
        found.append(Explanation("hint_draft", {"name": invoice.draft}))
    if invoice.limit is not None and exact(invoice.total) > exact(invoice.limit):
        found.append(Explanation("hint_limit", {"total": invoice.total, "limit": invoice.limit}))
    if invoice.old_months:
        found.append(Explanation("hint_old_months", {"months": ", ".join(invoice.old_months)}))
    if invoice.no_rate:
        found.append(Explanation("hint_no_rate", {"currency": invoice.no_rate}))
    if invoice.untaxed:
        params = {"position": invoice.position, "services": ", ".join(invoice.untaxed)}
        found.append(Explanation("hint_tax_taken_off", params))
    return found


def _payer_hints(invoice):
    found = []
    if invoice.first:
        found.append(Explanation("hint_first"))
    if invoice.incomplete:
        fields = ", ".join(invoice.incomplete)
        found.append(Explanation("hint_incomplete", {"fields": fields}))
    if invoice.no_country:
        found.append(Explanation("hint_no_country"))
    return found
