"""Signing in to Microsoft Entra with msal, over our own transport.

Three ways: as the application with a secret or with a certificate, or in the name of a user who
signed in once (delegated: authorisation code with PKCE, then refresh tokens). What is returned is
only ever an access token; why there is none is an error of the family in ``errors``.

Delegated sources change ``cache_text`` whenever a token is refreshed: whoever keeps it must let
one worker at a time refresh it and store it when ``changed``.

Sources: Microsoft identity platform "OAuth 2.0 client credentials" and "authorization code flow";
msal for Python.
"""

import json
import logging
import warnings
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote, urlencode

import msal
from msal.exceptions import MsalError

from .certificate import KeyPair, read_key_pair
from .clouds import Cloud
from .errors import AuthError, ConfigurationError, GraphError, ProtocolError, TransientError
from .sign_in_errors import bare_refusal, sign_in_error
from .transport import Transport

_logger = logging.getLogger(__name__)
# at DEBUG msal writes each sign-in's code and verifier to the log
logging.getLogger("msal.token_cache").addFilter(lambda record: record.levelno >= logging.INFO)
# and a user's claims, where they surprise it; what matters in them is checked here
logging.getLogger("msal.oauth2cli.oidc").addFilter(lambda record: False)

READ_PERMISSION = "Bookings.Read.All"
EARLY = 300.0  # a token is renewed this many seconds before it ends


class TokenSource(Protocol):
    """Gives access tokens; ``force=True`` fetches a new one. Raises errors of the family."""

    mode: str  # "application" or "delegated"

    def token(self, force: bool = False) -> str: ...


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """The application with its secret's *value*."""

    tenant_id: str
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The application with a certificate: private key and certificate in one PEM text."""

    tenant_id: str
    client_id: str
    pem: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)

    def key_pair(self) -> KeyPair:
        """Parsed; raises ConfigurationError. ``key_pair().not_after`` tells when to renew."""
        return read_key_pair(self.pem, self.passphrase)


@dataclass(frozen=True, slots=True)
class Delegated:
    """The application in the name of a user. ``credential`` is a ClientSecret or Certificate;
    ``cache_text`` what ``finish_sign_in`` gave and later uses changed.
    """

    tenant_id: str
    client_id: str
    credential: "ClientSecret | Certificate" = field(repr=False)
    cache_text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Who signed in. ``cache_text`` is secret; ``tenant_id`` is the tenant's id as Microsoft tells
    it.
    """

    cache_text: str = field(repr=False)
    username: str
    tenant_id: str
    name: str


def token_source(
    cloud: Cloud, transport: Transport, credential
) -> "ApplicationTokens | DelegatedTokens":
    """The source for a ClientSecret, Certificate or Delegated. Nothing is sent before the first
    token().
    """
    if isinstance(credential, Delegated):
        return DelegatedTokens(cloud, transport, credential)
    return ApplicationTokens(cloud, transport, credential)


class _Tokens:
    """Keeps a token until shortly before its end, so that msal is asked once an hour and not once
    a page.
    """

    def __init__(self, cloud: Cloud, transport: Transport, credential):
        self._cloud, self._transport, self._credential = cloud, transport, credential
        self._token, self._until = "", 0.0

    def __repr__(self):
        return f"<{type(self).__name__} {self._credential.client_id}>"

    def token(self, force: bool = False) -> str:
        if force or not self._token or self._transport.clock() >= self._until:
            self._token = ""
            result = _talk(self._acquire, force)
            self._until = self._transport.clock() + _lifetime(result)
            self._token = result["access_token"]
        return self._token

    def _acquire(self, force: bool) -> dict:
        raise NotImplementedError


class ApplicationTokens(_Tokens):
    """The application's own access (client credentials)."""

    mode = "application"

    def _acquire(self, force):
        # a fresh app each time: msal remembers refusals, and ours must always be today's answer
        app = _app(self._cloud, self._transport, self._credential)
        return app.acquire_token_for_client(scopes=[f"{self._cloud.resource}/.default"])


class DelegatedTokens(_Tokens):
    """Access in the name of the user whose sign-in is in the cache text."""

    mode = "delegated"

    def __init__(self, cloud, transport, credential: Delegated):
        super().__init__(cloud, transport, credential)
        self.cache_text, self.changed = credential.cache_text, False

    def _acquire(self, force):
        cache = _cache(self.cache_text)
        app = _app(self._cloud, self._transport, self._credential.credential, cache)
        accounts = app.get_accounts()
        if not accounts:
            raise AuthError(kind="sign_in_again")
        result = app.acquire_token_silent_with_error(
            [f"{self._cloud.resource}/{READ_PERMISSION}"], accounts[0], force_refresh=force
        )
        if cache.has_state_changed and result and "error" not in result:
            self.cache_text, self.changed = cache.serialize(), True
        if not result:
            raise AuthError(kind="sign_in_again")
        return result


def begin_sign_in(
    cloud: Cloud,
    transport: Transport,
    credential: Delegated,
    redirect_uri: str,
    *,
    login_hint: str | None = None,
    permissions=(READ_PERMISSION,),
) -> tuple[str, dict]:
    """(address to send the browser to, flow). The flow is JSON-able and secret: keep it on the
    server, bound to the user, used once, for minutes only; ``flow["state"]`` finds it again.
    """

    def begin():
        app = _app(cloud, transport, credential.credential)
        scopes = [f"{cloud.resource}/{permission}" for permission in permissions]
        with warnings.catch_warnings():
            # msal recommends form_post, a cross-site POST: no session cookie would come along
            warnings.simplefilter("ignore", UserWarning)
            return app.initiate_auth_code_flow(
                scopes,
                redirect_uri=redirect_uri,
                prompt="select_account",
                login_hint=login_hint,
                response_mode="query",
            )

    flow = _talk(begin)
    return flow["auth_uri"], flow


def finish_sign_in(
    cloud: Cloud, transport: Transport, credential: Delegated, flow: dict, params: dict
) -> SignIn:
    """Redeems the code of a callback. Raises AuthError (sign_in_state, sign_in_refused,
    sign_in_tenant, ...).

    Redeem once: a second call with the same code is refused by Microsoft.
    """
    state = params.get("state")
    if not flow.get("state") or not isinstance(state, str) or state != flow["state"]:
        raise AuthError(kind="sign_in_state")
    if "error" in params:
        raise sign_in_error(params)
    if not params.get("code"):
        raise AuthError(kind="sign_in_state")
    cache = _cache("")
    usable = {
        key: params[key]
        for key in ("code", "state", "client_info")
        if isinstance(params.get(key), str)
    }

    def finish():
        app = _app(cloud, transport, credential.credential, cache)
        try:
            return app.acquire_token_by_auth_code_flow(flow, usable)
        except RuntimeError:  # msal's word for a wrong nonce
            raise AuthError(kind="sign_in_state") from None

    claims = _talk(finish).get("id_token_claims")
    claims = claims if isinstance(claims, dict) else {}
    if claims.get("aud") != credential.client_id.strip():
        raise AuthError(kind="sign_in_state")
    tenant = _claim(claims, "tid")
    if _is_guid(credential.tenant_id) and tenant.lower() != credential.tenant_id.strip().lower():
        raise AuthError(kind="sign_in_tenant")
    return SignIn(
        cache.serialize(), _claim(claims, "preferred_username"), tenant, _claim(claims, "name")
    )


def _claim(claims: dict, name: str) -> str:
    value = claims.get(name)
    return "".join(c for c in value[:255] if c.isprintable()) if isinstance(value, str) else ""


def _is_guid(text: str) -> bool:
    text = text.strip().replace("-", "")
    return len(text) == 32 and all(c in "0123456789abcdefABCDEF" for c in text)


def _cache(cache_text: str) -> msal.SerializableTokenCache:
    cache = msal.SerializableTokenCache()
    if cache_text:
        try:
            cache.deserialize(cache_text)
        except (ValueError, TypeError):
            raise AuthError(kind="sign_in_again") from None
    return cache


def _app(cloud, transport, credential, cache=None) -> msal.ConfidentialClientApplication:
    tenant, client = credential.tenant_id.strip(), credential.client_id.strip()
    if not tenant or not client:
        raise ConfigurationError(
            "Tenant ID and client ID are required.", kind="credential_incomplete"
        )
    return msal.ConfidentialClientApplication(
        client,
        client_credential=_msal_credential(credential),
        authority=f"{cloud.login_url}/{quote(tenant, safe='')}",
        instance_discovery=False,
        http_client=_MsalHttp(transport),
        token_cache=cache,
    )


def _msal_credential(credential):
    if isinstance(credential, Certificate):
        pair = credential.key_pair()
        return {"private_key": pair.private_key, "thumbprint": pair.thumbprint}
    secret = credential.secret.strip()
    if not secret:
        raise ConfigurationError("The client secret is missing.", kind="credential_incomplete")
    return secret


def _talk(step, *args) -> dict:
    """Runs a step of msal; gives its dict if it is a success, else raises the family's error."""
    try:
        result = step(*args)
    except GraphError:
        raise
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RuntimeError,
        MsalError,
    ) as problem:
        # its text may quote what the server sent, so only the type is told
        _logger.debug("sign-in failed inside msal: %s", type(problem).__name__)
        raise ProtocolError(kind="sign_in_failed") from None
    if not isinstance(result, dict):
        raise ProtocolError(kind="sign_in_failed")
    if "error" in result:
        raise sign_in_error(result)
    return result


def _lifetime(result: dict) -> float:
    """Seconds that a token may be used; ProtocolError where there is none to use."""
    token, lifetime = result.get("access_token"), result.get("expires_in")
    if not isinstance(token, str) or not token or not isinstance(lifetime, int) or lifetime <= 0:
        raise ProtocolError(kind="sign_in_failed")
    return lifetime - EARLY if lifetime > 2 * EARLY else lifetime / 2


class _Answer:
    """What msal expects of an HTTP response."""

    def __init__(self, status_code: int, text: str, headers: dict):
        self.status_code, self.text, self.headers = status_code, text, headers

    def raise_for_status(self):
        if self.status_code >= 400:
            raise TransientError(status=self.status_code)


class _MsalHttp:
    """msal's requests through the transport: the sign-in service only, and only JSON objects come
    back.

    429 and 5xx are settled by the transport and raised, so msal's own memory of failures stays
    empty of them.
    """

    def __init__(self, transport: Transport):
        self._transport = transport

    def get(self, url, params=None, headers=None, **_kwargs):
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        return self._answer("GET", url, headers, None)

    def post(self, url, params=None, data=None, headers=None, **_kwargs):
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        return self._answer("POST", url, headers, data)

    def close(self):
        """The transport is somebody else's to close."""

    def _answer(self, method, url, headers, data) -> _Answer:
        headers = {key: value for key, value in (headers or {}).items() if value is not None}
        reply = self._transport.send(method, url, login=True, headers=headers, body=data)
        try:
            document = json.loads(reply.body)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise ProtocolError(kind="not_json", host=reply.host, status=reply.status)
        if reply.status >= 400 and "error" not in document:
            raise ProtocolError(kind="sign_in_failed", status=reply.status)
        if method == "GET" and "error" in document:
            raise sign_in_error(document)  # msal would put the whole answer into a ValueError
        if reply.status >= 400:
            document = bare_refusal(document)  # msal writes all of it to the log
        return _Answer(reply.status, json.dumps(document), dict(reply.headers))
