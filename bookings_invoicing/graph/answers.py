"""Convert a ``Reply`` to a JSON document, or to the error that describes what went wrong.

Numbers with a fraction become Decimal. ``NaN`` and ``Infinity`` (not valid JSON, but accepted by Python's parser) become
a Decimal NaN, so that only the record with them is refused and not its whole page. The same applies to absurdly long
integers and to nesting that is deeper than in any Graph document.

Source: Graph "error responses": depend on status and ``error.code``, never on the message.
"""

import json
import re
from decimal import Decimal

from .errors import (
    AccessDenied,
    AuthError,
    GraphError,
    NotFound,
    ProtocolError,
    RangeTooLarge,
    ThrottledError,
    TransientError,
)

DEEPEST = 60
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_CODE = re.compile(r"[A-Za-z0-9_]{1,60}")
_CODES = {
    "ErrorNonExistentMailbox": (NotFound, "business_not_found"),
    "ErrorFolderNotFound": (AccessDenied, "mailbox_role_missing"),
    "ErrorExceededFindCountLimit": (GraphError, "too_many_businesses"),
    "ErrorAccessDenied": (AccessDenied, "access_denied"),
    "Authorization_RequestDenied": (AccessDenied, "access_denied"),
    "InvalidAuthenticationToken": (AuthError, "token_refused"),
}
_STATUSES = {
    400: (GraphError, "bad_request"),
    401: (AuthError, "token_refused"),
    403: (AccessDenied, "access_denied"),
    404: (NotFound, "not_found"),
    408: (TransientError, "unavailable"),
    410: (NotFound, "not_found"),
    416: (RangeTooLarge, "range_too_large"),
    429: (ThrottledError, "throttled"),
}
_NOT_A_NUMBER = Decimal("NaN")


def json_of(reply) -> dict:
    """Return the JSON object of a successful reply. Raises ProtocolError for anything else (HTML, nothing, a list)."""
    try:
        document = loads(reply.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ProtocolError(
            kind="not_json", host=reply.host, status=reply.status, request_id=reply.request_id
        )
    return document


def loads(body: bytes):
    """Parse JSON with Decimal fractions. Raises only ValueError.

    >>> loads(b'{"price": 0.1, "odd": NaN}')
    {'price': Decimal('0.1'), 'odd': Decimal('NaN')}
    """
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_constant)
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    except (ValueError, RecursionError):
        text = _shallow(body.decode(json.detect_encoding(body), "surrogatepass"))
        return json.loads(text, parse_float=Decimal, parse_constant=_constant, parse_int=_integer)


def _constant(_name: str) -> Decimal:
    return _NOT_A_NUMBER


def _integer(digits: str):
    return int(digits) if len(digits) <= 30 else _NOT_A_NUMBER


def _shallow(text: str) -> str:
    """Return the document with everything that is nested too deeply replaced by null.

    >>> _shallow('{"a": ' + "[" * 70 + '"]"' + "]" * 70 + ', "b": 1}').count("[")
    59
    """
    kept, depth, start = [], 0, 0
    for token in _TOKENS.finditer(text):
        mark = token[0]
        if mark in "[{":
            depth += 1
            if depth == DEEPEST + 1:
                kept.append(text[start : token.start()])
        elif mark in "]}":
            if depth == DEEPEST + 1:
                kept.append("null")
                start = token.end()
            depth -= 1
    if depth > DEEPEST:
        raise ValueError("unbalanced")
    kept.append(text[start:])
    return "".join(kept)


def error_body(reply) -> tuple[bool, str]:
    """Return ``(whether the body is a Graph error, its code)``. The code may be an empty string."""
    if len(reply.body) > 100_000:
        return False, ""
    try:
        document = loads(reply.body)
    except ValueError:
        return False, ""
    return error_object(document)


def error_object(document) -> tuple[bool, str]:
    """Do the same as :func:`error_body` for a parsed document, such as the body of a batch item.

    >>> error_object({"error": {"code": "ErrorItemNotFound", "message": ""}})
    (True, 'ErrorItemNotFound')
    >>> error_object([])
    (False, '')
    """
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return False, ""
    code = error.get("code")
    # a code is a single word; nothing else from a server gets into messages
    return True, code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def error_of(
    status: int,
    code: str = "",
    request_id: str = "",
    *,
    graph: bool = True,
    host: str = "",
    retry_after: float | None = None,
) -> GraphError:
    """Return the error for a final, unsuccessful response.

    ``graph`` is whether the body was a Graph error, because a 404 from a proxy must never mean "no such record".

    >>> error_of(404, "ErrorFolderNotFound").kind, error_of(404, "ErrorItemNotFound").kind
    ('mailbox_role_missing', 'not_found')
    >>> type(error_of(404, graph=False)).__name__
    'ProtocolError'
    """
    kind, name = _CODES.get(code) or _STATUSES.get(status) or (GraphError, "graph_error")
    if status >= 500:
        kind, name = TransientError, "unavailable"
    elif status in (404, 410) and not graph or status < 400:
        kind, name = ProtocolError, "not_json"
    return kind(
        kind=name,
        code=code,
        status=status,
        request_id=request_id,
        host=host,
        retry_after=retry_after,
    )
