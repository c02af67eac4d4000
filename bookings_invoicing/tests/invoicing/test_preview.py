"""What the preview takes, shows and says, and what is then created."""

from ast import literal_eval
from unittest.mock import patch

from lxml import etree

from odoo.fields import Date
from odoo.tests import Form, tagged

from ...models.setup.journal import sales_journal
from .test_ledger import LedgerCase


@tagged("post_install", "-at_install")
class TestPreview(LedgerCase):
    def _preview(self, bookings, **values):
        return self.env["bookings.invoice.preview"].create({"booking_ids": bookings.ids, **values})

    def test_shows_what_is_then_created(self):
        bookings = self.bookings()
        preview = self._preview(bookings)
        self.assertEqual(preview.booking_count, len(self.ready))
        self.assertEqual(preview.left_out_count, len(bookings) - len(self.ready))
        shown = {line.payer_id: line.amount_total for line in preview.line_ids}
        before = self.env["account.move"].search([])
        preview.action_create()
        moves = self.env["account.move"].search([]) - before
        self.assertEqual(len(moves), preview.invoice_count)
        for move in moves:
            self.assertAlmostEqual(move.amount_total, shown[move.partner_id], 2)

    def _asked_from(self, **context):
        """The preview as a screen opens it."""
        preview = self.env["bookings.invoice.preview"].with_context(**context)
        return preview.create(preview.default_get(["booking_ids", "scope", "ended_before"]))

    def test_what_is_searched_is_what_is_drafted(self):
        """Of the search of a list, the uninvoiced bookings; a search that leaves nothing out is no search."""
        payer = self.ready[0].payer_id
        searched = {"active_model": "bookings.booking", "active_ids": []}
        found = self._asked_from(**searched, active_domain=[["payer_id", "=", payer.id]])
        uninvoiced = self.bookings().filtered(lambda one: one.status in ("ready", "attention"))
        expected = uninvoiced.filtered(lambda one: one.payer_id == payer)
        self.assertEqual(set(found.booking_ids), set(expected))
        self.assertEqual(found.scope, f"Uninvoiced bookings that match the search: {len(expected)}")
        self.assertFalse(found.ended_before)
        chosen = self._asked_from(**{**searched, "active_ids": self.ready[:2].ids})
        self.assertEqual(chosen.booking_ids, self.ready[:2])
        self.assertEqual(chosen.scope, "Selected bookings: 2")
        with patch.object(Date, "context_today", lambda *_args: Date.to_date("2026-03-05")):
            all_of_them = self._asked_from(
                **searched, active_domain=[["status", "in", ["ready", "attention"]]]
            )
        self.assertEqual(set(all_of_them.booking_ids), set(uninvoiced))
        self.assertEqual(str(all_of_them.ended_before), "2026-03-01")

    def test_the_list_sorts_filters_and_adds_up_by_what_it_shows(self):
        """The date is a date; only what can be added is; what is technical is not offered."""
        booking = self.ready[0]
        self.assertEqual(booking.service_day, booking._last_day())
        groups = self.ready.formatted_read_group(
            [("id", "in", self.ready.ids)], ["service_day:month"], ["amount:sum"]
        )
        self.assertAlmostEqual(
            sum(group["amount:sum"] for group in groups), sum(self.ready.mapped("amount")), 2
        )
        facts = self.ready.fields_get(attributes=["aggregator", "groupable", "exportable"])
        for name in ("price_unit", "quantity", "list_price"):
            self.assertFalse(facts[name].get("aggregator"), name)
        self.assertTrue(facts["payer_id"]["groupable"])
        for name in ("remote_hash", "has_share", "bill_again_id", "payer_hand_id", "price_unit_of"):
            self.assertFalse(facts[name]["groupable"] or facts[name]["exportable"], name)
        self.assertTrue(facts["appointment_id"]["exportable"])
        self.assertFalse(facts["appointment_id"]["groupable"] or facts["active"]["groupable"])
        by_payer = self.env["ir.filters"].get_filters(
            "bookings.booking", self.env.ref("bookings_invoicing.booking_action_uninvoiced").id
        )
        self.assertIn("By Payer", [one["name"] for one in by_payer])
        search = self.env.ref("bookings_invoicing.booking_view_search")
        found = {
            node.get("name"): self.ready.search(literal_eval(node.get("domain")))
            for node in etree.fromstring(search.arch).iter("filter")
            if node.get("domain")
        }
        booking.price_unit = 12.5
        booking.flush_recordset()
        self.assertIn(booking, booking.search([("has_manual_price", "=", True)]))
        month = self.ready.filtered(lambda one: str(one._last_day())[:7] == "2026-02")
        self.assertEqual(found["last_month"] & self.ready, month & found["last_month"])
        self.assertLessEqual(month, found["last_month"])
        self.assertFalse(found["this_month"] & found["ended_last_month"])
        hinted = self.ready.search([("has_hints", "=", True)])
        self.assertLessEqual(set(self.ready._hints()), set(hinted.ids))
        self.assertTrue(hinted.filtered("has_hints"))
        fee = {one for one in self.bookings() if one.fee_cause}
        self.assertEqual(set(found["fee"] & self.bookings()), fee)

    def test_a_card_or_a_payer_says_what_it_includes(self):
        journal, other = sales_journal(self.setup), sales_journal(self.setup).copy()
        card = {"active_model": "account.journal"}
        self.assertGreaterEqual(
            self._asked_from(**card, active_id=journal.id).booking_ids, self.ready
        )
        self.assertFalse(self._asked_from(**card, active_id=other.id).booking_ids)
        payer = self.ready[0].payer_id
        shown = self.ready[0].action_preview_payer()
        preview = self._asked_from(**shown["context"])
        of_payer = self.ready.filtered(lambda one: one.payer_id == payer)
        self.assertEqual(set(preview.booking_ids), set(of_payer))
        self.assertEqual(
            preview.scope, f"All ready bookings of {payer.display_name}: {len(of_payer)}"
        )

    def test_a_row_opens_the_same_from_a_list_and_from_a_card(self):
        """The lines are not stored, so the form of one shows only what the list or the cards have loaded."""
        lines = self.env["bookings.invoice.preview.line"]
        loaded = {
            kind: {
                node.get("name")
                for node in etree.fromstring(lines.get_view(view_type=kind)["arch"]).iter("field")
            }
            for kind in ("form", "list", "kanban")
        }
        self.assertFalse(loaded["form"] - loaded["list"])
        self.assertFalse(loaded["form"] - loaded["kanban"])

    def test_grouping_and_period_can_be_changed(self):
        preview = self._preview(self.ready, grouping="booking")
        self.assertEqual(preview.invoice_count, len(self.ready))
        preview.ended_before = "2026-03-01"
        self.assertEqual(
            preview.booking_count,
            len(self.ready.filtered(lambda b: str(b._last_day()) < "2026-03-01")),
        )
        self.assertLess(preview.booking_count, len(self.ready))

    def test_says_what_to_look_at(self):
        self.env["account.fiscal.position"].search([]).auto_apply = False
        booking = self.ready[0]
        booking.price_unit = 0.0
        preview = self._preview(self.ready)
        line = preview.line_ids.filtered(lambda row: booking in row.booking_ids)
        self.assertIn("0.00", line.hint)
        self.assertIn("first invoice", line.hint)
        self.assertIn("first invoice", preview.line_ids[-1].hint)
        self.assertFalse(preview.line_ids[-1].is_serious, "true of many right invoices")
        self.assertTrue(line.is_serious)
        self.assertEqual(line, preview.line_ids[:1], "what may be wrong comes first")
        first, *more = line.hint.splitlines()
        self.assertIn(line.hint_short[:40], first)
        self.assertTrue(line.hint_short.endswith(f"(+{len(more)})"))
        self.assertLess(len(line.hint_short), 100)
        self.assertIn(booking.display_name, line.details)
        serious = preview.line_ids.filtered("is_serious").booking_ids
        preview.only_serious = True
        self.assertEqual(preview.serious_line_ids.booking_ids, serious)
        self.assertEqual(len(preview.serious_line_ids), preview.serious_count)
        self.assertGreater(preview.invoice_count, preview.serious_count, "all are created")

    def test_what_may_be_wrong_is_counted_and_listed_beyond_the_first_invoices(self):
        self.env["account.fiscal.position"].search([]).auto_apply = False
        last, _group = self.ready._grouped({})[-1]
        last[0].price_unit = 0.0
        whole = self._preview(self.ready)
        self.assertGreater(whole.invoice_count, whole.serious_count)
        module = "odoo.addons.bookings_invoicing.wizards.invoice_preview.SHOWN"
        with patch(module, whole.serious_count):
            cut = self._preview(self.ready)
            self.assertEqual(cut.serious_count, whole.serious_count)
            self.assertIn(last[0], cut.line_ids.booking_ids)
            self.assertTrue(all(cut.line_ids.mapped("is_serious")))
            self.assertEqual(cut.totals, whole.totals)
            self.assertTrue(cut.is_cut)
            cut.only_serious = True
            self.assertFalse(cut.is_cut, "each invoice to check is listed")

    def test_more_invoices_need_no_more_queries(self):
        """What hints look up is read once for all invoices; *Only Invoices to Check* hides rows without a new plan."""
        one = self.ready.filtered(lambda booking: booking.payer_id == self.ready[0].payer_id)
        counts = []
        for bookings in (
            self.ready,
            one,
            self.ready,
        ):  # the first one fills the caches of the process
            preview = self._preview(bookings)
            self.env.flush_all()
            self.env.invalidate_all()
            groups = bookings._grouped({})  # Odoo looks for the fiscal position of each payer
            before = self.env.cr.sql_log_count
            preview._rows(bookings, groups)
            counts.append((self.env.cr.sql_log_count - before, preview.invoice_count))
        (_first, _all), (few, one_invoice), (many, invoices) = counts
        self.assertEqual(one_invoice, 1)
        self.assertGreater(invoices, 5)
        self.assertLess(many - few, 10)
        form = Form(preview)
        with patch.object(type(preview), "_plan", side_effect=AssertionError("planned again")):
            form.only_serious = True

    def test_left_out_comes_with_the_reason(self):
        waiting = self.bookings(status="attention")[:1]
        preview = self._preview(self.ready[:1] | waiting)
        self.assertEqual(preview.left_out_ids.booking_id, waiting)
        self.assertEqual(preview.left_out_ids.reason, waiting.attention_detail)
