from decimal import Decimal
from unittest.mock import patch

from odoo.addons.bookings_invoicing.billing.hints import InvoiceLook
from odoo.addons.bookings_invoicing.models.invoicing.plan_facts import PlanFacts
from odoo.tests import tagged

from .common import EInvoiceCase


@tagged("post_install", "-at_install")
class TestEInvoiceStops(EInvoiceCase):
    """What a payer's e-invoice needs is found before the draft: in the booking, or in the preview."""

    countries = ("DE",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.setups["DE"].company_id
        cls.theirs = cls.ready_of(cls, "DE")
        cls.exempt = cls.env["account.tax"].create(
            {
                "name": "0 % exempt",
                "amount": 0.0,
                "type_tax_use": "sale",
                "company_id": cls.company.id,
                "tax_group_id": cls.company.account_sale_tax_id.tax_group_id.id,
            }
        )

    def hint(self):
        preview = self.env["bookings.invoice.preview"].create({"booking_ids": self.theirs.ids})
        return "\n".join(line.hint or "" for line in preview.line_ids)

    def test_a_tax_of_zero_needs_category_and_reason(self):
        self.theirs.product_id.taxes_id = self.exempt
        self.payer_of(self.theirs, "DE")
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"}, "no e-invoice format")
        self.assertIn("Complete the tax 0 % exempt: Tax Category Code", self.hint())

        self.payer_of(self.theirs, "DE", "xrechnung")
        self.assertEqual(set(self.theirs.mapped("attention_reason")), {"e_invoice_tax"})
        self.assertIn(
            "Complete the tax 0 % exempt: Tax Category Code, Tax Exemption Reason Code.",
            self.theirs[0].attention_detail,
        )
        action = self.theirs[0].action_open_tax()
        self.assertEqual((action["res_model"], action["res_id"]), ("account.tax", self.exempt.id))
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.theirs.ids)])
        self.assertEqual(run.left_out_ids.booking_id, self.theirs)

        self.exempt.ubl_cii_tax_category_code = "E"
        self.assertIn("exempt: Tax Exemption Reason Code.", self.theirs[0].attention_detail)
        self.exempt.ubl_cii_tax_exemption_reason_code = "VATEX-EU-132-1B"
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"}, "at once")
        self.assertNotIn("E-invoice", self.hint())
        move = self.draft(self.theirs)
        move.action_post()
        content, errors = self.env["account.edi.xml.ubl_de"]._export_invoice(move)
        self.assertEqual(errors, set())
        self.assertIn(b"TaxExemptionReasonCode>VATEX-EU-132-1B<", content)

    def test_a_payer_in_another_country_is_no_supply_of_goods_without_a_word(self):
        """Odoo would guess K, an intra-community supply of goods."""
        self.theirs.product_id.taxes_id = self.exempt
        self.payer_of(self.theirs, "BE", "ubl_bis3")
        self.assertEqual(set(self.theirs.mapped("attention_reason")), {"e_invoice_tax"})
        self.exempt.write(
            {
                "ubl_cii_tax_category_code": "AE",
                "ubl_cii_tax_exemption_reason_code": "VATEX-EU-AE",
            }
        )
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})

    def test_no_tax_on_purpose_has_none_to_say_why(self):
        self.theirs.service_id.no_tax = True
        self.payer_of(self.theirs, "DE")
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})
        self.payer_of(self.theirs, "DE", "facturx")
        self.assertEqual(set(self.theirs.mapped("attention_reason")), {"e_invoice_tax"})
        self.assertIn("is intentionally tax-free", self.theirs[0].attention_detail)
        self.assertEqual(self.theirs[0].action_open_tax()["res_model"], "product.product")

    def test_a_tax_with_a_rate_needs_nothing(self):
        self.payer_of(self.theirs, "DE", "facturx")
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})
        self.assertNotIn("E-invoice", self.hint())

    def test_the_exporter_is_asked_in_the_preview(self):
        """What it would say at Send stands in the preview already, and nothing is left of the question."""
        self.payer_of(self.theirs, "DE", "facturx")
        self.company.partner_id.bank_ids.unlink()
        self.company.email = False
        before = self.env["account.move"].search_count([])
        hint = self.hint()
        self.assertEqual(self.env["account.move"].search_count([]), before)
        move = self.draft(self.theirs)
        move.action_post()
        _content, errors = self.env["account.edi.xml.cii"]._export_invoice(move)
        self.assertTrue(errors)
        asked = {line for line in hint.splitlines() if line.startswith("E-invoice")}
        self.assertEqual(len(asked), len(errors))
        for error in errors:
            asked_for = error.replace(move.name, "Draft Invoice New")
            self.assertTrue(any(asked_for in line for line in asked), (error, hint))

    def test_each_format_can_be_asked_before_there_is_an_invoice(self):
        for name in ("facturx", "xrechnung", "ubl_bis3", "nlcius"):
            self.payer_of(self.theirs, "DE", name)
            self.assertNotIn("E-invoice", self.hint(), name)

    def test_automatic_drafts_leave_out_what_cannot_be_sent(self):
        self.payer_of(self.theirs, "DE", "facturx")
        self.company.email = False
        split = self.theirs[:1]._split()
        with patch.object(
            type(self.theirs), "_invoice_look", lambda *_args: InvoiceLook(Decimal(1))
        ):
            reason = self.theirs._reason_against_automation({}, split, PlanFacts(self.theirs))
        self.assertIn("E-invoice", reason)
