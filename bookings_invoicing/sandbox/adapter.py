"""The sandbox behind a ``requests.Session``: an adapter that calls the WSGI app in this process.

What it is: a :class:`requests.adapters.BaseAdapter`. The live client code runs unchanged on it; no
socket is opened. Streaming works (``response.raw``, ``iter_content``), and a scripted break of the
connection raises what requests raises for a real one.
"""

from __future__ import annotations

import io
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.response import HTTPResponse

from .app import make_app
from .wire import Disconnected

GRAPH_HOST = "graph.sandbox.invalid"
LOGIN_HOST = "login.sandbox.invalid"
GRAPH_URL = f"https://{GRAPH_HOST}/v1.0"
LOGIN_URL = f"https://{LOGIN_HOST}"


class SandboxAdapter(BaseAdapter):
    """Answers every request given to it from ``app``. ``calls`` counts them."""

    def __init__(self, app):
        super().__init__()
        self.app = app
        self.calls = 0

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        self.calls += 1
        environ = _environ(request)
        caught: list = []
        try:
            parts = self.app(
                environ, lambda status, headers, exc=None: caught.append((status, headers))
            )
        except Disconnected as error:
            raise requests.ConnectionError(str(error), request=request) from error
        status, headers = caught[0]
        body = b"".join(parts)
        headers = dict(headers)
        cut = headers.pop("X-Sandbox-Truncate", None)
        raw = _raw(request, status, headers, body if cut is None else body[: int(cut)])
        response = requests.Response()
        response.status_code = int(status.split(" ", 1)[0])
        response.reason = status.partition(" ")[2]
        response.headers = CaseInsensitiveDict(headers)
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.raw = raw
        response.url = request.url
        response.request = request
        response.connection = self
        if not stream:
            response.content  # noqa: B018 (requests reads the body here as well)
        return response

    def close(self):
        """Nothing is open."""


def _environ(request) -> dict:
    url = urlsplit(request.url)
    body = request.body or b""
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, (bytes, bytearray)):
        body = b"".join(body)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    environ = {
        "REQUEST_METHOD": request.method,
        "RAW_URI": target,
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": url.scheme,
        "HTTP_HOST": url.netloc,
    }
    for key, value in request.headers.items():
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        environ[f"HTTP_{key.upper().replace('-', '_')}"] = text
    environ["HTTP_HOST"] = url.netloc
    return environ


def _raw(request, status: str, headers: dict, body: bytes) -> HTTPResponse:
    return HTTPResponse(
        body=io.BytesIO(body),
        headers=headers,
        status=int(status.split(" ", 1)[0]),
        version=11,
        reason=status.partition(" ")[2],
        preload_content=False,
        decode_content=False,
        request_method=request.method,
        enforce_content_length=True,
    )


def mount(session: requests.Session, app) -> SandboxAdapter:
    """Let ``app`` answer both sandbox hosts for a requests session; every other host stays as it is."""
    adapter = SandboxAdapter(app)
    session.mount(f"https://{GRAPH_HOST}/", adapter)
    session.mount(f"https://{LOGIN_HOST}/", adapter)
    return adapter


def sandbox_session(tenant, **options) -> requests.Session:
    """A session that reaches this tenant and no network: any host but the sandbox's is refused.

    ``options`` go to :func:`bookings_invoicing.sandbox.app.make_app`.
    """
    session = requests.Session()
    session.trust_env = False
    session.adapters.clear()
    mount(session, make_app(tenant, **options))
    return session


__all__ = [
    "GRAPH_URL",
    "LOGIN_URL",
    "SandboxAdapter",
    "mount",
    "sandbox_session",
]
