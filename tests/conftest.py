"""Settings of the tests that pytest runs without Odoo's plug-in."""

import os

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.register_profile("long", deadline=None, max_examples=2000)
settings.load_profile("long" if os.environ.get("BOOKINGS_TEST_LONG") else "default")
