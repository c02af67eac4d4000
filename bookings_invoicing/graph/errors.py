"""One family of errors: what to do about each is on its type, what to tell a person is its text.

>>> error = AuthError(kind="secret_expired", code="AADSTS7000222")
>>> error.needs_admin, error.transient, error.kind
(True, False, 'secret_expired')
>>> print(ThrottledError(status=429, code="TooManyRequests").sentence)
Microsoft Graph is throttling requests. Odoo will retry automatically.
"""

from .sentences import say


class GraphError(Exception):
    """Base. ``kind`` is stable, ``code`` is Microsoft's, ``request_id`` helps their support,
    ``retry_after`` is in seconds or None. ``sentence`` is that of the kind, or the ``message`` given.
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
    """Worth another try later, by itself; ``retry_after`` says when at the earliest."""

    kind = "unavailable"
    transient = True


class ThrottledError(TransientError):
    """HTTP 429 that outlasted the inline wait."""

    kind = "throttled"


class AuthError(GraphError):
    """Signing in failed for a reason that only a person can mend."""

    kind = "token_refused"
    needs_admin = True


class AccessDenied(GraphError):
    """Signed in, but not allowed to: consent, license or a role in the calendar is missing."""

    kind = "access_denied"
    needs_admin = True


class ConfigurationError(GraphError):
    """A setting is missing or contradicts itself."""

    kind = "configuration"
    needs_admin = True


class NotFound(GraphError):
    """HTTP 404 or 410 in Graph's own words."""

    kind = "not_found"


class RangeTooLarge(GraphError):
    """The period of a calendarView must be cut in two."""

    kind = "range_too_large"


class SecurityError(GraphError):
    """Something tried to lead the client elsewhere; nothing was sent there."""

    kind = "foreign_link"
    security = True


class ProtocolError(GraphError):
    """An answer that is not what Graph documents."""

    kind = "wrong_shape"


class RecordError(GraphError):
    """One record cannot be read; its siblings can. ``field`` is its JSON name."""

    kind = "unreadable_record"
    skip_record = True

    def __init__(self, field="", problem="", **details):
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}" if field else problem, **details)

    def within(self, outer: str) -> "RecordError":
        """The same, told of the record that holds this one below ``outer``."""
        return RecordError(f"{outer}.{self.field}" if self.field else outer, self.problem)
