from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import OrderCase


@tagged("post_install", "-at_install")
class TestOrders(OrderCase):
    def test_one_order_per_payer_one_line_per_booking(self):
        moves = self.env["account.move"].search_count([])
        self.ready.action_create_invoices()
        lines = self.ready.order_line_ids
        self.assertEqual(len(lines), len(self.ready))
        self.assertEqual(lines.order_id.partner_id, self.ready.payer_id)
        self.assertEqual(len(lines.order_id), len(self.ready.payer_id))
        self.assertEqual(set(lines.order_id.mapped("state")), {"sale"})
        self.assertEqual(set(self.ready.mapped("status")), {"ordered"})
        for line in lines:
            self.assertAlmostEqual(line.price_subtotal, line.booking_id.amount, 2)
            self.assertEqual(line.qty_delivered, line.product_uom_qty)
        self.assertEqual(self.env["account.move"].search_count([]), moves)

    def test_nothing_is_ordered_while_a_service_asks_who_came(self):
        asked = self.ready.filtered(lambda one: one.service_id == self.ready[0].service_id)
        asked.service_id.ask_attendance = "all"
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready.ids)])
        self.assertEqual(run.left_out_ids.booking_id, asked)
        self.assertIn("whether the attendee came", run.left_out_ids[0].reason)
        asked.action_came()
        asked.action_create_invoices()
        self.assertEqual(set(self.ready.mapped("status")), {"ordered"})
        asked[0].attendance = "unknown"
        self.assertEqual(asked[0].status, "ordered", "what is on a document stays there")

    def test_an_order_is_not_marked_as_invoiced_elsewhere(self):
        """Nor is a selection that holds one; when the order is canceled, it is."""
        ordered, other = self.ready[0], self.ready[1]
        ordered.action_create_invoices()
        wizard = self.env["bookings.not.billable"].with_context(
            active_ids=(ordered | other).ids, bookings_reason="billed_elsewhere"
        )
        with self.assertRaisesRegex(UserError, "already on an invoice or order"):
            wizard.create({"note": "INV/77"}).action_confirm()
        self.assertEqual((ordered.status, other.status), ("ordered", "ready"))
        ordered.order_ids.action_cancel()
        wizard.create({"note": "INV/77"}).action_confirm()
        self.assertEqual({one.not_billable_reason for one in ordered | other}, {"billed_elsewhere"})

    def test_the_run_names_and_opens_the_orders(self):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready.ids)])
        self.assertEqual(run.order_ids, self.ready.order_ids)
        self.assertEqual(run.booking_count, len(self.ready))
        self.assertIn("order", run.result)
        self.assertEqual(run._result_action()["res_model"], "sale.order")
        run.order_ids[0].with_context(disable_cancel_warning=True).action_cancel()
        run.order_ids[0].unlink()
        self.assertEqual(run.booking_count, len(run.order_ids.order_line.booking_id))

    def test_undo_removes_what_nobody_worked_on(self):
        """Orders of the run go, the one that is invoiced stays and is named."""
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready.ids)])
        kept = run.order_ids[0]
        self.invoice(kept)
        number = len(run.order_ids) - 1
        params = run.action_undo()["params"]
        self.assertIn(kept.name, params["message"])
        self.assertEqual(params["title"], f"{number} orders removed")
        self.assertIn(kept.name, run.removed_text)
        self.assertEqual((run.state, run.booking_count), ("done", len(kept.booking_ids)))
        self.assertEqual(run.order_ids.exists(), kept)
        self.assertEqual(set(kept.booking_ids.mapped("status")), {"drafted"})
        self.assertEqual(set((self.ready - kept.booking_ids).mapped("status")), {"ready"})

    def test_second_time_orders_nothing(self):
        self.ready.action_create_invoices()
        before = self.env["sale.order"].search_count([])
        self.ready.action_create_invoices()
        self.assertEqual(self.env["sale.order"].search_count([]), before)

    def test_create_invoices_carries_the_bookings_over(self):
        """Odoo's own wizard: one draft per customer, each line bills its booking at the booking's
        amount.
        """
        self.ready.action_create_invoices()
        moves = self.invoice(self.ready.order_ids)
        lines = moves.invoice_line_ids.filtered("product_id")
        self.assertEqual(lines.booking_id, self.ready)
        self.assertEqual(len(lines), len(self.ready))
        self.assertEqual(set(self.ready.mapped("status")), {"drafted"})
        for line in lines:
            self.assertAlmostEqual(line.price_subtotal, line.booking_id.amount, 2)
            self.assertEqual(line.name, line.sale_line_ids.name)
        for move in moves:
            days = [booking._last_day() for booking in move.booking_ids]
            self.assertEqual(move.delivery_date, max(days))
        moves.action_post()
        self.assertEqual(set(self.ready.mapped("status")), {"invoiced"})
        self.assertTrue(all(self.ready.mapped("billed_before")))

    def test_early_discount_that_always_reduces_the_tax(self):
        """The preview is the order's invoice to the cent; Odoo rounds the discount on the order another way."""
        payer = self.ready[0].payer_id
        theirs = self.ready.filtered(lambda one: not one.service_id.no_tax)[:5]
        theirs.payer_id = payer
        payer.property_payment_term_id = self.env["account.payment.term"].create(
            {
                "name": "2 % in 10 days",
                "early_discount": True,
                "discount_percentage": 2.0,
                "discount_days": 10,
                "early_pay_discount_computation": "mixed",
            }
        )
        theirs.product_id.taxes_id = self.env["account.tax"].create(
            {"name": "21 %", "amount": 21.0, "type_tax_use": "sale"}
        )
        names = ("amount_untaxed", "amount_tax", "amount_total")
        for method in ("round_per_line", "round_globally"):
            self.company.tax_calculation_rounding_method = method
            with self.subTest(method=method):
                for booking, price in zip(theirs, (21.24, 21.24, 21.24, 21.24, 18.1), strict=True):
                    booking.write({"price_unit": price, "quantity": 1.0})
                preview = self.env["bookings.invoice.preview"].create({"booking_ids": theirs.ids})
                shown = [preview.line_ids[name] for name in names]
                run = self.env["bookings.booking"]._invoice_all([("id", "in", theirs.ids)])
                move = self.invoice(run.order_ids)
                self.assertEqual([move[name] for name in names], shown)
                self.assertLess(move.amount_tax, 21.64)  # 21 % of 103.06, without the discount
                move.unlink()
                run.order_ids._action_cancel()

    def test_life_of_an_order(self):
        """Ordered, drafted, draft deleted, order cancelled, revived: the booking follows."""
        booking = self.ready[:1]
        booking.action_create_invoices()
        order = booking.order_ids
        self.invoice(order).unlink()
        self.assertEqual(booking.status, "ordered")
        order.action_cancel()
        self.assertEqual(booking.status, "ready")
        order.action_draft()
        self.assertEqual(booking.status, "ordered")
        order.action_cancel()
        order.unlink()
        self.assertEqual(booking.status, "ready")

    def test_cancelled_order_takes_its_draft_invoice_along(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        self.invoice(booking.order_ids)
        booking.order_ids.action_cancel()
        self.assertEqual(booking.status, "ready")

    def test_cancelled_order_with_a_posted_invoice_stays_invoiced(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        self.invoice(booking.order_ids).action_post()
        booking.order_ids.action_cancel()
        self.assertEqual(booking.status, "invoiced")
        booking.move_ids.button_draft()
        booking.move_ids.button_cancel()
        self.assertEqual(booking.status, "ready")

    def test_cancelled_order_cannot_come_back_beside_another(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        old = booking.order_ids
        old.action_cancel()
        booking.action_create_invoices()
        with self.assertRaisesRegex(UserError, "billed on"):
            old.action_draft()
        self.assertEqual(len(booking.order_line_ids.filtered("booking_live")), 1)

    def test_the_database_refuses_two_live_order_lines(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        line = booking.order_line_ids
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(Exception) as caught,
            self.cr.savepoint(),
        ):
            self.env["sale.order.line"].sudo().create(
                {
                    "order_id": line.order_id.copy({"order_line": []}).id,
                    "product_id": line.product_id.id,
                    "booking_id": booking.id,
                }
            )
            self.env.flush_all()
        self.assertIn("booking_live", str(caught.exception))

    def test_copy_of_an_order_bills_no_booking(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        self.assertFalse(booking.order_ids.copy().order_line.booking_id)
        self.assertEqual(booking.order_count, 1)

    def test_order_goes_to_whom_odoo_would_choose_now(self):
        """The invoice address was archived in a way that no method saw."""
        booking = self.ready[:1]
        address = self.env["res.partner"].create(
            {"name": "Accounts", "type": "invoice", "parent_id": booking.partner_id.id}
        )
        self.assertEqual(booking.payer_id, address)
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_partner SET active = false WHERE id = %s", [address.id])
        self.env.invalidate_all()
        self.assertEqual(booking.payer_id, address)
        booking.action_create_invoices()
        self.assertEqual(booking.order_ids.partner_id, booking.partner_id)

    def test_ordered_bookings_keep_price_and_payer(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        with self.assertRaises(UserError):
            booking.price_unit = 1.0
        with self.assertRaises(UserError):
            booking.action_mark_not_billable("waived")

    def test_ordered_bookings_cannot_be_deleted(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        booking.order_ids.action_cancel()
        with self.assertRaises(UserError):
            booking.sudo().unlink()

    def test_changing_a_quantity_keeps_the_agreed_price(self):
        booking = self.ready.filtered(lambda b: b.price_unit > 0)[:1]
        booking.product_id.lst_price = 1234.0
        booking.action_create_invoices()
        line = booking.order_line_ids
        line.product_uom_qty = 2
        self.assertAlmostEqual(line.price_unit, booking.price_unit, 6)

    def test_orders_of_other_journals_never_share_an_invoice(self):
        """Consolidated billing joins what may be joined: journal and purchase order keep bookings
        apart.
        """
        payer = self.ready.payer_id[:1]
        mine = self.ready.filtered(lambda b: b.payer_id == payer)
        other = self.ready.filtered(lambda b: b.payer_id != payer)[:1]
        mine.action_create_invoices()
        other.payer_id = payer
        other.action_create_invoices()
        orders = mine.order_ids | other.order_ids
        self.assertEqual(len(orders), 2)
        orders[0].client_order_ref = "PO 1"
        orders[1].client_order_ref = "PO 2"
        self.assertEqual(len(self.invoice(orders)), 2)

    def test_an_accountant_needs_no_role_in_sales(self):
        accountant = new_test_user(
            self.env,
            "orders-accountant",
            "account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        booking = self.ready[:1]
        booking.with_user(accountant).action_create_invoices()
        self.assertEqual(booking.status, "ordered")
        nobody = new_test_user(
            self.env,
            "orders-nobody",
            "bookings_invoicing.group_auditor",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self.ready[1:2].with_user(nobody).action_create_invoices()

    def test_list_prices_follow_the_taxes_of_the_payer_and_the_unit_of_the_product(self):
        """100 an hour without tax: 106 for who pays 6 %, 800 a day is 100 an hour; withheld taxes are no part of it."""
        booking = self.ready.filtered("product_id")[0]
        booking.service_id.write({"billing_rule": "pricelist", "rounding": "none"})
        vat, reduced, withheld = self.env["account.tax"].create(
            [
                {"name": name, "amount": amount, "type_tax_use": "sale"}
                | {"price_include_override": "tax_excluded", "company_id": self.company.id}
                for name, amount in (("21", 21.0), ("6", 6.0), ("-15", -15.0))
            ]
        )
        position = self.env["account.fiscal.position"].create({"name": "Elsewhere"})
        reduced.write({"fiscal_position_ids": position.ids, "original_tax_ids": vat.ids})
        booking.payer_id.property_account_position_id = position
        day = self.env.ref("uom.product_uom_day")
        booking.product_id.write({"taxes_id": vat.ids, "list_price": 800.0, "uom_id": day.id})
        booking.sudo().stop = booking.start + timedelta(hours=1)
        self.setup.price_tax = "included"
        for taxes, untaxed, total in ((vat, 100.0, 106.0), (vat + withheld, 100.0, 91.0)):
            booking.product_id.taxes_id = taxes
            booking._recheck_billing()
            booking.action_create_invoices()
            order = booking.order_line_ids.order_id
            self.assertEqual((order.amount_untaxed, order.amount_total), (untaxed, total))
            order._action_cancel()
            self.assertEqual(booking.status, "ready")
            booking.order_line_ids.unlink()

    def test_foreign_currency_orders_are_in_the_business_currency(self):
        foreign = self.env.ref("base.CHF")
        foreign.active = True
        self.setup.currency_id = foreign
        booking = self.ready[:1]
        booking.action_create_invoices()
        order = booking.order_ids
        self.assertEqual(order.currency_id, foreign)
        self.assertAlmostEqual(order.order_line.price_subtotal, booking.amount, 2)
        self.assertEqual(self.invoice(order).currency_id, foreign)


@tagged("post_install", "-at_install")
class TestQuotations(OrderCase):
    order_state = "draft"
    invoice_policy = "order"

    def test_quotation_waits_for_its_confirmation(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        order = booking.order_ids
        self.assertEqual((order.state, booking.status), ("draft", "ordered"))
        order.action_confirm()
        self.invoice(order)
        self.assertEqual(booking.status, "drafted")

    def test_line_removed_from_a_quotation_frees_its_booking(self):
        booking = self.ready[:1]
        booking.action_create_invoices()
        booking.order_line_ids.unlink()
        self.assertEqual(booking.status, "ready")

    def test_confirmed_quotation_invoices_what_was_delivered(self):
        self.service_template.invoice_policy = "delivery"
        booking = self.ready[:1]
        booking.product_id.invoice_policy = "delivery"
        booking.action_create_invoices()
        booking.order_ids.action_confirm()
        self.assertEqual(
            booking.order_line_ids.qty_delivered, booking.order_line_ids.product_uom_qty
        )
        self.invoice(booking.order_ids)
        self.assertEqual(booking.status, "drafted")


@tagged("post_install", "-at_install")
class TestDownPayments(OrderCase):
    def test_an_open_down_payment_of_the_payer_is_pointed_out(self):
        """Paid in advance on an order of its own: whoever drafts bookings of the payer is told, until it is deducted."""
        booking = self.ready[0]
        self.assertFalse(booking._payers_with_down_payment())
        order = self.env["sale.order"].create(
            {
                "partner_id": booking.payer_id.id,
                "company_id": self.company.id,
                "order_line": [
                    Command.create({"product_id": booking.product_id.id, "price_unit": 400.0})
                ],
            }
        )
        order.action_confirm()
        wizard = self.env["sale.advance.payment.inv"].with_context(
            active_model="sale.order", active_ids=order.ids
        )
        wizard.create({"advance_payment_method": "percentage", "amount": 50}).create_invoices()
        order.invoice_ids.action_post()
        self.assertTrue(booking._payers_with_down_payment())
        preview = self.env["bookings.invoice.preview"].create({"booking_ids": booking.ids})
        self.assertIn("open down payment", preview.line_ids.hint)
        other = self.ready.filtered(lambda one: one.payer_id != booking.payer_id)[:1]
        self.assertFalse(other._payers_with_down_payment())
        order.order_line.filtered(lambda line: not line.is_downpayment).qty_delivered = 1
        wizard.create({"advance_payment_method": "delivered"}).create_invoices()
        order.invoice_ids.filtered(lambda move: move.state == "draft").action_post()
        self.assertFalse(booking._payers_with_down_payment())
