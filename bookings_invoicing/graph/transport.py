"""The only module that opens connections to Microsoft.

It handles all network problems: which servers to contact, how long to wait, how much to accept, and what to retry and
when. The result is a complete ``Reply`` or an error of the family in ``errors``. Code above this module never retries,
waits, or handles an exception of requests.

Sources: Graph "throttling" (Retry-After, new connection after 503) and "best practices"
(client-request-id).
"""

import logging
import random
import re
import ssl
import threading
import time
import uuid
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as urllib3_errors

from .answers import error_body
from .clouds import Cloud, origin
from .errors import GraphError, ProtocolError, SecurityError, ThrottledError, TransientError
from .wire import BadBody, DeadlineAdapter, Limits, TooLarge, read_body
from .writing import check_allowed

_logger = logging.getLogger(__name__)

_BAD_CERTIFICATE = frozenset({"SSLCertVerificationError", "CertificateError"})
RETRIED = frozenset({408, 429, 500, 502, 503, 504, 509})
LONGEST_INLINE_WAIT = 10.0
LONGEST_RETRY_AFTER = 86400.0
BACKOFF_BASE, BACKOFF_CAP = 0.5, 8.0
_TOKEN = re.compile(r"[!-~]{1,20000}")
_PLACE = re.compile(r"[^/?#]{0,12}:?/{0,3}[^/?#]{0,200}")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete response. ``headers`` is case-insensitive; ``body`` is decoded bytes."""

    status: int
    headers: requests.structures.CaseInsensitiveDict
    body: bytes
    host: str

    @property
    def request_id(self) -> str:
        return clean_header(self.headers.get("request-id") or self.headers.get("x-ms-request-id"))

    def __repr__(self):
        return f"<Reply {self.status} of {self.host}, {len(self.body)} bytes>"


def clean_header(value) -> str:
    """Return a header in a form that is safe for messages: short, printable, and in one line.

    >>> clean_header("ab\\r\\nc"), clean_header(None)
    ('abc', '')
    """
    text = str(value or "")[:100]
    if text.isprintable() and text.isascii():
        return text
    return "".join(c for c in text if c.isprintable() and c.isascii())


def retry_after(headers, now: float) -> float | None:
    """Return the seconds that the server asks to wait (fractions and dates allowed), or None.

    Dates are compared with the server's own ``Date``, so a wrong local clock does not matter.

    >>> retry_after({"Retry-After": "2.128"}, 0), retry_after({"Retry-After": "soon"}, 0)
    (2.128, None)
    >>> day = "Thu, 01 Jan 2026"
    >>> there = {"Retry-After": f"{day} 00:00:30 GMT", "Date": f"{day} 00:00:00 GMT"}
    >>> retry_after(there, 0)
    30.0
    """
    value = (headers.get("Retry-After") or "").strip()
    if _NUMBER.fullmatch(value):
        return min(float(value), LONGEST_RETRY_AFTER)
    moment = _timestamp(value)
    if moment is None:
        return None
    base = _timestamp(headers.get("Date") or "")
    return min(max(moment - (now if base is None else base), 0.0), LONGEST_RETRY_AFTER)


def _timestamp(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


class Transport:
    """Sends requests to one cloud, one at a time.

    Timeouts are in seconds. ``total_timeout`` covers one request with all its attempts and waits, ``max_bytes`` limits
    one decoded body. ``clock`` is monotonic, ``now`` the wall clock. ``requests`` and ``seconds`` count the requests and
    their time. ``session`` may have mounted adapters, as in the sandbox. Without
    ``permission`` (``writing.MAY_WRITE``), it only reads.
    """

    def __init__(
        self,
        cloud: Cloud,
        *,
        session=None,
        permission=None,
        connect_timeout=5.0,
        read_timeout=20.0,
        total_timeout=120.0,
        max_bytes=20 * 2**20,
        max_attempts=5,
        clock=time.monotonic,
        sleep=time.sleep,
        now=time.time,
        rng=random.random,
    ):
        self.cloud = cloud
        self.permission = permission
        self.requests = 0
        self.seconds = 0.0
        self._total, self._max_bytes, self._attempts = total_timeout, max_bytes, max_attempts
        self.clock, self._sleep, self._now, self._rng = clock, sleep, now, rng
        self._limits = Limits(connect_timeout, read_timeout, clock)
        self._graph, self._login = origin(cloud.graph_url), origin(cloud.login_url)
        self._one_at_a_time = threading.Lock()
        self._session = self._prepare(session or requests.Session())

    def _prepare(self, session):
        session.trust_env = False
        session.verify = self.cloud.ca_bundle or True
        session.proxies = {"https": self.cloud.proxy} if self.cloud.proxy else {}
        # otherwise, requests would read the whole body of a redirect, however long it is
        session.get_redirect_target = lambda response: None
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if type(session.adapters.get("https://")) is HTTPAdapter:
            session.mount("https://", DeadlineAdapter(self._limits))
        return session

    def close(self):
        self._session.close()

    def allows(self, url: str, *, login: bool = False) -> bool:
        """Return whether ``url`` has exactly the scheme, host, and port of the cloud's Graph (or sign-in) service."""
        place = origin(url)
        return place is not None and place == (self._login if login else self._graph)

    def require(self, url: str, *, login: bool = False) -> None:
        """Raise SecurityError unless ``allows`` the address."""
        if not self.allows(url, login=login):
            place = _PLACE.match(url) if isinstance(url, str) else None
            place = clean_header(place and place[0].rpartition("@")[2])
            _logger.warning("Refused an address outside the cloud %s: %r", self.cloud.name, place)
            raise SecurityError(code=place)

    def pause(self, attempt: int, error: TransientError) -> None:
        """Wait as long as ``error`` asks, or with exponential backoff by the number of the failed attempt.

        Raises ``error`` if that exceeds the limit for inline waits.
        """
        asked = error.retry_after or 0.0
        wait = max(asked, self._rng() * min(BACKOFF_CAP, BACKOFF_BASE * 2**attempt))
        if asked > LONGEST_INLINE_WAIT or wait >= self._limits.left():
            raise error
        self._sleep(wait)

    def send(
        self,
        method: str,
        url: str,
        *,
        token=None,
        login=False,
        headers=None,
        body=None,
        attempts=None,
    ) -> Reply:
        """Send a request and return its final response, whatever its status; 408, 429, and 5xx are retried, then raised.

        ``token`` is for Graph only; ``login=True`` addresses the sign-in service without a token. Raises SecurityError
        (foreign address, redirect, certificate, a write that is not allowed), ThrottledError, TransientError, ProtocolError
        (too large).
        """
        self.require(url, login=login)
        if not login:
            check_allowed(method, url.removeprefix(self.cloud.graph_url), body, self.permission)
        elif token is not None:
            raise SecurityError()
        request = self._request(method, url, token, headers, body)
        most = attempts or self._attempts
        with self._one_at_a_time:
            started = self.clock()
            self._limits.deadline = started + self._total
            try:
                return self._until_final(request, most)
            finally:
                self._limits.deadline = float("inf")
                self.seconds += self.clock() - started

    def _request(self, method, url, token, headers, body):
        merged = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "bookings-invoicing",
        }
        merged.update(headers or {})
        if token is not None:
            if not _TOKEN.fullmatch(token):
                raise ProtocolError(kind="sign_in_failed")
            merged["Authorization"] = f"Bearer {token}"
        request = requests.Request(method, url, headers=merged, data=body).prepare()
        request.url = url  # nextLinks are opaque, but requests would change their escapes
        return request

    def _until_final(self, request, attempts) -> Reply:
        attempt = 0
        while True:
            attempt += 1
            error = None
            try:
                reply = self._once(request)
            except TransientError as problem:
                error = problem
            else:
                if reply.status not in RETRIED:
                    return reply
                error = self._status_error(reply)
            if attempt >= attempts:
                raise error
            self.pause(attempt, error)

    def _status_error(self, reply: Reply) -> TransientError:
        kind = ThrottledError if reply.status == 429 else TransientError
        _is_graph, code = error_body(reply)
        wait = retry_after(reply.headers, self._now())
        if reply.status == 503:
            self._session.close()
        return kind(code=code, status=reply.status, request_id=reply.request_id, retry_after=wait)

    def _once(self, request) -> Reply:
        host = self._host(request.url)
        request.headers["client-request-id"] = str(uuid.uuid4())
        timeout = max(min(self._limits.read, self._limits.left()), 0.001)
        self.requests += 1
        response = None
        try:
            response = self._session.send(
                request, stream=True, timeout=timeout, allow_redirects=False
            )
            if 300 <= response.status_code < 400:
                raise SecurityError(kind="redirect", host=host, status=response.status_code)
            body = read_body(response, self._limits, self._max_bytes)
            reply = Reply(response.status_code, response.headers, body, host)
        except TooLarge:
            raise ProtocolError(kind="too_large", host=host, status=response.status_code) from None
        except (requests.RequestException, urllib3_errors.HTTPError, OSError, BadBody) as problem:
            # "from None", because the original contains the request with the token
            raise network_error(problem, host) from None
        finally:
            if response is not None:
                response.close()
        _logger.debug(
            "%s %s: %s, request id %s", request.method, host, reply.status, reply.request_id
        )
        return reply

    def _host(self, url: str) -> str:
        return origin(url)[0]


def _causes(problem):
    """Yield the exception and all exceptions that it wraps in any way."""
    seen, queue = set(), [problem]
    while queue:
        item = queue.pop()
        if isinstance(item, BaseException) and id(item) not in seen:
            seen.add(id(item))
            yield item
            queue += [item.__cause__, item.__context__, getattr(item, "reason", None), *item.args]


def network_error(problem: Exception, host: str) -> GraphError:
    """Convert an exception of requests, urllib3, ssl, or the socket to one of the family in ``errors``."""
    causes = list(_causes(problem))

    def has(*types):
        return any(isinstance(cause, types) for cause in causes)

    # urllib3 1.26 has a CertificateError of its own
    if any(type(cause).__name__ in _BAD_CERTIFICATE for cause in causes):
        return SecurityError(kind="tls_certificate", host=host)
    if has(BadBody):
        return TransientError(kind="interrupted", host=host)
    if has(requests.exceptions.ProxyError, urllib3_errors.ProxyError):
        return TransientError(kind="proxy", host=host)
    # subclasses of timeouts, but not temporary: a firewall drops the packets
    if has(urllib3_errors.NewConnectionError, urllib3_errors.ConnectTimeoutError):
        return TransientError(kind="unreachable", host=host)
    if has(TimeoutError, requests.Timeout, urllib3_errors.TimeoutError):
        return TransientError(kind="timeout", host=host)
    if has(ssl.SSLError) and not has(ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError):
        return SecurityError(kind="tls_handshake", host=host)
    if has(urllib3_errors.ProtocolError, ConnectionResetError, BrokenPipeError, ssl.SSLError):
        return TransientError(kind="interrupted", host=host)
    return TransientError(kind="unreachable", host=host)
