"""``./dev serve``: serve Odoo on this machine, and optionally the sandbox tenant over HTTPS."""

import argparse
import contextlib
import socket
import subprocess

from .. import databases, graph_server
from ..console import DevError, say, step
from ..environment import Environment
from ..paths import REPO

ADDON = "bookings_invoicing"


def main(args):
    """Serve a database until Ctrl-C, after creating it with the addon if necessary."""
    parser = argparse.ArgumentParser(prog="./dev serve")
    parser.add_argument("-d", "--database", default="demo")
    parser.add_argument("--port", default="8069", help="port of Odoo on 127.0.0.1")
    parser.add_argument("--graph", action="store_true", help="also serve the sandbox tenant")
    parser.add_argument("--graph-port", type=int, default=8443)
    options = parser.parse_args(args)
    check_port(options.port)
    env = Environment()
    if not databases.exists(env, options.database):
        with step(f"making the database {options.database} with the addon"):
            databases.create(env, options.database)
            databases.install(env, options.database, [ADDON])
    with contextlib.ExitStack() as stack:
        more = {}
        if options.graph:
            more = stack.enter_context(graph_server.running(env, options.graph_port))
        return serve(env, options.database, options.port, more)


def serve(env, database, port, more=None):
    """Run Odoo in the foreground. Ctrl-C stops it and is not an error."""
    check_port(port)
    command = env.odoo("-d", database, f"--db-filter=^{database}$", "--http-port", port)
    say(f"Odoo: http://127.0.0.1:{port}  login admin, password admin  (Ctrl-C stops it)")
    process = subprocess.Popen(
        command, cwd=REPO, env=env.variables(**(more or {})), stdin=subprocess.DEVNULL
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()
        return 0
    finally:
        if process.poll() is None:
            process.terminate()


def check_port(port):
    """Raise DevError if another process listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError:
            raise DevError(f"port {port} is in use; choose another one with --port") from None
