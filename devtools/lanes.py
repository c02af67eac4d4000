"""Parallel runs of pytest, with their output, counts, and logs."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from .console import DevError
from .paths import REPO

_print_lock = threading.Lock()


@dataclass
class Result:
    """The counts of a run, and its other problems as sentences."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    problems: list = field(default_factory=list)

    def add(self, other):
        """Add the counts and problems of another run."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.problems += other.problems


class Lane:
    """One of several parallel tasks. Its lines start with its name if others run at the same time."""

    def __init__(self, name, marked):
        self.name, self.marked = name, marked
        self.process, self.stopped = None, False
        self.result = Result(name)

    def say(self, line):
        """Print a line of this task."""
        with _print_lock:
            mark = f"{self.name:>5} | " if self.marked else ""
            print(f"{mark}{line}", flush=True)

    def stop(self):
        """Stop the running process, and start no other."""
        self.stopped = True
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def run(self, command, variables):
        """Run a process, print its lines, and return the exit code. Raises DevError if the lane was stopped."""
        if self.stopped:
            raise DevError("stopped")
        self.process = subprocess.Popen(
            command,
            cwd=REPO,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for line in self.process.stdout:
            self.say(line.rstrip("\n"))
        return self.process.wait()

    def pytest(self, env, args, **more):
        """Run pytest and add its counts."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "counts.json"
            command = [str(env.python), "-m", "pytest", "-p", "devtools.pytest_plugin"]
            command += ["-o", f"cache_dir={REPO / '.pytest_cache' / self.name}"]
            if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
                command.append("--color=yes")
            variables = env.variables(PYTHONUNBUFFERED=1, BOOKINGS_TEST_COUNTS=report, **more)
            code = self.run([*command, *args], variables)
            self.result.add(counted(self.name, report, code))


def counted(name, report, code):
    """Return the result from the counts of our plug-in and pytest's exit code."""
    result = Result(name)
    if report.exists():
        result = Result(name, **json.loads(report.read_text()))
    # 5 means that no test was selected, which is fine if another lane has tests.
    if code not in (0, 5) and not result.failed:
        result.failed += 1
        result.problems.append(f"{name}: pytest ended with exit code {code}")
    return result
