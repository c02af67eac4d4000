"""The sandbox behind requests: streaming, no network, faults by script."""

import gzip
import json

import pytest
import requests

from bookings_invoicing import sandbox
from bookings_invoicing.sandbox import Faults, Tenant, make_app, mount, sandbox_session

from .conftest import ANCHOR, CREDENTIALS, TOKEN_URL, Asker


def faulty(tenant, *script, **options):
    asker = Asker(tenant, faults=list(script), **options)
    return asker, asker.app.faults


def fetch(asker, url, **options):
    headers = {"Authorization": f"Bearer {asker.token}"}
    return asker.session.get(url, headers=headers, **options)


# -- the adapter ---------------------------------------------------------------------------------


def test_answers_can_be_streamed(asker):
    """In pieces by iter_content, and raw: what a client with a byte limit does."""
    url = asker.path("appointments")
    whole = fetch(asker, url).content
    response = fetch(asker, url, stream=True)
    pieces = list(response.iter_content(1000))
    assert b"".join(pieces) == whole and len(pieces) == -(-len(whole) // 1000)
    raw = fetch(asker, url, stream=True).raw
    assert raw.read(17) == whole[:17]
    assert raw.read() == whole[17:]


def test_compressed_answers(tenant):
    """As Graph does; raw bytes are gzip, content is not."""
    asker = Asker(tenant, compress=True)
    url = asker.path("appointments")
    response = fetch(asker, url, stream=True)
    assert response.headers["Content-Encoding"] == "gzip"
    raw = response.raw.read(decode_content=False)
    assert json.loads(gzip.decompress(raw)) == fetch(asker, url).json()
    plain = asker.session.get(
        url, headers={"Authorization": f"Bearer {asker.token}", "Accept-Encoding": "identity"}
    )
    assert "Content-Encoding" not in plain.headers


def test_no_other_host_is_reached(asker):
    for url in ("https://graph.microsoft.com/v1.0/me", "http://graph.sandbox.invalid/v1.0/me"):
        with pytest.raises(requests.exceptions.InvalidSchema):
            asker.session.get(url)


def test_a_mounted_app_leaves_other_hosts_to_others(tenant):
    session = requests.Session()
    adapter = mount(session, make_app(tenant))
    assert session.get_adapter("https://example.org/") is not adapter
    session.post(TOKEN_URL, data=CREDENTIALS)
    assert adapter.calls == 1


def test_bodies_of_every_kind_are_read(asker):
    """Text, bytes and a generator, as requests allows."""
    form = "&".join(f"{key}={value}" for key, value in CREDENTIALS.items())
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in (form, form.encode(), iter([form[:10].encode(), form[10:].encode()])):
        assert asker.session.post(TOKEN_URL, data=body, headers=kind).status_code == 200


def test_ids_with_a_slash_stay_one_segment(asker):
    """%2F in an id is not a path."""
    assert asker.error(asker.path("appointments", "AA%2FBB="), 404) == "ErrorItemNotFound"


def test_the_app_is_plain_wsgi(tenant):
    """Without RAW_URI, as other servers call it."""
    caught = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/v1.0/solutions/bookingBusinesses",
        "QUERY_STRING": "",
        "wsgi.url_scheme": "https",
        "HTTP_HOST": "somewhere.example:1",
    }
    body = b"".join(make_app(tenant)(environ, lambda status, headers: caught.append(status)))
    assert caught == ["401 Unauthorized"] and json.loads(body)["error"]["code"]


def test_unknown_options_are_refused(tenant):
    with pytest.raises(TypeError, match="pagesize"):
        sandbox_session(tenant, pagesize=5)


# -- faults --------------------------------------------------------------------------------------


def test_a_scripted_answer_at_one_occurrence(tenant):
    asker, faults = faulty(
        tenant,
        {
            "match": "services",
            "occurrence": 2,
            "status": 429,
            "headers": {"Retry-After": "2.128"},
            "body": {"error": {"code": "TooManyRequests", "message": "later"}},
        },
    )
    url = asker.path("services")
    statuses = [fetch(asker, url).status_code for _ in range(3)]
    assert statuses == [200, 429, 200]
    assert faults.unused() == []
    assert [method for method, _ in faults.journal] == ["POST", "GET", "GET", "GET"]


def test_faults_match_by_pattern_method_and_list(tenant):
    asker, faults = faulty(
        tenant,
        {"match": "*/customers", "occurrence": [1, 3], "status": 500, "body": ""},
        {"match": "*/customers", "method": "POST", "status": 418},
        {"match": "nowhere", "status": 500},
    )
    url = asker.path("customers")
    assert [fetch(asker, url).status_code for _ in range(4)] == [500, 200, 500, 200]
    assert [fault["match"] for fault in faults.unused()] == ["*/customers", "*nowhere*"]
    with pytest.raises(ValueError, match="when"):
        faults.add({"match": "x", "when": 1})
    with pytest.raises(ValueError):
        faults.add({"status": 500})


@pytest.mark.parametrize(
    "body", ["<html>Sign in to the hotel</html>", b"\x00\xff", "", {"value": []}]
)
def test_bodies_of_faults(tenant, body):
    asker, _ = faulty(tenant, {"match": "services", "occurrence": "all", "body": body})
    response = fetch(asker, asker.path("services"))
    assert response.status_code == 200
    wanted = json.dumps(body, separators=(",", ":")) if isinstance(body, dict) else body
    assert response.content == (wanted.encode() if isinstance(wanted, str) else wanted)


def test_a_broken_connection(tenant):
    asker, _ = faulty(tenant, {"match": "services", "disconnect": True})
    with pytest.raises(requests.ConnectionError):
        fetch(asker, asker.path("services"))
    assert fetch(asker, asker.path("services")).status_code == 200


def test_a_truncated_body(tenant):
    """The length is announced in full, so that a client can tell."""
    asker, _ = faulty(tenant, {"match": "services", "truncate": 100})
    response = fetch(asker, asker.path("services"), stream=True)
    assert int(response.headers["Content-Length"]) > 100
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        b"".join(response.iter_content(64))
    assert "X-Sandbox-Truncate" not in response.headers


def test_headers_added_to_the_real_answer(tenant):
    asker, _ = faulty(tenant, {"match": "services", "headers": {"Deprecation": "soon"}})
    response = fetch(asker, asker.path("services"))
    assert response.headers["Deprecation"] == "soon" and len(response.json()["value"]) == 10


def test_faults_inside_a_batch(tenant):
    fault = {"match": "appointments", "in_batch": True, "occurrence": 2, "status": 503, "body": ""}
    asker, faults = faulty(tenant, fault)
    keys = [record["id"] for record in tenant.appointments[:3]]
    root = asker.path("appointments").removeprefix(sandbox.GRAPH_URL)
    items = [{"id": str(n), "method": "GET", "url": f"{root}/{key}"} for n, key in enumerate(keys)]
    statuses = {a["id"]: a["status"] for a in asker.batch(items)["responses"]}
    assert statuses == {"0": 200, "1": 503, "2": 200}
    assert faults.unused() == []


def test_faults_on_the_login_host():
    faults = Faults([{"match": "oauth2/v2.0/token", "status": 503, "body": "busy"}])
    session = sandbox_session(Tenant(1, ANCHOR), faults=faults)
    assert session.post(TOKEN_URL, data=CREDENTIALS).status_code == 503
    assert session.post(TOKEN_URL, data=CREDENTIALS).status_code == 200
