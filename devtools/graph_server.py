"""Serve the sandbox tenant over HTTPS, for clients outside of the process."""

import argparse
import contextlib
import datetime
import importlib
import subprocess
import sys
import threading
import types
from pathlib import Path

from .console import DevError, say
from .paths import REPO, cache

HOST = "127.0.0.1"


@contextlib.contextmanager
def running(env, port, *extra):
    """Serve a tenant in a separate process.

    Yields the environment variables for the addon's cloud "custom". Raises DevError.
    """
    command = [env.python, "-m", "devtools.graph_server", "--port", port]
    command += ["--folder", cache() / "tls", *extra]
    process = subprocess.Popen(
        list(map(str, command)),
        cwd=REPO,
        env=env.variables(PYTHONUNBUFFERED=1),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        variables = _read_variables(process.stdout)
        if not variables:
            raise DevError(f"the sandbox tenant did not start; is port {port} in use?")
        yield variables
    finally:
        process.terminate()
        process.wait()


def _read_variables(stream):
    """Print the server's instructions up to the empty line, and return its variables."""
    variables = {}
    for line in stream:
        if not line.strip() and variables:
            break
        say(line.rstrip())
        words = line.split()
        if words[:1] == ["export"]:
            name, _equals, value = words[1].partition("=")
            variables[name] = value
    return variables


def main(argv=None):
    """Print instructions for clients and an empty line, then serve until interrupted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8443)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int)
    options = parser.parse_args(argv)
    options.folder.mkdir(parents=True, exist_ok=True)
    sandbox, serve = plain_package("sandbox"), plain_package("sandbox.serve")
    tenant = sandbox.Tenant(seed=options.seed, anchor=datetime.date.today(), size=options.size)
    with serve.serving(tenant, options.folder, HOST, options.port) as server:
        print(serve.instructions(server), end="\n\n", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


def plain_package(name, addon="bookings_invoicing"):
    """Import a part of an addon that does not need Odoo, without the addon's own ``__init__``."""
    if addon not in sys.modules:
        package = types.ModuleType(addon)
        package.__path__ = [str(REPO / addon)]
        package.__file__ = str(REPO / addon / "__init__.py")
        sys.modules[addon] = package
    return importlib.import_module(f"{addon}.{name}")


if __name__ == "__main__":
    sys.exit(main())
