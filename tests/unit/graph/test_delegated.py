"""Signing in in the name of a user: code with PKCE, callback attacks, refresh and rotation."""

import base64
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from bookings_invoicing import graph
from bookings_invoicing.graph import AuthError, GraphError, TransientError

from .servers import CLIENT, SECRET, TENANT, TOKEN, answer, oauth_error, token_answer

ENDPOINT = "/oauth2/v2.0/token"
REDIRECT = "https://odoo.example/bookings_invoicing/oauth/callback"
USER = {"oid": "user-object", "preferred_username": "ada@example.com", "name": "Ada Example"}


@pytest.fixture
def transport(make_transport):
    return make_transport()


def credential(cache_text="", tenant=TENANT):
    return graph.Delegated(tenant, CLIENT, graph.ClientSecret(tenant, CLIENT, SECRET), cache_text)


def begin(transport, **options):
    return graph.begin_sign_in(transport.cloud, transport, credential(), REDIRECT, **options)


def finish(transport, flow, params, tenant=TENANT):
    return graph.finish_sign_in(transport.cloud, transport, credential("", tenant), flow, params)


def encoded(part):
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def id_token(server, expected_nonce, **changes):
    """msal checks content and times, not the signature."""
    claims = USER | {
        "aud": CLIENT,
        "iss": f"{server.base}/{TENANT}/v2.0",
        "exp": 4_000_000_000,
        "iat": 1,
        "sub": "s",
        "tid": TENANT,
        "nonce": hashlib.sha256(expected_nonce.encode()).hexdigest(),
    }
    claims |= changes
    return ".".join((encoded({"alg": "none"}), encoded(claims), encoded(b"signature")))


def granted(server, flow, number=1, **changes):
    """The token endpoint's answer to a code."""
    info = encoded({"uid": "user-object", "utid": TENANT})
    return token_answer(
        refresh_token=f"refresh-{number}",
        client_info=info,
        id_token=id_token(server, flow["nonce"], **changes),
        scope=f"{server.base}/Bookings.Read.All",
    )


def signed_in(server, transport):
    _uri, flow = begin(transport)
    server.on(ENDPOINT, answer(granted(server, flow)))
    return finish(transport, flow, {"code": "the-code", "state": flow["state"]})


def test_begin(server, transport):
    """To the tenant's page, with PKCE, a state and the one permission that is needed."""
    uri, flow = begin(transport, login_hint="ada@example.com")
    assert uri.startswith(f"{server.base}/{TENANT}/oauth2/v2.0/authorize?")
    sent = {name: values[0] for name, values in parse_qs(urlsplit(uri).query).items()}
    assert sent["redirect_uri"] == REDIRECT
    assert sent["response_mode"] == "query"
    assert sent["code_challenge_method"] == "S256"
    assert sent["state"] == flow["state"] and len(flow["state"]) >= 16
    assert f"{server.base}/Bookings.Read.All" in sent["scope"].split()
    assert not [scope for scope in sent["scope"].split() if "Write" in scope]
    assert flow["code_verifier"] not in uri
    assert json.loads(json.dumps(flow)) == flow


def test_two_flows_share_nothing(server, transport):
    first, second = begin(transport)[1], begin(transport)[1]
    for key in ("state", "code_verifier", "nonce"):
        assert first[key] != second[key]


def test_finish(server, transport):
    """The code is redeemed once, with the verifier; who signed in is told."""
    _uri, flow = begin(transport)
    server.on(ENDPOINT, answer(granted(server, flow)))
    done = finish(
        transport, flow, {"code": "the-code", "state": flow["state"], "session_state": "x"}
    )
    assert (done.username, done.name, done.tenant_id) == ("ada@example.com", "Ada Example", TENANT)
    sent = parse_qs(server.seen(ENDPOINT)[0].body.decode())
    assert sent["code"] == ["the-code"]
    assert sent["code_verifier"] == [flow["code_verifier"]]
    assert len(server.seen(ENDPOINT)) == 1
    assert "refresh-1" in done.cache_text
    assert "refresh-1" not in repr(done) and TOKEN not in repr(done)


@pytest.mark.parametrize(
    "change",
    [
        {"state": None},
        {"state": ""},
        {"state": "another"},
        {"state": ["a", "b"]},
        {"code": None},
        {"code": ""},
        {"state": "another", "error": "access_denied"},
    ],
)
def test_callbacks_that_do_not_belong(server, transport, change):
    """Refused before anything is sent."""
    _uri, flow = begin(transport)
    params = {"code": "the-code", "state": flow["state"]} | change
    with pytest.raises(AuthError) as caught:
        finish(transport, flow, {key: value for key, value in params.items() if value is not None})
    assert caught.value.kind == "sign_in_state"
    assert server.seen(ENDPOINT) == []


def test_an_empty_flow(server, transport):
    """A consumed flow that is empty must not match an empty state."""
    with pytest.raises(AuthError):
        finish(transport, {}, {"code": "x"})
    with pytest.raises(AuthError):
        finish(transport, {"state": ""}, {"code": "x", "state": ""})


@pytest.mark.parametrize(
    ("error", "text", "kind"),
    [
        ("access_denied", "AADSTS65004: User declined.", "sign_in_refused"),
        ("access_denied", "<script>alert(1)</script>", "sign_in_refused"),
        ("consent_required", "AADSTS90094: Admin.", "consent_missing"),
        ("<script>", "x", "sign_in_failed"),
        ("invalid_request", "AADSTS50011: Redirect.", "redirect_uri"),
    ],
)
def test_refused_by_user_or_organization(server, transport, error, text, kind):
    """Nothing of the callback's text is repeated."""
    _uri, flow = begin(transport)
    params = {"state": flow["state"], "error": error, "error_description": text}
    with pytest.raises(AuthError) as caught:
        finish(transport, flow, params)
    assert caught.value.kind == kind
    assert "script" not in str(caught.value)
    assert server.seen(ENDPOINT) == []


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"tid": "99999999-2222-3333-4444-555555555555"}, "sign_in_tenant"),
        ({"tid": None}, "sign_in_tenant"),
        ({"nonce": "another"}, "sign_in_state"),
        ({"aud": "another"}, "sign_in_state"),
        ({"aud": None}, "sign_in_state"),
    ],
)
def test_tokens_for_somebody_else(server, transport, changes, kind, caplog):
    """Another tenant, another sign-in, another app; the user's claims are in no log."""
    caplog.set_level(0)
    _uri, flow = begin(transport)
    server.on(ENDPOINT, answer(granted(server, flow, **changes)))
    with pytest.raises(GraphError) as caught:
        finish(transport, flow, {"code": "the-code", "state": flow["state"]})
    assert caught.value.kind == kind
    assert "ada@example.com" not in caplog.text


def test_a_domain_as_tenant(server, transport):
    """The tenant may be configured by its domain: then its sign-in page is the guarantee."""
    server.on("/contoso.example/v2.0", answer(server._openid()))
    cloud, domain = transport.cloud, "contoso.example"
    _uri, flow = graph.begin_sign_in(cloud, transport, credential("", domain), REDIRECT)
    server.on(ENDPOINT, answer(granted(server, flow)))
    params = {"code": "the-code", "state": flow["state"]}
    assert finish(transport, flow, params, domain).tenant_id == TENANT


def test_a_code_used_twice(server, transport):
    _uri, flow = begin(transport)
    server.on(ENDPOINT, answer(oauth_error("invalid_grant", 54005), 400))
    with pytest.raises(AuthError) as caught:
        finish(transport, flow, {"code": "the-code", "state": flow["state"]})
    assert caught.value.kind == "sign_in_state"


def test_refresh(server, transport):
    """A refresh token that is replaced is kept; a token still good is not replaced."""
    cache = signed_in(server, transport).cache_text
    tokens = graph.token_source(transport.cloud, transport, credential(cache))
    assert tokens.mode == "delegated"
    before = len(server.seen(ENDPOINT))
    assert tokens.token() == TOKEN
    assert (len(server.seen(ENDPOINT)) - before, tokens.changed) == (0, False)
    fresh = token_answer(access_token="second", refresh_token="refresh-2", scope="openid")
    server.on(ENDPOINT, answer(fresh))
    assert tokens.token(force=True) == "second"
    assert parse_qs(server.journal[-1].body.decode())["refresh_token"] == ["refresh-1"]
    assert tokens.changed and "refresh-2" in tokens.cache_text
    assert "refresh-1" not in tokens.cache_text
    tokens.token()
    assert len(server.seen(ENDPOINT)) - before == 1


def test_refresh_by_another_process(server, transport, clock):
    """What one stored, the next one uses."""
    cache = signed_in(server, transport).cache_text
    fresh = token_answer(access_token="second", refresh_token="refresh-2", scope="openid")
    server.on(ENDPOINT, answer(fresh))
    first = graph.token_source(transport.cloud, transport, credential(cache))
    first.token(force=True)
    second = graph.token_source(transport.cloud, transport, credential(first.cache_text))
    second.token(force=True)
    assert parse_qs(server.journal[-1].body.decode())["refresh_token"] == ["refresh-2"]


def test_refresh_refused(server, transport):
    """Revoked: a person must sign in again; nothing is thrown away on our side."""
    cache = signed_in(server, transport).cache_text
    server.on(ENDPOINT, answer(oauth_error("invalid_grant", 700082), 400))
    tokens = graph.token_source(transport.cloud, transport, credential(cache))
    with pytest.raises(AuthError) as caught:
        tokens.token(force=True)
    assert caught.value.kind == "sign_in_again" and caught.value.needs_admin
    assert (tokens.cache_text, tokens.changed) == (cache, False)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_refresh_during_an_outage(server, transport, status):
    """Not a reason to sign in again, and the refresh token stays."""
    cache = signed_in(server, transport).cache_text
    server.on(ENDPOINT, answer(b"{}", status))
    tokens = graph.token_source(transport.cloud, transport, credential(cache))
    with pytest.raises(TransientError):
        tokens.token(force=True)
    assert (tokens.cache_text, tokens.changed) == (cache, False)
    server.on(ENDPOINT, answer(token_answer(access_token="second", scope="openid")))
    assert tokens.token(force=True) == "second"


@pytest.mark.parametrize("cache", ["", "{}", "not json", "[]", '{"Account": 5}', "null", "7"])
def test_a_lost_or_damaged_cache(server, transport, cache):
    """Sign in again; nothing is sent with it."""
    tokens = graph.token_source(transport.cloud, transport, credential(cache))
    with pytest.raises(GraphError) as caught:
        tokens.token()
    assert caught.value.kind in ("sign_in_again", "sign_in_failed")
    assert server.seen(ENDPOINT) == []
