from datetime import date, timedelta

from freezegun import freeze_time

from odoo.tests import new_test_user, tagged

from ..connection_common import LiveCase

TODAY = date(2026, 3, 12)


@tagged("post_install", "-at_install")
class TestSecretExpiry(LiveCase):
    """A secret that ends is announced 30 and 7 days before, once each, to who is responsible."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.responsible = new_test_user(
            cls.env, "responsible", "account.group_account_manager", company_id=cls.company.id
        )
        cls.live.write({"user_id": cls.responsible.id, "secret_expiry": TODAY + timedelta(days=40)})

    def on(self, days_before):
        """What the responsible user has to do after the nightly job ran on that day, twice."""
        with freeze_time(TODAY + timedelta(days=40 - days_before, hours=0)):
            self.env["bookings.connection"]._cron_daily()
            self.env["bookings.connection"]._cron_daily()
        self.live.invalidate_recordset()
        return self.live.activity_ids

    def test_thirty_and_seven_days_before(self):
        self.assertFalse(self.on(31))
        first = self.on(30)
        self.assertEqual(len(first), 1)
        self.assertEqual(first.user_id, self.responsible)
        self.assertEqual(first.date_deadline, TODAY + timedelta(days=40))
        self.assertIn("2026-04-21", first.note)
        self.assertEqual(self.on(29), first)
        self.assertEqual(self.on(8), first)
        second = self.on(7)
        self.assertEqual(len(second), 1)
        self.assertNotEqual(second, first)
        self.assertEqual(self.on(-3), second)

    def test_done_means_done(self):
        self.on(30).action_feedback()
        self.assertFalse(self.on(20))
        self.assertTrue(self.on(6))

    def test_missed_nights(self):
        """A server that was off warns at once, and once."""
        self.assertEqual(len(self.on(5)), 1)

    def test_new_secret_ends_the_reminder(self):
        self.on(7)
        self.live.secret_expiry = TODAY + timedelta(days=700)
        self.live.invalidate_recordset()
        self.assertFalse(self.live.activity_ids)
        self.live.secret_expiry = TODAY + timedelta(days=40)
        self.assertEqual(len(self.on(30)), 1)

    def test_sandbox_has_no_secret(self):
        self.connection.secret_expiry = TODAY
        self.env["bookings.connection"]._cron_daily()
        self.assertFalse(self.connection.activity_ids)
