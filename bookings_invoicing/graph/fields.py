"""Functions that read single properties of records: texts, IDs, prices, and lists. For times, see ``times``.

Each takes a raw JSON object and the name of a property, and returns a clean value or raises RecordError with that name.
They run about forty times per appointment, so the usual case of each is only a few C calls.

Source: Graph resource pages of bookingAppointment and of the types it contains.
"""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from .errors import RecordError

LONGEST_ID, LONGEST_NAME, LONGEST_LINE, LONGEST_NOTE = 255, 255, 1000, 10_000
DEAREST = Decimal(10) ** 12
_MONEY_STEP = Decimal("0.000001")

_BIDI_AND_INVISIBLE = [
    0x061C,
    0x200B,
    0x200E,
    0x200F,
    0x2060,
    0xFEFF,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
]
_CONTROL = [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)]
_SURROGATES = range(0xD800, 0xE000)
_CLEANED = dict.fromkeys([*_CONTROL, *_BIDI_AND_INVISIBLE, *_SURROGATES])
_CLEANED |= {0x2028: "\n", 0x2029: "\n", 0x85: "\n"}

_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)

_NOTHING = {None: "", "": ""}
_lines: dict[str | None, str] = dict(_NOTHING)
_ids: set[str] = set()


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """Return text that is safe for any database, page, and log: NFC, without control characters except newline and tab,
    trimmed, and cut to ``longest`` characters.

    Surrogates and bidirectional overrides are removed. Joiners that scripts and emoji need remain.

    >>> clean(" Ada\\x00 \\u202egnp.exe "), clean("A\\u030angstr\\u00f6m")
    ('Ada gnp.exe', 'Ångström')
    """
    if not (text.isascii() and text.isprintable()):
        # cut generously before normalizing, because normalizing a megabyte of combining marks is quadratic
        text = text[: 4 * longest].replace("\r\n", "\n").replace("\r", "\n").translate(_CLEANED)
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
    return text.strip()[:longest].rstrip() if len(text) > longest else text.strip()


def _string(raw: dict, key: str) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if type(value) is not str:
        raise RecordError(key, "is not text")
    return value


def text(raw: dict, key: str, longest: int = LONGEST_NAME) -> str:
    """Return one line of text, or "" if it is missing or null."""
    value = raw.get(key)
    try:
        line = _lines.get(value)
    except TypeError:
        line = None
    if line is None:
        line = _line(value, key)
    return line if len(line) <= longest else line[:longest].rstrip()


def _line(value, key: str) -> str:
    if type(value) is not str:
        raise RecordError(key, "is not text")
    if value.isascii() and value.isprintable():
        line = value.strip()
    else:
        line = " ".join(clean(value, LONGEST_LINE).split())
    _lines[value] = line
    return line


def note(raw: dict, key: str, longest: int = LONGEST_NOTE) -> str:
    """Return text of several lines, or "" if it is missing or null."""
    value = raw.get(key)
    if value is None or value == "":
        return ""
    return clean(_string(raw, key), longest)


def identifier(raw: dict, key: str = "id", *, required: bool = True) -> str:
    """Return an ID exactly as sent, with at most 255 characters.

    A damaged ID is refused and never repaired, because a repaired one would identify another record.
    """
    value = raw.get(key)
    if not required and (value is None or value == ""):
        return ""
    return _identifier(value, key)


def _identifier(value, key: str) -> str:
    if type(value) is str and value:
        if value not in _ids:
            _ids.add(_sound(value, key))
        return value
    raise RecordError(key, "is missing" if value is None or value == "" else "is not text")


def usable_id(value) -> str:
    """Return ``value`` if it is an ID that can be requested and stored, else "".

    >>> usable_id("AAMk="), usable_id(""), usable_id("x" * 256), usable_id(None)
    ('AAMk=', '', '', '')
    """
    try:
        return _identifier(value, "id")
    except RecordError:
        return ""


def _sound(value: str, key: str) -> str:
    if len(value) > LONGEST_ID:
        raise RecordError(key, "is too long")
    if not value.isprintable() or value.strip() != value:
        raise RecordError(key, "contains characters that an ID cannot have")
    return value


def forget() -> None:
    """Empty the caches of the page just read: texts repeat within a page, but contain personal data that must not outlive
    it. The containers are replaced, so that other threads can still use the old ones.
    """
    global _lines, _ids
    _lines, _ids = dict(_NOTHING), set()


def identifiers(raw: dict, key: str) -> tuple[str, ...]:
    """Return a list of IDs without duplicates, or () if it is missing or null."""
    values = raw.get(key)
    if not values and (values is None or values == []):
        return ()
    if type(values) is not list:
        raise RecordError(key, "is not a list")
    return tuple(dict.fromkeys([_identifier(value, key) for value in values]))


def objects(raw: dict, key: str) -> list[dict]:
    """Return a list of objects, or [] if it is missing or null."""
    values = raw.get(key)
    if values is None:
        return []
    if type(values) is list:
        for value in values:
            if type(value) is not dict:
                break
        else:
            return values
    raise RecordError(key, "is not a list of objects")


def obj(raw: dict, key: str) -> dict:
    """Return an object, or {} if it is missing or null."""
    value = raw.get(key)
    if value is None:
        return {}
    if type(value) is not dict:
        raise RecordError(key, "is not an object")
    return value


def flag(raw: dict, key: str) -> bool:
    """Return True or False; False if it is missing or null."""
    value = raw.get(key)
    if value is None or type(value) is bool:
        return bool(value)
    raise RecordError(key, "is not true or false")


def count(raw: dict, key: str) -> int:
    """Return a number of people from 0 to 1,000,000; 0 if it is missing or null."""
    value = raw.get(key)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= 1_000_000:
        raise RecordError(key, "is not a number of people")
    return value


def money(raw: dict, key: str, *, required: bool = True) -> Decimal:
    """Return a price from 0 to 10**12 with at most six decimals.

    A missing price is an error, or 0 if it is not ``required``.
    """
    value = raw.get(key)
    if value is None and not required:
        return Decimal(0)
    if type(value) is Decimal or type(value) is int:
        return _price(value, key)
    if type(value) is float:
        return _price(Decimal(repr(value)), key)
    raise RecordError(key, "is missing" if value is None else "is not a number")


@lru_cache(maxsize=4096, typed=True)
def _price(value: Decimal | int, key: str) -> Decimal:
    price = Decimal(value)
    if not price.is_finite():
        raise RecordError(key, "is not a finite number")
    if not 0 <= price < DEAREST:
        raise RecordError(key, "is negative" if price < 0 else "is too high")
    if price.as_tuple().exponent < -6:
        price = price.quantize(_MONEY_STEP)
    return price + 0  # no minus zero


def currency(raw: dict, key: str) -> str | None:
    """Return an ISO 4217 code in uppercase, or None."""
    value = text(raw, key)
    return value.upper() if _CURRENCY.fullmatch(value) else None


def link(raw: dict, key: str) -> str:
    """Return an https address that is safe to click, else ""."""
    value = _string(raw, key).strip()
    usable = (
        value.startswith("https://")
        and value.isprintable()
        and " " not in value
        and len(value) <= 2048
    )
    return value if usable else ""
