"""Answers that are not what Graph documents: wrong content, wrong size, wrong place."""

import functools
import gzip
import zlib

import psutil
import pytest

from bookings_invoicing.graph import (
    AccessDenied,
    AuthError,
    GraphError,
    NotFound,
    ProtocolError,
    SecurityError,
)

from . import payloads
from .servers import answer, graph_error, head, raw

SERVICES = "/services"


def first_page(client):
    return next(iter(client.services("b@example.com")))


@pytest.mark.parametrize(
    ("body", "status", "content_type"),
    [
        (b"<html>Please sign in to the hotel's network</html>", 200, "text/html"),
        (b"", 200, "application/json"),
        (b"", 204, "application/json"),
        (b"[]", 200, "application/json"),
        (b'"text"', 200, "application/json"),
        (b"null", 200, "application/json"),
        (b'{"value": [', 200, "application/json"),
        (b'{"value": [\xff\xfe]}', 200, "application/json"),
        (b'{"value": ' + b"[" * 200_000, 200, "application/json"),
    ],
)
def test_not_graph(server, client, body, status, content_type):
    """Said so, after one more try where the answer may have been cut."""
    server.on(SERVICES, answer(body, status, Content_Type=content_type))
    with pytest.raises(ProtocolError) as caught:
        first_page(client)
    assert caught.value.kind == "not_json"
    assert "localhost" in str(caught.value)
    assert len(server.seen(SERVICES)) == (2 if status == 200 else 1)


@pytest.mark.parametrize(
    "body",
    [b"{}", b'{"value": null}', b'{"value": {}}', b'{"value": "x"}',
     b'{"value": [], "@odata.nextLink": 7}', b'{"value": [], "@odata.nextLink": ["x"]}'],
)  # fmt: skip
def test_json_of_another_shape(server, client, body):
    server.on(SERVICES, answer(body))
    with pytest.raises(ProtocolError) as caught:
        first_page(client)
    assert caught.value.kind == "wrong_shape"


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", ""])
def test_content_type_is_not_believed(server, client, content_type):
    """The body decides: gateways rewrite the header."""
    server.on(SERVICES, answer(payloads.page(payloads.service()), Content_Type=content_type))
    assert len(first_page(client).records) == 1


def test_byte_order_mark_and_doubled_keys(server, client):
    """Both are harmless: the mark is skipped, the last of two keys counts."""
    body = (
        b'\xef\xbb\xbf{"value": [], "value": [{"id": "a", "id": "b", "defaultPriceType": "free"}]}'
    )
    server.on(SERVICES, answer(body))
    assert [service.id for service in first_page(client).records] == ["b"]


@pytest.mark.parametrize("packed", [gzip.compress, zlib.compress])
def test_packed(server, client, packed):
    body = packed(b" " * 200_000 + b'{"value": []}')
    encoding = "gzip" if packed is gzip.compress else "deflate"
    server.on(SERVICES, answer(body, Content_Encoding=encoding))
    assert first_page(client).records == ()
    assert server.seen(SERVICES)[0].headers["accept-encoding"] == "gzip"


def test_packed_in_two_members(server, client):
    body = gzip.compress(b'{"value"') + gzip.compress(b": []}")
    server.on(SERVICES, answer(body, Content_Encoding="gzip"))
    assert first_page(client).records == ()


@functools.cache
def bomb():
    packer = zlib.compressobj(9, wbits=31)
    block = b" " * 2**20
    return b"".join(packer.compress(block) for _ in range(300)) + packer.flush()


def endless(wire, _request):
    """A body that never ends, as fast as it goes."""
    wire.write(head(200, {"Content-Type": "application/json"}))
    while not wire.stopping.is_set():
        wire.write(b" " * 65536)
    return False


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(answer(bomb(), Content_Encoding="gzip"), id="gzip bomb of 300 MB"),
        pytest.param(endless, id="endless"),
        pytest.param(
            raw(head(200, {"Content-Length": str(10**12)}), *[b" " * 2**20] * 30), id="a terabyte"
        ),
    ],
)
def test_too_large(server, make_client, action):
    """Dropped at the limit, in little memory, and not asked for again."""
    server.on(SERVICES, action)
    client = make_client(max_bytes=4 * 2**20)
    client.tokens.token()
    before = psutil.Process().memory_info().rss
    with pytest.raises(ProtocolError) as caught:
        first_page(client)
    assert caught.value.kind == "too_large"
    assert len(server.seen(SERVICES)) == 1
    assert psutil.Process().memory_info().rss - before < 40 * 2**20


def test_the_limit_is_exact(server, make_client):
    body = b'{"value": []}'.ljust(1000)
    server.on(SERVICES, answer(body))
    assert first_page(make_client(max_bytes=1000)).records == ()
    with pytest.raises(ProtocolError):
        first_page(make_client(max_bytes=999))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["same host", "other host", "plain http", "bomb"])
def test_redirects_are_not_followed(server, client, sink, status, place):
    """Not even to the same host; their body is not read either."""
    target = {
        "same host": f"{server.graph}/elsewhere",
        "other host": f"https://127.0.0.1:{sink.port}/v1.0/x",
        "plain http": f"http://127.0.0.1:{sink.port}/v1.0/x",
        "bomb": "https://[::1",
    }[place]
    body = bomb() if place == "bomb" else b""
    server.on(SERVICES, answer(body, status, Location=target, Content_Encoding="gzip"))
    with pytest.raises(SecurityError) as caught:
        first_page(client)
    assert (caught.value.kind, caught.value.status) == ("redirect", status)
    assert server.seen("elsewhere") == []
    assert len(server.seen(SERVICES)) == 1


@pytest.mark.parametrize(
    ("status", "code", "error", "kind"),
    [
        (400, "BadRequest", GraphError, "bad_request"),
        (400, "SomethingNewOf2031", GraphError, "bad_request"),
        (400, "ErrorExceededFindCountLimit", GraphError, "too_many_businesses"),
        (403, "Authorization_RequestDenied", AccessDenied, "access_denied"),
        (403, "", AccessDenied, "access_denied"),
        (404, "ErrorNonExistentMailbox", NotFound, "business_not_found"),
        (404, "ErrorFolderNotFound", AccessDenied, "mailbox_role_missing"),
        (403, "ErrorFolderNotFound", AccessDenied, "mailbox_role_missing"),
        (404, "ErrorItemNotFound", NotFound, "not_found"),
        (410, "Gone", NotFound, "not_found"),
        (409, "Conflict", GraphError, "graph_error"),
        (423, "Locked", GraphError, "graph_error"),
    ],
)
def test_refusals(server, client, status, code, error, kind):
    """No retry; the class says what to do, the sentence says it to a person."""
    server.on(SERVICES, answer(graph_error(code, "canary message"), status))
    with pytest.raises(error) as caught:
        first_page(client)
    problem = caught.value
    assert (type(problem), problem.kind, problem.code, problem.status) == (
        error,
        kind,
        code,
        status,
    )
    assert problem.request_id == "server-request-id"
    assert problem.needs_admin == (error is AccessDenied)
    assert "canary" not in str(problem)
    assert len(server.seen(SERVICES)) == 1


def test_a_404_that_is_not_graphs(server, client):
    """A proxy's page must not read as "this business does not exist"."""
    server.on(SERVICES, answer(b"<html>Not Found</html>", 404))
    with pytest.raises(ProtocolError) as caught:
        first_page(client)
    assert caught.value.kind == "not_json"


def test_a_new_token_once(server, client):
    """A token that expires in the middle of paging is replaced, and the page read again."""
    link = f"{server.graph}/second{SERVICES}"
    server.on(SERVICES, answer(payloads.page(payloads.service(1), next_link=link)))
    denied = answer(graph_error("InvalidAuthenticationToken"), 401)
    server.on("/second", denied, answer(payloads.page(payloads.service(2))))
    pages = list(client.services("b@example.com"))
    assert [len(page.records) for page in pages] == [1, 1]
    assert len(server.seen("/oauth2/v2.0/token")) == 2


def test_a_new_token_does_not_help(server, client):
    server.on(SERVICES, answer(graph_error("InvalidAuthenticationToken"), 401))
    with pytest.raises(AuthError) as caught:
        first_page(client)
    assert caught.value.kind == "token_refused"
    assert len(server.seen(SERVICES)) == 2
    assert len(server.seen("/oauth2/v2.0/token")) == 2


def test_sign_in_is_not_hammered(server, client):
    """However often Graph says 401, a client asks for a handful of tokens at most."""
    server.on(SERVICES, answer(graph_error("InvalidAuthenticationToken"), 401))
    for _ in range(20):
        with pytest.raises(AuthError):
            first_page(client)
    assert len(server.seen("/oauth2/v2.0/token")) == 6
