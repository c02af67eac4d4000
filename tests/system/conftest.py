"""Fixtures of the tests that use whole processes: Odoo, a browser, pip."""

import contextlib
import os
import subprocess
import time
import urllib.request

import pytest

from devtools import databases
from devtools.console import free_port
from devtools.environment import Environment
from devtools.paths import REPO

from ..unit import conftest as _stand_in  # noqa: F401 - makes bookings_invoicing importable


@pytest.fixture(scope="session")
def environment():
    """The environment of ./dev, the same one that runs these tests."""
    return Environment()


@pytest.fixture(scope="session")
def dev():
    """Run ``./dev`` with words and return the finished process (text output)."""

    def run(*words, **more):
        variables = {**os.environ, **more}
        return subprocess.run(
            [str(REPO / "dev"), *words],
            cwd=REPO,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def database(environment):
    """A database of this test's own with what the addon depends on; dropped afterwards."""
    with databases.temporary(environment, "bookings_check") as name:
        yield name


@pytest.fixture(scope="session")
def with_addon(environment):
    """Name of a database with the addon, to be copied only: installing takes ten times as long."""
    with databases.temporary(environment, "bookings_ready") as name:
        databases.install(environment, name, ["bookings_invoicing"])
        yield name


@pytest.fixture
def addon_database(environment, with_addon):
    """A database of this test's own with the addon; dropped afterwards."""
    with databases.temporary(environment, "bookings_check", source=with_addon) as name:
        yield name


@pytest.fixture(scope="module")
def module_database(environment, with_addon):
    """The same for the tests of one module."""
    with databases.temporary(environment, "bookings_check", source=with_addon) as name:
        yield name


@pytest.fixture(scope="session")
def served(environment):
    """Context manager: serve a database with Odoo and give the address; ends with the block."""

    @contextlib.contextmanager
    def serve(database, log, **variables):
        port = free_port()
        # Without scheduled actions: Odoo's own ones log their conflicts, too, and are not what is tested.
        command = environment.odoo(
            *("-d", database, f"--db-filter=^{database}$", "--http-port", port, "--logfile", log),
            "--max-cron-threads=0",
        )
        process = subprocess.Popen(
            command, cwd=REPO, env=environment.variables(**variables), stdin=subprocess.DEVNULL
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(30)

    return serve


def _wait_for(address, process, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{address}/web/health", timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail("Odoo did not start")
            time.sleep(0.1)
