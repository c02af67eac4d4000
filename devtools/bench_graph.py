"""Reading 10,000 appointments over HTTPS: the addon's client beside a bare loop over the same pages.

The sandbox tenant serves from a process of its own, and every page is asked for once before
anything is timed, so that its making does not count. ``floor`` is ``requests.get`` and
``json.loads``; ``peer`` is Microsoft's ``msgraph-sdk``, which reads fewer records and is scaled.
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

from .bench import benchmark
from .graph_server import plain_package
from .paths import REPO

COUNT, PEER_COUNT, ROUNDS = 10_000, 1_000, 3
ANCHOR = datetime.date(2026, 6, 1)
FIRST = datetime.datetime(2026, 3, 1, tzinfo=datetime.timezone.utc)
LAST = datetime.datetime(2026, 7, 1, tzinfo=datetime.timezone.utc)


@benchmark("graph_read")
def graph_read(_ctx):
    """Seconds for 10,000 appointments: best of some rounds that alternate."""
    with _tenant(COUNT) as server:
        urls = list(_window_urls(server))
        memory_before = _peak_mb()
        _bare(server, urls)
        rounds = [(_timed(_bare, server, urls), _timed(_ours, server)) for _ in range(ROUNDS)]
        memory = _peak_mb() - memory_before
    (floor, floor_count), (value, count) = (min(times) for times in zip(*rounds, strict=True))
    if not floor_count == count == COUNT:
        raise ValueError(f"the loops read {floor_count} and {count} appointments")
    result = {"value": value, "floor": floor, "n": count, "rss_mb": round(memory, 1)}
    with _tenant(PEER_COUNT) as server, contextlib.suppress(ImportError):
        seconds, read = min(_timed(_official, server) for _ in range(2))
        result |= {"peer": round(seconds * COUNT / read, 4), "peer_n": read}
    return result


def _timed(function, *args):
    start = time.perf_counter()
    count = function(*args)
    return round(time.perf_counter() - start, 4), count


def _peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _bare(server, urls):
    import requests

    seen = set()
    for url in urls:
        while url:
            reply = requests.get(url, headers=server["headers"], verify=server["ca"], timeout=60)
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
            business = client.solutions.booking_businesses.by_booking_business_id(server["business"])
            seen = set()
            for url in _window_urls(server):
                while url:
                    page = await business.calendar_view.with_url(url).get()
                    seen.update(appointment.id for appointment in page.value)
                    url = page.odata_next_link
            return len(seen)

    return asyncio.run(read())


def _window_urls(server):
    """The calendar views that our client asks for."""
    client = plain_package("graph.client")
    start = FIRST
    while start < LAST:
        stop = min(start + client.LONGEST_WINDOW, LAST)
        query = f"start={start:%Y-%m-%dT%H:%M:%SZ}&end={stop:%Y-%m-%dT%H:%M:%SZ}"
        business = f"{server['graph']}/solutions/bookingBusinesses/{server['business']}"
        yield f"{business}/calendarView?{query}"
        start = stop


@contextlib.contextmanager
def _tenant(count):
    """Addresses and credentials of a tenant that a process of its own serves."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "devtools.bench_graph", str(count), folder]
        process = subprocess.Popen(
            command, cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(30)
            process.stdout.close()


def main(argv=None):
    """Serve a tenant until stdin ends; the first line of stdout says where."""
    parser = argparse.ArgumentParser()
    parser.add_argument("count", type=int)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args(argv)
    sandbox, graph = plain_package("sandbox"), plain_package("graph")
    serve = plain_package("sandbox.serve")
    tenant = sandbox.Tenant(seed=1, anchor=ANCHOR, size=options.count, empty_customers=0)
    with serve.serving(tenant, options.folder, page_size=100) as server:
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
            "credential": credential,
            "headers": {"Authorization": f"Bearer {token}"},
        }
        print(json.dumps(answer), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    sys.exit(main())
