from odoo.tests import tagged

from .common import OrderCase


@tagged("post_install", "-at_install")
class TestOrderCredits(OrderCase):
    """Credit notes in the sales flow: Odoo would invoice the order line again, the booking waits
    for a person.
    """

    def _invoiced(self):
        booking = self.ready.filtered(lambda b: b.amount > 0)[:1]
        booking.action_create_invoices()
        move = self.invoice(booking.order_ids)
        move.action_post()
        return booking, move

    def test_credited_to_zero_needs_a_decision(self):
        booking, move = self._invoiced()
        self.credit(move)
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "credited"))

    def test_put_back_waits_on_its_order_and_is_invoiced_again(self):
        booking, move = self._invoiced()
        self.credit(move)
        booking.action_put_back()
        self.assertEqual(booking.status, "ordered")
        again = self.invoice(booking.order_ids)
        self.assertEqual(again.invoice_line_ids.booking_id, booking)
        self.assertEqual(booking.status, "drafted")

    def test_not_billable_after_a_credit_leaves_nothing_to_invoice(self):
        booking, move = self._invoiced()
        self.credit(move)
        booking.action_mark_not_billable("waived", "Goodwill")
        self.assertEqual(booking.status, "not_billable")
        self.assertEqual(booking.order_line_ids.qty_to_invoice, 0.0)
        booking.action_put_back()
        self.assertEqual(booking.status, "ready")

    def test_reverse_and_new_draft_moves_the_booking(self):
        booking, move = self._invoiced()
        wizard = self.env["account.move.reversal"].create(
            {"move_ids": move.ids, "journal_id": move.journal_id.id, "reason": "test"}
        )
        wizard.modify_moves()
        self.assertEqual(booking.status, "drafted")
        self.assertEqual(len(booking.invoice_line_ids.filtered("booking_live")), 1)

    def test_quantity_taken_back_on_the_order_credits_the_booking(self):
        """Delivered set to nothing and invoiced again: Odoo makes a credit note, which credits the
        booking.
        """
        booking, move = self._invoiced()
        booking.order_line_ids.qty_delivered = 0.0
        refund = booking.order_ids._create_invoices(final=True)
        self.assertEqual(refund.move_type, "out_refund")
        self.assertEqual(refund.invoice_line_ids.booking_id, booking)
        refund.action_post()
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "credited"))
