"""Answers of Graph v1.0 with invented values, in the shape of its schema."""


def appointment(number=1, **changes):
    """A complete appointment as read by id."""
    raw = {
        "id": f"AAMkExample{number:06d}=",
        "selfServiceAppointmentId": "00000000-0000-0000-0000-000000000000",
        "serviceId": "11111111-0000-0000-0000-000000000000",
        "serviceName": "Consultation",
        "priceType": "fixedPrice",
        "price": 60.0,
        "startDateTime": {"dateTime": "2026-03-02T09:00:00.0000000Z", "timeZone": "UTC"},
        "endDateTime": {"dateTime": "2026-03-02T09:45:00.0000000Z", "timeZone": "UTC"},
        "duration": "PT45M",
        "preBuffer": "PT0S",
        "postBuffer": "PT10M",
        "createdDateTime": "2026-02-01T08:00:00Z",
        "lastUpdatedDateTime": "2026-02-02T08:00:00.1234567Z",
        "maximumAttendeesCount": 5,
        "filledAttendeesCount": 1,
        "staffMemberIds": ["99999999-0000-0000-0000-000000000000"],
        "reminders": [],
        "isLocationOnline": False,
        "optOutOfCustomerEmail": False,
        "joinWebUrl": None,
        "appointmentLabel": None,
        "serviceNotes": None,
        "customerNotes": None,
        "customerName": "Ada Example",
        "customerEmailAddress": "ada@example.com",
        "customerPhone": "",
        "customerTimeZone": "Europe/Zurich",
        "serviceLocation": {"displayName": "Main street", "address": {"city": "Bern"}},
        "customers": [attendee()],
    }
    return raw | changes


def attendee(**changes):
    """One of an appointment's customers."""
    raw = {
        "@odata.type": "#microsoft.graph.bookingCustomerInformation",
        "customerId": "22222222-0000-0000-0000-000000000000",
        "name": "Ada Example",
        "emailAddress": "ada@example.com",
        "phone": "",
        "notes": None,
        "timeZone": "Europe/Zurich",
        "location": {
            "displayName": "",
            "address": {"street": "Way 1", "city": "Bern", "countryOrRegion": ""},
            "coordinates": {"latitude": None},
        },
        "customQuestionAnswers": [
            {
                "questionId": "33333333-0000-0000-0000-000000000000",
                "question": "PO number?",
                "answerInputType": "text",
                "answerOptions": [],
                "isRequired": False,
                "answer": "PO-7",
                "selectedOptions": [],
            }
        ],
    }
    return raw | changes


def service(number=1, **changes):
    """A service."""
    raw = {
        "id": f"11111111-0000-0000-0000-{number:012d}",
        "displayName": "Consultation",
        "defaultPrice": 60.0,
        "defaultPriceType": "fixedPrice",
        "defaultDuration": "PT45M",
        "description": "What it is.",
        "maximumAttendeesCount": 1,
        "staffMemberIds": [],
    }
    return raw | changes


def customer(number=1, **changes):
    """An entry of the customer list."""
    raw = {
        "@odata.type": "#microsoft.graph.bookingCustomer",
        "id": f"22222222-0000-0000-0000-{number:012d}",
        "displayName": "Ada Example",
        "emailAddress": "ada@example.com",
        "phones": [{"type": "home", "number": ""}, {"type": "mobile", "number": "+41 31 000"}],
        "addresses": [{"street": "Way 1", "city": "Bern", "postalCode": "3000"}],
    }
    return raw | changes


def staff_member(**changes):
    """A staff member."""
    raw = {
        "@odata.type": "#microsoft.graph.bookingStaffMember",
        "id": "99999999-0000-0000-0000-000000000000",
        "displayName": "Grace Example",
        "emailAddress": "grace@example.com",
        "role": "scheduler",
    }
    return raw | changes


def business(**changes):
    """A business."""
    raw = {
        "id": "Bookings@example.com",
        "displayName": "The Example",
        "defaultCurrencyIso": "EUR",
        "languageTag": "de-CH",
        "email": "hello@example.com",
        "phone": "+41 31 111",
        "publicUrl": "https://example.com/book",
        "bookingPageSettings": {"businessTimeZone": "W. Europe Standard Time"},
    }
    return raw | changes


def question(**changes):
    """A custom question."""
    raw = {
        "id": "33333333-0000-0000-0000-000000000000",
        "displayName": "PO number?",
        "answerInputType": "radioButton",
        "answerOptions": ["yes", "no"],
    }
    return raw | changes


def page(*rows, next_link=None):
    """A page of a list."""
    link = {"@odata.nextLink": next_link} if next_link else {}
    return {
        "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#any",
        "value": list(rows),
    } | link
