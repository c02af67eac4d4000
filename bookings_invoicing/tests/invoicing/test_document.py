"""What a draft carries besides its lines: from the payer, the setup and the booking."""

from odoo.fields import Command
from odoo.tests import tagged

from .test_ledger import LedgerCase


@tagged("post_install", "-at_install")
class TestDocument(LedgerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.payer = cls.ready[0].payer_id
        cls.theirs = cls.ready.filtered(lambda booking: booking.payer_id == cls.payer)

    def _draft(self):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.theirs.ids)])
        self.assertFalse(run.left_out_ids, run.result)
        return run.move_ids

    def test_payment_term_of_the_payer(self):
        self.payer.property_payment_term_id = self.pay_terms_a
        self.assertEqual(self._draft().invoice_payment_term_id, self.pay_terms_a)

    def test_fiscal_position_of_the_payer_maps_the_taxes(self):
        tax = self.company_data["default_tax_sale"]
        other = tax.copy({"name": "Abroad", "amount": 0.0})
        position = self.env["account.fiscal.position"].create({"name": "Abroad"})
        other.write({"fiscal_position_ids": position.ids, "original_tax_ids": tax.ids})
        self.payer.property_account_position_id = position
        move = self._draft()
        self.assertEqual((move.fiscal_position_id, move.amount_tax), (position, 0.0))
        self.assertEqual(move.invoice_line_ids.tax_ids, other)

    def _preview_and_draft(self, bookings):
        """What the preview shows of these bookings, which share an invoice, and what their draft comes to."""
        names = ("amount_untaxed", "amount_tax", "amount_total")
        shown = self.env["bookings.invoice.preview"].create({"booking_ids": bookings.ids}).line_ids
        move = self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)]).move_ids
        self.assertEqual(move.invoice_payment_term_id, self.payer.property_payment_term_id)
        values = [tuple(shown[name] for name in names), tuple(move[name] for name in names)]
        move.unlink()
        return values

    def test_early_discount_that_always_reduces_the_tax(self):
        """The preview is the draft to the cent, whatever the rounding and however the lines differ."""
        self.payer.property_payment_term_id = self.env["account.payment.term"].create(
            {
                "name": "2 % in 10 days",
                "early_discount": True,
                "discount_percentage": 2.0,
                "discount_days": 10,
                "early_pay_discount_computation": "mixed",
            }
        )
        theirs = self.ready.filtered(lambda one: not one.service_id.no_tax)[:5]
        theirs.payer_id = self.payer
        tax, other = self.env["account.tax"].create(
            [{"name": f"{rate} %", "amount": rate, "type_tax_use": "sale"} for rate in (21.0, 6.0)]
        )
        theirs.product_id.taxes_id = tax
        self.assertGreater(len(theirs.service_id), 1)
        theirs[-1].product_id.taxes_id = other
        plan = self.env["account.analytic.plan"].create({"name": "Places"})
        account = self.env["account.analytic.account"].create({"name": "Quay", "plan_id": plan.id})
        theirs[0].service_id.analytic_distribution = {str(account.id): 100}
        for included, prices in ((False, [18.1, 3.33, 7.77, 0.05, 99.99]), (True, [21.9] * 5)):
            self.setup.price_tax = "included" if included else "excluded"
            for method in ("round_per_line", "round_globally"):
                self.company.tax_calculation_rounding_method = method
                for count in (1, 5):
                    with self.subTest(included=included, method=method, count=count):
                        for booking, price in zip(theirs[:count], prices, strict=False):
                            booking.write({"price_unit": price, "quantity": 1.0})
                        shown, drafted = self._preview_and_draft(theirs[:count])
                        self.assertEqual(shown, drafted)
                        if count == 1:  # of 17.74: 18.10 less 2 %, which alone has 3.80
                            self.assertIn(drafted[1], (3.72, 3.73))
        rounding = {"rounding": 1.0, "rounding_method": "UP", "strategy": "add_invoice_line"}
        rounding["profit_account_id"] = self.company_data["default_account_revenue"].id
        rounding["loss_account_id"] = self.company_data["default_account_expense"].id
        self.setup.invoice_cash_rounding_id = self.env["account.cash.rounding"].create(
            rounding | {"name": "Whole"}
        )
        shown, drafted = self._preview_and_draft(theirs)
        self.assertEqual((shown, drafted[2]), (drafted, 110.0))

    def test_a_plan_has_one_account(self):
        """The nearer account of a plan wins; Odoo's own rules add those of other plans, by account prefix too."""
        places, people = self.env["account.analytic.plan"].create(
            [{"name": "Places"}, {"name": "People"}]
        )
        quay, harbor, freja, rule_of_others = self.env["account.analytic.account"].create(
            [
                {"name": "Quay", "plan_id": places.id},
                {
                    "name": "Harbor",
                    "plan_id": places.create({"name": "x", "parent_id": places.id}).id,
                },
                {"name": "Freja", "plan_id": people.id},
                {"name": "Others", "plan_id": people.id},
            ]
        )
        booking = self.theirs[0]
        income = booking.product_id.product_tmpl_id.get_product_accounts()["income"]
        rule = {"company_id": self.company.id, "product_id": booking.product_id.id}
        self.env["account.analytic.distribution.model"].create(
            [
                rule | {"analytic_distribution": {str(harbor.id): 100}},
                rule
                | {
                    "account_prefix": income.code[:3],
                    "analytic_distribution": {str(freja.id): 100},
                },
                rule
                | {"account_prefix": "zz", "analytic_distribution": {str(rule_of_others.id): 100}},
            ]
        )
        self.setup.analytic_distribution = {str(quay.id): 100}
        line = self._draft().invoice_line_ids.filtered(lambda one: one.booking_id == booking)
        self.assertEqual(line.analytic_distribution, {str(quay.id): 100, str(freja.id): 100})
        line.move_id.unlink()
        booking.service_id.analytic_distribution = {f"{harbor.id},{freja.id}": 60}
        line = self._draft().invoice_line_ids.filtered(lambda one: one.booking_id == booking)
        self.assertEqual(line.analytic_distribution, {f"{harbor.id},{freja.id}": 60})

    def test_journal_of_the_setup(self):
        journal = self.company_data["default_journal_sale"].copy({"code": "BKNG"})
        self.setup.journal_id = journal
        move = self._draft()
        self.assertEqual(move.journal_id, journal)
        move.action_post()
        self.assertTrue(move.name.startswith("BKNG"))

    def test_salesperson_of_the_payer_else_of_its_company(self):
        clerk = self.env["res.users"].create({"name": "Clerk", "login": "bookings.clerk"})
        firm = self.payer.create({"name": "Firm", "is_company": True, "user_id": clerk.id})
        firm.write({"street": "Quay 1", "city": "Ghent", "vat": "/"})
        firm.country_id = self.env.ref("base.be")
        self.theirs.payer_id = self.payer.create({"name": "Desk", "parent_id": firm.id})
        self.assertEqual(self._draft().invoice_user_id, clerk)

    def test_purchase_order_of_the_booking(self):
        self.theirs.reference = "PO 4711"
        self.assertEqual(self._draft().ref, "PO 4711")

    def test_mail_names_no_reference_where_there_is_none(self):
        """Odoo's mails call the origin of an invoice its reference."""
        draft = self._draft()
        self.assertFalse(draft.invoice_origin)
        template = self.env.ref("account.email_template_edi_invoice")
        mail = template._generate_template(draft.ids, ["subject", "body_html"])[draft.id]
        self.assertIn(self.company.name, f"{mail['subject']} {mail['body_html']}")
        self.assertNotIn("reference", f"{mail['subject']} {mail['body_html']}")

    def test_delivery_address_of_the_payer(self):
        address = self.payer.create(
            {"name": "Side door", "type": "delivery", "parent_id": self.payer.id}
        )
        self.assertEqual(self._draft().partner_shipping_id, address)

    def test_cash_rounding_of_the_setup(self):
        rounding = self.env["account.cash.rounding"].create(
            {
                "name": "Whole",
                "rounding": 1.0,
                "rounding_method": "UP",
                "strategy": "add_invoice_line",
                "profit_account_id": self.company_data["default_account_revenue"].id,
                "loss_account_id": self.company_data["default_account_expense"].id,
            }
        )
        self.theirs.price_unit = 10.37
        self.theirs.quantity = 1.0
        self.setup.invoice_cash_rounding_id = rounding
        shown = (
            self.env["bookings.invoice.preview"]
            .create({"booking_ids": self.theirs.ids})
            .line_ids.amount_total
        )
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.theirs.ids)])
        move = run.move_ids
        self.assertEqual(move.invoice_cash_rounding_id, rounding)
        self.assertEqual(move.amount_total, round(move.amount_total))
        self.assertAlmostEqual(move.amount_total, shown, 2)
        self.assertNotEqual(sum(move.invoice_line_ids.mapped("price_total")), move.amount_total)
        run.action_undo()
        self.assertEqual((run.state, set(self.theirs.mapped("status"))), ("undone", {"ready"}))

    def test_service_period_in_form_and_print(self):
        move = self._draft()
        days = [booking._last_day() for booking in self.theirs]
        self.assertEqual(
            (move.bookings_service_start, move.bookings_service_stop, move.delivery_date),
            (min(days), max(days), max(days)),
        )
        view = self.env["account.move"].get_view(self.env.ref("account.view_move_form").id)["arch"]
        self.assertIn('name="bookings_service_start"', view)
        move.action_post()
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("account.account_invoices", move.ids)[0]
            .decode()
        )
        shown = f"{min(days):%m/%d/%Y}</span> – <span>{max(days):%m/%d/%Y}"
        self.assertIn("Service period", html)
        self.assertIn(shown, html)

    def test_a_line_taken_off_takes_its_days_off_the_period(self):
        move = self._draft()
        lines = move.invoice_line_ids.sorted(lambda line: line.booking_id.start)
        days = [line.booking_id._last_day() for line in lines]
        self.assertLess(days[-2], days[-1])
        invoice_date = move.invoice_date
        move.write({"invoice_line_ids": [Command.delete(lines[-1].id)]})
        self.assertEqual(
            (move.bookings_service_start, move.bookings_service_stop, move.delivery_date),
            (days[0], days[-2], days[-2]),
        )
        self.assertEqual(move.invoice_date, invoice_date)
        move.delivery_date = "2026-01-31"  # somebody's own
        lines[-2].unlink()
        self.assertEqual(move.bookings_service_stop, days[-3])
        lines[:-2].unlink()
        self.assertFalse(move.bookings_service_start or move.bookings_service_stop)
        self.assertEqual(str(move.delivery_date), "2026-01-31")

    def test_lines_are_in_order_of_time(self):
        lines = self._draft().invoice_line_ids.sorted(lambda line: (line.sequence, line.id))
        starts = lines.booking_id.mapped("start")
        self.assertEqual(starts, sorted(starts))
        self.assertGreater(len(starts), 1)

    def test_a_credit_note_keeps_no_service_period(self):
        """The period belongs to the invoice; a credit note names that."""
        move = self._draft()
        move.action_post()
        refund = move._reverse_moves([{"invoice_date": "2026-03-12"}])
        self.assertFalse(refund.bookings_service_start)
        self.assertEqual(refund.reversed_entry_id, move)
        self.assertEqual(refund.invoice_line_ids.booking_id, self.theirs)
