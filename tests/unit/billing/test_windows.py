"""Which time is read from Bookings."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.period import local_day
from bookings_invoicing.billing.windows import MAX_DAYS, plan_windows

ZONES = st.sampled_from(
    ["UTC", "Europe/Copenhagen", "America/Santiago", "Australia/Lord_Howe", "Pacific/Chatham"]
)
NOW = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1))


@given(NOW, st.integers(0, 400), st.integers(0, 400), ZONES, st.integers(1, 40))
def test_windows_cover_the_days_without_gap_or_overlap(now, back, ahead, tz_name, max_days):
    windows = plan_windows(now, back, ahead, tz_name, max_days=max_days)
    assert all(stop == start for (_, stop), (start, _) in zip(windows, windows[1:], strict=False))
    lengths = [stop - start for start, stop in windows]
    assert all(timedelta(0) < length for length in lengths)
    assert max(lengths) <= timedelta(days=max_days, seconds=1)
    today = local_day(now, tz_name)
    first, last = windows[0][0], windows[-1][1]
    assert local_day(first, tz_name) == today - timedelta(days=back)
    assert local_day(last - timedelta(seconds=1), tz_name) == today + timedelta(days=ahead)
    assert first <= now < last


def test_windows_are_of_one_size():
    windows = plan_windows(datetime(2026, 2, 10), 30, 30, "UTC")
    assert len(windows) == 2
    assert all(stop - start <= timedelta(days=MAX_DAYS) for start, stop in windows)


def first_day(**kwargs):
    windows = plan_windows(datetime(2026, 2, 10, 12), 7, 7, "Europe/Copenhagen", **kwargs)
    return local_day(windows[0][0], "Europe/Copenhagen")


@pytest.mark.parametrize(
    ("kwargs", "day"),
    [
        ({}, date(2026, 2, 3)),
        ({"bill_from": date(2025, 12, 1)}, date(2025, 12, 1)),
        ({"bill_from": date(2026, 2, 10)}, date(2026, 2, 3)),
        ({"bill_from": date(2027, 1, 1)}, date(2026, 2, 3)),
        ({"last_sync": datetime(2026, 2, 10, 11)}, date(2026, 2, 3)),
        ({"last_sync": datetime(2026, 1, 1, 23, 30)}, date(2026, 1, 2)),
        (
            {"last_sync": datetime(2026, 1, 1), "bill_from": date(2025, 12, 1)},
            date(2025, 12, 1),
        ),
    ],
)
def test_nothing_billable_lies_before_the_first_window(kwargs, day):
    assert first_day(**kwargs) == day


@pytest.mark.parametrize("days", [(-1, 0, 31), (0, -1, 31), (0, 0, 0)])
def test_impossible_windows_are_refused(days):
    back, ahead, longest = days
    with pytest.raises(ValueError):
        plan_windows(datetime(2026, 1, 1), back, ahead, "UTC", max_days=longest)
