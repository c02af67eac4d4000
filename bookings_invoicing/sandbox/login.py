"""The login half of the sandbox: what msal asks of login.microsoftonline.com.

Endpoints under ``/{tenant}``: ``v2.0/.well-known/openid-configuration``,
``oauth2/v2.0/authorize``, ``oauth2/v2.0/token`` (client_credentials by secret or
client_assertion, authorization_code with PKCE, refresh_token), ``discovery/v2.0/keys``; and
``/common/discovery/instance``.

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
from .login_errors import LoginError
from .tenant import CLIENT_ID, CLIENT_SECRET, TENANT_ID
from .wire import Reply, Request, json_reply

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ACCESS_SECONDS = 3599
REFRESH_SECONDS = 90 * 86400
CODE_SECONDS = 600
_TENANTS = (TENANT_ID, "organizations", "common")


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


class Login:
    """Answers requests to the login host.

    secrets          client secrets that count as right
    expired_secrets  secrets that were right once
    certificates     PEM certificates (bytes) whose assertions are verified; None accepts every
                     well-formed assertion
    permissions      application roles and delegated scopes that were consented to
    strict_rotation  a refresh token works once (Entra keeps old ones valid, so default off)
    access_seconds   how long an access token is valid
    clock            seconds since 1970, of the login host
    """

    def __init__(
        self,
        *,
        secrets=(CLIENT_SECRET,),
        expired_secrets=(),
        certificates=None,
        permissions=("Bookings.Read.All",),
        strict_rotation=False,
        access_seconds=ACCESS_SECONDS,
        clock=time.time,
    ):
        self.secrets = tuple(secrets)
        self.expired_secrets = tuple(expired_secrets)
        self.certificates = certificates
        self.permissions = tuple(permissions)
        self.strict_rotation = strict_rotation
        self.access_seconds = access_seconds
        self.clock = clock
        self._used: set[str] = set()

    def answer(self, request: Request) -> Reply:
        try:
            return self._route(request)
        except LoginError as error:
            return error.reply(self.clock(), request.headers.get("client-request-id"))

    def _route(self, request: Request) -> Reply:
        parts = request.segments
        tenant, rest = (parts[0], "/".join(parts[1:])) if parts else ("", "")
        if rest == "discovery/instance":
            return self._instance(request)
        route = {
            ("GET", "v2.0/.well-known/openid-configuration"): self._configuration,
            ("GET", ".well-known/openid-configuration"): self._configuration,
            ("GET", "discovery/v2.0/keys"): lambda request: json_reply(200, {"keys": []}),
            ("GET", "oauth2/v2.0/authorize"): self._authorize,
            ("POST", "oauth2/v2.0/authorize"): self._authorize,
            ("POST", "oauth2/v2.0/token"): self._token,
        }.get((request.method, rest))
        if route is None:
            return json_reply(404, {"error": "not_found"})
        if tenant.lower() not in _TENANTS:
            raise LoginError(90002, tenant=tenant)
        return route(request)

    # -- discovery ---------------------------------------------------------------------------

    def _instance(self, request: Request) -> Reply:
        endpoint = f"{request.base}/{TENANT_ID}/v2.0/.well-known/openid-configuration"
        host = urlsplit(request.base).netloc
        metadata = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
        payload = {"tenant_discovery_endpoint": endpoint, "api-version": "1.1"}
        return json_reply(200, {**payload, "metadata": metadata})

    def _configuration(self, request: Request) -> Reply:
        root = f"{request.base}/{request.segments[0]}"
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
            raise LoginError(700016, client=asked.get("client_id", ""))
        if urlsplit(redirect).scheme not in ("http", "https"):
            raise LoginError(50011, uri=redirect)
        hint = asked.get("login_hint", "")
        answer = {"state": asked["state"]} if "state" in asked else {}
        if hint.startswith("denied"):
            answer["error"] = "access_denied"
            answer["error_description"] = "AADSTS65004: User declined to consent to access the app."
        elif asked.get("response_type", "code") != "code":
            answer["error"] = "unsupported_response_type"
        else:
            answer["code"] = self._code(asked, redirect, _user(hint))
        if asked.get("response_mode") == "form_post":
            return _form_post(redirect, answer)
        parts = urlsplit(redirect)
        query = urlencode([*parse_qsl(parts.query), *answer.items()])
        target = urlunsplit((*parts[:3], query, ""))
        return Reply(302, {"Location": target, "Cache-Control": "no-store"}, b"")

    def _code(self, asked: dict, redirect: str, user: User) -> str:
        return tokens.sign(
            {
                "use": "code",
                "exp": self.clock() + CODE_SECONDS,
                "user": user.username,
                "redirect_uri": redirect,
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
            raise LoginError(700016, client=form.get("client_id", ""))
        self._check_client(form, request)
        if grant == "client_credentials":
            return self._client_credentials(form)
        if grant == "authorization_code":
            return self._by_code(form)
        if grant == "refresh_token":
            return self._by_refresh(form)
        raise LoginError(70003, grant=grant)

    def _check_client(self, form: dict, request: Request) -> None:
        secret = form.get("client_secret")
        if form.get("client_assertion_type") == ASSERTION:
            self._check_assertion(form.get("client_assertion", ""), request)
        elif not secret:
            raise LoginError(7000218)
        elif secret in self.expired_secrets:
            raise LoginError(7000222, client=CLIENT_ID)
        elif secret not in self.secrets:
            raise LoginError(7000215, client=CLIENT_ID)

    def _check_assertion(self, assertion: str, request: Request) -> None:
        try:
            head, claims = tokens.unverified(assertion)
        except ValueError:
            raise LoginError(50027) from None
        if claims.get("iss") != CLIENT_ID or claims.get("aud") != f"{request.base}{request.path}":
            raise LoginError(700023)
        if claims.get("exp", 0) < self.clock():
            raise LoginError(700024)
        if self.certificates is not None and not _signed_by(assertion, head, self.certificates):
            raise LoginError(700027)

    def _client_credentials(self, form: dict) -> Reply:
        scopes = form.get("scope", "").split()
        if not scopes or not all(scope.endswith("/.default") for scope in scopes):
            raise LoginError(1002012, scope=form.get("scope", ""))
        claims = {"roles": self.permissions, "idtyp": "app"}
        return json_reply(200, self._bearer(claims))

    def _by_code(self, form: dict) -> Reply:
        code = form.get("code", "")
        claims = tokens.read(code, "code", self.clock())
        if claims is None or code in self._used:
            raise LoginError(54005)
        if claims["redirect_uri"] != form.get("redirect_uri"):
            raise LoginError(50011, uri=form.get("redirect_uri", ""))
        if claims["challenge"] and not _verifies(claims, form.get("code_verifier", "")):
            raise LoginError(501481)
        self._used.add(code)
        scope = form.get("scope") or claims["scope"]
        return self._delegated(form, claims["user"], scope, claims["nonce"], 0)

    def _by_refresh(self, form: dict) -> Reply:
        token = form.get("refresh_token", "")
        claims = tokens.read(token, "refresh", self.clock())
        if claims is None or (self.strict_rotation and token in self._used):
            raise LoginError(70008)
        self._used.add(token)
        scope = form.get("scope") or claims["scope"]
        return self._delegated(form, claims["user"], scope, None, claims["turn"] + 1)

    def _delegated(self, form: dict, username: str, scope: str, nonce, turn: int) -> Reply:
        user, now = _user(username), self.clock()
        short = [name.rpartition("/")[2] for name in scope.split()]
        granted = [name for name in short if name in self.permissions]
        if ".default" in short:
            granted = list(self.permissions)
        if not granted:
            raise LoginError(65001, client=CLIENT_ID)
        scp = " ".join(granted)
        claims = {"scp": scp, "idtyp": "user", "upn": user.username, "oid": user.oid}
        payload = {**self._bearer(claims), "scope": scp, "id_token": self._id_token(user, nonce)}
        if "offline_access" in short or turn:
            refresh = {"use": "refresh", "exp": now + REFRESH_SECONDS, "turn": turn}
            payload["refresh_token"] = tokens.sign(
                {**refresh, "user": user.username, "scope": scope}
            )
        if form.get("client_info"):
            info = f'{{"uid":"{user.oid}","utid":"{TENANT_ID}"}}'
            payload["client_info"] = tokens.encode(info.encode())
        return json_reply(200, payload)

    def _bearer(self, claims: dict) -> dict:
        now = int(self.clock())
        access = {
            "use": "access",
            "aud": "https://graph.microsoft.com",
            "tid": TENANT_ID,
            "appid": CLIENT_ID,
            "iat": now,
            "exp": now + self.access_seconds,
        }
        return {
            "token_type": "Bearer",
            "expires_in": self.access_seconds,
            "ext_expires_in": self.access_seconds,
            "access_token": tokens.sign({**access, **claims}),
        }

    def _id_token(self, user: User, nonce) -> str:
        now = int(self.clock())
        claims = {
            "aud": CLIENT_ID,
            "iss": f"https://login.sandbox.invalid/{TENANT_ID}/v2.0",
            "iat": now,
            "nbf": now,
            "exp": now + self.access_seconds,
            "sub": f"sub-{user.oid}",
            "oid": user.oid,
            "tid": TENANT_ID,
            "name": user.name,
            "preferred_username": user.username,
            "ver": "2.0",
        }
        return tokens.sign({**claims, **({"nonce": nonce} if nonce else {})})


def _user(hint: str) -> User:
    return next((user for user in USERS if user.username == hint.lower()), USERS[0])


def _verifies(claims: dict, verifier: str) -> bool:
    if claims["method"] == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        return tokens.encode(digest) == claims["challenge"]
    return verifier == claims["challenge"]


def _signed_by(assertion: str, head: dict, certificates) -> bool:
    # Imported here: only this option needs it, and everybody pays for the import.
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    signed, _, signature = assertion.rpartition(".")
    scheme = padding.PKCS1v15()
    if head.get("alg") == "PS256":
        scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    for pem in certificates:
        key = x509.load_pem_x509_certificate(pem).public_key()
        try:
            key.verify(tokens.decode(signature), signed.encode(), scheme, hashes.SHA256())
        except (InvalidSignature, ValueError):
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
