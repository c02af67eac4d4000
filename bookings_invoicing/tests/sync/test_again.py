from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from ...models.sync.job import SyncJob
from ..common import NOW, BookingsCase


@tagged("post_install", "-at_install")
class TestSyncAgain(BookingsCase):
    """A setup that takes more than before reads what is older than its look-back."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync()

    def _ready(self):
        return self.bookings(status="ready", price_type="fixedPrice")[:1]

    def _older_than_the_look_back(self, service, day):
        """An appointment of that day, made after the synchronisations that would have read it."""
        self.setup.write({"look_back_days": 10})
        self.sync()
        self.change(
            op="create",
            start=f"{day}T09:00:00Z",
            service=service.remote_id,
            minutes=30,
            price="60.00",
            price_type="fixedPrice",
            attendees=[{"name": "Early Bird", "email": "early@example.com"}],
        )
        self.sync()
        self.assertFalse(self.bookings(name="Early Bird"))

    def test_earlier_day_of_billing_is_read_though_the_look_back_is_shorter(self):
        early = self.setup.bill_from - timedelta(days=20)
        self._older_than_the_look_back(self._ready().service_id, early)
        last = self.setup.last_appointment_sync
        self.setup.bill_from = early
        self.assertEqual(self.setup.last_appointment_sync, last, "it was read, and is not late")
        self.sync()
        self.assertEqual(self.bookings(name="Early Bird").status, "ready")
        self.assertFalse(self.setup.read_again, "once is enough")

    def test_wider_service_filter_is_read_though_the_look_back_is_shorter(self):
        """A wrong filter, corrected: what it removed comes back, and what was never read is read."""
        booking = self._ready()
        service, filtered = booking.service_id, booking.service_id.booking_ids
        before = {one: one.status for one in filtered}
        self.setup.service_filter = f"[('name', '!=', {service.name!r})]"
        self.assertFalse(self.setup.read_again, "who takes less has nothing to read")
        self._older_than_the_look_back(service, self.setup.bill_from + timedelta(days=3))
        self.setup.action_confirm_removals()
        self.assertTrue(booking.removed_on)
        self.setup.service_filter = False
        self.sync()
        self.assertEqual(self.bookings(name="Early Bird").status, "ready")
        self.assertFalse(filtered.filtered("removed_on"))
        self.assertEqual({one: one.status for one in filtered}, before)

    def test_what_is_asked_for_while_a_run_works_is_left_to_the_next(self):
        early = self.setup.bill_from + timedelta(days=3)
        self._older_than_the_look_back(self._ready().service_id, early)
        job = SyncJob(self.setup.sudo(), "button")
        windows = job._windows

        def meanwhile(*args):
            windows(*args)
            self.setup._ask_to_read_again()

        with patch.object(job, "_windows", meanwhile):
            self.assertEqual(job.run().state, "done")
        self.assertFalse(self.bookings(name="Early Bird"))
        self.sync()
        self.assertTrue(self.bookings(name="Early Bird"))

    def test_held_run_is_read_again_and_knows_when_they_were_last_seen(self):
        ids = sorted(set(self.bookings(status="ready").mapped("appointment_id")))[:30]
        last = self.setup.last_appointment_sync
        self.setup.bill_from -= timedelta(days=1)
        for appointment in ids:
            self.change(op="delete", appointment=appointment)
        with freeze_time(NOW + timedelta(hours=3)):
            self.assertEqual(self.sync().state, "held")
            self.assertTrue(self.setup.read_again)
            self.setup.action_confirm_removals()
            self.assertFalse(self.setup.read_again)
        gone = self.bookings().filtered("removed_on")
        self.assertEqual(set(gone.mapped("last_seen")), {last})
