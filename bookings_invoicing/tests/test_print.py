"""Invoice, completeness report and rehearsal on paper: rendered by wkhtmltopdf, read back from the PDF."""

import io
import shutil
from datetime import date
from unittest import skipUnless

from lxml import etree
from markupsafe import Markup

from odoo.tests import HttpCase, tagged
from odoo.tools.pdf import PdfFileReader

from .common import BookingsCase


@tagged("post_install", "-at_install")
@skipUnless(shutil.which("wkhtmltopdf"), "wkhtmltopdf is not on this machine")
class TestPrint(BookingsCase, HttpCase):
    frozen = False
    anchor = date.today()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Web fonts are drawn as outlines; words of the machine's own fonts can be read back.
        cls.env["ir.ui.view"].create(
            {
                "name": "Plain font",
                "type": "qweb",
                "inherit_id": cls.env.ref("web.minimal_layout").id,
                "arch": """<xpath expr="//head" position="inside">
                    <style>* { font-family: "DejaVu Sans", sans-serif !important; }</style></xpath>""",
            }
        )
        cls.sync()
        cls.ready = cls.env["bookings.booking"].search(
            [("setup_id", "=", cls.setup.id), ("status", "=", "ready")], order="start, id"
        )

    def read_pdf(self, report, record):
        """The words of the report's PDF, each run of blanks as one."""
        content, kind = (
            self.env["ir.actions.report"]
            .with_context(force_report_rendering=True)
            ._render_qweb_pdf(report, record.ids)
        )
        self.assertEqual((kind, content[:5]), ("pdf", b"%PDF-"))
        pages = PdfFileReader(io.BytesIO(content)).pages
        return " ".join(" ".join(page.extract_text() for page in pages).split())

    def shown(self, value):
        return " ".join(str(value).split())

    def test_invoice(self):
        payer = self.ready[0].payer_id
        theirs = self.ready.filtered(lambda booking: booking.payer_id == payer)
        theirs.reference = "PO 4711"
        run = self.env["bookings.booking"]._invoice_all([("id", "in", theirs.ids)])
        move = run.move_ids
        move.action_post()
        text = self.read_pdf("account.account_invoices", move)
        days = [booking._last_day() for booking in theirs]
        self.assertIn("Service period", text)
        self.assertIn(f"{min(days):%m/%d/%Y} – {max(days):%m/%d/%Y}", text)
        self.assertIn("PO 4711", text)
        self.assertIn(payer.name, text)
        for line in move.invoice_line_ids:
            self.assertIn(self.shown(line.name), text)
        self.assertIn(f"{move.amount_total:,.2f}", text)

    def test_service_period_in_every_layout(self):
        """Those of modules that are installed, too: DIN 5008 prints a block of its own and hides Odoo's."""
        move = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready[0].ids)]).move_ids
        move.action_post()
        report = self.env["ir.actions.report"]
        layouts = self.env["report.layout"].search([])
        self.assertGreater(len(layouts), 4)
        for layout in layouts:
            with self.subTest(layout=layout.view_id.key):
                self.company.external_report_layout_id = layout.view_id
                html = report._render_qweb_html("account.report_invoice", move.ids)[0].decode()
                day = f"{move.bookings_service_start:%m/%d/%Y}"
                period = f"{day} – {move.bookings_service_stop:%m/%d/%Y}"
                tree = etree.HTML(html)
                own = tree.xpath("//div[@class='information_block']")
                [block] = own or tree.xpath("//div[@id='informations']")
                self.assertIn(f"Service period {period}", " ".join(block.xpath("string()").split()))

    def test_service_period_in_a_block_of_its_own(self):
        """Below the dates of DIN 5008's block, above the empty row that separates the tax ID of the customer."""
        move = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready[1].ids)]).move_ids
        dates, gap = "<tr><td>Delivery Date</td></tr>", '<tr><td colspan="2" style="x"></td></tr>'
        vat = "<tr><td>VAT</td></tr>"
        for rows in ((dates, gap, vat), (dates,)):
            block = move._bookings_in_block(Markup(f"<table>{''.join(rows)}</table>"))
            cells = etree.HTML(block).xpath("//td/text()")
            self.assertEqual([cells[0], cells[1]], ["Delivery Date", "Service period"])
            self.assertEqual(cells[3:], ["VAT"] if vat in rows else [])
        self.env["res.lang"]._activate_lang("de_DE")
        block = move.with_context(lang="de_DE")._bookings_in_block(
            Markup(f"<table>{dates}</table>")
        )
        self.assertIn("Leistungszeitraum", block)

    def test_completeness(self):
        first = min(booking._last_day() for booking in self.ready)
        self.env["bookings.booking"]._invoice_all([("id", "in", self.ready[:3].ids)])
        report = self.env["bookings.completeness"].create(
            {"setup_id": self.setup.id, "date_from": first, "date_to": self.anchor}
        )
        report.action_sign()
        text = self.read_pdf("bookings_invoicing.completeness_document", report)
        self.assertIn("Completeness of Bookings", text)
        self.assertIn(self.setup.name, text)
        for line in report.line_ids:
            label = dict(line._fields["outcome"].selection)[line.outcome]
            self.assertIn(f"{label} {line.booking_count} ", text)
        self.assertIn(f"Total {report.booking_count} ", text)
        self.assertIn(f"exactly the same appointments: {report.source_count}", text)
        self.assertIn(report.digest, text)
        later = report.copy({"date_from": self.anchor, "date_to": self.anchor})
        later.action_compute()
        self.assertLess(later.booking_count, report.booking_count)
        text = self.read_pdf("bookings_invoicing.completeness_document", report | later)
        self.assertEqual(text.count("Completeness of Bookings"), 2, "one PDF of several reports")
        self.assertIn(f"Total {report.booking_count} ", text)
        self.assertIn(f"Total {later.booking_count} ", text)

    def test_rehearsal(self):
        """For sign-off: the setup, every payer with both sums, and what the verdict is."""
        rehearsal = self.env["bookings.rehearsal"].create({"setup_id": self.setup.id})
        rehearsal.action_rehearse()
        self.assertTrue(rehearsal.line_ids)
        text = self.read_pdf("bookings_invoicing.report_rehearsal", rehearsal)
        self.assertIn(self.setup.name, text)
        for line in rehearsal.line_ids:
            self.assertIn(self.shown(line.name), text)
            self.assertIn(f"{line.ours:,.2f}", text)
