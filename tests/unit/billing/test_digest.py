"""Equal content, equal digest, in every process; a change is never missed."""

import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.digest import content_hash

D = Decimal
UTC = timezone.utc
NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)
SAME = [
    (D("60"), D("60.000")),
    (D("0"), D("-0.00")),
    (D("1E+2"), D("100")),
    ((1, 2), [1, 2]),
    ({"a", "b"}, frozenset({"b", "a"})),
    (NOON, NOON.astimezone(timezone(timedelta(hours=2)))),
    (NOON, NOON.replace(tzinfo=None)),
    ({"x": 1, "y": 2}, {"y": 2, "x": 1}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_said_differently(one, other):
    assert content_hash({"value": one}) == content_hash({"value": other})


DIFFERENT = [
    *(None, "", 0, False, True, 1, "0", "1", [], {}, set(), [""], [None], ["a", "b"], ["b", "a"]),
    *(D("1"), D("1.01"), date(2026, 2, 3), datetime(2026, 2, 3), NOON, "2026-02-03"),
    *(timedelta(hours=1), timedelta(hours=1, microseconds=1), {"a"}, {"a": 1}, "é", "e\u0301"),
]


def test_what_differs_differs():
    digests = {content_hash({"value": value}) for value in DIFFERENT}
    assert len(digests) == len(DIFFERENT)


def test_neighbours_do_not_run_together():
    assert content_hash({"a": "1", "b": "23"}) != content_hash({"a": "12", "b": "3"})


@pytest.mark.parametrize("value", [object(), b"bytes", D("NaN"), float("nan"), float("inf")])
def test_what_has_no_content_is_refused(value):
    with pytest.raises((TypeError, ValueError)):
        content_hash({"value": value})


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.randoms())
def test_order_of_keys_does_not_count(content, random):
    keys = list(content)
    random.shuffle(keys)
    digest = content_hash(content)
    assert digest == content_hash({key: content[key] for key in keys})
    assert len(digest) == 32 and int(digest, 16) >= 0
    assert digest != content_hash({**content, "one more": 1})


def test_other_processes_agree():
    """Whatever the seed of string hashing is there."""
    source = Path(sys.modules[content_hash.__module__].__file__)
    program = (
        "import runpy, sys; content_hash = runpy.run_path(sys.argv[1])['content_hash'];"
        "print(content_hash({'set': {'a', 'b', 'c', 'd'}, 'n': None}))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-B", "-c", program, str(source)],
            env={"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {content_hash({"n": None, "set": {"d", "c", "b", "a"}})}
