"""The records of Bookings as frozen dataclasses: strings are clean, money is Decimal, and times are in UTC.

``X.parse(raw)`` takes one object of a Graph response (v1.0, US Government, or beta names) and raises RecordError if a
needed property is invalid; ``purposes`` lists which ones are needed. A missing text is "", a missing object None.
Properties that Graph may omit (US Government schema, lists) are optional.

Sources: Graph v1.0 resource pages bookingAppointment, bookingBusiness, bookingService,
bookingStaffMember, bookingCustomer, bookingCustomerInformation, bookingCustomQuestion.

>>> raw = {"id": "AAMk=", "serviceName": "Cut", "price": 60, "priceType": "fixedPrice",
...        "startDateTime": {"dateTime": "2026-03-02T09:00:00.0000000Z", "timeZone": "UTC"},
...        "end": {"dateTime": "2026-03-02T10:45:00", "timeZone": "W. Europe Standard Time"}}
>>> booked = Appointment.parse(raw)
>>> booked.price, booked.start.isoformat(), booked.end.isoformat()
(Decimal('60'), '2026-03-02T09:00:00+00:00', '2026-03-02T09:45:00+00:00')
"""

import json
import marshal
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from hashlib import blake2b

from . import fields
from .errors import RecordError
from .fields import count, flag, identifier, identifiers, link, money, note, obj, objects, text
from .record import Record, each, inside
from .times import duration, moment, stamp, zone

PRICE_TYPES = (
    *("fixedPrice", "startingAt", "hourly", "free", "priceVaries", "callUs"),
    *("notSet", "undefined", "unknown"),
)
_PRICE_TYPES = frozenset(PRICE_TYPES)
_PRICED = frozenset({"fixedPrice", "startingAt", "hourly"})
_NEVER = datetime.min.replace(tzinfo=timezone.utc)


def _price_type(raw: dict, key: str) -> str:
    value = raw.get(key)
    if value is None:
        return "unknown"
    if type(value) is not str:
        raise RecordError(key, "is not text")
    return value if value in _PRICE_TYPES else "unknown"


@dataclass(frozen=True, slots=True)
class Address(Record):
    """A postal address as entered; ``country`` is free text."""

    street: str
    city: str
    state: str
    postal_code: str
    country: str

    @classmethod
    def _read(cls, raw: dict) -> "Address | None":
        """Return the address, or None if it is empty."""
        street = text(raw, "street")
        city = text(raw, "city")
        state = text(raw, "state")
        code = text(raw, "postalCode")
        country = text(raw, "countryOrRegion")
        if street or city or state or code or country:
            return cls(street, city, state, code, country)
        return None

    def __str__(self):
        return ", ".join(
            part
            for part in (self.street, f"{self.postal_code} {self.city}".strip(), self.country)
            if part
        )


@dataclass(frozen=True, slots=True)
class Business(Record):
    """A booking calendar. ``id`` is its mailbox address, ``currency`` ISO 4217 or None, ``time_zone`` IANA or None.

    In the list of businesses, only ``id`` and ``name`` are filled.
    """

    id: str
    name: str
    currency: str | None
    time_zone: str | None
    language: str
    email: str
    phone: str
    public_url: str

    @classmethod
    def _read(cls, raw: dict) -> "Business":
        return cls(
            id=identifier(raw),
            name=text(raw, "displayName"),
            currency=fields.currency(raw, "defaultCurrencyIso"),
            time_zone=_page_zone(raw) or None,
            language=text(raw, "languageTag"),
            email=text(raw, "email"),
            phone=text(raw, "phone"),
            public_url=link(raw, "publicUrl"),
        )


def _page_zone(raw: dict) -> str:
    page = obj(raw, "bookingPageSettings")
    return inside("bookingPageSettings", zone, page, "businessTimeZone")


@dataclass(frozen=True, slots=True)
class Service(Record):
    """A service of the business. ``price`` is in the business's currency; ``duration`` is None if missing."""

    id: str
    name: str
    price: Decimal
    price_type: str
    duration: timedelta | None
    description: str
    max_attendees: int
    staff_ids: tuple[str, ...]

    @classmethod
    def _read(cls, raw: dict) -> "Service":
        price_type = _price_type(raw, "defaultPriceType")
        return cls(
            id=identifier(raw),
            name=text(raw, "displayName"),
            price=money(raw, "defaultPrice", required=price_type in _PRICED),
            price_type=price_type,
            duration=duration(raw, "defaultDuration"),
            description=note(raw, "description"),
            max_attendees=count(raw, "maximumAttendeesCount"),
            staff_ids=identifiers(raw, "staffMemberIds"),
        )


@dataclass(frozen=True, slots=True)
class StaffMember(Record):
    """A staff member. ``role`` is Graph's value."""

    id: str
    name: str
    email: str
    role: str

    @classmethod
    def _read(cls, raw: dict) -> "StaffMember":
        return cls(
            identifier(raw), text(raw, "displayName"), text(raw, "emailAddress"), text(raw, "role")
        )


@dataclass(frozen=True, slots=True)
class Customer(Record):
    """An entry of the business's customer list, with its first phone number and address that are not empty."""

    id: str
    name: str
    email: str
    phone: str
    address: Address | None

    @classmethod
    def _read(cls, raw: dict) -> "Customer":
        addresses = (Address.parse(item) for item in objects(raw, "addresses"))
        return cls(
            identifier(raw),
            text(raw, "displayName"),
            text(raw, "emailAddress"),
            _phone(raw),
            next(filter(None, addresses), None),
        )


def _phone(raw: dict) -> str:
    phones = objects(raw, "phones")
    numbers = inside("phones", lambda: [text(item, "number") for item in phones])
    return next(filter(None, numbers), "")


@dataclass(frozen=True, slots=True)
class Question(Record):
    """A custom question of the booking page. ``answer_type`` is ``text``, ``radioButton``, or another value of Graph."""

    id: str
    question: str
    answer_type: str
    options: tuple[str, ...]

    @classmethod
    def _read(cls, raw: dict) -> "Question":
        options = raw.get("answerOptions") or []
        if type(options) is not list:
            raise RecordError("answerOptions", "is not a list")
        options = tuple(text({"answerOptions": option}, "answerOptions") for option in options)
        return cls(
            identifier(raw),
            text(raw, "displayName", fields.LONGEST_LINE),
            text(raw, "answerInputType"),
            options,
        )


@dataclass(frozen=True, slots=True)
class Answer(Record):
    """An attendee's answer to a custom question."""

    question_id: str
    question: str
    text: str

    @classmethod
    def _read(cls, raw: dict) -> "Answer":
        return cls(
            identifier(raw, "questionId", required=False),
            text(raw, "question", fields.LONGEST_LINE),
            note(raw, "answer"),
        )


@dataclass(frozen=True, slots=True)
class Attendee(Record):
    """One customer of one appointment, as entered when booking. ``customer_id`` may be missing in the customer list.
    ``time_zone`` is IANA or "".
    """

    customer_id: str
    name: str
    email: str
    phone: str
    notes: str
    address: Address | None
    time_zone: str
    answers: tuple[Answer, ...]

    @classmethod
    def _read(cls, raw: dict) -> "Attendee":
        answers = raw.get("customQuestionAnswers")
        return cls(
            identifier(raw, "customerId", required=False),
            text(raw, "name"),
            text(raw, "emailAddress"),
            text(raw, "phone"),
            note(raw, "notes"),
            _address(raw, "location") if raw.get("location") else None,
            zone(raw, "timeZone"),
            each(raw, "customQuestionAnswers", Answer) if answers else (),
        )


def _address(raw: dict, key: str) -> Address | None:
    """Return the address of a location, or None."""
    address = inside(key, obj, obj(raw, key), "address")
    return Address.parse(address) if address else None


def _attendees(raw: dict) -> tuple[Attendee, ...]:
    """Return the ``customers``, or else the customer in the appointment's own properties."""
    if raw.get("customers"):
        return each(raw, "customers", Attendee)
    objects(raw, "customers")
    try:
        alone = Attendee.parse({name: raw.get(key) for name, key in _ALONE.items()})
    except RecordError as problem:
        raise RecordError(_ALONE[problem.field], problem.problem) from None
    return (alone,) if alone.customer_id or alone.name or alone.email else ()


# properties of an attendee, and of an appointment without a list of customers
_ALONE = {
    "customerId": "customerId",
    "name": "customerName",
    "emailAddress": "customerEmailAddress",
    "phone": "customerPhone",
    "notes": "customerNotes",
    "location": "customerLocation",
    "timeZone": "customerTimeZone",
}


# Properties of an appointment that are read here, without staff notes, links, and times of edits.
_CONTENT = (
    *("serviceId", "serviceName", "startDateTime", "start", "endDateTime", "end"),
    *("priceType", "staffMemberIds", "appointmentLabel", "isLocationOnline"),
    *("serviceLocation", "customers", "customerId", "customerName", "customerEmailAddress"),
    *("customerPhone", "customerNotes", "customerLocation", "customerTimeZone"),
)
_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode
_PLAIN = 2  # the marshal format that depends only on values, not on object identity


def digest_of(raw: dict) -> str:
    """Return 32 hexadecimal digits. If they are unchanged, the appointment need not be parsed.

    If they changed, the content may still be equal, for example in another order. In lists without customers, the time
    of the last edit is used instead. The digest is "" if that is missing, too, or if the appointment is nested too
    deeply.
    """
    content = list(map(raw.get, _CONTENT))
    if not raw.get("customers"):
        edited = raw.get("lastUpdatedDateTime")
        if not edited:
            return ""
        content.append(edited)
    content.append(str(raw.get("price")))  # a Decimal, which marshal does not know
    try:
        data = marshal.dumps(content, _PLAIN)
    except ValueError:
        try:
            data = _encode(content).encode("ascii")
        except RecursionError:
            return ""
    return blake2b(data, digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Appointment(Record):
    """An appointment with all its attendees.

    ``start`` <= ``end``, both aware and in UTC. ``price`` is the only price of the appointment in Graph, in the
    business's currency; it is 0 if ``price_type`` has no price. ``max_attendees`` and ``filled_attendees`` are 0 if
    missing. ``created`` and ``last_updated`` are None in the US Government clouds. There is no status: a canceled
    appointment no longer exists in Graph.
    """

    id: str
    service_id: str
    service_name: str
    start: datetime
    end: datetime
    price: Decimal
    price_type: str
    attendees: tuple[Attendee, ...]
    staff_ids: tuple[str, ...]
    label: str
    service_notes: str
    customer_notes: str
    online: bool
    place: str
    join_url: str
    created: datetime | None
    last_updated: datetime | None
    max_attendees: int
    filled_attendees: int
    customer_time_zone: str
    digest: str = field(default="", compare=False)

    @classmethod
    def _read(cls, raw: dict, digest: str | None = None) -> "Appointment":
        price_type = _price_type(raw, "priceType")
        start = moment(raw, "startDateTime", "start")
        end = moment(raw, "endDateTime", "end")
        if end < start:
            raise RecordError("endDateTime", "is before the start")
        return cls(
            identifier(raw),
            identifier(raw, "serviceId", required=False),
            text(raw, "serviceName"),
            start,
            end,
            money(raw, "price", required=price_type in _PRICED),
            price_type,
            _attendees(raw),
            identifiers(raw, "staffMemberIds"),
            text(raw, "appointmentLabel"),
            note(raw, "serviceNotes"),
            note(raw, "customerNotes"),
            flag(raw, "isLocationOnline"),
            _place(raw) if raw.get("serviceLocation") else "",
            link(raw, "joinWebUrl") or link(raw, "onlineMeetingUrl"),
            stamp(raw, "createdDateTime"),
            stamp(raw, "lastUpdatedDateTime"),
            count(raw, "maximumAttendeesCount"),
            count(raw, "filledAttendeesCount"),
            zone(raw, "customerTimeZone"),
            digest_of(raw) if digest is None else digest,
        )


def _place(raw: dict) -> str:
    location = obj(raw, "serviceLocation")
    if name := inside("serviceLocation", text, location, "displayName"):
        return name
    address = _address(raw, "serviceLocation")
    return str(address) if address else ""


def freshness(record) -> datetime:
    """Return when a record was last changed, if Graph states it, to choose between duplicates."""
    return getattr(record, "last_updated", None) or _NEVER
