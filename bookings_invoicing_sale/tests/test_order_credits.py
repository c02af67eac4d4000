from odoo import Command
from odoo.exceptions import UserError
from odoo.modules.module import get_module_path, load_script
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
        self.assertEqual(booking.order_line_ids.qty_to_invoice, 0.0)
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
class TestHoursCreditedInPart(OrderCase):
    """Two hours at 100: what the order says is left is what the booking's ledger says is left."""

    def setUp(self):
        super().setUp()
        self.booking = self.ready.filtered(lambda b: b.price_unit_of == "hour")[0]
        self.booking.quantity = 2.0
        self.booking.price_unit = 100.0
        self.booking.action_create_invoices()
        self.order, self.line = self.booking.order_ids, self.booking.order_line_ids
        self.assertEqual((self.line.product_uom_qty, self.line.price_unit), (2.0, 100.0))

    def _draft(self):
        return self.invoice(self.order)

    def _credit(self, move, **values):
        refund = move._reverse_moves([{"invoice_date": "2026-03-12"}])
        refund.invoice_line_ids.write(values)
        refund.action_post()
        return refund

    def _assert_stands(self, invoiced, billed):
        self.assertEqual((self.line.qty_invoiced, self.booking.billed_amount), (invoiced, billed))
        self._assert_nothing_left()

        line = self.line
        self.assertEqual((line.untaxed_amount_to_invoice, line.amount_to_invoice), (0.0, 0.0))

    def _assert_nothing_left(self):
        self.assertEqual(self.line.qty_to_invoice, 0.0)
        self.assertNotEqual(self.order.invoice_status, "to invoice")
        before = self.order.invoice_ids
        with self.assertRaises(UserError):
            self.order._create_invoices(final=True)
        self.assertEqual(self.order.invoice_ids, before)

    def test_credited_hours_are_put_back_and_invoiced_as_hours(self):
        move = self._draft()
        move.action_post()
        self._credit(move, quantity=0.5)
        self._assert_stands(1.5, 150.0)
        self.booking.action_put_back()
        self.assertEqual(
            (self.line.qty_to_invoice, self.line.untaxed_amount_to_invoice), (0.5, 50.0)
        )
        again = self._draft()
        line = again.invoice_line_ids
        self.assertEqual((line.quantity, line.price_unit, line.price_subtotal), (0.5, 100.0, 50.0))
        self.assertEqual(line.product_uom_id, self.line.product_uom_id)
        again.action_post()
        self._assert_stands(2.0, 200.0)
        self.assertEqual(self.order.invoice_status, "invoiced")

    def test_credited_by_its_price_counts_as_the_hours_that_it_is_worth(self):
        move = self._draft()
        move.action_post()
        self._credit(move, price_unit=25.0)
        self._assert_stands(1.5, 150.0)
        self.booking.action_put_back()
        self._draft().action_post()
        self._assert_stands(2.0, 200.0)

    def test_part_that_is_no_whole_share_of_the_hours(self):
        move = self._draft()
        move.action_post()
        self._credit(move, quantity=1.0, price_unit=33.33)
        self.booking.action_put_back()
        again = self._draft()
        self.assertEqual(again.invoice_line_ids.price_subtotal, 33.33)
        again.action_post()
        self._assert_stands(2.0, 200.0)

    def test_credited_in_full_is_not_invoiced_again_with_all_the_others(self):
        move = self._draft()
        move.action_post()
        self.credit(move)
        self._assert_stands(0.0, 0.0)
        other = self.ready.filtered(lambda b: b.status == "ready" and b.amount > 0)[:1]
        other.action_create_invoices()
        moves = self.invoice(self.order | other.order_ids)
        self.assertEqual(moves.invoice_line_ids.filtered("product_id").booking_id, other)
        self.booking.action_put_back()
        self.assertEqual(self.line.qty_to_invoice, 2.0)
        self._draft().action_post()
        self._assert_stands(2.0, 200.0)

    def test_what_is_given_away_on_the_draft_does_not_come_back(self):
        move = self._draft()
        move.invoice_line_ids.quantity = 1.5
        self._assert_nothing_left()
        move.action_post()
        self._assert_stands(1.5, 150.0)
        self._credit(move, quantity=0.5)
        self._assert_stands(1.0, 100.0)
        self.booking.action_put_back()
        self._draft().action_post()
        self._assert_stands(1.5, 150.0)

    def test_an_hour_that_a_person_adds_to_the_order_is_invoiced_without_the_booking(self):
        self._draft().action_post()
        self.line.write({"product_uom_qty": 3.0, "qty_delivered": 3.0})
        self.assertEqual(self.line.qty_to_invoice, 1.0)
        extra = self._draft().invoice_line_ids
        self.assertEqual((extra.price_subtotal, extra.booking_id.ids), (100.0, []))
        self.assertEqual(self.line.qty_invoiced, 3.0)

    def test_part_of_an_order_with_a_discount_is_not_reduced_twice(self):
        self.line.discount = 10.0
        move = self._draft()
        move.action_post()
        self._assert_stands(2.0, 180.0)
        self._credit(move, quantity=0.5)
        self.booking.action_put_back()
        again = self._draft()
        self.assertEqual(again.invoice_line_ids.price_subtotal, 45.0)
        again.action_post()
        self._assert_stands(2.0, 180.0)

    def test_updating_the_addon_mends_what_orders_said_before(self):
        move = self._draft()
        move.action_post()
        self.credit(move)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sale_order_line SET qty_to_invoice = 2, invoice_status = 'to invoice' WHERE id = %s",
            self.line.ids,
        )
        self.env.invalidate_all()
        path = f"{get_module_path('bookings_invoicing_sale')}/migrations/19.0.1.0.1/post-migrate.py"
        load_script(path, "mended").migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        self._assert_stands(0.0, 0.0)

    def test_discount_given_on_the_draft_leaves_nothing(self):
        move = self._draft()
        move.invoice_line_ids.discount = 10.0
        move.action_post()
        self._assert_stands(2.0, 180.0)
        self.assertEqual(self.order.invoice_status, "invoiced")
        self.credit(move)
        self.booking.action_put_back()
        self._draft().action_post()
        self._assert_stands(2.0, 200.0)


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

    def test_what_leaves_its_order_follows_at_once(self):
        """The order is cancelled, its quotation or the line deleted: the list says what is billed next."""

        def cancel(order):
            order.action_cancel()

        def delete(order):
            order.action_cancel()
            order.action_draft()
            order.unlink()

        def delete_line(order):
            order.action_cancel()
            order.action_draft()
            order.order_line.unlink()

        for free in (cancel, delete, delete_line):
            with self.subTest(free.__name__), self.env.cr.savepoint() as trial:
                booking = self._changed()
                self._reprice(booking)
                free(booking.order_line_ids.filtered("booking_live").order_id)
                self.assertEqual(
                    (booking.status, booking.amount, booking.changed_since_billing),
                    ("ready", 321.0, False),
                )
                trial.rollback()
            self.env.invalidate_all()

    def test_what_a_person_changed_on_order_or_draft_is_kept(self):
        """On the order: discount, text and tax; on its draft: discount and account; both are said."""
        booking = self._changed()
        line = booking.order_line_ids
        tax = line.tax_ids.copy({"name": "Another tax", "amount": 5.0})
        line.write({"discount": 10.0, "name": "As agreed", "tax_ids": [Command.set(tax.ids)]})
        self._reprice(booking)
        booking.action_update_draft()
        self.assertEqual((line.discount, line.name, line.tax_ids), (10.0, "As agreed", tax))
        self.assertAlmostEqual(line.price_subtotal, 288.9, 2)
        self.assertIn("Discount", line.order_id.message_ids[0].body)
        move = self.invoice(line.order_id)
        account = move.invoice_line_ids.account_id.copy({"code": "499900"})
        move.invoice_line_ids.write({"account_id": account.id, "discount": 20.0})
        self.change(op="reprice", appointment=booking.appointment_id, price="100.00")
        self.setup._sync_run(full=True)
        booking.action_update_draft()
        self.assertAlmostEqual(line.price_subtotal, 90.0, 2)
        drafted = move.invoice_line_ids
        self.assertEqual((drafted.discount, drafted.account_id), (20.0, account))
        self.assertEqual((drafted.name, drafted.tax_ids), ("As agreed", tax))
        self.assertAlmostEqual(drafted.price_subtotal, 80.0, 2)
        self.assertIn("Account", move.message_ids[0].body)

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
        self.booking.sudo().write(
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
