"""The made-up businesses hold what real ones hold, for every seed: what importers stumble on."""

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from bookings_invoicing.sandbox import Tenant
from bookings_invoicing.sandbox.ids import NO_GUID, parse_moment

from .conftest import ANCHOR, NOON, Asker, whole_window

SEEDS = [1, 2, 3, "other"]
COPENHAGEN = ZoneInfo("Europe/Copenhagen")


@pytest.fixture(params=SEEDS)
def tenant(request):
    return Tenant(request.param, ANCHOR)


def local(record, key="startDateTime"):
    return parse_moment(record[key]["dateTime"]).astimezone(COPENHAGEN)


def test_services_have_every_kind_of_price(tenant):
    kinds = {service["defaultPriceType"] for service in tenant.services}
    assert kinds == {
        "fixedPrice",
        "hourly",
        "free",
        "startingAt",
        "priceVaries",
        "callUs",
        "notSet",
        "undefined",
    }
    assert 8 <= len(tenant.services) <= 10
    assert any(round(service["defaultPrice"] * 100) % 10 for service in tenant.services)
    assert [
        s["maximumAttendeesCount"] for s in tenant.services if s["maximumAttendeesCount"] > 1
    ] == [8]


def test_every_service_is_booked_and_has_taken_place(tenant):
    rows = list(tenant.expected_bookings())
    assert {row["service"] for row in rows} == {service["id"] for service in tenant.services}
    ended = Counter(row["price_type"] for row in rows if row["end"] < NOON)
    assert len(ended) == 8
    assert sum(row["start"] > NOON for row in rows) > 10
    assert any(row["start"].date() == ANCHOR for row in rows)


def test_customers_have_doubles_and_gaps(tenant):
    people = tenant.customers
    assert len(people) == 40
    emails = [person["emailAddress"] for person in people]
    folded = Counter(email.lower() for email in emails if email)
    assert sum(count > 1 for count in folded.values()) >= 2
    assert any(emails.count(email) > 1 for email in emails if email), "a family with one address"
    names = Counter(person["displayName"] for person in people)
    assert any(count > 1 for name, count in names.items() if name), "two people of one name"
    assert "" in names and None in emails and "" in emails
    assert any(not person["phones"] for person in people)
    assert any(not person["addresses"] for person in people)
    countries = {where["countryOrRegion"] for person in people for where in person["addresses"]}
    assert {"Denmark", "Danmark", "DK", "dk", ""} <= countries
    assert all(email.lower().endswith(".example") for email in emails if email)


def test_some_attendees_are_not_in_the_list_of_customers(tenant):
    """Bookings makes up a customerId for people who booked by themselves."""
    known = {person["id"] for person in tenant.customers}
    met = {row["customer_id"] for row in tenant.expected_bookings() if row["customer_id"]}
    assert met & known and met - known
    asker = Asker(tenant)
    assert asker.error(asker.path("customers", min(met - known)), 404) == "ErrorItemNotFound"


def test_groups_and_single_appointments(tenant):
    """Groups hold several people; some hold one customer twice, as parents book."""
    sizes = Counter(len(record["customers"]) for record in tenant.appointments)
    assert sizes[1] > 80 and any(size > 2 for size in sizes)
    assert all(
        record["filledAttendeesCount"] <= record["maximumAttendeesCount"]
        for record in tenant.appointments
    )
    for seed in range(10):
        groups = [
            [who["customerId"] for who in r["customers"]] for r in Tenant(seed, ANCHOR).appointments
        ]
        if any(len(set(group)) < len(group) for group in groups):
            return
    pytest.fail("no group in ten tenants holds one customer twice")


def test_customers_may_be_missing_in_lists_and_in_full(tenant):
    """Some come only by id, a few are told by top-level fields only, one has nobody."""
    asker = Asker(tenant)
    start, end = whole_window(tenant)
    listed = asker.all(asker.calendar(start, end))
    empty = [record for record in listed if not record["customers"]]
    full = [asker.get(asker.path("appointments", record["id"])) for record in empty]
    assert any(record["customers"] for record in full)
    top_only = [
        r for r in full if not r["customers"] and (r["customerName"] or r["customerEmailAddress"])
    ]
    assert top_only
    assert len(empty) < 40
    none_hidden = Asker(Tenant(tenant.seed, ANCHOR, empty_customers=0))
    fewer = none_hidden.all(none_hidden.calendar(start, end))
    left = [record["id"] for record in fewer if not record["customers"]]
    assert sorted(left) == sorted(r["id"] for r in full if not r["customers"])


def test_labels_answers_and_places(tenant):
    rows = tenant.appointments
    labels = {record["appointmentLabel"] for record in rows}
    assert {"No show", "Free of charge", None} <= labels
    future = [r["appointmentLabel"] for r in rows if local(r).date() > ANCHOR]
    assert "No show" not in future
    answers = [
        (answer["question"], answer["answer"])
        for record in rows
        for who in record["customers"]
        for answer in who["customQuestionAnswers"]
    ]
    filled = {question for question, answer in answers if answer}
    assert {"Company name", "VAT number", "PO number or reference for the invoice"} <= filled
    assert {None, ""} <= {answer for _, answer in answers}
    assert {record["isLocationOnline"] for record in rows} == {True, False}
    assert {len(record["staffMemberIds"]) for record in rows} == {0, 1, 2}
    assert {record["selfServiceAppointmentId"] == NO_GUID for record in rows} == {True, False}


def test_some_days_differ_between_utc_and_the_business():
    """Late and early appointments begin on another day in UTC, for most seeds and anchors."""
    found = 0
    for seed in SEEDS:
        for record in Tenant(seed, ANCHOR).appointments:
            moment = local(record)
            found += moment.date() != moment.astimezone(dt.timezone.utc).date()
    assert found >= 3


@pytest.mark.parametrize("anchor", [dt.date(2026, 11, 20), dt.date(2027, 4, 10)])
def test_an_appointment_spans_the_change_of_clocks(anchor):
    spans = [
        record
        for record in Tenant(1, anchor).appointments
        if local(record).utcoffset() != local(record, "endDateTime").utcoffset()
    ]
    assert spans
    for record in spans:
        length = parse_moment(record["endDateTime"]["dateTime"]) - parse_moment(
            record["startDateTime"]["dateTime"]
        )
        assert length == dt.timedelta(minutes=90) and record["duration"] == "PT1H30M"


def test_some_ids_differ_by_case_only(tenant):
    ids = [record["id"] for record in tenant.appointments]
    assert len({key.lower() for key in ids}) < len(set(ids)) == len(ids)


def test_the_second_business_is_another_world(tenant):
    """Another currency, another language, and a Windows name for the zone."""
    clinic, studio = tenant.businesses
    assert clinic["defaultCurrencyIso"] == "EUR" and studio["defaultCurrencyIso"] == "DKK"
    assert studio["bookingPageSettings"]["businessTimeZone"] == "Romance Standard Time"
    assert clinic["bookingPageSettings"]["businessTimeZone"] == "Europe/Copenhagen"
    ids = {record["id"] for record in tenant.appointments}
    other = {record["id"] for record in tenant.iter_appointments(studio["id"])}
    assert len(other) == 18 and not ids & other


@pytest.mark.parametrize("currency, digits", [("EUR", 2), ("DKK", 2), ("JPY", 0), ("KWD", 3)])
def test_prices_can_be_paid_in_the_currency(currency, digits):
    tenant = Tenant(1, ANCHOR, currency=currency)
    rows = list(tenant.expected_bookings())
    assert all(row["price"] == round(row["price"], digits) for row in rows)
    assert (
        any(row["price"] != round(row["price"], max(digits - 1, 0)) for row in rows) or not digits
    )
    assert tenant.businesses[1]["defaultCurrencyIso"] != currency


def test_more_customers_than_the_catalogue_has():
    """Ten thousand appointments come from a thousand people, each with an address of their own."""
    tenant = Tenant(1, ANCHOR, 10_000)
    people = tenant.customers
    assert len({person["id"] for person in people}) == len(people) == 1000
    assert len({(person["emailAddress"] or person["id"]).lower() for person in people}) > 990
    assert len(Tenant(1, ANCHOR, 500, customers=7).customers) == 7
