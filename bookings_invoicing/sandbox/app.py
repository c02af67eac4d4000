"""The sandbox as a WSGI application: login and Graph v1.0 behind one callable.

How to use it: ``app = make_app(tenant)``; call it as WSGI, mount it on a ``requests.Session`` by
:mod:`bookings_invoicing.sandbox.adapter`, or serve it by :mod:`bookings_invoicing.sandbox.serve`.

How it works: a path below ``/v1.0`` is Graph, every other one is the login host, so that both may
live on one address. Links in answers repeat the scheme and host that the caller used.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping

from .faults import Faults, scripted
from .graph_api import Graph
from .login import Login
from .wire import Disconnected, Reply, Request, json_reply

MAX_BODY = 4 * 2**20
_LOGIN_OPTIONS = {
    "secrets",
    "expired_secrets",
    "certificates",
    "permissions",
    "strict_rotation",
    "access_seconds",
}
_GRAPH_OPTIONS = {"page_size", "mailbox_limit", "range_limit"}


class App:
    """WSGI application. ``login``, ``graph``, ``tenant`` and ``faults`` are its parts."""

    def __init__(self, tenant, faults: Faults, login: Login, graph: Graph, compress: bool):
        self.tenant = tenant
        self.faults = faults
        self.login = login
        self.graph = graph
        self.compress = compress

    def __call__(self, environ, start_response):
        reply = self.answer(request_of(environ))
        headers = list(reply.headers.items())
        start_response(reply.status_line, headers)
        return [reply.body]

    def answer(self, request: Request) -> Reply:
        """The reply with its Content-Length; raises Disconnected where a fault says so."""
        self.faults.record(request)
        fault = self.faults.strike(request)
        reply = scripted(fault) if fault else None
        if reply is None:
            reply = self._route(request)
        if self.compress and "gzip" in request.headers.get("accept-encoding", ""):
            body = gzip.compress(reply.body, 1)
            reply = reply._replace(headers={**reply.headers, "Content-Encoding": "gzip"}, body=body)
        headers = {**reply.headers, "Content-Length": str(len(reply.body))}
        if fault:
            headers.update(fault.get("headers", {}))
            if "truncate" in fault:
                headers["X-Sandbox-Truncate"] = str(fault["truncate"])
        return reply._replace(headers=headers)

    def _route(self, request: Request) -> Reply:
        if len(request.body) > MAX_BODY:
            return json_reply(413, {"error": {"code": "RequestTooLarge", "message": "Too large."}})
        if request.segments[:1] == ["v1.0"]:
            return self.graph.answer(request, self._before_item)
        return self.login.answer(request)

    def _before_item(self, request: Request) -> Reply | None:
        fault = self.faults.strike(request, in_batch=True)
        return scripted(fault) if fault else None


def make_app(tenant, *, faults=None, clock=time.time, compress=False, **options) -> App:
    """The application of a tenant.

    faults    a Faults object or a list of fault dicts
    clock     seconds since 1970 for tokens and dates in errors; appointments do not depend on it
    compress  answer gzip to who accepts it, as Graph does
    options   of Login (secrets, certificates, permissions, strict_rotation) and of Graph
              (page_size, mailbox_limit, range_limit)
    """
    unknown = set(options) - _LOGIN_OPTIONS - _GRAPH_OPTIONS
    if unknown:
        raise TypeError(f"make_app does not know {', '.join(sorted(unknown))}")
    login = Login(clock=clock, **_only(options, _LOGIN_OPTIONS))
    graph = Graph(tenant, clock=clock, **_only(options, _GRAPH_OPTIONS))
    if not isinstance(faults, Faults):
        faults = Faults(faults or ())
    return App(tenant, faults, login, graph, compress)


def _only(options: Mapping, names: set) -> dict:
    return {key: value for key, value in options.items() if key in names}


def request_of(environ) -> Request:
    """A Request out of a WSGI environ. RAW_URI keeps %2F in ids apart from /, where it is given."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not target:
        from urllib.parse import quote

        path = environ.get("PATH_INFO", "").encode("latin-1", "replace")
        target = quote(path) + (
            "?" + environ["QUERY_STRING"] if environ.get("QUERY_STRING") else ""
        )
    headers = {
        key[5:].replace("_", "-").lower(): value
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(min(length, MAX_BODY + 1)) if length > 0 else b""
    base = f"{environ.get('wsgi.url_scheme', 'https')}://{headers.get('host', 'localhost')}"
    return Request(environ["REQUEST_METHOD"], target, headers, body, base)


__all__ = ["App", "Disconnected", "make_app", "request_of"]
