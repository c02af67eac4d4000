"""Where the token may go: links out of the cloud are refused before anything is sent."""

import logging

import pytest
import requests

from bookings_invoicing.graph import CLOUDS, SecurityError, Transport

from . import payloads
from .servers import answer

SERVICES = "/services"
HOST = "graph.microsoft.com"

# Every spelling starts from the host that is allowed; {port} is where a sink listens.
FOREIGN = [
    "https://127.0.0.1:{port}/v1.0/x",
    "http://127.0.0.1:{port}/v1.0/x",
    "http://localhost:{server}/v1.0/x",
    "https://localhost:{port}/v1.0/x",
    "https://localhost:{server}@127.0.0.1:{port}/v1.0/x",
    "https://localhost:{server}%40127.0.0.1:{port}/v1.0/x",
    "https://user:pass@localhost:{server}/v1.0/x",
    "https://127.0.0.1:{port}\\@localhost:{server}/v1.0/x",
    "https://localhost:{server}\\@127.0.0.1:{port}/v1.0/x",
    "https://127.0.0.1:{port}#@localhost:{server}/v1.0/x",
    "https://127.0.0.1:{port}?@localhost:{server}/v1.0/x",
    "https://localhost:{server}#/v1.0/x",
    "https://localhost:{server}/v1.0/x#@127.0.0.1:{port}",
    "https://localhost:{server}/\\127.0.0.1:{port}/v1.0/x",
    "//127.0.0.1:{port}/v1.0/x",
    "///127.0.0.1:{port}/v1.0/x",
    "/v1.0/x",
    "v1.0/x",
    "https:/127.0.0.1:{port}/v1.0/x",
    "https:127.0.0.1:{port}/v1.0/x",
    "https:///127.0.0.1:{port}/v1.0/x",
    "https://LOCALHOST:{server}/v1.0/x",
    "HTTPS://localhost:{server}/v1.0/x",
    "https://localhost.:{server}/v1.0/x",
    "https://localhost:0{server}/v1.0/x",
    "https://localhost:{server}0/v1.0/x",
    "https://localhost:{server}.127.0.0.1.nip.example/v1.0/x",
    "https://localhost.evil.example:{server}/v1.0/x",
    "https://evil-localhost:{server}/v1.0/x",
    "https://loc\u0430lhost:{server}/v1.0/x",
    "https://xn--loclhost-2fg:{server}/v1.0/x",
    "https://\uff4c\uff4f\uff43\uff41\uff4chost:{server}/v1.0/x",
    "https://2130706433:{port}/v1.0/x",
    "https://0x7f000001:{port}/v1.0/x",
    "https://0177.0.0.1:{port}/v1.0/x",
    "https://[::1]:{port}/v1.0/x",
    "https://[::ffff:127.0.0.1]:{port}/v1.0/x",
    "https://0.0.0.0:{port}/v1.0/x",
    "https://169.254.169.254/metadata/identity",
    "https://localhost:{server}\t/v1.0/x",
    "https://localhost\r\n:{server}/v1.0/x",
    " https://localhost:{server}/v1.0/x",
    "https://localhost:{server}/v1.0/x\r\nHost: 127.0.0.1:{port}",
    "https://localhost:{server}/v1.0/x y",
    "https://localhost:{server}/v1.0/\u00e9",
    "https://localhost%00.evil.example:{server}/v1.0/x",
    "https://localhost:{server}:80@127.0.0.1:{port}/v1.0/x",
    "file:///etc/passwd",
    "ftp://localhost:{server}/v1.0/x",
    "javascript:alert(1)",
    "data:application/json,{{}}",
    "gopher://127.0.0.1:{port}/_x",
]


@pytest.mark.parametrize("link", FOREIGN)
def test_foreign_next_link(server, client, sink, caplog, link):
    """The page before it is given, then the reading ends with a security error; the sink stays
    empty, the allowed host sees no further request, and the refusal is logged without the token.
    """
    link = link.format(port=sink.port, server=server.port)
    server.on(SERVICES, answer(payloads.page(payloads.service(), next_link=link)))
    pages = client.services("b@example.com")
    assert len(next(pages).records) == 1
    with caplog.at_level(logging.DEBUG), pytest.raises(SecurityError) as caught:
        next(pages)
    assert (caught.value.kind, caught.value.security) == ("foreign_link", True)
    assert len(server.journal) == 3
    refusals = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(refusals) == 1
    assert "\n" not in refusals[0].getMessage()
    assert "canary" not in caplog.text


def test_there_are_enough_spellings():
    assert len(set(FOREIGN)) >= 50


@pytest.mark.parametrize(
    "rest",
    [
        "/v1.0/x?$skiptoken=RFNwdAIAAQAAACA6",
        "/v1.0/x?%24skip=10&a=%2F%7E~+b",
        "/v1.0/x?a='b'&c=(d);e,f:g@h!$&==",
        "?$skip=1",
        "/v1.0/solutions/bookingBusinesses/b@example.com/services?$skip=2",
    ],
)
def test_links_are_followed_unchanged(server, client, rest):
    """A link is opaque: it is not taken apart or respelt, and the token goes with it."""
    server.on(SERVICES, answer(payloads.page(next_link=server.base + rest)))
    server.on(rest, answer(payloads.page(payloads.service())))
    assert [len(page.records) for page in client.services("b@example.com")] == [0, 1]
    last = server.journal[-1]
    assert last.target == (rest if rest.startswith("/") else "/" + rest)
    assert last.headers["authorization"].startswith("Bearer ")


def test_the_default_port_may_be_written():
    transport = Transport(CLOUDS["global"], session=requests.Session())
    assert transport.allows(f"https://{HOST}:443/v1.0/x")
    assert not transport.allows(f"https://{HOST}:8443/v1.0/x")
    assert not transport.allows("https://graph.microsoft.us/v1.0/x")
    assert not transport.allows("https://login.microsoftonline.com/v1.0/x")
    assert transport.allows("https://login.microsoftonline.com/x", login=True)
    assert not transport.allows(f"https://{HOST}/x", login=True)


def test_the_sign_in_service_gets_no_token(server, make_transport):
    """Even where the configuration puts both on one host."""
    with pytest.raises(SecurityError):
        make_transport().send("GET", f"{server.base}/x", token="canary", login=True)
    assert server.journal == []


def test_token_endpoint_elsewhere(server, client, sink):
    """A sign-in document that names another host's token endpoint gets no secret."""
    from .servers import TENANT

    elsewhere = f"https://127.0.0.1:{sink.port}"
    document = {
        "token_endpoint": f"{elsewhere}/token",
        "authorization_endpoint": f"{elsewhere}/authorize",
        "issuer": f"{server.base}/{TENANT}/v2.0",
    }
    server.on("openid-configuration", answer(document))
    with pytest.raises(SecurityError):
        client.tokens.token()
