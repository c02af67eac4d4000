"""A tenant with 100,000 appointments is read in flat memory, page by page."""

import gc
import io
import json

import psutil
import requests
from requests.adapters import BaseAdapter
from urllib3.response import HTTPResponse

from bookings_invoicing import graph

from . import payloads
from .test_calendar import day

PAGES, ROWS = 1_000, 100
GROWTH = 64 * 2**20


def row(number):
    """An appointment with one customer; PAGE stands for the page's number."""
    raw = payloads.appointment(number, id=f"AAMk-PAGE-{number}")
    customer = {"customerId": f"c-PAGE-{number}", "name": f"Ada PAGE-{number}", "location": None}
    kept = ("id", "startDateTime", "endDateTime", "price", "priceType", "serviceName")
    return {key: raw[key] for key in kept} | {"customers": [customer]}


class Endless(BaseAdapter):
    """A Graph whose calendar has PAGES pages, made when they are asked for; each id occurs once."""

    def __init__(self):
        super().__init__()
        self.rows = json.dumps([row(number) for number in range(ROWS)])
        self.pages = 0

    def send(self, request, **_options):
        number, self.pages = self.pages, self.pages + 1
        link = f'"@odata.nextLink": "https://graph.example/v1.0/next?{number}", '
        rows = self.rows.replace("PAGE", f"{number:06d}")
        body = f'{{{link if number + 1 < PAGES else ""}"value": {rows}}}'.encode()
        response = requests.Response()
        response.status_code, response.request = 200, request
        response.raw = HTTPResponse(io.BytesIO(body), preload_content=False)
        return response

    def close(self):
        pass


class Known:
    """A token source without a sign-in."""

    mode = "application"

    def token(self, force=False):
        return "token"


def test_memory_stays_flat():
    """100,000 appointments; what is held at any page is no more than at the tenth, give or take."""
    cloud = graph.Cloud("custom", "https://login.example", "https://graph.example/v1.0")
    session = requests.Session()
    session.mount("https://", Endless())
    client = graph.BookingsClient(graph.Transport(cloud, session=session), Known())
    process, count, most, start = psutil.Process(), 0, 0, None
    for number, page in enumerate(client.calendar_view("b@example.com", day(0), day(28))):
        count += len(page.records)
        if number == 10:
            gc.collect()
            start = process.memory_info().rss
        elif number > 10:
            most = max(most, process.memory_info().rss)
    assert count == PAGES * ROWS
    assert most - start < GROWTH
