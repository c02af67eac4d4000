"""Every booking of a period has exactly one outcome, and what was signed off can be checked later."""

from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_invoicing_ledger import LedgerCase


@tagged("post_install", "-at_install")
class TestCompleteness(LedgerCase):
    def _report(self, first="2025-12-01", last="2026-03-31"):
        report = self.env["bookings.completeness"].create(
            {"setup_id": self.setup.id, "date_from": first, "date_to": last}
        )
        report.action_compute()
        return report

    def test_each_booking_once_and_the_sums_add_up(self):
        self.invoice(self.ready[:3])
        self.ready[3].action_mark_not_billable("waived")
        report = self._report()
        counted = report.line_ids.booking_ids
        self.assertEqual(sum(report.line_ids.mapped("booking_count")), len(counted))
        self.assertEqual(counted, report._bookings())
        self.assertEqual(report.booking_count, len(self.bookings()))
        invoiced = report.line_ids.filtered(lambda line: line.outcome == "invoiced")
        self.assertEqual(invoiced.booking_ids, self.ready[:3])
        self.assertAlmostEqual(invoiced.billed, sum(self.ready[:3].mapped("amount")), 2)
        self.assertAlmostEqual(invoiced.difference, 0.0, 2)

    def test_months_do_not_overlap(self):
        months = [self._report(f"2026-{n:02}-01", f"2026-{n:02}-28") for n in (1, 2)]
        self.assertFalse(months[0]._bookings() & months[1]._bookings())

    def test_ledger_ties_to_the_books(self):
        moves = self.invoice(self.ready[:4])
        total = -sum(moves.invoice_line_ids.mapped("balance"))
        self.assertAlmostEqual(
            sum(float(row["balance"]) for row in self._report().ledger), total, 2
        )

    def test_difference_has_a_cause(self):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready[0].ids)])
        run.move_ids.invoice_line_ids.price_unit += 7
        run.move_ids.action_post()
        invoiced = self._report().line_ids.filtered(lambda line: line.outcome == "invoiced")
        self.assertEqual(invoiced.cause, "edited on the draft")
        self.assertAlmostEqual(invoiced.difference, -7.0, 2)

    def test_signed_off_is_frozen_and_a_check_shows_only_what_differs(self):
        report = self._report()
        report.action_sign()
        with self.assertRaises(UserError):
            report.action_compute()
        with self.assertRaises(UserError):
            report.unlink()
        report.action_check()
        self.assertEqual(report.check_text, "Nothing has changed.")
        self.invoice(self.ready[0])
        report.action_check()
        self.assertEqual(len(report.check_text.splitlines()), 1)
        self.assertIn("invoiced", report.check_text)

    def test_report_prints(self):
        report = self._report()
        html = self.env["ir.actions.report"]._render_qweb_html(
            "bookings_invoicing.completeness_document", report.ids
        )[0]
        self.assertIn(b"Harbour Street Clinic", html)
