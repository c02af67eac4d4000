"""What the preview points at before drafts are made, and drafts that take the lines where somebody says so."""

from datetime import timedelta

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from ...billing.hints import SERIOUS
from ..invoicing.test_ledger import LedgerCase


class HintCase(LedgerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup.currency_id = cls.company.currency_id
        cls.payer = cls.ready[0].payer_id
        cls.theirs = cls.ready.filtered(lambda booking: booking.payer_id == cls.payer)

    def preview(self, bookings=None, **values):
        bookings = self.theirs if bookings is None else bookings
        return self.env["bookings.invoice.preview"].create({"booking_ids": bookings.ids, **values})

    def hint(self, bookings=None):
        return "\n".join(line.hint or "" for line in self.preview(bookings).line_ids)


@tagged("post_install", "-at_install")
class TestHints(HintCase):
    def test_a_tax_taken_off_what_was_given_on_the_spot(self):
        """The payer lives abroad, the appointment was at home; online it is given where the payer is."""
        self.env["account.fiscal.position"].search([]).active = False  # those of the chart
        position = self.env["account.fiscal.position"].create(
            {
                "name": "Export",
                "company_id": self.company.id,
                "auto_apply": True,
                "country_id": self.env.ref("base.jp").id,
            }
        )
        self.env["account.tax"].create(
            {
                "name": "0 % export",
                "amount": 0.0,
                "type_tax_use": "sale",
                "company_id": self.company.id,
                "fiscal_position_ids": position.ids,
                "original_tax_ids": self.company_data["default_tax_sale"].ids,
            }
        )
        (self.theirs - self.theirs[0]).sudo().is_online = True
        self.theirs[0].sudo().is_online = False
        self.assertNotIn("removes the tax", self.hint())
        self.payer.write({"country_id": self.env.ref("base.jp").id, "vat": False})
        self.assertIn(
            f"Export removes the tax from services on site: {self.theirs[0].service_id.name}.",
            self.hint(),
        )
        self.assertNotIn("removes the tax", self.hint(self.theirs - self.theirs[0]))
        self.payer.vat = "T7000012050002"
        self.assertNotIn("removes the tax", self.hint(), "a business is taxed where it is")

    def test_a_payment_on_account_is_pointed_out(self):
        self.assertNotIn("of outstanding credit", self.hint())
        payment = self.env["account.payment"].create(
            {
                "payment_type": "inbound",
                "partner_type": "customer",
                "partner_id": self.payer.id,
                "amount": 70.0,
                "currency_id": self.company.currency_id.id,
                "journal_id": self.company_data["default_journal_bank"].id,
            }
        )
        self.assertNotIn("of outstanding credit", self.hint())
        payment.action_post()
        self.assertRegex(self.hint(), r"The payer has .*70\.00.* of outstanding credit")
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.theirs[0].ids)])
        run.move_ids.action_post()
        self.assertEqual(
            [
                line["amount"]
                for line in run.move_ids.invoice_outstanding_credits_debits_widget["content"]
            ],
            [70.0],
            "Odoo offers the same on the invoice",
        )
        receivable = (payment.move_id.line_ids | run.move_ids.line_ids).filtered(
            lambda line: line.account_id.account_type == "asset_receivable"
        )
        receivable.reconcile()
        left = max(0.0, 70.0 - run.move_ids.amount_total)
        self.assertEqual("of outstanding credit" in self.hint(self.theirs[1:]), left > 0)

    def test_an_open_credit_note_is_pointed_out(self):
        earlier = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": self.payer.id,
                "invoice_date": "2026-03-01",
                "invoice_line_ids": [
                    Command.create({"name": "Credit", "price_unit": 12.5, "tax_ids": False})
                ],
            }
        )
        earlier.action_post()
        self.assertRegex(self.hint(), r"The payer has .*12\.50.* of outstanding credit")

    def test_services_older_than_last_month(self):
        """On 12 March, February is what is billed now; January is what somebody may have forgotten."""
        old = self.ready.filtered(lambda one: str(one._last_day()) < "2026-02-01")
        new = self.ready.filtered(lambda one: str(one._last_day()) >= "2026-02-01")
        self.assertTrue(old and new)
        self.assertIn("services from earlier months: January 2026", self.hint(old))
        self.assertNotIn("earlier months", self.hint(new))
        with freeze_time("2026-04-02 12:00:00"):
            self.assertIn("services from earlier months: February 2026", self.hint(new))

    def test_zero_long_and_overlapping(self):
        first, second = self.theirs[:2]
        first.price_unit = 0.0
        self.assertIn("0.00", self.hint())
        second.sudo().write({"start": first.start, "stop": first.stop + timedelta(minutes=5)})
        self.assertIn("at this time", self.hint())
        usual = self.ready.filtered(lambda one: one.service_id == first.service_id)
        self.assertGreaterEqual(len(usual), 3)
        first.sudo().stop = first.start + timedelta(hours=23)
        self.assertIn("this service usually takes", self.hint(first))

    def test_a_removed_draft_is_no_hint(self):
        booking = self.theirs[:1]
        booking.action_create_invoices()
        booking.move_ids.unlink()
        self.assertTrue(booking.billed_before)
        found = {hint.code for hint in booking._hints().get(booking.id, ())}
        self.assertNotIn("hint_was_billed", found)
        self.invoice(booking).button_draft()
        booking.move_ids.button_cancel()
        self.assertIn("hint_was_billed", {hint.code for hint in booking._hints()[booking.id]})
        self.assertIn("hint_was_billed", SERIOUS)
        booking.move_ids.unlink()
        self.assertIn("hint_was_billed", {hint.code for hint in booking._hints()[booking.id]})

    def test_missing_country_zip_and_rate(self):
        """A missing country is serious only where it decides the tax; a ZIP is asked of countries that have them."""
        payer = self.theirs.payer_id
        payer.write({"country_id": False, "zip": False})
        positions = self.env["account.fiscal.position"].search([])
        positions.auto_apply = False
        self.assertNotIn("country decides", self.hint())
        self.env["account.fiscal.position"].create(
            {"name": "Abroad", "auto_apply": True, "country_id": self.env.ref("base.fr").id}
        )
        self.assertNotIn("country decides", self.hint(), "given on the spot to a private person")
        self.theirs.sudo().is_online = True
        self.assertIn("country decides", self.hint())
        payer.country_id = self.env.ref("base.ch")
        self.assertNotIn("country decides", self.hint())
        self.assertIn("lacks: Zip", self.hint())
        payer.zip = "8000"
        self.assertNotIn("lacks: Zip", self.hint())
        self.assertNotIn("exchange rate", self.hint())
        other = self.env["res.currency"].with_context(active_test=False)
        other = other.search([("rate_ids", "=", False), ("id", "!=", self.company.currency_id.id)])
        other[0].active = True
        self.setup.sudo().currency_id = other[0]
        self.assertIn(f"no exchange rate for {other[0].name}", self.hint())

    def test_what_an_invoice_without_a_booking_bills_already(self):
        """By its text, by its delivery date or by its own date; automatic drafts leave the booking to a person."""
        booking = self.theirs[0]
        day = booking._last_day()

        def bill(**values):
            line = {"product_id": booking.product_id.id, "price_unit": 10.0}
            line |= {name: values.pop(name) for name in ("name", "product_id") if name in values}
            move = self.env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.payer.id,
                    "invoice_line_ids": [Command.create(line)],
                    **values,
                }
            )
            move.action_post()
            return move

        other = self.env["product.product"].create({"name": "Other", "type": "service"})
        for values, same in (
            ({"invoice_date": day}, True),
            ({"invoice_date": "2026-03-11", "delivery_date": day}, True),
            ({"invoice_date": "2026-03-11", "name": f"Treatment, {day}"}, True),
            ({"invoice_date": "2026-03-11"}, False),
            ({"invoice_date": day, "product_id": other.id}, False),
            ({"invoice_date": day, "partner_id": self.company.partner_id.id}, False),
        ):
            with self.subTest(values):
                move = bill(**values)
                self.assertEqual(
                    f"The posted invoice {move.name} already bills" in self.hint(booking), same
                )
                run = self.env["bookings.invoice.run"].sudo().create({"state": "running"})
                booking._for_automation(run)
                reasons = " ".join(run.left_out_ids.mapped("reason"))
                self.assertEqual(f"The posted invoice {move.name}" in reasons, same)
                move._reverse_moves(cancel=True)
                self.assertNotIn("The posted invoice", self.hint(booking))

    def test_first_invoice(self):
        self.assertIn("first invoice to this payer", self.hint())
        self.invoice(self.theirs[0])
        self.assertNotIn("first invoice to this payer", self.hint(self.theirs[1:]))


@tagged("post_install", "-at_install")
class TestJoiningDrafts(HintCase):
    def setUp(self):
        super().setUp()
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.theirs[0].ids)])
        self.draft, self.first_run = run.move_ids, run
        self.rest = self.theirs[1:]
        self.assertTrue(self.rest)

    def _create(self, **values):
        before = self.env["bookings.invoice.run"].search([])
        self.preview(self.rest, **values).action_create()
        return self.env["bookings.invoice.run"].search([]) - before

    def test_offered_and_never_the_default(self):
        preview = self.preview(self.rest)
        self.assertEqual(preview.candidate_draft_ids, self.draft)
        self.assertFalse(preview.join_draft_ids)
        self.assertIn("lines could be added", preview.line_ids.hint)
        run = self._create()
        self.assertTrue(run.move_ids)
        self.assertNotIn(self.draft, run.move_ids)
        self.assertFalse(run.joined_line_ids)

    def test_takes_the_lines_where_somebody_says_so(self):
        run = self._create(join_draft_ids=self.draft.ids)
        self.assertEqual(run.move_ids, self.draft)
        self.assertEqual(self.draft.booking_ids, self.theirs)
        self.assertEqual(run.joined_line_ids, self.rest.invoice_line_ids)
        self.assertEqual(set(self.rest.mapped("status")), {"drafted"})
        self.assertTrue(all(self.rest.mapped("billed_before")))
        days = [booking._last_day() for booking in self.theirs]
        self.assertEqual(
            (
                self.draft.bookings_service_start,
                self.draft.bookings_service_stop,
                self.draft.delivery_date,
            ),
            (min(days), max(days), max(days)),
        )
        self.assertAlmostEqual(
            self.draft.amount_total, sum(self.draft.invoice_line_ids.mapped("price_total")), 2
        )
        self.draft.action_post()
        self.assertEqual(set(self.theirs.mapped("status")), {"invoiced"})

    def test_undo_takes_only_its_own_lines_off(self):
        run = self._create(join_draft_ids=self.draft.ids)
        action = self.first_run.action_undo()
        self.assertIn("another run", action["params"]["message"])
        run.action_undo()
        self.assertEqual((run.state, run.move_ids.ids), ("undone", []))
        self.assertEqual(self.draft.booking_ids, self.theirs[0])
        self.assertEqual(set(self.rest.mapped("status")), {"ready"})
        action = self.first_run.action_undo()
        self.assertFalse(self.draft.exists(), action["params"]["message"])

    def test_undo_leaves_what_was_confirmed(self):
        run = self._create(join_draft_ids=self.draft.ids)
        self.draft.action_post()
        action = run.action_undo()
        self.assertIn("posted", action["params"]["message"])
        self.assertEqual(self.draft.booking_ids, self.theirs)

    def test_one_that_differs_or_was_confirmed_takes_nothing(self):
        preview = self.preview(self.rest, join_draft_ids=self.draft.ids)
        self.draft.ref = "PO 1"
        preview.action_create()
        self.assertEqual(self.draft.booking_ids, self.theirs[0])
        self.assertEqual(set(self.rest.mapped("status")), {"drafted"})
        self.draft.ref = False
        self.draft.action_post()
        self.draft.button_draft()
        self.rest.move_ids.unlink()
        self.assertFalse(self.preview(self.rest).candidate_draft_ids)
        self._create(join_draft_ids=self.draft.ids)
        self.assertEqual(self.draft.booking_ids, self.theirs[0])
