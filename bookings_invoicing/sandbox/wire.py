"""Requests and replies between the WSGI border and the parts of the sandbox that answer."""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

JSON_TYPE = "application/json; charset=utf-8"
GRAPH_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
)
STATUS_LINES = {
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    410: "Gone",
    416: "Range Not Satisfiable",
    423: "Locked",
    424: "Failed Dependency",
    429: "Too Many Requests",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    509: "Bandwidth Limit Exceeded",
}


class Disconnected(Exception):
    """The connection shall break instead of an answer (a scripted fault)."""


class Request(NamedTuple):
    method: str
    target: str
    headers: dict
    body: bytes
    base: str
    """Scheme and host that the caller used, without a path."""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict:
        pairs = parse_qsl(self.target.partition("?")[2], keep_blank_values=True)
        return dict(pairs)

    @property
    def segments(self) -> list[str]:
        return [unquote(part) for part in self.path.split("/") if part]

    @property
    def form(self) -> dict:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


class Reply(NamedTuple):
    status: int
    headers: dict
    body: bytes

    @property
    def status_line(self) -> str:
        return f"{self.status} {STATUS_LINES.get(self.status, 'Status')}"


def dumps(payload) -> bytes:
    """JSON as Graph writes it: compact, UTF-8. Lone surrogates (only from tests) pass."""
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def json_reply(status: int, payload, headers=None, content_type: str = JSON_TYPE) -> Reply:
    return Reply(status, {"Content-Type": content_type, **(headers or {})}, dumps(payload))


class GraphError(Exception):
    """An error answer of Graph: status, error.code, error.message."""

    def __init__(self, status: int, code: str, text: str, headers=None):
        super().__init__(text)
        self.status, self.code, self.text, self.headers = status, code, text, headers or {}


def too_many() -> GraphError:
    """429 as Graph answers when a mailbox has its four concurrent requests already."""
    return GraphError(
        429,
        "TooManyRequests",
        "Application is over its MailboxConcurrency limit.",
        {"Retry-After": "1"},
    )
