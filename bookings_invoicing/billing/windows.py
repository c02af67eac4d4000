"""Which time to read from Bookings, and what to make of appointments that are missing from it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from .period import local_day, start_of_day

MAX_DAYS = 31
Window = tuple[datetime, datetime]


def plan_windows(
    now: datetime,
    look_back_days: int,
    look_ahead_days: int,
    tz_name: str,
    *,
    bill_from: date | None = None,
    last_sync: datetime | None = None,
    max_days: int = MAX_DAYS,
) -> list[Window]:
    """Windows [from, to) in naive UTC, oldest first, without gap or overlap.

    From the start of the business's day ``look_back_days`` ago to the end of the day
    ``look_ahead_days`` on, in pieces of at most ``max_days``. Pass ``bill_from`` on a first or full
    sync: the reading then reaches back to it, or what took place in between would never be billed.
    After an outage longer than the look-back it reaches back to ``last_sync`` for the same reason.

    >>> for window in plan_windows(datetime(2026, 2, 10, 12), 40, 7, "Europe/Copenhagen"):
    ...     print(*window)
    2025-12-31 23:00:00 2026-01-24 23:00:00
    2026-01-24 23:00:00 2026-02-17 23:00:00
    """
    if look_back_days < 0 or look_ahead_days < 0 or max_days < 1:
        raise ValueError("days to look back and ahead cannot be negative")
    today = local_day(now, tz_name)
    starts = [today - timedelta(days=look_back_days)]
    if bill_from is not None:
        starts.append(bill_from)
    if last_sync is not None:
        starts.append(local_day(last_sync, tz_name))
    start = start_of_day(min(starts), tz_name)
    end = start_of_day(today + timedelta(days=look_ahead_days + 1), tz_name)
    count = -(-(end - start) // timedelta(days=max_days))
    edges = [start + (end - start) * step // count for step in range(count)]
    edges = [edge.replace(microsecond=0) for edge in edges] + [end]
    return list(zip(edges, edges[1:], strict=False))


@dataclass(frozen=True)
class Threshold:
    """How many may be missing before a person is asked: the greater of a number and a share."""

    number: int = 20
    percent: int = 10

    def allows(self, missing: int, known: int) -> bool:
        return missing <= max(Fraction(self.number), Fraction(known * self.percent, 100))
