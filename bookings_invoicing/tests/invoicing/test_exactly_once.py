"""Exactly once, whatever people do in whatever order.

Random orders of drafting, posting, crediting, cancelling, reviving, putting back, synchronizing and undoing. After each
step an oracle adds up the ledger by SQL, in Decimal: what posted lines and live drafts bill of a booking never exceeds
its amount, at most one line is live, and status and sums of the booking say the same.
"""

import os
import random
from decimal import Decimal

from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from ..common import BookingsCase

LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))
ORDERS, STEPS = (12, 40) if LONG else (2, 20)

ORACLE = """
    SELECT b.id, b.amount::text, b.status,
           COALESCE(SUM(CASE WHEN m.state = 'posted' THEN
               CASE m.move_type WHEN 'out_invoice' THEN l.price_subtotal WHEN 'out_refund' THEN -l.price_subtotal END
           END), 0)::text AS posted,
           COALESCE(SUM(l.price_subtotal) FILTER (WHERE l.booking_live AND m.state = 'draft'), 0)::text AS drafted,
           COUNT(*) FILTER (WHERE l.booking_live) AS live,
           COUNT(*) FILTER (WHERE l.booking_live AND m.state = 'posted') AS live_posted
      FROM bookings_booking b
 LEFT JOIN account_move_line l ON l.booking_id = b.id
 LEFT JOIN account_move m ON m.id = l.move_id
     WHERE b.id = ANY(%s)
  GROUP BY b.id"""


@tagged("post_install", "-at_install")
class TestExactlyOnce(BookingsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup.price_tax = "excluded"
        cls.sync()
        cls.env.ref("base.main_company")
        ready = cls.env["bookings.booking"].search([("status", "=", "ready")], order="start, id")
        cls.chosen = ready[:6]
        cls.chosen[:3].payer_id = cls.chosen[0].payer_id
        cls.chosen[3:].payer_id = cls.chosen[3].payer_id

    def test_random_orders(self):
        for seed in range(ORDERS):
            with self.subTest(seed=seed), self.env.cr.savepoint() as order:
                self._order(random.Random(seed))
                order.rollback()
            self.env.invalidate_all()

    def _order(self, rng):
        steps = [name for name in dir(self) if name.startswith("_step_")]
        done = []
        for _step in range(STEPS):
            name = rng.choice(steps)
            done.append(name)
            try:
                with self.env.cr.savepoint():
                    getattr(self, name)(rng)
                    self.env.flush_all()
            except (UserError, ValidationError):
                done[-1] += " refused"
                self.env.invalidate_all()
            self._check(done)
        self.assertTrue([name for name in done if not name.endswith("refused")])

    def _check(self, done):
        self.env.flush_all()
        self.env.cr.execute(ORACLE, [self.chosen.ids])
        for (
            booking_id,
            amount,
            status,
            posted,
            drafted,
            live,
            live_posted,
        ) in self.env.cr.fetchall():
            booking = self.env["bookings.booking"].browse(booking_id)
            said = (done, booking_id, amount, status, posted, drafted)
            self.assertLessEqual(
                Decimal(posted) + Decimal(drafted), Decimal(amount) + Decimal("0.004"), said
            )
            self.assertLessEqual(live, 1, said)
            self.assertEqual(status == "invoiced", bool(live_posted), said)
            self.assertEqual(status == "drafted", bool(live and not live_posted), said)
            if booking.billed_before:
                self.assertAlmostEqual(Decimal(booking.billed_amount), Decimal(posted), 2, said)
            if status == "ready":
                self.assertAlmostEqual(
                    Decimal(booking._amount_to_bill()),
                    max(Decimal(0), min(Decimal(amount), Decimal(amount) - Decimal(posted))),
                    2,
                    said,
                )

    # -- what people do ----------------------------------------------------------------------------

    def _moves(self, rng, *states, kind="out_invoice"):
        moves = self.chosen.invoice_line_ids.move_id.filtered(
            lambda move: move.state in states and move.move_type == kind
        )
        if not moves:
            raise UserError("nothing to do")
        return moves.sorted("id")[rng.randrange(len(moves))]

    def _step_draft(self, rng):
        some = self.chosen.filtered(lambda booking: rng.random() < 0.7)
        self.env["bookings.booking"]._invoice_all([("id", "in", some.ids)])

    def _step_draft_all_again(self, rng):
        self.chosen.action_create_invoices()

    def _step_delete_draft(self, rng):
        self._moves(rng, "draft", "cancel").unlink()

    def _step_remove_line(self, rng):
        lines = self._moves(rng, "draft").invoice_line_ids
        lines[rng.randrange(len(lines))].unlink()

    def _step_post(self, rng):
        self._moves(rng, "draft").action_post()

    def _step_pay(self, rng):
        move = self._moves(rng, "posted")
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({})._create_payments()

    def _step_reset(self, rng):
        self._moves(rng, "posted").button_draft()

    def _step_cancel(self, rng):
        self._moves(rng, "draft").button_cancel()

    def _step_revive(self, rng):
        self._moves(rng, "cancel").button_draft()

    def _step_credit_all(self, rng):
        self._moves(rng, "posted")._reverse_moves([{"invoice_date": "2026-03-12"}], cancel=True)

    def _step_credit_half_of_one_line(self, rng):
        refund = self._moves(rng, "posted")._reverse_moves([{"invoice_date": "2026-03-12"}])
        keep = refund.invoice_line_ids[rng.randrange(len(refund.invoice_line_ids))]
        (refund.invoice_line_ids - keep).unlink()
        keep.price_unit /= 2
        refund.action_post()

    def _step_reverse_and_new_draft(self, rng):
        move = self._moves(rng, "posted")
        self.env["account.move.reversal"].create(
            {"move_ids": move.ids, "journal_id": move.journal_id.id}
        ).modify_moves()

    def _step_take_credit_back(self, rng):
        self._moves(rng, "posted", kind="out_refund").button_draft()

    def _step_post_credit(self, rng):
        self._moves(rng, "draft", kind="out_refund").action_post()

    def _step_cancel_credit(self, rng):
        self._moves(rng, "draft", kind="out_refund").button_cancel()

    def _step_prepare_credit(self, rng):
        self.chosen[rng.randrange(len(self.chosen))].action_prepare_credit()

    def _step_put_back(self, rng):
        self.chosen[rng.randrange(len(self.chosen))].action_put_back()

    def _step_waive(self, rng):
        self.chosen[rng.randrange(len(self.chosen))].action_mark_not_billable("waived")

    def _step_sync(self, rng):
        self.sync()

    def _step_undo(self, rng):
        run = self.env["bookings.invoice.run"].search(
            [("move_ids", "in", self.chosen.move_ids.ids)], limit=1
        )
        if not run:
            raise UserError("nothing to undo")
        run.action_undo()
