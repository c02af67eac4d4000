"""The crash sweep of writing to Bookings, and the same sweep on an engine with mistakes: it must find each of them."""

import os

import pytest

from .outbox_crash import OutboxSweep
from .processes import last_line, run_module

LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))
BUGS = sorted(OutboxSweep.bugs)
# Hundreds of processes one after the other, thousands with --long: a busy machine may take its time.
pytestmark = pytest.mark.timeout(7200 if LONG else 1800)


@pytest.fixture(scope="module")
def found(environment, module_database):
    """What the sweep finds wrong in the engine as it is, and with each mistake put in."""
    every = "1" if LONG else "100"
    words = (module_database, "--every", every, "--bugs", *BUGS)
    return last_line(run_module(environment, "outbox_crash", *words))


def test_killed_anywhere_nothing_is_lost_and_nothing_twice(found):
    result = found["none"]
    assert result["in_peace"] == []
    assert result["violations"] == {}
    assert result["points"] > 20, "the sweep must reach the commits before and after each request"


@pytest.mark.parametrize("bug", BUGS)
def test_sweep_finds_seeded_bug(found, bug):
    """By a kill, and by nothing else: a mistake that shows in peace proves nothing of the sweep."""
    assert found[bug]["in_peace"] == []
    assert found[bug]["violations"], f"the sweep does not see {bug}"
