"""The sandbox on a socket: HTTPS with keep-alive, for other clients and for benchmarks.

How to use it, from a program::

    with serving(tenant, folder) as server:      # a port of its own, a certificate of its own
        requests.get(server.graph_url + "/solutions/bookingBusinesses", verify=server.ca_file, ...)

or in a shell: ``python -m bookings_invoicing.sandbox.serve --port 8443`` prints how to point the
addon at it and serves until interrupted.

How it works: ``http.server`` with a thread per connection, HTTP/1.1, TLS shaken hands in that
thread so that one slow client stops nobody; head and body of an answer leave in one write.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import io
import ssl
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .app import MAX_BODY, make_app, request_of
from .certificates import make_certificates
from .tenant import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Tenant
from .wire import Disconnected

IDLE_SECONDS = 60


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "BookingsSandbox"
    sys_version = ""
    timeout = IDLE_SECONDS
    wbufsize = -1
    disable_nagle_algorithm = True

    def _answer(self):
        length = self._length()
        if length is None:
            return
        request = request_of(self._environ(length))
        try:
            reply = self.server.app.answer(request)
        except Disconnected:
            self.close_connection = True
            return
        headers = dict(reply.headers)
        cut = headers.pop("X-Sandbox-Truncate", None)
        self.send_response(reply.status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        body = reply.body
        if cut is not None:
            body, self.close_connection = body[: int(cut)], True
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _answer

    def _length(self) -> int | None:
        """The announced length of the body; None after a refusal."""
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        chunked = "transfer-encoding" in self.headers
        if chunked or not 0 <= length <= MAX_BODY:
            # The rest of the connection cannot be told from the body, so it ends here.
            self.close_connection = True
            self.send_error(411 if chunked else 413)
            return None
        return length

    def _environ(self, length: int) -> dict:
        environ = {
            "REQUEST_METHOD": self.command,
            "RAW_URI": self.path,
            "CONTENT_LENGTH": str(length),
            "wsgi.input": io.BytesIO(self.rfile.read(length)),
            "wsgi.url_scheme": "https" if self.server.tls else "http",
        }
        for key, value in self.headers.items():
            environ[f"HTTP_{key.upper().replace('-', '_')}"] = value
        environ["HTTP_HOST"] = self.headers.get("Host") or self.server.address
        return environ

    def log_message(self, format, *args):
        if self.server.verbose:
            super().log_message(format, *args)


class SandboxServer(ThreadingHTTPServer):
    """A listening sandbox. ``start`` serves in a thread, ``stop`` ends it and frees the port.

    ``base`` is scheme, host and port; ``graph_url`` and ``login_url`` are what a client is given;
    ``ca_file`` is the authority it has to trust.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, app, host="127.0.0.1", port=0, certfile=None, keyfile=None, ca_file=None):
        self.app = app
        self.verbose = False
        self.ca_file = str(ca_file) if ca_file else None
        self.tls = None
        if certfile:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certfile, keyfile)
        self._thread = None
        super().__init__((host, port), _Handler)
        shown = f"[{host}]" if ":" in host else host
        self.address = f"{shown}:{self.server_address[1]}"

    @property
    def base(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.address}"

    @property
    def graph_url(self) -> str:
        return f"{self.base}/v1.0"

    @property
    def login_url(self) -> str:
        return self.base

    def server_bind(self):
        # http.server asks the resolver for the host's name here, which may take seconds offline.
        ThreadingHTTPServer.__mro__[2].server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def finish_request(self, request, client_address):
        if self.tls:
            request.settimeout(IDLE_SECONDS)
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError) as error:
                self._note(client_address, error)
                return
        try:
            self.RequestHandlerClass(request, client_address, self)
        finally:
            self.shutdown_request(request)

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        # A client that goes away in the middle is no error of the server.
        if isinstance(error, (ConnectionError, TimeoutError, ssl.SSLError)):
            self._note(client_address, error)
        else:
            super().handle_error(request, client_address)

    def _note(self, client_address, error) -> None:
        if self.verbose:
            sys.stderr.write(f"{client_address[0]}: {error}\n")

    def start(self) -> SandboxServer:
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread:
            self.shutdown()
            self._thread.join()
            self._thread = None
        self.server_close()


def serve(tenant, host="127.0.0.1", port=0, certfile=None, keyfile=None, **options):
    """A SandboxServer for a tenant (or a ready app), listening but not yet started.

    Without ``certfile`` it speaks plain HTTP, which no Microsoft client accepts. ``options`` go to
    :func:`bookings_invoicing.sandbox.app.make_app`.
    """
    app = make_app(tenant, **options) if isinstance(tenant, Tenant) else tenant
    return SandboxServer(app, host, port, certfile, keyfile)


@contextlib.contextmanager
def serving(tenant, folder=None, host="127.0.0.1", port=0, **options):
    """A started HTTPS server with certificates of its own, stopped at the end of the block.

    Certificates go to ``folder``, or to a temporary one that is removed.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
        files = make_certificates(folder, _names(host))
        server = serve(tenant, host, port, files.certificate, files.key, **options)
        stack.callback(server.stop)
        server.ca_file = str(files.ca)
        yield server.start()


def _names(host: str) -> tuple:
    return tuple(dict.fromkeys((host, "localhost", "127.0.0.1", "::1")))


def instructions(server: SandboxServer) -> str:
    """How to point a client at a server, as text."""
    return f"""Sandbox Microsoft 365 tenant
  Graph          {server.graph_url}
  Login          {server.login_url}/{TENANT_ID}
  Tenant id      {TENANT_ID}
  Client id      {CLIENT_ID}
  Client secret  {CLIENT_SECRET}
  Authority      {server.ca_file}
  Business       {server.app.tenant.business_id}

For the addon, in the environment of the Odoo server (connection with cloud "custom"):
  export BOOKINGS_GRAPH_URL={server.graph_url}
  export BOOKINGS_LOGIN_URL={server.login_url}
  export BOOKINGS_CA_BUNDLE={server.ca_file}
"""


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description="Serve the sandbox tenant over HTTPS.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--anchor", help="the tenant's today, YYYY-MM-DD (default: today)")
    parser.add_argument("--size", type=int, help="number of appointments (default: 120)")
    parser.add_argument("--currency", default="EUR")
    parser.add_argument("--folder", help="where certificates are kept (default: a temporary one)")
    parser.add_argument("--verbose", action="store_true", help="print every request")
    given = parser.parse_args(arguments)
    anchor = given.anchor or dt.datetime.now(dt.timezone.utc).date().isoformat()
    seed = int(given.seed) if given.seed.lstrip("-").isdigit() else given.seed
    tenant = Tenant(seed, anchor, given.size, given.currency)
    folder = Path(given.folder) if given.folder else None
    with serving(tenant, folder, given.host, given.port) as server:
        server.verbose = given.verbose
        sys.stdout.write(instructions(server))
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
