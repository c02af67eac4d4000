"""Appointments and customers of one mailbox, each made from its number alone."""

from __future__ import annotations

import copy
from decimal import Decimal

from . import catalogue
from .ids import NO_GUID, Dice, guid, minute_of

_NOTES = (
    "Please use the back entrance.",
    "Running about five minutes late.",
    "Follow-up on the last visit; <b>bring X-rays</b>.",
    "Same invoice address as last time, please.",
)
_STAFF_NOTES = (
    "Prefers treatment room 2.",
    "Ask for the referral letter.",
    "Discount agreed with reception.",
)
_AIMS = ("Shoulder pain", "Sore back after moving house", "Training for a marathon", "")
_SIZE_OF_CYCLE = 60


class Attendee:
    """A person on an appointment: a listed customer (``customer`` = its id) or one in full."""

    __slots__ = ("customer", "person", "notes", "answers", "zone")

    def __init__(self, customer, person=None, notes=None, answers=(), zone=None):
        self.customer = customer
        self.person = person
        self.notes = notes
        self.answers = answers
        self.zone = zone

    def copy(self) -> Attendee:
        return copy.copy(self)


class Visit:
    """One appointment before it is written as JSON. Times are minutes since 1970, UTC."""

    __slots__ = (
        "id",
        "number",
        "service",
        "service_name",
        "start",
        "minutes",
        "price",
        "price_type",
        "maximum",
        "attendees",
        "staff",
        "label",
        "online",
        "customer_notes",
        "staff_notes",
        "created",
        "updated",
        "self_service",
        "hidden_in_lists",
        "booked_by",
    )

    @property
    def end(self) -> int:
        return self.start + self.minutes

    @property
    def filled(self) -> int:
        """Places taken: also by somebody whom only the top-level fields name."""
        return len(self.attendees) or int(self.booked_by is not None)

    def copy(self) -> Visit:
        twin = copy.copy(self)
        twin.attendees = [attendee.copy() for attendee in self.attendees]
        twin.staff = list(self.staff)
        return twin


class VisitMaker:
    """Makes visit ``number`` of a mailbox; holds only what all visits share."""

    def __init__(self, box):
        self.box = box
        self.key = box.key
        plan = box.plan
        self.services = list(zip(box.service_ids, plan.services, strict=True))
        self.cycle = self._cycle(plan)
        self.offset = {name: Dice(*self.key, "offset", name).below(prime) for name, prime in _RARE}
        self.midnight = minute_of(box.calendar_midnight)

    def _cycle(self, plan) -> list[int]:
        slots = [index for index, service in enumerate(plan.services) for _ in range(service.share)]
        repeated = (slots * (_SIZE_OF_CYCLE // len(slots) + 1))[:_SIZE_OF_CYCLE]
        return Dice(*self.key, "cycle").shuffled(repeated)

    def rare(self, name: str, number: int) -> bool:
        prime = _RARE_EVERY[name]
        return number % prime == self.offset[name] % prime

    def make(self, number: int) -> Visit:
        dice = Dice(*self.key, "visit", number)
        service_id, plan = self.services[self.cycle[number % len(self.cycle)]]
        visit = Visit()
        visit.number = number
        visit.id = self.box.appointment_id(number)
        visit.service, visit.service_name = service_id, plan.name
        visit.start = self.box.calendar.start(number)
        visit.minutes = plan.minutes
        if plan.price_type == "hourly":
            visit.minutes += dice.pick((0, 0, 10, 25, 40))
        elif self._around_clock_change(visit.start):
            visit.minutes = max(visit.minutes, 90)
        visit.price_type = plan.price_type
        visit.price = self._price(plan, number, dice)
        visit.maximum = plan.attendees
        visit.online = plan.online or dice.chance(9)
        visit.staff = self._staff(number, dice)
        self._add_people(visit, plan, number, dice)
        self._add_texts(visit, number, dice)
        self._add_history(visit, dice)
        return visit

    def _around_clock_change(self, start: int) -> bool:
        return start % 1440 == 30

    def _price(self, plan, number: int, dice: Dice) -> Decimal:
        price = catalogue.price_in(self.box.currency, plan.price)
        agreed = self.rare("agreed price", number)
        if agreed and plan.price_type == "fixedPrice":
            cut = catalogue.price_in(self.box.currency, Decimal(dice.below(900) + 5) / 100)
            return price - cut
        return price

    def _staff(self, number: int, dice: Dice) -> list[str]:
        if self.rare("no staff", number):
            return []
        chosen = dice.shuffled(self.box.staff_ids)
        return chosen[: 2 if dice.chance(10) else 1]

    def _add_people(self, visit, plan, number: int, dice: Dice) -> None:
        visit.attendees, visit.booked_by = [], None
        top_level_only = self.rare("top level only", number)
        visit.hidden_in_lists = dice.below(1000) < self.box.empty_customers * 1000
        if plan.attendees > 1:
            visit.attendees = self._group(plan, number, dice)
        elif top_level_only:
            visit.booked_by = self._attendee(plan, number, dice, listed=True)
        elif not self.rare("nobody", number):
            listed = not self.rare("synthetic", number)
            visit.attendees = [self._attendee(plan, number, dice, listed)]

    def _group(self, plan, number: int, dice: Dice) -> list[Attendee]:
        wanted = 2 + dice.below(plan.attendees - 1)
        people = [self._attendee(plan, number, dice, listed=True)]
        while len(people) < wanted:
            people.append(self._attendee(plan, number, dice, listed=not dice.chance(8)))
        listed, seen = [], set()
        for attendee in people:
            if attendee.customer not in seen:
                seen.add(attendee.customer)
                listed.append(attendee)
        if dice.chance(3) and len(listed) < plan.attendees:
            # A parent who signs up twice under one customer: two seats, one customer id.
            listed.append(listed[0].copy())
        return listed

    def _attendee(self, plan, number: int, dice: Dice, listed: bool) -> Attendee:
        zone = self.box.plan.zone if not dice.chance(12) else dice.pick(_OTHER_ZONES)
        notes = dice.pick(_NOTES) if dice.chance(6) else None
        if listed:
            who = dice.below(self.box.customer_count)
            attendee = Attendee(self.box.customer_id(who), None, notes, zone=zone)
        else:
            draw = dice.below(10**6)
            attendee = Attendee(guid(*self.key, "walk-in", draw), walk_in(draw), notes, zone=zone)
        attendee.answers = self._answers(plan, dice)
        return attendee

    def _answers(self, plan, dice: Dice) -> tuple:
        company, vat = dice.pick(catalogue.COMPANIES)
        on_company = dice.chance(3)
        texts = {
            "company": company if on_company else "",
            "vat": vat if on_company else "",
            "po": f"PO-{dice.below(9000) + 1000}" if on_company and dice.chance(2) else None,
            "payer": "My employer" if on_company else dice.pick(("I pay myself", "My insurance")),
            "aim": dice.pick(_AIMS),
        }
        return tuple((key, texts[key]) for key in plan.questions)

    def _add_texts(self, visit, number: int, dice: Dice) -> None:
        past = visit.end < self.midnight
        visit.label = None
        if self.rare("label", number):
            labels = catalogue.LABELS if past else ("VIP", "Free of charge", "Bill to employer")
            visit.label = labels[number // _RARE_EVERY["label"] % len(labels)]
        visit.customer_notes = dice.pick(_NOTES) if dice.chance(5) else None
        visit.staff_notes = dice.pick(_STAFF_NOTES) if dice.chance(6) else None
        by_customer = visit.maximum == 1 and dice.chance(2)
        visit.self_service = guid(*self.key, "self service", number) if by_customer else NO_GUID

    def _add_history(self, visit, dice: Dice) -> None:
        seen_from = min(visit.start, self.midnight)
        visit.created = seen_from - 1440 * (1 + dice.below(20)) - dice.below(600)
        visit.updated = visit.created + dice.below(1400)


def walk_in(draw: int) -> catalogue.Person:
    """Somebody whom the business never made a customer of."""
    first = catalogue.FIRST_NAMES[draw % len(catalogue.FIRST_NAMES)]
    last = catalogue.LAST_NAMES[draw // 37 % len(catalogue.LAST_NAMES)]
    email = f"gaest{draw}@besked.example" if draw % 5 else None
    return catalogue.Person(f"{first} {last}", email, f"+45 9{draw % 10**7:07d}")


def customer_at(number: int, people: tuple) -> catalogue.Person:
    """Customer ``number`` of a business: first the ones of the catalogue, then made-up ones."""
    if number < len(people):
        return people[number]
    firsts, lasts = catalogue.FIRST_NAMES, catalogue.LAST_NAMES
    first, last = firsts[number % len(firsts)], lasts[number // len(firsts) % len(lasts)]
    city, postcode, country = catalogue.TOWNS[number % len(catalogue.TOWNS)]
    street = f"{catalogue.STREETS[number % len(catalogue.STREETS)]} {number % 97 + 1}"
    email = f"kunde{number}@fjordmail.example"
    phone = f"+45 {20000000 + number * 7919 % 79999999}"
    return catalogue.Person(f"{first} {last}", email, phone, street, city, postcode, country)


_OTHER_ZONES = ("Europe/London", "Romance Standard Time", "America/New_York", None)
_RARE = (
    ("top level only", 59),
    ("nobody", 89),
    ("synthetic", 11),
    ("agreed price", 13),
    ("no staff", 23),
    ("label", 7),
)
_RARE_EVERY = dict(_RARE)
