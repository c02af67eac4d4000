"""Exactly once by way of orders, whatever people do in whatever order.

Random orders of ordering, invoicing, posting, crediting a part by its hours or by its price, giving away, putting back,
cancelling and reviving. After each step: what posted invoices and live drafts bill of a booking never exceeds what was
agreed, no invoice line of an order bills a booking's hours without the booking, and an order says that something is
left exactly where its booking waits for an invoice.
"""

import os
import random

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import OrderCase

LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))
ORDERS, STEPS = (12, 40) if LONG else (3, 16)


@tagged("post_install", "-at_install")
class TestOrderedExactlyOnce(OrderCase):
    invoice_policy = "order"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        hourly = cls.ready.filtered(lambda one: one.price_unit_of == "hour")[:3]
        cls.chosen = hourly | cls.ready.filtered(lambda one: one.price_type == "fixedPrice")[:2]
        cls.chosen.payer_id = cls.chosen[0].payer_id
        for booking in hourly:
            booking.quantity = 2.0
            booking.price_unit = 100.0
        cls.amounts = {booking: booking.amount for booking in cls.chosen}

    def test_random_orders(self):
        for seed in range(ORDERS):
            with self.subTest(seed=seed), self.env.cr.savepoint() as order:
                self._order(random.Random(seed))
                order.rollback()
            self.env.invalidate_all()

    def _order(self, rng):
        steps = [name for name in dir(self) if name.startswith("_step_")]
        done = ["_step_order"]
        self._step_order(rng)
        for _step in range(STEPS):
            done.append(rng.choice(steps))
            self._try(done, rng)
            self._check(done)
        # In the end everybody does what is left to do: then nothing is.
        for name in (
            "_end_drafts",
            "_step_put_back_all",
            "_step_order",
            "_step_invoice",
            "_end_drafts",
        ):
            done.append(name)
            self._try(done, rng)
        self._check(done)
        self.assertEqual(
            set(self.chosen.mapped("status")) - {"invoiced", "not_billable"}, set(), done
        )
        self.assertFalse(any(self._order_lines().mapped("qty_to_invoice")), done)

    def _try(self, done, rng):
        try:
            with self.env.cr.savepoint():
                getattr(self, done[-1])(rng)
                self.env.flush_all()
        except (UserError, ValidationError):
            done[-1] += " refused"
            self.env.invalidate_all()

    def _order_lines(self):
        return self.chosen.order_line_ids

    def _check(self, done):
        self.env.flush_all()
        self.env.invalidate_all()
        for booking, agreed in self.amounts.items():
            said = (done, booking.id, booking.status)
            lines = booking.invoice_line_ids
            drafts = lines.filtered(lambda one: one.booking_live and one.parent_state == "draft")
            billed = lines._booking_billed() + sum(drafts.mapped("price_subtotal"))
            self.assertLessEqual(billed, agreed + 0.004, said)
            for live in (lines, booking.order_line_ids):
                self.assertLessEqual(len(live.filtered("booking_live")), 1, said)
            line = booking._live_order_lines()
            strangers = line.invoice_lines.filtered(
                lambda one: not one.booking_id and one.move_id.move_type == "out_invoice"
            )
            self.assertFalse(strangers, said)
            if line.state == "sale":
                self.assertEqual(line.qty_to_invoice > 0, booking.status == "ordered", said)
                self.assertGreaterEqual(line.qty_to_invoice, 0.0, said)

    # -- what people do ----------------------------------------------------------------------------

    def _one(self, rng, records):
        if not records:
            raise UserError("nothing to do")
        return records.sorted("id")[rng.randrange(len(records))]

    def _move(self, rng, state, kind="out_invoice"):
        moves = self.chosen.invoice_line_ids.move_id
        return self._one(
            rng, moves.filtered(lambda move: (move.state, move.move_type) == (state, kind))
        )

    def _step_order(self, rng):
        self.chosen.filtered(lambda one: one.status == "ready").action_create_invoices()

    def _step_invoice(self, rng):
        self._order_lines().order_id.filtered(lambda o: o.state == "sale")._create_invoices(
            final=True
        )

    def _step_give_away(self, rng):
        self._one(rng, self._move(rng, "draft").invoice_line_ids).quantity *= 0.75

    def _step_post(self, rng):
        self._move(rng, "draft").action_post()

    def _step_delete_draft(self, rng):
        self._move(rng, "draft").unlink()

    def _step_remove_line(self, rng):
        self._one(rng, self._move(rng, "draft").invoice_line_ids).unlink()

    def _step_reset(self, rng):
        self._move(rng, "posted").button_draft()

    def _step_cancel_invoice(self, rng):
        self._move(rng, "draft").button_cancel()

    def _step_credit_hours(self, rng):
        self._credit_one_line(rng, "quantity")

    def _step_credit_price(self, rng):
        self._credit_one_line(rng, "price_unit")

    def _credit_one_line(self, rng, field):
        refund = self._move(rng, "posted")._reverse_moves([{"invoice_date": "2026-03-12"}])
        keep = self._one(rng, refund.invoice_line_ids)
        (refund.invoice_line_ids - keep).unlink()
        keep[field] *= 0.25
        refund.action_post()

    def _step_credit_all(self, rng):
        self.credit(self._move(rng, "posted"))

    def _step_put_back(self, rng):
        self._one(rng, self.chosen).action_put_back()

    def _step_put_back_all(self, rng):
        self.chosen.action_put_back()

    def _step_cancel_order(self, rng):
        self._one(rng, self._order_lines().order_id).action_cancel()

    def _step_revive_order(self, rng):
        order = self._one(rng, self._order_lines().order_id.filtered(lambda o: o.state == "cancel"))
        order.action_draft()
        order.action_confirm()

    def _step_waive(self, rng):
        self._one(rng, self.chosen).action_mark_not_billable("waived")

    def _end_drafts(self, rng):
        for move in self.chosen.invoice_line_ids.move_id.filtered(lambda m: m.state == "draft"):
            move.action_post()
