"""What changes in Bookings, or is said by a person, while a booking is on a document, and after it."""

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .test_ledger import LedgerCase


@tagged("post_install", "-at_install")
class TestChangesWhileBilled(LedgerCase):
    def _fixed(self, number=0):
        return self.ready.filtered(lambda one: one.price_type == "fixedPrice" and one.price)[number]

    def _reprice(self, booking, price):
        self.change(op="reprice", appointment=booking.appointment_id, price=price)
        self.sync()

    def test_what_bookings_says_last_counts(self):
        booking = self._fixed()
        booking.action_create_invoices()
        self._reprice(booking, 120)
        booking.move_ids.unlink()
        self._reprice(booking, 150)
        self.assertEqual((booking.price, booking.amount), (150.0, 150.0))
        self.assertFalse(booking.pending_values)
        self.assertFalse(booking.changed_since_billing)

    def test_what_came_while_billed_is_taken_once_it_is_free(self):
        booking = self._fixed()
        booking.action_create_invoices()
        self._reprice(booking, 120)
        booking.move_ids.unlink()
        self._assert_follows(booking, 120.0)

    def _assert_follows(self, booking, amount):
        """The list says at once what the row's button bills."""
        self.assertEqual(
            (booking.status, booking.amount, booking.changed_since_billing),
            ("ready", amount, False),
        )
        booking.action_create_invoices()
        self.assertEqual(booking.invoice_line_ids.filtered("booking_live").price_subtotal, amount)

    def test_line_removed_from_a_draft_frees_a_booking_that_follows_at_once(self):
        booking, other = self._fixed(), self._fixed(1)
        other.payer_id = booking.payer_id
        (booking | other).action_create_invoices()
        self._reprice(booking, 120)
        booking.invoice_line_ids.unlink()
        self.assertEqual(other.status, "drafted")
        self._assert_follows(booking, 120.0)

    def test_prepared_credit_frees_a_booking_that_follows_at_once(self):
        booking = self._fixed()
        self.invoice(booking)
        self._reprice(booking, 120)
        self.env["account.move"].browse(booking.action_prepare_credit()["res_id"]).action_post()
        self._assert_follows(booking, 120.0)

    def test_cancelled_invoice_frees_a_booking_that_follows_at_once(self):
        booking = self._fixed()
        move = self.invoice(booking)
        self._reprice(booking, 120)
        move.button_draft()
        self.assertEqual((booking.status, booking.changed_since_billing), ("drafted", True))
        clerk = new_test_user(
            self.env,
            "accountant-of-moves",
            groups="account.group_account_manager",
            company_id=self.company.id,
        )
        move.with_user(clerk).button_cancel()
        self._assert_follows(booking, 120.0)

    def test_what_was_said_about_it_counts_at_once_when_its_draft_is_deleted(self):
        """A no-show is no longer listed as ready; a new payer is the one who is listed."""
        booking, other = self._fixed(), self._fixed(1)
        (booking | other).action_create_invoices()
        booking.action_no_show()
        payer = self.env["res.partner"].create({"name": "Employer"})
        other.customer_id.payer_id = payer
        self.assertTrue(other.payer_waits)
        (booking | other).move_ids.unlink()
        self.assertEqual((booking.status, booking.not_billable_reason), ("not_billable", "no_show"))
        self.assertEqual((other.status, other.payer_id), ("ready", payer))

    def test_label_given_after_drafting_is_shown_and_followed_on_request(self):
        self.env["bookings.label.rule"].create(
            {"setup_id": self.setup.id, "text": "Goodwill", "outcome": "free"}
        )
        booking = self._fixed()
        amount = booking.amount
        booking.action_create_invoices()
        self.change(op="label", appointment=booking.appointment_id, label="Goodwill")
        self.sync()
        self.assertEqual((booking.status, booking.amount), ("drafted", amount))
        self.assertTrue(booking.changed_since_billing)
        self.assertIn("Goodwill", booking.pending_text)
        booking.action_update_draft()
        self.assertEqual((booking.status, booking.not_billable_reason), ("not_billable", "free"))
        self.assertEqual((booking.label, booking.changed_since_billing), ("Goodwill", False))

    def test_moved_after_drafting_shows_the_times_of_the_business(self):
        """Noon UTC in winter is 13:00 in Copenhagen, here and in the list of late changes."""
        self.setup.sudo().tz = "Europe/Copenhagen"
        drafted, ready = self._fixed(), self._fixed(1)
        drafted.action_create_invoices()
        for booking in (drafted, ready):
            self.change(op="move", appointment=booking.appointment_id, start="2026-03-04T12:00:00Z")
        self.sync()
        for text in (drafted.pending_text, ready.late_changes_text):
            self.assertRegex(text, r"03/04/2026 01:00:00\sPM")
            self.assertNotIn("2026-03-04", text)
        self.env["res.lang"]._activate_lang("da_DK")
        drafted.sudo().pending_values = {"price": [1041.8, 1055.5, 1055.5]}
        self.assertIn("1.041,80", drafted.with_context(lang="da_DK").pending_text)
        self.assertIn("1,041.80", drafted.with_context(lang="en_US").pending_text)

    def test_label_without_rule_changes_nothing_billed(self):
        booking = self._fixed()
        booking.action_create_invoices()
        self.change(op="label", appointment=booking.appointment_id, label="Window seat")
        self.sync()
        self.assertEqual((booking.label, booking.changed_since_billing), ("Window seat", False))

    def test_no_show_said_after_drafting_is_followed_on_request(self):
        booking = self._fixed()
        booking.action_create_invoices()
        booking.action_came()
        self.assertFalse(booking.changed_since_billing)
        booking.action_no_show()
        self.assertEqual((booking.status, booking.changed_since_billing), ("drafted", True))
        self.assertEqual(booking.pending_text, "Attendance: No-Show")
        booking.action_update_draft()
        self.assertEqual((booking.status, booking.not_billable_reason), ("not_billable", "no_show"))
        self.assertFalse(booking.changed_since_billing)

    def _edited(self, line):
        """A person gives a discount, another account, tax, text and analytic account on the line."""
        plan = self.env["account.analytic.plan"].create({"name": "Places"})
        analytic = self.env["account.analytic.account"].create(
            {"name": "Harbour", "plan_id": plan.id}
        )
        self.edits = {
            "discount": 10.0,
            "account_id": line.account_id.copy({"code": "499900"}).id,
            "name": "As agreed by phone",
            "analytic_distribution": {str(analytic.id): 100.0},
            "tax_ids": line.tax_ids.copy({"name": "Another tax", "amount": 5.0}).ids,
        }
        if "account_id" not in line._fields:
            del self.edits["account_id"]
        line.write(self.edits | {"tax_ids": [Command.set(self.edits["tax_ids"])]})

    def _assert_edits(self, line):
        for name, value in self.edits.items():
            found = line[name].ids if name == "tax_ids" else line[name]
            self.assertEqual(found.id if name == "account_id" else found, value, name)

    def test_updated_draft_keeps_what_a_person_changed_and_says_so(self):
        for price_tax in ("excluded", "included"):
            with self.subTest(price_tax), self.env.cr.savepoint() as trial:
                self.setup.price_tax = price_tax
                fixed = self.ready.filtered(lambda one: one.price_type == "fixedPrice")
                booking = fixed.filtered(
                    lambda one: one.price and not one._split().fiscal_position
                )[0]
                booking.action_create_invoices()
                move = booking.invoice_line_ids.move_id
                self._edited(booking.invoice_line_ids)
                for price in (120, 150):  # twice: what was kept once is kept again
                    self._reprice(booking, price)
                    booking.action_update_draft()
                    line = booking.invoice_line_ids
                    self._assert_edits(line)
                net = 135.0 if price_tax == "excluded" else round(135.0 / 1.15, 2)
                self.assertAlmostEqual(line.price_subtotal, net, 2)
                self.assertAlmostEqual(line.price_total, net * 1.05, 2)
                for record in (booking, move):
                    said = record.message_ids[0].body
                    for name in self.edits:
                        self.assertIn(line._fields[name]._description_string(self.env), said)
                trial.rollback()
            self.env.invalidate_all()

    def test_updated_draft_says_that_a_price_set_by_hand_is_replaced(self):
        booking = self._fixed()
        booking.action_create_invoices()
        booking.invoice_line_ids.price_unit = 45.0
        self._reprice(booking, 120)
        booking.action_update_draft()
        self.assertEqual(booking.invoice_line_ids.price_subtotal, 120.0)
        self.assertIn("45.0", booking.invoice_line_ids.move_id.message_ids[0].body)

    def test_updated_draft_follows_what_nobody_changed(self):
        """Text, staff and taxes as they are now; nothing is said of changes by hand."""
        booking = self._fixed()
        booking.action_create_invoices()
        move = booking.invoice_line_ids.move_id
        self.setup.line_template = "{service} at {start}"
        tax = booking.invoice_line_ids.tax_ids.copy({"name": "New rate", "amount": 7.0})
        booking.product_id.taxes_id = tax
        self._reprice(booking, 120)
        number = len(move.message_ids)
        booking.action_update_draft()
        line = booking.invoice_line_ids
        self.assertIn(" at ", line.name)
        self.assertEqual(line.tax_ids, tax)
        self.assertFalse(move.message_ids[: len(move.message_ids) - number].filtered("body"))

    def test_left_as_billed(self):
        """The flag goes and stays away; once the booking is free, it follows all the same."""
        booking = self._fixed()
        move = self.invoice(booking)
        self._reprice(booking, 120)
        booking.action_leave_as_billed()
        self.assertFalse(booking.changed_since_billing)
        self.assertIn("120", booking.message_ids[0].body)
        self.sync(full=True)
        self.assertFalse(booking.changed_since_billing)
        move.button_draft()
        move.button_cancel()
        self._assert_follows(booking, 120.0)

    def test_removed_while_on_a_draft_is_no_change_once_it_is_free(self):
        booking = self._fixed()
        booking.action_create_invoices()
        self.change(op="delete", appointment=booking.appointment_id)
        self.sync()
        self.assertTrue(booking.changed_since_billing)
        self.assertIn("Removed on: ", booking.pending_text)
        booking.move_ids.unlink()
        self.assertFalse(booking.changed_since_billing)
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "removed_after"))

    def test_credited_and_billed_again_in_one_step(self):
        """Several bookings, two of one invoice: the difference is shown first, then all documents are there."""
        fixed = self.ready.filtered(lambda row: row.price_type == "fixedPrice" and row.price)
        one, two, three = (rows[0] for rows in list(fixed.grouped("appointment_id").values())[:3])
        two.payer_id = one.payer_id
        self.invoice(one | two | three)
        before = {booking: booking.billed_amount for booking in (one, two, three)}
        self._reprice(one, 120)
        asked = (one | two | three).action_bill_again()
        wizard = self.env[asked["res_model"]].browse(asked["res_id"])
        line = wizard.line_ids.filtered(lambda row: row.booking_id == one)
        self.assertEqual(
            (line.credited, line.again, line.difference), (-before[one], 120.0, 120.0 - before[one])
        )
        self.assertEqual(wizard.line_ids.mapped("difference"), [120.0 - before[one], 0.0, 0.0])
        self.assertIn(self.setup.currency_id.format(line.difference), wizard.totals)
        self.assertEqual(one.status, "invoiced", "nothing of the trial is kept")
        opened = self.env["account.move"].search(wizard.action_confirm()["domain"])
        credits = opened.filtered(lambda move: move.move_type == "out_refund")
        self.assertEqual((len(credits), set(credits.mapped("state"))), (2, {"posted"}))
        self.assertEqual(set((one | two | three).mapped("status")), {"drafted"})
        self.assertEqual(
            opened - credits, (one | two | three).invoice_line_ids.filtered("booking_live").move_id
        )
        self.assertEqual((one.amount, one.changed_since_billing), (120.0, False))
        self.assertEqual(two.amount, before[two])
        with self.assertRaisesRegex(UserError, "not on a posted invoice"):
            one.action_bill_again()

    def test_a_prepared_credit_note_is_not_posted_for_more_than_was_shown(self):
        """It also credits a booking that nobody selected now, or not what the dialog shows."""
        one, two = self._fixed(), self._fixed(1)
        two.payer_id = one.payer_id
        self.invoice(one | two)
        before = self._bill_again(one)  # opened before somebody prepares the credit note
        credit = self.env["account.move"].browse(
            self._bill_again(one | two).action_prepare()["res_id"]
        )
        with self.assertRaisesRegex(UserError, "also credits"):
            before.action_confirm()
        with self.assertRaisesRegex(UserError, "also credits"):
            self._bill_again(one)
        self.assertEqual((credit.state, two.status), ("draft", "invoiced"))
        line = credit.invoice_line_ids.filtered(lambda row: row.booking_id == two)
        line.unlink()
        credit.invoice_line_ids.price_unit /= 2
        with self.assertRaisesRegex(UserError, "has changed"):
            self._bill_again(one)
        credit.invoice_line_ids.price_unit *= 2
        self._bill_again(one).action_confirm()
        self.assertEqual((credit.state, one.status, two.status), ("posted", "drafted", "invoiced"))

    def _bill_again(self, bookings):
        asked = bookings.action_bill_again()
        return self.env[asked["res_model"]].browse(asked["res_id"])

    def test_what_is_selected_is_billed_although_its_setup_is_archived(self):
        """Nothing is credited that is then not drafted again, as the dialog says, or planned that is then not drafted."""
        one, two = self._fixed(), self._fixed(1)
        self.invoice(one)
        self.setup.action_archive()
        wizard = self._bill_again(one)
        self.assertEqual(wizard.line_ids.again, one.amount)
        wizard.action_confirm()
        self.assertEqual(one.status, "drafted")
        preview = self.env["bookings.invoice.preview"].create({"booking_ids": two.ids})
        self.assertEqual(preview.invoice_count, 1)
        preview.action_create()
        self.assertEqual(two.status, "drafted")

    def test_archived_bookings_of_a_service_are_left_to_the_other_company_as_well(self):
        """Otherwise, they would keep the other company from billing these appointments, and nobody would."""
        booking = self._fixed()
        self.setup.action_archive()
        booking.service_id.taken = False
        self.assertEqual(
            (booking.status, booking.not_billable_reason), ("not_billable", "billed_elsewhere")
        )
        booking.service_id.taken = True
        self.assertEqual(booking.status, "ready")

    def test_two_presses_prepare_one_credit_note(self):
        booking = self._fixed()
        self.invoice(booking)
        first, second = (booking.action_prepare_credit()["res_id"] for _press in range(2))
        self.assertEqual(first, second)
        refund = self.env["account.move"].browse(first)
        refund.action_post()
        self.assertEqual(booking.status, "ready")

    def test_billed_again_after_a_prepared_credit_its_draft_can_be_updated_and_deleted(self):
        booking = self._fixed()
        self.invoice(booking)
        self.env["account.move"].browse(booking.action_prepare_credit()["res_id"]).action_post()
        booking.action_create_invoices()
        draft = booking.invoice_line_ids.filtered("booking_live").move_id
        self._reprice(booking, 120)
        booking.action_update_draft()
        self.assertEqual((booking.status, draft.invoice_line_ids.booking_id), ("drafted", booking))
        self.assertEqual(booking.amount, 120.0)
        draft.unlink()
        self.assertEqual(booking.status, "ready")

    def test_nobody_puts_work_on_the_run_of_somebody_else(self):
        """The scheduled action would do it with the rights of the run's user."""
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready[0].ids)])
        clerk = new_test_user(
            self.env, "clerk", groups="account.group_account_invoice,bookings_invoicing.group_user"
        )
        with self.assertRaises(AccessError):
            run.with_user(clerk).write({"state": "queued", "todo": [self.ready[1].ids]})

    def test_bookings_are_archived_with_their_setup_only(self):
        """In the web client: what leaves billing has a reason."""
        self.assertTrue(self.env["bookings.booking"].fields_get(["active"])["active"]["readonly"])


@tagged("post_install", "-at_install")
class TestDraftsOfTwoRuns(LedgerCase):
    def setUp(self):
        super().setUp()
        payer = self.ready[0].payer_id
        self.first, self.second = self.ready.filtered(lambda one: one.price_type == "fixedPrice")[
            :2
        ]
        (self.first | self.second).payer_id = payer
        booking = self.env["bookings.booking"]
        self.made = booking._invoice_all([("id", "in", self.first.ids)])
        self.draft = self.made.move_ids
        self.joined = booking._invoice_all([("id", "in", self.second.ids)], join=self.draft.ids)
        self.assertEqual(self.second.invoice_line_ids.move_id, self.draft)
        self.change(op="reprice", appointment=self.second.appointment_id, price=99)
        self.sync()
        self.second.action_update_draft()
        self.assertEqual(self.draft.invoice_line_ids.booking_id, self.first | self.second)

    def test_undo_of_the_second_takes_its_updated_line_only(self):
        self.joined.action_undo()
        self.assertEqual(self.draft.exists().invoice_line_ids.booking_id, self.first)
        self.assertEqual(self.second.status, "ready")

    def test_undo_of_the_first_leaves_the_draft(self):
        message = self.made.action_undo()["params"]["message"]
        self.assertIn("another run", message)
        self.assertEqual(self.draft.exists().invoice_line_ids.booking_id, self.first | self.second)
