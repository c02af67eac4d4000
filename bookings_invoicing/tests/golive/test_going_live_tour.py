from datetime import date

from odoo.tests import HttpCase, tagged

from ..common import BookingsCase


@tagged("post_install", "-at_install")
class TestGoingLive(BookingsCase, HttpCase):
    """A manager in a real browser: the first drafts; health board, checklist, rehearsal, day of billing."""

    frozen = False
    anchor = date.today()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.write({"login": "manager", "password": "manager", "name": "Mia Manager"})
        cls.setup.write({"service_sync": "off"})
        cls.connection.action_test()

    def test_from_the_board_to_the_day_of_billing(self):
        other = self.env["bookings.sync.setup"]._of_business(
            self.connection, self.tenant.mailboxes[1].id, self.company
        )
        other._read_services()
        self.start_tour("/odoo/bookings-health", "bookings_going_live", login="manager")
        self.assertIn("bill_from", self.setup.checklist_confirmed)
        self.assertEqual(self.setup.bill_from, date.today().replace(day=1))
        self.assertFalse(self.setup.service_ids.filtered(lambda s: not s.product_id))

    def test_first_drafts_take_at_most_eighteen_clicks(self):
        """From activation by the next step, each time, on the sandbox; the tour counts its clicks."""
        self.setup.unlink()
        self.connection.unlink()
        self.start_tour("/odoo/bookings-start", "bookings_first_hour", login="manager")
        setup = self.env["bookings.sync.setup"].search([])
        self.assertFalse(setup.checklist_open)
        drafted = self.env["bookings.booking"].search([("status", "=", "drafted")])
        self.assertGreater(len(drafted), 30)
        self.assertTrue(all(move.state == "draft" for move in drafted.move_ids))
