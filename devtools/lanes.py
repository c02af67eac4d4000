"""Runs of pytest side by side: their output, their counts, their log."""

import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from .console import DevError
from .paths import REPO

_print_lock = threading.Lock()


@dataclass
class Result:
    """Counts of a run, and what else went wrong in it (sentences)."""

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
    """One stream of work whose lines are marked with its name while others run beside it."""

    def __init__(self, name, marked):
        self.name, self.marked = name, marked
        self.process, self.stopped = None, False
        self.result = Result(name)

    def say(self, line):
        """Print a line of this lane."""
        with _print_lock:
            mark = f"{self.name:>5} | " if self.marked else ""
            print(f"{mark}{line}", flush=True)

    def stop(self):
        """End the running process, and start no other."""
        self.stopped = True
        if self.process and self.process.poll() is None:
            self.process.terminate()

    def run(self, command, variables):
        """Run a process to its end, passing its lines on; return the exit code.

        Raises DevError when the lane was stopped.
        """
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
        """Run pytest once and add its counts."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "junit.xml"
            command = [str(env.python), "-m", "pytest", f"--junitxml={report}"]
            command += ["-o", f"cache_dir={REPO / '.pytest_cache' / self.name}"]
            if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
                command.append("--color=yes")
            code = self.run([*command, *args], env.variables(PYTHONUNBUFFERED=1, **more))
            self.result.add(counted(self.name, report, code))


def counted(name, report, code):
    """Result from pytest's XML report and exit code."""
    result = Result(name)
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            broken = int(suite.get("failures")) + int(suite.get("errors"))
            skipped = int(suite.get("skipped"))
            result.failed += broken
            result.skipped += skipped
            result.passed += int(suite.get("tests")) - broken - skipped
    # 5 means that nothing was selected here, which is fine when another lane has something.
    if code not in (0, 5) and not result.failed:
        result.failed += 1
        result.problems.append(f"{name}: pytest ended with exit code {code}")
    return result
