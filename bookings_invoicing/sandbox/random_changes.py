"""Random changes that are valid, for tests that compare a synchronized copy with the tenant.

The choice depends on the ``random.Random`` given and on the tenant only. Nothing is applied::

    rng = random.Random(7)
    for _ in range(20):
        stored.append(tenant.apply(random_change(tenant, rng)))
"""

from __future__ import annotations

from random import Random

from . import catalogue
from .changes import PRICE_TYPES
from .ids import graph_time, minute_of

REMOTE_EDITS = (
    "create",
    "move",
    "cancel",
    "delete",
    "restore",
    "reprice",
    "rename",
    "join",
    "leave",
    "label",
    "reassign",
    "service_price",
    "customer_email",
)
_TRIES = 200


def random_change(tenant, rng: Random, business_id=None, ops=REMOTE_EDITS, days=(-60, 20)) -> dict:
    """A change that ``tenant.apply`` will take.

    ``ops`` are the operations to choose from; ``days`` is the range, relative to the anchor, that
    new and moved appointments begin in. Raises LookupError when none of ``ops`` is possible.
    """
    maker = _Maker(tenant, rng, tenant.mailbox(business_id), days)
    for _ in range(_TRIES):
        operation = rng.choice(ops)
        change = getattr(maker, operation)()
        if change is not None:
            change = {"op": operation, **change}
            return change if business_id is None else {**change, "business": business_id}
    raise LookupError(f"none of {', '.join(ops)} is possible in {maker.box.id}")


class _Maker:
    """One method per operation: the other keys of a change, or None when it is not possible."""

    def __init__(self, tenant, rng: Random, box, days: tuple[int, int]):
        self.tenant, self.rng, self.box, self.days = tenant, rng, box, days

    def _visit(self, wanted=lambda visit: True):
        """A random appointment that exists and is ``wanted``; None when luck runs out."""
        changed = list(self.box.changed)
        total = self.box.size + len(changed)
        for _ in range(_TRIES if total else 0):
            draw = self.rng.randrange(total)
            if draw < self.box.size:
                key = self.box.appointment_id(draw)
            else:
                key = changed[draw - self.box.size]
            visit = self.box.live_visit(key)
            if visit is not None and wanted(visit):
                return visit
        return None

    def _on_visit(self, **keys):
        visit = self._visit()
        return visit and {"appointment": visit.id, **keys}

    def _start(self) -> str:
        minute = minute_of(self.box.calendar_midnight) + 1440 * self.rng.randint(*self.days)
        return graph_time(minute + 5 * self.rng.randrange(288))

    def _customer(self) -> str | None:
        known = list(self.box.customer_ids())
        return self.rng.choice(known) if known else None

    def _service(self) -> str | None:
        known = [key for key in self.box.service_ids if key not in self.box.absent]
        return self.rng.choice(known) if known else None

    def _person(self) -> dict:
        first = self.rng.choice(catalogue.FIRST_NAMES)
        last = self.rng.choice(catalogue.LAST_NAMES)
        draw = self.rng.randrange(10**6)
        email = self.rng.choice((None, "", f"ny{draw}@besked.example"))
        return {"name": f"{first} {last}", "email": email, "phone": f"+45 9{draw:07d}"}

    def _guest(self):
        return self._person() if self.rng.random() < 0.3 else self._customer() or self._person()

    def _price(self) -> str:
        return f"{self.rng.randrange(30000) / 100:.2f}"

    def _staff(self) -> list[str]:
        return self.rng.sample(self.box.staff_ids, self.rng.randrange(3))

    def create(self):
        service = self._service()
        if service is None:
            return None
        most = min(4, self.box.service_plans[service].attendees)
        change = {
            "start": self._start(),
            "service": service,
            "attendees": [self._guest() for _ in range(self.rng.randint(0, most))],
            "staff": self._staff(),
        }
        if self.rng.random() < 0.3:
            change["price"] = self._price()
        return change

    def move(self):
        change = self._on_visit(start=self._start())
        if change and self.rng.random() < 0.3:
            change["minutes"] = self.rng.choice((15, 30, 45, 55, 60, 90))
        return change

    def cancel(self):
        return self._on_visit()

    delete = cancel

    def restore(self):
        gone = list(self.box.gone)
        return {"appointment": self.rng.choice(gone)} if gone else None

    def reprice(self):
        change = self._on_visit(price=self._price())
        if change and self.rng.random() < 0.3:
            change["price_type"] = self.rng.choice(PRICE_TYPES)
        return change

    def rename(self):
        customer = self._customer()
        return customer and {"customer": customer, "name": self._person()["name"]}

    def join(self):
        visit = self._visit(lambda visit: visit.filled < visit.maximum)
        if visit is None:
            return None
        guest = self._guest()
        who = {"customer": guest} if isinstance(guest, str) else guest
        return {"appointment": visit.id, **who}

    def leave(self):
        visit = self._visit(lambda visit: visit.attendees)
        if visit is None:
            return None
        return {
            "appointment": visit.id,
            "customer": self.rng.choice(visit.attendees).customer,
        }

    def label(self):
        return self._on_visit(label=self.rng.choice((None, *catalogue.LABELS)))

    def reassign(self):
        return self._on_visit(staff=self._staff())

    def service_price(self):
        service = self._service()
        return service and {"service": service, "price": self._price()}

    def customer_email(self):
        customer = self._customer()
        email = self._person()["email"]
        return customer and {"customer": customer, "email": email}


__all__ = ["REMOTE_EDITS", "random_change"]
