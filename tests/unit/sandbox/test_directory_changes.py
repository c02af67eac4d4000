"""Customers and services that are written, as Graph writes them."""

import json

from bookings_invoicing.sandbox import Tenant

from .conftest import ANCHOR, LATER, Asker, differences, read


def bad_directory_changes(tenant):
    """(change, word in the error): what a tenant refuses."""
    service, customer = tenant.services[0]["id"], tenant.customers[0]["id"]
    yield from (
        ({"op": "new_customer", "values": []}, "JSON object"),
        ({"op": "new_customer", "values": {"emailAddress": "a@b.example"}}, "displayName"),
        ({"op": "new_customer", "values": {"displayName": "x"}, "customer": "y"}, "next customer"),
        ({"op": "new_customer", "values": {"displayName": "x"}, "at": "noon"}, "at"),
        ({"op": "edit_customer", "customer": "nobody", "values": {}}, "no customer"),
        ({"op": "edit_customer", "customer": customer, "values": {"id": "x"}}, "'id'"),
        ({"op": "edit_customer", "customer": customer, "values": {"displayName": ""}}, "has a"),
        ({"op": "edit_customer", "customer": customer, "values": {"phones": {}}}, "collection"),
        ({"op": "new_service", "values": {"defaultPrice": 5}}, "displayName"),
        ({"op": "edit_service", "service": service, "values": {"defaultPrice": -1}}, "price"),
        ({"op": "edit_service", "service": service, "values": {"defaultPrice": "1"}}, "Double"),
        ({"op": "edit_service", "service": service, "values": {"defaultDuration": "1h"}}, "Dur"),
        ({"op": "edit_service", "service": service, "values": {"defaultDuration": "PT0S"}}, "min"),
    )


def test_customers_that_are_written(tenant, first):
    """Collections replace what is there, the other properties stay; also on appointments. The same tenant elsewhere."""
    values = {"displayName": "Ny Kunde", "emailAddress": "ny@kunde.example"}
    made = tenant.apply({"op": "new_customer", "values": values})["customer"]
    asker = Asker(tenant)
    record = asker.get(asker.path("customers", made))
    assert (record["displayName"], record["emailAddress"]) == ("Ny Kunde", "ny@kunde.example")
    assert (record["phones"], record["addresses"]) == ([], [])
    assert asker.all(asker.path("customers"))[-1]["id"] == made
    who = first["customers"][0]["customerId"]
    before = asker.get(asker.path("customers", who))
    phones = [{"number": "+45 1", "type": "home"}, {"number": "+45 2"}]
    where = {"street": "Ny Vej 1", "type": "home"}
    values = {"phones": phones, "addresses": [where]}
    tenant.apply({"op": "edit_customer", "customer": who, "values": values})
    after = asker.get(asker.path("customers", who))
    assert differences(before, after) == {"phones", "addresses"}
    assert [(one["number"], one["type"]) for one in after["phones"]] == [
        ("+45 1", "home"),
        ("+45 2", None),
    ]
    assert after["addresses"][0]["street"] == "Ny Vej 1"
    assert {value for key, value in after["addresses"][0].items() if key != "street"} == {""}
    guest = read(tenant, first)["customers"][0]
    assert (guest["phone"], guest["location"]["address"]["street"]) == ("+45 1", "Ny Vej 1")
    tenant.apply({"op": "rename", "customer": who, "name": "Omdøbt"})
    assert asker.get(asker.path("customers", who))["displayName"] == "Omdøbt"
    again = Tenant(1, ANCHOR, changes=json.loads(json.dumps(tenant.changes)))
    assert again.customers == tenant.customers


def test_services_that_are_written(tenant, first):
    values = {
        "displayName": "Ny ydelse",
        "defaultPrice": 12.35,
        "defaultPriceType": "fixedPrice",
        "defaultDuration": "PT1H15M",
        "description": "Kort",
    }
    made = tenant.apply({"op": "new_service", "values": values})["service"]
    asker = Asker(tenant)
    record = asker.get(asker.path("services", made))
    assert {name: record[name] for name in values} == values
    booked = tenant.apply({"op": "create", "service": made, "start": LATER})["appointment"]
    visit = asker.get(asker.path("appointments", booked))
    assert (visit["price"], visit["duration"], visit["serviceName"]) == (
        12.35,
        "PT1H15M",
        "Ny ydelse",
    )
    service = first["serviceId"]
    tenant.apply({"op": "edit_service", "service": service, "values": {"defaultPrice": 9}})
    assert asker.get(asker.path("services", service))["defaultPrice"] == 9
    assert differences(first, read(tenant, first)) == set()
    again = Tenant(1, ANCHOR, changes=json.loads(json.dumps(tenant.changes)))
    assert again.services == tenant.services
