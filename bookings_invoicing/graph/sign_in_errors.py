"""Convert a failed sign-in to an error: the class follows from OAuth's ``error``, the text from Entra's AADSTS number.

The numbers may change, so they only determine the text.
Source: Microsoft identity platform, "authentication and authorization error codes".

>>> sign_in_error({"error": "invalid_client", "error_codes": [7000222]}).kind
'secret_expired'
>>> sign_in_error({"error": "temporarily_unavailable"}).transient
True
"""

import re

from .errors import AuthError, GraphError, TransientError

_TRANSIENT = frozenset({"temporarily_unavailable", "server_error", "slow_down", "request_timeout"})
_BY_ERROR = {
    "invalid_client": "credential_refused",
    "unauthorized_client": "app_not_found",
    "invalid_grant": "sign_in_again",
    "interaction_required": "sign_in_again",
    "login_required": "sign_in_again",
    "consent_required": "consent_missing",
    "access_denied": "sign_in_refused",
    "invalid_scope": "resource_not_found",
    "invalid_resource": "resource_not_found",
}
_BY_NUMBER = {
    7000215: "secret_id_instead_of_value",
    7000222: "secret_expired",
    700016: "app_not_found",
    700025: "credential_refused",
    700027: "certificate_unknown",
    7000112: "app_disabled",
    90002: "tenant_not_found",
    900023: "tenant_not_found",
    900144: "credential_refused",
    65001: "consent_missing",
    90094: "consent_missing",
    90095: "consent_missing",
    65004: "sign_in_refused",
    500011: "resource_not_found",
    650052: "resource_not_found",
    50011: "redirect_uri",
    50076: "sign_in_blocked",
    50079: "sign_in_blocked",
    50105: "sign_in_blocked",
    53000: "sign_in_blocked",
    53003: "sign_in_blocked",
    50173: "sign_in_again",
    70008: "sign_in_again",
    700082: "sign_in_again",
    54005: "sign_in_state",
}
_NUMBER = re.compile(r"AADSTS(\d{4,8})")
_WORD = re.compile(r"[a-z_]{1,60}")
_NO_WORD = "unreadable"
_ID = re.compile(r"[0-9A-Fa-f-]{1,40}")


def bare_refusal(result: dict) -> dict:
    """Return the codes, numbers, and ID of a refusal without its text, which may quote the request.

    >>> bare_refusal({"error": "invalid_grant", "error_description": "AADSTS65001: Ada said no."})
    {'error': 'invalid_grant', 'error_codes': [65001]}
    """
    bare = {"error": _word(result.get("error")), "error_codes": _numbers(result)}
    suberror, correlation_id = _word(result.get("suberror")), result.get("correlation_id")
    if suberror != _NO_WORD:
        bare["suberror"] = suberror
    if isinstance(correlation_id, str) and _ID.fullmatch(correlation_id):
        bare["correlation_id"] = correlation_id
    return bare


def sign_in_error(result: dict) -> GraphError:
    """Return the error for an OAuth error response (the body of a token endpoint, or the parameters of a callback)."""
    bare = bare_refusal(result)
    word, numbers = bare["error"], bare["error_codes"]
    code = f"AADSTS{numbers[0]}" if numbers else word
    request_id = bare.get("correlation_id", "")
    if word in _TRANSIENT:
        return TransientError(code=code, request_id=request_id)
    known = next((_BY_NUMBER[number] for number in numbers if number in _BY_NUMBER), None)
    kind = known or _BY_ERROR.get(word, "sign_in_failed")
    return AuthError(kind=kind, code=code, request_id=request_id)


def _word(value) -> str:
    return value if isinstance(value, str) and _WORD.fullmatch(value) else _NO_WORD


def _numbers(result: dict) -> list[int]:
    codes = result.get("error_codes")
    numbers = [code for code in codes if type(code) is int] if isinstance(codes, list) else []
    description = result.get("error_description")
    if not numbers and isinstance(description, str):
        numbers = [int(digits) for digits in _NUMBER.findall(description[:2000])]
    return numbers
