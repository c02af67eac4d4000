from odoo import fields
from odoo.addons.bookings_invoicing_sale import uninstall_hook
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .common import OrderCase


@tagged("post_install", "-at_install")
class TestFlowSwitch(OrderCase):
    def test_switching_strands_and_doubles_nothing(self):
        """Ordered under one flow, switched: the order stays the one bill; cancelled, the other flow
        bills it.
        """
        booking, later = self.ready[:1], self.ready[1:2]
        booking.action_create_invoices()
        self.setup.billing_flow = "invoice"
        (booking | later).action_create_invoices()
        self.assertEqual((booking.status, later.status), ("ordered", "drafted"))
        self.assertFalse(booking.move_ids)
        self.assertFalse(later.order_ids)
        old = booking.order_ids
        old.action_cancel()
        booking.action_create_invoices()
        self.assertEqual(booking.status, "drafted")
        with self.assertRaisesRegex(UserError, "billed on"):
            old.action_draft()

    def test_uninstalled_and_installed_again_nothing_is_ordered_again(self):
        """What uninstalling does, step by step: the hook, the status that goes, the column that goes."""
        ordered = self.ready[:2]
        ordered.action_create_invoices()
        orders = ordered.order_ids
        uninstall_hook(self.env(su=True))
        self.env.cr.execute("SELECT res_model, res_id FROM billed_appointments")
        self.assertLessEqual(
            {("sale.order", order.id) for order in orders}, set(self.env.cr.fetchall())
        )
        ordered._fields["status"].ondelete["ordered"](ordered.sudo())
        self.env.flush_all()
        self.env.cr.execute("UPDATE sale_order_line SET booking_id = NULL, booking_live = NULL")
        self.env.invalidate_all()
        ordered._recheck_billing()
        ordered.action_create_invoices()
        for booking in ordered:
            self.assertEqual(
                (booking.status, booking.not_billable_reason), ("not_billable", "billed_elsewhere")
            )
            self.assertFalse(booking.order_ids or booking.move_ids)
            self.assertTrue(any(order.name in booking.not_billable_note for order in orders))
        ordered.action_put_back()
        self.assertEqual(set(ordered.mapped("status")), {"ready"})

    def test_switching_back_leaves_drafts_alone(self):
        self.setup.billing_flow = "invoice"
        booking = self.ready[:1]
        booking.action_create_invoices()
        draft = booking.move_ids
        self.setup.billing_flow = "sale"
        booking.action_create_invoices()
        self.assertEqual((booking.status, booking.move_ids), ("drafted", draft))
        draft.button_cancel()
        booking.action_create_invoices()
        self.assertEqual(booking.status, "ordered")
        with self.assertRaisesRegex(UserError, "billed on"):
            draft.button_draft()

    def test_one_action_treats_each_booking_by_its_setup(self):
        other = self._make_setup(
            name="Second", business_id=self.tenant.mailboxes[1].id, billing_flow="invoice"
        )
        self.sync(other)
        other.currency_id.active = True
        theirs = self.env["bookings.booking"].search([("setup_id", "=", other.id)])
        theirs._recheck_billing()
        theirs = theirs.filtered(lambda b: b.status == "ready")[:3]
        mine = self.ready[:3]
        self.assertTrue(theirs)
        action = self.env.ref("bookings_invoicing.booking_action_create_invoices")
        action.with_context(
            active_model="bookings.booking", active_ids=(mine | theirs).ids, active_id=mine[0].id
        ).run()
        self.assertEqual(set(mine.mapped("status")), {"ordered"})
        self.assertEqual(set(theirs.mapped("status")), {"drafted"})
        run = self.env["bookings.invoice.run"].search([], limit=1)
        self.assertEqual(run.booking_count, len(mine) + len(theirs))
        self.assertTrue(run.move_ids and run.order_ids)

    def test_preview_shows_what_will_be_made(self):
        """One payer, two setups, two flows: two documents in the preview, as many are made."""
        connection = self.connection.copy({"name": "Second", "sandbox_anchor": self.anchor})
        other = self._make_setup(
            name="Second",
            connection_id=connection.id,
            billing_flow="invoice",
        )
        self.sync(other)
        payer = self.ready.payer_id[:1]
        theirs = self.env["bookings.booking"].search(
            [("setup_id", "=", other.id), ("status", "=", "ready")], limit=2
        )
        theirs.payer_id = payer
        mine = self.ready.filtered(lambda b: b.payer_id == payer)
        chosen = mine | theirs
        preview = self.env["bookings.invoice.preview"].create({"booking_ids": chosen.ids})
        self.assertEqual(preview.invoice_count, 2)
        preview.action_create()
        self.assertEqual(len(mine.order_ids), 1)
        self.assertEqual(len(theirs.move_ids), 1)
        self.assertFalse(mine.move_ids)
        self.assertFalse(theirs.order_ids)

    def test_a_wish_for_quotations_wins(self):
        """One payer, two setups: one order, and it waits where one of the two wants to look first."""
        connection = self.connection.copy({"name": "Second", "sandbox_anchor": self.anchor})
        other = self._make_setup(name="Second", connection_id=connection.id, order_state="draft")
        other.billing_flow = "sale"
        self.sync(other)
        theirs = self.env["bookings.booking"].search(
            [("setup_id", "=", other.id), ("status", "=", "ready")], limit=1
        )
        mine = self.ready[:1]
        theirs.payer_id = mine.payer_id
        (mine | theirs).action_create_invoices()
        self.assertEqual(len((mine | theirs).order_ids), 1)
        self.assertEqual(mine.order_ids.state, "draft")

    def test_new_setups_bill_as_their_company_does(self):
        self.company.bookings_billing_flow = "sale"
        setup = self._make_setup(name="Second", business_id="second@harbourclinic.example")
        self.assertEqual(setup.billing_flow, "sale")

    def test_wizard_sets_company_and_setups(self):
        form = Form(self.env["bookings.billing.flow"])
        form.billing_flow = "invoice"
        form.save().action_apply()
        self.assertEqual(self.company.bookings_billing_flow, "invoice")
        self.assertEqual(self.setup.billing_flow, "invoice")

    def test_statuses_add_up(self):
        """Whatever was ordered, drafted or left: every booking has exactly one status."""
        self.ready[:4].action_create_invoices()
        total = self.env["bookings.booking"].search_count([("setup_id", "=", self.setup.id)])
        counts = self.env["bookings.booking"]._read_group(
            [("setup_id", "=", self.setup.id)], ["status"], ["__count"]
        )
        self.assertEqual(sum(count for _status, count in counts), total)
        self.assertIn("ordered", dict(counts))
        self.assertLessEqual(max(self.ready.mapped("start")), fields.Datetime.now())
