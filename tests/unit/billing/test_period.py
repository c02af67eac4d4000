"""The business's day around every kind of clock change, month and year ends, and next runs."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.period import (
    elapsed,
    invoice_date,
    local_day,
    local_time,
    month_end,
    month_of,
    month_start,
    next_after,
    service_days,
    service_period,
    start_of_day,
    week_of,
)

UTC = timezone.utc
# zone, moment of the switch in UTC, offset before, offset after (minutes); from the tz database's
# published rules, written down here so that the oracle is not the library under test.
SWITCHES = [
    ("Europe/Copenhagen", datetime(2026, 3, 29, 1), 60, 120),
    ("Europe/Copenhagen", datetime(2026, 10, 25, 1), 120, 60),
    ("Europe/London", datetime(2026, 3, 29, 1), 0, 60),
    ("Europe/London", datetime(2026, 10, 25, 1), 60, 0),
    ("America/New_York", datetime(2026, 3, 8, 7), -300, -240),
    ("America/New_York", datetime(2026, 11, 1, 6), -240, -300),
    ("America/Santiago", datetime(2026, 4, 5, 3), -180, -240),
    ("America/Santiago", datetime(2026, 9, 6, 4), -240, -180),
    ("Africa/Cairo", datetime(2024, 4, 25, 22), 120, 180),
    ("Africa/Cairo", datetime(2024, 10, 31, 21), 180, 120),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15), 660, 630),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30), 630, 660),
    ("Pacific/Chatham", datetime(2026, 4, 4, 14), 825, 765),
    ("Pacific/Chatham", datetime(2026, 9, 26, 14), 765, 825),
]
STEADY = [
    ("Pacific/Pago_Pago", -660),
    ("Pacific/Kiritimati", 840),
    ("Asia/Kolkata", 330),
    ("Asia/Kathmandu", 345),
    ("Atlantic/Reykjavik", 0),
]


@pytest.mark.parametrize(("tz_name", "switch", "before", "after"), SWITCHES)
def test_around_a_switch(tz_name, switch, before, after):
    """Two hours either side, every ten minutes: wall clock and day follow the offset in force."""
    for minutes in range(-120, 121, 10):
        moment = switch + timedelta(minutes=minutes)
        offset = timedelta(minutes=before if minutes < 0 else after)
        assert local_time(moment, tz_name).replace(tzinfo=None) == moment + offset
        assert local_day(moment, tz_name) == (moment + offset).date()
        assert local_day(moment.replace(tzinfo=UTC), tz_name) == (moment + offset).date()


@pytest.mark.parametrize(("tz_name", "switch", "before", "after"), SWITCHES)
def test_appointments_over_a_switch_last_as_long_as_they_last(tz_name, switch, before, after):
    start = local_time(switch - timedelta(minutes=30), tz_name)
    stop = local_time(switch + timedelta(minutes=45), tz_name)
    assert elapsed(start, stop) == timedelta(minutes=75)
    assert stop.replace(tzinfo=None) - start.replace(tzinfo=None) == timedelta(
        minutes=75 + after - before
    )


@pytest.mark.parametrize(("tz_name", "switch", "before", "after"), SWITCHES)
def test_days_of_a_switch_begin_where_they_begin(tz_name, switch, before, after):
    for days in range(-2, 3):
        day = local_day(switch, tz_name) + timedelta(days=days)
        first = start_of_day(day, tz_name)
        assert local_day(first, tz_name) == day
        assert local_day(first - timedelta(seconds=1), tz_name) < day


@pytest.mark.parametrize(("tz_name", "offset"), STEADY)
@pytest.mark.parametrize(
    "midnight", [datetime(2026, 1, 1), datetime(2028, 3, 1), datetime(2026, 8, 1)]
)
def test_month_and_year_ends(tz_name, offset, midnight):
    """The last second of a month belongs to it, the first of the next one does not."""
    first = midnight - timedelta(minutes=offset)
    assert local_day(first, tz_name) == midnight.date()
    assert start_of_day(midnight.date(), tz_name) == first
    last_day = midnight.date() - timedelta(days=1)
    assert local_day(first - timedelta(seconds=1), tz_name) == last_day
    assert month_end(last_day) == last_day
    assert month_of(last_day) != month_of(midnight.date())


def test_a_day_that_never_was():
    """Samoa went from 29 to 31 December 2011."""
    assert start_of_day(date(2011, 12, 30), "Pacific/Apia") == datetime(2011, 12, 30, 10)
    assert start_of_day(date(2011, 12, 31), "Pacific/Apia") == datetime(2011, 12, 30, 10)


@pytest.mark.parametrize(
    "tz_name", ["", "Mars/Olympus", "../../etc/passwd", "W. Europe Standard Time", None]
)
def test_unknown_zones_are_refused(tz_name):
    with pytest.raises(ValueError):
        local_day(datetime(2026, 1, 1), tz_name)


@pytest.mark.parametrize(
    ("moment", "tz_name"),
    [(datetime.min, "America/New_York"), (datetime.max, "Pacific/Kiritimati")],
)
def test_the_ends_of_time_are_refused(moment, tz_name):
    with pytest.raises(ValueError):
        local_day(moment, tz_name)


SERVICE_DAYS = [
    # local start and stop in Copenhagen (UTC+1 in February) -> first and last day
    ((3, 9, 0), (3, 10, 0), (3, 3)),
    ((3, 23, 30), (4, 0, 0), (3, 3)),
    ((3, 23, 30), (4, 0, 30), (3, 4)),
    ((4, 0, 0), (4, 0, 30), (4, 4)),
    ((3, 9, 0), (6, 9, 0), (3, 6)),
    ((3, 9, 0), (3, 9, 0), (3, 3)),
    ((3, 9, 0), (2, 9, 0), (3, 3)),
]


@pytest.mark.parametrize(("start", "stop", "days"), SERVICE_DAYS)
def test_service_days(start, stop, days):
    moments = [datetime(2026, 2, *at) - timedelta(hours=1) for at in (start, stop)]
    expected = tuple(date(2026, 2, day) for day in days)
    assert service_days(*moments, "Europe/Copenhagen") == expected


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2026, 1, 1), "2026-W01"),
        (date(2024, 12, 30), "2025-W01"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
    ],
)
def test_weeks(day, week):
    assert week_of(day) == week


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_months(day):
    assert month_start(day) <= day <= month_end(day)
    assert month_of(month_end(day)) == month_of(day) != month_of(month_end(day) + timedelta(days=1))
    assert month_start(month_end(day) + timedelta(days=1)).day == 1


def test_invoice_dates():
    day = date(2026, 2, 3)
    found = [invoice_date(p, day) for p in ("at_posting", "month_end_of_service", "last_service")]
    assert found == [None, date(2026, 2, 28), day]
    with pytest.raises(ValueError):
        invoice_date("yesterday", day)


@given(st.lists(st.dates(), min_size=1))
def test_service_period_holds_every_day(days):
    first, last = service_period(days)
    assert first in days and last in days
    assert all(first <= day <= last for day in days)


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1))


@given(MOMENTS, MOMENTS, st.integers(1, 500), st.sampled_from(("minutes", "hours", "days")))
def test_next_run_is_soon_and_in_step(last, now, number, kind):
    interval = timedelta(**{kind: number})
    found = next_after(last, now, number, kind)
    assert now < found <= now + interval
    if last <= now:
        assert (found - last) % interval == timedelta(0)


@given(MOMENTS, MOMENTS, st.integers(1, 30), st.sampled_from([zone for zone, *_ in SWITCHES]))
def test_days_keep_their_local_time(last, now, number, tz_name):
    """Unless that time does not exist on the day."""
    found = next_after(last, now, number, "days", tz_name)
    start = min(last, now)
    assert now < found <= now + timedelta(days=number, hours=1)
    wall, expected = (local_time(one, tz_name).replace(tzinfo=None) for one in (found, start))
    skipped = timedelta(hours=1)
    assert (wall - expected) % timedelta(days=number) in (timedelta(0), skipped, skipped / 2)


def test_never_run_is_due_now():
    now = datetime(2026, 1, 1)
    assert next_after(None, now, 15, "minutes") == now


def test_aware_moments_stay_aware():
    last = datetime(2026, 3, 28, 5, tzinfo=UTC)
    found = next_after(last, last, 1, "days", "Europe/Copenhagen")
    assert found == datetime(2026, 3, 29, 4, tzinfo=UTC)


@pytest.mark.parametrize(("number", "kind"), [(0, "days"), (-1, "hours"), (1, "months")])
def test_impossible_intervals_are_refused(number, kind):
    with pytest.raises(ValueError):
        next_after(None, datetime(2026, 1, 1), number, kind)


@given(MOMENTS, st.sampled_from([zone for zone, *_ in SWITCHES] + [zone for zone, _ in STEADY]))
def test_every_moment_lies_in_its_day(moment, tz_name):
    day = local_day(moment, tz_name)
    assert start_of_day(day, tz_name) <= moment < start_of_day(day + timedelta(days=1), tz_name)
    assert day == moment.replace(tzinfo=UTC).astimezone(ZoneInfo(tz_name)).date()
