from datetime import date
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError
from odoo.sql_db import Cursor
from odoo.tests import new_test_user, tagged

from ..common import BookingsCase

MONTH = date(2026, 2, 1)


@tagged("post_install", "-at_install")
class TestRehearsal(BookingsCase):
    """February 2026 of the sandbox, rehearsed beside invoices that were posted for it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup.write(
            {"grouping": "customer_month", "invoice_date_policy": "month_end_of_service"}
        )
        cls.sync()

    def _invoice_february(self):
        """Post February's invoices the real way and return them."""
        ready = self.bookings(status="ready").filtered(
            lambda b: b._last_day().replace(day=1) == MONTH
        )
        ready.action_create_invoices()
        moves = ready.invoice_line_ids.move_id
        moves.action_post()
        return moves

    def _settle(self):
        """Decide every price, so that nothing is open."""
        for service in self.setup.service_ids:
            if set(service.booking_ids.mapped("price_outcome")) - {"priced", "free"}:
                service.write({"billing_rule": "fixed", "rule_price": 25.0})

    def _rows(self, month=MONTH):
        rows, _appointments, _invoices = self.setup._rehearse(month)
        return rows

    def test_a_month_billed_by_the_addon_is_the_same_for_every_payer(self):
        self._settle()
        moves = self._invoice_february()
        rows, appointments, invoices = self.setup._rehearse(MONTH)
        known = [row for row in rows if isinstance(row.payer, int)]
        self.assertEqual({row.verdict for row in known}, {"same"}, rows)
        self.assertEqual(len(known), len(moves.partner_id.commercial_partner_id))
        self.assertEqual(invoices, len(moves))
        self.assertGreater(appointments, 0)

    def test_bookings_on_drafts_are_named(self):
        booking = self.bookings(status="ready").filtered(
            lambda one: one._last_day().replace(day=1) == MONTH
        )[0]
        booking.action_create_invoices()
        rehearsal = self.env["bookings.rehearsal"].create(
            {"setup_id": self.setup.id, "month": MONTH}
        )
        rehearsal.action_rehearse()
        line = rehearsal.line_ids.filtered(
            lambda row: row.partner_id == booking.payer_id.commercial_partner_id
        )
        self.assertIn(
            f"On drafts already: {booking.service_id.name}, {booking._local_text()}.", line.cause
        )
        self.assertEqual(
            rehearsal.line_ids.filtered(lambda row: "On drafts" in (row.cause or "")), line
        )

    def test_what_ends_at_midnight_belongs_to_the_month_before_everywhere(self):
        """28 February 23:00 to 24:00: rehearsal, completeness, Bill From, preview and invoice say February."""
        service = self.bookings(price_type="fixedPrice").service_id[:1]
        created = self.change(
            op="create",
            start="2026-02-28T22:00:00Z",
            minutes=60,
            service=service.remote_id,
            attendees=[{"name": "Nina Late", "email": "nina.late@example.com"}],
            price="50.00",
            price_type="fixedPrice",
        )
        self.sync()
        number = created.change["appointment"]
        booking = self.bookings(appointment_id=number)
        booking.action_create_customer()
        report = self.env["bookings.completeness"].create(
            {"setup_id": self.setup.id, "date_from": "2026-03-01", "date_to": "2026-03-31"}
        )
        march = [row for row in self._rows(date(2026, 3, 1)) if row.name == booking.name]
        february = [row for row in self._rows() if row.name == booking.name]
        self.assertEqual((len(march), len(february)), (0, 1))
        self.assertNotIn(booking, report._bookings())
        self.assertEqual(booking.status, "ready")
        preview = self.env["bookings.invoice.preview"].create({"ended_before": "2026-03-01"})
        self.assertIn(booking, preview._chosen())
        self.setup.bill_from = "2026-03-01"
        self.assertEqual(booking.not_billable_reason, "billed_elsewhere")
        self.setup.bill_from = "2026-02-28"
        booking.action_create_invoices()
        move = booking.invoice_line_ids.move_id
        days = (move.invoice_date, move.delivery_date, move.bookings_service_stop)
        self.assertEqual(days, (date(2026, 2, 28),) * 3)

    def test_nothing_is_written(self):
        self.env.flush_all()
        written = []
        execute = Cursor.execute

        def watched(cursor, query, *args, **kwargs):
            text = getattr(query, "code", query)
            if str(text).lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
                written.append(text)
            return execute(cursor, query, *args, **kwargs)

        with patch.object(Cursor, "execute", watched):
            self.assertTrue(self._rows())
            self.env.flush_all()
        self.assertEqual(written, [])

    def test_without_a_synchronization_before(self):
        """A setup that never synchronized rehearses too: only from Bookings, unknown people by
        name.
        """
        self.bookings().sudo().unlink()
        self.env["bookings.customer"].search([]).unlink()
        self.env["bookings.service"].search([]).unlink()
        rows = self._rows()
        self.assertTrue(rows)
        self.assertLessEqual({row.verdict for row in rows}, {"only_ours"})

    def test_rules_count_in_memory_too(self):
        """Labels, fees and shared prices: the same before the synchronization as after it."""
        self._settle()
        self.setup.write(
            {
                "group_price": "appointment",
                "no_show_fee_kind": "percent",
                "no_show_fee": 50.0,
                "fee_product_id": self.env["product.product"].create({"name": "Fee"}).id,
            }
        )
        self.setup.label_rule_ids.create(
            {"setup_id": self.setup.id, "text": "No-show", "outcome": "no_show"}
        )
        group = next(s for s in self.tenant.services if s["maximumAttendeesCount"] > 2)
        self.change(
            op="create",
            service=group["id"],
            start="2026-02-11T09:00:00Z",
            price="100.00",
            price_type="fixedPrice",
            attendees=[{"name": f"Guest {n}", "email": f"guest{n}@x.example"} for n in range(3)],
        )
        self.change(
            op="create",
            service=self.tenant.services[0]["id"],
            start="2026-02-12T09:00:00Z",
            price="80.00",
            price_type="fixedPrice",
            label="No-show",
            attendees=[{"name": "Absent", "email": "absent@x.example"}],
        )
        fresh = {
            row.name: row.ours for row in self._rows() if row.name.startswith(("Guest", "Abs"))
        }
        self.assertEqual(sum(fresh[f"Guest {n}"] for n in range(3)), 100)
        self.assertEqual(fresh["Absent"], 40)
        self.setup._sync_run(full=True)
        kept = {row.name: row.ours for row in self._rows() if row.name in fresh}
        self.assertEqual(kept, fresh)

    def test_what_waits_for_who_came_is_named_and_counts_as_attended(self):
        self._settle()
        before = {row.payer: row.ours for row in self._rows()}
        self.setup.service_ids.ask_attendance = "all"
        rows = self._rows()
        self.assertEqual({row.payer: row.ours for row in rows}, before)
        asked = [row for row in rows if row.asked]
        self.assertTrue(asked)
        wizard = self.env["bookings.rehearsal"].create({"setup_id": self.setup.id})
        wizard.action_rehearse()
        texts = wizard.line_ids.filtered("cause").mapped("cause")
        named = [text for text in texts if "included as attended: " in text]
        self.assertEqual(len(named), len(asked))
        self.setup.service_ids.ask_attendance = False
        self._invoice_february()
        self.setup.service_ids.ask_attendance = "all"
        billed = [row for row in self._rows() if row.verdict == "same"]
        self.assertTrue(billed)
        self.assertFalse(sum(row.asked for row in billed), "what is billed waits for nobody")

    def test_who_was_forgotten_stays_so(self):
        """Read from Bookings again, there is the pseudonym, and what was decided on its bookings counts."""
        self._settle()
        in_month = self.bookings(status="ready").filtered(
            lambda b: b._last_day().replace(day=1) == MONTH
        )
        person = in_month.customer_id.filtered(
            lambda one: len(in_month.filtered(lambda b: b.customer_id == one)) > 1
        )[0]
        for booking in person.booking_ids.filtered(lambda b: b.status == "upcoming"):
            self.change(op="cancel", appointment=booking.appointment_id)
        self.sync()
        open_ones = person.booking_ids.filtered(lambda b: b.status in ("ready", "attention"))
        open_ones.action_mark_not_billable("waived")
        name = person.name
        person.action_forget()
        names = {row.name for row in self._rows()}
        self.assertFalse({name, person.name} & names)
        billed_after_all = (in_month & open_ones)[:1]
        billed_after_all.action_put_back()
        rows = {row.name: row for row in self._rows()}
        self.assertNotIn(name, rows)
        self.assertEqual(rows[person.name].ours, billed_after_all.amount)

    def test_differences_are_named(self):
        self._settle()
        moves = self._invoice_february().sorted("id")
        big = moves.filtered(lambda m: len(m.invoice_line_ids) > 1)[:1]
        gone, reduced = (moves - big)[0], (moves - big)[1]
        for move in (big, gone, reduced):
            move.button_draft()
        dropped = big.invoice_line_ids[-1]
        dropped_name = dropped.booking_id.service_id.name
        dropped.unlink()
        big.action_post()
        gone.button_cancel()
        reduced.invoice_line_ids.discount = 10
        reduced.action_post()
        rows = {row.payer: row for row in self._rows()}
        row = rows[big.partner_id.id]
        self.assertEqual((row.verdict, row.cause), ("different", "missing_there"))
        self.assertIn(dropped_name, row.params["booking"])
        self.assertEqual(rows[gone.partner_id.id].verdict, "only_ours")
        self.assertEqual(rows[gone.partner_id.id].cause, "never_invoiced")
        row = rows[reduced.partner_id.id]
        self.assertEqual((row.cause, row.params.get("percent")), ("discount", 10))

    def test_only_invoiced(self):
        """An invoice for a mapped product to somebody without appointments is theirs alone; other
        trade is not shown.
        """
        product = self.setup.service_ids.product_id[:1]
        strangers = self.env["res.partner"].create([{"name": "No bookings"}, {"name": "Goods"}])
        other = self.env["product.product"].create({"name": "Goods"})
        for partner, sold in zip(strangers, (product, other), strict=True):
            self.init_invoice(
                "out_invoice",
                partner=partner,
                invoice_date=date(2026, 2, 14),
                products=sold,
                post=True,
            )
        rows = {row.payer: row for row in self._rows()}
        self.assertEqual(rows[strangers[0].id].verdict, "only_theirs")
        self.assertNotIn(strangers[1].id, rows)

    def test_from_the_wizard_to_the_day_of_billing(self):
        self._settle()
        self._invoice_february()
        wizard = self.env["bookings.rehearsal"].create({"setup_id": self.setup.id})
        self.assertEqual(wizard.month, date(2026, 2, 28))
        wizard.action_rehearse()
        self.assertTrue(wizard.same_count)
        self.assertEqual(wizard.bill_from, date(2026, 3, 1))
        self.assertAlmostEqual(
            wizard.difference_total, sum(wizard.line_ids.mapped("difference")), 2
        )
        for line in wizard.line_ids:
            self.assertEqual(bool(line.cause), line.verdict != "same")
        html = self.env["ir.actions.report"]._render_qweb_html(
            "bookings_invoicing.report_rehearsal", wizard.ids
        )[0]
        self.assertIn(wizard.line_ids[0].name.encode(), html)
        wizard.action_go_live()
        self.assertEqual(self.setup.bill_from, date(2026, 3, 1))
        self.assertIn("bill_from", self.setup.checklist_confirmed)
        self.assertIn("February 2026", self.setup.message_ids[0].body)
        open_ones = self.bookings().filtered(lambda b: b.status in ("ready", "attention"))
        self.assertTrue(all(b._local(b.stop).date() >= date(2026, 3, 1) for b in open_ones))

    def test_only_managers_rehearse(self):
        clerk = new_test_user(
            self.env,
            "rehearsal-clerk",
            "account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self.setup.with_user(clerk).action_rehearse()
