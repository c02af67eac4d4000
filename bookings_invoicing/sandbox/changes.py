"""Changes in a tenant: plain JSON-able dicts, checked and then applied to a mailbox.

Every change has ``op`` and, where the tenant's first business is not meant, ``business`` (its
id). ``at`` (an ISO time) is the moment that lastUpdatedDateTime shows; without it a change counts
as made one minute after the previous state of that appointment. Times carry Z or an offset.

=============== ==================================================================================
op              keys (those in brackets may be left out)
=============== ==================================================================================
create          start, service, [appointment, minutes, price, price_type, attendees, staff, label]
                attendees: list of customer ids or {"name", "email", "phone"} (not in /customers)
move            appointment, start, [minutes]
cancel, delete  appointment (both make it vanish: Graph has no status; by id it answers 404)
restore         appointment (takes back a cancel or delete)
reprice         appointment, [price, price_type]
rename          name and exactly one of customer, service, staff
join            appointment and customer (an id) or name, [email, phone]
leave           appointment, customer (the customerId on the appointment)
label           appointment, label (text or null)
notes           appointment, notes (text or null): the internal notes, serviceNotes
reassign        appointment, staff (list of staff ids)
attendees       appointment, attendees: [{"customer", "name", "email", "phone"}] in place of all that it has
service_price   service, [price, price_type]; appointments made before keep theirs
customer_email  customer, email (text or null); shown on its appointments too
delete_customer customer (by id 404 afterwards; its appointments keep their attendee)
delete_service  service (likewise)
new_customer    values, [customer: the id it was given], as a POST of /customers says it
edit_customer   customer, values, as a PATCH says it: phones and addresses replace what is there
new_service     values, [service], as a POST of /services says it
edit_service    service, values; appointments made before keep their name, price, and duration
corrupt         record (any id), [set, unset]: malformed answers for tests, straight into the JSON
=============== ==================================================================================

``values`` are properties in Graph's words and shapes, see :mod:`.directory_changes`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from . import catalogue
from .directory_changes import PRICE_TYPES, ChangeError, card_of, lists_of, offer_of, person_of
from .ids import NO_GUID, guid, minute_of, parse_moment
from .mailbox import Mailbox
from .visits import Attendee, Visit

_KEYS = {
    "create": (
        {"start", "service"},
        {"appointment", "minutes", "price", "price_type", "attendees", "staff", "label"},
    ),
    "move": ({"appointment", "start"}, {"minutes"}),
    "cancel": ({"appointment"}, set()),
    "delete": ({"appointment"}, set()),
    "restore": ({"appointment"}, set()),
    "reprice": ({"appointment"}, {"price", "price_type"}),
    "rename": ({"name"}, {"customer", "service", "staff"}),
    "join": ({"appointment"}, {"customer", "name", "email", "phone"}),
    "leave": ({"appointment", "customer"}, set()),
    "label": ({"appointment", "label"}, set()),
    "notes": ({"appointment", "notes"}, set()),
    "reassign": ({"appointment", "staff"}, set()),
    "attendees": ({"appointment", "attendees"}, set()),
    "service_price": ({"service"}, {"price", "price_type"}),
    "customer_email": ({"customer", "email"}, set()),
    "delete_customer": ({"customer"}, set()),
    "delete_service": ({"service"}, set()),
    "new_customer": ({"values"}, {"customer"}),
    "edit_customer": ({"customer", "values"}, set()),
    "new_service": ({"values"}, {"service"}),
    "edit_service": ({"service", "values"}, set()),
    "corrupt": ({"record"}, {"set", "unset"}),
}
OPERATIONS = tuple(_KEYS)
_COMMON = {"op", "business", "at"}


def check_form(change: Mapping) -> dict:
    """The change as a dict of its own when it is well-formed; raises ChangeError."""
    if not isinstance(change, Mapping):
        raise ChangeError("a change is a dict with the key 'op'")
    operation = change.get("op")
    if operation not in _KEYS:
        raise ChangeError(f"unknown op {operation!r}; known are {', '.join(OPERATIONS)}")
    needed, allowed = _KEYS[operation]
    missing = needed - set(change)
    extra = set(change) - needed - allowed - _COMMON
    if missing:
        raise ChangeError(f"{operation} needs {', '.join(sorted(missing))}")
    if extra:
        raise ChangeError(f"{operation} does not know {', '.join(sorted(map(str, extra)))}")
    try:
        return json.loads(json.dumps(dict(change)))
    except (TypeError, ValueError) as error:
        raise ChangeError(f"{operation} holds what JSON cannot say: {error}") from error


class Changer:
    """Applies checked changes to one mailbox. A change that fails leaves the mailbox as it was."""

    def __init__(self, box: Mailbox):
        self.box = box

    def apply(self, change: dict) -> dict:
        """Apply and return the change in full (a create then holds the id it was given)."""
        getattr(self, f"_{change['op']}")(change)
        return change

    # -- reading the keys --------------------------------------------------------------------

    def _appointment(self, change: dict, live: bool = True) -> Visit:
        key = change["appointment"]
        visit = self.box.visit(key) if isinstance(key, str) else None
        if visit is None:
            raise ChangeError(f"{change['op']}: no appointment {key!r} in {self.box.id}")
        if live and key in self.box.gone:
            raise ChangeError(f"{change['op']}: appointment {key} is gone; restore it first")
        return visit

    def _minute(self, change: dict, key: str) -> int:
        try:
            return minute_of(parse_moment(change[key]))
        except (ValueError, OverflowError) as error:
            raise ChangeError(f"{change['op']}: {key}: {error}") from error

    def _minutes(self, change: dict, default: int) -> int:
        minutes = change.get("minutes", default)
        if isinstance(minutes, bool) or not isinstance(minutes, int) or not 0 < minutes <= 1440:
            raise ChangeError(f"{change['op']}: minutes is a whole number from 1 to 1440")
        return minutes

    def _price(self, change: dict) -> dict:
        """The given ones of price (Decimal) and price_type."""
        given = {}
        if "price" in change:
            try:
                price = Decimal(str(change["price"]))
            except InvalidOperation:
                price = Decimal("NaN")
            if not (price.is_finite() and 0 <= price < 10**12):
                raise ChangeError(f"{change['op']}: {change['price']!r} is not a price")
            given["price"] = price
        if "price_type" in change:
            if change["price_type"] not in PRICE_TYPES:
                raise ChangeError(f"{change['op']}: price_type is one of {', '.join(PRICE_TYPES)}")
            given["price_type"] = change["price_type"]
        return given

    def _text(self, change: dict, key: str, nullable: bool = False):
        value = change.get(key)
        if not (isinstance(value, str) or (nullable and value is None)):
            raise ChangeError(f"{change['op']}: {key} is a text" + " or null" * nullable)
        return value

    def _listed(self, change: dict, kind: str, known) -> str:
        value = change.get(kind)
        if not isinstance(value, str) or not known(value) or value in self.box.absent:
            raise ChangeError(f"{change['op']}: no {kind} {value!r} in {self.box.id}")
        return value

    def _customer(self, change: dict) -> str:
        return self._listed(change, "customer", self.box.person)

    def _service(self, change: dict) -> str:
        return self._listed(change, "service", self.box.service_plans.get)

    def _staff(self, change: dict) -> list[str]:
        staff = change.get("staff", [])
        if not isinstance(staff, list) or not set(staff) <= set(self.box.staff_ids):
            raise ChangeError(f"{change['op']}: staff is a list of ids of staff of {self.box.id}")
        return staff

    def _attendee(self, change: dict, who) -> Attendee:
        if isinstance(who, str):
            customer = self._customer({"op": change["op"], "customer": who})
            return Attendee(customer, zone=self.box.plan.zone)
        if not isinstance(who, dict) or not set(who) <= {"name", "email", "phone"}:
            raise ChangeError(f"{change['op']}: an attendee is a customer id or name, email, phone")
        filled = {"op": change["op"], "name": "", "email": None, "phone": "", **who}
        texts = [self._text(filled, key, nullable=True) for key in ("name", "email", "phone")]
        person = catalogue.Person(*texts)
        return Attendee(guid(*self.box.key, "joined", *texts), person, zone=self.box.plan.zone)

    def _edit(self, change: dict) -> Visit:
        """The appointment for writing, its lastUpdatedDateTime moved on."""
        visit = self._appointment(change)
        at = self._minute(change, "at") if "at" in change else visit.updated + 1
        visit = self.box.touch(visit)
        visit.updated = at
        return visit

    # -- the operations ----------------------------------------------------------------------

    def _create(self, change: dict) -> None:
        box = self.box
        service = self._service(change)
        plan = box.service_now(service)
        visit = Visit()
        visit.id = change.setdefault("appointment", box.next_appointment_id())
        if not isinstance(visit.id, str) or not 0 < len(visit.id) <= 255:
            raise ChangeError("create: appointment is a text of 1 to 255 letters")
        if box.visit(visit.id) is not None:
            raise ChangeError(f"create: there is already an appointment {visit.id}")
        visit.number = -1 - box.created
        visit.service, visit.service_name = service, plan.name
        visit.start = self._minute(change, "start")
        visit.minutes = self._minutes(change, plan.minutes)
        offer = {"price": plan.price, "price_type": plan.price_type, **self._price(change)}
        visit.price, visit.price_type = offer["price"], offer["price_type"]
        visit.maximum, visit.online = plan.attendees, plan.online
        visit.staff = self._staff(change)
        guests = change.get("attendees", [])
        if not isinstance(guests, list) or len(guests) > plan.attendees:
            raise ChangeError(f"create: attendees is a list of at most {plan.attendees}")
        visit.attendees = [self._attendee(change, who) for who in guests]
        visit.label = self._text(change, "label", nullable=True)
        visit.customer_notes = visit.staff_notes = visit.booked_by = None
        visit.self_service = NO_GUID
        visit.hidden_in_lists = False
        visit.created = self._minute(change, "at") if "at" in change else visit.start - 1440
        visit.updated = visit.created
        box.changed[visit.id] = visit
        box.created += 1

    def _move(self, change: dict) -> None:
        start = self._minute(change, "start")
        minutes = self._minutes(change, self._appointment(change).minutes)
        visit = self._edit(change)
        visit.start, visit.minutes = start, minutes

    def _cancel(self, change: dict) -> None:
        visit = self._edit(change)
        self.box.gone[visit.id] = change["op"]

    _delete = _cancel

    def _restore(self, change: dict) -> None:
        visit = self._appointment(change, live=False)
        if visit.id not in self.box.gone:
            raise ChangeError(f"restore: appointment {visit.id} is not gone")
        how = self.box.gone.pop(visit.id)
        try:
            self._edit(change)
        except ChangeError:
            self.box.gone[visit.id] = how
            raise

    def _reprice(self, change: dict) -> None:
        given = self._price(change)
        if not given:
            raise ChangeError("reprice needs price or price_type")
        visit = self._edit(change)
        visit.price = given.get("price", visit.price)
        visit.price_type = given.get("price_type", visit.price_type)

    def _rename(self, change: dict) -> None:
        kinds = [kind for kind in ("customer", "service", "staff") if kind in change]
        if len(kinds) != 1:
            raise ChangeError("rename needs exactly one of customer, service, staff")
        name = self._text(change, "name")
        if kinds == ["customer"]:
            key = self._customer(change)
            self.box.people[key] = self.box.person(key)._replace(name=name)
            return
        if kinds == ["service"]:
            key = self._service(change)
        else:
            key = self._listed(change, "staff", self.box.staff_ids.__contains__)
        self.box.offers.setdefault(key, {})["name"] = name

    def _join(self, change: dict) -> None:
        who = change.get("customer")
        if who is None:
            who = {key: change[key] for key in ("name", "email", "phone") if key in change}
            if not who:
                raise ChangeError("join needs a customer or a name")
        attendee = self._attendee(change, who)
        visit = self._appointment(change)
        if visit.filled >= visit.maximum:
            raise ChangeError(f"join: appointment {visit.id} is full ({visit.maximum})")
        visit = self._edit(change)
        visit.attendees.append(attendee)

    def _leave(self, change: dict) -> None:
        customers = [who.customer for who in self._appointment(change).attendees]
        if change["customer"] not in customers:
            raise ChangeError(f"leave: {change['customer']!r} is not on {change['appointment']}")
        visit = self._edit(change)
        del visit.attendees[customers.index(change["customer"])]

    def _label(self, change: dict) -> None:
        label = self._text(change, "label", nullable=True)
        self._edit(change).label = label

    def _notes(self, change: dict) -> None:
        notes = self._text(change, "notes", nullable=True)
        self._edit(change).staff_notes = notes

    def _reassign(self, change: dict) -> None:
        staff = self._staff(change)
        self._edit(change).staff = staff

    def _attendees(self, change: dict) -> None:
        guests = change["attendees"]
        if not isinstance(guests, list) or len(guests) > self._appointment(change).maximum:
            raise ChangeError("attendees: attendees is a list, not longer than there are places")
        found = []
        for guest in guests:
            if not isinstance(guest, dict) or not set(guest) <= {
                "customer",
                "name",
                "email",
                "phone",
            }:
                raise ChangeError("attendees: each has customer, name, email, phone")
            who = self._attendee(change, {key: guest[key] for key in guest if key != "customer"})
            who.customer = self._customer({"op": "attendees", "customer": guest.get("customer")})
            found.append(who)
        self._edit(change).attendees = found

    def _service_price(self, change: dict) -> None:
        given = self._price(change)
        if not given:
            raise ChangeError("service_price needs price or price_type")
        self.box.offers.setdefault(self._service(change), {}).update(given)

    def _customer_email(self, change: dict) -> None:
        key = self._customer(change)
        email = self._text(change, "email", nullable=True)
        self.box.people[key] = self.box.person(key)._replace(email=email)

    def _delete_customer(self, change: dict) -> None:
        self.box.absent.add(self._customer(change))

    def _delete_service(self, change: dict) -> None:
        self.box.absent.add(self._service(change))

    def _new_customer(self, change: dict) -> None:
        card = card_of(change["values"], new=True)
        self._stamp(change, self._next(change, "customer", self.box.next_customer_id()))
        lists = {"phones": [], "addresses": []} | lists_of(card)
        self.box.add_customer(person_of(catalogue.Person("", None), card), lists)

    def _edit_customer(self, change: dict) -> None:
        key, card = self._customer(change), card_of(change["values"])
        self._stamp(change, key)
        self.box.people[key] = person_of(self.box.person(key), card)
        self.box.cards.setdefault(key, {}).update(lists_of(card))

    def _new_service(self, change: dict) -> None:
        offer = offer_of(change["values"], new=True)
        self._stamp(change, self._next(change, "service", self.box.next_service_id()))
        self.box.add_service(offer)

    def _edit_service(self, change: dict) -> None:
        key, offer = self._service(change), offer_of(change["values"])
        self._stamp(change, key)
        self.box.offers.setdefault(key, {}).update(offer)

    def _next(self, change: dict, kind: str, key: str) -> str:
        if change.setdefault(kind, key) != key:
            raise ChangeError(f"{change['op']}: the next {kind} is {key}")
        return key

    def _stamp(self, change: dict, key: str) -> None:
        """Move the lastUpdatedDateTime of a customer or service on."""
        last = self.box.edited.get(key, self.box.opened)
        self.box.edited[key] = self._minute(change, "at") if "at" in change else last + 1

    def _corrupt(self, change: dict) -> None:
        wanted, unset = change.get("set", {}), change.get("unset", [])
        if not isinstance(wanted, dict) or not isinstance(unset, list):
            raise ChangeError("corrupt: set is a dict and unset a list of keys")
        faults = self.box.corrupt.setdefault(self._text(change, "record"), {"set": {}, "unset": []})
        faults["set"].update(wanted)
        faults["unset"].extend(unset)
