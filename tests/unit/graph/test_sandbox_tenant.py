"""The live client against the sandbox tenant: what it reads is what the tenant holds."""

import datetime

import pytest

from bookings_invoicing import graph, sandbox
from bookings_invoicing.graph import Appointment, AuthError

UTC = datetime.timezone.utc
FIRST = datetime.datetime(2026, 8, 1, tzinfo=UTC)
LAST = datetime.datetime(2027, 1, 1, tzinfo=UTC)


def make_client(tenant, secret=sandbox.CLIENT_SECRET, **options):
    session = sandbox.sandbox_session(tenant, **options)
    transport = graph.Transport(sandbox.SANDBOX_CLOUD, session=session, sleep=lambda seconds: None)
    credential = graph.ClientSecret(sandbox.TENANT_ID, sandbox.CLIENT_ID, secret)
    return graph.BookingsClient(
        transport, graph.token_source(transport.cloud, transport, credential)
    )


@pytest.fixture(scope="module")
def tenant():
    return sandbox.Tenant(seed=3, anchor="2026-11-20")


def read(client, tenant):
    pages = list(client.calendar_view(tenant.business_id, FIRST, LAST))
    assert [bad.reason for page in pages for bad in page.malformed] == []
    return {record.id: record for page in pages for record in page.records}


def people(expected):
    """(appointment, e-mail, name) of each attendee that the tenant tells of."""
    return sorted((row["appointment"], row["email"] or "", row["name"] or "") for row in expected)


@pytest.mark.parametrize("page_size", [7, 100])
def test_every_appointment_with_everybody(tenant, page_size):
    """Whatever the page size, and although the lists leave some customers out."""
    found = read(make_client(tenant, page_size=page_size), tenant)
    assert set(found) == {row["id"] for row in tenant.appointments}
    attendees = sorted(
        (record.id, attendee.email, attendee.name)
        for record in found.values()
        for attendee in record.attendees or (graph.Attendee("", "", "", "", "", None, "", ()),)
    )
    assert attendees == people(tenant.expected_bookings())


def test_list_and_id_agree(tenant):
    """What bills the customer is the same in both; notes come by id only."""
    client = make_client(tenant)
    listed = read(client, tenant)
    by_id = dict(client.appointments_by_id(tenant.business_id, listed))
    assert all(isinstance(record, Appointment) for record in by_id.values())
    facts = ("start", "end", "price", "price_type", "attendees", "service_id", "staff_ids", "label")
    for key, record in by_id.items():
        for fact in facts:
            assert getattr(record, fact) == getattr(listed[key], fact)


def test_cancelled_and_deleted(tenant):
    """Gone from the list, None by id; the others are there."""
    changed = sandbox.Tenant(seed=3, anchor="2026-11-20")
    first, second = (row["id"] for row in changed.appointments[:2])
    changed.apply({"op": "cancel", "appointment": first})
    changed.apply({"op": "delete", "appointment": second})
    client = make_client(changed)
    assert not {first, second} & set(read(client, changed))
    by_id = dict(client.appointments_by_id(changed.business_id, [first, second, "AAMkNever="]))
    assert list(by_id.values()) == [None, None, None]


def test_a_short_range_limit(tenant):
    """A tenant that refuses long views is read all the same."""
    expected = read(make_client(tenant), tenant)
    assert read(make_client(tenant, range_limit=10), tenant) == expected


def test_faults_on_the_way(tenant):
    """Throttling, outages and cut answers change nothing in what is read."""
    expected = read(make_client(tenant), tenant)
    faults = [
        {"match": "calendarView", "occurrence": 1, "status": 429, "headers": {"Retry-After": "1"}},
        {"match": "calendarView", "occurrence": 3, "status": 503},
        {"match": "calendarView", "occurrence": 5, "disconnect": True},
        {"match": "token", "occurrence": 1, "status": 500},
    ]
    assert read(make_client(tenant, faults=faults, page_size=20), tenant) == expected


def test_corrupt_records_alone(tenant):
    """Put aside with their id; all others are read."""
    changed = sandbox.Tenant(seed=3, anchor="2026-11-20")
    bad = [row["id"] for row in changed.appointments[5:8]]
    for remote_id, change in zip(
        bad, [{"price": "abc"}, {"price": -1}, {"customers": 5}], strict=True
    ):
        changed.apply({"op": "corrupt", "record": remote_id, "set": change})
    pages = list(make_client(changed).calendar_view(changed.business_id, FIRST, LAST))
    assert sorted(item.remote_id for page in pages for item in page.malformed) == sorted(bad)
    assert sum(len(page.records) for page in pages) == len(changed.appointments) - 3


def test_second_business(tenant):
    """Another currency, and a zone by its Windows name."""
    client = make_client(tenant)
    found = {item.id: client.business(item.id) for item in client.businesses()}
    other = found[tenant.mailboxes[1].id]
    assert (other.currency, other.time_zone) == ("DKK", "Europe/Paris")


def test_gzip(tenant):
    assert read(make_client(tenant, compress=True), tenant) == read(make_client(tenant), tenant)


def test_wrong_secret(tenant):
    with pytest.raises(AuthError) as caught:
        make_client(tenant, "not the secret").businesses()
    assert caught.value.kind == "secret_id_instead_of_value"
