"""Graph v1.0 JSON shapes of bookingBusiness, bookingService, bookingStaffMember, bookingCustomer,
bookingAppointment, bookingCustomQuestion and bookingCurrency, as plain dicts.

Source of names and nullability: the Microsoft Graph v1.0 schema (CSDL and OpenAPI) and
https://learn.microsoft.com/graph/api/resources/booking-api-overview. Prices are JSON numbers
(Edm.Double) as Graph writes them.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from .ids import graph_time, iso_duration, stamp

OPENS, CLOSES, LEAD_MINUTES = dt.time(8), dt.time(18), 1440
_HOURS_OPEN = [{"startTime": f"{OPENS}.0000000", "endTime": f"{CLOSES}.0000000"}]
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NOWHERE = {"street": "", "city": "", "state": "", "countryOrRegion": "", "postalCode": ""}


def number(price) -> float | int:
    """A price as JSON number; one that a test made malformed stays as it is."""
    return float(price) if isinstance(price, (Decimal, int, float)) else price


def address(person) -> dict:
    return {
        "street": person.street,
        "city": person.city,
        "state": person.state,
        "countryOrRegion": person.country,
        "postalCode": person.postcode,
    }


def work_week(days=5) -> list:
    return [
        {"day": day, "timeSlots": [dict(slot) for slot in _HOURS_OPEN] if index < days else []}
        for index, day in enumerate(_WEEK)
    ]


def scheduling_policy() -> dict:
    return {
        "timeSlotInterval": "PT30M",
        "minimumLeadTime": iso_duration(LEAD_MINUTES),
        "maximumAdvance": "P365D",
        "sendConfirmationsToOwner": True,
        "allowStaffSelection": True,
        "isMeetingInviteToCustomersEnabled": False,
        "generalAvailability": {"availabilityType": "bookWhenStaffAreFree", "businessHours": []},
        "customAvailabilities": [],
    }


def location(name: str, where: dict, uri=None) -> dict:
    return {
        "displayName": name,
        "locationEmailAddress": None,
        "locationUri": uri or "",
        "locationType": None,
        "uniqueId": None,
        "uniqueIdType": None,
        "address": where,
        "coordinates": {
            "altitude": None,
            "latitude": None,
            "longitude": None,
            "accuracy": None,
            "altitudeAccuracy": None,
        },
    }


def business(box) -> dict:
    plan = box.plan
    return {
        "id": box.id,
        "displayName": box.name,
        "businessType": plan.kind,
        "phone": plan.phone,
        "email": box.id.lower(),
        "webSiteUrl": plan.site,
        "defaultCurrencyIso": box.currency,
        "isPublished": True,
        "publicUrl": f"https://bookings.sandbox.invalid/book/{box.id}/",
        "languageTag": plan.language,
        "createdDateTime": stamp(box.opened),
        "lastUpdatedDateTime": stamp(box.opened + 4321),
        "address": dict(plan.address),
        "businessHours": work_week(),
        "schedulingPolicy": scheduling_policy(),
        "bookingPageSettings": {
            "accessControl": "unrestricted",
            "bookingPageColorCode": "#2d7a6e",
            "businessTimeZone": plan.wire_zone,
            "customerConsentMessage": "",
            "enforceOneTimePassword": False,
            "isBusinessLogoDisplayEnabled": False,
            "isCustomerConsentEnabled": False,
            "isSearchEngineIndexabilityDisabled": True,
            "isTimeSlotTimeZoneSetToBusinessTimeZone": True,
            "privacyPolicyWebUrl": "",
            "termsAndConditionsWebUrl": "",
        },
    }


def service(box, service_id: str, plan, listed: bool) -> dict:
    """``plan``: the service as it is now, with its price in the currency of the business."""
    reminder = {
        "message": "We look forward to seeing you.",
        "offset": "P1D",
        "recipients": "allAttendees",
    }
    return {
        "id": service_id,
        "displayName": plan.name,
        "description": plan.description,
        "additionalInformation": "",
        "notes": "",
        "defaultDuration": iso_duration(plan.minutes),
        "defaultPrice": number(plan.price),
        "defaultPriceType": plan.price_type,
        "defaultReminders": [] if listed else [reminder],
        "defaultLocation": location("" if plan.online else box.name, dict(box.plan.address)),
        "isHiddenFromCustomers": plan.key == "legacy",
        "isLocationOnline": plan.online,
        "isAnonymousJoinEnabled": False,
        "isCustomerAllowedToManageBooking": True,
        "smsNotificationsEnabled": False,
        "languageTag": box.plan.language,
        "maximumAttendeesCount": plan.attendees,
        "preBuffer": "PT0S",
        "postBuffer": "PT10M" if not plan.online else "PT0S",
        "staffMemberIds": list(box.staff_ids),
        "customQuestions": [
            {"questionId": box.question_id(key), "isRequired": key == "payer"}
            for key in plan.questions
        ],
        "schedulingPolicy": scheduling_policy(),
        "webUrl": f"https://bookings.sandbox.invalid/book/{box.id}/s/{service_id}",
        "createdDateTime": stamp(box.opened),
        "lastUpdatedDateTime": stamp(box.edited.get(service_id, box.opened + 60)),
    }


def staff_member(box, staff_id: str, plan, unknown_members: bool) -> dict:
    """``unknown_members``: the caller sent Prefer: include-unknown-enum-members."""
    late_member = plan.role in ("scheduler", "teamMember")
    return {
        "@odata.type": "#microsoft.graph.bookingStaffMember",
        "id": staff_id,
        "displayName": plan.name,
        "emailAddress": plan.email,
        "role": "unknownFutureValue" if late_member and not unknown_members else plan.role,
        "membershipStatus": "active",
        "timeZone": box.plan.wire_zone,
        "useBusinessHours": True,
        "availabilityIsAffectedByPersonalCalendar": True,
        "isEmailNotificationEnabled": False,
        "workingHours": work_week(),
        "createdDateTime": stamp(box.opened),
        "lastUpdatedDateTime": stamp(box.opened),
    }


def customer(customer_id: str, person, created: int, edited: int) -> dict:
    where = address(person)
    phones = []
    if person.phone is not None:
        phones = [{"number": person.phone, "type": "mobile", "language": None, "region": None}]
    return {
        "@odata.type": "#microsoft.graph.bookingCustomer",
        "id": customer_id,
        "displayName": person.name,
        "emailAddress": person.email,
        "addresses": [where] if any(where.values()) else [],
        "phones": phones,
        "createdDateTime": stamp(created),
        "lastUpdatedDateTime": stamp(edited),
    }


def question(question_id: str, name: str, kind: str, options: tuple, created: int) -> dict:
    return {
        "id": question_id,
        "displayName": name,
        "answerInputType": kind,
        "answerOptions": list(options),
        "createdDateTime": stamp(created),
        "lastUpdatedDateTime": stamp(created),
    }


def currency(code: str, symbol: str) -> dict:
    return {"id": code, "symbol": symbol}


def _answer(box, key: str, text) -> dict:
    name, kind, options = box.question_texts[key]
    choice = kind == "radioButton"
    return {
        "questionId": box.question_id(key),
        "question": name,
        "answerInputType": kind,
        "answerOptions": list(options),
        "isRequired": key == "payer",
        "answer": text,
        "selectedOptions": [text] if choice and text else [],
    }


def attendee(box, who) -> dict:
    person = box.person_of(who)
    return {
        "@odata.type": "#microsoft.graph.bookingCustomerInformation",
        "customerId": who.customer,
        "name": person.name,
        "emailAddress": person.email,
        "phone": person.phone,
        "notes": who.notes,
        "timeZone": who.zone,
        "location": location("", address(person)),
        "customQuestionAnswers": [_answer(box, key, text) for key, text in who.answers],
    }


def appointment(box, visit, listed: bool) -> dict:
    """``listed``: as an item of a list, where notes and reminders never come."""
    booked_by = visit.booked_by or (visit.attendees[0] if visit.attendees else None)
    person = box.person_of(booked_by) if booked_by else None
    hidden = listed and visit.hidden_in_lists
    place = {} if visit.online else box.plan.address
    join = f"https://teams.sandbox.invalid/l/meetup-join/{visit.number}" if visit.online else None
    return {
        "id": visit.id,
        "selfServiceAppointmentId": visit.self_service,
        "additionalInformation": "",
        "isLocationOnline": visit.online,
        "joinWebUrl": join,
        "anonymousJoinWebUrl": None,
        "appointmentLabel": visit.label,
        "customerName": person.name if person else None,
        "customerEmailAddress": person.email if person else None,
        "customerPhone": person.phone if person else None,
        "customerTimeZone": (booked_by.zone if booked_by else None) or box.plan.wire_zone,
        "customerNotes": None if listed else visit.customer_notes,
        "serviceNotes": None if listed else visit.staff_notes,
        "smsNotificationsEnabled": False,
        "isCustomerAllowedToManageBooking": True,
        "optOutOfCustomerEmail": False,
        "createdDateTime": stamp(visit.created),
        "lastUpdatedDateTime": stamp(visit.updated),
        "serviceId": visit.service,
        "serviceName": visit.service_name,
        "staffMemberIds": list(visit.staff),
        "startDateTime": {"dateTime": graph_time(visit.start), "timeZone": "UTC"},
        "endDateTime": {"dateTime": graph_time(visit.end), "timeZone": "UTC"},
        "duration": iso_duration(visit.minutes),
        "preBuffer": "PT0S",
        "postBuffer": "PT0S" if visit.online else "PT10M",
        "priceType": visit.price_type,
        "price": number(visit.price),
        "maximumAttendeesCount": visit.maximum,
        "filledAttendeesCount": visit.filled,
        "reminders": [] if listed else _reminders(visit),
        "serviceLocation": location(
            "" if visit.online else box.name, {**_NOWHERE, **place}, uri=join
        ),
        "customers": [] if hidden else [attendee(box, who) for who in visit.attendees],
    }


def _reminders(visit) -> list:
    message = f"{visit.service_name} tomorrow"
    return [{"message": message, "offset": "P1D", "recipients": "allAttendees"}]
