"""Reading by id in batches: each item judged by itself."""

import json

import pytest

from bookings_invoicing.graph import (
    AccessDenied,
    Appointment,
    AuthError,
    GraphError,
    Malformed,
    NotFound,
    ProtocolError,
    ThrottledError,
    TransientError,
)

from . import payloads
from .servers import answer, graph_error, token_answer

BUSINESS = "b@example.com"
IDS = [payloads.appointment(number)["id"] for number in range(10)]


def good(number):
    return 200, payloads.appointment(number)


class Batches:
    """Answers $batch from ``items``: {id: [(status, body[, headers]), ...]}, the last for ever."""

    def __init__(self, server, items):
        self.items = {key: list(value) for key, value in items.items()}
        self.asked = []
        server.on("$batch", self._act)

    def _act(self, wire, request):
        requests = json.loads(request.body)["requests"]
        self.asked.append([item["url"].rsplit("/", 1)[1] for item in requests])
        responses = []
        for item, remote_id in zip(requests, self.asked[-1], strict=True):
            script = self.items[remote_id]
            status, body, *headers = script.pop(0) if len(script) > 1 else script[0]
            headers = headers[0] if headers else {}
            responses.append({"id": item["id"], "status": status, "headers": headers, "body": body})
        answer({"responses": responses[::-1]})(wire, request)


def read(client, ids):
    return list(client.appointments_by_id(BUSINESS, ids))


def test_four_at_a_time(server, client):
    """Never more on one mailbox; each id once, in order."""
    batches = Batches(server, {remote_id: [good(n)] for n, remote_id in enumerate(IDS)})
    found = read(client, [*IDS, IDS[0]])
    assert [len(batch) for batch in batches.asked] == [4, 4, 2]
    assert [remote_id for remote_id, _record in found] == IDS
    assert all(isinstance(record, Appointment) and record.id == key for key, record in found)


def test_nothing_to_read(server, client):
    assert read(client, []) == []
    assert server.journal == []


@pytest.mark.parametrize("code", ["ErrorItemNotFound", "ResourceNotFound", "SomethingElse", ""])
@pytest.mark.parametrize("status", [404, 410])
def test_gone(server, client, status, code):
    """Graph knows no such appointment: None, and its neighbours as they are."""
    Batches(server, {IDS[0]: [good(0)], IDS[1]: [(status, graph_error(code))]})
    found = dict(read(client, IDS[:2]))
    assert found[IDS[1]] is None
    assert isinstance(found[IDS[0]], Appointment)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, graph_error("ErrorNonExistentMailbox"), NotFound),
        (404, graph_error("ErrorFolderNotFound"), AccessDenied),
        (403, graph_error("ErrorAccessDenied"), AccessDenied),
        (404, {}, ProtocolError),
        (404, "<html>", ProtocolError),
        (404, None, ProtocolError),
        (302, None, ProtocolError),
        (401, graph_error("InvalidAuthenticationToken"), AuthError),
    ],
)
def test_never_gone_by_mistake(server, client, status, body, error):
    """A mailbox that is away, a role that is missing or a proxy's page must not read as "this
    appointment was cancelled": it concerns all of them and is raised.
    """
    Batches(server, {IDS[0]: [good(0)], IDS[1]: [(status, body)]})
    with pytest.raises(error):
        read(client, IDS[:2])


def test_throttled_items_are_asked_again(server, client, clock):
    """Only they, after the longest of their waits."""
    busy = (429, graph_error("TooManyRequests"))
    batches = Batches(
        server,
        {
            IDS[0]: [good(0)],
            IDS[1]: [(*busy, {"Retry-After": "2"}), good(1)],
            IDS[2]: [(*busy, {"retry-after": "3.5"}), (*busy, {}), good(2)],
        },
    )
    assert all(isinstance(record, Appointment) for _key, record in read(client, IDS[:3]))
    assert batches.asked == [IDS[:3], IDS[1:3], IDS[2:3]]
    assert clock.waits == [3.5, 2.0]


def test_items_throttled_for_ever(server, client):
    batches = Batches(server, {IDS[0]: [good(0)], IDS[1]: [(429, graph_error("x"))]})
    with pytest.raises(ThrottledError):
        read(client, IDS[:2])
    assert len(batches.asked) == 5


def test_one_item_fails_for_ever(server, client):
    """Some empty 500s are permanent: that one is put aside, the others are read."""
    batches = Batches(server, {IDS[0]: [good(0)], IDS[1]: [(500, graph_error(""))]})
    found = dict(read(client, IDS[:2]))
    assert isinstance(found[IDS[0]], Appointment)
    assert isinstance(found[IDS[1]], Malformed)
    assert found[IDS[1]].remote_id == IDS[1]
    assert len(batches.asked) == 5


def test_all_items_fail(server, client):
    """That is an outage."""
    Batches(server, {key: [(503, graph_error(""))] for key in IDS[:2]})
    with pytest.raises(TransientError):
        read(client, IDS[:2])


@pytest.mark.parametrize("status", [400, 405, 409, 423])
def test_one_item_is_refused(server, client, status):
    """Such as an id that Exchange finds malformed: put aside with the reason, without retry."""
    batches = Batches(server, {IDS[0]: [(status, graph_error("ErrorX"))], IDS[1]: [good(1)]})
    found = dict(read(client, IDS[:2]))
    assert "ErrorX" in found[IDS[0]].reason
    assert isinstance(found[IDS[1]], Appointment)
    assert len(batches.asked) == 1


@pytest.mark.parametrize(
    "body",
    [None, "x", [], payloads.appointment(5), payloads.appointment(0, price=None),
     payloads.appointment(0, id=IDS[0].lower())],
)  # fmt: skip
def test_an_answer_that_is_not_the_record(server, client, body):
    """Another id, no object, unreadable: put aside."""
    Batches(server, {IDS[0]: [(200, body)], IDS[1]: [good(1)]})
    found = dict(read(client, IDS[:2]))
    assert isinstance(found[IDS[0]], Malformed)
    assert isinstance(found[IDS[1]], Appointment)


def test_payload_of_another_record(server, client):
    """What was not asked for is not kept, not even for somebody to look at."""
    other = payloads.appointment(5, customerName="Somebody Else")
    Batches(server, {IDS[0]: [(200, other)]})
    bad = dict(read(client, IDS[:1]))[IDS[0]]
    assert (bad.remote_id, bad.payload) == (IDS[0], json.dumps({"id": IDS[0]}))


@pytest.mark.parametrize("remote_id", ["", " ", "x" * 256, "a\n"])
def test_an_empty_id_is_never_asked_for(server, client, remote_id):
    """It would be the whole list."""
    Batches(server, {IDS[0]: [good(0)]})
    assert list(dict(read(client, [remote_id, IDS[0], remote_id]))) == [IDS[0]]
    assert read(client, [remote_id]) == []


def test_a_new_token_for_items(server, client):
    """A token that ends in the middle of a batch: its items are asked for once more with a new one."""
    ended = (401, graph_error("InvalidAuthenticationToken"))
    server.on(
        "/oauth2/v2.0/token", answer(token_answer()), answer(token_answer(access_token="new"))
    )
    batches = Batches(server, {IDS[0]: [good(0)], IDS[1]: [ended, good(1)]})
    assert all(isinstance(record, Appointment) for _key, record in read(client, IDS[:2]))
    assert batches.asked == [IDS[:2]] * 2
    sent = [request.headers["authorization"] for request in server.seen("$batch")]
    assert sent[0] != sent[1] == "Bearer new"


def test_a_new_token_for_one_item_without_batching(server, client):
    """Where items are asked for one by one, the token ends between them just as well."""
    ended = answer(graph_error("InvalidAuthenticationToken"), 401)
    server.on(
        "/oauth2/v2.0/token", answer(token_answer()), answer(token_answer(access_token="new"))
    )
    server.on("$batch", answer(b"no", 501))
    server.on(f"/appointments/{IDS[0]}", answer(payloads.appointment(0)))
    server.on(f"/appointments/{IDS[1]}", ended, answer(payloads.appointment(1)))
    assert all(isinstance(record, Appointment) for _key, record in read(client, IDS[:2]))
    sent = [request.headers["authorization"] for request in server.seen(f"/{IDS[1]}")]
    assert sent[0] != sent[1] == "Bearer new"


@pytest.mark.parametrize(
    "document",
    [{}, {"responses": None}, {"responses": {}}, {"responses": [5, None, {}]},
     {"responses": [{"id": "0", "status": "200", "body": {}}]},
     {"responses": [{"id": "7", "status": 200, "body": payloads.appointment(0)}]}],
)  # fmt: skip
def test_batch_answers_out_of_shape(server, client, document):
    """An item without an answer counts as failed, never as gone."""
    server.on("$batch", answer(document))
    with pytest.raises(GraphError) as caught:
        read(client, IDS[:1])
    assert isinstance(caught.value, TransientError | ProtocolError)


@pytest.mark.parametrize("status", [429, 500])
def test_the_batch_itself_fails(server, client, status):
    """The transport tries it again as a whole."""
    batch = {"responses": [{"id": "0", "status": 200, "body": payloads.appointment(0)}]}
    server.on("$batch", answer(b"{}", status), answer(batch))
    ((_key, record),) = read(client, IDS[:1])
    assert isinstance(record, Appointment)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_no_batching(server, client, status):
    """A gateway without it: one by one, and it is not asked again."""
    server.on("$batch", answer(b"no", status))
    for number in (0, 1):
        server.on(f"/appointments/{IDS[number]}", answer(payloads.appointment(number)))
    found = dict(read(client, [*IDS[:2], "gone="]))
    assert [type(record).__name__ for record in found.values()] == ["Appointment"] * 2 + [
        "NoneType"
    ]
    assert len(server.seen("$batch")) == 1


def test_ids_are_encoded(server, client):
    """Exchange's ids hold characters that mean something in an address."""
    batches = Batches(server, {"a%2Fb%3Fc%23d%26e=": [good(0)]})
    read(client, ["a/b?c#d&e="])
    assert batches.asked == [["a%2Fb%3Fc%23d%26e="]]
