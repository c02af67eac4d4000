"""Signing in as the application: tokens, refusals and what msal must not remember."""

import json
from urllib.parse import parse_qs

import pytest

from bookings_invoicing import graph
from bookings_invoicing.graph import (
    AuthError,
    ConfigurationError,
    GraphError,
    ProtocolError,
    SecurityError,
    ThrottledError,
    TransientError,
)

from .servers import CLIENT, SECRET, TENANT, TOKEN, answer, oauth_error, token_answer

ENDPOINT = "/oauth2/v2.0/token"
DISCOVERY = "openid-configuration"


@pytest.fixture
def transport(make_transport):
    return make_transport()


@pytest.fixture
def tokens(transport):
    return source(transport)


def source(transport, secret=SECRET):
    return graph.token_source(
        transport.cloud, transport, graph.ClientSecret(TENANT, CLIENT, secret)
    )


def form(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_nothing_is_sent_before_it_is_needed(server, tokens):
    assert server.journal == []
    assert tokens.mode == "application"


def test_token(server, tokens):
    """Two requests, both to the configured host; the audience is the cloud's Graph."""
    assert tokens.token() == TOKEN
    assert [request.method for request in server.journal] == ["GET", "POST"]
    sent = form(server.journal[1])
    assert sent["client_secret"] == SECRET
    assert sent["grant_type"] == "client_credentials"
    assert sent["scope"] == f"{server.base}/.default"
    assert "authorization" not in server.journal[1].headers


def test_kept_until_shortly_before_its_end(server, tokens, clock):
    """Asked for once an hour, five minutes early; by force at once."""
    for minutes in (0, 30, 54):
        clock.time = 1000.0 + 60 * minutes
        tokens.token()
    assert len(server.seen(ENDPOINT)) == 1
    clock.time = 1000.0 + 60 * 55
    tokens.token()
    assert len(server.seen(ENDPOINT)) == 2
    tokens.token(force=True)
    assert len(server.seen(ENDPOINT)) == 3


@pytest.mark.parametrize(
    ("error", "number", "kind"),
    [
        ("invalid_client", 7000215, "secret_id_instead_of_value"),
        ("invalid_client", 7000222, "secret_expired"),
        ("invalid_client", 700027, "certificate_unknown"),
        ("invalid_client", None, "credential_refused"),
        ("invalid_client", 999999, "credential_refused"),
        ("unauthorized_client", 700016, "app_not_found"),
        ("unauthorized_client", 7000112, "app_disabled"),
        ("invalid_request", 90002, "tenant_not_found"),
        ("invalid_request", None, "sign_in_failed"),
        ("invalid_grant", 65001, "consent_missing"),
        ("invalid_grant", 700082, "sign_in_again"),
        ("invalid_grant", None, "sign_in_again"),
        ("interaction_required", 50076, "sign_in_blocked"),
        ("invalid_resource", 500011, "resource_not_found"),
        ("something_new", None, "sign_in_failed"),
    ],
)
@pytest.mark.parametrize("status", [400, 401])
def test_refused(server, tokens, status, error, number, kind):
    """One attempt, an error for the administrator, a sentence of our own."""
    server.on(ENDPOINT, answer(oauth_error(error, number, f"canary {SECRET}"), status))
    with pytest.raises(AuthError) as caught:
        tokens.token()
    problem = caught.value
    assert (problem.kind, problem.needs_admin, problem.transient) == (kind, True, False)
    assert problem.code == (f"AADSTS{number}" if number else error)
    assert problem.sentence == graph.SENTENCES[kind]
    assert "canary" not in str(problem)
    assert len(server.seen(ENDPOINT)) == 1


def test_the_number_may_stand_in_the_text_only(server, tokens):
    body = {"error": "invalid_client", "error_description": "AADSTS7000222: It expired."}
    server.on(ENDPOINT, answer(body, 401))
    with pytest.raises(AuthError) as caught:
        tokens.token()
    assert caught.value.kind == "secret_expired"


def test_unknown_tenant(server, tokens):
    """Entra says so already when asked for the tenant's document."""
    server.on(DISCOVERY, answer(oauth_error("invalid_tenant", 90002), 400))
    with pytest.raises(AuthError) as caught:
        tokens.token()
    assert caught.value.kind == "tenant_not_found"


def test_refusals_are_not_remembered(server, tokens):
    """msal would repeat a refusal for a minute; a mended secret must work at once."""
    server.on(ENDPOINT, answer(oauth_error("invalid_client"), 400), answer(token_answer()))
    with pytest.raises(AuthError):
        tokens.token()
    assert tokens.token() == TOKEN
    assert len(server.seen(ENDPOINT)) == 2


@pytest.mark.parametrize("word", ["temporarily_unavailable", "server_error"])
def test_a_refusal_that_passes(server, tokens, word):
    server.on(ENDPOINT, answer(oauth_error(word, 90033), 400))
    with pytest.raises(TransientError):
        tokens.token()


@pytest.mark.parametrize("endpoint", [ENDPOINT, DISCOVERY])
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_outage_of_the_sign_in(server, tokens, clock, endpoint, status):
    """Tried again by the one layer that retries; msal never sees it, so it cannot replay it."""
    server.on(endpoint, answer(b"<html>", status))
    with pytest.raises(TransientError) as caught:
        tokens.token()
    assert not caught.value.needs_admin
    assert len(server.seen(endpoint)) == 5
    good = token_answer() if endpoint == ENDPOINT else server._openid()
    server.on(endpoint, answer(good))
    assert tokens.token() == TOKEN


def test_throttled_sign_in(server, tokens):
    server.on(ENDPOINT, answer(b"{}", 429, Retry_After="3600"))
    with pytest.raises(ThrottledError) as caught:
        tokens.token()
    assert caught.value.retry_after == 3600


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"access_token": None, "expires_in": 3600},
        {"access_token": "", "expires_in": 3600},
        {"access_token": 5, "expires_in": 3600},
        token_answer(expires_in=0),
        token_answer(expires_in=-1),
        token_answer(expires_in="abc"),
        token_answer(expires_in=None),
        {"error": None},
        {"error": {"code": "x"}},
        {"error": ["x"], "error_codes": "y", "error_description": 7},
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_token_answers_out_of_shape(server, tokens, body, status):
    """An error of the family, whatever the sign-in service sends."""
    server.on(ENDPOINT, answer(body, status))
    with pytest.raises(GraphError) as caught:
        tokens.token()
    assert caught.value.kind in ("sign_in_failed", "credential_refused")


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b"\xff\xfe\xff", b"[" * 100_000])
@pytest.mark.parametrize("endpoint", [ENDPOINT, DISCOVERY])
@pytest.mark.parametrize("status", [200, 400, 404])
def test_sign_in_that_is_not_json(server, tokens, body, endpoint, status):
    server.on(endpoint, answer(body, status))
    with pytest.raises(ProtocolError) as caught:
        tokens.token()
    assert caught.value.kind == "not_json"


@pytest.mark.parametrize(
    "document",
    [{}, {"token_endpoint": None}, {"token_endpoint": 5, "authorization_endpoint": []}],
)
def test_discovery_out_of_shape(server, tokens, document):
    server.on(DISCOVERY, answer(document))
    with pytest.raises(GraphError) as caught:
        tokens.token()
    assert isinstance(caught.value, ProtocolError | SecurityError)


def test_short_lived_tokens_do_not_hammer(server, tokens, clock):
    """A token of two minutes is used for one."""
    server.on(ENDPOINT, answer(token_answer(expires_in=120)))
    for seconds in range(0, 60, 5):
        clock.time = 1000.0 + seconds
        tokens.token()
    assert len(server.seen(ENDPOINT)) == 1


@pytest.mark.parametrize("field", ["tenant_id", "client_id", "secret"])
def test_incomplete_credential(server, transport, field):
    values = {"tenant_id": TENANT, "client_id": CLIENT, "secret": SECRET} | {field: "  "}
    tokens = graph.token_source(transport.cloud, transport, graph.ClientSecret(**values))
    with pytest.raises(ConfigurationError):
        tokens.token()
    assert server.journal == []


def test_spaces_around_pasted_values(server, transport):
    """Copied from a web page, with a space or a line end."""
    credential = graph.ClientSecret(f" {TENANT}\n", f"{CLIENT} ", f"\t{SECRET} \n")
    assert graph.token_source(transport.cloud, transport, credential).token() == TOKEN
    assert form(server.journal[1])["client_secret"] == SECRET


@pytest.mark.parametrize("tenant", ["../evil", "a/b", "x?y=1", "x#y", "x@evil.example"])
def test_tenant_stays_within_its_place(server, transport, tenant):
    """Whatever is typed as tenant is one part of the path."""
    tokens = graph.token_source(
        transport.cloud, transport, graph.ClientSecret(tenant, CLIENT, SECRET)
    )
    with pytest.raises(GraphError):
        tokens.token()
    assert len(server.journal) <= 1
    for request in server.journal:
        assert request.target.count("/") == 4 and request.query == ""


def test_json_is_read_once(server, tokens):
    """The tokens' document may carry more than is known."""
    server.on(ENDPOINT, answer(json.dumps(token_answer(new={"a": 1})).encode()))
    assert tokens.token() == TOKEN
