"""Command line of ``./dev``."""

import importlib
import sys

from .console import DevError, say

COMMANDS = {
    "demo": "the main job on real Odoo with a sandbox tenant, then serve it",
    "test": "every test [--long] [pytest args]",
    "lint": "every check of the code, the XML and the translations",
    "bench": "the benchmarks [--json] [NAME...]",
    "odoo": "odoo-bin of the environment; makes the database where it is missing",
    "serve": "Odoo on 127.0.0.1:8069 [-d DB] [--graph]",
    "clean": "remove databases and caches that ./dev made",
}

EXPLAIN_THEMSELVES = ("demo", "odoo", "serve")


def usage():
    """Return the text of ``./dev help``."""
    rows = [f"  ./dev {name:6} {text}" for name, text in COMMANDS.items()]
    return "Usage:\n" + "\n".join(rows)


def main(argv):
    """Run a command and return the exit code."""
    name, args = (argv[0], argv[1:]) if argv else ("help", [])
    asks = name not in EXPLAIN_THEMSELVES and not {"-h", "--help"}.isdisjoint(args)
    if name in ("help", "-h", "--help") or (name in COMMANDS and asks):
        print(usage())
        return 0
    if name not in COMMANDS:
        say(f"unknown command {name!r}")
        print(usage(), file=sys.stderr)
        return 2
    command = importlib.import_module(f"devtools.commands.{name}")
    try:
        return command.main(args) or 0
    except DevError as error:
        say(f"ERROR: {error}")
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130
