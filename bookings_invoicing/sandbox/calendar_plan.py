"""When appointments take place: from an appointment's number to its minute, without a list of all.

A business day has weight; the days' cumulated shares of ``size`` give the first number of each day.
Numbers grow with time, so a calendar window is one range of numbers, whatever the size.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from zoneinfo import ZoneInfo

from .ids import Dice, minute_of

DAYS_BACK = 75
DAYS_AHEAD = 21
LONGEST_MINUTES = 4 * 60
_OPENS, _CLOSES = 8 * 60, 18 * 60
_WEEKDAY_WEIGHT = (10, 10, 10, 10, 9, 3, 0)
_CLOCK_CHANGE_WEIGHT = 14
_NIGHT = 20
_LATE = 23 * 60 + 40


class CalendarPlan:
    """The days from ``anchor`` - 75 to ``anchor`` + 21 in the zone of a business."""

    def __init__(self, key: tuple, anchor: dt.date, size: int, zone: str):
        self.key = key
        self.size = size
        self.zone = ZoneInfo(zone)
        self.days = [
            anchor + dt.timedelta(days=offset) for offset in range(-DAYS_BACK, DAYS_AHEAD + 1)
        ]
        self._clock_change = {day for day in self.days if self._changes_clock(day)}
        self._noon = [self._minute(day, 12 * 60) - 12 * 60 for day in self.days]
        self._first = self._shares(anchor)

    def _minute(self, day: dt.date, minute: int) -> int:
        clock = dt.time(minute // 60, minute % 60)
        return minute_of(dt.datetime.combine(day, clock, self.zone).astimezone(dt.timezone.utc))

    def _changes_clock(self, day: dt.date) -> bool:
        return self._minute(day + dt.timedelta(days=1), 0) - self._minute(day, 0) != 1440

    def _shares(self, anchor: dt.date) -> list[int]:
        weights = []
        for day in self.days:
            weight = _WEEKDAY_WEIGHT[day.weekday()]
            if day == anchor:
                weight = max(weight, 10)
            if day in self._clock_change:
                weight = max(weight, _CLOCK_CHANGE_WEIGHT)
            weights.append(weight)
        total, so_far, first = sum(weights), 0, []
        for weight in weights:
            first.append(self.size * so_far // total)
            so_far += weight
        return [*first, self.size]

    def day_of(self, number: int) -> int:
        """Index of the day of appointment ``number``."""
        return bisect_right(self._first, number) - 1

    def start(self, number: int) -> int:
        """Minutes since 1970 at which appointment ``number`` begins."""
        index = self.day_of(number)
        first, count = self._first[index], self._first[index + 1] - self._first[index]
        place, day = number - first, self.days[index]
        if place == 0 and day in self._clock_change:
            # 00:30 UTC: European clocks change at 01:00 UTC, in the middle of it.
            return self._minute(day, 0) // 1440 * 1440 + 1440 + 30
        if count > 1 and place in (0, count - 1):
            dice = Dice(*self.key, "edge of day", index)
            if place == 0 and dice.chance(7):
                return self._minute(day, _NIGHT)
            if place and dice.chance(5):
                return self._minute(day, _LATE)
        slot = _OPENS + (place * (_CLOSES - _OPENS) // count) // 5 * 5
        return self._noon[index] + slot

    def numbers_between(self, start: int, end: int) -> range:
        """Numbers that may overlap [start, end) in minutes since 1970; the caller checks each."""
        low = self._day_before(start - LONGEST_MINUTES - 1440)
        high = self._day_before(end + 1440)
        if high < 0 or start >= end:
            return range(0)
        return range(self._first[max(low, 0)], self._first[min(high + 1, len(self.days))])

    def may_overlap(self, number: int, start: int, end: int) -> bool:
        """False when appointment ``number`` cannot overlap [start, end); cheap."""
        return start - LONGEST_MINUTES < self.start(number) < end

    def _day_before(self, minute: int) -> int:
        return min((minute - self._noon[0]) // 1440, len(self.days) - 1)
