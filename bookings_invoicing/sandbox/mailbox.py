"""One Bookings business: what it was generated with, and what has been changed in it since."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator

from . import catalogue, shapes
from .calendar_plan import CalendarPlan
from .ids import (
    MAX_NUMBER,
    Dice,
    appointment_id,
    appointment_number,
    guid,
    mailbox_prefix,
    minute_of,
)
from .record_cache import shared_cache
from .visits import Visit, VisitMaker, customer_at
from .wire import dumps

_CUSTOMER_FACTOR = 0x9E3779B97F4B  # odd, so that multiplying modulo 2**48 can be undone
_CUSTOMER_BACK = pow(_CUSTOMER_FACTOR, -1, 1 << 48)
_FIRST_CREATED = MAX_NUMBER // 2


class Mailbox:
    """A booking mailbox. Nothing but the changes is kept: appointments are made when asked for."""

    def __init__(
        self,
        plan,
        seed,
        anchor: dt.date,
        size: int,
        currency: str,
        customers: int,
        empty_customers: float,
    ):
        self.plan = plan
        self.key = (seed, plan.key)
        self.id = plan.mailbox
        self.name = plan.name
        self.currency = currency
        self.empty_customers = empty_customers
        self.customer_count = customers
        self.calendar_midnight = dt.datetime.combine(anchor, dt.time(), dt.timezone.utc)
        self.opened = minute_of(self.calendar_midnight) - 1440 * 400
        self.service_ids = [guid(*self.key, "service", item.key) for item in plan.services]
        self.service_plans = dict(zip(self.service_ids, plan.services, strict=True))
        self.staff_ids = [guid(*self.key, "staff", item.key) for item in plan.staff]
        self.question_texts = {key: (name, kind, opts) for key, name, kind, opts in plan.questions}
        self._question_ids = {key: guid(*self.key, "question", key) for key in self.question_texts}
        self._mask = Dice(*self.key, "customers").below(1 << 48)
        self._prefix = mailbox_prefix(*self.key, "mailbox")
        self.calendar = CalendarPlan(self.key, anchor, size, plan.zone)
        self._maker = VisitMaker(self)
        self.changed: dict[str, Visit] = {}
        self.gone: dict[str, str] = {}
        self.people: dict[str, catalogue.Person] = {}
        self.cards: dict[str, dict] = {}  # phones and addresses that were written, by customer
        self.customers_made = 0
        self.edited: dict[str, int] = {}
        self.offers: dict[str, dict] = {}
        self.absent: set[str] = set()
        self.corrupt: dict[str, dict] = {}
        self.created = 0
        self._touched: set[int] = set()
        self._cache = shared_cache(*self.key, anchor, size, currency, customers, empty_customers)

    @property
    def size(self) -> int:
        return self.calendar.size

    # -- ids ---------------------------------------------------------------------------------

    def appointment_id(self, number: int) -> str:
        return appointment_id(self._prefix, number)

    def next_appointment_id(self) -> str:
        return self.appointment_id(_FIRST_CREATED + self.created)

    def question_id(self, key: str) -> str:
        return self._question_ids[key]

    def customer_id(self, number: int) -> str:
        tail = (number * _CUSTOMER_FACTOR & (1 << 48) - 1) ^ self._mask
        return f"{guid(*self.key, 'customer', number)[:24]}{tail:012x}"

    def customer_number(self, customer_id: str) -> int | None:
        try:
            tail = int(customer_id[24:], 16) ^ self._mask
        except ValueError:
            return None
        number = tail * _CUSTOMER_BACK & (1 << 48) - 1
        last = self.customer_count + self.customers_made
        known = number < last and self.customer_id(number) == customer_id.lower()
        return number if known else None

    # -- people ------------------------------------------------------------------------------

    def person(self, customer_id: str) -> catalogue.Person | None:
        """The customer as the business knows it now; None when it never was one of /customers."""
        if customer_id in self.people:
            return self.people[customer_id]
        number = self.customer_number(customer_id)
        return None if number is None else customer_at(number, self.plan.people)

    def person_of(self, attendee) -> catalogue.Person:
        return attendee.person or self.person(attendee.customer)

    def customer_ids(self, start: int = 0) -> Iterator[str]:
        for number in range(start, self.customer_count + self.customers_made):
            customer_id = self.customer_id(number)
            if customer_id not in self.absent:
                yield customer_id

    def next_customer_id(self) -> str:
        return self.customer_id(self.customer_count + self.customers_made)

    def add_customer(self, person: catalogue.Person, card: dict) -> None:
        customer_id = self.next_customer_id()
        self.customers_made += 1
        self.people[customer_id], self.cards[customer_id] = person, card

    # -- services ----------------------------------------------------------------------------

    def next_service_id(self) -> str:
        return guid(*self.key, "service made", len(self.service_ids))

    def add_service(self, offer: dict) -> None:
        service_id = self.next_service_id()
        self.service_plans[service_id] = catalogue.MADE_SERVICE
        self.offers[service_id] = offer
        self.service_ids.append(service_id)

    # -- appointments ------------------------------------------------------------------------

    def visit(self, appointment: str) -> Visit | None:
        """The appointment by its case-sensitive id, also when it is gone; None when unknown."""
        if appointment in self.changed:
            return self.changed[appointment]
        number = appointment_number(self._prefix, appointment)
        if number is None or number >= self.size:
            return None
        return self._maker.make(number)

    def live_visit(self, appointment: str) -> Visit | None:
        return None if appointment in self.gone else self.visit(appointment)

    def touch(self, visit: Visit) -> Visit:
        """A copy of the appointment that changes may write on, kept from now on."""
        if visit.id not in self.changed:
            self.changed[visit.id] = visit.copy()
            self._touched.add(visit.number)
        return self.changed[visit.id]

    def scan(self, start=None, end=None, position: int = 0) -> Iterator[tuple[int, Visit]]:
        """(position, visit) of all that overlap [start, end) in minutes; positions only grow.

        Overlap as in Exchange calendar views: ends after start and begins before end.
        """
        for number in self._numbers(start, end, position):
            visit = self._maker.make(number)
            if start is None or visit.end > start:
                yield number, visit
        yield from self._scan_changed(start, end, position)

    def scan_json(self, start=None, end=None, position: int = 0):
        """As :meth:`scan`, but (position, function that gives the JSON in a list as bytes)."""
        for number in self._numbers(start, end, position):
            entry = self._cache.get(number)
            visit = None if entry else self._maker.make(number)
            if start is None or (entry or visit).end > start:
                yield number, functools.partial(self._listed_json, number, entry, visit)
        for place, visit in self._scan_changed(start, end, position):
            yield place, functools.partial(self._written, visit)

    def _numbers(self, start, end, position: int) -> Iterator[int]:
        """Numbers of unchanged appointments that begin before ``end``, from ``position`` on."""
        if start is None:
            numbers = range(self.size)
        else:
            numbers = self.calendar.numbers_between(start, end)
        for number in numbers[max(0, position - numbers.start) :]:
            if number in self._touched:
                continue
            if start is None or self.calendar.may_overlap(number, start, end):
                yield number

    def _scan_changed(self, start, end, position: int) -> Iterator[tuple[int, Visit]]:
        changed = list(self.changed.values())
        for index in range(max(0, position - self.size), len(changed)):
            visit = changed[index]
            inside = start is None or (visit.end > start and visit.start < end)
            if inside and visit.id not in self.gone:
                yield self.size + index, visit

    def _written(self, visit: Visit) -> bytes:
        return dumps(self.appointment_json(visit, listed=True))

    def _listed_json(self, number: int, entry, visit) -> bytes:
        if entry is not None:
            other = any(customer in self.people for customer in entry.customers)
            if not other and not self.corrupt:
                return self._cache.body(entry)
            return self._written(self._maker.make(number))
        body = self._written(visit)
        if not self.people and not self.corrupt:
            self._cache.put(number, visit, body)
        return body

    # -- Graph shapes ------------------------------------------------------------------------

    def spoil(self, record: dict) -> dict:
        """Apply what a test corrupted on purpose; untouched tenants answer nothing malformed."""
        faults = self.corrupt.get(record["id"])
        if faults:
            record = {key: value for key, value in record.items() if key not in faults["unset"]}
            record.update(faults["set"])
        return record

    def business_json(self) -> dict:
        return self.spoil(shapes.business(self))

    def appointment_json(self, visit: Visit, listed: bool) -> dict:
        return self.spoil(shapes.appointment(self, visit, listed))

    def service_now(self, service_id: str) -> catalogue.ServicePlan | None:
        """The service as it is now, with its price in the currency of the business; None when there is none."""
        plan = self.service_plans.get(service_id)
        if plan is None or service_id in self.absent:
            return None
        now = {"price": catalogue.price_in(self.currency, plan.price)}
        return plan._replace(**now | self.offers.get(service_id, {}))

    def service_json(self, service_id: str, listed: bool) -> dict | None:
        plan = self.service_now(service_id)
        return plan and self.spoil(shapes.service(self, service_id, plan, listed))

    def staff_json(self, staff_id: str, unknown_members: bool) -> dict | None:
        if staff_id not in self.staff_ids or staff_id in self.absent:
            return None
        plan = self.plan.staff[self.staff_ids.index(staff_id)]
        name = self.offers.get(staff_id, {}).get("name", plan.name)
        plan = plan._replace(name=name)
        return self.spoil(shapes.staff_member(self, staff_id, plan, unknown_members))

    def customer_json(self, customer_id: str) -> dict | None:
        person = self.person(customer_id)
        if person is None or customer_id in self.absent:
            return None
        edited = self.edited.get(customer_id, self.opened)
        record = shapes.customer(customer_id, person, self.opened, edited)
        return self.spoil(record | self.cards.get(customer_id, {}))

    def question_json(self, key: str) -> dict:
        name, kind, options = self.question_texts[key]
        return self.spoil(shapes.question(self.question_id(key), name, kind, options, self.opened))
