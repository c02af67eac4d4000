"""What the sandbox answers to good and bad questions, in Graph's own words."""

import datetime as dt
import random

import pytest

from bookings_invoicing import sandbox
from bookings_invoicing.sandbox import Tenant, random_change
from bookings_invoicing.sandbox.ids import parse_moment

from .conftest import ANCHOR, Asker, whole_window

UTC = dt.timezone.utc


def test_the_list_of_businesses_gives_id_and_name_only(asker, tenant):
    page = asker.get(f"{sandbox.GRAPH_URL}/solutions/bookingBusinesses")
    assert [set(record) for record in page["value"]] == [{"id", "displayName"}] * 2
    assert "@odata.nextLink" not in page
    found = asker.get(f"{sandbox.GRAPH_URL}/solutions/bookingBusinesses?query=STUDIO")
    assert [record["id"] for record in found["value"]] == [tenant.mailboxes[1].id]
    assert asker.get(f"{sandbox.GRAPH_URL}/solutions/bookingBusinesses?query=zzz")["value"] == []


@pytest.mark.parametrize("spelling", [str.lower, str.upper, lambda text: text.replace("@", "%40")])
def test_a_business_is_found_in_any_spelling_of_its_address(asker, tenant, spelling):
    record = asker.get(asker.path(business=spelling(tenant.business_id)).rstrip("/"))
    assert record["id"] == tenant.business_id
    assert record["@odata.context"].endswith("#solutions/bookingBusinesses/$entity")


def test_unknown_things(asker):
    assert asker.error(asker.path(business="who@nowhere.example"), 404) == "ErrorNonExistentMailbox"
    for kind in ("appointments", "services", "customers", "staffMembers", "customQuestions"):
        assert asker.error(asker.path(kind, "AAMkNot="), 404) == "ErrorItemNotFound"
    assert asker.error(asker.path("nonsense"), 400) == "BadRequest"
    assert asker.error(asker.path("services", "a", "b"), 400) == "BadRequest"
    assert asker.error(f"{sandbox.GRAPH_URL}/me", 400) == "BadRequest"


def test_appointment_ids_are_case_sensitive(asker, tenant):
    key = tenant.appointments[0]["id"]
    assert asker.get(asker.path("appointments", key))["id"] == key
    assert asker.error(asker.path("appointments", key.swapcase()), 404) == "ErrorItemNotFound"


def test_every_id_in_a_list_can_be_read(asker, tenant):
    for kind in ("services", "staffMembers", "customers", "customQuestions", "appointments"):
        records = asker.all(asker.path(kind))
        assert records
        for record in records:
            assert asker.get(asker.path(kind, record["id"]))["id"] == record["id"]


def test_fields_that_come_by_id_only(asker):
    """customerNotes, serviceNotes, reminders and defaultReminders are not in lists."""
    listed = asker.all(asker.path("appointments"))
    by_id = [asker.get(asker.path("appointments", record["id"])) for record in listed]
    for field in ("customerNotes", "serviceNotes"):
        assert {record[field] for record in listed} == {None}
        assert any(record[field] for record in by_id)
    assert all(record["reminders"] == [] for record in listed)
    assert all(record["reminders"] for record in by_id)
    service = asker.all(asker.path("services"))[0]
    assert service["defaultReminders"] == []
    assert asker.get(asker.path("services", service["id"]))["defaultReminders"]


def test_late_members_of_enumerations_need_the_header(asker):
    """scheduler and teamMember came after the sentinel (Graph best practices, evolvable enums)."""
    roles = [record["role"] for record in asker.all(asker.path("staffMembers"))]
    assert roles.count("unknownFutureValue") == 2
    page = asker.get(asker.path("staffMembers"), Prefer="include-unknown-enum-members")
    roles = [record["role"] for record in page["value"]]
    assert {"scheduler", "teamMember"} <= set(roles) and "unknownFutureValue" not in roles


# -- calendarView --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query, code",
    [
        ("", "ErrorInvalidRequest"),
        ("?start=2026-11-01T00:00:00Z", "ErrorInvalidRequest"),
        ("?end=2026-11-01T00:00:00Z", "ErrorInvalidRequest"),
        ("?start=yesterday&end=2026-11-01T00:00:00Z", "ErrorInvalidParameter"),
        ("?start=2026-11-01T00:00:00&end=2026-11-02T00:00:00", "ErrorInvalidParameter"),
        (
            "?start=2026-11-02T00:00:00Z&end=2026-11-01T00:00:00Z",
            "ErrorCalendarEndDateIsEarlierThanStartDate",
        ),
    ],
)
def test_a_calendar_view_needs_a_window(asker, query, code):
    assert asker.error(asker.path(f"calendarView{query}"), 400) == code


@pytest.mark.parametrize("option", ["$filter", "$search", "$orderby"])
def test_options_that_bookings_refuses(asker, option):
    assert asker.error(asker.path(f"appointments?{option}=x"), 400) == "BadRequest"


def overlapping(records, start, end):
    return sorted(
        record["id"]
        for record in records
        if parse_moment(record["endDateTime"]["dateTime"]) > start
        and parse_moment(record["startDateTime"]["dateTime"]) < end
    )


@pytest.mark.parametrize("size, edits", [(120, 0), (120, 60), (3000, 20)])
def test_a_calendar_view_is_what_overlaps_the_window(size, edits):
    """200 random windows, on the second too, against a walk through all appointments."""
    rng = random.Random(size + edits)
    tenant = Tenant(1, ANCHOR, size)
    for _ in range(edits):
        tenant.apply(random_change(tenant, rng))
    records = tenant.appointments
    moments = [
        parse_moment(r[key]["dateTime"])
        for r in records
        for key in ("startDateTime", "endDateTime")
    ]
    asker = Asker(tenant, page_size=50)
    for _ in range(200 if size < 1000 else 12):
        start = rng.choice(moments) + dt.timedelta(seconds=rng.choice((-1, 0, 0, 1, 30, 3600)))
        end = start + dt.timedelta(seconds=rng.choice((1, 60, 3600, 86400, 86400 * 9, 86400 * 31)))
        got = [record["id"] for record in asker.all(asker.calendar(start, end))]
        # The sandbox keeps whole minutes: a window is widened to them.
        low, high = start.replace(second=0), end + dt.timedelta(seconds=-end.second % 60)
        assert sorted(got) == overlapping(records, low, high)
        assert set(overlapping(records, start, end)) <= set(got)


def test_an_offset_is_an_offset(asker):
    """start and end are read by their offset, whatever the zone of the business."""
    by_offset = asker.path(
        "calendarView?start=2026-11-02T02:00:00%2B02:00&end=2026-11-09T00:00:00.0000000Z"
    )
    plain = asker.calendar(
        dt.datetime(2026, 11, 2, tzinfo=UTC), dt.datetime(2026, 11, 9, tzinfo=UTC)
    )
    assert asker.all(by_offset) == asker.all(plain) != []


def test_a_calendar_that_holds_too_much(tenant):
    asker = Asker(tenant, range_limit=30)
    start, end = whole_window(tenant)
    assert asker.error(asker.calendar(start, end), 416) == ""
    assert asker.all(asker.calendar(start, start + dt.timedelta(days=14)))


# -- paging --------------------------------------------------------------------------------------


def test_next_links_are_opaque_and_complete(tenant):
    asker = Asker(tenant, page_size=25)
    pages = list(asker.pages(asker.path("appointments")))
    assert [len(page["value"]) for page in pages] == [25, 25, 25, 25, 20]
    links = [page.get("@odata.nextLink") for page in pages]
    assert links[-1] is None and len(set(links)) == 5
    assert all(link.startswith(asker.path("appointments?$skiptoken=")) for link in links[:-1])
    ids = [record["id"] for page in pages for record in page["value"]]
    assert ids == [record["id"] for record in tenant.appointments]


@pytest.mark.parametrize("token", ["nonsense", "W10", "WyJhcHBvaW50bWVudHMiXQ", "%00", "é"])
def test_skip_tokens_are_not_for_guessing(asker, token):
    assert asker.error(asker.path(f"appointments?$skiptoken={token}"), 400) == "BadRequest"


def test_a_skip_token_belongs_to_its_list(tenant):
    asker = Asker(tenant, page_size=5)
    token = asker.get(asker.path("customers"))["@odata.nextLink"].rpartition("=")[2]
    assert asker.error(asker.path(f"services?$skiptoken={token}"), 400) == "BadRequest"
    other = asker.path(f"customers?$skiptoken={token}", business=tenant.mailboxes[1].id)
    assert asker.error(other, 400) == "BadRequest"


# -- who may -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "Bearer é"]
)
def test_without_a_token_nothing_is_told(asker, header):
    headers = {} if header is None else {"Authorization": header.encode()}
    response = asker.session.get(asker.path("services"), headers=headers)
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_token_ends(tenant):
    now = [1_000_000.0]
    asker = Asker(tenant, clock=lambda: now[0])
    asker.get(asker.path("services"))
    now[0] += 3600
    assert asker.error(asker.path("services"), 401) == "InvalidAuthenticationToken"


def test_another_process_accepts_the_token(asker, tenant):
    other = Asker(Tenant(1, ANCHOR))
    other.token = asker.token
    assert other.get(other.path("services"))


def test_without_consent_access_is_denied(tenant):
    asker = Asker(tenant, permissions=("User.Read.All",))
    assert asker.error(asker.path("services"), 403) == "ErrorAccessDenied"


def test_what_an_importer_has_no_business_with(asker):
    """Writing, and bookingCurrencies with an application's token."""
    response = asker.session.post(
        asker.path("appointments"), headers={"Authorization": f"Bearer {asker.token}"}, json={}
    )
    assert response.status_code == 403
    currencies = f"{sandbox.GRAPH_URL}/solutions/bookingCurrencies"
    assert asker.error(currencies, 403) == "ErrorAccessDenied"


def test_errors_carry_ids_that_can_be_told_to_support(asker):
    sent = "11111111-2222-4333-8444-555555555555"
    response = asker.session.get(
        asker.path("nonsense"),
        headers={"Authorization": f"Bearer {asker.token}", "client-request-id": sent},
    )
    inner = response.json()["error"]["innerError"]
    assert inner["client-request-id"] == response.headers["client-request-id"] == sent
    assert inner["request-id"] == response.headers["request-id"]


# -- $batch --------------------------------------------------------------------------------------


def item(number, url, **more):
    return {"id": str(number), "method": "GET", "url": url, **more}


def path_of(asker, *parts):
    return asker.path(*parts).removeprefix(sandbox.GRAPH_URL)


def test_a_batch_answers_every_item_by_itself(asker, tenant):
    keys = [record["id"] for record in tenant.appointments[:3]]
    items = [item(n, path_of(asker, "appointments", key)) for n, key in enumerate(keys)]
    answers = asker.batch([*items, item(9, path_of(asker, "appointments", "AAMkNot="))])[
        "responses"
    ]
    by_id = {answer["id"]: answer for answer in answers}
    assert [by_id[str(n)]["body"]["id"] for n in range(3)] == keys
    assert by_id["9"]["status"] == 404
    assert by_id["9"]["body"]["error"]["code"] == "ErrorItemNotFound"
    assert [answer["id"] for answer in answers] != [str(n) for n in (0, 1, 2, 9)], "any order"


def test_a_batch_shares_the_four_places_at_a_mailbox(asker, tenant):
    """Beyond four items on one mailbox Graph throttles each by itself; others are not touched."""
    keys = [record["id"] for record in tenant.appointments[:6]]
    other = tenant.mailboxes[1].id
    items = [item(n, path_of(asker, "appointments", key)) for n, key in enumerate(keys)]
    items.append(item("x", f"/solutions/bookingBusinesses/{other}/services"))
    answers = {a["id"]: a for a in asker.batch(items)["responses"]}
    assert [answers[str(n)]["status"] for n in range(6)] == [200, 200, 200, 200, 429, 429]
    assert answers["5"]["headers"]["Retry-After"] == "1"
    assert answers["x"]["status"] == 200


def test_malformed_batches(asker):
    url = path_of(asker, "services")
    for items in (
        [],
        "x",
        [{"id": "1"}],
        [item(1, url), item(1, url)],
        [item("a", url), item("A", url)],
    ):
        asker.batch(items, status=400)
    code = asker.batch([item(n, url) for n in range(21)], status=400)["error"]["code"]
    assert code == "MaximumValueExceeded"
    assert asker.error(f"{sandbox.GRAPH_URL}/$batch", 405) == "BadRequest"
