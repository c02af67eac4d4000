"""Determine which bookings share an invoice.

The grouping (:data:`GROUPINGS`) is a preference of the setup or payer. :class:`Split` is mandatory: bookings that differ
in one of its fields never share an invoice.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from .period import month_of, week_of

GROUPINGS = ("customer", "customer_month", "customer_week", "booking")


class Split(NamedTuple):
    """The values that always separate invoices: record IDs (or any hashable), and the purchase order reference as text.

    >>> Split(1, 7, 2, 3, reference=" PO  4711 ").normal().reference
    'PO 4711'
    """

    company: Hashable
    payer: Hashable
    currency: Hashable
    journal: Hashable
    fiscal_position: Hashable = None
    delivery_address: Hashable = None
    reference: str = ""

    def normal(self) -> "Split":
        """Return the same split with None for empty IDs and without extra spaces in the reference."""
        fields = [field or None for field in self[:-1]]
        return Split(*fields, reference=" ".join((self.reference or "").split()))


@dataclass(frozen=True)
class Item:
    """The facts of a booking for grouping. ``day`` is the service date, which determines month and week."""

    id: Hashable
    split: Split
    start: datetime
    day: date
    grouping: str = "customer"


@dataclass(frozen=True)
class Group:
    """A planned invoice: its key, the common values of its bookings, and the bookings in order of time."""

    key: tuple
    split: Split
    items: tuple[Item, ...]


def group_key(split: Split, grouping: str, day: date, booking_id: Hashable) -> tuple:
    """Return the key of a booking. Bookings with equal keys share an invoice and have an equal :class:`Split`.

    >>> split = Split(1, 7, 2, 3)
    >>> group_key(split, "customer_month", date(2026, 2, 3), 40)[1:]
    ('customer_month', '2026-02')
    """
    if grouping == "customer":
        part = ""
    elif grouping == "customer_month":
        part = month_of(day)
    elif grouping == "customer_week":
        part = week_of(day)
    elif grouping == "booking":
        part = booking_id
    else:
        raise ValueError(f"unknown grouping: {grouping!r}")
    return (split.normal(), grouping, part)


def group(items: Iterable[Item]) -> list[Group]:
    """Group bookings into invoices: lines in order of time, and invoices in order of their first line.

    The result does not depend on the order of the arguments.
    """
    groups: dict[tuple, list[Item]] = {}
    for item in sorted(items, key=lambda item: (item.start, str(item.id).zfill(20))):
        key = group_key(item.split, item.grouping, item.day, item.id)
        groups.setdefault(key, []).append(item)
    return [Group(key, key[0], tuple(members)) for key, members in groups.items()]


def can_join(draft: Split, split: Split) -> bool:
    """Return whether an existing draft could take the lines, because all fields of the splits are equal.

    >>> can_join(Split(1, 7, 2, 3), Split(1, 7, 2, 3, reference="PO 1"))
    False
    """
    return draft.normal() == split.normal()
