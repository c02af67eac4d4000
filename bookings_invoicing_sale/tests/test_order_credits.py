from odoo import Command
from odoo.exceptions import UserError
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

    def test_only_the_credited_part_is_invoiced_again(self):
        """Credited in part by its price, which Odoo takes for the whole quantity."""
        booking, move = self._invoiced()
        amount, part = booking.amount, round(booking.amount / 4, 2)
        refund = move._reverse_moves([{"invoice_date": "2026-03-12"}])
        refund.invoice_line_ids.price_unit = part
        refund.action_post()
        self.assertEqual((booking.status, booking.credited_amount), ("invoiced", part))
        booking.action_put_back()
        again = self.invoice(booking.order_ids)
        self.assertEqual(again.invoice_line_ids.booking_id, booking)
        self.assertAlmostEqual(again.invoice_line_ids._booking_amount(), part, 2)
        again.action_post()
        self.assertAlmostEqual(booking.billed_amount, amount, 2)

    def test_credited_in_part_is_billed_again_only_where_somebody_put_it_back(self):
        booking, move = self._invoiced()
        refund = move._reverse_moves([{"invoice_date": "2026-03-12"}])
        refund.invoice_line_ids.price_unit = round(booking.amount / 4, 2)
        refund.action_post()
        self.assertGreater(booking.order_line_ids.qty_to_invoice, 0.0)
        with self.assertRaises(UserError):
            booking.order_ids._create_invoices()
        self.assertEqual(booking.move_ids, move | refund)

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

    def test_prepared_credit_waits_on_the_order_for_its_new_invoice(self):
        """Credit and bill again: not a second order, but a new invoice from the same one."""
        booking, _move = self._invoiced()
        booking.action_prepare_credit()
        booking.invoice_line_ids.move_id.filtered(
            lambda m: m.move_type == "out_refund"
        ).action_post()
        self.assertEqual(booking.status, "ordered")
        booking.action_create_invoices()
        self.assertEqual(booking.order_count, 1)
        again = self.invoice(booking.order_ids)
        self.assertEqual((again.invoice_line_ids.booking_id, booking.status), (booking, "drafted"))
        again.action_post()
        self.assertEqual(booking.status, "invoiced")


@tagged("post_install", "-at_install")
class TestOrdersFollow(OrderCase):
    """What changes in Bookings after it was ordered."""

    def _changed(self):
        booking = self.ready.filtered(
            lambda b: b.price_type == "fixedPrice" and b.amount > 0 and not b.label
        )[:1]
        booking.action_create_invoices()
        return booking

    def _reprice(self, booking):
        self.change(op="reprice", appointment=booking.appointment_id, price="321.00")
        self.setup._sync_run(full=True)
        self.assertTrue(booking.changed_since_billing)

    def test_the_order_follows_on_request(self):
        booking = self._changed()
        old = booking.amount
        self._reprice(booking)
        self.assertAlmostEqual(booking.order_line_ids.price_subtotal, old, 2)
        booking.action_update_draft()
        self.assertEqual(booking.status, "ordered")
        self.assertAlmostEqual(booking.order_line_ids.price_subtotal, 321.0, 2)
        self.assertFalse(booking.changed_since_billing)

    def test_the_draft_follows_through_its_order(self):
        booking = self._changed()
        move = self.invoice(booking.order_ids)
        self._reprice(booking)
        booking.action_update_draft()
        self.assertEqual(booking.status, "drafted")
        line = move.invoice_line_ids.filtered(lambda line: line.booking_id == booking)
        self.assertAlmostEqual(line.price_subtotal, 321.0, 2)
        self.assertAlmostEqual(booking.order_line_ids.price_subtotal, 321.0, 2)
        self.assertEqual(booking.order_line_ids.qty_to_invoice, 0.0)


@tagged("post_install", "-at_install")
class TestOrderedQuantities(OrderCase):
    """Products invoiced by what was ordered, as Odoo does where nobody chooses."""

    invoice_policy = "order"

    def setUp(self):
        super().setUp()
        self.booking = self.ready.filtered(lambda b: b.price_type == "fixedPrice" and b.price)[:1]
        self.booking.action_create_invoices()
        self.order = self.booking.order_ids

    def test_what_leaves_a_locked_order_is_not_invoiced_there(self):
        line = self.booking.order_line_ids
        self.order.action_lock()
        self.change(op="reprice", appointment=self.booking.appointment_id, price=120)
        self.sync()
        self.booking.action_update_draft()
        self.assertEqual(self.booking.status, "ready")
        self.assertTrue(self.order.locked)
        self.assertEqual((line.product_uom_qty, line.qty_to_invoice), (0.0, 0.0))

    def test_another_service_with_another_product_is_followed(self):
        other = self.ready.service_id.filtered(
            lambda one: one.product_id and one.product_id != self.booking.product_id
        )[:1]
        self.booking.order_line_ids.qty_delivered = 1.0
        self.booking.write(
            {
                "pending_values": {"service_id": ["before", other.name, other.id]},
                "changed_since_billing": True,
            }
        )
        self.booking.action_update_draft()
        self.assertEqual(self.booking.status, "ordered")
        self.assertEqual(self.booking.order_line_ids.product_id, other.product_id)

    def test_another_purchase_order_leaves_the_order(self):
        self.booking.reference = "PO 9"
        self.booking.action_update_draft()
        self.assertEqual(self.booking.status, "ready")
        self.booking.action_create_invoices()
        self.assertEqual(
            self.booking.order_line_ids.filtered("booking_live").order_id.client_order_ref, "PO 9"
        )

    def test_undo_leaves_an_order_with_lines_of_other_people(self):
        run = self.env["bookings.invoice.run"].search([("order_ids", "in", self.order.ids)])
        product = self.env["product.product"].create({"name": "Towel", "type": "consu"})
        self.order.order_line = [Command.create({"product_id": product.id})]
        message = run.action_undo()["params"]["message"]
        self.assertIn(self.order.name, message)
        self.assertEqual(
            self.order.exists().order_line.product_id, product | self.booking.product_id
        )
