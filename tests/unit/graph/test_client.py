"""Lists to their end: pages, loops, empty pages, and what a caller may conclude."""

import pytest

from bookings_invoicing.graph import ProtocolError, TransientError
from bookings_invoicing.graph import client as client_module

from . import payloads
from .servers import TOKEN, answer, graph_error

BUSINESS = "Bookings & Co@example.com"


def chain(server, part, pages):
    """Answers ``part`` with pages that lead from one to the next."""
    for number, rows in enumerate(pages):
        following = f"{server.graph}/{part}-{number + 1}/end" if number + 1 < len(pages) else None
        place = f"/{part}-{number}/end" if number else f"/{part}"
        server.on(place, answer(payloads.page(*rows, next_link=following)))


def test_pages_to_the_end(server, client):
    """Empty pages in between are no end; the last one says that it is the last."""
    rows = [[payloads.service(1), payloads.service(2)], [], [payloads.service(3)], []]
    chain(server, "services", rows)
    pages = list(client.services(BUSINESS))
    assert [len(page.records) for page in pages] == [2, 0, 1, 0]
    assert [page.complete for page in pages] == [False, False, False, True]
    assert {page.window for page in pages} == {None}


def test_a_page_is_read_when_it_is_asked_for(server, client):
    """Nothing is fetched ahead, so a caller may stop, commit or wait between pages."""
    chain(server, "services", [[payloads.service(1)], [payloads.service(2)]])
    pages = client.services(BUSINESS)
    assert server.journal == []
    next(pages)
    assert len(server.seen("services")) == 1
    next(pages)
    assert len(server.seen("services")) == 2


def test_the_address_is_encoded(server, client):
    """The business is one part of the path, whatever it is called; the token and the wish for
    unknown enum members go with each request.
    """
    chain(server, "services", [[]])
    list(client.services(BUSINESS))
    request = server.journal[-1]
    assert (
        request.target
        == "/v1.0/solutions/bookingBusinesses/Bookings%20%26%20Co@example.com/services"
    )
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["prefer"] == "include-unknown-enum-members"


@pytest.mark.parametrize("business_id", ["../../../me", "a/b", "a?b=c", "a#b", "a%2Fb"])
def test_a_business_cannot_lead_elsewhere(server, client, business_id):
    server.on("/services", answer(payloads.page()))
    list(client.services(business_id))
    assert server.journal[-1].target.count("/") == 5
    assert server.journal[-1].query == ""


@pytest.mark.parametrize("length", [1, 2, 3])
def test_loops(server, client, length):
    """A list that leads back to a page already read ends with an error, not for ever."""
    first = f"{server.graph}/solutions/bookingBusinesses/b@example.com/services"
    links = [first, *(f"{server.graph}/services-{number}/end" for number in range(1, length))]
    for number, link in enumerate(links):
        row = payloads.service(number)
        following = links[(number + 1) % length]
        server.on(link.removeprefix(server.base), answer(payloads.page(row, next_link=following)))
    seen = []
    with pytest.raises(ProtocolError) as caught:
        for page in client.services("b@example.com"):
            seen.append(page)
    assert caught.value.kind == "paging_loop"
    assert [page.complete for page in seen] == [False] * length
    assert len(server.seen("services")) == length


def test_endless_paging(server, client, monkeypatch):
    """Always another link: a limit ends it."""
    monkeypatch.setattr(client_module, "MOST_PAGES", 30)
    calls = iter(range(10_000))

    def another(wire, request):
        link = f"{server.graph}/services?{next(calls)}"
        answer(payloads.page(next_link=link))(wire, request)

    server.on("services", another)
    with pytest.raises(ProtocolError) as caught:
        list(client.services(BUSINESS))
    assert caught.value.kind == "paging_loop"
    assert len(server.seen("services")) == 30


def test_a_list_that_breaks_off_is_not_complete(server, client):
    """The pages read so far say that they are not the end."""
    chain(server, "services", [[payloads.service(1)], []])
    server.on("/services-1", answer(graph_error("x"), 500))
    pages = []
    with pytest.raises(TransientError):
        for page in client.services(BUSINESS):
            pages.append(page)
    assert [page.complete for page in pages] == [False]


def test_bad_rows_are_put_aside(server, client):
    server.on(
        "/customers", answer(payloads.page(payloads.customer(1), {"id": 5}, payloads.customer(2)))
    )
    (page,) = client.customers(BUSINESS)
    assert len(page.records) == 2
    assert page.malformed[0].kind == "customer"


def test_all_lists(server, client):
    """Each from its own place."""
    chain(server, "services", [[payloads.service()]])
    chain(server, "staffMembers", [[payloads.staff_member()]])
    chain(server, "customers", [[payloads.customer()]])
    chain(server, "customQuestions", [[payloads.question()]])
    server.on("bookingBusinesses/b@example.com", answer(payloads.business()))
    kinds = [
        type(next(read("b2@example.com")).records[0]).__name__
        for read in (client.services, client.staff, client.customers, client.custom_questions)
    ]
    assert kinds == ["Service", "StaffMember", "Customer", "Question"]
    assert client.business("b@example.com").name == "The Example"


def test_businesses(server, client):
    """The list has ids and names; a search narrows it."""
    row = {"id": "b@example.com", "displayName": "B"}
    server.on("/solutions/bookingBusinesses", answer(payloads.page(row)))
    (found,) = client.businesses()
    assert (found.id, found.name, found.currency) == ("b@example.com", "B", None)
    assert server.journal[-1].query == ""
    client.businesses(" M\u00fcller & Co ")
    assert server.journal[-1].query == "query=M%C3%BCller+%26+Co"
