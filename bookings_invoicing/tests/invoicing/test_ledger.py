"""Credits and what they free; one bad booking costs only itself."""

import os

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..common import BookingsCase

LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))


class LedgerCase(BookingsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync()
        cls.ready = cls.env["bookings.booking"].search(
            [("status", "=", "ready")], order="start, id"
        )

    def invoice(self, bookings):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)])
        self.assertFalse(run.left_out_ids, run.result)
        run.move_ids.action_post()
        return run.move_ids

    def credit(self, move, share=1.0, booking=None):
        """A confirmed credit note of this share of the lines, or of one booking's line only."""
        refund = move._reverse_moves([{"invoice_date": "2026-03-12"}])
        if booking:
            refund.invoice_line_ids.filtered(lambda line: line.booking_id != booking).unlink()
        if share != 1.0:
            for line in refund.invoice_line_ids:
                line.price_unit *= share
        refund.action_post()
        return refund

    def _group(self):
        """Bookings of one appointment with a fixed price and several attendees, all to be billed."""
        for booking in self.ready.filtered(lambda one: one.price_type == "fixedPrice"):
            group = self.ready.filtered(
                lambda one, number=booking.appointment_id: one.appointment_id == number
            )
            if len(group) > 1:
                return group
        return self.fail("no group class in the sample data")


@tagged("post_install", "-at_install")
class TestCredits(LedgerCase):
    def test_what_was_billed_stays_what_it_was_when_prices_are_taken_otherwise_later(self):
        self.setup.price_tax = "included"
        booking = self.ready.filtered("product_id.taxes_id")[0]
        booking.payer_id.country_id = False  # no fiscal position takes the tax off
        booking.write({"price_unit": 115.0})
        move = self.invoice(booking)
        self.assertEqual((move.amount_total, move.amount_untaxed), (115.0, 100.0))
        self.setup.price_tax = "excluded"
        self.assertEqual(booking.billed_amount, 115.0)
        self.credit(move, 0.4)
        self.assertEqual((booking.billed_amount, booking.credited_amount), (69.0, 46.0))
        booking.action_put_back()
        again = self.invoice(booking)
        self.assertEqual(again.amount_untaxed, 46.0, "taken without taxes now")
        self.assertEqual((booking.status, booking.billed_amount), ("invoiced", 115.0))

    def test_partly_credited_stays_invoiced_and_put_back_frees_only_that_part(self):
        booking = self.ready[0]
        booking.write({"price_unit": 100.0})
        move = self.invoice(booking)
        self.credit(move, 0.6)
        self.assertEqual((booking.status, booking.credited_amount), ("invoiced", 60.0))
        booking.action_put_back()
        self.assertEqual(booking.status, "ready")
        again = self.invoice(booking)
        self.assertEqual(again.invoice_line_ids.price_subtotal, 60.0)
        self.assertEqual(
            (booking.status, booking.billed_amount, booking.credited_amount),
            ("invoiced", 100.0, 0.0),
        )

    def test_credited_hours_are_billed_again_as_hours(self):
        booking = self.ready.filtered(lambda one: one.price_unit_of == "hour")[0]
        booking.quantity = 2.0
        booking.price_unit = 100.0
        self.credit(self.invoice(booking), 0.25)
        booking.action_put_back()
        line = self.invoice(booking).invoice_line_ids
        self.assertEqual((line.quantity, line.price_unit, line.price_subtotal), (0.5, 100.0, 50.0))
        self.assertEqual(line.product_uom_id, self.env.ref("uom.product_uom_hour"))
        self.assertEqual(booking.billed_amount, 200.0)

    def test_credit_note_taken_back_makes_the_invoice_count_again(self):
        booking = self.ready[0]
        move = self.invoice(booking)
        refund = self.credit(move)
        self.assertEqual(booking.attention_reason, "credited")
        booking.action_put_back()
        self.assertEqual(booking.status, "ready")
        refund.button_draft()
        self.assertEqual(booking.status, "invoiced")
        refund.button_cancel()
        self.assertEqual(booking.status, "invoiced")

    def test_credit_note_cannot_be_taken_back_once_billed_again(self):
        booking = self.ready[0]
        refund = self.credit(self.invoice(booking))
        booking.action_put_back()
        again = self.invoice(booking)
        with self.assertRaisesRegex(UserError, again.name):
            refund.button_draft()

    def test_one_line_credited_frees_one_booking(self):
        payer = self.ready[0].payer_id
        bookings = self.ready[:3]
        bookings.payer_id = payer
        move = self.invoice(bookings)
        self.assertEqual(len(move), 1)
        self.credit(move, booking=bookings[1])
        self.assertEqual(bookings.mapped("status"), ["invoiced", "attention", "invoiced"])

    def test_paid_first_and_credited_later(self):
        """Odoo leaves such an invoice *paid*; the ledger of lines still knows."""
        booking = self.ready[0]
        move = self.invoice(booking)
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=move.ids
        ).create({})._create_payments()
        self.credit(move)
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "credited"))

    def test_credit_note_dated_in_the_future_frees_nothing_before_it_is_confirmed(self):
        booking = self.ready[0]
        move = self.invoice(booking)
        wizard = self.env["account.move.reversal"].create(
            {"move_ids": move.ids, "journal_id": move.journal_id.id, "date": "2026-06-30"}
        )
        wizard.modify_moves()
        self.assertEqual(booking.status, "invoiced")
        self.assertEqual(len(booking.invoice_line_ids.filtered("booking_live")), 1)

    def test_cancelled_after_credit(self):
        booking = self.ready[0]
        move = self.invoice(booking)
        self.credit(move)
        booking.action_mark_not_billable("waived", "Goodwill")
        self.assertEqual(booking.status, "not_billable")

    def test_prepared_credit_note_lets_the_booking_come_back_by_itself(self):
        payer = self.ready[0].payer_id
        bookings = self.ready[:2]
        bookings.payer_id = payer
        self.invoice(bookings)
        action = bookings[0].action_prepare_credit()
        refund = self.env["account.move"].browse(action["res_id"])
        self.assertEqual(refund.invoice_line_ids.booking_id, bookings[0])
        self.assertEqual(bookings[0].status, "invoiced")
        refund.action_post()
        self.assertEqual(bookings.mapped("status"), ["ready", "invoiced"])


@tagged("post_install", "-at_install")
class TestBadBooking(LedgerCase):
    def _break(self, booking):
        """Give the booking a product behind everybody's back whose income account owes money: Odoo refuses its line."""
        payable = self.company_data["default_account_payable"]
        product = booking.product_id.copy({"property_account_income_id": payable.id})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bookings_booking SET product_id = %s WHERE id = %s", [product.id, booking.id]
        )
        self.env.invalidate_all()

    def test_the_rest_of_its_group_is_one_draft(self):
        bookings = self.ready[:11]
        bookings.payer_id = bookings[0].payer_id
        bad = bookings[4]
        self._break(bad)
        run = self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)])
        self.assertEqual(run.left_out_ids.booking_id, bad)
        self.assertIn("payable type", run.left_out_ids.reason)
        self.assertEqual(len(run.move_ids), 1)
        self.assertEqual(run.move_ids.booking_ids, bookings - bad)
        self.assertEqual(run.state, "partial")

    def test_other_groups_are_not_touched(self):
        self._break(self.ready[3])
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready.ids)])
        self.assertEqual(run.left_out_ids.booking_id, self.ready[3])
        self.assertIn("payable type", run.left_out_ids.reason)
        self.assertEqual(run.booking_count, len(self.ready) - 1)
        self.assertEqual(len(run.move_ids), len((self.ready - self.ready[3]).payer_id))

    def test_one_bad_booking_of_a_thousand_costs_only_itself(self):
        """It is found by halves, and has the reason that Odoo gave; the others of its customer share their draft."""
        bookings = self._many(1000 if LONG else 150)
        bad = bookings[len(bookings) * 2 // 3]
        self._break(bad)
        attempts = self._count_attempts()
        run = self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)])
        self.assertEqual(run.left_out_ids.booking_id, bad)
        self.assertIn("payable type", run.left_out_ids.reason)
        self.assertEqual(bad.status, "ready")
        self.assertEqual(run.move_ids.booking_ids, bookings - bad)
        self.assertEqual(len(run.move_ids), len(bookings.payer_id))
        self.assertEqual(set((bookings - bad).mapped("status")), {"drafted"})
        # Each half is tried once: two for each halving, and a last one for the rest of the customer.
        self.assertLessEqual(len(attempts), 2 * len(bookings).bit_length() + 2)

    def _many(self, number):
        """Bookings that are ready, five of each customer."""
        model = self.ready[0]
        partners = self.env["res.partner"].create(
            [{"name": f"Customer {n}"} for n in range(number // 5)]
        )
        customers = (
            self.env["bookings.customer"]
            .sudo()
            .create(
                [
                    {
                        "setup_id": self.setup.id,
                        "remote_id": f"many {n}",
                        "name": partner.name,
                        "partner_id": partner.id,
                    }
                    for n, partner in enumerate(partners)
                ]
            )
        )
        bookings = (
            self.env["bookings.booking"]
            .sudo()
            .create(
                [
                    {
                        "setup_id": self.setup.id,
                        "appointment_id": f"many {n}",
                        "attendee_key": "-",
                        "name": customers[n // 5].name,
                        "customer_id": customers[n // 5].id,
                        "service_id": model.service_id.id,
                        "start": model.start,
                        "stop": model.stop,
                        "price_type": "fixedPrice",
                        "price": 40.0 + n,
                    }
                    for n in range(number)
                ]
            )
        )
        bookings._recheck_billing()
        self.assertEqual(set(bookings.mapped("status")), {"ready"})
        return bookings.sudo(False)

    def _count_attempts(self):
        attempts = []
        bookings = type(self.env["bookings.booking"])
        create = bookings._create_documents

        def counted(records, groups):
            attempts.append(len(groups))
            return create(records, groups)

        self.patch(bookings, "_create_documents", counted)
        return attempts
