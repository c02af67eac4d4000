"""What is tried again, when, how often, and what is told in the end."""

import email.utils
import gzip

import pytest

from bookings_invoicing.graph import ThrottledError, TransientError

from . import payloads
from .servers import answer, graph_error, raw

SERVICES = "/services"
GOOD = answer(payloads.page(payloads.service()))
BUSINESS = "b@example.com"


def read(client):
    return [service.id for page in client.services(BUSINESS) for service in page.records]


def throttled(**headers):
    return answer(graph_error("TooManyRequests"), 429, **headers)


@pytest.mark.parametrize(
    ("value", "least"),
    [
        ("2", 2),
        ("2.128", 2.128),
        ("0", 0),
        ("-5", 0),
        ("soon", 0),
        ("1e400", 0),
        ("", 0),
        ("nan", 0),
    ],
)
def test_retry_after_is_obeyed(server, client, clock, value, least):
    """A 429 is answered by one wait: as long as asked, and never shorter than our own."""
    server.on(SERVICES, throttled(Retry_After=value), GOOD)
    assert len(read(client)) == 1
    assert clock.waits == [max(least, 1.0)]


def test_no_request_before_the_wait_is_over(server, make_client):
    """With real time: the second request comes no earlier than the server allowed."""
    import time

    server.on(SERVICES, throttled(Retry_After="0.4"), GOOD)
    client = make_client(clock=time.monotonic, sleep=time.sleep, rng=lambda: 0.0)
    assert len(read(client)) == 1
    first, second = server.seen(SERVICES)
    assert second.at - first.at >= 0.4


@pytest.mark.parametrize("skew", [0, 86400, -86400])
def test_retry_after_as_date(server, client, clock, skew):
    """A date is read against the server's own clock, whatever ours says."""
    now = 1_770_000_000 + skew
    stamp = {
        "Retry_After": email.utils.formatdate(now + 7, usegmt=True),
        "Date": email.utils.formatdate(now, usegmt=True),
    }
    server.on(SERVICES, throttled(**stamp), GOOD)
    assert len(read(client)) == 1
    assert clock.waits == [7.0]


def test_date_without_the_servers_clock(server, make_client, clock):
    """Without a Date header our wall clock has to do."""
    stamp = email.utils.formatdate(2_000_000_009, usegmt=True)
    server.on(SERVICES, throttled(Retry_After=stamp), GOOD)
    assert len(read(make_client(now=lambda: 2_000_000_000.0))) == 1
    assert clock.waits == [9.0]


@pytest.mark.parametrize("status", [429, 503])
def test_a_long_wait_is_left_to_the_caller(server, client, clock, status):
    """A day is not slept through: the error says when to come back."""
    server.on(SERVICES, answer(graph_error("x"), status, Retry_After="86400"))
    with pytest.raises(TransientError) as caught:
        read(client)
    assert caught.value.retry_after == 86400
    assert isinstance(caught.value, ThrottledError) == (status == 429)
    assert clock.waits == []
    assert len(server.seen(SERVICES)) == 1


@pytest.mark.parametrize(("value", "waited"), [("10", True), ("10.5", False)])
def test_how_long_is_long(server, client, clock, value, waited):
    """Ten seconds are slept through; more holds up whoever waits for the run."""
    server.on(SERVICES, throttled(Retry_After=value), GOOD)
    if waited:
        assert len(read(client)) == 1
    else:
        with pytest.raises(ThrottledError):
            read(client)
    assert clock.waits == ([10.0] if waited else [])


def test_an_absurd_wait_is_capped(server, client):
    server.on(SERVICES, throttled(Retry_After="999999999"))
    with pytest.raises(ThrottledError) as caught:
        read(client)
    assert caught.value.retry_after == 86400


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 509])
@pytest.mark.parametrize("times", [1, 4])
def test_server_errors_pass(server, client, clock, status, times):
    """Once or four times in a row: the answer comes in the end, after growing waits."""
    broken = answer(graph_error(""), status)
    server.on(SERVICES, *[broken] * times, GOOD)
    assert len(read(client)) == 1
    assert clock.waits == [1.0, 2.0, 4.0, 8.0][:times]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 509])
def test_server_errors_for_ever(server, client, clock, status):
    """Five attempts, then an error with Microsoft's request id."""
    server.on(SERVICES, answer(graph_error("UnknownError"), status))
    with pytest.raises(TransientError) as caught:
        read(client)
    error = caught.value
    assert len(server.seen(SERVICES)) == 5
    assert (error.status, error.code, error.request_id) == (
        status,
        "UnknownError",
        "server-request-id",
    )
    assert error.transient and not error.needs_admin
    assert "server-request-id" in str(error)


@pytest.mark.parametrize("position", [1, 2, 3])
def test_a_fault_on_any_page(server, client, position):
    """A failing page is read again; the pages before it are not."""
    links = [f"{server.graph}/page{number}{SERVICES}" for number in (1, 2, 3)]
    server.on(SERVICES, answer(payloads.page(payloads.service(0), next_link=links[0])))
    for number in (1, 2, 3):
        following = links[number] if number < 3 else None
        good = answer(payloads.page(payloads.service(number), next_link=following))
        broken = [answer(graph_error("x"), 500)] if number == position else []
        server.on(f"page{number}", *broken, good)
    assert len(read(client)) == 4
    assert [len(server.seen(f"page{number}")) for number in (1, 2, 3)].count(2) == 1
    assert len(server.journal) == 2 + 4 + 1


def test_the_whole_request_has_an_end(server, make_client, clock):
    """Waits count: when the rest of the time is shorter than the next wait, it is over."""
    server.on(SERVICES, throttled(Retry_After="9"))
    with pytest.raises(ThrottledError):
        read(make_client(total_timeout=20))
    assert clock.waits == [9.0, 9.0]


def test_a_new_connection_after_503(server, client):
    """Microsoft asks for it: the old connection may lead to the overloaded machine again."""
    server.on(SERVICES, answer(graph_error("x"), 503), GOOD)
    read(client)
    first, second = server.seen(SERVICES)
    assert first.connection != second.connection


def test_one_connection_otherwise(server, client):
    """Sign-in, pages and a retry after a 500 share one connection."""
    link = f"{server.graph}/more"
    server.on(SERVICES, answer(graph_error("x"), 500), answer(payloads.page(next_link=link)))
    server.on("/more", GOOD)
    read(client)
    assert {request.connection for request in server.journal} == {1}


def test_backoff_has_full_jitter(server, make_client, clock):
    """The wait is spread over the whole interval, so that many clients do not return together."""
    server.on(SERVICES, answer(graph_error("x"), 500))
    with pytest.raises(TransientError):
        read(make_client(rng=lambda: 0.25))
    assert clock.waits == [0.25, 0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b'{"value": [', end="reset"),
            id="reset in the middle",
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b'{"value": []}'),
            id="shorter than announced",
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b'd\r\n{"value": []}'),
            id="chunk cut off",
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\n{}\r\n0\r\n\r\n"),
            id="no chunk length",
        ),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\nContent-Le", end="reset"), id="reset in the head"),
        pytest.param(raw(b"", end="reset"), id="reset at once"),
        pytest.param(raw(b""), id="closed at once"),
        pytest.param(raw(b"SMTP ready\r\n\r\n"), id="no HTTP at all"),
        pytest.param(
            raw(
                b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nContent-Encoding: gzip\r\n\r\n"
                + b"x" * 12
            ),
            id="not gzip",
        ),
        pytest.param(
            answer(gzip.compress(b'{"value": []}' + b" " * 999)[:-12], Content_Encoding="gzip"),
            id="gzip without its end",
        ),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: br\r\n\r\n{}"),
            id="packed in a way not asked for",
        ),
    ],
)
def test_a_broken_answer_is_read_again(server, client, cut):
    """Nothing of a broken page is used; it is asked for once more."""
    server.on(SERVICES, cut, GOOD)
    assert len(read(client)) == 1
    assert len(server.seen(SERVICES)) == 2


def test_a_broken_answer_for_ever(server, client):
    server.on(SERVICES, raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", end="reset"))
    with pytest.raises(TransientError) as caught:
        read(client)
    assert caught.value.kind == "interrupted"
    assert len(server.seen(SERVICES)) == 5


def test_an_answer_cut_without_a_length(server, client):
    """Where nothing tells the length, JSON that ends too early is the only sign."""
    server.on(SERVICES, raw(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"value": ['), GOOD)
    assert len(read(client)) == 1
