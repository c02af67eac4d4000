"""One family of errors. The type determines how to handle an error, and the text explains it to users.

>>> error = AuthError(kind="secret_expired", code="AADSTS7000222")
>>> error.needs_admin, error.transient, error.kind
(True, False, 'secret_expired')
>>> print(ThrottledError(status=429, code="TooManyRequests").sentence)
Microsoft Graph is throttling requests. Odoo will retry automatically.
"""

from .sentences import say


class GraphError(Exception):
    """Base class. ``kind`` is our stable key, ``code`` is Microsoft's, ``request_id`` is for Microsoft's support, and
    ``retry_after`` is in seconds or None. ``sentence`` is that of the kind, unless a ``message`` is given.
    """

    kind = "graph_error"
    retry_after: float | None = None
    needs_admin = False
    skip_record = False
    transient = False
    security = False

    def __init__(
        self, message="", *, kind="", code="", request_id="", status=None, retry_after=None, host=""
    ):
        self.kind = kind or self.kind
        self.code, self.request_id, self.status, self.host = code, request_id, status, host
        if retry_after is not None:
            self.retry_after = retry_after
        self.has_own_words = bool(message)
        self.sentence = message or say(self.kind, host)
        super().__init__(self.sentence)

    def __str__(self):
        status = f"HTTP {self.status}" if self.status else ""
        request = f"request id {self.request_id}" if self.request_id else ""
        facts = ", ".join(fact for fact in (self.code, status, request) if fact)
        return f"{self.sentence} ({facts})" if facts else self.sentence


class TransientError(GraphError):
    """A temporary failure to retry automatically, after ``retry_after`` seconds at the earliest."""

    kind = "unavailable"
    transient = True


class ThrottledError(TransientError):
    """HTTP 429 that lasted longer than the inline wait."""

    kind = "throttled"


class AuthError(GraphError):
    """The sign-in failed for a reason that a user must resolve."""

    kind = "token_refused"
    needs_admin = True


class AccessDenied(GraphError):
    """The sign-in lacks consent, a license, or a role in the calendar."""

    kind = "access_denied"
    needs_admin = True


class ConfigurationError(GraphError):
    """A setting is missing or invalid."""

    kind = "configuration"
    needs_admin = True


class NotFound(GraphError):
    """HTTP 404 or 410 from Graph itself, not from a proxy."""

    kind = "not_found"


class RangeTooLarge(GraphError):
    """The period of a calendarView is too long and must be split."""

    kind = "range_too_large"


class SecurityError(GraphError):
    """A response tried to direct the client to another server. Nothing was sent there."""

    kind = "foreign_link"
    security = True


class ProtocolError(GraphError):
    """A response that does not match Graph's documentation."""

    kind = "wrong_shape"


class RecordError(GraphError):
    """One record is unreadable, while others are not. ``field`` is the JSON name of the property."""

    kind = "unreadable_record"
    skip_record = True

    def __init__(self, field="", problem="", **details):
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}" if field else problem, **details)

    def within(self, outer: str) -> "RecordError":
        """Return the same error for the record that contains this one in property ``outer``."""
        return RecordError(f"{outer}.{self.field}" if self.field else outer, self.problem)
