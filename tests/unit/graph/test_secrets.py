"""Nothing secret leaves: not into a log at DEBUG, not into an exception, not into a repr."""

import functools
import io
import logging
import sys
import traceback

import pytest

from bookings_invoicing import graph
from bookings_invoicing.graph import GraphError

from . import payloads, test_certificates, test_delegated
from .servers import (
    CLIENT,
    SECRET,
    TENANT,
    TOKEN,
    answer,
    graph_error,
    oauth_error,
    raw,
    token_answer,
)

ENDPOINT = "/oauth2/v2.0/token"
PERSONS = ("Ada Example", "ada@example.com")


@pytest.fixture
def spoken():
    """Everything that any logger says at DEBUG, and what goes to the standard streams."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    loggers = [
        logging.getLogger(name)
        for name in (None, "urllib3", "requests", "msal", "bookings_invoicing")
    ]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def told(error):
    """Everything an exception and its causes can show, as a crash report would."""
    parts = traceback.format_exception(error)
    seen = []
    while error is not None and error not in seen:
        seen.append(error)
        parts += [repr(error), str(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(parts)


def faults():
    """Answers that quote what was sent, or break off."""
    echo = f"{SECRET} {TOKEN} canary-refresh"
    return [
        answer(oauth_error("invalid_client", 7000215, echo), 401),
        answer(oauth_error("invalid_grant", None, echo), 400),
        answer(oauth_error("temporarily_unavailable", None, echo), 400),
        answer(oauth_error("interaction_required", 50076, echo), 400),
        answer({"error": echo, "error_description": echo, "correlation_id": echo}, 400),
        answer(echo.encode(), 400),
        answer(echo.encode(), 200),
        answer(token_answer(expires_in=echo), 200),
        answer(b"x" + echo.encode(), 500),
        raw(b"HTTP/1.1 " + echo.encode() + b"\r\n\r\n"),
        raw(b"", end="reset"),
        answer(b"", 302, Location=f"https://evil.example/?{SECRET}"),
    ]


@functools.cache
def credentials():
    """Credentials of both kinds for the application itself."""
    key = test_certificates.make_key()
    pem = test_certificates.pem(key) + test_certificates.pem(
        test_certificates.make_certificate(key)
    )
    secret = graph.ClientSecret(TENANT, CLIENT, SECRET)
    certificate = graph.Certificate(TENANT, CLIENT, pem)
    return [secret, certificate]


@pytest.mark.parametrize("number", range(len(faults())))
@pytest.mark.parametrize("way", [0, 1])
def test_failed_sign_in(server, make_transport, spoken, number, way):
    """By secret or certificate, whatever the sign-in service answers."""
    server.on(ENDPOINT, faults()[number])
    transport = make_transport()
    credential = credentials()[way]
    tokens = graph.token_source(transport.cloud, transport, credential)
    with pytest.raises(GraphError) as caught:
        tokens.token()
    sent = server.seen(ENDPOINT)[0].body.decode()
    assert (SECRET if way == 0 else "client_assertion") in sent
    spoken_words = spoken.getvalue() + told(caught.value) + repr(tokens) + repr(credential)
    assertion = sent.partition("client_assertion=")[2].partition("&")[0]
    for secret in (SECRET, "PRIVATE KEY", *([assertion] if assertion else [])):
        assert secret not in spoken_words
    assert "canary-refresh" not in told(caught.value)


@pytest.mark.parametrize("number", range(len(faults())))
def test_failed_refresh(server, make_transport, spoken, number):
    """Of a user's sign-in: neither tokens nor secret."""
    transport = make_transport()
    _uri, flow = test_delegated.begin(transport)
    reply = test_delegated.granted(server, flow) | {"refresh_token": "canary-refresh"}
    server.on(ENDPOINT, answer(reply))
    done = test_delegated.finish(transport, flow, {"code": "canary-code", "state": flow["state"]})
    assert "canary-refresh" in done.cache_text
    server.on(ENDPOINT, faults()[number])
    credential = test_delegated.credential(done.cache_text)
    tokens = graph.token_source(transport.cloud, transport, credential)
    with pytest.raises(GraphError) as caught:
        tokens.token(force=True)
    spoken_words = spoken.getvalue() + told(caught.value) + repr((done, tokens, credential))
    for secret in (SECRET, TOKEN, "canary-refresh", "canary-code", flow["code_verifier"]):
        assert secret not in spoken_words


@pytest.mark.parametrize(
    "fault",
    [
        answer(payloads.page(payloads.appointment())),
        answer(graph_error("ErrorX", f"{TOKEN} Ada Example"), 403),
        answer(graph_error(f"{TOKEN}" * 9), 401),
        answer(b"<html>Ada Example", 200),
        answer(b"x", 500),
        answer(b"", 301, Location=f"https://evil.example/?{TOKEN}"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", end="reset"),
        raw(b"", end="reset"),
        answer(payloads.page(next_link=f"https://{TOKEN}@evil.example/")),
        answer(payloads.page(payloads.appointment(price=-1), 5)),
    ],
)
def test_reading(server, make_client, spoken, fault):
    """Neither the token nor the secret nor the customers are in what is said about reading."""
    server.on("/calendarView", fault)
    server.on("$batch", answer(graph_error("x"), 403))
    client = make_client()
    start, end = (payloads_time(day) for day in (1, 8))
    error = None
    try:
        pages = list(client.calendar_view("b@example.com", start, end))
    except GraphError as problem:
        error, pages = problem, []
    said = spoken.getvalue() + (told(error) if error else "")
    said += repr(client) + repr(client.tokens) + repr(client.transport)
    said += "".join(bad.reason for page in pages for bad in page.malformed)
    assert server.seen("/calendarView")[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert "urllib3" in said
    for secret in (SECRET, TOKEN.removesuffix("token"), *PERSONS):
        assert secret not in said


def payloads_time(day):
    import datetime

    return datetime.datetime(2026, 3, day, tzinfo=datetime.timezone.utc)


def test_nothing_is_printed(server, make_client, capfd):
    server.on("/services", answer(b"x", 500))
    with pytest.raises(GraphError):
        list(make_client().services("b@example.com"))
    assert capfd.readouterr() == ("", "")
    assert sys.exc_info()[0] is None
