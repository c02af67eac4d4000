"""A Microsoft 365 tenant with Bookings businesses, as a pure function of a few plain values.

What it is: ``Tenant(seed, anchor, size, currency, changes)`` is the same tenant in every process
and on every day; there is no clock in it. ``anchor`` is the tenant's today: appointments lie from
75 days before it to 21 days after.

How to use it: hand it to :func:`bookings_invoicing.sandbox.app.make_app`; edit it with
:meth:`Tenant.apply` and keep what that returns (JSON-able) to build the same tenant elsewhere.

How it works: an appointment is made from its number when it is asked for, so a tenant of 100,000
appointments costs no more memory than one of a hundred; only changed appointments are kept.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from . import catalogue, shapes
from .changes import ChangeError, Changer, check_form
from .ids import minute_after, minute_of, moment
from .mailbox import Mailbox

TENANT_ID = "5a4db0c5-0000-4000-8000-000000000001"
CLIENT_ID = "5a4db0c5-0000-4000-8000-000000000002"
CLIENT_SECRET = "sandbox-secret-that-everybody-may-know"
DEFAULT_SIZE = 120
DEFAULT_CUSTOMERS = 40
_SIDE_SIZE = 18


class Tenant:
    """The tenant. Properties without a business speak of the first one (the clinic).

    seed             any int or str
    anchor           date: the tenant's today
    size             number of appointments of the first business; None = 120
    currency         ISO 4217 code of the first business; the second one has DKK (EUR beside DKK)
    changes          dicts as :mod:`bookings_invoicing.sandbox.changes` describes, applied in order
    keep             called with each change that a request makes (PATCH), to be stored
    customers        number of customers of the first business; None = 40, or a tenth of ``size``
    empty_customers  share (0 to 1) of appointments whose ``customers`` is empty in lists

    Raises ChangeError for a change that cannot be made, naming its place.
    """

    def __init__(
        self,
        seed=1,
        anchor: dt.date | str | None = None,
        size: int | None = None,
        currency: str = "EUR",
        changes: Iterable[Mapping] = (),
        *,
        keep: Callable[[dict], None] | None = None,
        customers: int | None = None,
        empty_customers: float = 0.1,
    ):
        if isinstance(anchor, str):
            anchor = dt.date.fromisoformat(anchor)
        if not isinstance(anchor, dt.date) or isinstance(anchor, dt.datetime):
            raise TypeError("anchor is the date that is the tenant's today; it has no clock")
        self.seed = seed
        self.anchor = anchor
        self.currency = currency
        self.version = 0
        self.keep = keep or (lambda change: None)
        if customers is None:
            customers = DEFAULT_CUSTOMERS if size is None else max(DEFAULT_CUSTOMERS, size // 10)
        main, side = catalogue.BUSINESSES
        main_size = DEFAULT_SIZE if size is None else size
        other = "EUR" if currency == "DKK" else "DKK"
        self.mailboxes = [
            Mailbox(main, seed, anchor, main_size, currency, customers, empty_customers),
            Mailbox(side, seed, anchor, _SIDE_SIZE, other, len(side.people), empty_customers),
        ]
        self._by_id = {box.id.lower(): box for box in self.mailboxes}
        self.changes: list[dict] = []
        for place, change in enumerate(changes):
            try:
                self.apply(change)
            except ChangeError as error:
                raise ChangeError(f"change {place}: {error}") from error

    # -- changing ----------------------------------------------------------------------------

    def apply(self, change: Mapping) -> dict:
        """Make one change; returns it in full (JSON-able), to be stored and given to ``changes``.

        Raises ChangeError and changes nothing when the tenant cannot do that.
        """
        change = check_form(change)
        box = self.mailbox(change.get("business"))
        if box is None:
            raise ChangeError(f"{change['op']}: no business {change['business']!r}")
        Changer(box).apply(change)
        self.changes.append(change)
        self.version += 1
        return change

    # -- reading -----------------------------------------------------------------------------

    def mailbox(self, business_id: str | None = None) -> Mailbox | None:
        """The mailbox of a business id in any case; the first one for None; None when unknown."""
        if business_id is None:
            return self.mailboxes[0]
        return self._by_id.get(business_id.lower()) if isinstance(business_id, str) else None

    @property
    def business_id(self) -> str:
        return self.mailboxes[0].id

    @property
    def businesses(self) -> list[dict]:
        return [box.business_json() for box in self.mailboxes]

    @property
    def services(self) -> list[dict]:
        return self.services_of(None)

    def services_of(self, business_id: str | None) -> list[dict]:
        """Services as read by id (with defaultReminders), without deleted ones."""
        box = self.mailbox(business_id)
        found = (box.service_json(key, False) for key in box.service_ids)
        return [record for record in found if record is not None]

    @property
    def staff(self) -> list[dict]:
        box = self.mailbox()
        return [box.staff_json(key, True) for key in box.staff_ids]

    @property
    def customers(self) -> list[dict]:
        box = self.mailbox()
        return [box.customer_json(key) for key in box.customer_ids()]

    @property
    def questions(self) -> list[dict]:
        box = self.mailbox()
        return [box.question_json(key) for key in box.question_texts]

    @property
    def currencies(self) -> list[dict]:
        return [shapes.currency(code, symbol) for code, symbol in catalogue.CURRENCIES]

    @property
    def appointments(self) -> list[dict]:
        return list(self.iter_appointments())

    def iter_appointments(self, business_id: str | None = None) -> Iterator[dict]:
        """All appointments that exist, each as read by id."""
        box = self.mailbox(business_id)
        for _, visit in box.scan():
            yield box.appointment_json(visit, listed=False)

    # -- for oracles -------------------------------------------------------------------------

    def expected_bookings(
        self,
        business_id: str | None = None,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
    ) -> Iterator[dict]:
        """One plain dict per attendee of every appointment that overlaps [start, end).

        ``attendees`` is the number on the appointment; an appointment without any gives one dict
        with ``position`` None (``customer_id`` None; name and e-mail of the top-level fields, if
        any). Times are aware UTC datetimes, ``price`` is a Decimal.
        """
        box = self.mailbox(business_id)
        window = (None, None)
        if start is not None:
            window = (minute_of(start), minute_after(end))
        for _, visit in box.scan(*window):
            shared = {
                "business": box.id,
                "appointment": visit.id,
                "service": visit.service,
                "service_name": visit.service_name,
                "start": moment(visit.start),
                "end": moment(visit.end),
                "price": visit.price,
                "price_type": visit.price_type,
                "label": visit.label or "",
                "staff": tuple(visit.staff),
                "attendees": len(visit.attendees),
            }
            for position, who in enumerate(visit.attendees):
                person = box.person_of(who)
                yield {
                    **shared,
                    "position": position,
                    "customer_id": who.customer,
                    "name": person.name or "",
                    "email": person.email or "",
                }
            if not visit.attendees:
                person = box.person_of(visit.booked_by) if visit.booked_by else None
                yield {
                    **shared,
                    "position": None,
                    "customer_id": None,
                    "name": person.name or "" if person else "",
                    "email": person.email or "" if person else "",
                }

    def gone(self, business_id: str | None = None) -> dict[str, str]:
        """Ids of the appointments that were cancelled or deleted, with the op."""
        return dict(self.mailbox(business_id).gone)

    def truth(
        self,
        now: dt.datetime,
        business_id: str | None = None,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
    ) -> dict:
        """Counts that a synchronized copy must show at ``now`` (aware), from the data alone.

        ``bookings`` counts attendees, and 1 for an appointment without. ``people`` counts distinct
        persons who booked, see :func:`count_people`.
        """
        box = self.mailbox(business_id)
        rows = list(self.expected_bookings(business_id, start, end))
        ended = [row for row in rows if row["end"] <= now]
        appointments = {row["appointment"]: row for row in rows}
        return {
            "business": box.id,
            "currency": box.currency,
            "services": len(self.services_of(business_id)),
            "staff": len([key for key in box.staff_ids if key not in box.absent]),
            "customers": sum(1 for _ in box.customer_ids()),
            "appointments": len(appointments),
            "group_appointments": sum(row["attendees"] > 1 for row in appointments.values()),
            "without_attendees": sum(row["attendees"] == 0 for row in appointments.values()),
            "bookings": len(rows),
            "ended": len(ended),
            "running": sum(row["start"] <= now < row["end"] for row in rows),
            "upcoming": sum(row["start"] > now for row in rows),
            "gone": len(box.gone),
            "people": count_people(rows),
            "ended_by_price_type": dict(Counter(row["price_type"] for row in ended)),
            "labels": dict(Counter(row["label"] for row in rows if row["label"])),
        }


def count_people(rows: Iterable[dict]) -> int:
    """How many persons are behind rows of ``customer_id``, ``email`` and ``name``.

    The same customer id or the same e-mail in any case is one person; who has neither is told by
    the name; a row without any of them is nobody.
    """
    parent: dict = {}

    def root(key):
        while parent.setdefault(key, key) != key:
            parent[key] = key = parent[parent[key]]
        return key

    for row in rows:
        email = row["email"].strip().lower()
        keys = [("id", row["customer_id"])] if row["customer_id"] else []
        keys += [("email", email)] if email else []
        if not keys and row["name"].strip():
            keys = [("name", row["name"].strip().casefold())]
        for key in keys:
            parent[root(key)] = root(keys[0])
    return sum(1 for key in list(parent) if root(key) == key)
