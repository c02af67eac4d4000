from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from ...models.setup.journal import sales_journal
from ..invoicing.test_ledger import LedgerCase


@tagged("post_install", "-at_install")
class TestBillingRules(LedgerCase):
    """Rules of prices and decisions where two of them meet."""

    def test_removed_after_it_took_place_is_billed_where_a_person_says_so(self):
        booking = self.ready[-1]
        self.change(op="delete", appointment=booking.appointment_id)
        self.sync(full=True)
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "removed_after"))
        booking.action_put_back()
        self.assertEqual(booking.status, "ready")
        self.invoice(booking)
        self.assertEqual(booking.status, "invoiced")

    def test_hand_price_of_one_attendee_is_not_that_of_the_appointment(self):
        self.setup.group_price = "appointment"
        group = self._group()
        whole = sum(group.mapped("amount"))
        group[0].write({"price_unit": 1.0})
        group._recheck_billing()
        self.assertEqual(group[0].amount, 1.0)
        self.assertAlmostEqual(sum(group.mapped("share_amount")), whole, 2)

    def test_price_and_quantity_typed_together_are_both_kept(self):
        booking = self.ready[0]
        for values in (
            {"quantity": 2.0, "price_unit": 100.0},
            {"price_unit": 30.0, "quantity": 3.0},
        ):
            booking.write(values)
            self.assertEqual({name: booking[name] for name in values}, values)
            self.assertEqual(booking.amount, values["quantity"] * values["price_unit"])

    def test_whom_the_price_is_for_counts_at_once_and_back(self):
        group = self._group()
        each = group.mapped("amount")
        self.setup.group_price = "appointment"
        self.assertAlmostEqual(sum(group.mapped("amount")), group[0].price, 2)
        self.setup.group_price = "attendee"
        self.assertEqual(group.mapped("amount"), each)

    def test_per_cent_of_a_list_price_is_of_the_service_s(self):
        fee = self.env["product.product"].create({"name": "Fee", "list_price": 1.0})
        self.setup.write(
            {"fee_product_id": fee.id, "no_show_fee_kind": "percent", "no_show_fee": 50}
            | {"price_tax": "excluded"}
        )
        booking = self.ready[0]
        booking.service_id.billing_rule = "pricelist"
        booking.service_id.product_id.list_price = 80.0
        booking._recheck_billing()
        self.assertEqual(booking.amount, 80.0)
        booking.action_no_show()
        self.assertEqual((booking.product_id, booking.amount), (fee, 40.0))

    def test_list_prices_are_taken_as_those_of_bookings(self):
        booking = self.ready.filtered("product_id.taxes_id")[0]
        # A tax that no fiscal position of the payer maps.
        booking.product_id.taxes_id = self.env["account.tax"].create(
            {"name": "25 %", "amount": 25.0, "type_tax_use": "sale"}
        )
        booking.product_id.list_price = 100.0
        booking.service_id.billing_rule = "pricelist"
        self.setup.price_tax = "included"
        booking._recheck_billing()
        self.assertEqual(booking.amount, 125.0)
        self.assertEqual(self.invoice(booking).amount_total, 125.0)

    def test_a_line_credited_in_part_is_not_credited_as_a_whole(self):
        booking = self.ready[0]
        move = self.invoice(booking)
        refund = self.credit(move, 0.3)
        with self.assertRaisesRegex(UserError, refund.name):
            booking.action_prepare_credit()

    def test_texts_and_roundings_that_cannot_be_worked_with_are_refused(self):
        with self.assertRaises(ValidationError):
            self.setup.line_template = "{servce}, {date}"
        for record, name in (
            (self.setup, "line_template"),
            (self.env.user.partner_id, "bookings_line_template"),
        ):
            with self.assertRaisesRegex(ValidationError, "at most 500 characters"):
                record[name] = "{service}" * 56
        for wrong in ({"rounding": "up", "rounding_minutes": False}, {"minimum_minutes": -5}):
            with self.assertRaises(ValidationError), self.cr.savepoint():
                self.ready[0].service_id.write(wrong)
            self.env.invalidate_all()

    def test_nobody_runs_as_somebody_else_or_signs_by_hand(self):
        clerk = new_test_user(
            self.env,
            "rules-clerk",
            "account.group_account_invoice,bookings_invoicing.group_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        runs = self.env["bookings.invoice.run"].with_user(clerk)
        with self.assertRaises(AccessError):
            runs.create({"state": "queued", "user_id": self.env.uid, "todo": [[self.ready[0].id]]})
        own = runs._start({"state": "queued", "todo": []})
        self.assertEqual(own.user_id, clerk)
        with self.assertRaises(AccessError):
            own.user_id = self.env.uid
        reports = self.env["bookings.completeness"].with_user(clerk)
        period = {"setup_id": self.setup.id, "date_from": "2026-02-01", "date_to": "2026-02-28"}
        with self.assertRaises(AccessError):
            reports.create(period | {"state": "signed", "signed_uid": self.env.uid})
        report = reports.create(period)
        with self.assertRaises(AccessError):
            report.write({"snapshot": {"rows": []}, "digest": "x"})
        report.action_sign()
        self.assertEqual((report.state, report.signed_uid), ("signed", clerk))
        report.action_check()
        self.assertEqual(report.check_text, "Nothing has changed.")

    def test_updated_draft_has_the_dates_of_its_bookings(self):
        """Moved to another day after it was drafted; undoing the run still takes the draft back."""
        self.setup.invoice_date_policy = "last_service"
        booking = self.ready[-1]
        booking.action_create_invoices()
        move = booking.move_ids
        before = move.delivery_date
        start = booking.start - timedelta(days=3)
        self.change(
            op="move", appointment=booking.appointment_id, start=f"{start:%Y-%m-%dT%H:%M:%SZ}"
        )
        self.sync()
        booking.action_update_draft()
        day = before - timedelta(days=3)
        self.assertEqual(
            (move.delivery_date, move.bookings_service_start, move.invoice_date), (day, day, day)
        )
        run = self.env["bookings.invoice.run"].search([("move_ids", "in", move.ids)])
        run.action_undo()
        self.assertEqual(booking.status, "ready")

    def test_an_employer_does_not_read_who_came(self):
        self.company.bookings_business_details = False
        company = self.env["res.partner"].create({"name": "Acme", "is_company": True})
        booking = self.ready[0]
        name = booking.name
        booking.partner_id.parent_id = company
        booking.payer_id = company
        self.setup.line_template = "{service}, {attendee}"
        self.assertNotIn(name, self.invoice(booking).invoice_line_ids.name)
        other = self.ready.filtered(lambda one: one.partner_id != booking.partner_id)[0]
        self.assertIn(other.name, self.invoice(other).invoice_line_ids.name)

    def test_payer_corrected_while_on_a_draft_counts_once_it_is_free(self):
        booking = self.ready.filtered(lambda one: one.customer_id.partner_id)[0]
        before = booking.payer_id
        parent = self.env["res.partner"].create({"name": "Parent"})
        booking.action_create_invoices()
        booking.customer_id.payer_id = parent
        self.assertEqual(booking.payer_id, before)
        booking.move_ids.unlink()
        self.env["bookings.invoice.preview"].create({})
        self.assertEqual((booking.status, booking.payer_id), ("ready", parent))
        self.assertFalse(booking.payer_waits)

    def test_payer_chosen_by_hand_survives_a_draft(self):
        booking = self.ready[0]
        payer = booking.payer_id = self.env["res.partner"].create({"name": "Payer"})
        booking.action_create_invoices()
        booking.move_ids.unlink()
        self.env["bookings.invoice.preview"].create({})
        self.assertEqual((booking.status, booking.payer_id), ("ready", payer))

    def test_fees_without_tax_on_purpose(self):
        """Damages bear no tax in many countries; what the service bears is a matter of its own."""
        fee = self.env["product.product"].create({"name": "Fee", "taxes_id": False})
        self.setup.write(
            {"fee_product_id": fee.id, "no_show_fee_kind": "amount", "no_show_fee": 20.0}
        )
        booking = self.ready[0]
        booking.action_no_show()
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "no_tax"))
        self.assertIn("“Fees Without Tax”", booking.attention_detail)
        self.setup.fee_no_tax = True
        self.assertEqual(booking.status, "ready")
        move = self.invoice(booking)
        self.assertFalse(move.invoice_line_ids.tax_ids)
        self.assertEqual(move.amount_total, 20.0)

    def test_fee_where_coins_are_rounded(self):
        self.setup.currency_id.rounding = 0.05
        fee = self.env["product.product"].create({"name": "Fee"})
        self.setup.write(
            {"fee_product_id": fee.id, "no_show_fee_kind": "amount", "no_show_fee": 20.02}
        )
        booking = self.ready[0]
        booking.action_no_show()
        self.assertEqual((booking.price_unit, booking.amount), (20.0, 20.0))

    def test_what_is_left_out_opens_as_listed(self):
        """Those that end too late for the chosen day, too."""
        day = self.ready.sorted("stop")[len(self.ready) // 2].stop.date()
        preview = self.env["bookings.invoice.preview"].create(
            {"booking_ids": [Command.set(self.ready.ids)], "ended_before": day}
        )
        self.assertTrue(preview.left_out_ids)
        self.assertIn("did not end before", preview.left_out_ids[-1].reason)
        opened = preview.action_open_left_out()["domain"][0][2]
        self.assertEqual(set(opened), set(preview.left_out_ids.booking_id.ids))
        self.assertEqual(set(opened), set((self.ready - preview.line_ids.booking_ids).ids))

    def test_all_ready_at_once(self):
        """An action of the list's menu gets what is selected, which makes no difference."""
        action = self.env.ref("bookings_invoicing.booking_action_invoice_ready")
        shown = action.with_context(
            active_model="bookings.booking",
            active_ids=self.ready[:1].ids,
            active_id=self.ready[0].id,
        ).run()
        preview = self.env[shown["res_model"]].with_context(**shown["context"]).create({})
        self.assertEqual(preview.booking_ids, self.ready)
        self.assertIn(f"All ready bookings of {self.company.name}", preview.scope)
        preview.action_create()
        self.assertEqual(set(self.ready.mapped("status")), {"drafted"})

    def test_currency_that_the_journal_does_not_take_is_a_stop(self):
        other = self.env["res.currency"].with_context(active_test=False)
        other = other.search([("id", "!=", self.setup.currency_id.id)], limit=1)
        other.active = True
        journal = sales_journal(self.setup).copy({"currency_id": other.id})
        own, self.setup.journal_id = sales_journal(self.setup), journal
        booking = self.ready[0]
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "currency"))
        self.assertIn(journal.display_name, booking.attention_detail)
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.ready.ids)])
        self.assertFalse(run.move_ids)
        self.setup.journal_id = own
        self.assertEqual(booking.status, "ready")

    def test_what_has_not_ended_when_it_is_claimed_is_not_billed(self):
        """The status was right when it was kept; the clock is asked again."""
        booking = self.ready[0]
        self.setup.bill_after = 366 * 24
        self.assertEqual(booking.status, "upcoming")
        self.env.cr.execute(
            "UPDATE bookings_booking SET status = 'ready' WHERE id = %s", [booking.id]
        )
        booking.invalidate_recordset()
        booking.action_create_invoices()
        self.assertFalse(booking.invoice_line_ids)
        self.assertEqual(booking.status, "upcoming")

    # -- what a person changes is told, noted and can be undone ------------------------------------------

    def _clerk(self, login="desk-clerk"):
        """A user with Odoo's Invoicing role and nothing else."""
        return new_test_user(
            self.env,
            login,
            "account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def _press(self, told, name):
        """Press a button of the notification, as the user whom it was shown."""
        [button] = [one for one in told["params"]["buttons"] if one["method"] == name]
        change = self.env[button["model"]].browse(button["id"])
        return getattr(change.with_user(change.create_uid), name)()

    def _notes(self, booking):
        return "".join(booking.message_ids.mapped("body"))

    def test_no_show_changes_no_price_without_a_word(self):
        fee = self.env["product.product"].create({"name": "Fee"})
        self.setup.write(
            {"fee_product_id": fee.id, "no_show_fee_kind": "percent", "no_show_fee": 50}
        )
        booking = self.ready.filtered(lambda one: one.amount > 10)[0]
        before = booking.amount
        clerk = self._clerk()
        told = booking.with_user(clerk).action_no_show()
        self.assertEqual(told["tag"], "bookings_changed")
        self.assertEqual(told["params"]["title"], booking.display_name)
        for text in (f"{before:.2f}", f"{booking.amount:.2f}", "Unknown → No-Show"):
            self.assertIn(text, told["params"]["message"])
        self.assertLess(booking.amount, before)
        self.assertIn(f"{booking.amount:.2f}", self._notes(booking))
        self._press(told, "action_undo")
        self.assertEqual(
            (booking.amount, booking.attendance, booking.attendance_source),
            (before, "unknown", False),
        )
        with self.assertRaisesRegex(UserError, "changed again"):
            self._press(told, "action_undo")

    def test_price_typed_in_a_row_is_told_and_undone(self):
        booking, clerk = self.ready[0], self._clerk()
        before, changes = booking.amount, self.env["bookings.change"].with_user(clerk)
        booking.with_user(clerk).web_save({"price_unit": 81.0}, {"amount": {}})
        told = changes.latest()
        self.assertIn("81.00", told["params"]["message"])
        self.assertFalse(changes.latest(), "it is told once")
        self.assertIn("81.00", self._notes(booking))
        self._press(told, "action_undo")
        self.assertEqual((booking.amount, booking.has_manual_price), (before, False))
        asked = self.bookings(attention_reason="price_to_decide")[0].with_user(clerk)
        asked.web_save({"price_unit": 33.0}, {"status": {}})
        self.assertEqual((asked.status, asked.attention_reason), ("ready", False))
        told = changes.latest()
        self.assertIn("Needs Attention → Ready", told["params"]["message"])
        self._press(told, "action_undo")
        self.assertEqual(asked.attention_reason, "price_to_decide")
        asked.web_save({"price_unit": 33.0, "quantity": 2.0}, {"status": {}})
        self.assertEqual((asked.status, asked.amount), ("ready", 66.0))
        pair = self.ready[:2].with_user(clerk)
        pair.web_save({"price_unit": 10.0, "quantity": 2.0}, {"amount": {}})
        self.assertEqual(pair.mapped("amount"), [20.0, 20.0])
        self.assertIn("40.00", changes.latest()["params"]["message"])
        with self.assertRaises(AccessError):
            changes.create({"booking_ids": pair.ids})
        with self.assertRaises(AccessError):
            changes.search([], limit=1).write({"before": {}})
        self.assertFalse(changes.with_user(self._clerk("other-clerk")).search([]))

    def test_payer_that_follows_the_typed_customer_is_nobodys_choice(self):
        """A row sends the payer that the change of the customer brought with it."""
        booking = self.ready[0]
        anna, berta = self.env["res.partner"].create([{"name": "Anna"}, {"name": "Berta"}])
        booking.customer_id.payer_id = False
        booking.web_save({"partner_id": anna.id, "payer_id": anna.id}, {})
        self.assertEqual((booking.payer_id, booking.payer_hand_id.id), (anna, False))
        booking.web_save({"payer_id": berta.id}, {})
        self.assertEqual((booking.payer_id, booking.payer_hand_id), (berta, berta))

    def test_starting_price_is_taken_as_it_is_and_one_price_for_a_service(self):
        clerk = self._clerk()
        asked = self.bookings(status="attention", price_type="startingAt").filtered("price")
        booking = asked[0]
        self.assertEqual(booking.attention_reason, "price_to_decide")
        told = booking.with_user(clerk).action_take_price()
        self.assertEqual((booking.status, booking.amount), ("ready", booking.price))
        alike = asked.filtered(lambda one: one.service_id == booking.service_id) - booking
        self.assertTrue(alike, "another booking of the service")
        again = self._press(told, "action_same_price")
        self.assertEqual(set(alike.mapped("amount")), {booking.amount})
        self.assertEqual(set(alike.mapped("status")), {"ready"})
        with self.assertRaisesRegex(UserError, "No other booking"):
            booking.with_user(clerk).action_same_price()
        self._press(again, "action_undo")
        self.assertEqual(set(alike.mapped("attention_reason")), {"price_to_decide"})
        with self.assertRaisesRegex(UserError, "Enter it"):
            self.ready[0].with_user(clerk).action_take_price()

    def test_not_billable_and_bill_again_are_undone(self):
        booking = self.ready[0].with_user(self._clerk())
        told = booking.action_mark_not_billable("waived")
        self.assertIn("Not Billable", told["params"]["message"])
        self._press(told, "action_undo")
        self.assertEqual((booking.status, booking.not_billable_uid.id), ("ready", False))
        booking.action_mark_not_billable("waived", "Kind")
        told = booking.action_put_back()
        self._press(told, "action_undo")
        self.assertEqual((booking.status, booking.not_billable_note), ("not_billable", "Kind"))
        booking.action_put_back()
        told = booking.action_put_back()
        self.assertEqual(told["params"]["message"], "Nothing to change for these bookings.")
        credited = self.ready[1].with_user(booking.env.user)
        self.credit(self.invoice(credited.sudo(False).with_env(self.env)))
        told = credited.action_put_back()
        self.assertEqual(credited.status, "ready")
        self._press(told, "action_undo")
        self.assertEqual(credited.attention_reason, "credited")
        kept = self.ready[2].with_user(booking.env.user)
        self.invoice(kept.sudo(False).with_env(self.env))
        kept.sudo().changed_since_billing = True
        told = kept.action_leave_as_billed()
        self.assertIn("The invoice was kept.", told["params"]["message"])
        self._press(told, "action_undo")
        self.assertEqual((kept.changed_since_billing, kept.status), (True, "invoiced"))
        told = credited.action_put_back()
        credited.action_create_invoices()
        with self.assertRaisesRegex(UserError, "changed again"):
            self._press(told, "action_undo")
