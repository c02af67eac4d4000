"""The crash sweep of invoicing runs, and the same sweep on an engine with mistakes: it must find each of them."""

import os

import pytest

from . import invoicing_crash
from .crash import swept

LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))


def test_killed_anywhere_nothing_is_lost_and_nothing_twice(environment, crash_database):
    every = "1" if LONG else "60"
    result = swept(environment, "invoicing_crash", crash_database, "--every", every)["none"]
    assert result["in_peace"] == []
    assert result["violations"] == {}
    assert result["points"] > 30, "the sweep must reach the commits and statements of both runs"


@pytest.mark.parametrize("bug", sorted(invoicing_crash.InvoicingSweep.bugs))
def test_sweep_finds_seeded_bug(environment, crash_database, bug):
    if not LONG and bug != "drafts_before_their_run":
        pytest.skip("the engine with the other mistakes is swept by ./dev test --long")
    result = swept(environment, "invoicing_crash", crash_database, "--bugs", bug)[bug]
    assert result["in_peace"] == []
    assert result["violations"], f"the sweep does not see {bug}"
