"""What a page of appointments lists, and a memory of it, so that a page that arrives as before need not be parsed.

Most pages of a synchronization are byte for byte those of the one before. What such a page lists follows from its bytes
alone, so it is remembered by their hash, in the memory of the process. Whether the stored bookings are still as listed
is compared each time, so nothing depends on this memory: without it, pages are parsed.
"""

import marshal
import threading
from collections import OrderedDict
from hashlib import sha256
from typing import NamedTuple

from .fields import usable_id
from .records import digest_of

MOST_BYTES = 32 * 1024 * 1024  # about 150,000 appointments


class Listed(NamedTuple):
    """The rows of a page: ``digests`` by ID, "" if two rows have the same ID, so that both are parsed.

    ``bare`` are the IDs of rows without customers. ``whole`` is whether ``digests`` stands for all rows.
    """

    digests: dict[str, str]
    bare: tuple[str, ...]
    next_url: str
    whole: bool

    @classmethod
    def of(cls, rows: list, next_url: str) -> "Listed":
        """
        >>> Listed.of([{"id": "A", "lastUpdatedDateTime": "2026-01-01"}, {"id": ""}], "").whole
        False
        """
        digests, bare = {}, []
        for raw in rows:
            if remote_id := id_of(raw):
                digests[remote_id] = "" if remote_id in digests else digest_of(raw)
                if not raw.get("customers"):
                    bare.append(remote_id)
        whole = len(digests) == len(rows) and all(digests.values())
        return cls(digests, tuple(bare), next_url, whole)

    def comparable(self, hidden_too: bool) -> dict[str, str]:
        """Return the digests that can show that a row is unchanged, those of ``bare`` rows only if ``hidden_too``."""
        hidden = () if hidden_too else frozenset(self.bare)
        return {key: one for key, one in self.digests.items() if one and key not in hidden}


class PageMemory:
    """Remembers what pages listed, those used last, up to ``most_bytes``.

    >>> memory, listed = PageMemory(60), Listed({"A": "1f"}, (), "", True)
    >>> memory.keep(b"one", listed), memory.get(b"one") == listed, memory.get(b"two")
    (None, True, None)
    >>> for body in (b"two", b"three", b"four"):
    ...     memory.keep(body, listed)
    >>> memory.get(b"one"), memory.get(b"four") == listed
    (None, True)
    """

    def __init__(self, most_bytes: int = MOST_BYTES):
        self._most, self._size = most_bytes, 0
        self._pages = OrderedDict()
        self._lock = threading.Lock()

    def get(self, body: bytes) -> Listed | None:
        """Return what this response lists, or None if it is new."""
        key = _key(body)
        with self._lock:
            kept = self._pages.get(key)
            if kept is None:
                return None
            self._pages.move_to_end(key)
        return Listed(*marshal.loads(kept))

    def keep(self, body: bytes, listed: Listed) -> None:
        """Remember what this response lists, if ``listed`` stands for all of its rows."""
        if not listed.whole:
            return
        key, kept = _key(body), marshal.dumps(tuple(listed))
        with self._lock:
            self._size += len(kept) - len(self._pages.pop(key, b""))
            self._pages[key] = kept
            while self._size > self._most:
                _oldest, dropped = self._pages.popitem(last=False)
                self._size -= len(dropped)


def _key(body: bytes) -> bytes:
    return sha256(body).digest()


def id_of(row) -> str:
    """Return the ID of a raw row, or "" if it has no usable one."""
    return usable_id(row.get("id")) if isinstance(row, dict) else ""


LISTED = PageMemory()  # of this process
