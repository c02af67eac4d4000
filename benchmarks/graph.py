"""Reading 10,000 appointments over HTTPS: the addon's client and a bare loop over the same pages.

The sandbox tenant's pages are made beforehand and served from a process of their own. ``floor`` is
``requests.get`` and ``json.loads`` for each page, ``floor_keepalive`` the same on one connection;
``peer`` is Microsoft's ``msgraph-sdk``, which reads fewer records and is scaled.
"""

import argparse
import asyncio
import contextlib
import datetime
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from devtools.graph_server import plain_package
from devtools.paths import REPO

from .runner import benchmark, scaled

COUNT, PEER_COUNT, PAGE, ROUNDS = scaled(10_000), scaled(1_000), 100, 5
FIRST = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
LAST = FIRST + datetime.timedelta(days=28)


@benchmark("graph_read")
def graph_read(_ctx):
    """Seconds for 10,000 appointments: the best of some rounds that alternate."""
    import requests

    with _tenant(COUNT) as server:
        memory_before = _peak_mb()
        times = {name: [] for name in ("value", "floor", "floor_keepalive")}
        for _ in range(ROUNDS):
            times["floor"].append(_timed(_bare, server, requests.get))
            times["value"].append(_timed(_ours, server))
            times["floor_keepalive"].append(_timed(_bare, server, requests.Session().get))
        memory = _peak_mb() - memory_before
    result = {name: min(seconds) for name, seconds in times.items()}
    result |= {"n": COUNT, "rss_mb": round(memory, 1)}
    with _tenant(PEER_COUNT) as server, contextlib.suppress(ImportError):
        seconds = min(_timed(_official, server) for _ in range(2))
        result |= {"peer": round(seconds * COUNT / PEER_COUNT, 4), "peer_n": PEER_COUNT}
    return result


def _timed(function, server, *args):
    start = time.perf_counter()
    count = function(server, *args)
    seconds = round(time.perf_counter() - start, 4)
    if count != server["count"]:
        raise ValueError(f"{function.__name__} read {count} of {server['count']} appointments")
    return seconds


def _peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _bare(server, get):
    seen, url = set(), _view(server)
    while url:
        reply = get(url, headers=server["headers"], verify=server["ca"], timeout=60)
        document = json.loads(reply.content)
        seen.update(row["id"] for row in document["value"])
        url = document.get("@odata.nextLink")
    return len(seen)


def _ours(server):
    graph = plain_package("graph")
    cloud = graph.Cloud("custom", server["login"], server["graph"], server["ca"])
    transport = graph.Transport(cloud)
    tokens = graph.token_source(cloud, transport, graph.ClientSecret(*server["credential"]))
    client = graph.BookingsClient(transport, tokens)
    seen = set()
    for page in client.calendar_view(server["business"], FIRST, LAST):
        if page.malformed:
            raise ValueError(page.malformed[0].reason)
        seen.update(appointment.id for appointment in page.records)
    transport.close()
    return len(seen)


def _official(server):
    """The same calendar views with the official client."""
    from azure.core.credentials import AccessToken
    from httpx import AsyncClient
    from kiota_authentication_azure.azure_identity_authentication_provider import (
        AzureIdentityAuthenticationProvider,
    )
    from msgraph import GraphRequestAdapter, GraphServiceClient

    class Known:
        def get_token(self, *_scopes, **_options):
            token = server["headers"]["Authorization"].removeprefix("Bearer ")
            return AccessToken(token, int(time.time()) + 3600)

    async def read():
        hosts = [server["graph"].split("/")[2].split(":")[0]]
        provider = AzureIdentityAuthenticationProvider(Known(), allowed_hosts=hosts)
        async with AsyncClient(verify=server["ca"], base_url=server["graph"]) as http:
            adapter = GraphRequestAdapter(provider, client=http)
            adapter.base_url = server["graph"]
            client = GraphServiceClient(request_adapter=adapter)
            business = client.solutions.booking_businesses.by_booking_business_id(
                server["business"]
            )
            seen = set()
            url = _view(server)
            while url:
                page = await business.calendar_view.with_url(url).get()
                seen.update(appointment.id for appointment in page.value)
                url = page.odata_next_link
            return len(seen)

    return asyncio.run(read())


def _view(server):
    query = f"start={FIRST:%Y-%m-%dT%H:%M:%SZ}&end={LAST:%Y-%m-%dT%H:%M:%SZ}"
    business = f"{server['graph']}/solutions/bookingBusinesses/{server['business']}"
    return f"{business}/calendarView?{query}"


@contextlib.contextmanager
def _tenant(count):
    """Addresses and credentials of a tenant that a process of its own serves."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.graph", str(count), folder]
        process = subprocess.Popen(
            command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(30)
            process.stdout.close()


class _Pages:
    """The sandbox's application, with ready-made bytes in place of its calendar views."""

    def __init__(self, app, rows):
        self.app, self.rows, self.replies = app, rows, []

    def make(self, base):
        """Writes the pages; ``base`` and a number are the address of each."""
        wire = plain_package("sandbox.wire")
        starts = range(0, len(self.rows), PAGE)
        for number, start in enumerate(starts, 1):
            page = {"value": self.rows[start : start + PAGE]}
            if number < len(starts):
                page["@odata.nextLink"] = f"{base}{number}"
            reply = wire.json_reply(200, page)
            length = {"Content-Length": str(len(reply.body))}
            self.replies.append(reply._replace(headers=reply.headers | length))

    def answer(self, request):
        """A page, or what the sandbox answers."""
        if "/calendarView" in request.path:
            return self.replies[int(request.query.get("number", 0))]
        return self.app.answer(request)


def main(argv=None):
    """Serve a tenant until stdin ends; the first line of stdout says where."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(argv)
    sandbox, graph = plain_package("sandbox"), plain_package("graph")
    serve = plain_package("sandbox.serve")
    # a tenth have nobody in their list of customers: the client would ask for those once more
    tenant = sandbox.Tenant(seed=1, anchor="2026-06-01", size=options.count * 5 // 4)
    rows = [row for row in tenant.iter_appointments(tenant.business_id) if row["customers"]]
    app = _Pages(sandbox.make_app(tenant), rows[: options.count])
    files = plain_package("sandbox.certificates").make_certificates(options.folder)
    server = serve.SandboxServer(app, "127.0.0.1", 0, files.certificate, files.key, files.ca)
    app.make(f"{server.graph_url}/solutions/bookingBusinesses/any/calendarView?number=")
    server.start()
    try:
        cloud = graph.Cloud("custom", server.login_url, server.graph_url, server.ca_file)
        transport = graph.Transport(cloud)
        credential = (sandbox.TENANT_ID, sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
        token = graph.token_source(cloud, transport, graph.ClientSecret(*credential)).token()
        transport.close()
        answer = {
            "graph": server.graph_url,
            "login": server.login_url,
            "ca": server.ca_file,
            "business": tenant.business_id,
            "count": options.count,
            "credential": credential,
            "headers": {"Authorization": f"Bearer {token}"},
        }
        print(json.dumps(answer), flush=True)
        sys.stdin.read()
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
