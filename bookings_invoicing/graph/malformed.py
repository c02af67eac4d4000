"""Unreadable records in a form that is safe to store and to display."""

import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from . import fields

LONGEST_PAYLOAD = 20_000  # bytes
# Properties with private texts, which are not stored.
_PRIVATE = {"answer", "selectedOptions", "notes", "customerNotes", "serviceNotes"}


@dataclass(frozen=True, slots=True)
class Malformed:
    """An unreadable record. ``kind`` is the name of the class in lowercase, ``payload`` is clean JSON text of at most
    20 kB. It contains personal data, but no notes and no answers.

    ``remote_id`` is "" if the record has no usable ID (missing, too long, damaged). Then only ``digest`` identifies the
    row, and ``window`` is the (start, end) that was being read, or None for a list.
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
    """Return a record as JSON for display: clean, shortened, and safe to store."""
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
