"""What a PATCH of an appointment says, with the traps that Graph has there.

``customers`` replaces all attendees: each needs its type, and what is not said of one is blank afterwards, because nothing
is filled in from the customer of that ID; an ID that does not exist makes a group appointment lose the attendee silently.
An application must obey the rules of the business (opening hours, lead time, duration of the service); a signed-in user
need not. Of the other properties, the sandbox takes ``serviceNotes``, ``startDateTime``, and ``endDateTime``.

Sources: https://learn.microsoft.com/graph/api/bookingappointment-update,
https://learn.microsoft.com/graph/bookingsbusiness-business-rules
"""

from __future__ import annotations

import datetime as dt
import zoneinfo

from .directory_changes import TYPE, ChangeError, ShapeError
from .ids import graph_time, minute_of, parse_moment
from .shapes import CLOSES, LEAD_MINUTES, OPENS

_PERSON = {"name": "name", "emailAddress": "email", "phone": "phone"}
_TIMES = ("startDateTime", "endDateTime")


def changes_of(box, visit, content: dict, app_only: bool, now: float) -> list[dict]:
    """The changes that make the appointment what ``content`` says, all of them possible.

    now   seconds since 1970

    Raises ShapeError for wrong names and types, and ChangeError for what Bookings does not accept.
    """
    unknown = content.keys() - {"serviceNotes", "customers", *_TIMES}
    if unknown or not content:
        raise ShapeError(f"The sandbox does not take {', '.join(sorted(unknown)) or 'nothing'}.")
    found = []
    if "serviceNotes" in content:
        if not isinstance(content["serviceNotes"], str | None):
            raise ShapeError("Cannot convert a value to target type 'Edm.String'.")
        found.append({"op": "notes", "notes": content["serviceNotes"]})
    if "customers" in content:
        found.append({"op": "attendees", "attendees": _attendees(box, visit, content["customers"])})
    if content.keys() & set(_TIMES):
        found.append(_move(box, visit, content, app_only, int(now // 60)))
    return [{**change, "appointment": visit.id} for change in found]


def _attendees(box, visit, items) -> list[dict]:
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ShapeError("'customers' is a collection of objects.")
    found = []
    for item in items:
        if item.get(TYPE) != "#microsoft.graph.bookingCustomerInformation":
            raise ShapeError(
                "Cannot create an abstract class: the items of 'customers' need a type."
            )
        customer = item.get("customerId")
        if isinstance(customer, str) and box.person(customer) and customer not in box.absent:
            texts = {ours: item.get(name) or "" for name, ours in _PERSON.items()}
            found.append({"customer": customer, **texts})
        elif visit.maximum == 1:
            raise ChangeError("the customerId does not exist")
    if len(found) > visit.maximum:
        raise ChangeError("more customers than places")
    return found


def _move(box, visit, content: dict, app_only: bool, now: int) -> dict:
    given = [
        _moment(content[name]) if name in content else usual
        for name, usual in zip(_TIMES, (visit.start, visit.end), strict=True)
    ]
    start, end = given
    if end <= start:
        raise ChangeError("the end is before the start")
    if app_only:
        _check_rules(box, visit, start, end, now)
    return {"op": "move", "start": graph_time(start), "minutes": end - start}


def _moment(value) -> int:
    try:
        return minute_of(parse_moment(value["dateTime"]))
    except (TypeError, KeyError, ValueError, OverflowError):
        raise ShapeError("Cannot convert a value to 'dateTimeTimeZone'.") from None


def _check_rules(box, visit, start: int, end: int, now: int) -> None:
    zone = zoneinfo.ZoneInfo(box.plan.zone)
    first, last = (dt.datetime.fromtimestamp(minute * 60, zone) for minute in (start, end))
    open_then = first.weekday() < 5 and first.date() == last.date()
    if not (open_then and OPENS <= first.time() and last.time() <= CLOSES):
        raise ChangeError("outside the business hours")
    if start - now < LEAD_MINUTES:
        raise ChangeError("later than the minimum lead time allows")
    plan = box.service_now(visit.service)
    if plan and end - start != plan.minutes:
        raise ChangeError("another duration than that of the service")
