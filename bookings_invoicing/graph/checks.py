"""The connection test: tries each thing that an import needs, and answers with a tick or a sentence.

A step that an earlier failure makes pointless is skipped, and says so.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from .errors import GraphError
from .writing import MAY_WRITE

STEPS = ("token", "permission", "businesses", "business", "services", "customers", "calendar")
# Permissions that allow a write, from the least to the most; the first one suffices for what is written.
WRITERS = ("BookingsAppointment.ReadWrite.All", "Bookings.ReadWrite.All", "Bookings.Manage.All")


@dataclass(frozen=True, slots=True)
class Check:
    """``step`` is one of STEPS, or "writing"; ``message`` a sentence that says what was found or what to
    do; ``kind`` is "ok", "skipped", or that of the error. ``facts`` is what the sentence was made of:
    ``error`` (a GraphError), or what was found: ``permissions``, ``count``, ``malformed``,
    ``name``, ``currency``, ``because``.
    """

    step: str
    ok: bool
    message: str
    kind: str
    facts: dict = field(default_factory=dict, compare=False)


def run_checks(client, business_id: str | None = None) -> list[Check]:
    """Run all STEPS in order. Without ``business_id``, the first listed business is tried. If the client may
    write, "writing" follows "permission".
    """
    checks = [_try("token", lambda: _token(client))]
    if not checks[0].ok:
        return checks + [_skipped(step, "the sign-in failed") for step in STEPS[1:]]
    checks.append(_permission(client))
    if client.transport.permission is MAY_WRITE:
        checks.append(_writing(client))
    found: list = []
    checks.append(_try("businesses", lambda: _businesses(client, found)))
    business_id = (business_id or "").strip() or (found[0].id if found else "")
    if not business_id:
        return checks + [_skipped(step, "no business is selected") for step in STEPS[3:]]
    checks.append(_try("business", lambda: _business(client, business_id)))
    if not checks[-1].ok:
        return checks + [_skipped(step, "the business cannot be read") for step in STEPS[4:]]
    today = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
    steps = {
        "services": lambda: client.services(business_id),
        "customers": lambda: client.customers(business_id),
        "calendar": lambda: client.calendar_view(business_id, today - timedelta(days=7), today),
    }
    return checks + [
        _try(step, lambda pages=pages: _first_page(pages())) for step, pages in steps.items()
    ]


def _try(step: str, action: Callable[[], tuple[str, dict]]) -> Check:
    try:
        message, facts = action()
        return Check(step, True, message, "ok", facts)
    except GraphError as problem:
        return Check(step, False, str(problem), problem.kind, {"error": problem})


def _skipped(step: str, reason: str) -> Check:
    return Check(step, False, f"Not tried, because {reason}.", "skipped", {"because": reason})


def _token(client) -> tuple[str, dict]:
    client.tokens.token(force=True)
    return "Microsoft accepts the sign-in.", {}


def _permission(client) -> Check:
    granted = granted_permissions(client.tokens.token())
    if granted is None:
        return Check(
            "permission",
            True,
            "The granted permissions are not visible; the next steps test them.",
            "ok",
        )
    bookings = sorted(name for name in granted if name.startswith("Bookings"))
    if bookings:
        names = ", ".join(bookings)
        return Check("permission", True, f"Granted: {names}.", "ok", {"permissions": names})
    missing = GraphError(kind="consent_missing")
    return Check("permission", False, missing.sentence, missing.kind, {"error": missing})


def _writing(client) -> Check:
    granted = granted_permissions(client.tokens.token())
    if granted is None:
        return Check("writing", True, "The granted permissions are not visible.", "ok")
    names = ", ".join(name for name in WRITERS if name in granted)
    if names:
        return Check("writing", True, f"Granted: {names}.", "ok", {"permissions": names})
    missing = GraphError(kind="write_denied")
    return Check("writing", False, missing.sentence, missing.kind, {"error": missing})


def granted_permissions(token: str) -> set[str] | None:
    """Return the permissions named in a Graph token, or None if it cannot be read. A hint for users only,
    because Microsoft calls the tokens opaque.
    """
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        roles, scopes = claims.get("roles", []), claims.get("scp", "")
        return {name for name in [*roles, *scopes.split()] if isinstance(name, str)}
    except (IndexError, ValueError, AttributeError, TypeError, RecursionError):
        return None


def _businesses(client, found: list) -> tuple[str, dict]:
    found += client.businesses()
    facts = {"count": len(found)}
    if not found:
        return "Connected, but the organization has no Bookings business.", facts
    return f"{len(found)} Bookings businesses found.", facts


def _business(client, business_id: str) -> tuple[str, dict]:
    business = client.business(business_id)
    name, currency = business.name or business.id, business.currency or ""
    text = f"{name} ({currency or 'no currency'})."
    return text, {"name": name, "currency": currency}


def _first_page(pages) -> tuple[str, dict]:
    page = next(iter(pages))
    count, malformed = len(page.records) + len(page.malformed), len(page.malformed)
    unreadable = f", {malformed} of them unreadable" if malformed else ""
    text = f"Can be read: {count} on the first page{unreadable}."
    return text, {"count": count, "malformed": malformed}
