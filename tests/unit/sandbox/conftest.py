"""A tenant, and somebody who asks it things as a Microsoft client would."""

import datetime as dt
import json

import pytest

from bookings_invoicing import sandbox

ANCHOR = dt.date(2026, 11, 20)
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.timezone.utc)
TOKEN_URL = f"{sandbox.LOGIN_URL}/{sandbox.TENANT_ID}/oauth2/v2.0/token"
CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": sandbox.CLIENT_ID,
    "client_secret": sandbox.CLIENT_SECRET,
    "scope": "https://graph.sandbox.invalid/.default",
}


def whole_window(tenant):
    """(start, end) that hold every appointment that was generated."""
    midnight = dt.datetime.combine(tenant.anchor, dt.time(), dt.timezone.utc)
    return midnight - dt.timedelta(days=80), midnight + dt.timedelta(days=30)


class Asker:
    """Asks a tenant over a session, with a token, and reads lists to their end."""

    def __init__(self, tenant, session=None, **options):
        self.tenant = tenant
        self.session = session or sandbox.sandbox_session(tenant, **options)
        self.token = self.session.post(TOKEN_URL, data=CREDENTIALS).json().get("access_token")

    @property
    def app(self):
        return self.session.get_adapter(sandbox.GRAPH_URL).app

    def path(self, *parts, business=None):
        root = f"{sandbox.GRAPH_URL}/solutions/bookingBusinesses/"
        return root + "/".join((business or self.tenant.business_id, *parts))

    def get(self, url, status=200, **headers):
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        response = self.session.get(url, headers=headers)
        assert response.status_code == status, response.text
        return response.json()

    def error(self, url, status, **headers):
        return self.get(url, status, **headers)["error"]["code"]

    def pages(self, url):
        while url:
            page = self.get(url)
            yield page
            url = page.get("@odata.nextLink")

    def all(self, url):
        return [record for page in self.pages(url) for record in page["value"]]

    def calendar(self, start, end, business=None):
        times = "&".join(
            f"{name}={moment:%Y-%m-%dT%H:%M:%SZ}"
            for name, moment in (("start", start), ("end", end))
        )
        return self.path(f"calendarView?{times}", business=business)

    def batch(self, items, status=200):
        response = self.session.post(
            f"{sandbox.GRAPH_URL}/$batch",
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            data=json.dumps({"requests": items}),
        )
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture
def tenant():
    return sandbox.Tenant(seed=1, anchor=ANCHOR)


@pytest.fixture
def asker(tenant):
    return Asker(tenant)
