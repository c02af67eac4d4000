"""Read businesses, services, staff, customers, and appointments from Bookings, page by page.

A page is fetched and parsed on demand and released with the next one, so memory does not depend on the size of the
tenant. All requests of a client are sequential, so that a booking mailbox never gets two at once (Microsoft allows four).

Sources: Graph v1.0 "List bookingBusinesses", "List bookingBusiness calendarView", "List services",
"List staffMembers", "List customers", "Get bookingAppointment", "JSON batching", "Paging", "Best
practices" (Prefer: include-unknown-enum-members).
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, urlencode

from .answers import error_body, error_of, json_of
from .auth import TokenSource
from .batch import BatchReader
from .checks import run_checks
from .errors import (
    AccessDenied,
    GraphError,
    NotFound,
    ProtocolError,
    RangeTooLarge,
    RecordError,
    TransientError,
)
from .fields import usable_id
from .listed import LISTED, Listed, PageMemory, id_of
from .malformed import Malformed
from .page import Page, Unread, parse_rows
from .records import (
    Appointment,
    Business,
    Customer,
    Question,
    Service,
    StaffMember,
)
from .transport import Reply, Transport

MOST_PAGES = 10_000
MOST_REFRESHES = 5
LONGEST_WINDOW = timedelta(days=28)  # a month at most, whichever month
SHORTEST_WINDOW = timedelta(hours=1)
SHORTEST_WINDOW_AFTER_FAILURE = timedelta(days=1)
HEADERS = {"Prefer": "include-unknown-enum-members"}


class BookingsClient:
    """Reads one tenant. Every method raises errors of the family in ``errors``."""

    def __init__(
        self, transport: Transport, token_source: TokenSource, listed: PageMemory = LISTED
    ):
        self.transport, self.tokens = transport, token_source
        self._listed = listed
        self._root = transport.cloud.graph_url
        self._refreshes = 0
        self._batch = BatchReader(self._json, self._root, transport)

    def businesses(self, query: str = "") -> list[Business]:
        """Return at most 500 businesses (Graph's limit) with only ``id`` and ``name``. ``query`` filters by name."""
        url = f"{self._root}/solutions/bookingBusinesses"
        if query.strip():
            url += "?" + urlencode({"query": query.strip()[:200]})
        return [business for page in self._pages(url, Business) for business in page.records]

    def business(self, business_id: str) -> Business:
        """Return a business with all properties. Raises NotFound, AccessDenied (no role in it), RecordError."""
        return Business.parse(self._json("GET", self._path(business_id)))

    def services(self, business_id: str) -> Iterator[Page]:
        """Yield pages of Service."""
        return self._pages(self._path(business_id, "services"), Service)

    def staff(self, business_id: str) -> Iterator[Page]:
        """Yield pages of StaffMember."""
        return self._pages(self._path(business_id, "staffMembers"), StaffMember)

    def customers(self, business_id: str) -> Iterator[Page]:
        """Yield pages of Customer."""
        return self._pages(self._path(business_id, "customers"), Customer)

    def custom_questions(self, business_id: str) -> Iterator[Page]:
        """Yield pages of Question."""
        return self._pages(self._path(business_id, "customQuestions"), Question)

    def calendar_view(
        self,
        business_id: str,
        start: datetime,
        end: datetime,
        unchanged: Callable[[tuple[datetime, datetime], dict[str, str]], Collection[str]]
        | None = None,
        hidden_too: bool = True,
    ) -> Iterator[Page]:
        """Yield pages of the Appointments that overlap [start, end), window by window. Both are aware datetimes.

        An appointment that overlaps two windows is in both, so identify it by ID. A window that is too long for Graph
        (416, 400, repeated 500 or 504) is halved, down to an hour (a day after failures).

        ``unchanged(window, {id: digest})`` may return the IDs of rows that need not be parsed (see ``digest_of``), because
        most rows of a sync have not changed. Rows without customers are included only if ``hidden_too``, because their
        customers may have changed.
        """
        if start.tzinfo is None or end.tzinfo is None:
            raise ValueError("start and end need a time zone")
        start, end = start.astimezone(timezone.utc), end.astimezone(timezone.utc)
        while start < end:
            stop = min(start + LONGEST_WINDOW, end)
            yield from self._window(business_id, start, stop, unchanged, hidden_too=hidden_too)
            start = stop

    def _window(
        self, business_id, start, end, unchanged, attempts=None, hidden_too=True
    ) -> Iterator[Page]:
        url = (
            self._path(business_id, "calendarView")
            + "?"
            + urlencode({"start": _utc(start), "end": _utc(end)})
        )
        pages = self._pages(
            url,
            Appointment,
            (start, end),
            attempts,
            lambda rows, known: self._fill(business_id, rows, known),
            unchanged,
            hidden_too,
        )
        try:
            first = next(pages)
        except GraphError as problem:
            middle = _middle(start, end, problem)
            if middle is None:
                raise
            fewer = 2 if problem.transient else None
        else:
            yield first
            del first
            yield from pages
            return
        yield from self._window(business_id, start, middle, unchanged, fewer, hidden_too)
        yield from self._window(business_id, middle, end, unchanged, fewer, hidden_too)

    def _fill(self, business_id: str, rows: list, known: Collection[str]) -> list:
        """Replace rows without ``customers`` with the same record read by ID, unless they are ``known`` or not found."""
        bare = {
            place: remote_id
            for place, row in enumerate(rows)
            if type(row) is dict
            and not row.get("customers")
            and (remote_id := id_of(row))
            and remote_id not in known
        }
        if not bare:
            return rows
        better = {}
        try:
            for remote_id, answer in self._batch.read(
                self._paths(business_id, "appointments", bare.values())
            ):
                if answer.error:
                    better[remote_id] = Unread(remote_id, str(answer.error))
                elif answer.status == 200 and answer.body.get("id") == remote_id:
                    better[remote_id] = answer.body
        except (AccessDenied, NotFound):
            return rows
        filled = list(rows)
        for place, remote_id in bare.items():
            filled[place] = better.get(remote_id, rows[place])
        return filled

    def appointments_by_id(self, business_id: str, ids: Iterable[str]) -> Iterator[tuple]:
        """Yield ``(id, Appointment | Malformed | None)`` once per ID. None means that Graph has no such appointment.

        Invalid IDs are not requested, because an empty one would return a whole list. A 404 for the mailbox or its folder
        is an error and never None.
        """
        return self._by_id(business_id, "appointments", ids, Appointment)

    def _by_id(self, business_id, collection, ids, kind):
        for remote_id, answer in self._batch.read(self._paths(business_id, collection, ids)):
            yield remote_id, _record_of(answer, remote_id, kind)

    def _path(self, business_id: str, *parts: str) -> str:
        parts = ("solutions", "bookingBusinesses", quote(business_id.strip(), safe="@"), *parts)
        return "/".join((self._root, *parts))

    def _paths(self, business_id, collection, ids) -> Iterator[tuple[str, str]]:
        base = self._path(business_id, collection)[len(self._root) :]
        for remote_id in filter(usable_id, dict.fromkeys(ids)):
            yield remote_id, f"{base}/{quote(remote_id, safe='=')}"

    def _pages(
        self,
        url,
        kind,
        window=None,
        attempts=None,
        prepare=None,
        unchanged=None,
        hidden_too=True,
    ) -> Iterator[Page]:
        seen = set()
        for _number in range(MOST_PAGES):
            seen.add(hash(url))
            rows, listed, reply = None, None, self._reply("GET", url, None, attempts)
            if unchanged:
                listed = self._listed.get(reply.body)
            if not listed:
                rows, listed = self._rows(reply, url, attempts, kind)
            url, known = listed.next_url, ()
            if unchanged:
                known = tuple(unchanged(window, listed.comparable(hidden_too)))
            if rows is None and len(known) < len(listed.digests):
                rows = json_of(reply)["value"]
            del reply
            if prepare and rows:
                rows = prepare(rows, frozenset(known))
            records, malformed = parse_rows(
                rows or (), kind, frozenset(known), listed.digests, window
            )
            del rows, listed
            yield Page(records, malformed, window, not url, known)
            del records, malformed, known
            if not url:
                return
            if hash(url) in seen:
                break
        raise ProtocolError(kind="paging_loop")

    def _rows(self, reply, url, attempts, kind) -> tuple[list, Listed]:
        """Return the rows of a response and what they list, which is remembered for appointments."""
        document, reply = self._document(reply, lambda: self._reply("GET", url, None, attempts))
        rows, next_url = document.get("value"), document.get("@odata.nextLink") or ""
        if not isinstance(rows, list) or not isinstance(next_url, str):
            raise ProtocolError(host=self.transport.cloud.name)
        if kind is not Appointment:
            return rows, Listed({}, (), next_url, False)
        # digests of the rows as listed, also for those that are then read by ID
        listed = Listed.of(rows, next_url)
        self._listed.keep(reply.body, listed)
        return rows, listed

    def _json(
        self, method: str, url: str, *, body: bytes | None = None, attempts=None, renew=False
    ) -> dict:
        """Return the JSON object of a successful response. ``renew`` uses a new token."""
        return self._document(
            self._reply(method, url, body, attempts, renew),
            lambda: self._reply(method, url, body, attempts),
        )[0]

    def _document(self, reply: Reply, again: Callable[[], Reply]) -> tuple[dict, Reply]:
        """Return the JSON object of a successful response, and that response.

        A body that is not JSON is requested once more, because a response without a length can be truncated unnoticed.
        """
        try:
            return json_of(reply), reply
        except ProtocolError as problem:
            if problem.kind != "not_json" or problem.status != 200:
                raise
        reply = again()
        return json_of(reply), reply

    def _reply(self, method, url, body, attempts, renew=False):
        headers = HEADERS if body is None else HEADERS | {"Content-Type": "application/json"}
        for force in (True,) if renew and self._refreshes < MOST_REFRESHES else (False, True):
            reply = self.transport.send(
                method,
                url,
                token=self._token(url, force),
                headers=headers,
                body=body,
                attempts=attempts,
            )
            if reply.status != 401 or self._refreshes >= MOST_REFRESHES:
                break
        if 200 <= reply.status < 300:
            return reply
        graph, code = error_body(reply)
        raise error_of(reply.status, code, reply.request_id, graph=graph, host=reply.host)

    def _token(self, url: str, force: bool) -> str:
        self.transport.require(url)  # before a token is requested
        self._refreshes += force
        return self.tokens.token(force=True) if force else self.tokens.token()

    check = run_checks


def _record_of(answer, remote_id: str, kind: type):
    if answer.status in (404, 410):
        return None
    problem = answer.error
    unlisted = ("",) if kind is Appointment else ()  # not a row of a list, so without a digest
    if problem is None:
        try:
            record = kind.parse(answer.body, *unlisted)
            if record.id == remote_id:
                return record
            problem = RecordError("id", "is not the requested one")
        except RecordError as unreadable:
            problem = unreadable
    body = answer.body or {}
    # do not store the text of another record
    return Malformed.of(kind, body if id_of(body) == remote_id else {"id": remote_id}, str(problem))


def _middle(start: datetime, end: datetime, problem: GraphError) -> datetime | None:
    """Return where to split a window that failed, or None if splitting would not help."""
    if isinstance(problem, RangeTooLarge) or problem.kind == "bad_request":
        shortest = SHORTEST_WINDOW
    elif isinstance(problem, TransientError) and problem.status in (500, 504):
        shortest = SHORTEST_WINDOW_AFTER_FAILURE
    else:
        return None
    if end - start < 2 * shortest:
        return None
    half = (end - start) / 2
    return start + timedelta(seconds=int(half.total_seconds()))


def _utc(moment: datetime) -> str:
    """
    >>> _utc(datetime(2026, 3, 2, 9, tzinfo=timezone.utc))
    '2026-03-02T09:00:00Z'
    """
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
