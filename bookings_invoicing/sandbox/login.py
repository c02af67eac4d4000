"""The login half of the sandbox: what msal asks of login.microsoftonline.com.

Endpoints under ``/{tenant}``: ``v2.0/.well-known/openid-configuration``, ``oauth2/v2.0/authorize``,
``oauth2/v2.0/token`` (client_credentials by secret or client_assertion, authorization_code with PKCE,
refresh_token), ``discovery/v2.0/keys``; and ``/common/discovery/instance``. Errors have the form and
the AADSTS numbers of
https://learn.microsoft.com/entra/identity-platform/reference-error-codes.

``authorize`` signs in at once, without a page: ``login_hint`` says who (default: the first user);
a hint beginning with ``denied`` answers access_denied.
"""

from __future__ import annotations

import hashlib
import html
import time
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from . import tokens
from .tenant import CLIENT_ID, CLIENT_SECRET, TENANT_ID
from .wire import Reply, Request, json_reply

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ACCESS_SECONDS = 3599
REFRESH_SECONDS = 90 * 86400
CODE_SECONDS = 600


class User(NamedTuple):
    name: str
    username: str
    oid: str
    has_role: bool
    """Administrator, scheduler, team member or viewer of the booking calendars."""


USERS = (
    User(
        "Astrid Vinter",
        "astrid.vinter@harbourclinic.example",
        "5a4db0c5-0000-4000-8000-0000000000a1",
        True,
    ),
    User(
        "Nikolaj Uden-Rolle",
        "nikolaj@harbourclinic.example",
        "5a4db0c5-0000-4000-8000-0000000000a2",
        False,
    ),
)


class LoginError(Exception):
    def __init__(self, status: int, error: str, number: int, text: str):
        super().__init__(text)
        self.status, self.error, self.number, self.text = status, error, number, text


class Login:
    """Answers requests to the login host.

    secrets          client secrets that count as right
    certificates     PEM certificates (bytes) whose assertions are verified; None accepts every
                     well-formed assertion
    permissions      application roles and delegated scopes that were consented to
    strict_rotation  a refresh token works once (Entra keeps old ones valid, so default off)
    clock            seconds since 1970, of the login host
    """

    def __init__(
        self,
        *,
        secrets=(CLIENT_SECRET,),
        certificates=None,
        permissions=("Bookings.Read.All",),
        strict_rotation=False,
        clock=time.time,
    ):
        self.secrets = tuple(secrets)
        self.certificates = certificates
        self.permissions = tuple(permissions)
        self.strict_rotation = strict_rotation
        self.clock = clock
        self._used: set[str] = set()

    def answer(self, request: Request) -> Reply:
        try:
            return self._route(request)
        except LoginError as error:
            return self._error_reply(error, request)

    def _route(self, request: Request) -> Reply:
        parts = request.segments
        if len(parts) < 2:
            return json_reply(404, {"error": "not_found"})
        tenant, rest = parts[0], "/".join(parts[1:])
        if rest == "discovery/instance":
            return self._instance(request)
        if tenant.lower() not in (TENANT_ID, "organizations", "common"):
            raise LoginError(
                400,
                "invalid_tenant",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.",
            )
        if rest in ("v2.0/.well-known/openid-configuration", ".well-known/openid-configuration"):
            return self._configuration(request, tenant)
        if rest == "discovery/v2.0/keys":
            return json_reply(200, {"keys": []})
        if rest == "oauth2/v2.0/authorize":
            return self._authorize(request)
        if rest == "oauth2/v2.0/token" and request.method == "POST":
            return self._token(request)
        return json_reply(404, {"error": "not_found"})

    # -- discovery ---------------------------------------------------------------------------

    def _instance(self, request: Request) -> Reply:
        endpoint = f"{request.base}/{TENANT_ID}/v2.0/.well-known/openid-configuration"
        host = urlsplit(request.base).netloc
        metadata = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
        payload = {"tenant_discovery_endpoint": endpoint, "api-version": "1.1"}
        return json_reply(200, {**payload, "metadata": metadata})

    def _configuration(self, request: Request, tenant: str) -> Reply:
        root = f"{request.base}/{tenant}"
        return json_reply(
            200,
            {
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "end_session_endpoint": f"{root}/oauth2/v2.0/logout",
                "jwks_uri": f"{root}/discovery/v2.0/keys",
                "issuer": f"{request.base}/{TENANT_ID}/v2.0",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query", "form_post"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            },
        )

    # -- authorisation code ------------------------------------------------------------------

    def _authorize(self, request: Request) -> Reply:
        asked = request.query if request.method == "GET" else request.form
        redirect = asked.get("redirect_uri", "")
        if asked.get("client_id") != CLIENT_ID:
            raise LoginError(
                400,
                "unauthorized_client",
                700016,
                "Application with identifier "
                f"'{asked.get('client_id', '')}' was not found in the directory.",
            )
        if not urlsplit(redirect).scheme.startswith("http"):
            raise LoginError(400, "invalid_request", 50011, "The redirect URI is not valid.")
        hint = asked.get("login_hint", "")
        answer = {"state": asked["state"]} if "state" in asked else {}
        if hint.startswith("denied"):
            answer["error"] = "access_denied"
            answer["error_description"] = "AADSTS65004: User declined to consent to access the app."
        elif asked.get("response_type", "code") != "code":
            answer["error"] = "unsupported_response_type"
        else:
            answer["code"] = self._code(asked, self._user(hint))
            answer["session_state"] = "5a4db0c5-0000-4000-8000-0000000000ff"
        if asked.get("response_mode") == "form_post":
            return _form_post(redirect, answer)
        parts = urlsplit(redirect)
        query = urlencode([*parse_qsl(parts.query), *answer.items()])
        return Reply(
            302, {"Location": urlunsplit((*parts[:3], query, "")), "Cache-Control": "no-store"}, b""
        )

    def _user(self, hint: str) -> User:
        return next((user for user in USERS if user.username == hint.lower()), USERS[0])

    def _code(self, asked: dict, user: User) -> str:
        now = self.clock()
        return tokens.sign(
            {
                "use": "code",
                "exp": now + CODE_SECONDS,
                "iat": now,
                "user": user.username,
                "redirect_uri": asked["redirect_uri"],
                "scope": asked.get("scope", ""),
                "nonce": asked.get("nonce"),
                "challenge": asked.get("code_challenge"),
                "method": asked.get("code_challenge_method", "plain"),
            }
        )

    # -- token endpoint ----------------------------------------------------------------------

    def _token(self, request: Request) -> Reply:
        form = request.form
        grant = form.get("grant_type")
        if form.get("client_id") != CLIENT_ID:
            raise LoginError(
                400,
                "unauthorized_client",
                700016,
                "Application with identifier "
                f"'{form.get('client_id', '')}' was not found in the directory.",
            )
        self._check_client(form, request)
        if grant == "client_credentials":
            return self._client_credentials(form)
        if grant == "authorization_code":
            return self._by_code(form)
        if grant == "refresh_token":
            return self._by_refresh(form)
        raise LoginError(
            400, "unsupported_grant_type", 70003, f"The grant type '{grant}' is not supported."
        )

    def _check_client(self, form: dict, request: Request) -> None:
        if form.get("client_assertion_type") == ASSERTION:
            self._check_assertion(form.get("client_assertion", ""), request)
        elif not form.get("client_secret"):
            raise LoginError(
                401,
                "invalid_client",
                7000218,
                "The request body must contain the "
                "following parameter: 'client_assertion' or 'client_secret'.",
            )
        elif form["client_secret"] not in self.secrets:
            raise LoginError(
                401,
                "invalid_client",
                7000215,
                "Invalid client secret provided. "
                "Ensure the secret being sent in the request is the client secret "
                "value, not the client secret ID, for a secret added to app "
                f"'{CLIENT_ID}'.",
            )

    def _check_assertion(self, assertion: str, request: Request) -> None:
        try:
            head, claims = tokens.unverified(assertion)
        except ValueError:
            raise LoginError(401, "invalid_client", 50027, "JWT token is invalid.") from None
        endpoint = f"{request.base}{request.path}"
        if claims.get("iss") != CLIENT_ID or claims.get("aud") != endpoint:
            raise LoginError(
                401,
                "invalid_client",
                700023,
                "Client assertion audience claim does not match Realm issuer.",
            )
        if claims.get("exp", 0) < self.clock():
            raise LoginError(
                401,
                "invalid_client",
                700024,
                "Client assertion is not within its valid time range.",
            )
        if self.certificates is not None and not _signed_by(assertion, head, self.certificates):
            raise LoginError(
                401,
                "invalid_client",
                700027,
                "The certificate with identifier used "
                "to sign the client assertion is not registered on application.",
            )

    def _client_credentials(self, form: dict) -> Reply:
        scopes = form.get("scope", "").split()
        if not scopes or not all(scope.endswith("/.default") for scope in scopes):
            raise LoginError(
                400,
                "invalid_scope",
                1002012,
                "The provided value for scope "
                f"{form.get('scope', '')} is not valid. Client credential flows must "
                "have a scope value with /.default suffixed to the resource "
                "identifier.",
            )
        return json_reply(
            200,
            {
                "token_type": "Bearer",
                "expires_in": ACCESS_SECONDS,
                "ext_expires_in": ACCESS_SECONDS,
                "access_token": self._access({"roles": self.permissions, "idtyp": "app"}),
            },
        )

    def _by_code(self, form: dict) -> Reply:
        code = form.get("code", "")
        claims = tokens.read(code, "code", self.clock())
        if claims is None or code in self._used:
            raise LoginError(
                400,
                "invalid_grant",
                54005,
                "OAuth2 Authorization code was already redeemed or has expired.",
            )
        if claims["redirect_uri"] != form.get("redirect_uri"):
            raise LoginError(
                400,
                "invalid_grant",
                50011,
                "The redirect URI does not match the one of the authorization request.",
            )
        if claims["challenge"] and not _verifies(claims, form.get("code_verifier", "")):
            raise LoginError(
                400,
                "invalid_grant",
                501481,
                "The Code_Verifier does not match the "
                "code_challenge supplied in the authorization request.",
            )
        self._used.add(code)
        scope = form.get("scope") or claims["scope"]
        return self._delegated(form, claims["user"], scope, claims["nonce"], 0)

    def _by_refresh(self, form: dict) -> Reply:
        token = form.get("refresh_token", "")
        claims = tokens.read(token, "refresh", self.clock())
        if claims is None or (self.strict_rotation and token in self._used):
            raise LoginError(
                400, "invalid_grant", 70008, "The refresh token has expired or was revoked."
            )
        self._used.add(token)
        scope = form.get("scope") or claims["scope"]
        return self._delegated(form, claims["user"], scope, None, claims["turn"] + 1)

    def _delegated(self, form, username: str, scope: str, nonce, turn: int) -> Reply:
        user, now = self._user(username), self.clock()
        short = [name.rpartition("/")[2] for name in scope.split()]
        granted = [name for name in short if name in self.permissions or name == ".default"]
        if not granted:
            raise LoginError(
                400,
                "invalid_grant",
                65001,
                "The user or administrator has not "
                f"consented to use the application with ID '{CLIENT_ID}'.",
            )
        if granted == [".default"]:
            granted = list(self.permissions)
        payload = {
            "token_type": "Bearer",
            "scope": " ".join(granted),
            "expires_in": ACCESS_SECONDS,
            "ext_expires_in": ACCESS_SECONDS,
            "access_token": self._access(
                {
                    "scp": " ".join(granted),
                    "idtyp": "user",
                    "upn": user.username,
                    "oid": user.oid,
                }
            ),
            "id_token": self._id_token(user, nonce),
        }
        if "offline_access" in short or turn:
            payload["refresh_token"] = tokens.sign(
                {
                    "use": "refresh",
                    "exp": now + REFRESH_SECONDS,
                    "user": user.username,
                    "scope": scope,
                    "turn": turn,
                }
            )
        if form.get("client_info"):
            info = f'{{"uid":"{user.oid}","utid":"{TENANT_ID}"}}'
            payload["client_info"] = tokens.encode(info.encode())
        return json_reply(200, payload)

    def _access(self, claims: dict) -> str:
        now = int(self.clock())
        return tokens.sign(
            {
                "use": "access",
                "aud": "https://graph.microsoft.com",
                "tid": TENANT_ID,
                "appid": CLIENT_ID,
                "iat": now,
                "exp": now + ACCESS_SECONDS,
                **claims,
            }
        )

    def _id_token(self, user: User, nonce) -> str:
        now = int(self.clock())
        claims = {
            "aud": CLIENT_ID,
            "iss": f"https://login.sandbox.invalid/{TENANT_ID}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + ACCESS_SECONDS,
            "sub": f"sub-{user.oid}",
            "oid": user.oid,
            "tid": TENANT_ID,
            "name": user.name,
            "ver": "2.0",
            "preferred_username": user.username,
        }
        return tokens.sign({**claims, **({"nonce": nonce} if nonce else {})})

    def _error_reply(self, error: LoginError, request: Request) -> Reply:
        stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(self.clock()))
        trace = "5a4db0c5-1111-4000-8000-00000000aaaa"
        own = request.headers.get("client-request-id") or "5a4db0c5-1111-4000-8000-00000000bbbb"
        return json_reply(
            error.status,
            {
                "error": error.error,
                "error_description": f"AADSTS{error.number}: {error.text} Trace ID: {trace} "
                f"Correlation ID: {own} Timestamp: {stamp}",
                "error_codes": [error.number],
                "timestamp": stamp,
                "trace_id": trace,
                "correlation_id": own,
                "error_uri": f"https://login.microsoftonline.com/error?code={error.number}",
            },
        )


def _verifies(claims: dict, verifier: str) -> bool:
    if claims["method"] == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        return tokens.encode(digest) == claims["challenge"]
    return verifier == claims["challenge"]


def _signed_by(assertion: str, head: dict, certificates) -> bool:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signed, _, signature = assertion.rpartition(".")
    if head.get("alg") == "PS256":
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    else:
        scheme = padding.PKCS1v15()
    for pem in certificates:
        key = x509.load_pem_x509_certificate(pem).public_key()
        try:
            key.verify(tokens.decode(signature), signed.encode(), scheme, hashes.SHA256())
        except InvalidSignature:
            continue
        return True
    return False


def _form_post(redirect: str, answer: dict) -> Reply:
    fields = "".join(
        f'<input type="hidden" name="{html.escape(key)}" value="{html.escape(value)}"/>'
        for key, value in answer.items()
    )
    page = (
        f'<html><body onload="document.forms[0].submit()"><form method="POST" '
        f'action="{html.escape(redirect)}">{fields}</form></body></html>'
    )
    return Reply(200, {"Content-Type": "text/html; charset=utf-8"}, page.encode())


__all__ = ["USERS", "Login", "LoginError", "User"]
