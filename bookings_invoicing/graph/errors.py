"""One family of errors: what to do about each is on its type, what to tell a person is its text.

>>> error = AuthError(kind="secret_expired", code="AADSTS7000222")
>>> error.needs_admin, error.transient, error.kind
(True, False, 'secret_expired')
>>> print(ThrottledError(status=429, code="TooManyRequests").sentence)
Microsoft Graph asks to wait before the next request. It is tried again later by itself.
"""

# kind -> sentence. Callers translate by kind; every sentence says what to do next.
SENTENCES = {
    "graph_error": "Microsoft Graph refused the request.",
    "bad_request": "Microsoft Graph refused the request as invalid. If this stays, report "
    "the request id to support.",
    "range_too_large": "Microsoft Graph cannot answer for so long a period at once.",
    "throttled": "Microsoft Graph asks to wait before the next request. It is tried "
    "again later by itself.",
    "unavailable": "Microsoft's service did not answer properly. It is tried again later "
    "by itself.",
    "unreachable": "The server cannot reach {host}. Check its network, name resolution and "
    "firewall. Behind a proxy, set BOOKINGS_HTTPS_PROXY in the server's configuration.",
    "proxy": "The server cannot reach {host} through its proxy. Check BOOKINGS_HTTPS_PROXY in the "
    "server's configuration, and that the proxy lets {host} pass.",
    "timeout": "{host} did not answer in time. It is tried again later by itself.",
    "interrupted": "The connection to {host} broke in the middle of an answer. It is tried "
    "again later by itself.",
    "tls_certificate": "The certificate of {host} is not trusted, so nothing was sent. Check "
    "the server's clock and certificate authorities. Where a proxy inspects connections, "
    "set BOOKINGS_CA_BUNDLE in the server's configuration.",
    "tls_handshake": "No secure connection to {host} could be agreed on. Check whether a "
    "proxy intercepts it.",
    "redirect": "{host} tried to redirect the request elsewhere; it was not followed. "
    "Check for a proxy or sign-in page in the network.",
    "foreign_link": "An answer pointed to an address outside the configured cloud; nothing "
    "was sent there.",
    "not_json": "{host} answered with something other than Graph data. Check for a "
    "proxy or sign-in page in the network.",
    "wrong_shape": "Microsoft Graph answered in an unexpected form.",
    "too_large": "An answer of {host} was larger than allowed and was dropped.",
    "paging_loop": "The list never ended: Microsoft Graph kept referring to pages already read.",
    "token_refused": "Microsoft Graph does not accept the sign-in. Test the connection again "
    "or sign in anew.",
    "access_denied": "Microsoft Graph denies access. Grant the permission Bookings.Read.All "
    "to the app registration and have an administrator consent to it.",
    "mailbox_role_missing": "The signed-in user or app has no role in this Bookings calendar. Add "
    "it there as administrator, scheduler, team member or viewer.",
    "business_not_found": "This Bookings business does not exist. Choose another one from the "
    "list or check its address.",
    "too_many_businesses": "The organisation has too many Bookings businesses to list. Enter part "
    "of the name, or the address of the business.",
    "not_found": "Microsoft Graph does not know this record (any more).",
    "secret_id_instead_of_value": "The client secret is wrong. Copy the “Value” of the secret "
    "from the Entra admin center; the “Secret ID” does not work.",
    "secret_expired": "The client secret has expired. Create a new one in the Entra admin "
    "center and enter its value here.",
    "credential_refused": "Microsoft refuses the app's credential. Check client id, secret or "
    "certificate.",
    "certificate_unknown": "Microsoft does not know this certificate. Upload its public part to "
    "the app registration.",
    "app_not_found": "No app with this client id exists in this tenant. Check client id and "
    "tenant id.",
    "app_disabled": "The app registration is disabled in the tenant. An administrator must "
    "enable it.",
    "tenant_not_found": "The tenant does not exist in this cloud. Check the tenant id and the "
    "chosen cloud.",
    "resource_not_found": "Bookings is not available to this tenant in the chosen cloud. Check "
    "licence and cloud.",
    "consent_missing": "The app has no consent yet. An administrator must grant "
    "Bookings.Read.All in the Entra admin center (API permissions > Grant "
    "admin consent).",
    "sign_in_again": "The sign-in is no longer valid. Sign in with Microsoft again.",
    "sign_in_blocked": "The organisation's rules (conditional access, multi-factor) block this "
    "sign-in. Ask the Microsoft 365 administrator.",
    "sign_in_refused": "The sign-in was cancelled or not allowed.",
    "sign_in_failed": "The sign-in with Microsoft did not succeed.",
    "sign_in_state": "This sign-in does not belong to the one that was started, or it was "
    "used already. Start again.",
    "sign_in_tenant": "You signed in with an account of another organisation. Use an account "
    "of the configured tenant.",
    "redirect_uri": "The redirect address is not registered. Add it under Authentication in "
    "the app registration.",
    "certificate_missing": "The text holds no certificate. Paste the PEM of both the private key "
    "and the certificate.",
    "key_missing": "The text holds no private key. Paste the PEM of both the private key "
    "and the certificate.",
    "key_unreadable": "The private key cannot be read. Check the PEM text and the passphrase.",
    "key_mismatch": "The private key does not belong to the certificate.",
    "certificate_expired": "The certificate has expired. Upload a new one.",
    "china_not_supported": "Microsoft Bookings does not exist in the China cloud (21Vianet), so it "
    "cannot be connected.",
    "unreadable_record": "The record could not be read.",
}


class GraphError(Exception):
    """Base. ``kind`` is stable, ``code`` is Microsoft's, ``request_id`` helps their support,
    ``retry_after`` is in seconds or None.
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
        self.sentence = message or SENTENCES.get(self.kind, SENTENCES["graph_error"]).format(
            host=host or "Microsoft"
        )
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
    """Signed in, but not allowed to: consent, licence or a role in the calendar is missing."""

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
