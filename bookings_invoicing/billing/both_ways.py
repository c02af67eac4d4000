"""Three-way merge of the values that a customer or service has in Odoo and in Bookings.

A clock plays no part: what was last the same on both sides shows which side has changed since then.

>>> last = {"name": "Ann Lee", "phone": "12 34", "email": "ann@example.com"}
>>> merge(last, last | {"phone": "56 78"}, last | {"name": "Ann Poe"}).to_bookings
{'phone': '56 78'}
>>> merge(last, last | {"phone": "56 78"}, last | {"name": "Ann Poe"}).to_odoo
{'name': 'Ann Poe'}
"""

from collections.abc import Mapping
from typing import NamedTuple

from .matching import normalize_email

PREFER = ("odoo", "bookings", "ask")
NEVER_EMPTY = ("name",)


class Merge(NamedTuple):
    """What to do with each field that differs, as ``{field: value}``, and what is the same on both sides.

    ``conflicts`` are left as they are on both sides: ``{field: (value in Odoo, value in Bookings)}``.
    """

    to_bookings: dict
    to_odoo: dict
    conflicts: dict
    same: dict


def merge(last: Mapping | None, odoo: Mapping, bookings: Mapping, prefer: str = "odoo") -> Merge:
    """Merge field by field. A field that only one side has takes no part.

    :param last: what was last the same on both sides; a field that is missing there meets for the first time, and
        then an empty side takes the value of the other one
    :param prefer: what happens to a field that differs on both sides: one of PREFER

    >>> met = {"phone": "1"}
    >>> merge(None, {"phone": ""}, {"phone": "1"}), merge(met, {"phone": ""}, {"phone": "1"}).to_bookings
    (Merge(to_bookings={}, to_odoo={'phone': '1'}, conflicts={}, same={}), {'phone': ''})
    >>> [merge(met, {"phone": "2"}, {"phone": "3"}, prefer)[:3] for prefer in PREFER]
    [({'phone': '2'}, {}, {}), ({}, {'phone': '3'}, {}), ({}, {}, {'phone': ('2', '3')})]
    >>> merge(met, {"phone": "2"}, {"phone": "(2)"}, "ask").same
    {'phone': '2'}
    >>> merge({"name": "Ann"}, {"name": "Ann"}, {"name": ""})[:2]
    ({'name': 'Ann'}, {})
    """
    last, done = last or {}, Merge({}, {}, {}, {})
    for field in odoo:
        if field not in bookings:
            continue
        here, there = odoo[field], bookings[field]
        if is_same(field, here, there):
            done.same[field] = here
            continue
        side = _winner(field, last, here, there) or prefer
        if side == "odoo":
            done.to_bookings[field] = here
        elif side == "bookings":
            done.to_odoo[field] = there
        else:
            done.conflicts[field] = here, there
    return done


def is_same(field: str, one, other) -> bool:
    """Return whether two values mean the same: phone numbers without their signs, email addresses without case, and prices
    without the noise of floats.

    >>> is_same("phone", "+45 12-34", "451234"), is_same("email", "A@x.dk", "a@x.dk"), is_same("name", "ann", "Ann")
    (True, True, False)
    >>> is_same("address", {"street": "1  Way", "city": ""}, {"street": "1 Way"}), is_same("price", 41.8, 41.80000001)
    (True, True)
    """
    return _plain(field, one) == _plain(field, other)


def _winner(field, last, here, there):
    """Return the side whose value is to be taken, or "" if both have changed."""
    if field in NEVER_EMPTY and not (here and there):
        return "odoo" if here else "bookings"
    if field not in last:
        if _is_empty(here) or _is_empty(there):
            return "bookings" if _is_empty(here) else "odoo"
        return ""
    if is_same(field, there, last[field]):
        return "odoo"
    return "bookings" if is_same(field, here, last[field]) else ""


def _plain(field, value):
    if isinstance(value, Mapping):
        return {name: plain for name, one in value.items() if (plain := _plain(name, one))}
    if field == "price":
        return round(float(value or 0), 6)
    if field == "phone":
        return "".join(filter(str.isdigit, value or ""))
    if field == "email":
        return normalize_email(value) or " ".join((value or "").split()).casefold()
    return " ".join(value.split()) if isinstance(value, str) else value


def _is_empty(value):
    return not any(value.values()) if isinstance(value, Mapping) else not value
