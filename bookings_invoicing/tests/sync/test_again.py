from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from ... import graph
from ...models.sync import job as sync_job
from ...models.sync.job import SyncJob
from ..common import NOW, BookingsCase
from ..setup.test_health import graph_answers


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
        """An appointment of that day, made after the synchronizations that would have read it."""
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
            found = windows(*args)
            self.setup._ask_to_read_again()
            return found

        with patch.object(job, "_windows", meanwhile):
            self.assertEqual(job.run().state, "done")
        self.assertFalse(self.bookings(name="Early Bird"))
        self.sync()
        self.assertTrue(self.bookings(name="Early Bird"))

    def test_filter_that_changes_while_a_run_looks_is_left_to_the_next(self):
        booking = self._ready()
        job = SyncJob(self.setup.sudo(), "button", full=True)
        look = job._look

        def meanwhile(appointment_ids):
            gone = look(appointment_ids)
            self.setup.service_filter = f"[('name', '!=', {booking.service_id.name!r})]"
            return gone

        with patch.object(job, "_look", meanwhile):
            self.assertEqual(job.run().state, "done")
        self.assertFalse(self.setup.last_look, "it did not look with this filter")
        self.assertEqual(booking.status, "ready")
        self.sync()
        self.assertTrue(booking.removed_on)

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

    def _older(self):
        """Two bookings of different appointments, older than a look-back of 20 days."""
        ready = self.bookings(status="ready", price_type="fixedPrice")
        old = ready.filtered(lambda one: one.stop < NOW - timedelta(days=21))
        return [rows[0] for rows in old.grouped("appointment_id").values()][:2]

    def _asked_for(self, work):
        """The appointments that are asked for by id meanwhile, and how many requests were sent."""
        asked = []
        read = graph.BookingsClient.appointments_by_id

        def noting(client, business, ids):
            ids = list(ids)
            asked.extend(ids)
            return read(client, business, ids)

        with patch.object(graph.BookingsClient, "appointments_by_id", noting):
            run = work()
        return set(asked), run.requests

    def test_what_a_user_canceled_is_not_looked_for(self):
        """Whoever marks a late cancellation may delete the appointment in Bookings as well."""
        appointment = self._ready().appointment_id
        canceled = self.bookings(appointment_id=appointment)
        canceled.action_late_cancel()
        self.assertEqual(set(canceled.mapped("status")), {"cancelled"})
        self.change(op="delete", appointment=appointment)
        asked, _requests = self._asked_for(self.sync)
        self.assertNotIn(appointment, asked)
        self.assertFalse(canceled.filtered("removed_on"))

    def test_what_no_window_covers_is_looked_at_by_what_costs_less(self):
        """Many close together by a window, few by id; what changed or is gone is found, what is new there as well."""
        self.setup.look_back_days = 20  # as many rows on a page as say that windows cost less
        self.sync()
        asked, usual = self._asked_for(self.sync)
        self.assertFalse(asked, "it was looked at within a day")
        old = self._older()
        gone, changed = old[0].appointment_id, old[1].appointment_id
        self.change(op="delete", appointment=gone)
        self.change(op="reprice", appointment=changed, price="12.34")
        self.setup.sudo().last_look = False
        with patch.object(sync_job.windows, "LOOK_WINDOW", timedelta(days=90)):
            asked, by_window = self._asked_for(self.sync)
        self.assertEqual(asked, {gone}, "the others are seen on the pages")
        self.assertTrue(old[0].removed_on)
        self.assertEqual(old[1].price, 12.34)
        self.setup.sudo().last_look = False
        with patch.object(sync_job.windows, "LOOK_WINDOW", timedelta(seconds=1)):
            asked, by_id = self._asked_for(self.sync)
        self.assertGreater(len(asked), 20)
        self.assertNotIn(gone, asked, "its booking is a question to a person now, and a tombstone")
        self.assertLess(by_window, by_id + 5)

    def test_automatic_drafts_look_first_at_what_they_bill(self):
        """Older than what is read, changed or removed since the last look: billed as it is now, or not at all."""
        self.setup.write({"auto_draft": "daily", "look_back_days": 1, "grouping": "booking"})
        self.sync()
        old = self._older()
        self.change(op="delete", appointment=old[0].appointment_id)
        self.change(op="reprice", appointment=old[1].appointment_id, price="12.34")
        with graph_answers(503):
            self.assertRaises(graph.TransientError, self.setup._auto_draft)
        self.assertFalse(self.setup.auto_drafted_on)
        with self.enter_registry_test_mode():  # a scheduled action claims with its own cursor
            self.setup._auto_draft(commit=lambda *_done: True)
        self.assertEqual(self.setup.auto_drafted_on, NOW.date())
        self.assertEqual((old[0].status, old[0].attention_reason), ("attention", "removed_after"))
        self.assertEqual(old[1].price, 12.34)
