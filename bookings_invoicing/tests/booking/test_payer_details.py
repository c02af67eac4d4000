"""Address, tax ID and e-invoice details of the payer: hints, and stops where an invoice needs them."""

from odoo.tests import new_test_user, tagged

from ..invoicing.test_ledger import LedgerCase

ADDRESS = {"street": "Quay 1", "city": "Ghent", "zip": "9000"}


@tagged("post_install", "-at_install")
class TestPayerDetails(LedgerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.payer = cls.ready[0].payer_id
        cls.theirs = cls.ready.filtered(lambda booking: booking.payer_id == cls.payer)
        cls.payer.write({"street": False, "city": False, "country_id": False, "vat": False})
        cls.complete = ADDRESS | {"country_id": cls.env.ref("base.be").id}

    def _look_again(self):
        self.theirs._recheck_billing()
        return set(self.theirs.mapped("attention_reason"))

    def _preview(self, **values):
        return self.env["bookings.invoice.preview"].create(
            {"booking_ids": self.theirs.ids, **values}
        )

    def test_only_a_hint_by_default(self):
        self.assertEqual(self._look_again(), {False})
        preview = self._preview()
        self.assertEqual(preview.booking_count, len(self.theirs))
        self.assertIn("The payer lacks: Street, City, Country.", preview.line_ids.hint)
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.theirs.ids)])
        self.assertEqual(run.move_ids.booking_ids, self.theirs)

    def test_above_the_company_s_limit_a_stop(self):
        total = self._preview().line_ids.amount_total
        self.setup.currency_id = self.company.currency_id
        self.company.bookings_address_limit = total
        self.assertEqual(self._look_again(), {False})
        self.company.bookings_address_limit = total - 0.01
        self.assertEqual(self._look_again(), {"address"})
        self.assertIn("lacks: Street, City, Country", self.theirs[0].attention_detail)
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.theirs.ids)])
        self.assertEqual(run.left_out_ids.booking_id, self.theirs)
        self.payer.write(self.complete)
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})

    def test_the_limit_looks_at_the_invoices_as_they_are_grouped_now(self):
        """Each booking by itself is below the limit, all of them on one invoice are above it."""
        self.assertGreater(len(self.theirs), 1)
        self.theirs.price_unit = 100.0
        self.theirs.quantity = 1.0
        self.setup.write({"grouping": "booking", "currency_id": self.company.currency_id.id})
        self.company.bookings_address_limit = 150.0
        self.assertEqual(self._look_again(), {False})
        preview = self._preview(grouping="customer")
        self.assertEqual((preview.invoice_count, preview.left_out_count), (0, len(self.theirs)))
        self.assertIn("lacks: Street", preview.left_out_ids[0].reason)
        run = self.env["bookings.booking"]._invoice_all(
            [("id", "in", self.theirs.ids)], grouping="customer"
        )
        self.assertFalse(run.move_ids)
        self.assertEqual(run.left_out_ids.booking_id, self.theirs)
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.theirs.ids)])
        self.assertEqual(len(run.move_ids), len(self.theirs))

    def test_a_business_needs_address_and_tax_id(self):
        self.payer.is_company = True
        self.assertEqual(self._look_again(), {"address"})
        self.payer.write(self.complete)
        self.assertEqual(set(self.theirs.mapped("attention_reason")), {"vat"})
        self.assertIn("“/”", self.theirs[0].attention_detail)
        self.payer.vat = "/"
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})

    def test_the_company_may_be_content_with_a_hint_for_businesses(self):
        self.company.bookings_business_details = False
        self.payer.is_company = True
        self.assertEqual(self._look_again(), {False})

    def test_what_the_e_invoice_format_needs(self):
        formats = dict(self.env["res.partner"]._fields["invoice_edi_format"].selection)
        if "xrechnung" not in formats:
            self.skipTest("no e-invoice format is installed")
        # one that takes no tax off: an e-invoice needs to be told why
        home = self.env["account.fiscal.position"].create({"name": "Home"})
        self.payer.property_account_position_id = home
        self.payer.with_company(self.company).invoice_edi_format = "xrechnung"
        self.assertEqual(self._look_again(), {"e_invoice"})
        self.assertIn("requires: City, Country", self.theirs[0].attention_detail)
        self.payer.write(self.complete)
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})

    def test_settings_are_the_company_s(self):
        settings = self.env["res.config.settings"].create(
            {"bookings_address_limit": 250.0, "bookings_business_details": False}
        )
        settings.execute()
        self.assertEqual(self.env.company.bookings_address_limit, 250.0)
        self.assertFalse(self.env.company.bookings_business_details)
        other = self.env["res.company"].create({"name": "Other"})
        self.assertEqual((other.bookings_address_limit, other.bookings_business_details), (0, True))

    def test_another_payer_settles_it_at_once(self):
        self.payer.is_company = True
        self.assertEqual(self._look_again(), {"address"})
        self.theirs.payer_id = self.payer.create({"name": "Person"} | self.complete)
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})

    def test_who_came_is_asked_where_the_setup_says_so(self):
        self.payer.write(self.complete)
        self.assertNotIn("whether the attendee came", self._preview().line_ids.hint)
        self.setup.ask_attendance = True
        self.assertIn("whether the attendee came", self._preview().line_ids.hint)
        self.setup.auto_draft = "daily"
        self.assertFalse(self.setup._auto_draft().move_ids)
        self.theirs.action_came()
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})
        self.assertNotIn("whether the attendee came", self._preview().line_ids.hint)

    def test_a_service_stops_automatic_drafts_while_nobody_says_who_came(self):
        self.payer.write(self.complete)
        self.theirs.service_id.ask_attendance = "automatic"
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})
        self.assertIn("whether the attendee came", self._preview().line_ids.hint)
        self.setup.auto_draft = "daily"
        run = self.setup._auto_draft()
        self.assertFalse(run.move_ids.booking_ids & self.theirs)
        reasons = run.left_out_ids.filtered(lambda left: left.booking_id in self.theirs)
        self.assertIn("whether the attendee came", "".join(reasons.mapped("reason")))
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.theirs.ids)])
        self.assertEqual(run.move_ids.booking_ids, self.theirs, "users may")

    def test_a_service_stops_all_drafts_while_nobody_says_who_came(self):
        """Button, preview, and automatic drafts; a service comes before the setup; each way to tell counts at once."""
        self.payer.write(self.complete)
        self.setup.write({"ask_attendance": True, "auto_draft": "daily"})
        services = self.theirs.service_id
        services.ask_attendance = "all"
        self.assertEqual(set(self.theirs.mapped("attention_reason")), {"attendance"})
        preview = self._preview()
        self.assertEqual((preview.booking_count, preview.left_out_count), (0, len(self.theirs)))
        self.assertIn("Select Attended, No-Show", preview.left_out_ids[0].reason)
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.theirs.ids)])
        self.assertEqual(run.left_out_ids.booking_id, self.theirs)
        self.assertIn("It is not known whether", run.left_out_ids[0].reason)
        self.assertFalse(self.setup._auto_draft().move_ids.booking_ids & self.theirs)

        one, *others = self.theirs
        one.action_came()
        self.theirs.browse([other.id for other in others]).attendance = "came"  # as in the list
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})
        one.attendance = "unknown"
        self.assertEqual(one.attention_reason, "attendance")
        one.action_late_cancel()
        self.assertEqual((one.status, one.attention_reason), ("cancelled", False))
        one.action_no_show()
        self.assertEqual(one.not_billable_reason, "no_show")
        one.attendance = "unknown"
        self.assertEqual(one.attention_reason, "attendance")
        services.ask_attendance = False
        self.assertEqual(one.status, "ready")

    def test_undo_of_attended_stops_its_drafts_again(self):
        self.payer.write(self.complete)
        self.theirs.service_id.ask_attendance = "all"
        user = new_test_user(
            self.env, "who-came", "bookings_invoicing.group_user,account.group_account_invoice",
            company_id=self.company.id, company_ids=[(6, 0, self.company.ids)],
        )  # fmt: skip
        theirs = self.theirs.with_user(user)
        notice = theirs.action_came()
        self.assertEqual(set(theirs.mapped("status")), {"ready"})
        change = self.env["bookings.change"].with_user(user)
        change.browse(notice["params"]["buttons"][-1]["id"]).action_undo()
        self.assertEqual(set(theirs.mapped("attention_reason")), {"attendance"})

    def test_a_label_that_decides_on_a_fee_leaves_nothing_to_ask(self):
        self.payer.write(self.complete)
        self.setup.fee_product_id = self.theirs.product_id[:1]
        self.theirs.service_id.ask_attendance = "all"
        self.theirs.sudo().label = "Fee"
        rule = {"text": "Fee", "outcome": "fee", "fee_kind": "amount", "fee_value": 20.0}
        self.setup.label_rule_ids.create({"setup_id": self.setup.id, **rule})
        self._look_again()
        self.assertEqual(set(self.theirs.mapped("fee_cause")), {"label"})
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})

    def test_a_change_after_it_took_place_is_pointed_out(self):
        booking = self.theirs.filtered(lambda one: one.price_type == "fixedPrice")[:1]
        self.assertTrue(booking)
        self.change(op="reprice", appointment=booking.appointment_id, price="123.00")
        self.sync()
        self.assertIn("changed in Bookings after it took place", self._preview().line_ids.hint)

    def test_the_preview_looks_again(self):
        """A tax taken off a product since the last synchronization stops its bookings in the preview already."""
        self.theirs.product_id.taxes_id = False
        self.assertEqual(set(self.theirs.mapped("status")), {"ready"})
        preview = (
            self.env["bookings.invoice.preview"]
            .with_context(active_model="bookings.booking", active_ids=self.theirs.ids)
            .create({})
        )
        self.assertEqual((preview.booking_count, preview.left_out_count), (0, len(self.theirs)))
