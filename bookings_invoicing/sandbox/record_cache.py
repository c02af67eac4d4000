"""The JSON of appointments in lists, made once per process.

An appointment that nobody changed is a pure function of its mailbox's seed, anchor, size and
options, so its JSON is shared by all tenants of a process that agree in those, whatever changes
they carry and whatever window is asked for. Kept deflated against one typical record; when the
budget is used up nothing more is kept, so that a read of everything costs no more than it holds.
"""

from __future__ import annotations

import functools
import threading
import zlib
from typing import NamedTuple

BUDGET = 12 * 2**20
_OVERHEAD = 300


class Entry(NamedTuple):
    start: int
    end: int
    customers: tuple
    deflated: bytes


class RecordCache:
    """Number of an appointment to its Entry, up to ``budget`` bytes."""

    def __init__(self, budget: int = BUDGET):
        self.budget = budget
        self.used = 0
        self._entries: dict[int, Entry] = {}
        self._typical: bytes | None = None
        self._lock = threading.Lock()

    def get(self, number: int) -> Entry | None:
        return self._entries.get(number)

    def body(self, entry: Entry) -> bytes:
        return zlib.decompressobj(zdict=self._typical).decompress(entry.deflated)

    def put(self, number: int, visit, body: bytes) -> None:
        if self.used >= self.budget:
            return
        if self._typical is None:
            with self._lock:
                self._typical = self._typical or body
        deflater = zlib.compressobj(level=1, zdict=self._typical)
        deflated = deflater.compress(body) + deflater.flush()
        people = [who.customer for who in visit.attendees]
        if visit.booked_by:
            people.append(visit.booked_by.customer)
        entry = Entry(visit.start, visit.end, tuple(people), deflated)
        with self._lock:
            if number not in self._entries:
                self._entries[number] = entry
                self.used += len(deflated) + _OVERHEAD * (1 + len(people) // 3)


@functools.lru_cache(maxsize=2)
def shared_cache(*facts) -> RecordCache:
    """The cache of all mailboxes in this process that were generated from the same facts."""
    return RecordCache()
