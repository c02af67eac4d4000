from odoo.tests import tagged

from .common import OrderCase

FLOWS = ("invoice", "sale")
OPEN = ("ready", "attention", "upcoming")


@tagged("post_install", "-at_install")
class TestFlowStates(OrderCase):
    """A booking in each state, the flow switched in each direction: billed once, and never stuck."""

    def in_each_state(self, flow):
        """``{state: booking}``, brought there while the setup bills by this flow."""
        self.setup.billing_flow = flow
        free = iter(self.ready)
        made = {"ready": next(free)}
        for name in ("billed", "invoiced", "freed", "credited"):
            made[name] = next(free)
            made[name].action_create_invoices()
        if flow == "sale":
            made["drafted"] = next(free)
            made["drafted"].action_create_invoices()
            self.invoice(made["drafted"].order_ids)
            for name in ("invoiced", "credited"):
                self.invoice(made[name].order_ids)
            made["freed"].order_ids.action_cancel()
        else:
            made["freed"].move_ids.button_cancel()
        for name in ("invoiced", "credited"):
            made[name].move_ids.action_post()
        self.credit(made["credited"].move_ids)
        made["waived"] = next(free)
        made["waived"].action_mark_not_billable("waived")
        upcoming = self.bookings(status="upcoming")
        made["upcoming"], made["cancelled"] = upcoming[0], upcoming[-1]
        self.change(op="cancel", appointment=made["cancelled"].appointment_id)
        self.sync()
        made["attention"] = self.bookings(status="attention") - made["credited"]
        made["attention"] = made["attention"][:1]
        return made

    def assert_billed_once(self, bookings):
        """At most one living bill; an invoice beside an order is that order's own."""
        self.env.flush_all()
        for booking in bookings:
            orders = booking.order_line_ids.filtered("booking_live")
            invoices = booking.invoice_line_ids.filtered("booking_live")
            with self.subTest(booking=booking.display_name, status=booking.status):
                self.assertLessEqual(max(len(orders), len(invoices)), 1)
                if orders and invoices:
                    self.assertEqual(invoices.sale_line_ids, orders)
                billed = booking.status in ("ordered", "drafted", "invoiced")
                self.assertEqual(bool(orders or invoices), billed or booking.status == "attention")

    def test_each_state_in_each_direction(self):
        for before, after in (FLOWS, FLOWS[::-1]):
            with self.subTest(f"{before} to {after}"), self.cr.savepoint() as savepoint:
                self._switch(before, after)
                savepoint.rollback()
                self.env.invalidate_all()

    def _switch(self, before, after):
        made = self.in_each_state(before)
        named = {name: booking.status for name, booking in made.items()}
        bill = {"invoice": "drafted", "sale": "ordered"}
        self.assertEqual(
            named,
            {
                **{name: name for name in ("ready", "upcoming", "attention", "cancelled")},
                "billed": bill[before],
                "freed": "ready",
                "invoiced": "invoiced",
                "credited": "attention",
                "waived": "not_billable",
                **({"drafted": "drafted"} if before == "sale" else {}),
            },
        )
        everything = self.env["bookings.booking"].union(*made.values())
        documents = {name: (b.order_ids, b.move_ids) for name, b in made.items()}
        self.setup.billing_flow = after
        self.assertEqual({name: b.status for name, b in made.items()}, named, "switching is quiet")
        everything.action_create_invoices()
        self.sync()
        new = dict.fromkeys(("ready", "freed"), bill[after])
        self.assertEqual({name: b.status for name, b in made.items()}, named | new)
        for name in set(made) - set(new):
            self.assertEqual((made[name].order_ids, made[name].move_ids), documents[name], name)
        billed = everything.filtered(lambda b: b.status in ("ordered", "drafted", "invoiced"))
        self.assert_billed_once(billed)
        self._no_dead_end(made, before, after)

    def _no_dead_end(self, made, before, after):
        """What the old flow made goes on to an invoice, or back and then the new way."""
        bill = {"invoice": "drafted", "sale": "ordered"}
        made["waived"].action_put_back()
        self.assertEqual(made["waived"].status, "ready")
        if before == "sale":
            kept = made["drafted"]
            kept.move_ids.unlink()
            self.assertEqual(kept.status, "ordered", "its order is the one bill")
            self.invoice(kept.order_ids)
            self.assertEqual(kept.status, "drafted")
            made["billed"].order_ids.action_cancel()
        else:
            made["billed"].move_ids.unlink()
        self.assertEqual(made["billed"].status, "ready")
        made["credited"].action_put_back()
        again = made["billed"] | made["waived"] | made["credited"]
        again.action_create_invoices()
        self.assertEqual(made["billed"].status, bill[after])
        self.assertEqual(made["waived"].status, bill[after])
        if before == "sale":
            # Its order lives on: that is invoiced anew.
            self.assertEqual(made["credited"].status, "ordered")
            self.invoice(made["credited"].order_ids)
            self.assertEqual(made["credited"].status, "drafted")
        else:
            self.assertEqual(made["credited"].status, "ordered")
        self.assert_billed_once(again)

    def test_switched_while_a_queued_run_waits(self):
        """The work of a queue is done by the flow of the day it is done, once."""
        run = self.env["bookings.invoice.run"]._enqueue(
            [self.ready[:2].ids, self.ready[2:4].ids], {}
        )
        self.setup.billing_flow = "invoice"
        while run.state == "queued":
            run._work_batch()
        self.assertEqual(set(self.ready[:4].mapped("status")), {"drafted"})
        self.assertFalse(run.order_ids)
        self.assert_billed_once(self.ready[:4])

    def test_switched_while_a_preview_is_open(self):
        preview = self.env["bookings.invoice.preview"].create({"booking_ids": self.ready[:4].ids})
        self.setup.billing_flow = "invoice"
        preview.action_create()
        preview.action_create()
        self.assertEqual(set(self.ready[:4].mapped("status")), {"drafted"})
        self.assert_billed_once(self.ready[:4])

    def test_changed_in_bookings_after_the_switch(self):
        """An order follows a change in Bookings after the switch, too, and stays the one bill."""
        booking = self.ready[:1]
        booking.action_create_invoices()
        self.setup.billing_flow = "invoice"
        self.change(
            op="reprice",
            appointment=booking.appointment_id,
            price=f"{booking.price + 10:.2f}",
            price_type="fixedPrice",
        )
        self.sync()
        booking.action_update_draft()
        self.assertEqual(booking.status, "ordered")
        self.assertAlmostEqual(booking.order_line_ids.price_subtotal, booking.amount, 2)
        self.assert_billed_once(booking)
