"""Pages that arrive byte for byte as before are not parsed, and nothing else changes by that."""

import datetime
import json

import pytest

from bookings_invoicing.graph import client as client_module
from bookings_invoicing.graph.listed import PageMemory

from . import payloads
from .servers import answer

UTC = datetime.timezone.utc
BUSINESS = "b@example.com"
START = datetime.datetime(2026, 1, 1, tzinfo=UTC)
END = START + datetime.timedelta(days=7)
ROWS = [payloads.appointment(number) for number in range(4)]
IDS = [row["id"] for row in ROWS]


class Reader:
    """Reads the same calendar view again and again, as one process does, and keeps the digests of what it read."""

    def __init__(self, client, monkeypatch):
        self.client, self.kept, self.parsed = client, {}, 0
        client._listed = PageMemory()
        real = client_module.json_of

        def json_of(reply):
            self.parsed += 1
            return real(reply)

        monkeypatch.setattr(client_module, "json_of", json_of)

    def __call__(self, **options):
        """Return ``(IDs of unchanged rows, IDs of read records, number of parsed responses)``."""
        self.parsed = 0
        pages = list(self.client.calendar_view(BUSINESS, START, END, self.unchanged, **options))
        assert [page.complete for page in pages] == [False] * (len(pages) - 1) + [True]
        records = [record for page in pages for record in page.records]
        self.kept |= {record.id: record.digest for record in records}
        same = [key for page in pages for key in page.unchanged]
        return same, [record.id for record in records], self.parsed

    def unchanged(self, _window, digests):
        return [key for key, digest in digests.items() if self.kept.get(key) == digest]


@pytest.fixture
def read(client, monkeypatch):
    return Reader(client, monkeypatch)


def test_pages_as_before_are_not_parsed(server, read):
    """They are still requested, one after the other, and a changed page among them is parsed."""
    changed = ROWS[2] | {"price": 99}
    first = payloads.page(*ROWS[:2], next_link=f"{server.base}/v1.0/more")
    server.on("calendarView", answer(first))
    last = payloads.page(*ROWS[2:])
    server.on("more", answer(last), answer(last), answer(payloads.page(changed, ROWS[3])))
    assert read() == ([], IDS, 2)
    assert read() == (IDS, [], 0)
    assert read() == ([*IDS[:2], IDS[3]], [IDS[2]], 1)
    assert len(server.seen("calendarView")) == len(server.seen("more")) == 3


def test_what_is_stored_decides(server, read):
    """A row that is not stored as listed, any more or yet, is read from a page that arrives as before."""
    server.on("calendarView", answer(payloads.page(*ROWS)))
    read()
    del read.kept[IDS[1]]
    assert read() == ([IDS[0], *IDS[2:]], [IDS[1]], 1)
    assert read() == (IDS, [], 0)


@pytest.mark.parametrize("odd", [payloads.appointment(0), payloads.appointment(5, id=""), None])
def test_a_page_with_odd_rows_is_always_parsed(server, read, odd):
    """Rows with the ID of another, without an ID, or that are no objects."""
    server.on("calendarView", answer(payloads.page(*ROWS, odd)))
    read()
    assert read()[2] == 1


def test_an_unreadable_row_is_told_each_time(server, read):
    server.on("calendarView", answer(payloads.page(*ROWS, payloads.appointment(5, price="x"))))
    read()
    assert read() == (IDS, [], 1)


def test_customers_left_out_are_looked_up(server, read):
    """On the days when hidden rows are read by ID, a page as before hides them no less."""
    server.on("calendarView", answer(payloads.page(ROWS[0], ROWS[1] | {"customers": []})))
    server.on("$batch", lambda wire, request: answer(_responses(request))(wire, request))
    assert read()[:2] == ([], IDS[:2])
    assert read() == (IDS[:2], [], 0)
    same, records, _parsed = read(hidden_too=False)
    assert (same, records) == ([IDS[0]], [IDS[1]])
    assert len(server.seen("$batch")) == 2


def _responses(request):
    items = json.loads(request.body)["requests"]
    return {"responses": [{"id": one["id"], "status": 200, "body": ROWS[1]} for one in items]}


def test_a_cut_response_is_not_remembered(server, read):
    """A body that is not JSON is requested again; only what was read stands for its response."""
    whole = json.dumps(payloads.page(*ROWS)).encode()
    server.on("calendarView", answer(whole[:-9]), answer(whole), answer(whole[:-9]), answer(whole))
    assert read() == ([], IDS, 2)
    assert read() == (IDS, [], 2)
