"""Errors of the login host, by their AADSTS number.

Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes and RFC 6749.
"""

from __future__ import annotations

import time

from .wire import Reply, json_reply

_TRACE = "5a4db0c5-1111-4000-8000-00000000aaaa"
_CORRELATION = "5a4db0c5-1111-4000-8000-00000000bbbb"

# number: (status, error, text)
ERRORS = {
    50011: (400, "invalid_request", "The redirect URI '{uri}' does not match the one expected."),
    50027: (401, "invalid_client", "JWT token is invalid or malformed."),
    54005: (400, "invalid_grant", "OAuth2 Authorization code was already redeemed or has expired."),
    65001: (
        400,
        "invalid_grant",
        "The user or administrator has not consented to use the application with ID '{client}'.",
    ),
    70003: (
        400,
        "unsupported_grant_type",
        "The app requested an unsupported grant type '{grant}'.",
    ),
    70008: (400, "invalid_grant", "The refresh token has expired or was revoked."),
    90002: (
        400,
        "invalid_tenant",
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.",
    ),
    501481: (
        400,
        "invalid_grant",
        "The Code_Verifier does not match the code_challenge of the authorization request.",
    ),
    700016: (
        400,
        "unauthorized_client",
        "Application with identifier '{client}' was not found in the directory.",
    ),
    700023: (401, "invalid_client", "Client assertion audience claim does not match Realm issuer."),
    700024: (401, "invalid_client", "Client assertion is not within its valid time range."),
    700027: (
        401,
        "invalid_client",
        "The certificate with identifier used to sign the client assertion is not registered on "
        "application.",
    ),
    1002012: (
        400,
        "invalid_scope",
        "The provided value for scope {scope} is not valid. Client credential flows must have a "
        "scope value with /.default suffixed to the resource identifier.",
    ),
    7000215: (
        401,
        "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the "
        "client secret value, not the client secret ID, for a secret added to app '{client}'.",
    ),
    7000218: (
        401,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or "
        "'client_secret'.",
    ),
    7000222: (
        401,
        "invalid_client",
        "The provided client secret keys for app '{client}' are expired.",
    ),
}


class LoginError(Exception):
    """Raised with an AADSTS number and the words of its text."""

    def __init__(self, number: int, **words):
        self.number = number
        self.status, self.error, text = ERRORS[number]
        self.text = text.format(**words)
        super().__init__(self.text)

    def reply(self, now: float, correlation: str | None = None) -> Reply:
        """The answer of the token endpoint at ``now`` (seconds since 1970)."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(now))
        own = correlation or _CORRELATION
        description = (
            f"AADSTS{self.number}: {self.text} Trace ID: {_TRACE} "
            f"Correlation ID: {own} Timestamp: {stamp}"
        )
        return json_reply(
            self.status,
            {
                "error": self.error,
                "error_description": description,
                "error_codes": [self.number],
                "timestamp": stamp,
                "trace_id": _TRACE,
                "correlation_id": own,
                "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
            },
        )
