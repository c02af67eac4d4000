"""Connections that cannot be made, hang, drip, or end somewhere else than they should."""

import contextlib
import socket
import threading
import time

import pytest
import requests

from bookings_invoicing import graph
from bookings_invoicing.graph import ProtocolError, SecurityError, TransientError

from . import payloads, servers
from .servers import ScriptedServer, answer, head, raw

SERVICES = "/services"


def first_page(client):
    return next(iter(client.services("b@example.com")))


def impatient(make_client, **options):
    """A client on real time with short limits; it tries twice, without a wait between."""
    times = {"connect_timeout": 0.3, "read_timeout": 0.4, "total_timeout": 1.5, "max_attempts": 2}
    real = {"clock": time.monotonic, "sleep": time.sleep, "rng": lambda: 0.0}
    return make_client(**(times | real | options))


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_refused(server, make_client, clock):
    """Nobody listens: tried five times, then said in a sentence."""
    client = make_client(base=f"https://localhost:{closed_port()}")
    with pytest.raises(TransientError) as caught:
        first_page(client)
    assert caught.value.kind == "unreachable"
    assert "localhost" in str(caught.value)
    assert len(clock.waits) == 4


def test_unknown_host(server, make_client, clock, monkeypatch):
    """No such name."""

    def no_name(*_args, **_options):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_name)
    with pytest.raises(TransientError) as caught:
        first_page(make_client(base="https://graph.nowhere.invalid"))
    assert caught.value.kind == "unreachable"
    assert len(clock.waits) == 4


@pytest.mark.parametrize(
    ("names", "days_ago", "trusted"),
    [
        pytest.param(("localhost",), 0, False, id="unknown authority"),
        pytest.param(("localhost",), 400, True, id="expired"),
        pytest.param(("elsewhere.example",), 0, True, id="another host's"),
    ],
)
def test_bad_certificate(make_context, make_client, server, clock, names, days_ago, trusted):
    """Not tried again, nothing sent, no way to switch the check off."""
    context, ca_file = make_context(names, days_ago)
    with ScriptedServer(context, ca_file) as other:
        if trusted:
            server.ca_file = ca_file
        with pytest.raises(SecurityError) as caught:
            first_page(make_client(base=other.base))
        assert other.journal == []
    assert caught.value.kind == "tls_certificate"
    assert caught.value.security and not caught.value.transient
    assert clock.waits == []


def test_no_tls_at_all(make_client, server, clock):
    """A plain HTTP server on the port."""

    class Plain(ScriptedServer):
        def _guarded(self, connection):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.recv(65536)
            connection.close()

    with Plain(None, server.ca_file) as plain, pytest.raises(SecurityError) as caught:
        first_page(make_client(base=plain.base))
    assert caught.value.kind == "tls_handshake"
    assert clock.waits == []


@pytest.mark.parametrize("heard", [10, 65536], ids=["reset", "end"])
def test_connection_ends_in_the_handshake(make_client, server, clock, heard):
    """That is an interruption like others, not a sign of a bad certificate: tried again. What is
    left unread makes the end a reset.
    """

    class Closing(ScriptedServer):
        def _guarded(self, connection):
            connection.recv(heard)
            connection.close()

    with Closing(None, server.ca_file) as closing, pytest.raises(TransientError):
        first_page(make_client(base=closing.base))
    assert len(clock.waits) == 4


def test_connecting_hangs(make_client):
    """A full queue of connections: the connect timeout ends each attempt."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        base = f"https://127.0.0.1:{listener.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(TransientError) as caught:
            first_page(impatient(make_client, base=base))
        took = time.monotonic() - started
        for filler in fillers:
            filler.close()
    assert caught.value.kind == "unreachable"
    assert 0.5 < took < 5


def test_handshake_hangs(make_client, sink_that_listens):
    """Accepted, but never a word: ended like a connect that hangs."""
    base = f"https://127.0.0.1:{sink_that_listens.port}"
    started = time.monotonic()
    with pytest.raises(TransientError) as caught:
        first_page(impatient(make_client, base=base))
    assert caught.value.kind == "timeout"
    assert time.monotonic() - started < 5


@pytest.fixture
def sink_that_listens():
    with servers.Sink() as running:
        yield running


def drip(wire, _request):
    """A byte every 30 ms, within every read timeout and without end."""
    wire.write(head(200, {"Content-Length": "100000"}))
    while not wire.stopping.wait(0.03):
        wire.write(b" ")


def drip_head(wire, _request):
    """The same in the headers."""
    wire.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not wire.stopping.wait(0.03):
        wire.write(b"x")


def drip_chunks(wire, _request):
    """The same in chunks, each complete."""
    wire.write(head(200, {"Transfer-Encoding": "chunked"}))
    while not wire.stopping.wait(0.03):
        wire.write(b"1\r\n \r\n")


@pytest.mark.parametrize(
    ("slow", "most"),
    [
        pytest.param(raw(end="hang"), 4, id="no answer"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\n", end="hang"), 4, id="half a head"),
        pytest.param(
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", end="hang"),
            4,
            id="half a body",
        ),
        pytest.param(drip, 5, id="dripping body"),
        pytest.param(drip_head, 5, id="dripping head"),
        pytest.param(drip_chunks, 5, id="dripping chunks"),
    ],
)
def test_slow_answers_are_ended(server, make_client, slow, most):
    """Silence by the read timeout, dripping by the deadline of the whole request."""
    server.on(SERVICES, slow)
    client = impatient(make_client)
    client.tokens.token()
    started = time.monotonic()
    with pytest.raises(TransientError) as caught:
        first_page(client)
    assert caught.value.kind in ("timeout", "interrupted")
    assert time.monotonic() - started < most


def test_timeout_is_a_number_on_its_way(server, make_client, monkeypatch):
    """Odoo's test framework compares the timeout that passes through Session.send with 10."""
    send, seen = requests.Session.send, []

    def watching(session, request, **options):
        seen.append(options["timeout"] < 10)
        return send(session, request, **options)

    monkeypatch.setattr(requests.Session, "send", watching)
    server.on(SERVICES, answer(payloads.page()))
    first_page(make_client())
    assert len(seen) == 3


def test_environment_has_no_say(server, make_client, monkeypatch, tmp_path):
    """Neither proxies nor certificate bundles nor passwords of the environment are used."""
    (tmp_path / ".netrc").write_text("machine localhost login a password b")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent.pem")
    server.on(SERVICES, answer(payloads.page(payloads.service())))
    assert len(first_page(make_client()).records) == 1
    assert server.seen(SERVICES)[0].headers["authorization"] == f"Bearer {servers.TOKEN}"


class Proxy(servers.Listener):
    """An HTTP proxy that joins two sockets on CONNECT, or answers what it is told to."""

    def __init__(self, answer=b""):
        super().__init__()
        self.answer, self.asked = answer, []

    def handle(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            request += connection.recv(1)
        self.asked.append(request.decode())
        if self.answer:
            connection.sendall(self.answer)
            return
        host, port = self.asked[-1].split()[1].split(":")
        with socket.create_connection((host, int(port))) as other:
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            back = threading.Thread(target=join, args=(other, connection), daemon=True)
            back.start()
            join(connection, other)
            back.join(5)


def join(one, other):
    with contextlib.suppress(OSError):
        while chunk := one.recv(65536):
            other.sendall(chunk)
        other.shutdown(socket.SHUT_WR)


@pytest.fixture
def no_way(monkeypatch):
    """What the environment says of proxies leads nowhere, and does not count."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    monkeypatch.setenv("NO_PROXY", "localhost")


def test_through_a_proxy(server, make_client, no_way):
    """Every request goes through it, with its name and password; the proxy sees neither token nor path."""
    server.on(SERVICES, answer(payloads.page(payloads.service())))
    with Proxy() as proxy:
        address = f"http://odoo:pass@127.0.0.1:{proxy.port}"
        client = impatient(make_client, proxy=address)
        assert len(first_page(client).records) == 1
        client.transport.close()
    assert {asked.split()[0] for asked in proxy.asked} == {"CONNECT"}
    assert all("Proxy-Authorization: Basic" in asked for asked in proxy.asked)
    assert not any(servers.TOKEN in asked or SERVICES in asked for asked in proxy.asked)
    assert "proxy-authorization" not in server.seen(SERVICES)[0].headers


def test_slow_answers_through_a_proxy(server, make_client, no_way):
    """The limits hold there too."""
    server.on(SERVICES, drip)
    with Proxy() as proxy:
        client = impatient(make_client, proxy=f"http://127.0.0.1:{proxy.port}")
        client.tokens.token()
        started = time.monotonic()
        with pytest.raises(TransientError) as caught:
            first_page(client)
        client.transport.close()
    assert caught.value.kind in ("timeout", "interrupted")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("refusal", [b"HTTP/1.1 407 Who\r\n\r\n", b"HTTP/1.1 403 No\r\n\r\n", None])
def test_a_proxy_that_refuses(server, make_client, no_way, refusal):
    """Said in a sentence that names the setting, and not its password."""
    with Proxy(refusal or b"x") as proxy:
        port = proxy.port if refusal else closed_port()
        client = impatient(make_client, proxy=f"http://odoo:canary@127.0.0.1:{port}")
        with pytest.raises(TransientError) as caught:
            first_page(client)
    assert caught.value.kind == "proxy"
    assert "BOOKINGS_HTTPS_PROXY" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert server.journal == []


def test_every_request_has_its_own_id(server, make_client):
    """client-request-id is sent, and another one with each attempt."""
    server.on(SERVICES, answer(b"{}", 500), answer(payloads.page()))
    first_page(make_client())
    ids = [request.headers["client-request-id"] for request in server.journal]
    assert len(set(ids)) == len(ids) == 4
    assert all(len(value) == 36 for value in ids)


def test_no_cookie_is_kept(server, make_client):
    server.on(SERVICES, answer(b"{}", 500, Set_Cookie="a=1; Path=/"), answer(payloads.page()))
    first_page(make_client())
    assert all("cookie" not in request.headers for request in server.journal)


def test_counts(server, make_client):
    """``requests`` counts what was sent, retries and sign-in included; ``seconds`` what it took."""
    server.on(SERVICES, answer(b"{}", 500), answer(payloads.page()))
    client = make_client()
    first_page(client)
    assert client.transport.requests == 4
    assert client.transport.seconds == 1.0


def test_a_damaged_token_is_not_sent(server, make_transport):
    """It would end up in the text of an exception of requests."""
    transport = make_transport()
    with pytest.raises(ProtocolError) as caught:
        transport.send("GET", f"{server.graph}/x", token="canary\r\nX-Evil: 1")
    assert "canary" not in str(caught.value)
    assert server.journal == []


def test_plain_session_gets_the_limits(server):
    """A session that is handed in keeps its own adapters, but not requests' own one."""
    session = requests.Session()
    cloud = graph.Cloud("custom", server.base, server.graph, server.ca_file)
    graph.Transport(cloud, session=session)
    assert type(session.get_adapter(server.base)).__name__ == "DeadlineAdapter"
