"""pytest plug-in of ``./dev test``: it writes the counts, measures real time, and fails browser tests that cannot run."""

import json
import os
from pathlib import Path

import freezegun
import pytest

COUNTS = "BOOKINGS_TEST_COUNTS"
CANNOT_RUN = ("Chrome", "chrome", "websocket-client")
OUTCOMES = {
    "passed": ("passed", "xpassed"),
    "failed": ("failed", "error"),
    "skipped": ("skipped", "xfailed"),
}


def pytest_configure():
    """Let pytest see the real time while a test freezes it: otherwise each class would last for months."""
    freezegun.configure(extend_ignore_list=["_pytest.timing"])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn Odoo's skip for a missing or broken browser into a failure."""
    report = yield
    reason = str(call.excinfo.value) if call.excinfo else ""
    if report.skipped and any(word in reason for word in CANNOT_RUN):
        report.outcome = "failed"
        report.longrepr = f"The browser test could not run: {reason}. Install Chromium."
    return report


def pytest_terminal_summary(terminalreporter):
    """Write the numbers in pytest's own summary line to the file in COUNTS."""
    if os.environ.get(COUNTS):
        stats = terminalreporter.stats
        numbers = {
            name: sum(len(stats.get(word, ())) for word in words)
            for name, words in OUTCOMES.items()
        }
        Path(os.environ[COUNTS]).write_text(json.dumps(numbers))
