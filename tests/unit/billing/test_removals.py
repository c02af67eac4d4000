"""How many appointments may be missing before a user is asked."""

import pytest

from bookings_invoicing.billing.removals import are_few


@pytest.mark.parametrize(
    ("known", "missing", "hold"),
    [
        (0, 0, False),
        (1, 1, False),
        (20, 20, False),
        (21, 21, True),
        (200, 20, False),
        (200, 21, True),
        (201, 20, False),
        (1000, 100, False),
        (1000, 101, True),
    ],
)
def test_a_great_vanishing_is_held(known, missing, hold):
    assert are_few(missing, known) is not hold
