"""Calendar views: windows, halving, customers that a list leaves out."""

import datetime
import json
from urllib.parse import parse_qs

import pytest

from bookings_invoicing.graph import AccessDenied, GraphError, ThrottledError, TransientError
from bookings_invoicing.graph.records import digest_of

from . import payloads
from .servers import answer, graph_error

UTC = datetime.timezone.utc
BUSINESS = "b@example.com"
START = datetime.datetime(2026, 1, 1, tzinfo=UTC)


def day(number):
    return START + datetime.timedelta(days=number)


def windows(server):
    """The (start, end) of each calendar view asked for, as datetimes."""
    asked = []
    for request in server.seen("calendarView"):
        query = parse_qs(request.query, strict_parsing=True)
        assert sorted(query) == ["end", "start"]
        asked.append(tuple(parsed(query[name][0]) for name in ("start", "end")))
    return asked


def parsed(text):
    assert text.endswith("Z")
    return datetime.datetime.fromisoformat(text.removesuffix("Z") + "+00:00")


def test_windows_of_a_month_at_most(server, client):
    """In order, without gap or overlap; each one's last page says that it is complete."""
    server.on("calendarView", answer(payloads.page(payloads.appointment())))
    pages = list(client.calendar_view(BUSINESS, day(0), day(100)))
    asked = windows(server)
    assert asked[0][0] == day(0) and asked[-1][1] == day(100)
    assert all(before[1] == after[0] for before, after in zip(asked, asked[1:], strict=False))
    assert all(end - start <= datetime.timedelta(days=28) for start, end in asked)
    assert [page.window for page in pages] == asked
    assert all(page.complete for page in pages)


def test_other_zones_are_turned_to_utc(server, client):
    server.on("calendarView", answer(payloads.page()))
    zone = datetime.timezone(datetime.timedelta(hours=2))
    start = datetime.datetime(2026, 1, 1, tzinfo=zone)
    (page,) = client.calendar_view(BUSINESS, start, start + datetime.timedelta(days=1))
    assert windows(server) == [(start, start + datetime.timedelta(days=1))]
    assert page.window[0].tzinfo is UTC


def test_times_without_zone_are_refused(client):
    with pytest.raises(ValueError):
        next(client.calendar_view(BUSINESS, datetime.datetime(2026, 1, 1), day(1)))


def test_an_empty_period_asks_nothing(server, client):
    assert list(client.calendar_view(BUSINESS, day(1), day(1))) == []
    assert list(client.calendar_view(BUSINESS, day(2), day(1))) == []
    assert server.journal == []


def refusing_over(server, hours, refusal):
    """Answers views of up to so many hours; refuses longer ones."""

    def act(wire, request):
        query = parse_qs(request.query)
        start, end = (parsed(query[name][0]) for name in ("start", "end"))
        long = end - start > datetime.timedelta(hours=hours)
        (refusal if long else answer(payloads.page()))(wire, request)

    server.on("calendarView", act)


@pytest.mark.parametrize(
    ("status", "code"), [(416, "RangeTooLarge"), (400, "BadRequest"), (400, ""), (416, "")]
)
def test_too_long_a_window_is_halved(server, client, status, code):
    """Until Graph can answer; what is read covers the whole period once and in order."""
    refusing_over(server, 60, answer(graph_error(code), status))
    pages = list(client.calendar_view(BUSINESS, day(0), day(20)))
    covered = [page.window for page in pages]
    assert covered[0][0] == day(0) and covered[-1][1] == day(20)
    assert all(before[1] == after[0] for before, after in zip(covered, covered[1:], strict=False))
    assert all(page.complete for page in pages)
    assert len(server.seen("calendarView")) == len(pages) * 2 - 1


@pytest.mark.parametrize("status", [500, 504])
def test_a_window_that_keeps_failing_is_halved(server, client, clock, status):
    """Some overflows are told as a server error: after the retries, half the window is tried."""
    refusing_over(server, 24 * 10, answer(graph_error(""), status))
    pages = list(client.calendar_view(BUSINESS, day(0), day(20)))
    assert [page.window for page in pages] == [(day(0), day(10)), (day(10), day(20))]
    assert len(server.seen("calendarView")) == 5 + 2


@pytest.mark.parametrize(
    ("status", "most"), [(400, 12), (416, 12), (500, 5 + 2 * 5), (504, 5 + 2 * 5)]
)
def test_halving_has_an_end(server, client, status, most):
    """Where short windows fail as well it was not the length; the error comes out."""
    server.on("calendarView", answer(graph_error("x"), status))
    with pytest.raises(GraphError) as caught:
        list(client.calendar_view(BUSINESS, day(0), day(28)))
    assert caught.value.status == status
    assert len(server.seen("calendarView")) <= most


@pytest.mark.parametrize("status", [403, 404, 429, 502, 503])
def test_other_failures_are_not_halved(server, client, status):
    server.on("calendarView", answer(graph_error("x"), status, Retry_After="600"))
    with pytest.raises(GraphError):
        list(client.calendar_view(BUSINESS, day(0), day(28)))
    assert len({request.target for request in server.seen("calendarView")}) == 1


def test_a_failing_later_page_is_not_halved(server, client):
    """Its window was answered: half of it has been given out already."""
    server.on("calendarView", answer(payloads.page(next_link=f"{server.graph}/later")))
    server.on("/later", answer(graph_error("x"), 500))
    pages = client.calendar_view(BUSINESS, day(0), day(28))
    assert not next(pages).complete
    with pytest.raises(TransientError):
        next(pages)
    assert len(windows(server)) == 1


def listed(number, **changes):
    """An appointment as a list shows it where it leaves customers out."""
    return payloads.appointment(number, customers=[], **changes)


def by_id(server, answers):
    """$batch answers for appointments: {id: (status, body)}."""

    def act(wire, request):
        items = json.loads(request.body)["requests"]
        responses = []
        for item in reversed(items):
            remote_id = item["url"].rsplit("/", 1)[1]
            status, body = answers[remote_id]
            responses.append({"id": item["id"], "status": status, "headers": {}, "body": body})
        answer({"responses": responses})(wire, request)

    server.on("$batch", act)


def people(pages):
    return [
        (record.id[-3:-1], [attendee.customer_id[:2] for attendee in record.attendees])
        for page in pages
        for record in page.records
    ]


def test_customers_left_out_are_read_by_id(server, client):
    """In batches of four; rows keep their order, and rows with customers are not asked for."""
    rows = [payloads.appointment(0), *(listed(number) for number in range(1, 7))]
    server.on("calendarView", answer(payloads.page(*rows)))
    full = {row["id"]: (200, payloads.appointment(int(row["id"][-3:-1]))) for row in rows}
    by_id(server, full)
    pages = list(client.calendar_view(BUSINESS, day(0), day(7)))
    assert people(pages) == [(f"{number:02d}", ["22"]) for number in range(7)]
    batches = [json.loads(request.body)["requests"] for request in server.seen("$batch")]
    assert [len(batch) for batch in batches] == [4, 2]
    item = batches[0][0]
    assert item["method"] == "GET"
    assert item["url"] == f"/solutions/bookingBusinesses/{BUSINESS}/appointments/AAMkExample000001="
    assert item["headers"] == {"Prefer": "include-unknown-enum-members"}


def test_customers_left_out_are_read_once(server, client):
    """A row that is as it was when it was read by id is not read again; an edit shows in its time."""
    rows = [listed(1), listed(2), listed(3, lastUpdatedDateTime=None)]
    later = listed(2, lastUpdatedDateTime="2026-02-03T08:00:00Z")
    ids = [row["id"] for row in rows]
    server.on(
        "calendarView", answer(payloads.page(*rows)), answer(payloads.page(rows[0], later, rows[2]))
    )
    by_id(server, {remote_id: (200, payloads.appointment(n)) for n, remote_id in enumerate(ids, 1)})
    (page,) = client.calendar_view(BUSINESS, day(0), day(7))
    kept = {record.id: record.digest for record in page.records}
    assert kept == {ids[0]: digest_of(rows[0]), ids[1]: digest_of(rows[1]), ids[2]: ""}

    def unchanged(_window, digests):
        return [key for key, digest in digests.items() if kept[key] == digest]

    (page,) = client.calendar_view(BUSINESS, day(0), day(7), unchanged)
    assert (page.unchanged, [record.id for record in page.records]) == ((ids[0],), ids[1:])
    asked = [len(json.loads(request.body)["requests"]) for request in server.seen("$batch")]
    assert asked == [3, 2]
    assert page.records[0].digest == digest_of(later) != kept[ids[1]]


@pytest.mark.parametrize(
    "body",
    [
        (404, graph_error("ErrorItemNotFound")),
        (200, listed(1)),
        (200, payloads.appointment(2)),
    ],
)
def test_still_nobody_by_id(server, client, body):
    """Then the person in the appointment's own properties, if any."""
    server.on("calendarView", answer(payloads.page(listed(1))))
    by_id(server, {listed(1)["id"]: body})
    (page,) = client.calendar_view(BUSINESS, day(0), day(7))
    ((attendee,),) = (record.attendees for record in page.records)
    assert (attendee.email, attendee.customer_id) == ("ada@example.com", "")


def test_by_id_is_not_allowed(server, client):
    """A list that may be read is still worth reading."""
    server.on("calendarView", answer(payloads.page(listed(1))))
    by_id(server, {listed(1)["id"]: (403, graph_error("ErrorAccessDenied"))})
    (page,) = client.calendar_view(BUSINESS, day(0), day(7))
    assert len(page.records[0].attendees) == 1


def test_one_that_fails_by_id_is_put_aside(server, client):
    """Not taken without its customers: it would be billed to somebody else until the next run."""
    rows = [listed(1), listed(2)]
    server.on("calendarView", answer(payloads.page(*rows)))
    by_id(
        server,
        {
            rows[0]["id"]: (200, payloads.appointment(1)),
            rows[1]["id"]: (500, graph_error("")),
        },
    )
    (page,) = client.calendar_view(BUSINESS, day(0), day(7))
    assert [record.id for record in page.records] == [rows[0]["id"]]
    assert page.malformed[0].remote_id == rows[1]["id"]
    assert page.malformed[0].reason.startswith("customers: ")


def test_an_outage_by_id_is_an_outage(server, client):
    server.on("calendarView", answer(payloads.page(listed(1))))
    by_id(server, {listed(1)["id"]: (503, graph_error(""))})
    with pytest.raises(TransientError):
        list(client.calendar_view(BUSINESS, day(0), day(7)))


def test_rows_that_cannot_be_asked_for(server, client):
    """No id, no request."""
    server.on("calendarView", answer(payloads.page(listed(1, id=None), listed(2, id="x\n"), "x")))
    (page,) = client.calendar_view(BUSINESS, day(0), day(7))
    assert (len(page.records), len(page.malformed)) == (0, 3)
    assert server.seen("$batch") == []


def test_throttled_by_id_for_long(server, client):
    """The caller is told when to come back; nothing half-read is given out."""

    def act(wire, _request):
        item = {"id": "0", "status": 429, "headers": {"Retry-After": "300"}, "body": {}}
        answer({"responses": [item]})(wire, _request)

    server.on("calendarView", answer(payloads.page(listed(1))))
    server.on("$batch", act)
    with pytest.raises(ThrottledError) as caught:
        next(client.calendar_view(BUSINESS, day(0), day(7)))
    assert caught.value.retry_after == 300


def test_no_access_to_the_calendar(server, client):
    server.on("calendarView", answer(graph_error("ErrorFolderNotFound"), 404))
    with pytest.raises(AccessDenied) as caught:
        next(client.calendar_view(BUSINESS, day(0), day(7)))
    assert caught.value.kind == "mailbox_role_missing"


def test_rows_that_are_known_are_not_read(server, client):
    """The caller sees each row's digest; what he knows is named, not parsed; a double is read in any case."""
    rows = [payloads.appointment(id=name) for name in ("same=", "new=", "twice=", "twice=")]
    broken = payloads.appointment(id="broken=", startDateTime=None)
    server.on("calendarView", answer(payloads.page(*rows, broken)))
    asked = []

    def unchanged(window, digests):
        asked.append((window, set(digests)))
        return [key for key in digests if key == "same="]

    (page,) = client.calendar_view(BUSINESS, day(0), day(1), unchanged)
    assert asked == [((day(0), day(1)), {"same=", "new=", "broken="})]
    assert page.unchanged == ("same=",)
    assert [record.id for record in page.records] == ["new=", "twice="]
    assert [bad.remote_id for bad in page.malformed] == ["broken="]


def test_digest_tells_what_is_read_here():
    """The time of an edit does not count; price, people and place do."""
    raw = payloads.appointment()
    digest = digest_of(raw)
    assert digest_of(dict(reversed(raw.items()))) == digest
    assert digest_of(raw | {"lastUpdatedDateTime": "2030-01-01T00:00:00Z"}) == digest
    others = {
        "price": 61.5,
        "priceType": "free",
        "serviceId": "other",
        "appointmentLabel": "VIP",
        "customers": [{"name": "Somebody else"}],
        "serviceLocation": {"displayName": "Elsewhere"},
        "staffMemberIds": ["other"],
        "startDateTime": {"dateTime": "2030-01-01T09:00:00", "timeZone": "UTC"},
    }
    assert len({digest, *(digest_of(raw | {name: value}) for name, value in others.items())}) == 9
