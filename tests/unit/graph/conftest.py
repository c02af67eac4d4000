"""Servers, certificates and clocks of the tests of the Graph client."""

import datetime
import ssl

import pytest

from bookings_invoicing import graph
from bookings_invoicing.sandbox.certificates import make_certificates

from . import servers


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """Files of a test authority and of a certificate for localhost."""
    return make_certificates(tmp_path_factory.mktemp("tls"), ("localhost", "127.0.0.1"))


@pytest.fixture(scope="session")
def make_context(tmp_path_factory):
    """(server context, CA file) for other names or times; they are what a client must refuse."""

    def make(names=("localhost",), days_ago=0):
        now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days_ago)
        files = make_certificates(tmp_path_factory.mktemp("tls"), names, now)
        return server_context(files), str(files.ca)

    return make


def server_context(files):
    """A TLS context that shows the certificate of ``files``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


@pytest.fixture
def server(certificates):
    """A scripted server that answers sign-ins and nothing else yet."""
    with servers.ScriptedServer(server_context(certificates), str(certificates.ca)) as running:
        yield running


@pytest.fixture
def sink():
    """A listener where nothing may arrive."""
    with servers.Sink() as running:
        yield running
        assert (running.connections, running.received) == (0, b"")


class Clock:
    """Time that passes only by waiting. ``waits`` are the seconds slept, in order."""

    def __init__(self):
        self.time, self.waits = 1000.0, []

    def __call__(self):
        return self.time

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.time += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_transport(server, clock):
    """A transport to the scripted server; waits pass at once and are noted in ``clock.waits``."""
    made = []

    def make(**options):
        base = options.pop("base", server.base)
        proxy = options.pop("proxy", None)
        cloud = graph.Cloud("custom", base, f"{base}/v1.0", server.ca_file, proxy)
        settings = {"clock": clock, "sleep": clock.sleep, "rng": lambda: 1.0} | options
        made.append(graph.Transport(cloud, **settings))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def make_client(make_transport):
    """A client that signs in at the scripted server with a secret."""

    def make(**options):
        transport = make_transport(**options)
        credential = graph.ClientSecret(servers.TENANT, servers.CLIENT, servers.SECRET)
        tokens = graph.token_source(transport.cloud, transport, credential)
        return graph.BookingsClient(transport, tokens)

    return make


@pytest.fixture
def client(make_client):
    return make_client()
