"""Which time to read from Bookings."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from .period import local_day, start_of_day

MAX_DAYS = 31
LOOK_WINDOW = timedelta(days=27)
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
    """Return windows [from, to) in naive UTC, oldest first, without gaps or overlaps.

    They cover the time from the start of the business's day ``look_back_days`` ago to the end of the day
    ``look_ahead_days`` ahead, in pieces of at most ``max_days``. Pass ``bill_from`` for a first or full sync, which then
    starts there; otherwise, appointments in between would never be billed. For the same reason, windows start at
    ``last_sync`` after an outage that is longer than the look-back.

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


def close_together(
    moments: dict[str, datetime], rows_in: Callable[[Window], int], page: int, batch: int
) -> tuple[list[Window], set[str]]:
    """Plan how to read single appointments with few requests: return windows to read, and IDs to read one by one.

    :param moments: start of each appointment by ID, naive UTC
    :param rows_in: function that returns the number of appointments in a window
    :param page: number of rows on a page of a window
    :param batch: number of appointments that one request reads by ID

    >>> day = datetime(2026, 3, 2)
    >>> near = {str(number): day + timedelta(minutes=number) for number in range(100)}
    >>> far = {"far": day - timedelta(days=90)}
    >>> read, asked = close_together(near | far, lambda window: 120, 50, 20)
    >>> [str(edge) for edge in read[0]], asked
    (['2026-03-02 00:00:00', '2026-03-02 01:39:01'], {'far'})
    """
    left, read, asked = sorted(moments, key=lambda key: (moments[key], key)), [], set()
    while left:
        first = moments[left[0]]
        within = [key for key in left if moments[key] - first < LOOK_WINDOW]
        left = left[len(within) :]
        window = first, moments[within[-1]] + timedelta(seconds=1)
        if -(-max(rows_in(window), 1) // page) < -(-len(within) // batch):
            read.append(window)
        else:
            asked.update(within)
    return read, asked
