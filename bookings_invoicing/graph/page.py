"""Pages of records: what a client reads with one request."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from .errors import RecordError
from .fields import forget
from .listed import id_of
from .malformed import Malformed
from .records import freshness


@dataclass(frozen=True, slots=True)
class Page:
    """The records of one response in order, and the unreadable ones.

    ``window`` is the (start, end) of a calendar view, else None. ``complete`` marks the last page of its window or list;
    only then do missing records prove anything. ``unchanged`` has the IDs of rows that, according to the caller, need not
    be parsed.
    """

    records: tuple
    malformed: tuple[Malformed, ...]
    window: tuple[datetime, datetime] | None = None
    complete: bool = False
    unchanged: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """IDs of all rows, "" for those without one."""
        parsed = (record.id for record in self.records)
        return (*self.unchanged, *parsed, *(bad.remote_id for bad in self.malformed))


@dataclass(frozen=True, slots=True)
class Unread:
    """Replaces a row whose customers could not be read this time. Importing it without them would change who is billed."""

    remote_id: str
    reason: str

    @property
    def problem(self) -> RecordError:
        """The error with which the row becomes unreadable."""
        return RecordError("customers", self.reason)


def parse_rows(
    rows: list,
    kind: type,
    known: Collection[str] = (),
    digests: Mapping[str, str] | None = None,
    window: tuple[datetime, datetime] | None = None,
) -> tuple[tuple, tuple[Malformed, ...]]:
    """Parse the raw rows of a page, except those with ``known`` IDs, and return ``(records, malformed)``.

    An unreadable row does not affect the others. Of several rows with the same ID, the last changed one is used, or else
    the last one. ``digests`` are those of appointments, if already computed.
    """
    records, malformed, by_id = [], [], {}
    parse = kind.parse
    for raw in rows:
        if known and id_of(raw) in known:
            continue
        try:
            if type(raw) is not dict:
                raise raw.problem if isinstance(raw, Unread) else _not_an_object()
            record = parse(raw, digests.get(id_of(raw))) if digests else parse(raw)
        except RecordError as problem:
            malformed.append(Malformed.of(kind, raw, str(problem), window))
            continue
        place = by_id.setdefault(record.id, len(records))
        if place == len(records):
            records.append(record)
        elif freshness(record) >= freshness(records[place]):
            records[place] = record
    forget()
    return tuple(records), tuple(malformed)


def _not_an_object() -> RecordError:
    return RecordError("", "The record is not an object.")
