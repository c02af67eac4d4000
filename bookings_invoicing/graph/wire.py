"""Two limits that requests lacks: a deadline for a whole exchange, and a maximum size for a decompressed body.

The read timeout of requests restarts with each byte, so a slow server is never cut off, and its decoder may expand one
small chunk to gigabytes. Both are limited below the session, where all bytes pass.
"""

import http.client
import io
import time
import zlib
from collections.abc import Callable, Iterator

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.util import Timeout

CHUNK = 64 * 1024


class Limits:
    """The time limits of the current exchange in seconds, shared by the transport and its sockets."""

    def __init__(self, connect: float, read: float, clock: Callable[[], float] = time.monotonic):
        self.connect, self.read, self.clock = connect, read, clock
        self.deadline = float("inf")

    def left(self) -> float:
        return self.deadline - self.clock()


class _PatientReader(io.RawIOBase):
    """Reads from a socket, and gives each receive only the time that is left for the exchange."""

    def __init__(self, raw: io.RawIOBase, sock, limits: Limits):
        self._raw, self._sock, self._limits = raw, sock, limits

    def readable(self):
        return True

    def readinto(self, buffer):
        left = self._limits.left()
        if left <= 0:
            raise TimeoutError("the exchange took too long")
        self._sock.settimeout(min(self._limits.read, left))
        return self._raw.readinto(buffer)

    def close(self):
        self._raw.close()
        super().close()


def _pool_class(limits: Limits) -> type[HTTPSConnectionPool]:
    class Response(http.client.HTTPResponse):
        def __init__(self, sock, *args, **kwargs):
            super().__init__(sock, *args, **kwargs)
            self.fp = io.BufferedReader(_PatientReader(self.fp.detach(), sock, limits), CHUNK)

    class Connection(HTTPSConnection):
        response_class = Response

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


class DeadlineAdapter(HTTPAdapter):
    """An adapter with HTTPS only, one connection per host, no retries of its own, and ``limits``.

    The timeout in ``Session.send`` remains a number, because other code compares it with numbers. It is split into
    connect and read timeouts here.
    """

    def __init__(self, limits: Limits):
        self._limits = limits
        super().__init__(max_retries=0, pool_connections=4, pool_maxsize=1)

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _pool_class(self._limits)}

    def proxy_manager_for(self, proxy, **proxy_kwargs):
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = {"https": _pool_class(self._limits)}
        return manager

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        read = timeout if isinstance(timeout, int | float) else self._limits.read
        timeout = Timeout(connect=min(self._limits.connect, read), read=read)
        return super().send(request, stream, timeout, verify, cert, proxies)


class TooLarge(Exception):
    """The decompressed body has more bytes than allowed."""


class BadBody(Exception):
    """The body is truncated, or not compressed as its headers state."""


def read_body(response, limits: Limits, max_bytes: int) -> bytes:
    """Return the decoded body of a streamed ``requests.Response`` with at most ``max_bytes``.

    Raises TooLarge, BadBody, TimeoutError, and exceptions of requests and urllib3.
    """
    headers = response.headers
    length = headers.get("Content-Length", "")
    if "Transfer-Encoding" in headers or not (length.isascii() and length.isdigit()):
        length = ""
    decode = _decoder(headers.get("Content-Encoding", ""), max_bytes)
    parts, size, received = [], 0, 0
    for chunk in _raw_chunks(response.raw):
        if limits.left() <= 0:
            raise TimeoutError("the exchange took too long")
        received += len(chunk)
        part = decode(chunk, max_bytes - size)
        size += len(part)
        if size > max_bytes:
            raise TooLarge
        parts.append(part)
    if length and received < int(length):
        raise BadBody
    parts.append(decode(b"", max_bytes - size))
    return b"".join(parts)


def _raw_chunks(raw) -> Iterator[bytes]:
    """Yield undecoded chunks of a urllib3 response, or of a file from a mounted adapter."""
    stream = getattr(raw, "stream", None)
    if stream is not None:
        yield from stream(CHUNK, decode_content=False)
        return
    while chunk := raw.read(CHUNK):
        yield chunk


def _decoder(encoding: str, max_bytes: int) -> Callable[[bytes, int], bytes]:
    """Return a function ``(chunk, room) -> bytes`` that returns at most room + 1 bytes. An empty chunk ends the body."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return lambda chunk, room: chunk
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise BadBody
    unpacker = zlib.decompressobj(wbits=47)
    started = False

    def unpack(chunk: bytes, room: int) -> bytes:
        nonlocal unpacker, started
        if not chunk:
            if started and not unpacker.eof:
                raise BadBody
            return b""
        started, out = True, b""
        try:
            while chunk and len(out) <= room:
                if unpacker.eof:
                    unpacker = zlib.decompressobj(wbits=47)
                out += unpacker.decompress(chunk, room - len(out) + 1)
                chunk = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        except zlib.error:
            raise BadBody from None
        return out

    return unpack
