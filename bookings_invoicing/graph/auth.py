"""Sign in to Microsoft Entra with msal over our own transport.

There are three methods: as the application with a secret, as the application with a certificate, or on behalf of a user
who signed in once (delegated: authorization code with PKCE, then refresh tokens). The result is always an access token
or an error of the family in ``errors``.

Delegated sources change ``cache_text`` whenever they refresh a token. The caller must store it if ``changed`` is set, and
ensure that only one worker at a time refreshes it.

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
# at DEBUG level, msal logs the code and verifier of each sign-in
logging.getLogger("msal.token_cache").addFilter(lambda record: record.levelno >= logging.INFO)
# and unexpected claims of a user; the relevant ones are checked here
logging.getLogger("msal.oauth2cli.oidc").addFilter(lambda record: False)

READ_PERMISSION = "Bookings.Read.All"
WRITE_PERMISSION = "BookingsAppointment.ReadWrite.All"  # notes of appointments, customers
SERVICES_PERMISSION = "Bookings.ReadWrite.All"
EARLY = 300.0  # a token is renewed this many seconds before its expiry


def permissions(may_write: bool, services: bool = False) -> tuple[str, ...]:
    """Return the permissions that a connection requests: to read, and to write if it may, also services if it writes them.

    >>> permissions(False, services=True)
    ('Bookings.Read.All',)
    >>> permissions(True)
    ('Bookings.Read.All', 'BookingsAppointment.ReadWrite.All')
    >>> permissions(True, services=True)[2:]
    ('Bookings.ReadWrite.All',)
    """
    writing = (WRITE_PERMISSION, *(SERVICES_PERMISSION,) * services) if may_write else ()
    return (READ_PERMISSION, *writing)


class TokenSource(Protocol):
    """Provides access tokens; ``force=True`` fetches a new one. Raises errors of the family in ``errors``."""

    mode: str  # "application" or "delegated"

    def token(self, force: bool = False) -> str: ...


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """The credential of an application with a client secret. ``secret`` is the *value*, not the ID."""

    tenant_id: str
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The credential of an application with a certificate. ``pem`` contains both private key and certificate."""

    tenant_id: str
    client_id: str
    pem: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)

    def key_pair(self) -> KeyPair:
        """Parse the PEM text. ``key_pair().not_after`` is its expiry date. Raises ConfigurationError."""
        return read_key_pair(self.pem, self.passphrase)


@dataclass(frozen=True, slots=True)
class Delegated:
    """The credential of an application on behalf of a user.

    ``credential`` is a ClientSecret or Certificate. ``cache_text`` comes from ``finish_sign_in`` and changes with use.
    """

    tenant_id: str
    client_id: str
    credential: "ClientSecret | Certificate" = field(repr=False)
    cache_text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SignIn:
    """The user who signed in. ``cache_text`` is secret; ``tenant_id`` is the tenant's ID according to Microsoft."""

    cache_text: str = field(repr=False)
    username: str
    tenant_id: str
    name: str


def token_source(
    cloud: Cloud, transport: Transport, credential
) -> "ApplicationTokens | DelegatedTokens":
    """Return the token source for a ClientSecret, Certificate, or Delegated. It sends nothing before ``token()``."""
    if isinstance(credential, Delegated):
        return DelegatedTokens(cloud, transport, credential)
    return ApplicationTokens(cloud, transport, credential)


class _Tokens:
    """Caches a token until shortly before its expiry, so that msal is called once an hour instead of once a page."""

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
    """Tokens for the application itself (client credentials)."""

    mode = "application"

    def _acquire(self, force):
        # a new app each time, because msal caches refusals
        app = _app(self._cloud, self._transport, self._credential)
        return app.acquire_token_for_client(scopes=[f"{self._cloud.resource}/.default"])


class DelegatedTokens(_Tokens):
    """Tokens on behalf of the user whose sign-in is in the cache text."""

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
    """Return ``(address to which to send the browser, flow)``.

    The flow is a secret dict for JSON. Keep it on the server, for this user, for one use, and for a few minutes only.
    ``flow["state"]`` identifies it in the callback.
    """

    def begin():
        app = _app(cloud, transport, credential.credential)
        scopes = [f"{cloud.resource}/{permission}" for permission in permissions]
        with warnings.catch_warnings():
            # msal recommends form_post, which is a cross-site POST without the session cookie
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
    """Redeem the code of a callback. Raises AuthError (sign_in_state, sign_in_refused, sign_in_tenant, ...).

    Call this only once, because Microsoft refuses a second use of the same code.
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
        except RuntimeError:  # raised by msal for a wrong nonce
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
        raise ConfigurationError(kind="credential_incomplete")
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
        raise ConfigurationError(kind="credential_incomplete")
    return secret


def _talk(step, *args) -> dict:
    """Run a step of msal and return its dict. Raises an error of the family in ``errors`` if it is not a success."""
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
        # its text may quote the server's response, so only the type is logged
        _logger.debug("sign-in failed inside msal: %s", type(problem).__name__)
        raise ProtocolError(kind="sign_in_failed") from None
    if not isinstance(result, dict):
        raise ProtocolError(kind="sign_in_failed")
    if "error" in result:
        raise sign_in_error(result)
    return result


def _lifetime(result: dict) -> float:
    """Return for how many seconds to use a token. Raises ProtocolError if the result contains none."""
    token, lifetime = result.get("access_token"), result.get("expires_in")
    if not isinstance(token, str) or not token or not isinstance(lifetime, int) or lifetime <= 0:
        raise ProtocolError(kind="sign_in_failed")
    return lifetime - EARLY if lifetime > 2 * EARLY else lifetime / 2


class _Answer:
    """An HTTP response with the attributes that msal uses."""

    def __init__(self, status_code: int, text: str, headers: dict):
        self.status_code, self.text, self.headers = status_code, text, headers

    def raise_for_status(self):
        if self.status_code >= 400:
            raise TransientError(status=self.status_code)


class _MsalHttp:
    """Sends msal's requests through the transport: only to the sign-in service, and with only JSON objects as responses.

    The transport handles 429 and 5xx and raises them, so that msal does not cache them.
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
        """Do nothing, because the caller closes the transport."""

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
            raise sign_in_error(document)  # msal would put the whole response into a ValueError
        if reply.status >= 400:
            document = bare_refusal(document)  # msal logs all of it
        return _Answer(reply.status, json.dumps(document), dict(reply.headers))
