"""What the sandbox takes besides GET: the internal notes of appointments, and customers and services.

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
from .directory_changes import TYPE, ChangeError, ShapeError
from .wire import GRAPH_TYPE, GraphError, Reply, Request, json_reply

_SERVICES = {"Bookings.ReadWrite.All", "Bookings.Manage.All"}
_OTHERS = _SERVICES | {"BookingsAppointment.ReadWrite.All"}


def answer(tenant, box, request: Request, caller: dict, rest: list) -> Reply:
    """Return the reply to any request but a GET in a business, and give changes to ``tenant.keep``."""
    kind = rest[0] if rest else ""
    if not (_SERVICES if kind == "services" else _OTHERS) & tokens.permissions(caller):
        raise GraphError(
            403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."
        )
    write = {
        ("PATCH", "appointments", 2): _write_appointment,
        ("POST", "customers", 1): _create_customer,
        ("PATCH", "customers", 2): _write_customer,
        ("POST", "services", 1): _create_service,
        ("PATCH", "services", 2): _write_service,
    }.get((request.method, kind, len(rest)))
    if write is None:
        raise GraphError(405, "BadRequest", "The sandbox does not take this.")
    return write(tenant, box, request, rest[-1])


def _write_appointment(tenant, box, request: Request, key: str) -> Reply:
    _require(box.live_visit(key))
    notes = _content(request, "bookingAppointment")
    if notes.keys() != {"serviceNotes"}:
        raise _bad("The sandbox takes nothing but serviceNotes.")
    if not isinstance(notes["serviceNotes"], str | None):
        raise _bad("Cannot convert a value to target type 'Edm.String'.")
    _change(tenant, box, "notes", appointment=key, notes=notes["serviceNotes"])
    return Reply(204, {}, b"")


def _create_customer(tenant, box, request: Request, _rest: str) -> Reply:
    values = _content(request, "bookingCustomer", needs_type=True)
    made = _change(tenant, box, "new_customer", values=values)
    return _record(request, box, "customers", box.customer_json(made["customer"]), 201)


def _write_customer(tenant, box, request: Request, key: str) -> Reply:
    _require(box.customer_json(key))
    values = _content(request, "bookingCustomer", needs_type=True)
    _change(tenant, box, "edit_customer", customer=key, values=values)
    return _record(request, box, "customers", box.customer_json(key), 200)


def _create_service(tenant, box, request: Request, _rest: str) -> Reply:
    values = _content(request, "bookingService")
    made = _change(tenant, box, "new_service", values=values)
    return _record(request, box, "services", box.service_json(made["service"], False), 201)


def _write_service(tenant, box, request: Request, key: str) -> Reply:
    _require(box.service_json(key, False))
    values = _content(request, "bookingService")
    _change(tenant, box, "edit_service", service=key, values=values)
    return Reply(204, {}, b"")


def _require(record) -> None:
    if record is None:
        raise GraphError(
            404, "ErrorItemNotFound", "The specified object was not found in the store."
        )


def _content(request: Request, kind: str, needs_type: bool = False) -> dict:
    """The properties that are sent, without their type.

    ``needs_type``: the collection is declared with an abstract type (bookingCustomerBase), so each item says its own.
    """
    try:
        content = json.loads(request.body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise _bad("Unable to read JSON request payload.")
    name = f"#microsoft.graph.{kind}"
    if content.pop(TYPE, None if needs_type else name) != name:
        raise _bad("Unexpected type of the object.")
    return content


def _change(tenant, box, operation: str, **keys) -> dict:
    try:
        change = tenant.apply({"op": operation, "business": box.id, **keys})
    except ShapeError as error:
        raise _bad(str(error)) from None
    except ChangeError:
        raise GraphError(500, "", "") from None
    tenant.keep(change)
    return change


def _record(request: Request, box, kind: str, record: dict, status: int) -> Reply:
    place = f"solutions/bookingBusinesses('{box.id}')/{kind}/$entity"
    context = f"{request.base}/v1.0/$metadata#{place}"
    return json_reply(status, {"@odata.context": context, **record}, None, GRAPH_TYPE)


def _bad(text: str) -> GraphError:
    return GraphError(400, "BadRequest", text)
