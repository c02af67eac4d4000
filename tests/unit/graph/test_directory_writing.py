"""Customers and services are written as asked, once, and nothing else of them changes."""

from decimal import Decimal

import pytest

from bookings_invoicing import graph, sandbox
from bookings_invoicing.graph.writing import MAY_WRITE

from .servers import answer, graph_error

BUSINESS = "b@example.com"
ALL = ("Bookings.ReadWrite.All",)
ADDRESS = {"street": "Vej 1", "city": "Køge", "state": "", "postal_code": "4600", "country": "DK"}
PERSON = {"name": "Ada Ny", "email": "ada@ny.example", "phone": "+45 1", "address": ADDRESS}
SERVICE = {"name": "Ny", "price": Decimal("12.35"), "duration": 75, "description": "a\nb"}


class World:
    """A sandbox tenant and the requests that reached it."""

    def __init__(self, permissions=ALL):
        self.tenant = sandbox.Tenant(seed=1, anchor="2026-11-20")
        session = sandbox.sandbox_session(self.tenant, permissions=permissions)
        self.faults = session.get_adapter(sandbox.GRAPH_URL).app.faults
        transport = graph.Transport(sandbox.SANDBOX_CLOUD, session=session, permission=MAY_WRITE)
        secret = graph.ClientSecret(sandbox.TENANT_ID, sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
        tokens = graph.token_source(transport.cloud, transport, secret)
        self.client = graph.BookingsClient(transport, tokens)

    def writer(self):
        return graph.DirectoryWriter(self.client, self.tenant.business_id)

    def customer(self, key):
        return self.tenant.mailbox().customer_json(key)

    def service(self, key):
        return self.tenant.mailbox().service_json(key, False)

    def sent(self, method):
        return [path for one, path in self.faults.journal if one == method and "login" not in path]


@pytest.fixture
def world():
    return World()


def test_what_is_created_is_read(world):
    writer = world.writer()
    customer, service = writer.create_customer(PERSON), writer.create_service(SERVICE)
    assert writer.read_customer(customer) == PERSON
    assert writer.read_service(service) == SERVICE
    assert world.service(service)["defaultPriceType"] == "fixedPrice"
    bare = writer.create_customer({"name": "Bo"}), writer.create_service({"name": "Bo"})
    empty = {"email": "", "phone": "", "address": dict.fromkeys(ADDRESS, "")}
    assert writer.read_customer(bare[0]) == {"name": "Bo"} | empty
    assert writer.read_service(bare[1])["price"] == 0
    assert world.service(bare[1])["defaultPriceType"] == "notSet"


def test_only_what_is_given_changes(world):
    writer = world.writer()
    for record in world.tenant.customers[:12]:
        key, before = record["id"], writer.read_customer(record["id"])
        for name, value in PERSON.items():
            writer.write_customer(key, {name: value})
            before[name] = value
            assert writer.read_customer(key) == before
    for record in world.tenant.services:
        key, before = record["id"], writer.read_service(record["id"])
        for name, value in SERVICE.items():
            writer.write_service(key, {name: value})
            before[name] = value
            assert writer.read_service(key) == before
        wanted = {"displayName", "defaultPrice", "defaultDuration", "description"}
        now = world.service(key)
        assert {name for name in record if record[name] != now[name]} <= wanted | {
            "lastUpdatedDateTime"
        }


def test_other_phones_and_addresses_stay(world):
    """Ours is the first that is not empty; what Microsoft keeps with each stays, too."""
    key = world.tenant.customers[0]["id"]
    phones = [
        {"number": "", "type": "home", "language": None, "region": None},
        {"number": "+45 2", "type": "business", "language": "da", "region": "DK"},
        {"number": "+45 3", "type": "pager", "language": None, "region": None},
    ]
    places = [{"street": f"Vej {number}", "city": "Ribe"} for number in (1, 2)]
    values = {"phones": phones, "addresses": places}
    world.tenant.apply({"op": "edit_customer", "customer": key, "values": values})
    before, writer = world.customer(key), world.writer()
    writer.write_customer(key, {"phone": "+45 9", "address": {"city": "Køge"}})
    after = world.customer(key)
    assert after["phones"] == [phones[0], phones[1] | {"number": "+45 9"}, phones[2]]
    assert after["addresses"] == [before["addresses"][0] | {"city": "Køge"}, before["addresses"][1]]
    writer.write_customer(key, {"phone": "", "address": dict.fromkeys(ADDRESS, "")})
    after = world.customer(key)
    assert after["phones"] == [phones[0], phones[2]]
    assert after["addresses"] == before["addresses"][1:]
    assert writer.read_customer(key)["phone"] == "+45 3"


def test_finding(world):
    """In any case and by whatever was written here; Bookings may have several of an address."""
    writer = world.writer()
    found = writer.find_customers(" FAMILIEN.nygaard@fjordmail.example")
    assert [values["name"] for _key, values in found] == ["Freja Nygaard", "Emil Nygaard"]
    assert dict(found) == {key: writer.read_customer(key) for key, _values in found}
    assert writer.find_customers("") == writer.find_customers("no@body.example") == []
    made = writer.create_customer(PERSON)
    assert writer.find_customers("ADA@ny.example") == [(made, PERSON)]
    writer.write_customer(made, {"email": "new@ny.example"})
    assert writer.find_customers(PERSON["email"]) == []
    assert writer.find_customers("new@ny.example") == [(made, writer.read_customer(made))]
    service = writer.create_service(SERVICE)
    assert writer.find_services(" ny ") == [(service, SERVICE)]
    assert len(writer.find_services("sports massage")) == 1
    lists = [
        path for path in world.sent("GET") if path.rpartition("/")[2] in ("customers", "services")
    ]
    assert len(lists) == 2, "each list is read once"


def test_without_an_answer_the_list_is_read_again(world):
    """The connection breaks after Bookings has created the customer."""
    writer, answered = world.writer(), []
    assert writer.find_customers(PERSON["email"]) == []
    app = world.client.transport._session.get_adapter(sandbox.GRAPH_URL).app
    app.faults.add({"match": "customers", "method": "POST", "truncate": 5})
    with pytest.raises(graph.TransientError):
        writer.create_customer(PERSON)
    answered += writer.find_customers(PERSON["email"])
    assert [values for _key, values in answered] == [PERSON]
    assert len([path for path in world.sent("POST") if path.endswith("customers")]) == 1


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "ErrorAccessDenied", "write_denied"),
        (400, "ErrorInvalidRequest", "write_refused"),
        (500, "", "write_refused"),
        (500, "ErrorInternalServerError", "unavailable"),
        (429, "TooManyRequests", "throttled"),
        (404, "ErrorItemNotFound", "not_found"),
    ],
)
def test_a_refused_write_says_why_and_is_sent_once(server, make_client, status, code, kind):
    for method in ("POST", "PATCH"):
        server.on(BUSINESS, answer(graph_error(code), status), method=method)
    writer = graph.DirectoryWriter(make_client(permission=MAY_WRITE), BUSINESS)
    denied = "services_write_denied" if kind == "write_denied" else kind
    for told, write in (
        (kind, lambda: writer.create_customer({"name": "x"})),
        (kind, lambda: writer.write_customer("c", {"name": "x"})),
        (denied, lambda: writer.create_service({"name": "x"})),
        (denied, lambda: writer.write_service("s", {"name": "x"})),
    ):
        with pytest.raises(graph.GraphError) as caught:
            write()
        assert caught.value.kind == told
    assert len(server.seen(BUSINESS)) == 4


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id": ""}', b'{"displayName": "x"}', b"<html>"])
def test_an_answer_without_an_id(server, make_client, body):
    """It was created, so that nothing is sent again."""
    server.on(BUSINESS, answer(body, 201), method="POST")
    writer = graph.DirectoryWriter(make_client(permission=MAY_WRITE), BUSINESS)
    with pytest.raises(graph.ProtocolError):
        writer.create_customer({"name": "x"})
    assert len(server.seen(BUSINESS)) == 1


def test_which_permission_is_missing():
    world = World(("BookingsAppointment.ReadWrite.All",))
    writer = world.writer()
    writer.create_customer(PERSON)
    with pytest.raises(graph.AccessDenied) as caught:
        writer.create_service(SERVICE)
    assert "Bookings.ReadWrite.All" in str(caught.value)


@pytest.mark.parametrize("wrong", ["", "a/b\n", None])
def test_no_id_no_request(world, wrong):
    with pytest.raises(ValueError):
        world.writer().write_customer(wrong, {"name": "x"})
    assert world.faults.journal == []


def test_another_record_than_asked_for(server, make_client):
    server.on(f"{BUSINESS}/customers/c", answer({"id": "d", "displayName": "x"}))
    writer = graph.DirectoryWriter(make_client(permission=MAY_WRITE), BUSINESS)
    for ask in (writer.read_customer, lambda key: writer.write_customer(key, {"phone": "1"})):
        with pytest.raises(graph.ProtocolError):
            ask("c")
    assert {one.method for one in server.seen(BUSINESS)} == {"GET"}
