"""What may be written to Bookings, and by whom: the last check before a request is sent to Graph.

Reading is a GET, or a ``$batch`` of nothing but GETs. Everything else needs :data:`MAY_WRITE`, which a transport was
given by server code, and must be one of :data:`WRITES` even then: nothing is ever deleted, and of an appointment only
the internal notes are written, never ``customers``, which a PATCH replaces as a whole. For customers and services of the
business, see :mod:`.directory_writing`.

Source: Graph v1.0 "Update bookingAppointment", "Create bookingCustomer", "Update bookingCustomer", "Create
bookingService", "Update bookingService", "JSON batching".
"""

import json
import re
from urllib.parse import quote

from .errors import AccessDenied, GraphError, ProtocolError, SecurityError
from .fields import usable_id

MAY_WRITE = object()  # compared by identity: no value that comes over a wire is this one
TYPE = "@odata.type"
_CUSTOMER = frozenset({TYPE, "displayName", "emailAddress", "phones", "addresses"})
_SERVICE = frozenset({TYPE, "displayName", "defaultPrice", "defaultDuration", "description"})


def _place(below: str) -> re.Pattern:
    return re.compile(rf"/solutions/bookingBusinesses/[^/?#]+/{below}")


# method, path below the Graph root, properties that the body may have
WRITES = (
    ("PATCH", _place("appointments/[^/?#]+"), frozenset({TYPE, "serviceNotes"})),
    ("POST", _place("customers"), _CUSTOMER),
    ("PATCH", _place("customers/[^/?#]+"), _CUSTOMER),
    ("POST", _place("services"), _SERVICE | {"defaultPriceType"}),
    ("PATCH", _place("services/[^/?#]+"), _SERVICE),
)


def check_allowed(method: str, path: str, body: bytes | None, permission: object = None) -> None:
    """Raise SecurityError for a request that must not be sent. ``path`` is relative to the Graph root.

    >>> check_allowed("GET", "/solutions/bookingBusinesses", None)
    >>> check_allowed("POST", "/$batch", b'{"requests": [{"method": "GET", "url": "/x"}]}')
    >>> notes = "PATCH", "/solutions/bookingBusinesses/b/appointments/a", b'{"serviceNotes": "x"}'
    >>> check_allowed(*notes)
    Traceback (most recent call last):
    bookings_invoicing.graph.errors.SecurityError: Writing to Bookings is not allowed on this connection. Nothing was sent.
    >>> check_allowed(*notes, MAY_WRITE)
    """
    reading = method == "GET" or (method, path) == ("POST", "/$batch") and _only_reads(body)
    writing = permission is MAY_WRITE and _is_listed(method, path, body)
    if not (reading or writing):
        raise SecurityError(kind="writing_not_allowed")


def _only_reads(body) -> bool:
    requests = (_object(body) or {}).get("requests")
    return isinstance(requests, list) and all(
        isinstance(item, dict) and item.get("method") == "GET" for item in requests
    )


def _is_listed(method: str, path: str, body) -> bool:
    content = _object(body)
    return content is not None and any(
        method == known and place.fullmatch(path) and content.keys() <= properties
        for known, place, properties in WRITES
    )


def _object(body) -> dict | None:
    try:
        content = json.loads(body)
    except (ValueError, TypeError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


class ServiceNotes:
    """The internal notes of the appointments of one business, unchanged to the letter.

    :param client: a ``BookingsClient``
    """

    def __init__(self, client, business_id: str):
        self._client = client
        self._base = client._path(business_id, "appointments")

    def read(self, appointment_id: str) -> str:
        """Return the notes, or "" without any. Raises NotFound if the appointment does not exist."""
        document = self._client._json("GET", item_url(self._base, appointment_id))
        notes = document.get("serviceNotes") or ""
        if document.get("id") != appointment_id or not isinstance(notes, str):
            raise ProtocolError()
        return notes

    def write(self, appointment_id: str, notes: str) -> None:
        """Replace the notes. Nothing else of the appointment is sent. Raises what :func:`send_once` raises."""
        content = {TYPE: "#microsoft.graph.bookingAppointment", "serviceNotes": notes}
        send_once(self._client, "PATCH", item_url(self._base, appointment_id), content)


def item_url(base: str, remote_id: str) -> str:
    """Return the address of an item of a collection. Raises ValueError if this is not an ID."""
    if not usable_id(remote_id):
        raise ValueError("not an id")
    return f"{base}/{quote(remote_id, safe='=')}"


def send_once(client, method: str, url: str, content: dict, denied: str = "write_denied"):
    """Send a write a single time, and return the ``Reply``: who gets no answer reads again before the next attempt.

    Raises GraphError of the kind ``denied`` where the permission is missing, and ``write_refused`` where Bookings does not
    take it: that may be a 500 without a code, too.
    """
    body = json.dumps(content, default=float).encode()
    try:
        return client._reply(method, url, body, attempts=1)
    except GraphError as problem:
        kind = _refusal(problem, denied)
        if not kind:
            raise
        error = AccessDenied if kind == denied else GraphError
        facts = {"code": problem.code, "status": problem.status}
        raise error(kind=kind, request_id=problem.request_id, **facts) from None


def _refusal(problem: GraphError, denied: str) -> str:
    """Return the kind of a refused write, or "" for other errors."""
    if problem.kind == "access_denied":
        return denied
    nameless = problem.status == 500 and not problem.code
    return "write_refused" if nameless or problem.kind in ("bad_request", "graph_error") else ""
