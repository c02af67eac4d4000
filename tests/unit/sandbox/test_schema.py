"""Every kind of answer is valid by the official Graph v1.0 schema.

The schema file is not part of this repository. ``BOOKINGS_GRAPH_SCHEMA`` is the path of
``bookings-v1.0.openapi.yaml``; without it a folder ``shared/graph`` beside the repository is tried.
"""

import functools
import os
import random
import re
from pathlib import Path

import pytest

from bookings_invoicing import sandbox
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
