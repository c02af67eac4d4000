"""Every benchmark still runs, on a few records; ``--long``. A renamed method would stop one without anyone noticing."""

import json

import pytest

from benchmarks.runner import load


@pytest.mark.timeout(1800)
@pytest.mark.long
def test_every_benchmark_runs(dev):
    """Each measures something, and none doubts what it measured."""
    done = dev("bench", "--json", BOOKINGS_BENCH_N="40")
    measured = json.loads(done.stdout.splitlines()[-1])
    assert measured.keys() == load().keys()
    assert {name: one for name, one in measured.items() if not one.get("value", 0) > 0} == {}
    assert done.returncode == 0, done.stderr[-3000:]
