"""pytest plug-in: a browser test that cannot run fails instead of being skipped."""

import pytest

CANNOT_RUN = ("Chrome", "chrome", "websocket-client")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn Odoo's skip for a missing or broken browser into a failure."""
    report = yield
    reason = str(call.excinfo.value) if call.excinfo else ""
    if report.skipped and any(word in reason for word in CANNOT_RUN):
        report.outcome = "failed"
        report.longrepr = f"The browser test could not run: {reason}. Install Chromium."
    return report
