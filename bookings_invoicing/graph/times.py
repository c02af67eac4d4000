"""Parse times, time zones, and durations from Graph.

Time zones have Windows or IANA names. The mapping between them is that of the Unicode CLDR in Babel, which Odoo requires
anyway and which is updated with each CLDR release.

Source: Graph resource page of dateTimeTimeZone.
"""

import re
import zoneinfo
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache

from babel.core import get_global

from .errors import RecordError
from .fields import text

UTC = timezone.utc

_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,12}))?\s*([Zz]|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_DURATION = re.compile(
    r"(-?)P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})(?:\.\d{1,12})?S)?)?",
    re.ASCII,
)


@lru_cache(maxsize=1024)
def iana_zone(name: str) -> str | None:
    """Return the IANA name of a time zone with a Windows or IANA name, or None.

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
    """Return the IANA name of an optional time zone, or "" if it is unknown."""
    value = text(raw, key)
    return (iana_zone(value) or "") if value else ""


def moment(raw: dict, *keys: str) -> datetime:
    """Return the UTC time of a dateTimeTimeZone in the first of ``keys`` that exists (v1.0 and beta differ).

    An offset in the text takes precedence over the time zone. In a time zone, the first of two equal hours is used, and a
    skipped hour moves after the gap. An unknown time zone is an error.
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
    """Return the UTC time in the first 19 characters, or None if they are not a time."""
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
        raise RecordError(key, "is outside the years that a booking can have")
    return found.astimezone(UTC)


def parse_moment(written: str) -> datetime | None:
    """Parse a date and time with or without an offset. Fractions beyond microseconds are cut off.

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
    """Return a DateTimeOffset in UTC, or None if it is missing, null, or in the year 1 (.NET's default value)."""
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
    """Return a non-negative Edm.Duration (days to seconds), or None if it is missing or null.

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
