"""Every booking of a period has exactly one outcome, and what was signed off can be checked later."""

import json
from unittest.mock import patch

import requests
from lxml import etree

from odoo.exceptions import UserError
from odoo.tests import tagged

from ... import sandbox
from ...billing.digest import content_hash
from ...models.completeness.row import name_of
from ...models.connection.connection import BookingsConnection
from ..invoicing.test_ledger import LedgerCase


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
        revenue = self._report().ledger_text
        self.assertIn(self.company.currency_id.symbol, revenue, "amounts are written as money")
        self.assertAlmostEqual(
            sum(float(row["balance"]) for row in self._report().ledger), total, 2
        )

    def test_difference_has_a_cause(self):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready[0].ids)])
        run.move_ids.invoice_line_ids.price_unit += 7
        run.move_ids.action_post()
        invoiced = self._report().line_ids.filtered(lambda line: line.outcome == "invoiced")
        self.assertEqual(invoiced.cause, "changed on the draft")
        self.assertAlmostEqual(invoiced.difference, -7.0, 2)

    def test_sign_off_says_what_it_signs(self):
        self.invoice(self.ready[:3])
        report = self._report()
        shown = report.action_ask_sign()
        self.assertEqual(shown["res_id"], report.id)
        waiting = self.bookings().filtered(lambda one: one.status in ("ready", "attention"))
        text = f"Not billed: {len(waiting)} bookings, "
        self.assertIn(
            text + report.currency_id.format(sum(waiting.mapped("amount"))), report.sign_text
        )
        self.assertEqual(report.unbilled_count, len(waiting))
        opened = self.env["bookings.booking"].search(report.action_open_unbilled()["domain"])
        self.assertEqual(opened, waiting)
        missing = waiting.filtered(lambda one: one.attention_reason == "price_to_decide")
        self.assertIn(f"Price Missing: {len(missing)}", report.sign_text)
        asked = waiting.filtered(lambda one: one.status == "ready")
        asked.service_id.ask_attendance = "all"
        report.action_ask_sign()
        self.assertIn(f"Attendance Unknown: {len(asked)}", report.sign_text)
        rows = report.line_ids.filtered(lambda row: row.outcome == "attention")
        self.assertLessEqual(asked, rows.booking_ids)
        waiting.action_mark_not_billable("waived")
        report.action_ask_sign()
        self.assertIn("Every booking was billed or has a decision.", report.sign_text)
        self.assertIn("New Report", report.new({"date_from": "2026-02-01"}).display_name)

    def test_name_has_the_period_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("da_DK")
        report = self._report("2026-02-01", "2026-02-28")
        self.assertEqual(report.display_name, f"{self.setup.name} February 2026")
        danish = report.with_context(lang="da_DK")
        self.assertEqual(danish.display_name, f"{self.setup.name} februar 2026")
        report.date_to = "2026-03-31"
        self.assertEqual(danish.display_name, f"{self.setup.name} 01.02.2026 – 31.03.2026")

    def test_all_businesses_of_last_month_are_on_one_page(self):
        reports = self.env["bookings.completeness"]
        action = reports.action_last_month()
        self.assertEqual(
            action["display_name"],
            "February 2026",
            "not the name of the list that it is opened from",
        )
        opened = reports.search(action["domain"])
        self.assertEqual(opened.setup_id, self.setup)
        self.assertEqual(str(opened.date_from), "2026-02-01")
        self.assertTrue(opened.booking_count)
        opened.action_sign()
        self.assertEqual(reports.search(reports.action_last_month()["domain"]), opened)

    def test_signed_off_is_frozen_and_a_check_shows_only_what_differs(self):
        report = self._report()
        report.action_sign()
        with self.assertRaises(UserError):
            report.action_compute()
        with self.assertRaises(UserError):
            report.unlink()
        report.action_check()
        self.assertEqual(report.check_text, "Nothing has changed.")
        line = self.invoice(self.ready[0]).invoice_line_ids
        report.action_check()
        booking, revenue = report.check_text.splitlines()
        self.assertIn("outcome Waiting to Be Invoiced → Invoiced", booking)
        self.assertIn(name_of(self.ready[0]), booking)
        self.assertTrue(revenue.startswith(f"{line.account_id.display_name} "), revenue)
        balance = report.company_id.currency_id.format(-line.balance)
        self.assertTrue(revenue.endswith(f"{line.date:%B %Y}: – → {balance}"), revenue)
        amounts = map(report.currency_id.format, (0, self.ready[0].amount))
        self.assertIn(f"billed {' → '.join(amounts)}", booking)

    def test_signed_amounts_keep_their_currency(self):
        """Also if the business has another one now, and the currency has no decimals."""
        report, before = self._report(), self.setup.currency_id
        report.action_sign()
        other = self.env.ref("base.JPY")
        other.active = True
        self.setup.currency_id = other
        self.assertEqual((report.currency_id, report.line_ids.currency_id), (before, before))
        report.action_check()
        self.assertEqual(self._report().currency_id, other)

    def test_amounts_of_two_currencies_are_never_added(self):
        """The business changes its currency within the period: what is billed keeps the old one."""
        old, new = self.setup.currency_id, self.env.ref("base.GBP")
        self.invoice(self.ready[:2])
        again = self.invoice(self.ready[2])
        again._reverse_moves([{"date": again.date}], cancel=True)
        self.ready[2].action_put_back()
        before, signed = self._report(), self._report()
        signed.action_sign()
        new.active = True
        self.setup.currency_id = new
        self.assertEqual(before.currency_id, old, "calculated amounts keep their currency")
        self.assertEqual(self.ready[:3].mapped("currency_id"), old | new)
        report = self._report()
        invoiced = report.line_ids.filtered(lambda line: line.outcome == "invoiced")
        self.assertEqual(invoiced.currency_id, old)
        self.assertAlmostEqual(invoiced.billed, sum(self.ready[:2].mapped("amount")), 2)
        waiting = report.line_ids.filtered(lambda line: line.outcome == "ready")
        of_old, of_new = (
            waiting.filtered(lambda line, of=currency: line.currency_id == of)
            for currency in (old, new)
        )
        bookings = self.bookings(status="ready")
        self.assertEqual((of_new.booking_ids, of_new.booking_count), (bookings, len(bookings)))
        self.assertAlmostEqual(of_new.expected, sum(bookings.mapped("amount")), 2)
        self.assertEqual((of_new.billed, of_old.booking_count), (0.0, 0))
        self.assertAlmostEqual(of_old.billed, again.invoice_line_ids._booking_billed(), 2)
        self.assertAlmostEqual(of_old.difference, 0.0, 2)
        self.assertEqual(sum(report.line_ids.mapped("booking_count")), report.booking_count)
        self.assertEqual((report.currency_id, report.billed), (new, 0.0))
        billed = old.format(sum(invoiced.mapped("billed")) + of_old.billed)
        self.assertIn(f"{old.name}: ", report.other_totals)
        self.assertIn(f"billed {billed}", report.other_totals)
        self.assertIn(billed, report.sign_text)
        html = (
            self.env["ir.actions.report"]
            ._render_qweb_html("bookings_invoicing.completeness_document", report.ids)[0]
            .decode()
        )
        self.assertIn(f"Total {old.name}", html)
        self.assertIn(billed, html)
        signed.action_check()
        self.assertIn(f"currency {old.name} → {new.name}", signed.check_text)
        report.action_sign()
        report.action_check()
        self.assertEqual(report.check_text, "Nothing has changed.")

    def test_lists_of_a_report_total_no_amounts(self):
        """A list would convert other currencies at today's rate; the totals by currency stand above it."""
        views = self.env["ir.ui.view"].search(
            [("model", "=", "bookings.completeness"), ("type", "=", "form")]
        )
        self.assertGreater(len(views), 1)
        for view in views:
            arch = etree.fromstring(view.arch)
            summed = arch.xpath("//field[@name='line_ids']//field[@sum]/@name")
            self.assertEqual(set(summed), {"booking_count"}, view.name)

    def test_signed_before_rows_had_a_currency(self):
        """Reports of earlier versions keep their fingerprint, and zero may be written as they wrote it."""
        report = self._report()
        report.action_sign()
        self.env.flush_all()
        snapshot = report.snapshot
        for row in snapshot["rows"]:
            del row["currency"], row["also"]
            row |= {name: "-0.0" for name in ("billed", "credited") if not float(row[name])}
        values = json.dumps(snapshot), content_hash(snapshot), report.id
        self.env.cr.execute(
            "UPDATE bookings_completeness SET snapshot = %s, digest = %s WHERE id = %s", values
        )
        self.env.invalidate_all()
        report.action_check()
        self.assertEqual(report.check_text, "Nothing has changed.")

    def test_other_names_are_no_difference(self):
        line = self.invoice(self.ready[0]).invoice_line_ids
        report = self._report()
        report.action_sign()
        line.account_id.name = "Renamed"
        self.ready.service_id.name = "Called otherwise"
        report.action_check()
        self.assertEqual(report.check_text, "Nothing has changed.")

    def test_another_account_is_a_difference(self):
        line = self.invoice(self.ready[0]).invoice_line_ids
        report = self._report()
        report.action_sign()
        other = line.account_id.copy({"name": "Other revenue"})
        line.move_id.button_draft()
        line.account_id = other
        line.move_id.action_post()
        report.action_check()
        balance = report.company_id.currency_id.format(-line.balance)
        self.assertIn(f": {balance} → –", report.check_text)
        self.assertIn(f": – → {balance}", report.check_text)

    def test_what_was_signed_cannot_be_changed_by_hand(self):
        self.invoice(self.ready[:2])
        report = self._report()
        report.action_sign()
        for work in (
            lambda: report.sudo().write({"billed": 1.0}),
            lambda: report.sudo().write({"source_count": 1}),
            lambda: report.line_ids[0].sudo().write({"billed": 1.0}),
            lambda: report.line_ids[0].sudo().unlink(),
            lambda: report.line_ids[0].sudo().copy(),
        ):
            with self.assertRaisesRegex(UserError, "signed off"):
                work()
        self.env.cr.execute(
            "UPDATE bookings_completeness_line SET billed = billed + 1 WHERE id = %s",
            [report.line_ids[0].id],
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "fingerprint"):
            report.action_check()

    def test_what_was_signed_names_no_person(self):
        self.change(op="delete", appointment=self.ready[0].appointment_id)
        report = self._report()
        report.action_sign()
        self.assertEqual(report.source_state, "differs")
        text = str(report.snapshot)
        self.assertFalse({name for name in self.bookings().mapped("name") if name in text})

    def test_whoever_checks_in_whatever_language_sees_the_same(self):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready[0].ids)])
        run.move_ids.invoice_line_ids.discount = 10
        run.move_ids.action_post()
        self.env["res.lang"]._activate_lang("da_DK")
        report = self._report()
        report.action_sign()
        report.with_context(lang="da_DK").action_check()
        self.assertEqual(len(report.check_text.splitlines()), 1)
        self.assertNotIn("→", report.check_text)

    # -- beside Bookings itself ------------------------------------------------------------------------

    def test_counts_add_up_to_what_bookings_holds_now(self):
        report = self._report()
        self.assertEqual((report.source_state, report.source_text), ("agrees", False))
        there = report._bookings().filtered(lambda booking: not booking.removed_on)
        self.assertEqual((report.source_count, report.held_count), (len(there), len(there)))
        self.assertGreater(len(there), 20)

    def test_what_came_and_went_since_the_last_synchronization_is_named(self):
        """Our own copy knows of neither: only a fresh count in Bookings does."""
        gone = self.ready.filtered(
            lambda one: len(self.bookings(appointment_id=one.appointment_id)) == 1
        )[0]
        self.change(op="delete", appointment=gone.appointment_id)
        report = self._report()
        self.assertEqual(report.source_state, "differs")
        self.assertEqual(report.held_count - report.source_count, 1)
        self.assertEqual(report.source_text, f"{name_of(gone)}: 0 in Bookings, 1 in Odoo")
        self.sync()
        report.action_compute()
        self.assertEqual((report.source_state, report.source_text), ("agrees", False))
        self.change(
            op="create",
            start="2026-03-03T09:00:00Z",
            service=self.ready[0].service_id.remote_id,
            attendees=[{"name": "Somebody New"}],
        )
        report.action_compute()
        self.assertRegex(report.source_text, r"^2026-03-03 .*: 1 in Bookings, 0 in Odoo$")

    def test_a_moved_appointment_leaves_the_period(self):
        booking = self.ready[-1]
        self.change(op="move", appointment=booking.appointment_id, start="2026-05-04T09:00:00Z")
        report = self._report()
        self.assertIn("0 in Bookings, 1 in Odoo", report.source_text)

    def test_bookings_that_cannot_be_asked_says_so(self):
        app = sandbox.make_app(self.tenant)
        app.faults.add({"match": "calendarView", "status": 403, "occurrence": "all"})
        session = requests.Session()
        sandbox.mount(session, app)
        self.startPatcher(patch.object(BookingsConnection, "_session", lambda _self: session))
        report = self._report()
        self.assertEqual((report.source_state, report.source_count), ("unreached", 0))
        self.assertIn("could not be reached", report.source_text)
        self.assertEqual(report.booking_count, len(report._bookings()))
        report.action_sign()
        self.assertEqual(report.snapshot["in_bookings"][0], "unreached")

    def test_report_prints(self):
        report = self._report()
        html = self.env["ir.actions.report"]._render_qweb_html(
            "bookings_invoicing.completeness_document", report.ids
        )[0]
        self.assertIn(b"Harbour Street Clinic", html)
