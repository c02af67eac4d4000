"""A tenant, and somebody who asks it things as a Microsoft client would."""

import base64
import datetime as dt
import hashlib
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from bookings_invoicing import sandbox

ANCHOR = dt.date(2026, 11, 20)
LATER = "2026-11-27T09:30:00Z"
NOON = dt.datetime(2026, 11, 20, 12, tzinfo=dt.timezone.utc)
TOKEN_URL = f"{sandbox.LOGIN_URL}/{sandbox.TENANT_ID}/oauth2/v2.0/token"
CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": sandbox.CLIENT_ID,
    "client_secret": sandbox.CLIENT_SECRET,
    "scope": "https://graph.sandbox.invalid/.default",
}


def sign_in(session, login_url=sandbox.LOGIN_URL, hint="", scope="Bookings.Read.All"):
    """The token answer of a user who signs in with a code and PKCE."""
    verifier = "v" * 43
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    shared = {"client_id": sandbox.CLIENT_ID, "redirect_uri": "https://odoo.example/callback"}
    scopes = f"{scope} offline_access openid profile"
    root = f"{login_url}/{sandbox.TENANT_ID}/oauth2/v2.0"
    asked = {
        **shared,
        "response_type": "code",
        "scope": scopes,
        "login_hint": hint,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    answer = session.get(f"{root}/authorize", params=asked, allow_redirects=False)
    code = parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]
    form = {
        **shared,
        "client_secret": sandbox.CLIENT_SECRET,
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": verifier,
        "scope": scopes,
    }
    return session.post(f"{root}/token", data=form).json()


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


@pytest.fixture
def first(tenant):
    """An appointment with one customer, who is one of /customers."""
    known = {record["id"] for record in tenant.customers}
    return next(
        record
        for record in tenant.appointments
        if len(record["customers"]) == 1 and record["customers"][0]["customerId"] in known
    )


def read(tenant, record):
    asker = Asker(tenant)
    return asker.get(asker.path("appointments", record["id"]))


def differences(before, after):
    """Names of the properties that differ, without the time of the change."""
    skipped = {"lastUpdatedDateTime", "@odata.context"}
    return {key for key in before if key not in skipped and before[key] != after.get(key)}
