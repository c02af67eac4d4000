"""Days, months, and dates in the time zone of the business.

Times are UTC (naive means UTC, as Odoo stores them). The business's IANA time zone determines the date. Nothing here
reads the clock.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

INTERVALS = {
    "minutes": timedelta(minutes=1),
    "hours": timedelta(hours=1),
    "days": timedelta(days=1),
}
UTC = timezone.utc
_TICK = timedelta(microseconds=1)


def zone(tz_name: str) -> ZoneInfo:
    """Return the time zone with an IANA name. Raises ``ValueError`` for an unknown one, and never falls back to UTC."""
    try:
        return ZoneInfo(tz_name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError) as error:
        raise ValueError(f"unknown time zone: {tz_name!r}") from error


def local_time(moment_utc: datetime, tz_name: str) -> datetime:
    """Convert a time to an aware local time in ``tz_name``. Raises ``ValueError`` outside the years 1-9999.

    >>> local_time(datetime(2026, 7, 1, 22, 30), "Europe/Copenhagen").isoformat()
    '2026-07-02T00:30:00+02:00'
    """
    aware = moment_utc if moment_utc.tzinfo else moment_utc.replace(tzinfo=UTC)
    try:
        return aware.astimezone(zone(tz_name))
    except OverflowError as error:
        raise ValueError(f"{moment_utc} has no local time in {tz_name}") from error


def local_day(moment_utc: datetime, tz_name: str) -> date:
    """Return the date in the time zone of the business.

    >>> local_day(datetime(2026, 1, 31, 23, 30), "Europe/Copenhagen")
    datetime.date(2026, 2, 1)
    >>> local_day(datetime(2026, 1, 1, 4, 0), "America/New_York")
    datetime.date(2025, 12, 31)
    """
    return local_time(moment_utc, tz_name).date()


def service_days(start_utc: datetime, stop_utc: datetime, tz_name: str) -> tuple[date, date]:
    """Return the first and last date of an appointment. One that ends at midnight ends on the day before.

    >>> service_days(datetime(2026, 1, 31, 20), datetime(2026, 1, 31, 23), "Europe/Copenhagen")
    (datetime.date(2026, 1, 31), datetime.date(2026, 1, 31))
    """
    return local_day(start_utc, tz_name), service_day(start_utc, stop_utc, tz_name)


def service_day(start_utc: datetime, stop_utc: datetime, tz_name: str) -> date:
    """Return the service date of an appointment: its last day.

    It determines the month, *Bill From*, rehearsal, completeness, and the dates of the invoice.

    >>> service_day(datetime(2026, 1, 31, 22), datetime(2026, 1, 31, 23), "Europe/Copenhagen")
    datetime.date(2026, 1, 31)
    """
    last = stop_utc - _TICK if stop_utc > start_utc else start_utc
    return local_day(last, tz_name)


def elapsed(start: datetime, stop: datetime) -> timedelta:
    """Return the real time between two moments, even across a change of daylight saving time.

    >>> start = datetime(2026, 3, 29, 1, 30, tzinfo=ZoneInfo("Europe/Copenhagen"))
    >>> elapsed(start, start.replace(hour=3)), start.replace(hour=3) - start
    (datetime.timedelta(seconds=3600), datetime.timedelta(seconds=7200))
    """
    if start.tzinfo and stop.tzinfo:
        return stop.astimezone(UTC) - start.astimezone(UTC)
    return stop - start


def start_of_day(day: date, tz_name: str) -> datetime:
    """Return the first moment of ``day`` in a time zone as naive UTC, even if midnight is skipped there.

    >>> start_of_day(date(2026, 11, 1), "Europe/Copenhagen")
    datetime.datetime(2026, 10, 31, 23, 0)
    >>> start_of_day(date(2024, 4, 26), "Africa/Cairo")  # began at 01:00
    datetime.datetime(2024, 4, 25, 22, 0)
    """
    midnight = datetime(day.year, day.month, day.day)
    low, high = -26 * 3600, 26 * 3600
    while high - low > 1:
        middle = (low + high) // 2
        if local_day(midnight + timedelta(seconds=middle), tz_name) >= day:
            high = middle
        else:
            low = middle
    return midnight + timedelta(seconds=high)


def month_of(day: date) -> str:
    """
    >>> month_of(date(2026, 2, 1))
    '2026-02'
    """
    return f"{day.year:04d}-{day.month:02d}"


def week_of(day: date) -> str:
    """Return the ISO week, whose year may differ from that of the date.

    >>> week_of(date(2027, 1, 1))
    '2026-W53'
    """
    year, week, _weekday = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def month_start(day: date) -> date:
    """
    >>> month_start(date(2026, 2, 17))
    datetime.date(2026, 2, 1)
    """
    return day.replace(day=1)


def month_end(day: date) -> date:
    """
    >>> month_end(date(2028, 2, 3))
    datetime.date(2028, 2, 29)
    """
    if day.month == 12:
        return day.replace(day=31)
    return day.replace(month=day.month + 1, day=1) - timedelta(days=1)


def invoice_date(policy: str, last_service_day: date) -> date | None:
    """Return the date of a draft, or None to leave it empty until it is posted.

    >>> invoice_date("month_end_of_service", date(2026, 2, 3))
    datetime.date(2026, 2, 28)
    """
    if policy == "at_posting":
        return None
    if policy == "month_end_of_service":
        return month_end(last_service_day)
    if policy == "last_service":
        return last_service_day
    raise ValueError(f"unknown invoice date policy: {policy!r}")


def service_period(days: Iterable[date]) -> tuple[date, date]:
    """Return the first and last service date of an invoice, from all first and last dates of its bookings.

    >>> service_period([date(2026, 2, 3), date(2026, 1, 9)])
    (datetime.date(2026, 1, 9), datetime.date(2026, 2, 3))
    """
    days = sorted(days)
    return days[0], days[-1]


def next_after(
    last: datetime | None, now: datetime, number: int, kind: str, tz_name: str | None = None
) -> datetime:
    """Return when something that runs every ``number`` minutes, hours, or days is due after ``last``.

    The result is always after ``now`` and in step with ``last``, so that missed runs are not repeated. Without ``last``,
    it is ``now``. A ``last`` in the future (because the clock was wrong) counts as ``now``. With a time zone, intervals
    of days keep the local time.

    >>> at = datetime(2026, 1, 1, 6, 0)
    >>> next_after(at, datetime(2026, 1, 1, 6, 31), 15, "minutes")
    datetime.datetime(2026, 1, 1, 6, 45)
    >>> at = datetime(2026, 3, 28, 5, 0)
    >>> next_after(at, datetime(2026, 3, 28, 12), 1, "days", "Europe/Copenhagen")
    datetime.datetime(2026, 3, 29, 4, 0)
    """
    if number < 1 or kind not in INTERVALS:
        raise ValueError(f"not an interval: {number} {kind}")
    if last is None:
        return now
    interval = number * INTERVALS[kind]
    last = min(last, now)
    count = (now - last) // interval + 1
    if kind != "days" or tz_name is None:
        return last + count * interval
    local = local_time(last, tz_name)
    moment = last
    for steps in (count - 1, count, count + 1):
        wall = (local + steps * interval).astimezone(UTC)
        moment = wall if last.tzinfo else wall.replace(tzinfo=None)
        if moment > now:
            break
    return moment
