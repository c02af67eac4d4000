"""Records that could not be read, kept in a form that is safe to store and to look at."""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from . import fields

LONGEST_PAYLOAD = 20_000  # bytes
# What people wrote in their own words is nobody's business here.
_PRIVATE = {"answer", "selectedOptions", "notes", "customerNotes", "serviceNotes"}


@dataclass(frozen=True, slots=True)
class Malformed:
    """A record that could not be read. ``kind`` is the class's name in lower case, ``payload``
    cleaned JSON text of at most 20 kB. It holds personal data, but no notes and no answers.

    ``remote_id`` is "" where the record has no id that could be asked for (missing, too long,
    damaged): then only ``digest`` tells such rows apart, and ``window`` (start, end) is where one
    came, None where that was a list.
    """

    kind: str
    remote_id: str
    reason: str
    payload: str
    digest: str = ""
    window: tuple[datetime, datetime] | None = None

    @classmethod
    def of(cls, kind: type, raw, reason: str, window=None) -> "Malformed":
        remote_id = raw.get("id") if isinstance(raw, dict) else getattr(raw, "remote_id", None)
        payload = payload_text(raw)
        digest = blake2b(payload.encode(), digest_size=8).hexdigest()
        return cls(
            kind.__name__.lower(),
            fields.usable_id(remote_id),
            fields.clean(reason, 1000),
            payload,
            digest,
            window,
        )


def payload_text(raw) -> str:
    """A record as JSON for a person to look at: cleaned, shortened, safe to store."""
    try:
        written = json.dumps(_tidy(raw, 8), ensure_ascii=False)
    except (ValueError, TypeError):
        written = ""
    encoded = written.encode()
    if len(encoded) <= LONGEST_PAYLOAD:
        return written
    return encoded[: LONGEST_PAYLOAD - 3].decode(errors="ignore") + "…"


def _tidy(value, depth: int):
    if isinstance(value, str):
        return fields.clean(value, 2000)
    if isinstance(value, dict) and depth:
        return {
            fields.clean(str(key), 100): "…" if key in _PRIVATE and item else _tidy(item, depth - 1)
            for key, item in list(value.items())[:100]
        }
    if isinstance(value, list | tuple) and depth:
        return [_tidy(item, depth - 1) for item in value[:100]]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 10**15:
        return value
    return "…" if isinstance(value, dict | list | tuple) else str(value)[:100]
