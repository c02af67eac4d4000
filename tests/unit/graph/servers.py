"""A scripted HTTPS server on a real socket, and a sink that must stay empty.

``ScriptedServer`` answers each endpoint with a list of actions, one an occurrence, the last one for
ever, and keeps a journal of every request. An action is a function of the connection and the
request, so it can also drip, hang or break the connection.
"""

import contextlib
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

TENANT, CLIENT, SECRET = "11111111-2222-3333-4444-555555555555", "the-client", "the-secret-value"
TOKEN = "canary-access-token"


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict
    body: bytes
    connection: int
    at: float = field(default_factory=time.monotonic)

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]


class Listener:
    """Accepts connections on 127.0.0.1 and handles each in a thread of its own."""

    def __init__(self, context=None):
        self.context = context
        self.stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._open = []

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_exception):
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self):
        while not self.stopping.is_set():
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._guarded, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _guarded(self, connection):
        with contextlib.suppress(OSError, ValueError):
            connection.settimeout(30)
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            self.handle(connection)
        with contextlib.suppress(OSError):
            connection.close()

    def handle(self, connection):
        raise NotImplementedError


class Sink(Listener):
    """Where nothing may ever arrive; it takes plain bytes, TLS or not."""

    def __init__(self):
        super().__init__()
        self.received = b""
        self.connections = 0

    def handle(self, connection):
        self.connections += 1
        while chunk := connection.recv(65536):
            self.received += chunk


class ScriptedServer(Listener):
    """Answers over TLS from ``script``; unknown paths get Graph's 404."""

    def __init__(self, context, ca_file, host="localhost"):
        super().__init__(context)
        self.ca_file = ca_file
        self.base = f"https://{host}:{self.port}"
        self.graph = f"{self.base}/v1.0"
        self.journal = []
        self._scripts = []
        self._connections = 0
        self._lock = threading.Lock()
        self.on(f"/{TENANT}/v2.0/.well-known/openid-configuration", answer(self._openid()))
        self.on(f"/{TENANT}/oauth2/v2.0/token", answer(token_answer()))

    def _openid(self):
        root = f"{self.base}/{TENANT}"
        return {
            "token_endpoint": f"{root}/oauth2/v2.0/token",
            "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
            "issuer": f"{root}/v2.0",
        }

    def on(self, part, *actions, method=None):
        """For targets that contain ``part``: these actions in turn, the last one for ever.
        Later calls win over earlier ones.
        """
        self._scripts.insert(0, (part, method, list(actions)))
        return self

    def seen(self, part):
        """Requests whose target contains ``part``, in order."""
        return [request for request in self.journal if part in request.target]

    def _action(self, request):
        with self._lock:
            self.journal.append(request)
            for part, method, actions in self._scripts:
                if part in request.target and method in (None, request.method):
                    return actions.pop(0) if len(actions) > 1 else actions[0]
        return answer(graph_error("ErrorItemNotFound"), 404)

    def handle(self, connection):
        with self._lock:
            self._connections += 1
            number = self._connections
        reader = connection.makefile("rb")
        while (request := _read_request(reader, number)) and not self.stopping.is_set():
            if self._action(request)(Wire(connection, self.stopping), request) is False:
                return


class Wire:
    """What an action writes to."""

    def __init__(self, connection, stopping):
        self.connection, self.stopping = connection, stopping

    def write(self, data):
        self.connection.sendall(data)

    def reset(self):
        """Breaks the connection with a reset instead of an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(self.connection.detach())


def _read_request(reader, connection):
    line = reader.readline(65536).decode("latin-1").split()
    if len(line) < 3:
        return None
    headers = {}
    while (row := reader.readline(65536)) not in (b"\r\n", b""):
        name, _colon, value = row.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return Seen(line[0], line[1], headers, body, connection)


def head(status, headers):
    """The first part of an answer."""
    rows = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(rows) + "\r\n\r\n").encode("latin-1")


def answer(body=b"", status=200, **headers):
    """A complete answer; ``body`` is bytes, or an object for JSON. Underscores in names become
    dashes.
    """
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {"Content-Type": "application/json", "request-id": "server-request-id"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    fields["Content-Length"] = str(len(data))

    def act(wire, _request):
        wire.write(head(status, fields) + data)

    return act


def raw(*chunks, end="close", pause=0.0):
    """Bytes as they are, then a close, a reset or silence."""

    def act(wire, _request):
        for chunk in chunks:
            wire.write(chunk)
            if pause and wire.stopping.wait(pause):
                return False
        if end == "reset":
            wire.reset()
        elif end == "hang":
            wire.stopping.wait(30)
        return False

    return act


def graph_error(code, message="Something."):
    """The body of a Graph error."""
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "inner"}}}


def token_answer(**changes):
    """The body of a successful token answer."""
    return {"token_type": "Bearer", "expires_in": 3600, "access_token": TOKEN} | changes


def oauth_error(error, number=None, text="Something."):
    """The body of a refused token request."""
    numbers = {"error_codes": [number]} if number else {}
    prefix = f"AADSTS{number}: " if number else ""
    return {"error": error, "error_description": prefix + text, **numbers}
