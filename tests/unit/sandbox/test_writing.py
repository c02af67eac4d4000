"""PATCH of an appointment as Graph documents it: who may, what is taken, what is answered."""

import json

import pytest

from .conftest import Asker

WRITE = "BookingsAppointment.ReadWrite.All"


def patch(asker, content, method="PATCH", what="appointments", key=None):
    key = key or asker.tenant.appointments[0]["id"]
    body = content if isinstance(content, str) else json.dumps(content)
    headers = {"Authorization": f"Bearer {asker.token}", "Content-Type": "application/json"}
    return asker.session.request(method, asker.path(what, key), headers=headers, data=body)


@pytest.mark.parametrize(
    "content",
    [
        {"serviceNotes": "x"},
        {"serviceNotes": None},
        {"@odata.type": "#microsoft.graph.bookingAppointment", "serviceNotes": ""},
    ],
)
def test_taken(tenant, content):
    """204 without a body, and there from then on."""
    asker, key = Asker(tenant, permissions=[WRITE]), tenant.appointments[0]["id"]
    answer = patch(asker, content, key=key)
    assert (answer.status_code, answer.content) == (204, b"")
    assert asker.get(asker.path("appointments", key))["serviceNotes"] == content["serviceNotes"]


@pytest.mark.parametrize(
    ("permission", "method", "what", "key", "content", "status"),
    [
        ("Bookings.Read.All", "PATCH", "appointments", None, {"serviceNotes": "x"}, 403),
        (WRITE, "PATCH", "appointments", "AAMkunknown=", {"serviceNotes": "x"}, 404),
        (WRITE, "PATCH", "appointments", None, {"serviceNotes": 5}, 400),
        (WRITE, "PATCH", "appointments", None, {"serviceNotes": "x", "customers": []}, 400),
        (WRITE, "PATCH", "appointments", None, "no JSON", 400),
        (WRITE, "PATCH", "services", None, {"serviceNotes": "x"}, 405),
        (WRITE, "DELETE", "appointments", None, {}, 405),
    ],
)
def test_refused(tenant, permission, method, what, key, content, status):
    """Nothing changes."""
    before = tenant.appointments
    answer = patch(Asker(tenant, permissions=[permission]), content, method, what, key)
    assert answer.status_code == status
    assert answer.json()["error"]["code"]
    assert tenant.appointments == before
