"""What the sandbox takes besides GET: changes of appointments, and customers and services.

As Graph documents it: POST answers 201 with the record, PATCH of a customer 200 with it, and PATCH of an appointment or a
service 204 without a body. No ETag is documented, and none is asked for. What the schema does not know is a 400, what
Bookings itself does not accept is a 500 with an empty code.

Sources: https://learn.microsoft.com/graph/api/bookingappointment-update (least permission
BookingsAppointment.ReadWrite.All), bookingbusiness-post-customers and bookingcustomer-update (likewise),
bookingbusiness-post-services and bookingservice-update (Bookings.ReadWrite.All).
"""

from __future__ import annotations

import json

from . import tokens
from .appointment_writing import changes_of
from .directory_changes import TYPE, ChangeError, ShapeError
from .wire import GRAPH_TYPE, GraphError, Reply, Request, json_reply

_SERVICES = {"Bookings.ReadWrite.All", "Bookings.Manage.All"}
_OTHERS = _SERVICES | {"BookingsAppointment.ReadWrite.All"}


class Writing:
    """One request that writes in a business. Changes are given to ``tenant.keep``, too.

    caller  claims of the token
    now     seconds since 1970
    """

    def __init__(self, tenant, box, request: Request, caller: dict, now: float):
        self.tenant, self.box, self.request, self.caller = tenant, box, request, caller
        self.now = now

    def answer(self, rest: list) -> Reply:
        """The reply; ``rest`` are the segments of the path below the business."""
        kind, *key = rest or [""]
        if not (_SERVICES if kind == "services" else _OTHERS) & tokens.permissions(self.caller):
            raise GraphError(
                403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."
            )
        write = {
            ("PATCH", "appointments", 1): self._write_appointment,
            ("POST", "customers", 0): self._create_customer,
            ("PATCH", "customers", 1): self._write_customer,
            ("POST", "services", 0): self._create_service,
            ("PATCH", "services", 1): self._write_service,
        }.get((self.request.method, kind, len(key)))
        if write is None:
            raise GraphError(405, "BadRequest", "The sandbox does not take this.")
        try:
            return write(*key)
        except ShapeError as error:
            raise _bad(str(error)) from None
        except ChangeError:
            raise GraphError(500, "", "") from None

    def _write_appointment(self, key: str) -> Reply:
        visit = _required(self.box.live_visit(key))
        content = self._content("bookingAppointment")
        app_only = self.caller.get("idtyp") == "app"
        for change in changes_of(self.box, visit, content, app_only, self.now):
            self._change(**change)
        return Reply(204, {}, b"")

    def _create_customer(self) -> Reply:
        values = self._content("bookingCustomer", needs_type=True)
        made = self._change("new_customer", values=values)
        return self._record("customers", self.box.customer_json(made["customer"]), 201)

    def _write_customer(self, key: str) -> Reply:
        _required(self.box.customer_json(key))
        values = self._content("bookingCustomer", needs_type=True)
        self._change("edit_customer", customer=key, values=values)
        return self._record("customers", self.box.customer_json(key), 200)

    def _create_service(self) -> Reply:
        made = self._change("new_service", values=self._content("bookingService"))
        return self._record("services", self.box.service_json(made["service"], False), 201)

    def _write_service(self, key: str) -> Reply:
        _required(self.box.service_json(key, False))
        self._change("edit_service", service=key, values=self._content("bookingService"))
        return Reply(204, {}, b"")

    def _content(self, kind: str, needs_type: bool = False) -> dict:
        """The properties that are sent, without their type.

        ``needs_type``: the collection is declared with an abstract type (bookingCustomerBase), so each item says its own.
        """
        try:
            content = json.loads(self.request.body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise _bad("Unable to read JSON request payload.")
        name = f"#microsoft.graph.{kind}"
        if content.pop(TYPE, None if needs_type else name) != name:
            raise _bad("Unexpected type of the object.")
        return content

    def _change(self, op: str, **keys) -> dict:
        change = self.tenant.apply({"op": op, "business": self.box.id, **keys})
        self.tenant.keep(change)
        return change

    def _record(self, kind: str, record: dict, status: int) -> Reply:
        place = f"solutions/bookingBusinesses('{self.box.id}')/{kind}/$entity"
        context = f"{self.request.base}/v1.0/$metadata#{place}"
        return json_reply(status, {"@odata.context": context, **record}, None, GRAPH_TYPE)


def _required(record):
    if record is None:
        raise GraphError(
            404, "ErrorItemNotFound", "The specified object was not found in the store."
        )
    return record


def _bad(text: str) -> GraphError:
    return GraphError(400, "BadRequest", text)
