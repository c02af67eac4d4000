"""The official client for Python (msgraph-sdk) reads the sandbox over HTTPS, and sees what our
parser sees in the same bytes."""

import asyncio
import datetime as dt
import json
import ssl
from decimal import Decimal

import httpx
import pytest
import requests
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphRequestAdapter, GraphServiceClient

from bookings_invoicing import sandbox
from bookings_invoicing.graph import records
from bookings_invoicing.sandbox import Tenant, serving
from bookings_invoicing.sandbox.ids import parse_moment

from .conftest import ANCHOR, CREDENTIALS, sign_in, whole_window

# Its generated classes warn of each other.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Token(AccessTokenProvider):
    def __init__(self, token):
        self.token = token
        self.hosts = AllowedHostsValidator([])

    async def get_authorization_token(self, uri, additional_authentication_context=None):
        return self.token

    def get_allowed_hosts_validator(self):
        return self.hosts


class Reader:
    """Reads with the official client, and the same addresses as bare bytes."""

    def __init__(self, server):
        self.server = server
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = server.ca_file
        url = f"{server.login_url}/{sandbox.TENANT_ID}/oauth2/v2.0/token"
        self.token = self.session.post(url, data=CREDENTIALS).json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def raw(self, path):
        """All items of a list, parsed by json with decimal numbers as our client does."""
        url, found = f"{self.server.graph_url}/solutions/{path}", []
        while url:
            response = self.session.get(url)
            assert response.status_code == 200, response.text
            page = json.loads(response.content, parse_float=Decimal)
            found.extend(page["value"])
            url = page.get("@odata.nextLink")
        return found

    def read(self, ask):
        """Run ``ask(client)`` against a client of its own event loop."""

        async def run():
            context = ssl.create_default_context(cafile=self.server.ca_file)
            async with httpx.AsyncClient(verify=context, trust_env=False) as http:
                provider = BaseBearerTokenAuthenticationProvider(Token(self.token))
                adapter = GraphRequestAdapter(provider, client=http)
                adapter.base_url = self.server.graph_url
                return await ask(GraphServiceClient(request_adapter=adapter))

        return asyncio.run(run())

    def read_list(self, builder, configuration=None):
        """All items that the client deserialises, following its own nextLink."""

        async def ask(client):
            here, found = builder(client), []
            page = await here.get(request_configuration=configuration)
            while True:
                found.extend(page.value)
                if not page.odata_next_link:
                    return found
                page = await here.with_url(page.odata_next_link).get()

        return self.read(ask)


@pytest.fixture(scope="module")
def tenant():
    return Tenant(1, ANCHOR)


@pytest.fixture(scope="module")
def reader(tenant, tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    with serving(tenant, folder, page_size=33) as server:
        yield Reader(server)


@pytest.fixture(params=[0, 1], ids=["clinic", "studio"])
def business(request, tenant):
    return tenant.mailboxes[request.param].id


def of(client, business):
    return client.solutions.booking_businesses.by_booking_business_id(business)


# What the official client's objects say, in the words of our records.


def moment(value):
    assert value.time_zone == "UTC"
    return parse_moment(value.date_time)


def word(value):
    return value.value if value is not None else None


def address_of(value):
    if value is None:
        return None
    parts = (value.street, value.city, value.state, value.postal_code, value.country_or_region)
    parts = [" ".join((part or "").split()) for part in parts]
    return records.Address(*parts) if any(parts) else None


def clean(value):
    return (value or "").strip()


def first(values):
    return next(filter(None, values), None)


def service_of(item):
    return {
        "id": item.id,
        "name": clean(item.display_name),
        "price": Decimal(str(item.default_price)),
        "price_type": word(item.default_price_type),
        "duration": item.default_duration,
        "description": clean(item.description),
        "max_attendees": item.maximum_attendees_count,
        "staff_ids": tuple(item.staff_member_ids),
    }


def staff_of(item):
    return {
        "id": item.id,
        "name": clean(item.display_name),
        "email": clean(item.email_address),
        "role": word(item.role),
    }


def customer_of(item):
    return {
        "id": item.id,
        "name": clean(item.display_name),
        "email": clean(item.email_address),
        "phone": first(clean(phone.number) for phone in item.phones) or "",
        "address": first(address_of(where) for where in item.addresses),
    }


def attendee_of(item):
    return {
        "customer_id": clean(item.customer_id),
        "name": clean(item.name),
        "email": clean(item.email_address),
        "phone": clean(item.phone),
        "notes": clean(item.notes),
        "address": address_of(item.location.address),
        "answers": tuple(
            (clean(answer.question_id), clean(answer.question), clean(answer.answer))
            for answer in item.custom_question_answers
        ),
    }


def appointment_of(item):
    return {
        "id": item.id,
        "service_id": item.service_id,
        "service_name": item.service_name,
        "start": moment(item.start_date_time),
        "end": moment(item.end_date_time),
        "price": Decimal(str(item.price)),
        "price_type": word(item.price_type),
        "staff_ids": tuple(item.staff_member_ids),
        "label": clean(item.appointment_label),
        "service_notes": clean(item.service_notes),
        "customer_notes": clean(item.customer_notes),
        "online": item.is_location_online,
        "join_url": clean(item.join_web_url),
        "created": item.created_date_time,
        "last_updated": item.last_updated_date_time,
        "max_attendees": item.maximum_attendees_count,
        "filled_attendees": item.filled_attendees_count,
    }


def ours(record, names):
    return {name: getattr(record, name) for name in names}


def assert_same(records_of_ours, items, told):
    assert len(records_of_ours) == len(items) > 0
    for record, item in zip(records_of_ours, items, strict=True):
        expected = told(item)
        assert ours(record, expected) == expected


def assert_same_attendees(record, item):
    """Our parser puts the top-level customer where ``customers`` is empty."""
    if item.customers:
        assert len(record.attendees) == len(item.customers)
        for mine, theirs in zip(record.attendees, item.customers, strict=True):
            expected = attendee_of(theirs)
            got = ours(mine, expected)
            got["answers"] = tuple((a.question_id, a.question, a.text) for a in mine.answers)
            assert got == expected
    else:
        names = [(who.name, who.email) for who in record.attendees]
        top = (clean(item.customer_name), clean(item.customer_email_address))
        assert names == ([top] if any(top) else [])


def test_businesses(reader, tenant):
    items = reader.read(lambda client: client.solutions.booking_businesses.get()).value
    assert [(item.id, item.display_name) for item in items] == [
        (box.id, box.name) for box in tenant.mailboxes
    ]


def test_one_business(reader, business):
    item = reader.read(lambda client: of(client, business).get())
    answer = reader.session.get(f"{reader.server.graph_url}/solutions/bookingBusinesses/{business}")
    record = records.Business.parse(json.loads(answer.content, parse_float=Decimal))
    assert (record.id, record.name) == (item.id, item.display_name)
    assert (record.currency, record.language) == (item.default_currency_iso, item.language_tag)
    assert (record.email, record.phone) == (item.email, item.phone)
    assert record.public_url == item.public_url
    zone = item.booking_page_settings.business_time_zone
    assert {"Romance Standard Time": "Europe/Paris"}.get(zone, zone) == record.time_zone
    assert item.scheduling_policy.maximum_advance == dt.timedelta(days=365)
    assert [hours.day.value for hours in item.business_hours][:2] == ["monday", "tuesday"]


@pytest.mark.parametrize(
    "kind, attribute, parse, told",
    [
        ("services", "services", records.Service.parse, service_of),
        ("staffMembers", "staff_members", records.StaffMember.parse, staff_of),
        ("customers", "customers", records.Customer.parse, customer_of),
    ],
)
def test_lists(reader, business, kind, attribute, parse, told):
    items = reader.read_list(lambda client: getattr(of(client, business), attribute))
    raw = reader.raw(f"bookingBusinesses/{business}/{kind}")
    assert_same([parse(record) for record in raw], items, told)


def test_custom_questions(reader, business):
    items = reader.read_list(lambda client: of(client, business).custom_questions)
    raw = reader.raw(f"bookingBusinesses/{business}/customQuestions")
    for record, item in zip(map(records.Question.parse, raw), items, strict=True):
        assert (record.id, record.question) == (item.id, item.display_name)
        assert (record.answer_type, list(record.options)) == (
            word(item.answer_input_type),
            item.answer_options,
        )


def test_appointments(reader, business, tenant):
    items = reader.read_list(lambda client: of(client, business).appointments)
    raw = reader.raw(f"bookingBusinesses/{business}/appointments")
    parsed = [records.Appointment.parse(record) for record in raw]
    assert_same(parsed, items, appointment_of)
    for record, item in zip(parsed, items, strict=True):
        assert_same_attendees(record, item)
    assert [item.id for item in items] == [r["id"] for r in tenant.iter_appointments(business)]


def test_calendar_view(reader, tenant):
    from msgraph.generated.solutions.booking_businesses.item.calendar_view import (
        calendar_view_request_builder,
    )

    CalendarViewRequestBuilder = calendar_view_request_builder.CalendarViewRequestBuilder
    start, end = whole_window(tenant)
    form = "%Y-%m-%dT%H:%M:%SZ"
    query = CalendarViewRequestBuilder.CalendarViewRequestBuilderGetQueryParameters(
        start=start.strftime(form), end=end.strftime(form)
    )
    configuration = RequestConfiguration(query_parameters=query)
    business = tenant.business_id
    items = reader.read_list(lambda client: of(client, business).calendar_view, configuration)
    path = f"bookingBusinesses/{business}/calendarView?start={query.start}&end={query.end}"
    parsed = [records.Appointment.parse(record) for record in reader.raw(path)]
    assert len(items) == 120
    assert_same(parsed, items, appointment_of)
    for record, item in zip(parsed, items, strict=True):
        assert_same_attendees(record, item)


def test_one_appointment(reader, tenant):
    """By id it tells what lists leave out: attendees, notes, reminders."""
    hidden = next(r for r in tenant.appointments if r["customerNotes"] and r["customers"])
    business = tenant.business_id
    item = reader.read(
        lambda client: (
            of(client, business).appointments.by_booking_appointment_id(hidden["id"]).get()
        )
    )
    record = records.Appointment.parse(hidden)
    assert item.customer_notes == record.customer_notes != ""
    assert item.reminders[0].offset == dt.timedelta(days=1)
    assert_same_attendees(record, item)


def test_currencies_by_a_signed_in_user(reader):
    """bookingCurrencies is for delegated access only; the official client reads it then."""
    delegated = Reader(reader.server)
    delegated.token = sign_in(reader.session, reader.server.login_url)["access_token"]
    items = delegated.read(lambda client: client.solutions.booking_currencies.get()).value
    assert {"EUR": "€", "DKK": "kr."}.items() <= {item.id: item.symbol for item in items}.items()


def test_errors_are_errors_to_the_official_client(reader, tenant):
    from msgraph.generated.models.o_data_errors.o_data_error import ODataError

    with pytest.raises(ODataError) as caught:
        reader.read(lambda client: of(client, "who@nowhere.example").get())
    assert caught.value.error.code == "ErrorNonExistentMailbox"
    assert caught.value.response_status_code == 404
    assert caught.value.error.inner_error.request_id


def test_customers_and_services_are_written(tmp_path):
    """What Microsoft's own client sends is taken, and what it says afterwards is what was sent."""
    from msgraph.generated.models.booking_customer import BookingCustomer
    from msgraph.generated.models.booking_service import BookingService
    from msgraph.generated.models.phone import Phone
    from msgraph.generated.models.physical_address import PhysicalAddress

    tenant = Tenant(1, ANCHOR)
    with serving(tenant, tmp_path, permissions=["Bookings.ReadWrite.All"]) as server:
        writer = Reader(server)

        async def customer(client):
            here = of(client, tenant.business_id).customers
            made = await here.post(
                BookingCustomer(
                    display_name="Ny Kunde",
                    email_address="ny@kunde.example",
                    phones=[Phone(number="+45 1")],
                    addresses=[PhysicalAddress(city="Køge")],
                )
            )
            await here.by_booking_customer_base_id(made.id).patch(
                BookingCustomer(display_name="Omdøbt")
            )
            return await here.by_booking_customer_base_id(made.id).get()

        async def service(client):
            here = of(client, tenant.business_id).services
            # without a duration: this version does not write it as Edm.Duration
            made = await here.post(BookingService(display_name="Ny"))
            await here.by_booking_service_id(made.id).patch(BookingService(default_price=12.35))
            return await here.by_booking_service_id(made.id).get()

        found = customer_of(writer.read(customer))
        assert (found["name"], found["email"], found["phone"]) == (
            "Omdøbt",
            "ny@kunde.example",
            "+45 1",
        )
        assert found["address"].city == "Køge"
        found = service_of(writer.read(service))
        assert (found["name"], found["price"]) == ("Ny", Decimal("12.35"))
