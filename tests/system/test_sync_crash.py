"""The crash sweep of the sync, and the same sweep on an engine with mistakes: it must find each of them."""

import os

import pytest

from . import sync_crash
from .crash import swept

LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))


def test_killed_anywhere_nothing_is_lost_and_nothing_twice(environment, crash_database):
    result = swept(environment, "sync_crash", crash_database, "--every", "1" if LONG else "10")[
        "none"
    ]
    assert result["violations"] == {}
    assert result["points"] > 50, "the sweep must reach the commits and statements of three pages"


@pytest.mark.skipif(not LONG, reason="the engine with mistakes is swept by ./dev test --long")
@pytest.mark.parametrize("bug", sorted(sync_crash.SyncSweep.bugs))
def test_sweep_finds_seeded_bug(environment, crash_database, bug):
    result = swept(environment, "sync_crash", crash_database, "--every", "10", "--bugs", bug)[bug]
    assert result["violations"], f"the sweep does not see {bug}"
