"""The connection test: tries each thing that an import needs, and answers with a tick or a sentence.

A step that an earlier failure makes pointless is skipped, and says so.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from .errors import GraphError
from .sentences import CHECKS
from .writing import MAY_WRITE

STEPS = ("token", "permission", "businesses", "business", "services", "customers", "calendar")
# Permissions that allow a write; the first one suffices.
WRITERS = ("BookingsAppointment.ReadWrite.All", "Bookings.ReadWrite.All", "Bookings.Manage.All")
SERVICE_WRITERS = WRITERS[1:]


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a step.

    ``step`` is one of STEPS, "writing", or "service_writing". ``kind`` is "ok", "skipped", or the kind of the error.
    ``facts`` holds the ``error`` (a GraphError), or what was found: ``permissions``, ``count``, ``malformed``, ``name``,
    ``currency``.
    """

    step: str
    ok: bool
    kind: str
    facts: dict = field(default_factory=dict, compare=False)

    @property
    def message(self) -> str:
        """The result as an English sentence, with the remedy of an error."""
        return self.say()

    def say(self, translate: Callable[[str], str] = str) -> str:
        """Return the result as a sentence. ``translate`` converts the English templates, but not the text of an error."""
        facts = self.facts
        if "error" in facts:
            return str(facts["error"])
        if self.kind == "skipped":
            return translate(CHECKS["skipped"])
        if self.step == "token":
            return translate(CHECKS["token"])
        if self.step in ("permission", "writing", "service_writing"):
            permissions = facts.get("permissions")
            return (
                translate(CHECKS["granted"]) % permissions
                if permissions
                else translate(CHECKS["hidden"])
            )
        if self.step == "businesses":
            count = facts["count"]
            return (
                translate(CHECKS["businesses"]) % count
                if count
                else translate(CHECKS["no_business"])
            )
        if self.step == "business":
            return f"{facts['name']} ({facts['currency'] or translate(CHECKS['no_currency'])})"
        text = translate(CHECKS["first_page"]) % facts["count"]
        if facts["malformed"]:
            text += " " + translate(CHECKS["unreadable"]) % facts["malformed"]
        return text


def run_checks(client, business_id: str | None = None, services: bool = False) -> list[Check]:
    """Run all STEPS in order. Without ``business_id``, the first listed business is tried. If the client may
    write, "writing" follows "permission", and "service_writing" if it writes ``services``.
    """
    checks = [_try("token", lambda: _token(client))]
    if not checks[0].ok:
        return checks + [_skipped(step) for step in STEPS[1:]]
    checks.append(_permission(client))
    if client.transport.permission is MAY_WRITE:
        checks += _writing(client, services)
    found: list = []
    checks.append(_try("businesses", lambda: _businesses(client, found)))
    business_id = (business_id or "").strip() or (found[0].id if found else "")
    if not business_id:
        return checks + [_skipped(step) for step in STEPS[3:]]
    checks.append(_try("business", lambda: _business(client, business_id)))
    if not checks[-1].ok:
        return checks + [_skipped(step) for step in STEPS[4:]]
    today = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
    steps = {
        "services": lambda: client.services(business_id),
        "customers": lambda: client.customers(business_id),
        "calendar": lambda: client.calendar_view(business_id, today - timedelta(days=7), today),
    }
    return checks + [
        _try(step, lambda pages=pages: _first_page(pages())) for step, pages in steps.items()
    ]


def _try(step: str, action: Callable[[], dict]) -> Check:
    try:
        return Check(step, True, "ok", action())
    except GraphError as problem:
        return Check(step, False, problem.kind, {"error": problem})


def _skipped(step: str) -> Check:
    return Check(step, False, "skipped")


def _token(client) -> dict:
    client.tokens.token(force=True)
    return {}


def _permission(client) -> Check:
    return _granted(
        client, "permission", lambda name: name.startswith("Bookings"), "consent_missing"
    )


def _writing(client, services: bool) -> list[Check]:
    steps = [("writing", WRITERS, "write_denied")]
    if services:
        steps.append(("service_writing", SERVICE_WRITERS, "services_write_denied"))
    return [_granted(client, step, names.__contains__, lacking) for step, names, lacking in steps]


def _granted(client, step: str, counts: Callable[[str], bool], lacking: str) -> Check:
    """Return the permissions that count, or the error of this kind if the token has none of them."""
    granted = granted_permissions(client.tokens.token())
    if granted is None:
        return Check(step, True, "ok")
    if names := sorted(filter(counts, granted)):
        return Check(step, True, "ok", {"permissions": ", ".join(names)})
    return Check(step, False, lacking, {"error": GraphError(kind=lacking)})


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


def _businesses(client, found: list) -> dict:
    found += client.businesses()
    return {"count": len(found)}


def _business(client, business_id: str) -> dict:
    business = client.business(business_id)
    return {"name": business.name or business.id, "currency": business.currency or ""}


def _first_page(pages) -> dict:
    page = next(iter(pages))
    malformed = len(page.malformed)
    return {"count": len(page.records) + malformed, "malformed": malformed}
