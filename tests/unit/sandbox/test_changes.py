"""Each operation does what it says, and nothing else; what cannot be done changes nothing."""

import json
from pathlib import Path

import pytest

from bookings_invoicing.sandbox import OPERATIONS, ChangeError, Tenant
from bookings_invoicing.sandbox.ids import parse_moment

from .conftest import ANCHOR, LATER, Asker, differences, read, whole_window
from .test_determinism import DIGEST, digest
from .test_directory_changes import bad_directory_changes


@pytest.fixture
def group(tenant):
    """A group appointment with places left."""
    return next(
        record
        for record in tenant.appointments
        if record["maximumAttendeesCount"] > record["filledAttendeesCount"] > 1
    )


def test_move(tenant, first):
    given = {"op": "move", "appointment": first["id"], "start": LATER, "minutes": 95}
    assert tenant.apply(given) == given
    after = read(tenant, first)
    assert after["startDateTime"]["dateTime"] == "2026-11-27T09:30:00.0000000Z"
    assert after["endDateTime"]["dateTime"] == "2026-11-27T11:05:00.0000000Z"
    assert after["duration"] == "PT1H35M"
    assert differences(first, after) == {"startDateTime", "endDateTime", "duration"}
    assert after["lastUpdatedDateTime"] > first["lastUpdatedDateTime"]


def test_a_moved_appointment_leaves_its_old_window(tenant, first):
    asker = Asker(tenant)
    start = parse_moment(first["startDateTime"]["dateTime"])
    old = asker.calendar(start, parse_moment(first["endDateTime"]["dateTime"]))
    assert first["id"] in [record["id"] for record in asker.all(old)]
    tenant.apply({"op": "move", "appointment": first["id"], "start": LATER})
    assert first["id"] not in [record["id"] for record in asker.all(old)]
    new = asker.path("calendarView?start=2026-11-27T09:31:00Z&end=2026-11-27T09:32:00Z")
    assert first["id"] in [record["id"] for record in asker.all(new)]


@pytest.mark.parametrize("operation", ["cancel", "delete"])
def test_cancel_delete_and_restore(tenant, first, operation):
    """Gone from every list and 404 by id; back as it was."""
    asker = Asker(tenant)
    tenant.apply({"op": operation, "appointment": first["id"]})
    assert asker.error(asker.path("appointments", first["id"]), 404) == "ErrorItemNotFound"
    listed = asker.all(asker.path("appointments"))
    viewed = asker.all(asker.calendar(*whole_window(tenant)))
    for records in (listed, viewed):
        assert len(records) == 119
        assert first["id"] not in [record["id"] for record in records]
    assert tenant.gone() == {first["id"]: operation}
    assert first["id"] not in [row["appointment"] for row in tenant.expected_bookings()]
    tenant.apply({"op": "restore", "appointment": first["id"]})
    assert differences(first, read(tenant, first)) == set()
    assert tenant.gone() == {}


def test_reprice(tenant, first):
    tenant.apply(
        {"op": "reprice", "appointment": first["id"], "price": "12.34", "price_type": "startingAt"}
    )
    after = read(tenant, first)
    assert (after["price"], after["priceType"]) == (12.34, "startingAt")
    assert differences(first, after) == {"price", "priceType"}


def test_label_and_reassign(tenant, first):
    staff = [record["id"] for record in tenant.staff][:2]
    tenant.apply({"op": "label", "appointment": first["id"], "label": "No show"})
    tenant.apply({"op": "reassign", "appointment": first["id"], "staff": staff})
    after = read(tenant, first)
    assert (after["appointmentLabel"], after["staffMemberIds"]) == ("No show", staff)
    assert differences(first, after) <= {"appointmentLabel", "staffMemberIds"}
    tenant.apply({"op": "label", "appointment": first["id"], "label": None})
    assert read(tenant, first)["appointmentLabel"] is None


def test_join_and_leave(tenant, group):
    customers = [record["id"] for record in tenant.customers]
    present = [who["customerId"] for who in group["customers"]]
    newcomer = next(key for key in customers if key not in present)
    tenant.apply({"op": "join", "appointment": group["id"], "customer": newcomer})
    after = read(tenant, group)
    assert [who["customerId"] for who in after["customers"]] == [*present, newcomer]
    assert after["filledAttendeesCount"] == len(present) + 1
    tenant.apply({"op": "leave", "appointment": group["id"], "customer": present[0]})
    after = read(tenant, group)
    assert [who["customerId"] for who in after["customers"]] == [*present[1:], newcomer]


def test_join_of_somebody_unknown(tenant, group):
    """Gets a customerId that is not in /customers, the same one each time."""
    who = {"name": "Ny Gæst", "email": "ny@besked.example"}
    tenant.apply({"op": "join", "appointment": group["id"], **who})
    added = read(tenant, group)["customers"][-1]
    assert (added["name"], added["emailAddress"]) == ("Ny Gæst", "ny@besked.example")
    assert added["customerId"] not in {record["id"] for record in tenant.customers}
    again = Tenant(1, ANCHOR, changes=tenant.changes)
    assert read(again, group)["customers"][-1] == added


def test_a_full_appointment_takes_nobody(tenant, first):
    customer = tenant.customers[0]["id"]
    with pytest.raises(ChangeError, match="is full"):
        tenant.apply({"op": "join", "appointment": first["id"], "customer": customer})


def test_whom_only_top_level_fields_name_takes_a_place(tenant):
    alone = next(r for r in tenant.appointments if not r["customers"] and r["customerName"])
    assert alone["filledAttendeesCount"] == alone["maximumAttendeesCount"] == 1
    with pytest.raises(ChangeError, match="is full"):
        tenant.apply({"op": "join", "appointment": alone["id"], "name": "Second"})


def test_a_place_that_was_left_can_be_taken(tenant, first):
    """Everybody leaves: nobody is told any more; somebody else may come."""
    key = first["customers"][0]["customerId"]
    tenant.apply({"op": "leave", "appointment": first["id"], "customer": key})
    after = read(tenant, first)
    assert after["customers"] == [] and after["filledAttendeesCount"] == 0
    assert after["customerName"] is None and after["customerEmailAddress"] is None
    tenant.apply({"op": "join", "appointment": first["id"], "name": "Second"})
    assert read(tenant, first)["customerName"] == "Second"


def test_rename_and_customer_email_show_on_appointments(tenant, first):
    """Also on appointments whose JSON was made before the change."""
    asker = Asker(tenant)
    asker.all(asker.path("appointments"))
    customer = first["customers"][0]["customerId"]
    tenant.apply({"op": "rename", "customer": customer, "name": "Other Name"})
    tenant.apply({"op": "customer_email", "customer": customer, "email": "Other@mail.example"})
    record = asker.get(asker.path("customers", customer))
    assert (record["displayName"], record["emailAddress"]) == ("Other Name", "Other@mail.example")
    met = 0
    for record in asker.all(asker.path("appointments")):
        for who in record["customers"]:
            if who["customerId"] == customer:
                assert (who["name"], who["emailAddress"]) == ("Other Name", "Other@mail.example")
                met += 1
    assert met
    tenant.apply({"op": "customer_email", "customer": customer, "email": None})
    assert asker.get(asker.path("customers", customer))["emailAddress"] is None


def test_rename_service_and_staff(tenant, first):
    service, member = tenant.services[0]["id"], tenant.staff[0]["id"]
    tenant.apply({"op": "rename", "service": service, "name": "Renamed"})
    tenant.apply({"op": "rename", "staff": member, "name": "Someone"})
    assert tenant.services[0]["displayName"] == "Renamed"
    assert tenant.staff[0]["displayName"] == "Someone"
    assert differences(first, read(tenant, first)) == set(), "appointments keep the name they had"
    made = tenant.apply({"op": "create", "service": service, "start": LATER})
    assert read(tenant, {"id": made["appointment"]})["serviceName"] == "Renamed"


def test_service_price(tenant):
    """New appointments cost the new price; those made before keep theirs."""
    service = next(s for s in tenant.services if s["defaultPriceType"] == "fixedPrice")
    before = {r["id"]: r["price"] for r in tenant.appointments}
    tenant.apply({"op": "service_price", "service": service["id"], "price": "99.99"})
    assert {r["id"]: r["price"] for r in tenant.appointments} == before
    asker = Asker(tenant)
    assert asker.get(asker.path("services", service["id"]))["defaultPrice"] == 99.99
    made = tenant.apply({"op": "create", "service": service["id"], "start": LATER})
    assert read(tenant, {"id": made["appointment"]})["price"] == 99.99


def test_create(tenant):
    service = next(s for s in tenant.services if s["maximumAttendeesCount"] > 1)
    customer = tenant.customers[3]["id"]
    made = tenant.apply(
        {
            "op": "create",
            "service": service["id"],
            "start": "2026-11-27T10:30:00+01:00",
            "minutes": 45,
            "price": "50.00",
            "price_type": "hourly",
            "attendees": [customer, {"name": "New", "email": "new@besked.example"}],
            "staff": [tenant.staff[1]["id"]],
            "label": "VIP",
        }
    )
    assert json.loads(json.dumps(made)) == made
    record = read(tenant, {"id": made["appointment"]})
    assert record["startDateTime"]["dateTime"] == "2026-11-27T09:30:00.0000000Z"
    assert record["duration"] == "PT45M" and record["appointmentLabel"] == "VIP"
    assert (record["price"], record["priceType"]) == (50.0, "hourly")
    assert record["customers"][0]["customerId"] == customer
    assert record["customers"][1]["emailAddress"] == "new@besked.example"
    assert len(tenant.appointments) == 121
    other = tenant.apply({"op": "create", "service": service["id"], "start": LATER})
    assert other["appointment"] != made["appointment"]
    tenant.apply({"op": "cancel", "appointment": made["appointment"]})
    assert len(tenant.appointments) == 121


def test_create_with_an_id(tenant):
    service = tenant.services[0]["id"]
    change = {"op": "create", "service": service, "start": LATER, "appointment": "AAMkOwn="}
    tenant.apply(change)
    assert read(tenant, {"id": "AAMkOwn="})["customers"] == []
    with pytest.raises(ChangeError, match="already"):
        tenant.apply(change)


def test_delete_customer_and_service(tenant, first):
    """Deleted ones are 404, appointments still speak of them."""
    customer, service = first["customers"][0]["customerId"], first["serviceId"]
    tenant.apply({"op": "delete_customer", "customer": customer})
    tenant.apply({"op": "delete_service", "service": service})
    asker = Asker(tenant)
    for kind, key in (("customers", customer), ("services", service)):
        assert asker.error(asker.path(kind, key), 404) == "ErrorItemNotFound"
        assert key not in [record["id"] for record in asker.all(asker.path(kind))]
    assert differences(first, read(tenant, first)) == set()
    with pytest.raises(ChangeError):
        tenant.apply({"op": "delete_customer", "customer": customer})


def test_corrupt(tenant, first):
    """The one way to malformed answers; in lists too, and its siblings stay as they are."""
    asker = Asker(tenant)
    before = asker.all(asker.path("appointments"))
    tenant.apply(
        {"op": "corrupt", "record": first["id"], "set": {"price": "abc"}, "unset": ["serviceId"]}
    )
    customer = tenant.customers[0]["id"]
    tenant.apply({"op": "corrupt", "record": customer, "set": {"displayName": 5}})
    after = asker.all(asker.path("appointments"))
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [record["id"] for record in changed] == [first["id"]]
    assert changed[0]["price"] == "abc" and "serviceId" not in changed[0]
    assert read(tenant, first)["price"] == "abc"
    assert asker.get(asker.path("customers", customer))["displayName"] == 5


def test_the_other_business(tenant):
    box = tenant.mailboxes[1]
    record = next(tenant.iter_appointments(box.id))
    tenant.apply({"op": "cancel", "appointment": record["id"], "business": box.id.upper()})
    assert len(list(tenant.iter_appointments(box.id))) == 17
    assert len(tenant.appointments) == 120
    with pytest.raises(ChangeError, match="no appointment"):
        tenant.apply({"op": "restore", "appointment": record["id"]})


def test_the_moment_of_a_change(tenant, first):
    at = "2026-11-20T13:37:00Z"
    tenant.apply({"op": "label", "appointment": first["id"], "label": "VIP", "at": at})
    assert read(tenant, first)["lastUpdatedDateTime"] == at


def bad_changes(tenant):
    """(change, word in the error): what a tenant refuses."""
    key, service = tenant.appointments[0]["id"], tenant.services[0]["id"]
    customer = tenant.customers[0]["id"]
    create = {"op": "create", "service": service, "start": LATER}
    yield from (
        (None, "dict"),
        ({}, "unknown op"),
        ({"op": "explode"}, "unknown op"),
        ({"op": "cancel"}, "needs appointment"),
        ({"op": "cancel", "appointment": key, "why": "x"}, "does not know why"),
        ({"op": "cancel", "appointment": "AAMkNot="}, "no appointment"),
        ({"op": "cancel", "appointment": key.swapcase()}, "no appointment"),
        ({"op": "cancel", "appointment": 5}, "no appointment"),
        ({"op": "cancel", "appointment": key, "business": "x@y.example"}, "no business"),
        ({"op": "cancel", "appointment": key, "at": "noon"}, "at"),
        ({"op": "restore", "appointment": key}, "not gone"),
        ({"op": "move", "appointment": key, "start": "2026-11-27T09:30:00"}, "offset"),
        ({"op": "move", "appointment": key, "start": 7}, "a time is a text"),
        ({"op": "move", "appointment": key, "start": LATER, "minutes": 0}, "minutes"),
        ({"op": "move", "appointment": key, "start": LATER, "minutes": True}, "minutes"),
        ({"op": "reprice", "appointment": key}, "needs price"),
        ({"op": "reprice", "appointment": key, "price": "-1"}, "not a price"),
        ({"op": "reprice", "appointment": key, "price": "NaN"}, "not a price"),
        ({"op": "reprice", "appointment": key, "price": "many"}, "not a price"),
        ({"op": "reprice", "appointment": key, "price_type": "gratis"}, "price_type"),
        ({"op": "rename", "name": "x"}, "exactly one"),
        ({"op": "rename", "name": "x", "customer": customer, "service": service}, "exactly one"),
        ({"op": "rename", "name": None, "customer": customer}, "name is a text"),
        ({"op": "rename", "name": "x", "customer": "nobody"}, "no customer"),
        ({"op": "join", "appointment": key}, "needs a customer"),
        ({"op": "join", "appointment": key, "name": 5}, "name is a text"),
        ({"op": "leave", "appointment": key, "customer": "nobody"}, "is not on"),
        ({"op": "label", "appointment": key, "label": 5}, "label is a text"),
        ({"op": "reassign", "appointment": key, "staff": ["nobody"]}, "staff"),
        ({"op": "reassign", "appointment": key, "staff": "x"}, "staff"),
        ({"op": "service_price", "service": service}, "needs price"),
        ({"op": "service_price", "service": "x", "price": 1}, "no service"),
        ({"op": "customer_email", "customer": customer, "email": 1}, "email is a text"),
        ({**create, "attendees": [customer] * 2}, "at most 1"),
        ({**create, "attendees": [["x"]]}, "an attendee is"),
        ({**create, "appointment": ""}, "1 to 255"),
        ({**create, "service": "x"}, "no service"),
        ({**create, "start": object()}, "JSON"),
        ({"op": "corrupt", "record": key, "set": []}, "set is a dict"),
        ({"op": "attendees", "appointment": key, "attendees": {}}, "a list"),
        ({"op": "attendees", "appointment": key, "attendees": [{"name": "x"}]}, "no customer"),
    )


def test_what_cannot_be_done_changes_nothing(tenant):
    for change, words in (*bad_changes(tenant), *bad_directory_changes(tenant)):
        with pytest.raises(ChangeError, match=words):
            tenant.apply(change)
        assert tenant.changes == [] and tenant.version == 0
    assert digest(tenant) == DIGEST


def test_a_gone_appointment_takes_no_change_but_restore(tenant, first):
    tenant.apply({"op": "cancel", "appointment": first["id"]})
    for change in (
        {"op": "cancel"},
        {"op": "move", "start": LATER},
        {"op": "label", "label": "x"},
        {"op": "leave", "customer": first["customers"][0]["customerId"]},
    ):
        with pytest.raises(ChangeError, match="gone"):
            tenant.apply({**change, "appointment": first["id"]})


def test_notes(tenant, first):
    tenant.apply({"op": "notes", "appointment": first["id"], "notes": "Room 2"})
    after = read(tenant, first)
    assert after["serviceNotes"] == "Room 2"
    assert differences(first, after) == {"serviceNotes"}
    with pytest.raises(ChangeError):
        tenant.apply({"op": "notes", "appointment": first["id"], "notes": 5})


def test_the_constructor_names_the_change_that_fails(tenant):
    good = {"op": "cancel", "appointment": tenant.appointments[0]["id"]}
    with pytest.raises(ChangeError, match="change 1: cancel"):
        Tenant(1, ANCHOR, changes=[good, good])


def test_every_operation_is_tried():
    """A new operation needs a test, here or beside it."""
    here = Path(__file__)
    files = here, here.with_name("test_directory_changes.py")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert [name for name in OPERATIONS if f'"{name}"' not in text] == []


def test_two_tenants_share_no_changes(tenant, first):
    """What is cached of unchanged appointments is shared; what was changed is not."""
    other = Tenant(1, ANCHOR)
    tenant.apply({"op": "reprice", "appointment": first["id"], "price": 1})
    asker, unchanged = Asker(tenant), Asker(other)
    mine = {r["id"]: r["price"] for r in asker.all(asker.path("appointments"))}
    theirs = {r["id"]: r["price"] for r in unchanged.all(unchanged.path("appointments"))}
    assert mine[first["id"]] == 1 and theirs[first["id"]] == first["price"]
