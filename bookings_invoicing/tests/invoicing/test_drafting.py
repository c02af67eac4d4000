from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import BookingsCase


@tagged("post_install", "-at_install")
class TestInvoicing(BookingsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync()
        cls.ready = cls.env["bookings.booking"].search(
            [("status", "=", "ready")], order="start, id"
        )

    def test_one_draft_per_payer_one_line_per_booking(self):
        self.ready.action_create_invoices()
        lines = self.ready.invoice_line_ids
        self.assertEqual(len(lines), len(self.ready))
        self.assertEqual(lines.move_id.partner_id, self.ready.payer_id)
        self.assertEqual(len(lines.move_id), len(self.ready.payer_id))
        self.assertEqual(set(self.ready.mapped("status")), {"drafted"})
        for booking in self.ready:
            self.assertAlmostEqual(booking.invoice_line_ids.price_subtotal, booking.amount, 2)

    def test_second_time_bills_nothing(self):
        self.ready.action_create_invoices()
        before = self.env["account.move"].search_count([])
        self.ready.action_create_invoices()
        self.assertEqual(self.env["account.move"].search_count([]), before)

    def test_deleted_draft_brings_its_bookings_back(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        booking.move_ids.unlink()
        self.assertEqual(booking.status, "ready")

    def test_removed_line_brings_its_booking_back(self):
        bookings = self.ready.filtered(lambda b: b.payer_id == self.ready[0].payer_id)
        bookings.action_create_invoices()
        bookings[:1].invoice_line_ids.unlink()
        self.assertEqual(bookings[:1].status, "ready")

    def test_life_of_an_invoice(self):
        """Drafted, posted, reset, cancelled, revived: the booking follows."""
        booking = self.ready[:1]
        booking.action_create_invoices()
        move = booking.move_ids
        move.action_post()
        self.assertEqual(booking.status, "invoiced")
        move.button_draft()
        self.assertEqual(booking.status, "drafted")
        move.button_cancel()
        self.assertEqual(booking.status, "ready")
        move.button_draft()
        self.assertEqual(booking.status, "drafted")

    def test_credited_to_zero_needs_a_decision_then_can_be_billed_again(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        booking.move_ids.action_post()
        self._reverse(booking.move_ids)
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "credited"))
        booking.action_put_back()
        self.assertEqual(booking.status, "ready")
        booking.action_create_invoices()
        self.assertEqual(booking.status, "drafted")

    def test_reverse_and_new_draft_moves_the_booking(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        move = booking.move_ids
        move.action_post()
        new = self._reverse(move, modify=True)
        self.assertEqual(new.invoice_line_ids.booking_id, booking)
        self.assertEqual(booking.status, "drafted")

    def test_cancelled_invoice_cannot_come_back_beside_another(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        old = booking.move_ids
        old.button_cancel()
        booking.action_create_invoices()
        with self.assertRaisesRegex(UserError, "invoiced on"):
            old.button_draft()

    def test_copy_of_an_invoice_bills_no_booking(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        self.assertFalse(booking.move_ids.copy().invoice_line_ids.booking_id)

    def test_not_billable_and_back(self):
        booking = self.ready[:1]
        booking.action_mark_not_billable("waived", "First visit")
        self.assertEqual((booking.status, booking.not_billable_reason), ("not_billable", "waived"))
        booking.action_put_back()
        self.assertEqual(booking.status, "ready")

    def test_open_in_bookings_leads_to_the_calendar_of_its_cloud(self):
        booking = self.ready[:1]
        with self.assertRaisesRegex(UserError, "sandbox"):
            booking.action_open_in_bookings()
        self.connection.mode = "live"
        for cloud, host in (
            ("global", "outlook.office.com"),
            ("gcc_high", "outlook.office365.us"),
            ("dod", "outlook-dod.office365.us"),
        ):
            self.connection.cloud = cloud
            action = booking.action_open_in_bookings()
            self.assertEqual(
                (action["type"], action["target"], action["url"]),
                ("ir.actions.act_url", "new", f"https://{host}/bookings/calendar"),
            )

    def _reverse(self, move, modify=False):
        wizard = self.env["account.move.reversal"].create(
            {"move_ids": move.ids, "journal_id": move.journal_id.id, "reason": "test"}
        )
        before = self.env["account.move"].search([])
        if modify:
            wizard.modify_moves()
            return self.env["account.move"].search([]) - before - move.reversal_move_ids
        wizard.refund_moves()
        refund = move.reversal_move_ids
        refund.action_post()
        return refund
