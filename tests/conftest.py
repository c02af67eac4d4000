"""Settings of the tests that pytest runs without Odoo's plug-in."""

import os

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile("long" if os.environ.get("BOOKINGS_TEST_LONG") else "default")


def pytest_collection_modifyitems(config, items):
    """Leave out tests marked ``long``, unless ./dev test runs with --long."""
    if os.environ.get("BOOKINGS_TEST_LONG"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]
