from unittest.mock import patch

from lxml import etree

from odoo.addons.account_edi_ubl_cii.models import (
    account_edi_xml_cii_facturx,
    account_edi_xml_ubl_20,
)
from odoo.fields import Command
from odoo.tests import tagged

from . import validator
from .common import NS, EInvoiceCase

# The exporters that companies of each country use: the one of the PDF, and of Odoo's formats.
BUILDERS = {
    "DE": ("cii", "ubl_de"),
    "BE": ("cii", "ubl_bis3"),
    "FR": ("cii", "ubl_bis3"),
    "NL": ("cii", "ubl_nl"),
    "DK": ("cii", "oioubl_201", "oioubl_21"),
    "CH": ("cii", "ubl_bis3"),
}
ODOO_S = {
    "cii": account_edi_xml_cii_facturx.AccountEdiXmlCii,
    "ubl_bis3": account_edi_xml_ubl_20.AccountEdiXmlUBL20,
}


@tagged("post_install", "-at_install")
class TestEInvoiceDates(EInvoiceCase):
    """Invoices and credit notes of six countries, with the rules of EN 16931 as the judge."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.towel = cls.env["product.product"].create({"name": "Towel", "type": "consu"})
        # Odoo gives a product of all companies the taxes of each, which nobody here may read.
        cls.towel.taxes_id = False

    def invoice_of(self, code, payer_country=None):
        """A posted invoice of three days of bookings, and a line that is none, in this order."""
        bookings = self.ready_of(code)
        self.payer_of(bookings, payer_country or code)
        move = self.draft(bookings)
        company = move.company_id
        line = {
            "product_id": self.towel.id,
            "price_unit": 5.0,
            "sequence": 999,
            "tax_ids": [Command.set(company.account_sale_tax_id.ids)],
        }
        move.invoice_line_ids = [Command.create(line)]
        move.action_post()
        self.assertGreater(len(set(bookings.mapped("start"))), 1)
        return move

    def check_dates(self, content, move, builder):
        """BT-72, BT-73, BT-74 and each BT-134, BT-135 are what the bookings say."""
        tree = etree.fromstring(content)
        bookings = move.invoice_line_ids.booking_id
        first, last = bookings._service_period()
        lines = [
            booking._service_period() if booking else None
            for booking in (line.booking_id for line in move.invoice_line_ids)
        ]
        read = self.read_cii if builder == "cii" else self.read_ubl
        delivered, period, found = read(tree)
        if builder == "oioubl_201":  # UBL 2.0: no period on lines, no delivery on credit notes
            lines = [None] * len(lines)
            delivered = delivered or str(last)
        shown = [days and tuple(map(str, days)) for days in lines]
        self.assertEqual((delivered, period, found), (str(last), (str(first), str(last)), shown))

    @staticmethod
    def read_ubl(tree):
        def period(node):
            found = node.xpath("cac:InvoicePeriod", namespaces=NS)
            days = [
                each.findtext(f"cbc:{name}", namespaces=NS)
                for each in found
                for name in ("StartDate", "EndDate")
            ]
            return tuple(days) or None

        lines = tree.xpath("cac:InvoiceLine | cac:CreditNoteLine", namespaces=NS)
        delivered = tree.findtext("cac:Delivery/cbc:ActualDeliveryDate", namespaces=NS)
        return delivered, period(tree), [period(line) for line in lines]

    @staticmethod
    def read_cii(tree):
        def days(node, path):
            return tuple(
                f"{text[:4]}-{text[4:6]}-{text[6:]}"
                for text in node.xpath(f"{path}//udt:DateTimeString/text()", namespaces=NS)
            )

        header = ".//ram:ApplicableHeaderTradeSettlement/ram:BillingSpecifiedPeriod"
        (delivered,) = days(tree, ".//ram:ActualDeliverySupplyChainEvent")
        lines = tree.xpath(".//ram:SpecifiedLineTradeSettlement", namespaces=NS)
        return (
            delivered,
            days(tree, header),
            [days(line, "ram:BillingSpecifiedPeriod") or None for line in lines],
        )

    def test_each_country_and_format(self):
        """The rules of EN 16931 are asked where the packages that bring them are at hand, as in ./dev test."""
        for code, builders in BUILDERS.items():
            invoice = self.invoice_of(code)
            # As in a request of its own: what was read as the server is in no cache.
            self.env.invalidate_all()
            refund = invoice._reverse_moves([{"invoice_date": "2026-03-12", "ref": invoice.name}])
            refund.invoice_line_ids.filtered("booking_id")[:1].unlink()
            refund.action_post()
            for move in (invoice, refund):
                for builder in builders:
                    with self.subTest(country=code, move=move.move_type, builder=builder):
                        model = self.env[f"account.edi.xml.{builder}"]
                        content, _errors = model._export_invoice(move)
                        self.check_dates(content, move, builder)
                        if validator.FOLDER:
                            self.check_rules(content, model, move)

    def check_rules(self, content, model, move):
        """The document fits its schema, and breaks no rule that Odoo's own keeps."""
        self.assertEqual(validator.schema_faults(content), [])
        if "oioubl" not in model._name:
            before = set(validator.rule_faults(self.without(model, move)))
            self.assertEqual(set(validator.rule_faults(content)) - before, set())

    def without(self, model, move):
        """The document as Odoo makes it."""
        kind = "cii" if model._name.endswith("cii") else "ubl_bis3"
        return ODOO_S[kind]._export_invoice(model, move)[0]

    def test_a_payer_in_another_country_of_the_union(self):
        move = self.invoice_of("DE", payer_country="BE")
        content, _errors = self.env["account.edi.xml.ubl_bis3"]._export_invoice(move)
        self.check_dates(content, move, "ubl_bis3")
        self.assertNotIn(f"ActualDeliveryDate>{move.invoice_date}", content.decode())

    def test_without_bookings_byte_for_byte_as_odoo_makes_it(self):
        company = self.setups["DE"].company_id
        payer = self.payer_of(self.ready_of("DE"), "DE")
        move = (
            self.env["account.move"]
            .with_company(company)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": payer.id,
                    "invoice_line_ids": [
                        Command.create(
                            {
                                "product_id": self.towel.id,
                                "price_unit": 5.0,
                                "tax_ids": [Command.set(company.account_sale_tax_id.ids)],
                            }
                        )
                    ],
                }
            )
        )
        move.action_post()
        for builder in ("cii", "ubl_bis3"):
            model = self.env[f"account.edi.xml.{builder}"]
            self.assertEqual(model._export_invoice(move)[0], self.without(model, move))

    def test_the_xml_in_the_pdf_that_is_sent(self):
        move = self.invoice_of("CH")
        wizard = self.env["account.move.send.wizard"].create({"move_id": move.id})
        wizard.action_send_and_print(allow_fallback_pdf=True)
        sent = self.env["ir.attachment"].search(
            [
                ("res_id", "=", move.id),
                ("res_model", "=", "account.move"),
                ("name", "=", "factur-x.xml"),
            ]
        )
        self.check_dates(sent.raw, move, "cii")

    def test_the_other_layout_of_odoo_s_code(self):
        """Later builds of 19.0 make the document in ``account.edi.cii``; the model and the method that export it stay."""
        move = self.invoice_of("FR")
        ram = NS["ram"]

        def element(name, *children):
            node = etree.Element(f"{{{ram}}}{name}", nsmap={"ram": ram, "udt": NS["udt"]})
            node.extend(children)
            node.text = None if children else "1"  # Odoo drops what is empty
            return node

        def export(_exporter, invoice):
            day = etree.Element(f"{{{NS['udt']}}}DateTimeString", format="102")
            day.text = f"{invoice.invoice_date:%Y%m%d}"
            lines = [
                element(
                    "SpecifiedLineTradeSettlement",
                    element("ApplicableTradeTax"),
                    element("SpecifiedTradeSettlementLineMonetarySummation"),
                )
                for _line in invoice.invoice_line_ids
            ]
            header = element(
                "ApplicableHeaderTradeSettlement",
                element("BillingSpecifiedPeriod", element("StartDateTime", day)),
                element("SpecifiedTradeSettlementHeaderMonetarySummation"),
            )
            tree = element("All", *lines, element("ApplicableHeaderTradeDelivery"), header)
            return etree.tostring(tree, xml_declaration=True, encoding="UTF-8"), set()

        with patch.object(ODOO_S["cii"], "_export_invoice", export):
            content, errors = self.env["account.edi.xml.cii"]._export_invoice(move)
        self.check_dates(content, move, "cii")
        self.assertFalse(errors)

    def test_a_run_says_what_the_network_answered(self):
        move = self.invoice_of("DK")
        if "nemhandel_move_state" not in move._fields:
            self.skipTest("Nemhandel is not installed")
        states = {}
        for state in ("ready", "processing", "done", "error"):
            move.nemhandel_move_state = state
            self.env.invalidate_all()
            states[state] = move.bookings_sending
        wanted = {"ready": "not_yet", "processing": "queued", "done": "sent", "error": "failed"}
        self.assertEqual(states, wanted)
        self.assertEqual(move.bookings_sending_detail, "Nemhandel status: Error")

    def test_a_booking_that_was_moved_later_stays_out_of_the_period(self):
        """The booking follows Bookings again once its invoice is credited; the invoice says what it said."""
        move = self.invoice_of("DE")
        period = move.bookings_service_start, move.bookings_service_stop
        booking = move.invoice_line_ids.booking_id[:1]
        days = self.env["account.move"].browse(move.id)._bookings_service_dates()
        self.assertEqual(days[0], period)
        booking.sudo().write({"start": "2026-03-05 09:00:00", "stop": "2026-03-05 10:00:00"})
        moved = move._bookings_service_dates()
        self.assertEqual(moved[:2], days[:2])
        self.assertEqual(moved[2], [None, *days[2][1:]])
