"""The Graph half of the sandbox: GET on bookings, the writes of :mod:`.writing`, and JSON $batch, as v1.0
answers them.

Source: https://learn.microsoft.com/graph/api/resources/booking-api-overview,
https://learn.microsoft.com/graph/api/bookingappointment-update and
https://learn.microsoft.com/graph/json-batching (at most 20 requests; each item its own status).
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from contextlib import contextmanager

from . import batch, tokens
from .ids import graph_time, minute_after, minute_of, parse_moment
from .login import USERS
from .wire import GRAPH_TYPE, GraphError, Reply, Request, dumps, json_reply, too_many
from .writing import Writing

PAGE_SIZE = 100
MAILBOX_LIMIT = 4
BUSINESS_LIMIT = 500
_READERS = {
    "Bookings.Read.All",
    "BookingsAppointment.ReadWrite.All",
    "Bookings.ReadWrite.All",
    "Bookings.Manage.All",
}
_UNSUPPORTED = {
    "$filter": "This filter query is not supported.",
    "$search": "Search is not supported.",
    "$orderby": "Invalid orderby clause",
}


class Graph:
    """Answers requests under /v1.0.

    page_size      items in a page of a list
    mailbox_limit  concurrent requests per mailbox before 429 (Graph: 4, also inside a $batch)
    range_limit    number of appointments a calendarView may hold before it answers 416; None = any
    clock          seconds since 1970, for Date, error dates and the validity of tokens
    """

    def __init__(
        self,
        tenant,
        *,
        page_size=PAGE_SIZE,
        mailbox_limit=MAILBOX_LIMIT,
        range_limit=None,
        clock=time.time,
    ):
        self.tenant = tenant
        self.page_size = page_size
        self.mailbox_limit = mailbox_limit
        self.range_limit = range_limit
        self.clock = clock
        self._busy: dict[str, int] = {}
        self._lock = threading.Lock()

    def answer(self, request: Request, before=None) -> Reply:
        """The reply; ``before(request)`` may give a scripted one for a batch item."""
        own = {
            "request-id": str(uuid.uuid4()),
            "client-request-id": request.headers.get("client-request-id") or str(uuid.uuid4()),
        }
        try:
            caller = self._caller(request)
            if request.segments[1:] == ["$batch"]:
                reply = batch.answer(self, request, caller, before)
            else:
                with self._place(request.segments):
                    reply = self.read(request, caller)
        except GraphError as error:
            reply = self.error_reply(error, own)
        return reply._replace(headers={**reply.headers, **own})

    def error_reply(self, error: GraphError, own: dict) -> Reply:
        date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.clock()))
        inner = {"date": date, **own}
        payload = {"error": {"code": error.code, "message": error.text, "innerError": inner}}
        return json_reply(error.status, payload, error.headers, content_type="application/json")

    # -- who may -----------------------------------------------------------------------------

    def _caller(self, request: Request) -> dict:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        challenge = {
            "WWW-Authenticate": 'Bearer realm="", authorization_uri="'
            f'{request.base}/common/oauth2/authorize"'
        }
        if scheme.lower() != "bearer" or not token.strip():
            raise GraphError(401, "InvalidAuthenticationToken", "Access token is empty.", challenge)
        claims = tokens.read(token.strip(), "access", self.clock())
        if claims is None:
            raise GraphError(
                401,
                "InvalidAuthenticationToken",
                "Access token validation failure. Invalid signature or lifetime.",
                challenge,
            )
        if not _READERS & tokens.permissions(claims):
            raise GraphError(
                403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."
            )
        return claims

    @contextmanager
    def _place(self, segments: list[str]):
        """One of the few places at the mailbox of a request; 429 when all are taken."""
        mailbox = segments[3].lower() if len(segments) > 3 else ""
        with self._lock:
            busy = self._busy.get(mailbox, 0)
            if mailbox and self.mailbox_limit and busy >= self.mailbox_limit:
                raise too_many()
            self._busy[mailbox] = busy + 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[mailbox] -= 1

    # -- reading -----------------------------------------------------------------------------

    def read(self, request: Request, caller: dict) -> Reply:
        match request.segments[1:]:
            case ["solutions", "bookingBusinesses"]:
                return self._businesses(request)
            case ["solutions", "bookingCurrencies", *rest] if len(rest) < 2:
                return self._currencies(request, caller, rest)
            case ["solutions", "bookingBusinesses", business_id, *rest]:
                return self._in_business(request, caller, business_id, rest)
        raise _no_segment(request.path)

    def _in_business(self, request: Request, caller: dict, business_id: str, rest: list) -> Reply:
        box = self.tenant.mailbox(business_id)
        if box is None:
            raise GraphError(
                404,
                "ErrorNonExistentMailbox",
                f"The specified SMTP address has no mailbox associated with it: {business_id}",
            )
        if not _has_role(caller):
            raise GraphError(
                404, "ErrorFolderNotFound", "The specified folder could not be found in the store."
            )
        if request.method != "GET":
            with self._lock:
                return Writing(self.tenant, box, request, caller, self.clock()).answer(rest)
        self._check_options(request)
        unknown_members = "include-unknown-enum-members" in request.headers.get("prefer", "")
        if not rest:
            return self._item(request, "solutions/bookingBusinesses/$entity", box.business_json())
        if len(rest) == 1:
            return self._collection(request, box, rest[0], unknown_members)
        if len(rest) == 2:
            record = self._by_id(box, *rest, unknown_members)
            context = f"solutions/bookingBusinesses('{box.id}')/{rest[0]}/$entity"
            return self._item(request, context, record)
        raise _no_segment(request.path)

    def _collection(self, request: Request, box, what: str, unknown_members: bool) -> Reply:
        if what == "calendarView":
            return self._calendar(request, box)
        scans = {
            "appointments": lambda: self._visits(box),
            "customers": lambda: self._customers(box),
            "services": lambda: _plain(box.service_json(key, True) for key in box.service_ids),
            "staffMembers": lambda: _plain(
                box.staff_json(key, unknown_members) for key in box.staff_ids
            ),
            "customQuestions": lambda: _plain(box.question_json(key) for key in box.question_texts),
        }
        if what not in scans:
            raise _no_segment(what)
        mark = unknown_members if what == "staffMembers" else None
        return self._list(request, box, what, scans[what](), mark)

    def _by_id(self, box, kind: str, key: str, unknown_members: bool) -> dict:
        record = None
        if kind in ("appointments", "calendarView"):
            visit = box.live_visit(key)
            record = visit and box.appointment_json(visit, listed=False)
        elif kind == "services":
            record = box.service_json(key, listed=False)
        elif kind == "staffMembers":
            record = box.staff_json(key, unknown_members)
        elif kind == "customers":
            record = box.customer_json(key)
        elif kind == "customQuestions":
            found = [name for name in box.question_texts if box.question_id(name) == key]
            record = box.question_json(found[0]) if found else None
        else:
            raise _no_segment(kind)
        if record is None:
            raise GraphError(
                404, "ErrorItemNotFound", "The specified object was not found in the store."
            )
        return record

    def _check_options(self, request: Request) -> None:
        for name in request.query:
            if name in _UNSUPPORTED:
                raise GraphError(400, "BadRequest", _UNSUPPORTED[name])

    def _businesses(self, request: Request) -> Reply:
        wanted = request.query.get("query", "").casefold()
        records = [
            {"id": box.id, "displayName": box.name}
            for box in self.tenant.mailboxes
            if wanted in box.id.casefold() or wanted in box.name.casefold()
        ][:BUSINESS_LIMIT]
        context = self._context(request, "solutions/bookingBusinesses")
        return json_reply(200, {"@odata.context": context, "value": records}, None, GRAPH_TYPE)

    def _currencies(self, request: Request, caller: dict, rest: list) -> Reply:
        if caller.get("idtyp") == "app":
            raise GraphError(
                403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."
            )
        records = self.tenant.currencies
        if rest:
            records = [record for record in records if record["id"] == rest[0]]
            if not records:
                raise GraphError(404, "ErrorItemNotFound", "The currency was not found.")
            return self._item(request, "solutions/bookingCurrencies/$entity", records[0])
        context = self._context(request, "solutions/bookingCurrencies")
        return json_reply(200, {"@odata.context": context, "value": records}, None, GRAPH_TYPE)

    # -- lists -------------------------------------------------------------------------------

    def _context(self, request: Request, what: str) -> str:
        return f"{request.base}/v1.0/$metadata#{what}"

    def _item(self, request: Request, what: str, record: dict) -> Reply:
        payload = {"@odata.context": self._context(request, what), **record}
        return json_reply(200, payload, None, GRAPH_TYPE)

    def _visits(self, box, start=None, end=None):
        return lambda position: box.scan_json(start, end, position)

    def _customers(self, box):
        def scan(position):
            for key in box.customer_ids(position):
                yield box.customer_number(key), lambda key=key: dumps(box.customer_json(key))

        return scan

    def _calendar(self, request: Request, box) -> Reply:
        query = request.query
        bounds = []
        for name in ("start", "end"):
            if name not in query:
                raise GraphError(
                    400,
                    "ErrorInvalidRequest",
                    f"This request requires a time window specified by the query "
                    f"string parameters start and end ({name} is missing).",
                )
            try:
                bounds.append(parse_moment(query[name]))
            except (ValueError, OverflowError):
                raise GraphError(
                    400,
                    "ErrorInvalidParameter",
                    f"The {name} time of the calendar view is not valid.",
                ) from None
        # Whole minutes, the end rounded up: appointments begin and end on whole minutes.
        start, end = minute_of(bounds[0]), minute_after(bounds[1])
        if bounds[1] <= bounds[0]:
            raise GraphError(
                400,
                "ErrorCalendarEndDateIsEarlierThanStartDate",
                "End Date must be greater than Start Date.",
            )
        if self.range_limit is not None:
            if sum(1 for _ in box.scan(start, end)) > self.range_limit:
                raise GraphError(416, "", "Too many bookings in the requested range.")
        return self._list(request, box, "calendarView", self._visits(box, start, end), (start, end))

    def _list(self, request: Request, box, what: str, scan, mark=None) -> Reply:
        """One page; ``scan(position)`` gives (position, function that makes the JSON)."""
        records, following = [], None
        for place, make in scan(self._position(request, box, what, mark)):
            if len(records) == self.page_size:
                following = place
                break
            records.append(make())
        context = self._context(request, f"solutions/bookingBusinesses('{box.id}')/{what}")
        head = {"@odata.context": context}
        if following is not None:
            head["@odata.nextLink"] = self._next_link(request, box, what, mark, following)
        body = b'%b,"value":[%b]}' % (dumps(head)[:-1], b",".join(records))
        return Reply(200, {"Content-Type": GRAPH_TYPE}, body)

    def _next_link(self, request: Request, box, what: str, mark, following: int) -> str:
        token = tokens.encode(json.dumps([what, box.id, mark, following]).encode())
        window = ""
        if what == "calendarView":
            start, end = map(graph_time, mark)
            window = f"start={start}&end={end}&"
        return f"{request.base}{request.path}?{window}$skiptoken={token}"

    def _position(self, request: Request, box, what: str, mark) -> int:
        token = request.query.get("$skiptoken")
        if token is None:
            return 0
        wanted = [what, box.id, list(mark) if isinstance(mark, tuple) else mark]
        try:
            *told, position = json.loads(tokens.decode(token))
        except (ValueError, TypeError, UnicodeError):
            told, position = None, 0
        if told != wanted or not isinstance(position, int):
            raise GraphError(400, "BadRequest", "Skip token is not valid for this request.")
        return position


def _plain(records):
    def scan(position):
        numbered = enumerate(record for record in records if record is not None)
        for place, record in numbered:
            if place >= position:
                yield place, lambda record=record: dumps(record)

    return scan


def _has_role(caller: dict) -> bool:
    if caller.get("idtyp") == "app":
        return True
    return any(user.username == caller.get("upn") and user.has_role for user in USERS)


def _no_segment(path: str) -> GraphError:
    name = path.rpartition("/")[2]
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{name}'.")
