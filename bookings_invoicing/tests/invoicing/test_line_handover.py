"""Other code that copies lines to a new draft and drops the old one bills each booking once, or is refused."""

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .test_ledger import LedgerCase

COPIED = ("name", "product_id", "price_unit", "discount", "tax_ids", "quantity", "product_uom_id")


@tagged("post_install", "-at_install")
class TestLineHandover(LedgerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ready = cls.ready.filtered("amount")[:2]
        cls.ready.customer_id[:1].partner_id.ref = "shared payer"
        cls.ready.customer_id.payer_id = cls.ready.customer_id[:1].partner_id

    def drafts(self):
        """One draft for each of two bookings of one payer."""
        run = self.env["bookings.booking"]._invoice_all(
            [("id", "in", self.ready.ids)], grouping="booking"
        )
        self.assertEqual(len(run.move_ids), 2, run.result)
        return run.move_ids

    def copied(self, moves, **changes):
        """Values of a draft with the lines of these drafts, as code that knows no bookings copies them."""
        values = [
            line._convert_to_write({name: line[name] for name in COPIED}) | changes
            for line in moves.invoice_line_ids
        ]
        return {
            "move_type": "out_invoice",
            "partner_id": moves.partner_id.id,
            "currency_id": moves.currency_id.id,
            "invoice_line_ids": [Command.create(one) for one in values],
        }

    def assertOnlyOn(self, merged):
        self.assertEqual(self.ready.mapped("status"), ["drafted", "drafted"])
        live = self.ready.invoice_line_ids.filtered("booking_live")
        self.assertEqual(live.move_id, merged)
        self.assertEqual(len(live), 2)
        for line in live:
            amount = line.price_total if line.booking_tax_included else line.price_subtotal
            self.assertEqual(amount, line.booking_id.amount)
        days = list(self.ready._service_period())
        self.assertEqual([merged.bookings_service_start, merged.bookings_service_stop], days)
        self.assertFalse(
            self.env["bookings.booking"]._invoice_all([("id", "in", self.ready.ids)]).move_ids
        )

    def test_bookings_follow_lines_that_are_merged_and_their_drafts_cancelled(self):
        old = self.drafts()
        merged = self.env["account.move"].create(self.copied(old))
        old.button_cancel()
        self.assertOnlyOn(merged)

    def test_bookings_follow_lines_whose_drafts_are_deleted_after_or_before(self):
        old = self.drafts()
        merged = self.env["account.move"].create(self.copied(old))
        old.unlink()
        self.assertOnlyOn(merged)
        values = self.copied(merged)
        merged.invoice_line_ids.unlink()
        self.assertEqual(set(self.ready.mapped("status")), {"ready"})
        self.assertOnlyOn(self.env["account.move"].create(values))

    def test_a_line_split_off_to_another_draft_keeps_its_booking(self):
        old = self.drafts()
        merged = self.env["account.move"].create(self.copied(old))
        old.button_cancel()
        line = merged.invoice_line_ids[0]
        booking = line.booking_id
        apart = self.env["account.move"].create(
            {**self.copied(merged), "invoice_line_ids": self.copied(merged)["invoice_line_ids"][:1]}
        )
        line.unlink()
        self.assertEqual(booking.invoice_line_ids.filtered("booking_live").move_id, apart)

    def test_lines_that_fall_into_one_are_refused(self):
        old = self.drafts()
        old.invoice_line_ids.name = "The same"
        old.invoice_line_ids[1].product_id = old.invoice_line_ids[0].product_id
        old.invoice_line_ids.price_unit = 10.0
        self.env["account.move"].create(
            {
                **self.copied(old[:1], quantity=2 * old[:1].invoice_line_ids.quantity),
            }
        )
        with self.assertRaisesRegex(UserError, "combined or split"):
            old.button_cancel()

    def test_what_is_cancelled_without_a_copy_is_ready(self):
        old = self.drafts()
        self.env["account.move"].create(self.copied(old, name="Something else"))
        old.button_cancel()
        self.assertEqual(set(self.ready.mapped("status")), {"ready"})
