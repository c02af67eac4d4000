"""PATCH of an appointment, as far as the sandbox takes it: its internal notes.

Source: https://learn.microsoft.com/graph/api/bookingappointment-update (204 without a body; least permission
BookingsAppointment.ReadWrite.All). No ETag is documented, and none is asked for.
"""

from __future__ import annotations

import json

from . import tokens
from .wire import GraphError, Reply, Request

_WRITERS = {
    "BookingsAppointment.ReadWrite.All",
    "Bookings.ReadWrite.All",
    "Bookings.Manage.All",
}
_TYPE = "@odata.type"


def answer(tenant, box, request: Request, caller: dict, rest: list) -> Reply:
    """Return the reply to any request but a GET in a business, and give changes to ``tenant.keep``."""
    if not _WRITERS & tokens.permissions(caller):
        raise GraphError(
            403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."
        )
    if request.method != "PATCH" or len(rest) != 2 or rest[0] != "appointments":
        raise GraphError(405, "BadRequest", "The sandbox takes PATCH of appointments only.")
    if box.live_visit(rest[1]) is None:
        raise GraphError(
            404, "ErrorItemNotFound", "The specified object was not found in the store."
        )
    change = {"op": "notes", "business": box.id, "appointment": rest[1], "notes": _notes(request)}
    tenant.keep(tenant.apply(change))
    return Reply(204, {}, b"")


def _notes(request: Request) -> str | None:
    try:
        content = json.loads(request.body)
    except ValueError:
        content = None
    if not isinstance(content, dict) or content.keys() - {_TYPE} != {"serviceNotes"}:
        raise GraphError(400, "BadRequest", "The sandbox takes nothing but serviceNotes.")
    if content.get(_TYPE, "#microsoft.graph.bookingAppointment") != (
        "#microsoft.graph.bookingAppointment"
    ):
        raise GraphError(400, "BadRequest", "Unexpected type of the object.")
    notes = content["serviceNotes"]
    if not isinstance(notes, str | None):
        raise GraphError(400, "BadRequest", "Cannot convert a value to target type 'Edm.String'.")
    return notes
