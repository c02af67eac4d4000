"""Which time to read from Bookings, and what to make of appointments that are missing from it."""

from collections.abc import Collection, Iterable
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


def covered(start: datetime, windows: Iterable[Window]) -> bool:
    """Whether an appointment that starts at ``start`` must have been in one of the windows.

    >>> covered(datetime(2026, 2, 1), [(datetime(2026, 1, 1), datetime(2026, 2, 1))])
    False
    """
    return any(low <= start < high for low, high in windows)


@dataclass(frozen=True)
class Threshold:
    """How many may be missing before a person is asked: the greater of a number and a share."""

    number: int = 20
    percent: int = 10

    def allows(self, missing: int, known: int) -> bool:
        return missing <= max(Fraction(self.number), Fraction(known * self.percent, 100))


@dataclass(frozen=True)
class Judgement:
    """``hold``: change nothing, ask a person. ``confirm``: ids to read one by one (404 = gone)."""

    hold: bool
    confirm: tuple[str, ...] = ()
    missing: int = 0
    known: int = 0


def judge_missing(
    known: Iterable[str],
    seen: Collection[str],
    windows_complete: bool,
    threshold: Threshold | None = None,
    confirmed_hold: bool = False,
) -> Judgement:
    """Judge which known appointments are gone (design decision 5).

    ``known``: ids that the windows must have held and that are not yet marked as gone. ``seen``:
    ids that came, malformed ones included. A window not read to its end proves nothing.
    ``confirmed_hold``: a person has looked at it.

    >>> judge_missing(["a", "b"], {"a"}, True)
    Judgement(hold=False, confirm=('b',), missing=1, known=2)
    >>> judge_missing(map(str, range(100)), set(), True).hold
    True
    >>> judge_missing(["a"], set(), False)
    Judgement(hold=False, confirm=(), missing=0, known=1)
    """
    known = list(dict.fromkeys(known))
    if not windows_complete:
        return Judgement(False, known=len(known))
    seen = frozenset(seen)
    missing = tuple(one for one in known if one not in seen)
    if not confirmed_hold and not (threshold or Threshold()).allows(len(missing), len(known)):
        return Judgement(True, missing=len(missing), known=len(known))
    return Judgement(False, missing, len(missing), len(known))


def gone_outcome(start: datetime, missing_since: datetime) -> str:
    """``cancelled`` for what was gone before it began, else ``removed_after``.

    >>> gone_outcome(datetime(2026, 2, 3, 10), datetime(2026, 2, 3, 10))
    'removed_after'
    """
    return "cancelled" if missing_since < start else "removed_after"
