"""Compare the rehearsed amounts of a past month with the posted ones, by payer and with a probable cause.

All amounts are ``Decimal`` on the same basis (with or without tax) in the same currency. Causes are codes with
parameters, which the caller converts to text.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

VERDICTS = ("same", "different", "only_ours", "only_theirs")
ZERO = Decimal(0)
# A discount is a whole number of percent. The rest of the difference is rounding.
LARGEST_DISCOUNT = 75


@dataclass(frozen=True)
class Ours:
    """The rehearsed amounts of a payer.

    ``bookings``: (name, amount) of each. ``undecided``: number of bookings without a price. ``invoices``: number of
    invoices. ``known``: whether the payer is a customer in Odoo. ``asked``: number of bookings that are not billed before
    it is known who came; ``bookings`` includes them as attended.
    """

    payer: Hashable
    name: str
    bookings: tuple[tuple[str, Decimal], ...] = ()
    undecided: int = 0
    invoices: int = 0
    known: bool = True
    asked: int = 0

    @property
    def amount(self) -> Decimal:
        return sum((amount for _name, amount in self.bookings), ZERO)


@dataclass(frozen=True)
class Theirs:
    """The posted amounts of a payer in the month.

    ``lines``: (text, amount, whether it is of a service's product) of each, negative for credit notes. ``other_basis``:
    total with tax if ``lines`` are without, or vice versa. ``nearby``: (invoice, amount) of the adjacent months.
    """

    payer: Hashable
    name: str
    lines: tuple[tuple[str, Decimal, bool], ...] = ()
    other_basis: Decimal = ZERO
    invoices: tuple[str, ...] = ()
    nearby: tuple[tuple[str, Decimal], ...] = ()

    @property
    def amount(self) -> Decimal:
        return sum((amount for _text, amount, _mapped in self.lines), ZERO)


class Row(NamedTuple):
    """The result for a payer: verdict, both amounts, ours less theirs, the cause as code and parameters, and ``asked``."""

    payer: Hashable
    name: str
    verdict: str
    ours: Decimal
    theirs: Decimal
    difference: Decimal
    cause: str = ""
    params: dict = {}
    asked: int = 0


def compare(
    ours: Iterable[Ours], theirs: Iterable[Theirs], unit: Decimal = Decimal("0.01")
) -> list[Row]:
    """Return the rows in order of verdict (what to check first), then by the size of the difference.

    :param unit: the smallest amount of the currency; smaller differences are ignored

    >>> [row.verdict for row in compare([Ours(7, "Ann", (("Massage", Decimal(50)),))], [])]
    ['only_ours']
    """
    ours = {one.payer: one for one in ours}
    theirs = {one.payer: one for one in theirs}
    payers = [payer for payer in {**ours, **theirs} if payer in ours or theirs[payer].lines]
    rows = [_row(ours.get(payer), theirs.get(payer), unit) for payer in payers]
    order = {"different": 0, "only_ours": 1, "only_theirs": 2, "same": 3}
    return sorted(rows, key=lambda row: (order[row.verdict], -abs(row.difference), row.name))


def _row(ours, theirs, unit):
    """Return the row of a payer of at least one side. Without lines, the payer counts as not billed."""
    name = (ours or theirs).name
    payer = (ours or theirs).payer
    mine = ours.amount if ours else ZERO
    posted = theirs.amount if theirs and theirs.lines else ZERO
    gap = mine - posted
    if not theirs or not theirs.lines:
        verdict = "only_ours"
    elif not ours:
        verdict = "only_theirs"
    else:
        verdict = "same" if abs(gap) < unit and not ours.undecided else "different"
    cause, params = _CAUSES[verdict](ours, theirs, gap, unit)
    return Row(payer, name, verdict, mine, posted, gap, cause, params, ours.asked if ours else 0)


def _cause_only_ours(ours, theirs, gap, unit):
    if not ours.known:
        return "unknown_customer", {}
    for invoice, amount in theirs.nearby if theirs else ():
        if abs(amount - ours.amount) < unit:
            return "other_month", {"invoice": invoice}
    if ours.undecided and not ours.bookings:
        return "undecided", {"count": ours.undecided}
    return "never_invoiced", {"count": len(ours.bookings)}


def _cause_only_theirs(ours, theirs, gap, unit):
    if not any(mapped for _text, _amount, mapped in theirs.lines):
        return "other_products", {"invoices": ", ".join(theirs.invoices)}
    return "no_appointment", {"invoices": ", ".join(theirs.invoices)}


def _cause_different(ours, theirs, gap, unit):
    """Return the first cause that explains the difference."""
    for find in (_tax, _other_products, _one_booking, _other_month, _discount):
        found = find(ours, theirs, gap, unit)
        if found:
            return found
    if ours.undecided:
        return "undecided", {"count": ours.undecided}
    if len(ours.bookings) != len(theirs.lines):
        return "count", {"bookings": len(ours.bookings), "lines": len(theirs.lines)}
    return "prices", {}


def _tax(ours, theirs, gap, unit):
    if theirs.other_basis != theirs.amount and abs(ours.amount - theirs.other_basis) < unit:
        return "tax", {}
    return None


def _other_products(ours, theirs, gap, unit):
    other = sum((amount for _text, amount, mapped in theirs.lines if not mapped), ZERO)
    if other and any(mapped for _t, _a, mapped in theirs.lines) and abs(gap + other) < unit:
        return "also_other_products", {"amount": other}
    return None


def _one_booking(ours, theirs, gap, unit):
    for name, amount in ours.bookings:
        if gap > 0 and amount and abs(amount - gap) < unit:
            return "missing_there", {"booking": name}
    for text, amount, _mapped in theirs.lines:
        if gap < 0 and abs(amount + gap) < unit:
            return "missing_here", {"line": text}
    return None


def _other_month(ours, theirs, gap, unit):
    for invoice, amount in theirs.nearby:
        if gap > 0 and abs(amount - gap) < unit:
            return "other_month", {"invoice": invoice}
    return None


def _discount(ours, theirs, gap, unit):
    if gap <= 0 or theirs.amount <= 0:
        return None
    percent = round(100 * gap / ours.amount)
    off = ours.amount * percent / 100
    if 0 < percent <= LARGEST_DISCOUNT and abs(off - gap) <= unit * max(len(ours.bookings), 1):
        return "discount", {"percent": percent}
    return None


_CAUSES = {
    "same": lambda ours, theirs, gap, unit: ("", {}),
    "different": _cause_different,
    "only_ours": _cause_only_ours,
    "only_theirs": _cause_only_theirs,
}
