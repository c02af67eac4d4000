"""A Microsoft 365 tenant with Bookings in a process: demo mode, tests, ``./dev serve --graph``.

>>> import datetime
>>> from bookings_invoicing.sandbox import Tenant
>>> tenant = Tenant(seed=1, anchor=datetime.date(2026, 3, 2))
>>> len(tenant.appointments), len(tenant.customers), len(tenant.services)
(120, 40, 10)

No ORM and no network in here. See ``tenant`` (the data), ``changes`` (what can be edited in it),
``app`` (its answers), ``adapter`` (in front of requests), ``serve`` (on a socket).
"""

from .adapter import GRAPH_URL, LOGIN_URL, SandboxAdapter, mount, sandbox_session
from .app import make_app
from .changes import OPERATIONS, ChangeError
from .faults import Faults
from .random_changes import random_change
from .serve import SandboxServer, serve, serving
from .tenant import CLIENT_ID, CLIENT_SECRET, TENANT_ID, Tenant


def __getattr__(name):
    # Lazy, so that the sandbox can be used where the client is not wanted.
    if name == "SANDBOX_CLOUD":
        from ..graph.clouds import Cloud

        return Cloud(name="sandbox", login_url=LOGIN_URL, graph_url=GRAPH_URL)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "GRAPH_URL",
    "LOGIN_URL",
    "OPERATIONS",
    "TENANT_ID",
    "ChangeError",
    "Faults",
    "SandboxAdapter",
    "Tenant",
    "make_app",
    "random_change",
    "mount",
    "sandbox_session",
    "serve",
    "serving",
]
