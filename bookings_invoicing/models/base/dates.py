"""Dates as they are written in the language of the reader."""

from dateutil.relativedelta import relativedelta

from odoo.tools import format_date, format_datetime
from odoo.tools.misc import babel_locale_parse, get_lang

FULL_DAY = "yMMMEd"  # the key in CLDR of a pattern with weekday, day, month, and year


def moment_text(env, moment, tz=False):
    """Return weekday, date, and time of a naive UTC time, such as "Thu, Mar 12, 2026 09:00".

    The order is that of the user's language (CLDR), for example "tors. 12. mar. 2026 09:00" in Danish.

    :param tz: name of the time zone; by default that of the user
    """
    locale = babel_locale_parse(get_lang(env).code)
    pattern = locale.datetime_skeletons.get(FULL_DAY)
    return format_datetime(env, moment, tz=tz, dt_format=f"{pattern or 'E d MMM y'} HH:mm")


def period_text(env, first, last):
    """Return a period: "February 2026" for a whole month, and its two dates otherwise.

    :param first: the first day, or False
    :param last: the last day, or False
    """
    whole = first and first.day == 1 and last == first + relativedelta(months=1, days=-1)
    if whole:
        return month_text(env, first)
    return " – ".join(format_date(env, day) for day in (first, last) if day)


def month_text(env, day):
    """Return the month of a date or of its ISO text, such as "February 2026"."""
    return format_date(env, day, date_format="LLLL y")
