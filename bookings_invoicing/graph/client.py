"""Reading Bookings: businesses, services, staff, customers and appointments, page by page.

A page is fetched and parsed when it is asked for, and forgotten when the next one is: a tenant of
any size is read in the same memory. All reads of one client go one after the other, so a booking
mailbox never sees two at once (Microsoft allows four).

Sources: Graph v1.0 "List bookingBusinesses", "List bookingBusiness calendarView", "List services",
"List staffMembers", "List customers", "Get bookingAppointment", "JSON batching", "Paging", "Best
practices" (Prefer: include-unknown-enum-members).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, urlencode

from .answers import error_body, error_of, json_of
from .auth import TokenSource
from .batch import BatchReader
from .errors import (
    AccessDenied,
    GraphError,
    NotFound,
    ProtocolError,
    RangeTooLarge,
    RecordError,
    TransientError,
)
from .fields import forget, usable_id
from .malformed import Malformed
from .records import (
    Appointment,
    Business,
    Customer,
    Question,
    Service,
    StaffMember,
    digest_of,
    freshness,
)
from .transport import Transport

MOST_PAGES = 10_000
MOST_REFRESHES = 5
LONGEST_WINDOW = timedelta(days=28)  # a month at most, whichever month
SHORTEST_WINDOW = timedelta(hours=1)
SHORTEST_WINDOW_AFTER_FAILURE = timedelta(days=1)
HEADERS = {"Prefer": "include-unknown-enum-members"}


@dataclass(frozen=True, slots=True)
class Page:
    """Records of one answer in their order, and those that could not be read.

    ``window`` is the (start, end) of a calendar view, else None. ``complete`` marks the last page
    of its window or list: only then may anything be concluded from what is absent. ``unchanged``:
    ids of rows that were there and, as the caller said, need not be read.
    """

    records: tuple
    malformed: tuple[Malformed, ...]
    window: tuple[datetime, datetime] | None = None
    complete: bool = False
    unchanged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands for a row whose customers could not be had this time. To take it without them would
    change who is billed, until the next run changes it back.
    """

    remote_id: str
    reason: str

    @property
    def problem(self) -> RecordError:
        """Why the row is put aside."""
        return RecordError("customers", self.reason)


class BookingsClient:
    """Reads one tenant. Every method raises errors of the family in ``errors``."""

    def __init__(self, transport: Transport, token_source: TokenSource):
        self.transport, self.tokens = transport, token_source
        self._root = transport.cloud.graph_url
        self._refreshes = 0
        self._batch = BatchReader(self._json, self._root, transport)

    def businesses(self, query: str = "") -> list[Business]:
        """Businesses with ``id`` and ``name`` only, at most 500 (Graph has no more); ``query``
        narrows by name.
        """
        url = f"{self._root}/solutions/bookingBusinesses"
        if query.strip():
            url += "?" + urlencode({"query": query.strip()[:200]})
        return [business for page in self._pages(url, Business) for business in page.records]

    def business(self, business_id: str) -> Business:
        """One business with all it tells. Raises NotFound, AccessDenied (no role in it),
        RecordError.
        """
        return Business.parse(self._json("GET", self._path(business_id)))

    def services(self, business_id: str) -> Iterator[Page]:
        """Pages of Service."""
        return self._pages(self._path(business_id, "services"), Service)

    def staff(self, business_id: str) -> Iterator[Page]:
        """Pages of StaffMember."""
        return self._pages(self._path(business_id, "staffMembers"), StaffMember)

    def customers(self, business_id: str) -> Iterator[Page]:
        """Pages of Customer."""
        return self._pages(self._path(business_id, "customers"), Customer)

    def custom_questions(self, business_id: str) -> Iterator[Page]:
        """Pages of Question."""
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
        """Pages of the Appointments that overlap [start, end), both aware, window after window.

        An appointment that crosses the border of two windows comes in both: key by id. Where a
        window is too long for Graph (416, 400, repeated 500 or 504) it is halved, down to an hour
        (a day after failures). ``unchanged(window, {id: digest})`` may name the rows of a page that
        need not be read (see ``digest_of``): most of a sync is spent on what is as it was. Of rows that
        leave their customers out it is asked only where ``hidden_too``: who they are may have changed unseen.
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
        """Rows whose ``customers`` came empty, replaced by what Graph has by id; as they are where
        it has nothing, and where they are ``known``.
        """
        bare = {
            place: remote_id
            for place, row in enumerate(rows)
            if type(row) is dict
            and not row.get("customers")
            and (remote_id := _id(row))
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
        """(id, Appointment | Malformed | None) for each id once; None means that Graph says there
        is no such one. What cannot be an id is not asked for: an empty one would be a whole list.

        A 404 about the mailbox or its folder is an error and never None.
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
            document = self._json("GET", url, attempts=attempts)
            rows, url = document.get("value"), document.get("@odata.nextLink") or ""
            if not isinstance(rows, list) or not isinstance(url, str):
                raise ProtocolError(host=self.transport.cloud.name)
            # of the rows as they were listed: what is read by id instead is known by its row
            digests = _digests(rows) if kind is Appointment else {}
            known = ()
            if unchanged:
                shown = digests if hidden_too else _digests([row for row in rows if _names(row)])
                known = tuple(unchanged(window, {key: one for key, one in shown.items() if one}))
            if prepare:
                rows = prepare(rows, frozenset(known))
            records, malformed = parse_rows(rows, kind, frozenset(known), digests, window)
            del document, rows
            yield Page(records, malformed, window, not url, known)
            del records, malformed, known, digests
            if not url:
                return
            if hash(url) in seen:
                break
        raise ProtocolError(kind="paging_loop")

    def _json(
        self, method: str, url: str, *, body: bytes | None = None, attempts=None, renew=False
    ) -> dict:
        """The JSON object of a successful answer. A body that is no JSON is asked for once more:
        an answer without a length can be cut short unseen. ``renew`` asks with a new token.
        """
        try:
            return json_of(self._reply(method, url, body, attempts, renew))
        except ProtocolError as problem:
            if problem.kind != "not_json" or problem.status != 200:
                raise
        return json_of(self._reply(method, url, body, attempts))

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
        self.transport.require(url)  # before anybody is asked for a token
        self._refreshes += force
        return self.tokens.token(force=True) if force else self.tokens.token()

    def check(self, business_id: str | None = None):
        """Tries everything an import needs, one by one: see ``checks.run_checks``."""
        from .checks import run_checks

        return run_checks(self, business_id)


def _names(row) -> bool:
    """Whether a row of a list shows its customers."""
    return isinstance(row, dict) and bool(row.get("customers"))


def _digests(rows: list) -> dict[str, str]:
    """Digests of the raw rows by id; "" where two rows have the same id, so that both are read."""
    digests = {}
    for raw in rows:
        if remote_id := _id(raw):
            digests[remote_id] = "" if remote_id in digests else digest_of(raw)
    return digests


def parse_rows(
    rows: list,
    kind: type,
    known: Collection[str] = (),
    digests: Mapping[str, str] | None = None,
    window: tuple[datetime, datetime] | None = None,
) -> tuple[tuple, tuple[Malformed, ...]]:
    """(records, malformed) of the raw rows of one page but those whose ids are ``known``. A row
    that cannot be read never harms another; of rows with the same id the one that was changed last
    counts, else the last. ``digests``: those of appointments, where they were worked out before.
    """
    records, malformed, by_id = [], [], {}
    parse = kind.parse
    for raw in rows:
        if known and _id(raw) in known:
            continue
        try:
            if type(raw) is not dict:
                raise raw.problem if isinstance(raw, Unread) else _not_an_object()
            record = parse(raw, digests.get(_id(raw))) if digests else parse(raw)
        except RecordError as problem:
            malformed.append(Malformed.of(kind, raw, str(problem), window))
            continue
        place = by_id.setdefault(record.id, len(records))
        if place == len(records):
            records.append(record)
        elif freshness(record) >= freshness(records[place]):
            records[place] = record
    forget()
    return tuple(records), tuple(malformed)


def _not_an_object() -> RecordError:
    return RecordError("", "The record is not an object.")


def _record_of(answer, remote_id: str, kind: type):
    if answer.status in (404, 410):
        return None
    problem = answer.error
    unlisted = ("",) if kind is Appointment else ()  # no row of a list, so no digest of one
    if problem is None:
        try:
            record = kind.parse(answer.body, *unlisted)
            if record.id == remote_id:
                return record
            problem = RecordError("id", "is not the one that was asked for")
        except RecordError as unreadable:
            problem = unreadable
    body = answer.body or {}
    # another record's text is nobody's business here
    return Malformed.of(kind, body if _id(body) == remote_id else {"id": remote_id}, str(problem))


def _middle(start: datetime, end: datetime, problem: GraphError) -> datetime | None:
    """Where to cut a window that failed, or None where cutting it would not help."""
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


def _id(row) -> str:
    """The id of a raw row, or "" where it has none that could be asked for."""
    return usable_id(row.get("id")) if isinstance(row, dict) else ""


def _utc(moment: datetime) -> str:
    """
    >>> _utc(datetime(2026, 3, 2, 9, tzinfo=timezone.utc))
    '2026-03-02T09:00:00Z'
    """
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
