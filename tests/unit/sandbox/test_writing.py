"""POST and PATCH as Graph documents them: who may, what is taken, what is answered."""

import json

import pytest

from bookings_invoicing import sandbox

from .conftest import NOON, Asker, sign_in

WRITE, ALL = "BookingsAppointment.ReadWrite.All", "Bookings.ReadWrite.All"
TYPE = "@odata.type"
GUEST = {TYPE: "#microsoft.graph.bookingCustomerInformation", "customerId": "unknown"}
PERSON = {TYPE: "#microsoft.graph.bookingCustomer", "displayName": "Ny"}


def send(asker, method, content, what="appointments", key=""):
    """``key``: None stands for the first record, "" for the collection."""
    if key is None:
        key = getattr(asker.tenant, what)[0]["id"]
    body = content if isinstance(content, str) else json.dumps(content)
    headers = {"Authorization": f"Bearer {asker.token}", "Content-Type": "application/json"}
    path = asker.path(what, key) if key else asker.path(what)
    return asker.session.request(method, path, headers=headers, data=body)


@pytest.mark.parametrize(
    "content",
    [
        {"serviceNotes": "x"},
        {"serviceNotes": None},
        {TYPE: "#microsoft.graph.bookingAppointment", "serviceNotes": ""},
    ],
)
def test_notes_taken(tenant, content):
    """204 without a body, and there from then on."""
    asker, key = Asker(tenant, permissions=[WRITE]), tenant.appointments[0]["id"]
    answer = send(asker, "PATCH", content, key=key)
    assert (answer.status_code, answer.content) == (204, b"")
    assert asker.get(asker.path("appointments", key))["serviceNotes"] == content["serviceNotes"]


@pytest.mark.parametrize("permission", [WRITE, ALL, "Bookings.Manage.All"])
def test_customers_taken(tenant, permission):
    """201 and 200 with the record."""
    asker = Asker(tenant, permissions=[permission])
    made = send(asker, "POST", PERSON | {"emailAddress": "ny@kunde.example"}, "customers")
    assert made.status_code == 201
    assert made.json()["@odata.context"].endswith("/customers/$entity")
    key = made.json()["id"]
    changed = send(asker, "PATCH", PERSON | {"phones": [{"number": "1"}]}, "customers", key)
    assert changed.status_code == 200
    assert changed.json()["phones"][0]["number"] == "1"
    record = asker.get(asker.path("customers", key))
    assert record == changed.json()
    assert record["emailAddress"] == "ny@kunde.example"
    assert len(asker.all(asker.path("customers"))) == 41


def test_services_taken(tenant):
    """201 with the record, 204 without a body."""
    asker = Asker(tenant, permissions=[ALL])
    made = send(asker, "POST", {"displayName": "Ny", "defaultPrice": 5.5}, "services")
    assert (made.status_code, made.json()["defaultPrice"]) == (201, 5.5)
    key = made.json()["id"]
    changed = send(asker, "PATCH", {"defaultDuration": "PT20M"}, "services", key)
    assert (changed.status_code, changed.content) == (204, b"")
    assert asker.get(asker.path("services", key))["defaultDuration"] == "PT20M"


@pytest.mark.parametrize(
    ("permission", "method", "what", "key", "content", "status", "code"),
    [
        ("Bookings.Read.All", "PATCH", "appointments", None, {"serviceNotes": "x"}, 403, "denied"),
        (WRITE, "PATCH", "appointments", "AAMkunknown=", {"serviceNotes": "x"}, 404, "NotFound"),
        (WRITE, "PATCH", "appointments", None, {"serviceNotes": 5}, 400, "Bad"),
        (WRITE, "PATCH", "appointments", None, {"price": 5}, 400, "Bad"),
        (WRITE, "PATCH", "appointments", None, {"startDateTime": "noon"}, 400, "Bad"),
        (WRITE, "PATCH", "appointments", None, {"customers": [{"customerId": "x"}]}, 400, "Bad"),
        (WRITE, "PATCH", "appointments", None, "no JSON", 400, "Bad"),
        (WRITE, "DELETE", "appointments", None, {}, 405, "Bad"),
        ("Bookings.Read.All", "POST", "customers", "", PERSON, 403, "denied"),
        ("Bookings.Read.All", "PATCH", "customers", None, PERSON, 403, "denied"),
        (WRITE, "POST", "customers", "", {"displayName": "Ny"}, 400, "Bad"),
        (WRITE, "POST", "customers", "", PERSON | {"vat": "1"}, 400, "Bad"),
        (WRITE, "POST", "customers", "", PERSON | {"displayName": 1}, 400, "Bad"),
        (WRITE, "POST", "customers", "", PERSON | {"displayName": " "}, 500, ""),
        (WRITE, "PATCH", "customers", None, PERSON | {"emailAddress": "nobody"}, 500, ""),
        (WRITE, "PATCH", "customers", None, PERSON | {"phones": [{"type": "fax"}]}, 400, "Bad"),
        (WRITE, "PATCH", "customers", None, PERSON | {"addresses": [{"city": 1}]}, 400, "Bad"),
        (WRITE, "PATCH", "customers", "unknown", PERSON, 404, "NotFound"),
        (WRITE, "DELETE", "customers", None, {}, 405, "Bad"),
        (WRITE, "POST", "services", "", {"displayName": "Ny"}, 403, "denied"),
        (WRITE, "PATCH", "services", None, {"displayName": "Ny"}, 403, "denied"),
        (ALL, "POST", "services", "", {"defaultPrice": 1}, 500, ""),
        (ALL, "PATCH", "services", None, {"defaultPrice": -1}, 500, ""),
        (ALL, "PATCH", "services", None, {"defaultPriceType": "gratis"}, 400, "Bad"),
        (ALL, "PATCH", "services", None, {"serviceNotes": "x"}, 400, "Bad"),
        (ALL, "PATCH", "services", None, {TYPE: "#microsoft.graph.bookingCustomer"}, 400, "Bad"),
        (ALL, "POST", "staffMembers", "", {}, 405, "Bad"),
    ],
)
def test_refused(tenant, permission, method, what, key, content, status, code):
    """Nothing changes. What Bookings itself does not accept is a 500 without a code."""
    asker = Asker(tenant, permissions=[permission])
    before = tenant.appointments, tenant.customers, tenant.services
    answer = send(asker, method, content, what, key)
    assert answer.status_code == status
    told = answer.json()["error"]["code"]
    assert code.lower() in told.lower() if code else told == ""
    assert (tenant.appointments, tenant.customers, tenant.services) == before
    assert tenant.changes == []


def test_customers_of_an_appointment_are_replaced(tenant):
    """All of them, without what is not sent, and without one that does not exist."""
    asker = Asker(tenant, permissions=[WRITE])
    group = next(one for one in tenant.appointments if one["filledAttendeesCount"] > 2)
    first = group["customers"][0]["customerId"]
    guests = [GUEST | {"customerId": first}, GUEST]
    assert send(asker, "PATCH", {"customers": guests}, key=group["id"]).status_code == 204
    after = asker.get(asker.path("appointments", group["id"]))
    assert [who["customerId"] for who in after["customers"]] == [first]
    assert [after["customers"][0][name] for name in ("name", "emailAddress", "phone")] == [""] * 3
    assert after["customers"][0]["customQuestionAnswers"] == []
    single = next(one for one in tenant.appointments if one["maximumAttendeesCount"] == 1)
    answer = send(asker, "PATCH", {"customers": [GUEST]}, key=single["id"])
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "")
    again = sandbox.Tenant(seed=1, anchor="2026-11-20", changes=tenant.changes)
    assert again.appointments == tenant.appointments


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2026-11-24T09:00:00Z", "2026-11-24T09:45:00Z", 204),
        ("2026-11-24T09:00:00Z", "2026-11-24T09:50:00Z", 500),  # another duration
        ("2026-11-24T05:00:00Z", "2026-11-24T05:45:00Z", 500),  # closed
        ("2026-11-22T09:00:00Z", "2026-11-22T09:45:00Z", 500),  # Sunday
        ("2026-11-20T14:00:00Z", "2026-11-20T14:45:00Z", 500),  # too short notice
        ("2026-11-24T09:45:00Z", "2026-11-24T09:00:00Z", 500),
    ],
)
def test_an_application_obeys_the_rules_of_the_business(tenant, start, end, status):
    """Where a signed-in user may do what staff may."""
    asker = Asker(tenant, permissions=[WRITE], clock=NOON.timestamp)
    service = next(one for one in tenant.services if one["defaultDuration"] == "PT45M")
    visit = next(one for one in tenant.appointments if one["serviceId"] == service["id"])
    content = {
        name: {"dateTime": moment, "timeZone": "UTC"}
        for name, moment in (("startDateTime", start), ("endDateTime", end))
    }
    assert send(asker, "PATCH", content, key=visit["id"]).status_code == status
    asker.token = sign_in(asker.session, scope=WRITE)["access_token"]
    told = send(asker, "PATCH", content, key=visit["id"]).status_code
    assert told == (204 if start < end else 500)


def test_another_mailbox(tenant):
    asker = Asker(tenant, permissions=[ALL])
    url = asker.path("customers", business="who@nowhere.example")
    headers = {"Authorization": f"Bearer {asker.token}"}
    answer = asker.session.post(url, headers=headers, json=PERSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ErrorNonExistentMailbox")


def test_what_is_written_is_kept():
    """Another process builds the same tenant from it."""
    kept = []
    tenant = sandbox.Tenant(seed=1, anchor="2026-11-20", keep=kept.append)
    asker = Asker(tenant, permissions=[ALL])
    for number in range(3):
        made = send(asker, "POST", PERSON | {"displayName": f"Ny {number}"}, "customers").json()
        send(asker, "PATCH", PERSON | {"emailAddress": "a@b.example"}, "customers", made["id"])
        send(asker, "POST", {"displayName": f"Ny {number}"}, "services")
    again = sandbox.Tenant(seed=1, anchor="2026-11-20", changes=json.loads(json.dumps(kept)))
    assert len(kept) == 9
    assert (again.customers, again.services) == (tenant.customers, tenant.services)
    assert len({one["id"] for one in again.customers}) == 43
