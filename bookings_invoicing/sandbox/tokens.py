"""Tokens of the sandbox: signed, stateless, so that any process of the same tenant accepts them.

They look like Microsoft's (three parts, readable claims) but are signed with a key that is public:
they protect nothing and open nothing but a sandbox.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

_KEY = b"bookings sandbox: this key is public"


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Raise ValueError for text that is not base64url."""
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def sign(claims: dict) -> str:
    """A compact JWS (HS256) over the claims."""
    head = encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    body = encode(json.dumps(claims, sort_keys=True).encode())
    return f"{head}.{body}.{_signature(head, body)}"


def _signature(head: str, body: str) -> str:
    return encode(hmac.new(_KEY, f"{head}.{body}".encode(), hashlib.sha256).digest())


def read(token: str, kind: str, now: float) -> dict | None:
    """The claims of a token of this kind ("access", "refresh", "code"); None if it is not valid."""
    try:
        head, body, signature = token.split(".")
        if not hmac.compare_digest(signature, _signature(head, body)):
            return None
        claims = json.loads(decode(body))
    except (ValueError, UnicodeError):
        return None
    valid = claims.get("use") == kind and claims.get("exp", 0) > now
    return claims if valid else None


def permissions(claims: dict) -> set[str]:
    """What a token allows: roles of an application, or scopes of a user."""
    return set(claims.get("roles") or claims.get("scp", "").split())


def unverified(token: str) -> tuple[dict, dict]:
    """Header and claims of a JWS made by somebody else. Raises ValueError."""
    try:
        head, body, _ = token.split(".")
        return json.loads(decode(head)), json.loads(decode(body))
    except (ValueError, UnicodeError) as error:
        raise ValueError("not a JWT") from error
