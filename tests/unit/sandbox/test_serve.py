"""The sandbox on a socket: HTTPS, keep-alive, several clients at once, rude ones too."""

import contextlib
import http.client
import json
import socket
import ssl
import stat
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from bookings_invoicing import sandbox
from bookings_invoicing.sandbox import Tenant, make_app, serve, serving
from bookings_invoicing.sandbox.certificates import make_certificates
from bookings_invoicing.sandbox.serve import instructions

from .conftest import ANCHOR, CREDENTIALS, Asker


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    app = make_app(Tenant(1, ANCHOR), mailbox_limit=None)
    with serving(app, tmp_path_factory.mktemp("certificates")) as running:
        yield running


def client(server):
    session = requests.Session()
    session.trust_env = False
    session.verify = server.ca_file
    url = f"{server.login_url}/{sandbox.TENANT_ID}/oauth2/v2.0/token"
    token = session.post(url, data=CREDENTIALS).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    return session


def services(server):
    return (
        f"{server.graph_url}/solutions/bookingBusinesses/{server.app.tenant.business_id}/services"
    )


def secure(server):
    """A TLS connection of its own."""
    context = ssl.create_default_context(cafile=server.ca_file)
    bare = socket.create_connection(server.server_address[:2], timeout=10)
    return context.wrap_socket(bare, server_hostname="127.0.0.1")


def test_one_connection_serves_many_requests(server):
    """HTTP/1.1 keep-alive: the local port stays the same."""
    session = client(server)
    ports = set()
    for _ in range(20):
        response = session.get(services(server), stream=True)
        ports.add(response.raw.connection.sock.getsockname()[1])
        assert len(response.json()["value"]) == 10
    assert len(ports) == 1


def test_links_point_to_the_server(server):
    tenant = server.app.tenant
    url = f"{server.graph_url}/solutions/bookingBusinesses/{tenant.business_id}/appointments"
    page = client(server).get(url).json()
    assert page["@odata.nextLink"].startswith(server.graph_url + "/")


def test_an_unknown_authority_is_refused(server, tmp_path):
    other = make_certificates(tmp_path)
    for authority in (str(other.ca), True):
        session = requests.Session()
        session.trust_env = False
        with pytest.raises(requests.exceptions.SSLError):
            session.get(services(server), verify=authority)
    assert client(server).get(services(server)).status_code == 200


def test_certificates_on_disk(tmp_path):
    files = make_certificates(tmp_path / "new", ["sandbox.example", "10.1.2.3"])
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert b"PRIVATE" not in files.ca.read_bytes() + files.certificate.read_bytes()


def test_many_clients_at_once(server):
    """Eight threads, each its own connection, all get whole answers."""

    def ask(_):
        session = client(server)
        return [len(session.get(services(server)).json()["value"]) for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [[10] * 5] * 8


def test_a_client_that_never_shakes_hands_stops_nobody(server):
    with contextlib.closing(socket.create_connection(server.server_address[:2])):
        assert client(server).get(services(server), timeout=10).status_code == 200


def test_rude_clients_harm_nobody(server, capsys):
    """No TLS, rubbish, half a request, an absurd length: dropped without a traceback."""
    with contextlib.closing(socket.create_connection(server.server_address[:2])) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert b"200" not in plain.recv(100)
    for rubbish in (b"\x00\xff\r\n\r\n", b"GET /v1.0 HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"):
        with contextlib.closing(secure(server)) as stranger:
            stranger.sendall(rubbish)
    for header, status in (
        ("Content-Length: 99999999999", 413),
        ("Content-Length: x", 413),
        ("Transfer-Encoding: chunked", 411),
    ):
        with contextlib.closing(secure(server)) as stranger:
            stranger.sendall(f"POST /x HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n".encode())
            answer = http.client.HTTPResponse(stranger)
            answer.begin()
            assert answer.status == status
            assert answer.getheader("Connection") == "close"
    assert client(server).get(services(server)).status_code == 200
    assert "Traceback" not in capsys.readouterr().err


def test_faults_on_the_wire(tmp_path):
    """A break is an end of the connection, a cut body is shorter than announced."""
    script = [
        {"match": "services", "occurrence": 1, "disconnect": True},
        {"match": "services", "occurrence": 2, "truncate": 50},
    ]
    with serving(Tenant(1, ANCHOR), tmp_path, faults=script) as server:
        session = client(server)
        with pytest.raises(requests.ConnectionError):
            session.get(services(server))
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            session.get(services(server))
        assert session.get(services(server)).status_code == 200


def test_more_than_four_at_once_are_throttled(tmp_path):
    """Four concurrent requests per mailbox: a fifth gets 429 with Retry-After, later ones pass."""
    tenant = Tenant(1, ANCHOR)
    app = make_app(tenant)
    gate, inside = threading.Event(), threading.Semaphore(0)
    box = tenant.mailbox()
    real = box.service_json

    def slow(*args):
        inside.release()
        assert gate.wait(20)
        return real(*args)

    box.service_json = slow
    with serving(app, tmp_path) as server, ThreadPoolExecutor(4) as pool:
        sessions = [client(server) for _ in range(5)]
        waiting = [pool.submit(session.get, services(server)) for session in sessions[:4]]
        for _ in waiting:
            assert inside.acquire(timeout=20)
        refused = sessions[4].get(services(server))
        other = sessions[4].get(services(server).replace(box.id, tenant.mailboxes[1].id))
        gate.set()
        assert [one.result().status_code for one in waiting] == [200] * 4
        assert refused.status_code == 429 and refused.headers["Retry-After"]
        assert refused.json()["error"]["code"] == "TooManyRequests"
        assert other.status_code == 200
        assert sessions[4].get(services(server)).status_code == 200


def test_serving_ends(tmp_path):
    """The port is free again, and no thread stays that accepts."""
    with serving(Tenant(1, ANCHOR), tmp_path) as server:
        address = server.server_address[:2]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


def test_a_server_made_by_hand_and_what_it_tells(tmp_path):
    """serve() with files of one's own; the text names all that a client needs."""
    files = make_certificates(tmp_path)
    server = serve(Tenant(1, ANCHOR), "127.0.0.1", 0, files.certificate, files.key)
    server.ca_file = str(files.ca)
    try:
        text = instructions(server.start())
        for part in (server.graph_url, sandbox.CLIENT_ID, server.ca_file, "BOOKINGS_LOGIN_URL"):
            assert part in text
        assert client(server).get(services(server)).status_code == 200
    finally:
        server.stop()


def test_the_printed_json_is_what_adapters_give(server, tenant):
    """Over a socket and in process: the same records."""
    url = services(server)
    over_wire = client(server).get(url).content
    page = json.loads(over_wire.replace(server.base.encode(), b"https://graph.sandbox.invalid"))
    asker = Asker(tenant)
    assert asker.get(asker.path("services")) == page
