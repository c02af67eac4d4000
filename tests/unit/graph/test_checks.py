"""The connection test: each step a tick or a sentence that says what to do."""

import base64
import json

import pytest

from bookings_invoicing.graph import MAY_WRITE, SENTENCES, STEPS

from . import payloads
from .servers import answer, graph_error, oauth_error, token_answer

ENDPOINT = "/oauth2/v2.0/token"
BUSINESS = "b@example.com"


def jwt(**claims):
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{part}.{part}.signature"


@pytest.fixture
def tenant(server):
    """A scripted server where everything works."""
    server.on(ENDPOINT, answer(token_answer(access_token=jwt(roles=["Bookings.Read.All"]))))
    server.on("/solutions/bookingBusinesses", answer(payloads.page({"id": BUSINESS})))
    server.on(f"bookingBusinesses/{BUSINESS}", answer(payloads.business(id=BUSINESS)))
    server.on("/services", answer(payloads.page(payloads.service())))
    server.on("/customers", answer(payloads.page(payloads.customer(), {"id": 5})))
    server.on("/calendarView", answer(payloads.page()))
    return server


def result(checks):
    return {check.step: check for check in checks}


@pytest.mark.parametrize("business_id", [None, "", BUSINESS])
def test_all_well(tenant, client, business_id):
    """Every step is named once, in order."""
    checks = client.check(business_id)
    assert tuple(check.step for check in checks) == STEPS
    assert all(check.ok and check.kind == "ok" for check in checks)
    found = result(checks)
    assert "Bookings.Read.All" in found["permission"].message
    assert "The Example" in found["business"].message
    assert "1 of them are unreadable" in found["customers"].message


@pytest.mark.parametrize(
    ("number", "kind"), [(7000215, "secret_id_instead_of_value"), (7000222, "secret_expired")]
)
def test_sign_in_fails(tenant, client, number, kind):
    """The first step says why; the others say that they were not tried, and nothing is sent."""
    tenant.on(ENDPOINT, answer(oauth_error("invalid_client", number), 401))
    first, *others = client.check()
    assert (first.ok, first.kind) == (False, kind)
    assert SENTENCES[kind] in first.message
    assert {check.kind for check in others} == {"skipped"}
    assert tenant.seen("/v1.0") == []


@pytest.mark.parametrize(
    ("token", "ok"),
    [
        (jwt(roles=["Bookings.Read.All"]), True),
        (jwt(scp="openid Bookings.Read.All"), True),
        (jwt(roles=["User.Read.All"]), False),
        (jwt(), False),
        ("opaque", True),
        ("a.b.c", True),
        (jwt(roles=5), True),
        (jwt(roles=[5, "Bookings.Manage.All"]), True),
    ],
)
def test_permission(tenant, client, token, ok):
    """Read off the token where that can be read; a hint, so the next steps are tried anyway."""
    tenant.on(ENDPOINT, answer(token_answer(access_token=token)))
    found = result(client.check())
    assert found["permission"].ok == ok
    assert found["permission"].kind == ("ok" if ok else "consent_missing")
    assert found["calendar"].ok


@pytest.mark.parametrize(
    ("roles", "ok"),
    [
        (["Bookings.Read.All"], False),
        (["Bookings.Read.All", "BookingsAppointment.ReadWrite.All"], True),
        (["Bookings.ReadWrite.All"], True),
    ],
)
def test_writing(tenant, make_client, roles, ok):
    """Only where the client may write; read off the token like the rest."""
    tenant.on(ENDPOINT, answer(token_answer(access_token=jwt(roles=roles))))
    assert "writing" not in result(make_client().check())
    found = result(make_client(permission=MAY_WRITE).check())
    assert (found["writing"].ok, found["calendar"].ok) == (ok, True)
    assert roles[-1] in found["writing"].message if ok else True
    assert found["writing"].kind == ("ok" if ok else "write_denied")
    assert "service_writing" not in found
    found = result(make_client(permission=MAY_WRITE).check(services=True))["service_writing"]
    assert found.kind == ("ok" if roles == ["Bookings.ReadWrite.All"] else "services_write_denied")


@pytest.mark.parametrize(
    ("part", "step", "status", "code", "kind"),
    [
        ("/customers", "customers", 403, "ErrorAccessDenied", "access_denied"),
        ("/services", "services", 500, "", "unavailable"),
        ("/calendarView", "calendar", 404, "ErrorFolderNotFound", "mailbox_role_missing"),
        (
            "bookingBusinesses?", "businesses", 400, "ErrorExceededFindCountLimit",
            "too_many_businesses",
        ),
    ],
)  # fmt: skip
def test_one_step_fails(tenant, client, part, step, status, code, kind):
    """The others are tried nevertheless."""
    if step == "businesses":
        tenant.on("/solutions/bookingBusinesses", answer(graph_error(code), status))
        tenant.on(f"bookingBusinesses/{BUSINESS}", answer(payloads.business()))
        for place in ("/services", "/customers", "/calendarView"):
            tenant.on(place, answer(payloads.page()))
    else:
        tenant.on(part, answer(graph_error(code), status))
    found = result(client.check(BUSINESS))
    assert {name for name, check in found.items() if not check.ok} == {step}
    assert found[step].kind == kind
    assert SENTENCES[kind] in found[step].message


def test_unknown_business(tenant, client):
    tenant.on("/nobody@", answer(graph_error("ErrorNonExistentMailbox"), 404))
    found = result(client.check("nobody@example.com"))
    assert found["business"].kind == "business_not_found"
    assert {found[step].kind for step in ("services", "customers", "calendar")} == {"skipped"}
    assert found["businesses"].ok


def test_no_business_at_all(tenant, client):
    """Connected, and told that there is nothing to choose."""
    tenant.on("/solutions/bookingBusinesses", answer(payloads.page()))
    found = result(client.check())
    assert found["businesses"].ok and found["businesses"].facts == {"count": 0}
    assert {found[step].kind for step in STEPS[3:]} == {"skipped"}


def test_no_network(server, make_client):
    client = make_client(base="https://localhost:1")
    first, *others = client.check()
    assert first.kind == "unreachable"
    assert "localhost" in first.message
    assert {check.kind for check in others} == {"skipped"}
