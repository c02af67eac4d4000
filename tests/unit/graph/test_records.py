"""Records made of Graph's objects, and those that cannot be."""

import dataclasses
import datetime
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from bookings_invoicing import graph
from bookings_invoicing.graph import Appointment, Attendee, RecordError, records
from bookings_invoicing.graph.page import parse_rows
from bookings_invoicing.graph.purposes import PURPOSES

from . import payloads

UTC = datetime.timezone.utc


def test_appointment():
    """Every property in its place."""
    found = Appointment.parse(payloads.appointment(7, price=Decimal("60.0")))
    assert found == Appointment(
        id="AAMkExample000007=",
        service_id="11111111-0000-0000-0000-000000000000",
        service_name="Consultation",
        start=datetime.datetime(2026, 3, 2, 9, tzinfo=UTC),
        end=datetime.datetime(2026, 3, 2, 9, 45, tzinfo=UTC),
        price=Decimal(60),
        price_type="fixedPrice",
        attendees=(
            Attendee(
                customer_id="22222222-0000-0000-0000-000000000000",
                name="Ada Example",
                email="ada@example.com",
                phone="",
                notes="",
                address=graph.Address("Way 1", "Bern", "", "", ""),
                time_zone="Europe/Zurich",
                answers=(
                    graph.Answer("33333333-0000-0000-0000-000000000000", "PO number?", "PO-7"),
                ),
            ),
        ),
        staff_ids=("99999999-0000-0000-0000-000000000000",),
        label="",
        service_notes="",
        customer_notes="",
        online=False,
        place="Main street",
        join_url="",
        created=datetime.datetime(2026, 2, 1, 8, tzinfo=UTC),
        last_updated=datetime.datetime(2026, 2, 2, 8, 0, 0, 123456, tzinfo=UTC),
        max_attendees=5,
        filled_attendees=1,
        customer_time_zone="Europe/Zurich",
    )


def test_records_cannot_be_changed():
    found = Appointment.parse(payloads.appointment())
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.price = Decimal(1)
    assert isinstance(hash(found), int)


def test_the_least_that_is_needed():
    """What the US Government schema and old documents leave out may be missing."""
    least = {"id", "startDateTime", "endDateTime", "price", "priceType"}
    raw = {key: value for key, value in payloads.appointment().items() if key in least}
    found = Appointment.parse(raw)
    assert (found.attendees, found.created, found.last_updated) == ((), None, None)
    assert (found.service_id, found.max_attendees, found.place) == ("", 0, "")


@pytest.mark.parametrize("key", ["id", "startDateTime", "endDateTime", "price"])
@pytest.mark.parametrize("how", ["missing", "null"])
def test_what_is_needed(key, how):
    raw = payloads.appointment()
    if how == "missing":
        del raw[key]
    else:
        raw[key] = None
    with pytest.raises(RecordError) as caught:
        Appointment.parse(raw)
    assert caught.value.field == key
    assert key in str(caught.value)


@pytest.mark.parametrize("price_type", graph.PRICE_TYPES)
def test_price_types(price_type):
    """Only prices that are used must be there."""
    found = Appointment.parse(payloads.appointment(priceType=price_type))
    assert (found.price_type, found.price) == (price_type, 60)
    raw = payloads.appointment(priceType=price_type, price=None)
    if price_type in ("fixedPrice", "hourly", "startingAt"):
        with pytest.raises(RecordError):
            Appointment.parse(raw)
    else:
        assert Appointment.parse(raw).price == 0


@pytest.mark.parametrize("price_type", ["unknownFutureValue", "perMinute", "FixedPrice", "", None])
def test_new_price_types_are_unknown(price_type):
    """Never read as a type that we know."""
    assert Appointment.parse(payloads.appointment(priceType=price_type)).price_type == "unknown"
    assert (
        graph.Service.parse(payloads.service(defaultPriceType=price_type)).price_type == "unknown"
    )


@pytest.mark.parametrize("price_type", ["fixedPrice", "hourly", "startingAt"])
def test_a_service_needs_its_price(price_type):
    with pytest.raises(RecordError) as caught:
        graph.Service.parse(payloads.service(defaultPriceType=price_type, defaultPrice=None))
    assert caught.value.field == "defaultPrice"
    assert (
        graph.Service.parse(payloads.service(defaultPriceType="free", defaultPrice=None)).price == 0
    )


def test_bad_price_of_an_unpriced_type():
    """Nonsense stays nonsense, even where the number would not be used."""
    with pytest.raises(RecordError):
        Appointment.parse(payloads.appointment(priceType="free", price=Decimal("NaN")))


def test_end_before_start():
    end = {"dateTime": "2026-03-02T08:59:59Z", "timeZone": "UTC"}
    with pytest.raises(RecordError):
        Appointment.parse(payloads.appointment(endDateTime=end))
    same = payloads.appointment()["startDateTime"]
    found = Appointment.parse(payloads.appointment(endDateTime=same))
    assert found.end == found.start


@pytest.mark.parametrize("customers", [None, [], "missing"])
def test_nobody_in_the_list(customers):
    """Then the one who booked, in the appointment's own properties."""
    raw = payloads.appointment(customers=customers, customerPhone="+41", customerNotes="hi")
    if customers == "missing":
        del raw["customers"]
    (found,) = Appointment.parse(raw).attendees
    assert (found.name, found.email, found.phone) == ("Ada Example", "ada@example.com", "+41")
    assert (found.customer_id, found.notes, found.answers) == ("", "hi", ())


def test_nobody_at_all():
    raw = payloads.appointment(customers=[], customerName="", customerEmailAddress=None)
    assert Appointment.parse(raw).attendees == ()


def test_several_attendees():
    """Each one, in order, doubles included: who they are is not decided here."""
    names = ["A", "B", "A"]
    raw = payloads.appointment(customers=[payloads.attendee(name=name) for name in names])
    assert [attendee.name for attendee in Appointment.parse(raw).attendees] == names


@pytest.mark.parametrize(
    "customers",
    ["Ada", {"name": "Ada"}, [None], ["Ada"], [[]], [payloads.attendee(name=5)],
     [payloads.attendee(customerId="x" * 256)], [payloads.attendee(emailAddress=["x"])],
     5, True],
)  # fmt: skip
def test_unreadable_attendees(customers):
    with pytest.raises(RecordError):
        Appointment.parse(payloads.appointment(customers=customers))


class Noted(dict):
    """An object that notes what was read of it."""

    def __init__(self, raw, read):
        super().__init__(raw)
        self.noted = read

    def get(self, key, default=None):
        self.noted.add(key)
        return super().get(key, default)


GARBLED = ("", "\x00garbled", 7, -1, True, ["x", None], {"x": 1}, [[]])
BOOKED_BY = ("customerId", "customerName", "customerEmailAddress")
SAMPLES = {
    "Appointment": payloads.appointment(customerId="33333333-0000-0000-0000-000000000000"),
    "Attendee": payloads.attendee(),
    "Answer": payloads.attendee()["customQuestionAnswers"][0],
    "Address": {"street": "Way 1", "city": "Bern", "state": "BE", "postalCode": "3", "countryOrRegion": "CH"},
    "Business": payloads.business(),
    "Service": payloads.service(staffMemberIds=["99999999-0000-0000-0000-000000000000"]),
    "StaffMember": payloads.staff_member(),
    "Customer": payloads.customer(),
    "Question": payloads.question(),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAMPLES)
def test_what_each_property_is_needed_for(kind):
    """The table names every property that is read. Each is garbled in eight ways: a needed one puts the record
    aside, unless it is text all the same; any other harms nothing but itself.
    """
    record, sample, read = getattr(records, kind), SAMPLES[kind], set()
    whole = record.parse(Noted(sample, read))
    record.parse(Noted(sample | {"customers": [], "joinWebUrl": None}, read))
    beta = {"start", "end"} & set(PURPOSES[kind])  # read where the spelling of v1.0 is missing
    assert read - {"@odata.type"} | beta == set(PURPOSES[kind])
    for name, (needed, purpose) in PURPOSES[kind].items():
        assert purpose
        for value in GARBLED:
            raw = sample | {name: value}
            if not needed:
                assert len(different(record.parse(raw), whole)) <= 1, (name, value)
            elif name in sample and isinstance(value, bool | list | dict):
                alone = {"customers": []} if name in BOOKED_BY else {}
                with pytest.raises(RecordError):
                    record.parse(raw | alone)


def test_what_keeps_an_appointment_from_being_billed():
    """No more than who came, when, which service and what it costs."""
    times, who = {"startDateTime", "start", "endDateTime", "end"}, {"customers", *BOOKED_BY}
    needed = {name for name, (is_needed, _purpose) in PURPOSES["Appointment"].items() if is_needed}
    assert needed == {"id", "serviceId", "price", "priceType"} | times | who
    for name in SAMPLES["Appointment"].keys() - needed:
        for value in GARBLED:
            assert Appointment.parse(SAMPLES["Appointment"] | {name: value})
    people = {"id", "customerId", "name", "displayName", "emailAddress"}
    for kind in ("Attendee", "Customer", "Address", "Answer"):
        assert {name for name, (is_needed, _) in PURPOSES[kind].items() if is_needed} <= people


def different(one, other):
    return [f.name for f in dataclasses.fields(one)
            if f.compare and getattr(one, f.name) != getattr(other, f.name)]  # fmt: skip


def test_place():
    """The location's name, else its address."""
    address = {"street": "Way 1", "city": "Bern", "postalCode": "3000", "countryOrRegion": "CH"}
    raw = payloads.appointment(serviceLocation={"displayName": "", "address": address})
    assert Appointment.parse(raw).place == "Way 1, 3000 Bern, CH"
    assert Appointment.parse(payloads.appointment(serviceLocation=None)).place == ""


def test_beta_spelling():
    """start, end and onlineMeetingUrl."""
    raw = payloads.appointment(onlineMeetingUrl="https://teams.example/x", isLocationOnline=True)
    raw["start"], raw["end"] = raw.pop("startDateTime"), raw.pop("endDateTime")
    found = Appointment.parse(raw)
    assert (found.start.hour, found.online, found.join_url) == (9, True, "https://teams.example/x")


def test_other_records():
    assert graph.Service.parse(payloads.service()).duration == datetime.timedelta(minutes=45)
    customer = graph.Customer.parse(payloads.customer())
    assert (customer.phone, customer.address.city) == ("+41 31 000", "Bern")
    assert graph.Customer.parse({"id": "x"}).address is None
    assert graph.StaffMember.parse(payloads.staff_member()).role == "scheduler"
    business = graph.Business.parse(payloads.business())
    assert (business.currency, business.time_zone) == ("EUR", "Europe/Berlin")
    bare = graph.Business.parse({"id": "b@example.com", "displayName": "B"})
    assert (bare.currency, bare.time_zone) == (None, None)
    question = graph.Question.parse(payloads.question())
    assert (question.question, question.options) == ("PO number?", ("yes", "no"))


def test_one_bad_row_among_good_ones():
    """It is put aside with its id, its reason and its text; the others keep their order."""
    rows = [payloads.appointment(number) for number in range(5)]
    rows[2]["price"] = Decimal(-1)
    records, (bad,) = parse_rows(rows, Appointment)
    assert [record.id for record in records] == [rows[number]["id"] for number in (0, 1, 3, 4)]
    assert (bad.kind, bad.remote_id) == ("appointment", rows[2]["id"])
    assert bad.reason == "price: is negative"
    assert json.loads(bad.payload)["serviceName"] == "Consultation"


@pytest.mark.parametrize("remote_id", [None, "", "x" * 256, "x" * 3000, " x", "x\x00", 5, ["x"]])
def test_an_id_that_cannot_be_asked_for(remote_id):
    """Not a shortened or mended one: that would be another record's."""
    _records, (bad, other) = parse_rows([payloads.appointment(id=remote_id), None], Appointment)
    assert (bad.remote_id, other.remote_id) == ("", "")
    assert len({bad.digest, other.digest, ""}) == 3


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        (graph.Service, payloads.service),
        (graph.Customer, payloads.customer),
        (graph.StaffMember, payloads.staff_member),
    ],
)
@pytest.mark.parametrize("remote_id", [None, "", "x" * 256, " x", 5])
def test_an_id_of_a_list_that_cannot_be_kept(kind, make, remote_id):
    """Services, customers and staff likewise: each row by itself, none cut down to another one's ID."""
    longest, bad = make(id="x" * 255), make(id=remote_id)
    rows = [bad, make(), bad | {"displayName": "Another"}, longest]
    records, malformed = parse_rows(rows, kind)
    assert [record.id for record in records] == [make()["id"], longest["id"]]
    assert [bad.remote_id for bad in malformed] == ["", ""]
    assert len({bad.digest for bad in malformed} - {""}) == 2


@pytest.mark.parametrize("row", [None, 5, "x", [], [{}], True])
def test_a_row_that_is_no_object(row):
    records, (bad,) = parse_rows([payloads.appointment(), row], Appointment)
    assert len(records) == 1
    assert bad.remote_id == ""


def test_doubles_in_a_page():
    """The one that was changed last counts, in the place of the first."""
    older = payloads.appointment(1, lastUpdatedDateTime="2026-02-01T00:00:00Z", price=1)
    newer = payloads.appointment(1, lastUpdatedDateTime="2026-02-03T00:00:00Z", price=2)
    for rows in ([older, newer], [newer, older]):
        records, malformed = parse_rows([*rows, payloads.appointment(2)], Appointment)
        assert [int(record.price) for record in records] == [2, 60]
        assert malformed == ()


def test_ids_differ_by_case():
    rows = [payloads.appointment(id="AAMkA="), payloads.appointment(id="AAMka=")]
    assert len(parse_rows(rows, Appointment)[0]) == 2


def test_payload_of_a_huge_row():
    """At most 20 kB, clean, whatever came."""
    row = payloads.appointment(
        serviceNotes="\x00\ud800\u202e" + "\u00e9" * 1_000_000,
        deep=json.loads("[" * 500 + "]" * 500),
        many={f"key{number}": "x" * 5000 for number in range(5000)},
        price=None,
    )
    _records, (bad,) = parse_rows([row], Appointment)
    assert 1000 < len(bad.payload.encode()) <= 20_000
    assert not set(bad.payload) & {"\x00", "\ud800", "\u202e"}


def test_nothing_outlives_a_page():
    """Texts are remembered while a page is read, personal ones too, and then no longer."""
    from bookings_invoicing.graph import fields

    parse_rows([payloads.appointment()], Appointment)
    assert set(fields._lines) == {None, ""} and fields._ids == set()


def test_pages_in_several_threads():
    """Odoo may read for several businesses at once, in threads."""
    rows = [payloads.appointment(number) for number in range(20)]
    expected = parse_rows(rows, Appointment)

    def read(_number):
        return [parse_rows(rows, Appointment) == expected for _ in range(50)]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(all(same) for same in pool.map(read, range(4)))
    finally:
        sys.setswitchinterval(interval)
