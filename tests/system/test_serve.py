"""``./dev serve --graph``: Odoo answers, the tenant answers over HTTPS, Ctrl-C ends both."""

import os
import signal
import subprocess
import threading

import pytest
import requests

from devtools import databases
from devtools.console import free_port
from devtools.paths import REPO

DATABASE = f"bookings_serve_{os.getpid()}"


class Served:
    """A running ``./dev serve`` and what it has said so far."""

    def __init__(self, *words):
        self.lines, self.heard = [], threading.Condition()
        self.process = subprocess.Popen(
            [str(REPO / "dev"), "serve", *words],
            cwd=REPO,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Ctrl-C reaches a whole group, so the process needs one of its own.
            start_new_session=True,
        )
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self):
        for line in self.process.stdout:
            with self.heard:
                self.lines.append(line)
                self.heard.notify_all()
        with self.heard:
            self.heard.notify_all()

    def wait_for(self, text, seconds=300):
        """Wait until a line with the text was printed and return it."""

        def found():
            return [line for line in self.lines if text in line] or not self.listener.is_alive()

        with self.heard:
            assert self.heard.wait_for(found, seconds), f"{text!r} never came"
            return next(line for line in self.lines if text in line)

    def interrupt(self):
        """Ctrl-C; return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)


@pytest.fixture
def served_with_graph(environment):
    """``./dev serve --graph`` on free ports and a database of its own, dropped afterwards."""
    served = Served(
        *("-d", DATABASE, "--port", free_port(), "--graph", "--graph-port", free_port())
    )
    yield served
    if served.process.poll() is None:
        os.killpg(served.process.pid, signal.SIGKILL)
        served.process.wait()
    databases.drop(environment, DATABASE)


def test_serve_with_graph(served_with_graph):
    """Both addresses that it prints answer."""
    lines = served_with_graph
    graph = lines.wait_for("BOOKINGS_GRAPH_URL=").strip().partition("=")[2]
    bundle = lines.wait_for("BOOKINGS_CA_BUNDLE=").strip().partition("=")[2]
    address = next(word for word in lines.wait_for("Odoo: http").split() if "://" in word)
    lines.wait_for("Registry loaded")

    with requests.Session() as session:
        session.trust_env = False
        page = session.get(f"{address}/web/login", timeout=60)
        refused = session.get(f"{graph}/solutions/bookingBusinesses", verify=bundle, timeout=30)
    assert page.status_code == 200
    assert 'name="login"' in page.text
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert lines.interrupt() == 0
