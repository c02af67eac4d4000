"""The small readers that records are made of: text, ids, money, moments, zones, durations.

Each takes a raw JSON object and a property name and gives a clean value, or raises RecordError
with the name of the property. They run some forty times an appointment, so the usual case of each
is a few C calls.

Sources: Graph resource pages of bookingAppointment and dateTimeTimeZone; windows zones from the
Unicode CLDR as packaged by Babel, which Odoo requires anyway and which is updated with every CLDR
release.
"""

import re
import unicodedata
import zoneinfo
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache

from babel.core import get_global

from .errors import RecordError

UTC = timezone.utc
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

_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,12}))?\s*([Zz]|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_DURATION = re.compile(
    r"(-?)P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})(?:\.\d{1,12})?S)?)?",
    re.ASCII,
)
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)

_NOTHING = {None: "", "": ""}
_lines: dict[str | None, str] = dict(_NOTHING)
_ids: set[str] = set()


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """Text that any database, page and log can hold: NFC, no controls but newline and tab,
    trimmed, cut.

    Surrogates and bidirectional overrides go; joiners that scripts and emoji need stay.

    >>> clean(" Ada\\x00 \\u202egnp.exe "), clean("A\\u030angstr\\u00f6m")
    ('Ada gnp.exe', 'Ångström')
    """
    if not (text.isascii() and text.isprintable()):
        # cut before normalising, generously: normalising a megabyte of combining marks is quadratic
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
    """One line of text, "" where it is missing or null."""
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
    """Text of several lines, "" where it is missing or null."""
    value = raw.get(key)
    if value is None or value == "":
        return ""
    return clean(_string(raw, key), longest)


def identifier(raw: dict, key: str = "id", *, required: bool = True) -> str:
    """An id exactly as it came, at most 255 characters. A damaged id is refused, never mended: a
    mended one would name another record.
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


def _sound(value: str, key: str) -> str:
    if len(value) > LONGEST_ID:
        raise RecordError(key, "is too long")
    if not value.isprintable() or value.strip() != value:
        raise RecordError(key, "holds characters that no id has")
    return value


def forget() -> None:
    """Drops what was remembered of the page just read: texts repeat within a page, but hold
    personal data that must not outlive it. New containers, so that other threads may be reading.
    """
    global _lines, _ids
    _lines, _ids = dict(_NOTHING), set()


def identifiers(raw: dict, key: str) -> tuple[str, ...]:
    """A list of ids without doubles; () where it is missing or null."""
    values = raw.get(key)
    if not values and (values is None or values == []):
        return ()
    if type(values) is not list:
        raise RecordError(key, "is not a list")
    return tuple(dict.fromkeys([_identifier(value, key) for value in values]))


def objects(raw: dict, key: str) -> list[dict]:
    """A list of objects; [] where it is missing or null."""
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
    """An object; {} where it is missing or null."""
    value = raw.get(key)
    if value is None:
        return {}
    if type(value) is not dict:
        raise RecordError(key, "is not an object")
    return value


def flag(raw: dict, key: str) -> bool:
    """True or False; False where it is missing or null."""
    value = raw.get(key)
    if value is None or type(value) is bool:
        return bool(value)
    raise RecordError(key, "is not true or false")


def count(raw: dict, key: str) -> int:
    """A head count of 0 to 1,000,000; 0 where it is missing or null."""
    value = raw.get(key)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value <= 1_000_000:
        raise RecordError(key, "is not a head count")
    return value


def money(raw: dict, key: str, *, required: bool = True) -> Decimal:
    """A price of 0 up to 10**12, with at most six decimals. Never a guess: what is absent is an
    error unless the caller has no use for it (then 0).
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
        raise RecordError(key, "is negative" if price < 0 else "is absurdly high")
    if price.as_tuple().exponent < -6:
        price = price.quantize(_MONEY_STEP)
    return price + 0  # no minus zero


def currency(raw: dict, key: str) -> str | None:
    """An ISO 4217 code in upper case, or None."""
    value = text(raw, key)
    return value.upper() if _CURRENCY.fullmatch(value) else None


@lru_cache(maxsize=1024)
def iana_zone(name: str) -> str | None:
    """The IANA name of a Windows or IANA zone name, or None.

    >>> iana_zone("E. South America Standard Time"), iana_zone("Mars/Olympus")
    ('America/Sao_Paulo', None)
    >>> iana_zone("UTC"), iana_zone("tzone://Microsoft/Utc")
    ('UTC', 'UTC')
    """
    name = name.strip()
    if name in ("UTC", "Etc/UTC", "tzone://Microsoft/Utc"):
        return "UTC"
    if len(name) > 64:
        return None
    name = get_global("windows_zone_mapping").get(name, name)
    return name if name in _zones() else None


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo:
    iana = iana_zone(name)
    if iana is None:
        raise KeyError(name)
    return UTC if iana == "UTC" else zoneinfo.ZoneInfo(iana)


def zone(raw: dict, key: str) -> str:
    """The IANA name of a time zone that is only told, not needed; "" where it is unknown."""
    value = text(raw, key)
    return (iana_zone(value) or "") if value else ""


def moment(raw: dict, *keys: str) -> datetime:
    """The UTC time of a dateTimeTimeZone under the first of ``keys`` that is there (v1.0 and beta
    differ).

    An offset within the text decides; else the zone, where an hour that occurs twice is its first
    and one that is skipped lies after the gap. An unknown zone is refused.
    """
    for key in keys:
        value = raw.get(key)
        if value is not None:
            break
    else:
        raise RecordError(keys[0], "is missing")
    if type(value) is not dict:
        raise RecordError(key, "is not an object")
    written = value.get("dateTime")
    name = value.get("timeZone")
    if name == "UTC" and type(written) is str and len(written) > 18 and written[19:] in _UTC_TAILS:
        found = _utc_second(written)
        if found is not None:
            return found
    return _any_moment(key, written, name)


_UTC_TAILS = frozenset({".0000000Z", "Z", ".0000000", ""})


def _utc_second(written: str) -> datetime | None:
    """The UTC time in the first 19 characters, if that is what they are."""
    if written[7] != "-":  # a week date
        return None
    try:
        found = datetime.fromisoformat(written[:19] + "+00:00")
    except ValueError:
        return None
    return found if 1970 < found.year < 2199 else None


def _any_moment(key: str, written, name) -> datetime:
    if type(written) is not str or not (name is None or type(name) is str):
        raise RecordError(key, "is not a date and time")
    name = (name or "").strip()
    try:
        zone = _zone(name) if name else None
    except KeyError:
        raise RecordError(key, "has an unknown time zone") from None
    found = parse_moment(written)
    if found is None:
        raise RecordError(key, "is not a date and time")
    if found.tzinfo is None:
        if zone is None:
            raise RecordError(key, "has no time zone")
        found = found.replace(tzinfo=zone)
    if not 1971 <= found.year < 2199:
        raise RecordError(key, "lies outside the years that a booking can have")
    return found.astimezone(UTC)


def parse_moment(written: str) -> datetime | None:
    """A date and time with or without an offset; fractions beyond the microsecond are cut.

    >>> parse_moment("2026-03-02T09:00:00.1234567Z")
    datetime.datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=datetime.timezone.utc)
    >>> parse_moment("tomorrow")
    """
    match = _MOMENT.fullmatch(written.strip()) if len(written) < 64 else None
    if not match:
        return None
    day, clock, fraction, offset = match.groups()
    try:
        found = datetime.fromisoformat(f"{day}T{clock}")
        if fraction:
            found = found.replace(microsecond=int(fraction[:6].ljust(6, "0")))
        return found if offset is None else found.replace(tzinfo=_offset(offset))
    except ValueError:
        return None


def _offset(text: str) -> timezone:
    if text in "Zz":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def stamp(raw: dict, key: str) -> datetime | None:
    """A DateTimeOffset in UTC; None where it is missing, null or the year 1 (.NET's "never")."""
    value = raw.get(key)
    if value is None:
        return None
    if type(value) is str and len(value) == 20 and value[19] == "Z":
        found = _utc_second(value)
        if found is not None:
            return found
    found = parse_moment(value) if type(value) is str else None
    if found is None:
        raise RecordError(key, "is not a date and time")
    if not 1971 <= found.year < 2199:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def duration(raw: dict, key: str) -> timedelta | None:
    """An Edm.Duration (days to seconds) that is not negative; None where it is missing or null.

    >>> duration({"d": "PT1H30M"}, "d"), duration({"d": "P1D"}, "d")
    (datetime.timedelta(seconds=5400), datetime.timedelta(days=1))
    """
    value = raw.get(key)
    if value is None:
        return None
    if type(value) is not str:
        raise RecordError(key, "is not a duration")
    return _duration(value, key)


@lru_cache(maxsize=1024)
def _duration(value: str, key: str) -> timedelta:
    match = _DURATION.fullmatch(value) if len(value) < 64 else None
    if not match or not any(match.groups()[1:]) or match[1]:
        raise RecordError(key, "is not a duration")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def link(raw: dict, key: str) -> str:
    """An https address fit to be clicked, else ""."""
    value = _string(raw, key).strip()
    usable = (
        value.startswith("https://")
        and value.isprintable()
        and " " not in value
        and len(value) <= 2048
    )
    return value if usable else ""
