"""Benchmarks: a register of them and what they are given.

A benchmark is a function in a module of ``benchmarks/``:

    @benchmark("graph_read")
    def graph_read(ctx):
        ...
        return {"value": 1.9, "floor": 0.7, "peer": 3.1, "n": 10000}

``value``, ``floor`` and ``peer`` are seconds for the same amount of work; ``floor`` is what no
program could undercut (the bare database or wire), ``copy`` a second, lower one, ``peer`` another program at the same job.
Lower is better. ``n`` counts the records, ``queries`` the SQL queries; ``rss_mb`` is added where it is
missing. Each benchmark runs in a process of its own. Modules must not import Odoo at their head.

With ``BOOKINGS_BENCH_N=40``, all work with 40 records where they usually have 10,000, so that a test sees in a short
time whether they still run.
"""

import argparse
import contextlib
import importlib
import json
import os
import resource
import subprocess
import sys
import time

from devtools import databases
from devtools.console import say
from devtools.environment import Environment
from devtools.odoo_process import odoo_environment
from devtools.paths import REPO

REGISTER = {}
MARK = "benchmark result: "
USUAL = 10_000  # records of most benchmarks


def scaled(number, least=1):
    """Return a number of records in proportion to BOOKINGS_BENCH_N, if it is set."""
    return max(least, number * int(os.environ.get("BOOKINGS_BENCH_N", USUAL)) // USUAL)


def benchmark(name):
    """Enter a function under a name."""

    def enter(function):
        if name in REGISTER:
            raise ValueError(f"two benchmarks are called {name}")
        REGISTER[name] = function
        return function

    return enter


class Context:
    """What a benchmark gets. ``env``: the environment of ./dev (paths, server, interpreter)."""

    def __init__(self, env):
        self.env = env

    @contextlib.contextmanager
    def database(self, *addons):
        """Name of a fresh database with these addons of ours installed; dropped at the end."""
        addons = addons or ("bookings_invoicing",)
        needed = databases.dependencies(databases.with_own_dependencies(addons))
        with databases.temporary(self.env, "bookings_bench", needed) as name:
            databases.install(self.env, name, addons)
            yield name

    @contextlib.contextmanager
    def odoo(self, *addons):
        """Odoo's superuser environment on such a database, in this process."""
        os.environ.update(self.env.variables())
        with self.database(*addons) as name:
            try:
                with odoo_environment(name) as odoo_env:
                    yield odoo_env
            finally:
                _close(name)

    @staticmethod
    @contextlib.contextmanager
    def timed(result, key="value"):
        """Put the seconds of the block into ``result[key]``."""
        start = time.perf_counter()
        yield
        result[key] = round(time.perf_counter() - start, 4)


def _close(name):
    import odoo.sql_db

    odoo.sql_db.close_db(name)


def load():
    """Import every module that may hold benchmarks and return the register."""
    for path in sorted((REPO / "benchmarks").glob("[!_]*.py")):
        importlib.import_module(f"benchmarks.{path.stem}")
    return REGISTER


def main(argv=None):
    """Run the benchmarks whose names begin with one of the given words, or all."""
    parser = argparse.ArgumentParser(prog="./dev bench")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args(argv)
    # Under ``python -m`` this module is loaded twice; the benchmarks know the other one.
    register = importlib.import_module("benchmarks.runner").load()
    if options.one:
        print(MARK + json.dumps(_measure(register[options.one])), flush=True)
        return 0
    chosen = [name for name in sorted(register) if name.startswith(tuple(options.names) or "")]
    if not chosen:
        say(f"no such benchmark; there are: {', '.join(sorted(register)) or 'none'}")
        return 2
    results = {}
    for name in chosen:
        results[name] = _in_own_process(name)
        _show(name, results[name])
    if options.json:
        print(json.dumps(results), flush=True)
    return 1 if any("error" in result for result in results.values()) else 0


def _measure(function):
    result = dict(function(Context(Environment())))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result.setdefault("rss_mb", round(peak / 1024, 1))
    return result


def _in_own_process(name):
    say(f"{name} ...")
    command = [sys.executable, "-m", "benchmarks.runner", "--one", name]
    done = subprocess.run(
        command, cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    for line in done.stdout.splitlines():
        if line.startswith(MARK):
            return json.loads(line.removeprefix(MARK))
        say(line)
    return {"error": f"ended with exit code {done.returncode}"}


def _show(name, result):
    parts = "  ".join(f"{key} {value}" for key, value in result.items())
    ratios = [
        f"{word} x{result['value'] / result[word]:.2f}"
        for word in ("floor", "copy", "peer")
        if result.get(word) and "value" in result
    ]
    print(f"{name:<18} {parts}  {'  '.join(ratios)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
