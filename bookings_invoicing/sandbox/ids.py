"""Deterministic draws, ids and the spellings that Microsoft Graph uses for them.

Everything here is a pure function of its arguments, so that two processes that know a tenant's
seed and anchor day hold the same tenant, on every Python version (no ``random``: its helpers have
changed between versions).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_VALUE = {letter: number for number, letter in enumerate(_ALPHABET)}
_NUMBER_LETTERS = 5
MAX_NUMBER = 64**_NUMBER_LETTERS - 1
NO_GUID = "00000000-0000-0000-0000-000000000000"


class Dice:
    """Draws that depend on a key only: ``Dice(1, "visit", 7).below(6)`` is the same for ever."""

    __slots__ = ("_key", "_pool", "_round")

    def __init__(self, *key):
        self._key = "|".join(map(str, key))
        self._round = 0
        self._refill()

    def _refill(self):
        text = f"{self._key}|{self._round}".encode()
        self._pool = (
            int.from_bytes(hashlib.blake2b(text, digest_size=64).digest(), "big") | 1 << 512
        )
        self._round += 1

    def below(self, limit: int) -> int:
        """An int from 0 to ``limit`` - 1."""
        if self._pool < 1 << 64:
            self._refill()
        self._pool, draw = divmod(self._pool, limit)
        return draw

    def pick(self, options):
        return options[self.below(len(options))]

    def chance(self, one_in: int) -> bool:
        return self.below(one_in) == 0

    def shuffled(self, options) -> list:
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(len(left))]


def guid(*key) -> str:
    """A version 4 shaped GUID that depends on the key only."""
    digest = hashlib.blake2b("|".join(map(str, key)).encode(), digest_size=16).hexdigest()
    variant = "89ab"[int(digest[16], 16) % 4]
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:]}"


def mailbox_prefix(*key) -> str:
    """The part that all appointment ids of one mailbox share (Exchange ids look like that)."""
    raw = b"\x00\x03\x24\x00" + guid(*key).encode() + b"\x00\x46\x00\x00\x00"
    return base64.urlsafe_b64encode(raw).decode()


def appointment_id(prefix: str, number: int) -> str:
    """Case-sensitive id of appointment ``number`` (0 to MAX_NUMBER).

    Like real Exchange ids, some differ from each other only by upper and lower case.
    """
    letters = []
    for _ in range(_NUMBER_LETTERS):
        number, digit = divmod(number, 64)
        letters.append(_ALPHABET[digit])
    return f"{prefix}{''.join(reversed(letters))}AAA="


def appointment_number(prefix: str, text: str) -> int | None:
    """The inverse of :func:`appointment_id`; None when the id is not one of this mailbox."""
    if len(text) != len(prefix) + _NUMBER_LETTERS + 4 or not text.startswith(prefix):
        return None
    letters, tail = text[len(prefix) : -4], text[-4:]
    if tail != "AAA=" or any(letter not in _VALUE for letter in letters):
        return None
    number = 0
    for letter in letters:
        number = number * 64 + _VALUE[letter]
    return number


def moment(minute: int) -> dt.datetime:
    """Aware UTC datetime of a count of minutes since 1970."""
    return EPOCH + dt.timedelta(minutes=minute)


def minute_of(when: dt.datetime) -> int:
    """Minutes since 1970 of an aware datetime (seconds are cut off)."""
    return int((when - EPOCH).total_seconds() // 60)


def minute_after(when: dt.datetime) -> int:
    """Minutes since 1970 of an aware datetime, rounded up to a whole minute."""
    return -int((EPOCH - when).total_seconds() // 60)


def graph_time(minute: int) -> str:
    """Seven fractional digits and a Z, as Graph writes the times of appointments."""
    return moment(minute).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")


def stamp(minute: int) -> str:
    """Edm.DateTimeOffset as Graph writes createdDateTime."""
    return moment(minute).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_duration(minutes: int) -> str:
    """ISO 8601 duration of whole minutes as Graph writes it: PT45M, PT1H30M, P1D, PT0S."""
    days, rest = divmod(minutes, 1440)
    hours, rest = divmod(rest, 60)
    date = f"{days}D" if days else ""
    time = (f"{hours}H" if hours else "") + (f"{rest}M" if rest else "")
    if not date and not time:
        return "PT0S"
    return f"P{date}" + (f"T{time}" if time else "")


def parse_moment(text: str) -> dt.datetime:
    """Aware datetime of an ISO 8601 text with Z or an offset; up to any number of fraction digits.

    Raises ValueError when it is something else. Python 3.10 reads neither Z nor seven digits.
    """
    if not isinstance(text, str):
        raise ValueError("a time is a text such as 2026-03-02T09:00:00Z")
    body = text.strip()
    if body[-1:] in ("Z", "z"):
        body = body[:-1] + "+00:00"
    head, dot, tail = body.partition(".")
    if dot:
        digits = len(tail) - len(tail.lstrip("0123456789"))
        head += "." + tail[:digits][:6].ljust(6, "0") + tail[digits:]
    parsed = dt.datetime.fromisoformat(head)
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has neither Z nor an offset")
    return parsed.astimezone(dt.timezone.utc)
