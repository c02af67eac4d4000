"""What may leave for Graph: without the permission nothing but reads, with it only what is listed."""

import json

import pytest

from bookings_invoicing import graph, sandbox
from bookings_invoicing.graph.writing import MAY_WRITE

from .servers import answer, graph_error

BUSINESS, APPOINTMENT = "b@example.com", "AAMk="
PLACE = f"/solutions/bookingBusinesses/{BUSINESS}/appointments/{APPOINTMENT}"
NOTES = json.dumps({"serviceNotes": "x"}).encode()
READS = json.dumps({"requests": [{"id": "0", "method": "GET", "url": PLACE}]}).encode()


def batch(*methods):
    return json.dumps({"requests": [{"method": one, "url": PLACE} for one in methods]}).encode()


LISTS = f"/solutions/bookingBusinesses/{BUSINESS}"
LISTED = [
    ("PATCH", PLACE, NOTES),
    ("POST", f"{LISTS}/customers", b'{"displayName": "x", "phones": []}'),
    ("PATCH", f"{LISTS}/customers/c", b'{"@odata.type": "x", "addresses": []}'),
    ("POST", f"{LISTS}/services", b'{"displayName": "x", "defaultPriceType": "free"}'),
    ("PATCH", f"{LISTS}/services/s", b'{"defaultPrice": 5, "description": "x"}'),
]
WRITES = [
    *LISTED,
    ("DELETE", PLACE, None),
    ("PUT", PLACE, NOTES),
    ("get", PLACE, None),
    ("POST", "/$batch", batch("GET", "PATCH")),
    ("POST", "/$batch", batch("get")),
    ("POST", "/$batch", b"[]"),
    ("POST", "/$batch", b'{"requests": {}}'),
    ("POST", "/$batch", b"not JSON"),
    ("POST", "/$batch", None),
    ("POST", "/$batch/", READS),
    ("POST", "/$batch?x", READS),
    ("POST", f"{PLACE}/cancel", b"{}"),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
@pytest.mark.parametrize("permission", [None, True, 1, "MAY_WRITE", object()])
def test_without_permission_only_reads_leave(
    server, make_transport, method, path, body, permission
):
    """No value but the one object is a permission; nothing reaches the server."""
    transport = make_transport(permission=permission)
    with pytest.raises(graph.SecurityError) as caught:
        transport.send(method, server.graph + path, token="t", body=body)
    assert caught.value.kind == "writing_not_allowed"
    assert server.journal == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *(one for one in WRITES if one not in LISTED),
        ("PATCH", PLACE, b'{"serviceNotes": "x", "customers": []}'),
        ("PATCH", PLACE, b'{"customers": []}'),
        ("PATCH", f"{PLACE}?x", NOTES),
        ("PATCH", f"{LISTS}/customers/c", NOTES),
        ("PATCH", f"{LISTS}/customers/c", b'{"id": "x"}'),
        ("PATCH", f"{LISTS}/customers/c/x", b'{"displayName": "x"}'),
        ("POST", f"{LISTS}/customers/c", b'{"displayName": "x"}'),
        ("DELETE", f"{LISTS}/customers/c", None),
        ("PATCH", f"{LISTS}/services/s", b'{"defaultPriceType": "free"}'),
        ("PATCH", f"{LISTS}/services/s", b'{"staffMemberIds": []}'),
        ("POST", f"{LISTS}/appointments", NOTES),
        ("POST", f"{LISTS}/staffMembers", b'{"displayName": "x"}'),
        ("PATCH", LISTS, b'{"displayName": "x"}'),
        ("PATCH", PLACE, b'["serviceNotes"]'),
    ],
)
def test_with_permission_only_what_is_listed_leaves(server, make_transport, method, path, body):
    """Nothing is deleted, and the customers of an appointment are never sent."""
    with pytest.raises(graph.SecurityError):
        make_transport(permission=MAY_WRITE).send(method, server.graph + path, token="t", body=body)
    assert server.journal == []


def test_what_may_be_sent(server, make_transport):
    server.on(APPOINTMENT, answer({}))
    server.on("/$batch", answer({"responses": []}))
    reader, writer = make_transport(), make_transport(permission=MAY_WRITE)
    for transport in (reader, writer):
        transport.send("GET", server.graph + PLACE, token="t")
        transport.send("POST", f"{server.graph}/$batch", token="t", body=READS)
    for method, path, body in LISTED:
        server.on(path, answer({}))
        writer.send(method, server.graph + path, token="t", body=body)
    methods = [one.method for one in server.journal]
    assert methods == ["GET", "POST"] * 2 + [method for method, _path, _body in LISTED]


@pytest.mark.parametrize(
    ("status", "code", "kind", "transient"),
    [
        (403, "ErrorAccessDenied", "write_denied", False),
        (400, "ErrorInvalidRequest", "write_refused", False),
        (409, "ErrorConflict", "write_refused", False),
        (500, "", "write_refused", False),
        (500, "ErrorInternalServerError", "unavailable", True),
        (503, "", "unavailable", True),
        (429, "TooManyRequests", "throttled", True),
        (404, "ErrorItemNotFound", "not_found", False),
        (404, "ErrorFolderNotFound", "mailbox_role_missing", False),
    ],
)
def test_a_refused_write_says_why_and_is_sent_once(
    server, make_client, status, code, kind, transient
):
    server.on(APPOINTMENT, answer(graph_error(code), status))
    notes = graph.ServiceNotes(make_client(permission=MAY_WRITE), BUSINESS)
    with pytest.raises(graph.GraphError) as caught:
        notes.write(APPOINTMENT, "x")
    assert (caught.value.kind, caught.value.transient) == (kind, transient)
    assert len(server.seen(APPOINTMENT)) == 1


def test_notes_come_and_go_to_the_letter():
    """Whatever people write: line ends, markup, emoji; nothing else of the appointment changes."""
    kept = []
    tenant = sandbox.Tenant(seed=1, anchor="2026-11-20", keep=kept.append)
    session = sandbox.sandbox_session(tenant, permissions=graph.permissions(True))
    transport = graph.Transport(sandbox.SANDBOX_CLOUD, session=session, permission=MAY_WRITE)
    secret = graph.ClientSecret(sandbox.TENANT_ID, sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
    client = graph.BookingsClient(transport, graph.token_source(transport.cloud, transport, secret))
    notes = graph.ServiceNotes(client, tenant.business_id)
    before = next(one for one in tenant.appointments if one["serviceNotes"])
    text = "  <b>Room 2</b>\r\n\t“x” & 😀\n\n "
    assert notes.read(before["id"]) == before["serviceNotes"]
    notes.write(before["id"], text)
    assert notes.read(before["id"]) == text
    after = next(one for one in tenant.appointments if one["id"] == before["id"])
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"serviceNotes", "lastUpdatedDateTime"}
    again = sandbox.Tenant(seed=1, anchor="2026-11-20", changes=kept)
    assert again.appointments == tenant.appointments
