"""Digests of the relevant content of records. Equal digests mean that nothing has to be written."""

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import blake2b


def content_hash(content: Mapping[str, object]) -> str:
    """Return 32 hexadecimal digits that are the same in every process and for all equivalent representations.

    The order of keys and sets, tuple or list, trailing zeros of a ``Decimal``, and the offset of an aware datetime do not
    matter. ``None``, "", 0, and ``False`` are different. Keys are strings. Raises ``TypeError`` for other types of
    values.

    >>> one, other = {"a": Decimal("60.0"), "b": (1,)}, {"b": [1], "a": Decimal("60.00")}
    >>> content_hash(one) == content_hash(other)
    True
    >>> content_hash({"a": None}) == content_hash({"a": ""})
    False
    """
    return blake2b(_encode(content).encode("ascii"), digest_size=16).hexdigest()


def _plain(value):
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"cannot fingerprint {value}")
        number = value.normalize()
        return {"decimal": str(abs(number) if number == 0 else number)}
    if isinstance(value, datetime):
        moment = value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        return {"moment": moment.isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if isinstance(value, timedelta):
        return {"seconds": str(value // timedelta(microseconds=1))}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted(json.dumps(one, default=_plain, sort_keys=True) for one in value)}
    raise TypeError(f"cannot fingerprint a {type(value).__name__}")


_encode = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=True,
    allow_nan=False,
    default=_plain,
).encode
