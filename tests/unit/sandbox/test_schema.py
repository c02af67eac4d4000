"""Every kind of answer is valid by the official Graph v1.0 schema.

The schema file is not part of this repository. ``BOOKINGS_GRAPH_SCHEMA`` is the path of
``bookings-v1.0.openapi.yaml``; without it a folder ``shared/graph`` beside the repository is tried.
"""

import functools
import json
import os
import random
import re
from decimal import Decimal
from pathlib import Path

import pytest

from bookings_invoicing import graph, sandbox
from bookings_invoicing.sandbox import Tenant, random_change

from .conftest import ANCHOR, Asker, whole_window

REPOSITORY = Path(__file__).resolve().parents[3]
SCHEMA = Path(
    os.environ.get("BOOKINGS_GRAPH_SCHEMA")
    or REPOSITORY.parent / "shared" / "graph" / "bookings-v1.0.openapi.yaml"
)
pytestmark = pytest.mark.skipif(
    not SCHEMA.exists(),
    reason=f"the official schema is not at {SCHEMA}; set BOOKINGS_GRAPH_SCHEMA to its path",
)


@functools.cache
def document():
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(SCHEMA.read_text(encoding="utf-8"), loader)


def strict(schema):
    """OpenAPI 3.0 as JSON Schema 2020-12: what ``nullable`` means is said by the type."""
    if isinstance(schema, list):
        return [strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: strict(value) for key, value in schema.items()}
    if schema.pop("nullable", False):
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
        if "type" in schema:
            schema["type"] = [schema["type"], "null"]
    if schema.get("format") in ("double", "int32"):
        del schema["format"]
    return schema


@functools.cache
def validator(name):
    import jsonschema

    components = strict(document()["components"])
    schema = {"$ref": f"#/components/schemas/microsoft.graph.{name}", "components": components}
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


@functools.cache
def known_properties(name):
    """All property names of a schema, inherited ones included."""
    schema = document()["components"]["schemas"][f"microsoft.graph.{name}"]
    names, parts = set(), [schema]
    while parts:
        part = parts.pop()
        if "$ref" in part:
            parts.append(document()["components"]["schemas"][part["$ref"].rpartition("/")[2]])
        names.update(part.get("properties", {}))
        parts.extend(part.get("allOf", []))
    return names


def check(name, record):
    errors = [f"{list(e.path)}: {e.message}" for e in validator(name).iter_errors(record)]
    assert not errors, f"{name}: {errors[:5]}"


def check_names(name, record):
    """No property that v1.0 does not have (annotations apart), none of its names left out."""
    given = {key for key in record if not key.startswith("@odata.")}
    known = {key for key in known_properties(name) if not key.startswith("@odata.")}
    assert given <= known, f"{name}: {given - known}"
    links = {*KINDS, "calendarView"} if name == "bookingBusiness" else set()
    absent = known - given - links
    assert not absent, f"{name}: without {absent}"


KINDS = {
    "services": "bookingService",
    "staffMembers": "bookingStaffMember",
    "customers": "bookingCustomer",
    "customQuestions": "bookingCustomQuestion",
    "appointments": "bookingAppointment",
}
COLLECTIONS = {
    "services": "bookingServiceCollectionResponse",
    "staffMembers": "bookingStaffMemberBaseCollectionResponse",
    "customers": "bookingCustomerBaseCollectionResponse",
    "customQuestions": "bookingCustomQuestionCollectionResponse",
    "appointments": "bookingAppointmentCollectionResponse",
}


def tenants():
    yield Tenant(1, ANCHOR)
    rng = random.Random(5)
    edited = Tenant(3, ANCHOR, currency="JPY")
    for _ in range(100):
        edited.apply(random_change(edited, rng))
    yield edited


@pytest.fixture(params=[0, 1], ids=["as generated", "after 100 changes"])
def asker(request):
    return Asker(list(tenants())[request.param], page_size=37)


@pytest.mark.parametrize("kind", KINDS)
def test_lists_and_items(asker, kind):
    """Every page, every record in it, and every record by id; both businesses."""
    for box in asker.tenant.mailboxes:
        for page in asker.pages(asker.path(kind, business=box.id)):
            check(COLLECTIONS[kind], page)
            for record in page["value"]:
                check(KINDS[kind], record)
                check_names(KINDS[kind], record)
                full = asker.get(asker.path(kind, record["id"], business=box.id))
                check(KINDS[kind], full)
                check_names(KINDS[kind], full)
                for who in full.get("customers", []) if kind == "appointments" else []:
                    check("bookingCustomerInformation", who)
                    check_names("bookingCustomerInformation", who)
                    for answer in who["customQuestionAnswers"]:
                        check("bookingQuestionAnswer", answer)


def test_calendar_views(asker):
    for page in asker.pages(asker.calendar(*whole_window(asker.tenant))):
        check("bookingAppointmentCollectionResponse", page)


def test_businesses(asker):
    page = asker.get(f"{sandbox.GRAPH_URL}/solutions/bookingBusinesses")
    check("bookingBusinessCollectionResponse", page)
    for record in page["value"]:
        full = asker.get(asker.path(business=record["id"]).rstrip("/"))
        check("bookingBusiness", full)
        check_names("bookingBusiness", full)


def test_errors(asker):
    for url, status in (
        (asker.path("appointments", "x"), 404),
        (asker.path("calendarView"), 400),
        (asker.path("nonsense"), 400),
        (f"{sandbox.GRAPH_URL}/solutions/bookingCurrencies", 403),
    ):
        check("ODataErrors.ODataError", asker.get(url, status))


PERSON = {"@odata.type": "#microsoft.graph.bookingCustomer", "displayName": "Ny"}
SERVICE = {"displayName": "Ny", "defaultPrice": 5, "defaultDuration": "PT45M"}


@pytest.mark.parametrize("kind, content", [("customers", PERSON), ("services", SERVICE)])
def test_what_is_written(tenant, kind, content):
    """The answer, and the record as read afterwards."""
    asker = Asker(tenant, permissions=["Bookings.ReadWrite.All"])
    headers = {"Authorization": f"Bearer {asker.token}"}
    made = asker.session.post(asker.path(kind), headers=headers, json=content).json()
    if kind == "customers":
        content = content | {"phones": [{"number": "1"}], "addresses": [{"city": "Køge"}]}
    url = asker.path(kind, made["id"])
    answer = asker.session.patch(url, headers=headers, json=content)
    assert answer.status_code in (200, 204)
    for record in (made, asker.get(url)):
        check(KINDS[kind], record)
        check_names(KINDS[kind], record)
    for page in asker.pages(asker.path(kind)):
        check(COLLECTIONS[kind], page)


def test_what_our_client_sends():
    """It is valid by the schema of the request, and the operation is one that Graph has."""
    sent = []
    session = sandbox.sandbox_session(Tenant(1, ANCHOR), permissions=["Bookings.ReadWrite.All"])
    transport = graph.Transport(sandbox.SANDBOX_CLOUD, session=session, permission=graph.MAY_WRITE)
    kept = session.send

    def send(request, **options):
        if request.method != "GET" and "/v1.0/" in request.url:
            sent.append((request.method, request.url, json.loads(request.body)))
        return kept(request, **options)

    session.send = send
    secret = graph.ClientSecret(sandbox.TENANT_ID, sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
    tokens = graph.token_source(transport.cloud, transport, secret)
    client = graph.BookingsClient(transport, tokens)
    business = Tenant(1, ANCHOR).business_id
    writer = graph.DirectoryWriter(client, business)
    where = {"street": "a", "city": "b", "state": "c", "postal_code": "d", "country": "e"}
    person = {"name": "Ny", "email": "", "phone": "1", "address": where}
    service = {"name": "Ny", "price": Decimal("5.25"), "duration": 75, "description": ""}
    writer.write_customer(writer.create_customer(person), person)
    writer.write_service(writer.create_service(service), service)
    for method, url, content in sent:
        _root, _business, kind, *item = url.partition("/solutions/")[2].split("/")
        pattern = f"/solutions/bookingBusinesses/{{bookingBusiness-id}}/{kind}"
        names = {"customers": "bookingCustomerBase", "services": "bookingService"}
        path = pattern + f"/{{{names[kind]}-id}}" * len(item)
        assert method.lower() in document()["paths"][path]
        check_sent(KINDS[kind], content)
    assert [method for method, _url, _content in sent] == ["POST", "PATCH"] * 2
    with pytest.raises(AssertionError):
        check_sent(
            "bookingService",
            {"@odata.type": "#microsoft.graph.bookingService"} | {"defaultDuration": "75"},
        )


def check_sent(name, content):
    """A part of a record, with nothing that the schema does not have or does not let be written."""
    assert content.pop("@odata.type") == f"#microsoft.graph.{name}"
    full = Tenant(1, ANCHOR).customers if name == "bookingCustomer" else Tenant(1, ANCHOR).services
    check(name, full[0] | content)
    assert content.keys() <= known_properties(name)


def test_times_are_written_as_graph_writes_them(asker):
    """Seven digits and a Z, in UTC: the schema itself leaves dateTime free."""
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
    for record in asker.all(asker.path("appointments")):
        for key in ("startDateTime", "endDateTime"):
            assert form.fullmatch(record[key]["dateTime"]) and record[key]["timeZone"] == "UTC"


def test_the_check_finds_what_is_wrong():
    """The validation itself refuses malformed records, so that passing it means something."""
    good = Tenant(1, ANCHOR).appointments[0]
    check("bookingAppointment", good)
    for key, wrong in (
        ("price", None),
        ("priceType", "gratis"),
        ("duration", "1 hour"),
        ("startDateTime", "2026-01-01T00:00:00Z"),
        ("customers", None),
        ("createdDateTime", "yesterday"),
    ):
        with pytest.raises(AssertionError):
            check("bookingAppointment", {**good, key: wrong})
    with pytest.raises(AssertionError):
        check_names("bookingAppointment", {**good, "invoiceId": "1"})
