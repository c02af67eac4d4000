"""Ways to a service billed twice or forgotten, each tried on purpose."""

import re
from datetime import timedelta

from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_ledger import LedgerCase


@tagged("post_install", "-at_install")
class TestTraps(LedgerCase):
    def setUp(self):
        super().setUp()
        alone = [one for one in self.bookings().grouped("appointment_id").values() if len(one) == 1]
        fixed = self.ready.filtered(lambda one: one.price_type == "fixedPrice")
        self.booking = next(one for one in fixed if one in alone)
        self.booking.price_unit = 100.0

    def _draft(self, bookings=None):
        run = self.env["bookings.booking"]._invoice_all(
            [("id", "in", (bookings or self.booking).ids)]
        )
        self.assertFalse(run.left_out_ids, run.result)
        return run.move_ids

    # -- what a person gave away on the invoice ----------------------------------------------------

    def test_discount_on_the_draft_is_no_credit(self):
        """Put back frees what was credited: a discount stays given."""
        move = self._draft()
        move.invoice_line_ids.discount = 10.0
        move.action_post()
        self.assertEqual((self.booking.billed_amount, self.booking.credited_amount), (90.0, 0.0))
        self.booking.action_put_back()
        self.assertEqual(self.booking.status, "invoiced")

    def test_discount_stays_given_where_a_part_is_credited(self):
        move = self._draft()
        move.invoice_line_ids.discount = 10.0
        move.action_post()
        refund = move._reverse_moves([{"invoice_date": "2026-03-12"}])
        refund.invoice_line_ids.write({"price_unit": 50.0, "discount": 0.0})
        refund.action_post()
        self.assertEqual(self.booking.credited_amount, 50.0)
        self.booking.action_put_back()
        self.assertEqual(self._draft().invoice_line_ids.price_subtotal, 50.0)

    def test_line_at_no_price_stays_billed(self):
        move = self._draft()
        move.invoice_line_ids.price_unit = 0.0
        move.action_post()
        self.booking.action_put_back()
        self.assertEqual((self.booking.status, self.booking.credited_amount), ("invoiced", 0.0))

    # -- what was prepared and given up --------------------------------------------------------------

    def test_prepared_credit_that_was_deleted_frees_nothing_later(self):
        """A refund out of kindness, long after a correction that came to nothing, needs a decision."""
        move = self.invoice(self.booking)
        prepared = self.booking.action_prepare_credit()
        self.env["account.move"].browse(prepared["res_id"]).unlink()
        self.credit(move)
        self.assertEqual(
            (self.booking.status, self.booking.attention_reason), ("attention", "credited")
        )

    def test_prepared_credit_that_was_cancelled_frees_nothing_later(self):
        move = self.invoice(self.booking)
        prepared = self.booking.action_prepare_credit()
        self.env["account.move"].browse(prepared["res_id"]).button_cancel()
        self.credit(move)
        self.assertEqual(self.booking.attention_reason, "credited")

    def test_prepared_credit_frees_once(self):
        self.invoice(self.booking)
        prepared = self.booking.action_prepare_credit()
        self.env["account.move"].browse(prepared["res_id"]).action_post()
        self.assertEqual(self.booking.status, "ready")
        again = self.invoice(self.booking)
        self.credit(again)
        self.assertEqual(
            (self.booking.status, self.booking.attention_reason), ("attention", "credited")
        )

    # -- what changed while it was billed ------------------------------------------------------------

    def test_price_taken_back_while_drafted(self):
        """Once it is free again, it costs what the rules say, not what was once typed."""
        self.assertNotEqual(self.booking.price, 100.0)
        move = self._draft()
        self.booking.action_reset_price()
        self.assertEqual(self.booking.amount, 100.0)
        move.unlink()
        self.assertEqual(self._draft().invoice_line_ids.price_subtotal, self.booking.price)

    def test_rule_changed_while_drafted(self):
        self.booking.action_reset_price()
        move = self._draft()
        self.booking.service_id.write({"billing_rule": "fixed", "rule_price": 77.0})
        self.assertEqual(move.invoice_line_ids.price_subtotal, self.booking.amount)
        move.unlink()
        self.assertEqual(self._draft().invoice_line_ids.price_subtotal, 77.0)

    def test_share_of_who_left_falls_to_the_others_when_its_draft_is_deleted(self):
        self.setup.group_price = "appointment"
        first, second = self.booking, self.booking.sudo().copy(
            {"attendee_key": "other", "appointment_id": self.booking.appointment_id}
        )  # fmt: skip
        pair = (first | second).sudo(False)
        pair.action_reset_price()
        whole = first.amount
        pair._share_appointment()
        self.assertAlmostEqual(sum(pair.mapped("amount")), whole, 2)
        move = self._draft(first)
        second.sudo().removed_on = first.start - timedelta(days=1)
        pair._share_appointment()
        move.unlink()
        self.assertEqual(second.status, "cancelled")
        self.assertEqual(self._draft(first).invoice_line_ids.price_subtotal, whole)

    # -- documents that become something else --------------------------------------------------------

    def test_draft_turned_into_a_credit_note_bills_nothing(self):
        move = self._draft()
        move.action_switch_move_type()
        self.assertEqual(move.move_type, "out_refund")
        self.assertFalse(move.invoice_line_ids.booking_live)
        self.assertEqual(self.booking.status, "ready")

    def test_reversal_of_a_credit_note_bills_it_again_once(self):
        """Odoo makes an invoice of it: the booking follows there, and is billed nowhere else."""
        refund = self.credit(self.invoice(self.booking))
        again = refund._reverse_moves([{"invoice_date": "2026-03-12"}])
        self.assertEqual(again.move_type, "out_invoice")
        again.action_post()
        self.assertEqual((self.booking.status, self.booking.billed_amount), ("invoiced", 100.0))

    def test_credited_invoice_taken_back_names_the_draft_that_bills_it_again(self):
        move = self.invoice(self.booking)
        prepared = self.booking.action_prepare_credit()
        self.env["account.move"].browse(prepared["res_id"]).action_post()
        again = self._draft()
        with self.assertRaisesRegex(UserError, re.escape(again.display_name)):
            move.button_draft()

    # -- runs ----------------------------------------------------------------------------------------

    def test_undone_while_queued_stays_undone(self):
        run = self.env["bookings.invoice.run"]._enqueue([self.booking.ids], {})
        run.action_undo()
        run._work_batch()
        self.assertEqual((run.state, self.booking.status), ("undone", "ready"))

    def test_archived_income_account_stops_before_the_draft(self):
        """Odoo would take the draft and refuse to confirm it."""
        account = self.company_data["default_account_revenue"].copy({"name": "Closed"})
        self.booking.product_id.property_account_income_id = account
        account.active = False
        self.booking._recheck_billing()
        self.assertEqual(
            (self.booking.status, self.booking.attention_reason), ("attention", "account")
        )
