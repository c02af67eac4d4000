"""What a POST or PATCH of a customer or service says, checked as Bookings checks it and in the words of the sandbox.

``values`` have the names and shapes of the Graph resource types bookingCustomer and bookingService. Only these are taken:

bookingCustomer   displayName, emailAddress, phones, addresses
bookingService    displayName, defaultPrice, defaultPriceType, defaultDuration, description
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from . import catalogue

TYPE = "@odata.type"
PRICE_TYPES = (
    "undefined",
    "fixedPrice",
    "startingAt",
    "hourly",
    "free",
    "priceVaries",
    "callUs",
    "notSet",
)
PHONE_TYPES = (
    *("home", "business", "mobile", "other", "assistant"),
    *("homeFax", "businessFax", "otherFax", "pager", "radio"),
)
_ADDRESS = ("street", "city", "state", "countryOrRegion", "postalCode")
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)
_TEXTS = {"displayName", "emailAddress", "description"}
_CUSTOMER = {"displayName", "emailAddress", "phones", "addresses"}
_SERVICE = {"displayName", "defaultPrice", "defaultPriceType", "defaultDuration", "description"}


class ChangeError(ValueError):
    """A change that this tenant cannot make; the text says which one and why."""


class ShapeError(ChangeError):
    """Values with names or types that Graph's schema does not have. Graph says so, with a code and a text."""


def card_of(values, new: bool = False) -> dict:
    """The given properties of a customer as Graph writes them.

    Raises ShapeError for wrong names and types, and ChangeError for what Bookings does not accept.
    """
    card = _checked(values, _CUSTOMER, "bookingCustomer")
    if not (card.get("displayName") or "").strip() and (new or "displayName" in card):
        raise ChangeError("a customer has a displayName")
    if "@" not in (card.get("emailAddress") or "@"):
        raise ChangeError("the emailAddress is not one")
    if "phones" in card:
        card["phones"] = [_phone(item) for item in _objects(card, "phones")]
    if "addresses" in card:
        card["addresses"] = [_address(item) for item in _objects(card, "addresses")]
    return card


def lists_of(card: dict) -> dict:
    """The collections of a customer: what :func:`person_of` keeps one of only."""
    return {name: card[name] for name in ("phones", "addresses") if name in card}


def person_of(person: catalogue.Person, card: dict) -> catalogue.Person:
    """The customer as appointments show it, after the card was written."""
    changed = {}
    if "displayName" in card:
        changed["name"] = card["displayName"]
    if "emailAddress" in card:
        changed["email"] = card["emailAddress"]
    if "phones" in card:
        numbers = [item["number"] for item in card["phones"] if item["number"]]
        changed["phone"] = numbers[0] if numbers else ""
    if "addresses" in card:
        where = next((one for one in card["addresses"] if any(one.values())), {})
        changed |= {
            name: where.get(key) or ""
            for name, key in zip(
                ("street", "city", "state", "country", "postcode"), _ADDRESS, strict=True
            )
        }
    return person._replace(**changed)


def offer_of(values, new: bool = False) -> dict:
    """The given properties of a service: name, price (Decimal), price_type, minutes, description. Raises as card_of."""
    given, offer = _checked(values, _SERVICE, "bookingService"), {}
    if not (given.get("displayName") or "").strip() and (new or "displayName" in given):
        raise ChangeError("a service has a displayName")
    if "displayName" in given:
        offer["name"] = given["displayName"]
    if "description" in given:
        offer["description"] = given["description"]
    if "defaultPrice" in given:
        price = given["defaultPrice"]
        if isinstance(price, bool) or not isinstance(price, int | float):
            raise ShapeError("Cannot convert a value to target type 'Edm.Double'.")
        if not 0 <= price < 10**12:
            raise ChangeError("the defaultPrice is not a price")
        offer["price"] = Decimal(repr(price))
    if "defaultPriceType" in given:
        if given["defaultPriceType"] not in PRICE_TYPES:
            raise ShapeError("Cannot convert a value to 'bookingPriceType'.")
        offer["price_type"] = given["defaultPriceType"]
    if "defaultDuration" in given:
        offer["minutes"] = _minutes(given["defaultDuration"])
    return offer


def _checked(values, names: set, kind: str) -> dict:
    if not isinstance(values, Mapping):
        raise ShapeError("values are a JSON object.")
    for name, value in values.items():
        if name not in names:
            raise ShapeError(f"The property '{name}' cannot be written on type '{kind}'.")
        if name in _TEXTS and not isinstance(value, str | None):
            raise ShapeError("Cannot convert a value to target type 'Edm.String'.")
    return dict(values)


def _objects(card: dict, name: str) -> list:
    items = card[name]
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ShapeError(f"'{name}' is a collection of objects.")
    for item in items:
        texts = [value for key, value in item.items() if key != TYPE]
        if not all(isinstance(text, str | None) for text in texts):
            raise ShapeError("Cannot convert a value to target type 'Edm.String'.")
    return items


def _phone(item: dict) -> dict:
    if item.get("type") not in (None, *PHONE_TYPES):
        raise ShapeError("Cannot convert a value to 'phoneType'.")
    empty = {"number": None, "type": None, "language": None, "region": None}
    return empty | {name: item[name] for name in empty if name in item}


def _address(item: dict) -> dict:
    """Without the type, which v1.0 takes and forgets."""
    return {name: item.get(name) or "" for name in _ADDRESS}


def _minutes(text) -> int:
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if not match:
        raise ShapeError("Cannot convert a value to target type 'Edm.Duration'.")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = days * 1440 + hours * 60 + minutes
    if seconds or not 0 < total <= 1440:
        raise ChangeError("the defaultDuration is 1 to 1440 whole minutes")
    return total
