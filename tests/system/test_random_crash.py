"""Three processes draft, post, cancel, credit, delete, put back, mark and synchronize at random, and are killed one by one.

``--long``: 60 times. Judged by SQL alone: no booking on two live lines, none of a wrong status.
"""

import os

import pytest

from .processes import last_line, run_module

LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))
KILLS = 60 if LONG else 5
pytestmark = pytest.mark.timeout(3600)


def test_random_operations_and_kills_leave_no_booking_twice_and_no_wrong_status(
    environment, module_database
):
    found = last_line(
        run_module(environment, "random_crash", module_database, "--kills", str(KILLS))
    )
    assert found["violations"] == []
    assert found["errors"] == {}
    assert found["seen"], "the judge must see a status that is made wrong on purpose"
    assert found["kills"] == KILLS
    assert found["done"].get("draft"), found
    if LONG:
        assert len(found["done"]) == 9, found
