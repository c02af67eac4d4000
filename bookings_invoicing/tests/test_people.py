from unittest.mock import patch

from lxml import etree

from odoo import fields
from odoo.exceptions import ConcurrencyError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools.safe_eval import safe_eval

from ..billing import matching
from ..models.directory import people_lock
from ..models.setup.journal import sales_journal
from .people_common import PORT, TOWN, PeopleCase


@tagged("post_install", "-at_install")
class TestPeople(PeopleCase):
    """Who a customer is: what Bookings knows of a person reaches the contact."""

    # -- e-mail addresses --------------------------------------------------------------------------

    def test_address_with_odd_blanks_is_found(self):
        """Odoo keeps a no-break space that was pasted with an address."""
        partners = self.env["res.partner"]
        for number, odd in enumerate(("\u00a0%s", "%s\u3000", "Nora <%s\u2009>", "Nora\u00a0%s")):
            email = f"nora{number}@odd.example"
            known = partners.create({"name": "Nora New", "email": odd % email})
            self.assertNotEqual(known.email_normalized, email)
            self.listed(f"odd-{number}", emailAddress=email)
            row = self.env["bookings.customer"].search([("remote_id", "=", f"odd-{number}")])
            row._match_partners(self.setup)
            self.assertEqual((row.partner_id, row.match), (known, "linked"))

    def test_address_of_a_payer_with_odd_blanks_is_the_same(self):
        known = self.env["res.partner"].create({"name": "N", "email": "\u00a0nora@odd.example"})
        known._take_answer("billing_email", "nora@odd.example")
        self.assertFalse(known.child_ids)

    # -- addresses ---------------------------------------------------------------------------------

    def test_address_of_the_appointment(self):
        partner = self.booked().partner_id
        self.assertEqual(
            (partner.street, partner.city, partner.zip, partner.country_id.code),
            ("Quay 1", "Aarhus", "8000", "DK"),
        )

    def test_address_of_the_list_under_another_id(self):
        self.listed("old-1")
        partner = self.booked(location=None, phone=None).partner_id
        self.assertEqual((partner.street, partner.country_id.code), ("Quay 1", "DK"))
        self.assertEqual(partner.phone, "+45 22 22 22 22")

    def test_not_the_address_of_another_name(self):
        self.listed("old-1", displayName="Olga Other")
        self.assertFalse(self.booked(location=None).partner_id.street)

    def test_the_list_says_it_better(self):
        self.listed("new-1", addresses=[TOWN])
        partner = self.booked().partner_id
        self.assertEqual((partner.street, partner.country_id.code), ("High Street 5", "GB"))

    def test_many_new_people_are_not_compared_with_one_another(self):
        """The work of a first import grows with their number, not with its square."""
        counted = []
        for number in (5, 20):
            for one in range(number):
                self.listed(f"{number}-{one}", emailAddress=f"{one}@{number}.example")
            rows = self.env["bookings.customer"].search([("remote_id", "=like", f"{number}-%")])
            with patch.object(matching, "name_key", side_effect=matching.name_key) as compared:
                self.assertEqual(len(rows._match_partners(self.setup, asked=True)), number)
            counted.append(compared.call_count)
        self.assertEqual(counted[1], 4 * counted[0])

    def test_taxes_follow_the_country_of_the_list(self):
        """The list names it in another language; preview and draft tax the customer as Odoo does there."""
        dutch, british = self.env["account.fiscal.position"].create(
            [
                {
                    "name": code,
                    "auto_apply": True,
                    "country_id": self.env.ref(f"base.{code}").id,
                    "company_id": self.company.id,
                }
                for code in ("nl", "uk")
            ]
        )
        tax = self.env["account.tax"].create(
            [
                {
                    "name": name,
                    "amount": amount,
                    "type_tax_use": "sale",
                    "price_include_override": "tax_excluded",
                    "company_id": self.company.id,
                    "fiscal_position_ids": [fields.Command.set(position.ids)],
                }
                for name, amount, position in (
                    ("Own", 25.0, dutch.browse()),
                    ("There", 6.0, dutch),
                    ("Free", 0.0, british),
                )
            ]
        )
        tax[1:].original_tax_ids = tax[0]
        self.setup.price_tax = "excluded"
        self.listed("old-1", addresses=[PORT | {"countryOrRegion": "Niederlande"}])
        booking = self.booked(location=None)
        booking.product_id.taxes_id = tax[0]
        self.assertEqual(booking.partner_id.country_id.code, "NL")
        self.assertEqual(self.billed(booking), {(80.0, 84.8)})
        self.listed("new-1", addresses=[TOWN])
        self.proposals(booking.partner_id).action_accept()
        self.assertEqual(booking.partner_id.country_id.code, "GB")
        self.assertEqual(self.billed(booking), {(80.0, 80.0)})

    def billed(self, booking):
        """The different ``(untaxed, total)`` of the preview and the draft, which is removed again."""
        preview = self.env["bookings.invoice.preview"].create({"booking_ids": booking.ids})
        found = {(preview.line_ids.amount_untaxed, preview.line_ids.amount_total)}
        booking.action_create_invoices()
        move = booking.move_ids
        found.add((move.amount_untaxed, move.amount_total))
        move.unlink()
        return found

    def test_state(self):
        where = PORT | {"state": "ohio", "countryOrRegion": "U.S.A."}
        partner = self.booked(location={"address": where}).partner_id
        self.assertEqual((partner.state_id.code, partner.country_id.code), ("OH", "US"))

    # -- what Odoo's Invoicing role may do --------------------------------------------------------------

    def test_invoicing_role_creates_customers(self):
        """Odoo gives that role no right to create contacts; ours creates those of its bookings, as the template says."""
        self.setup.customer_sync = "off"
        booking = self.booked()
        self.assertFalse(self.env["res.partner"].with_user(self.clerk).has_access("create"))
        self.assertEqual(booking.attention_reason, "no_customer")
        env = self.env(user=self.clerk, context={})  # with tracking, which tests switch off
        booking.with_env(env).action_create_customer()
        self.assertEqual(booking.status, "ready")
        self.assertEqual(booking.partner_id.create_uid, self.clerk)
        self.assertEqual(booking.partner_id.message_ids.author_id, self.clerk.partner_id)
        self.assertEqual(
            booking.partner_id.property_payment_term_id,
            self.customer_template.property_payment_term_id,
        )

    def test_invoicing_role_creates_a_customer_of_a_name_only(self):
        booking = self.booked(customerId=None, emailAddress=None)
        self.assertFalse(booking.customer_id)
        booking.with_user(self.clerk).action_create_customer()
        self.assertEqual(
            (booking.partner_id.name, booking.partner_id.create_uid), ("Nora New", self.clerk)
        )

    def test_contacts_that_another_process_creates_are_not_created_again(self):
        """A click is repeated by Odoo, and the night leaves them to the next one."""
        self.setup.customer_sync = "off"
        booking, people = self.booked(), [("email_normalized", "=", "nora@new.example")]
        self.setup.customer_sync = "import"
        with self.env.registry.cursor() as other:
            people_lock.take(self.env(cr=other), self.company, {"nora@new.example"})
            with self.assertRaises(ConcurrencyError):
                booking.with_user(self.clerk).action_create_customer()
            self.setup._look_again(booking)
            self.assertFalse(self.env["res.partner"].search_count(people))
        self.setup._look_again(booking)
        self.assertEqual(self.env["res.partner"].search(people), booking.partner_id)

    def test_invoicing_role_creates_products(self):
        service = self.template.service_id
        service.product_id = False
        service.with_user(self.clerk).action_create_product()
        self.assertEqual(service.product_id.name, service.name)

    def test_invoicing_role_proves_completeness(self):
        report = (
            self.env["bookings.completeness"]
            .with_user(self.clerk)
            .create({"setup_id": self.setup.id, "date_from": "2026-02-01", "date_to": "2026-02-28"})
        )
        report.action_compute()
        report.action_compute()
        report.action_sign()
        self.assertEqual((report.state, report.signed_uid), ("signed", self.clerk))
        report.action_check()
        self.assertTrue(report.check_text)

    # -- who pays ----------------------------------------------------------------------------------

    def address(self, partner, name="Accounts"):
        return self.env["res.partner"].create(
            {"name": name, "type": "invoice", "parent_id": partner.id}
        )

    def test_payer_follows_an_address_that_comes_and_goes(self):
        booking = self.booked()
        partner = booking.partner_id
        address = self.address(partner)
        self.assertEqual((booking.payer_id, booking.status), (address, "ready"))
        address.active = False
        self.assertEqual((booking.payer_id, booking.status), (partner, "ready"))

    def test_payer_follows_a_contact_below_a_company(self):
        booking = self.booked()
        firm = self.env["res.partner"].create({"name": "Firm", "is_company": True})
        accounts = self.address(firm)
        booking.partner_id.parent_id = firm
        booking.partner_id.type = "other"
        self.company.bookings_business_details = False
        self.assertEqual(booking.payer_id, accounts)
        booking.action_create_invoices()
        self.assertEqual(booking.move_ids.partner_id, accounts)
        self.address(booking.partner_id, "Later")
        self.assertEqual(booking.payer_id, accounts, "what is on a draft stays")

    def test_payer_follows_at_the_claim(self):
        """Whatever changed the contact, the draft goes to whom Odoo would choose now."""
        booking = self.booked()
        address = self.address(booking.partner_id)
        self.env.flush_all()
        self.env.cr.execute("UPDATE res_partner SET active = false WHERE id = %s", [address.id])
        self.env.invalidate_all()
        self.assertEqual(booking.payer_id, address)
        booking.action_create_invoices()
        self.assertEqual(booking.move_ids.partner_id, booking.partner_id)

    def test_payer_chosen_by_hand_stays(self):
        booking = self.booked()
        aunt = self.env["res.partner"].create({"name": "Aunt"})
        booking.payer_id = aunt
        self.address(booking.partner_id)
        booking._recheck_billing()
        self.assertEqual(booking.payer_id, aunt)
        aunt.active = False
        self.assertEqual(booking.attention_reason, "payer_archived")
        self.assertIn("payer Aunt is archived", booking.attention_detail)
        booking.payer_id = False
        booking._recheck_billing()
        self.assertEqual((booking.payer_id.name, booking.status), ("Accounts", "ready"))

    def test_archived_customer_is_called_so(self):
        booking = self.booked()
        booking.partner_id.active = False
        self.assertEqual(
            (booking.status, booking.attention_reason), ("attention", "payer_archived")
        )
        self.assertNotIn("not a customer", booking.attention_detail)
        booking.partner_id.active = True
        self.assertEqual(booking.status, "ready")

    # -- words and first steps -----------------------------------------------------------------------

    def test_mark_as_invoiced(self):
        """In the Actions menu of list and form, for whom may bill; asks for the other invoice's number only."""
        bookings = self.booked() | self.template
        auditor = new_test_user(self.env, "people_auditor", "account.group_account_readonly")
        shown = {user: self.menu_actions(user) for user in (self.clerk, auditor)}
        action = self.env.ref("bookings_invoicing.booking_action_mark_invoiced")
        self.assertNotIn(action.id, shown[auditor])
        self.assertEqual(shown[self.clerk].get(action.id), ("Mark as Invoiced", "list,form"))
        wizard = self.env[action.res_model].with_user(self.clerk)
        wizard = wizard.with_context(**safe_eval(action.context), active_ids=bookings.ids)
        with Form(wizard, view=action.view_id) as form:
            form.note = "INV/77"
        arch = etree.fromstring(wizard.get_view(action.view_id.id, "form")["arch"])
        buttons = arch.xpath("//button[@type='object']/@string")
        self.assertEqual(buttons, ["Mark as Invoiced"], "no reason is asked for")
        form.record.action_confirm()
        self.assertEqual(set(bookings.mapped("not_billable_reason")), {"billed_elsewhere"})
        self.assertEqual(set(bookings.mapped("not_billable_note")), {"INV/77"})
        report = self.env["bookings.completeness"].create(
            {"setup_id": self.setup.id, "date_from": "2026-01-01", "date_to": "2026-03-31"}
        )
        report.action_compute()
        line = report.line_ids.filtered(lambda one: one.outcome == "billed_elsewhere")
        self.assertEqual((line.booking_ids & bookings, line.billed), (bookings, 0.0))

    def menu_actions(self, user):
        """``{id: (name, view types)}`` of what the Actions menu of bookings offers a user."""
        found = self.env["ir.actions.actions"].with_user(user).get_bindings("bookings.booking")
        return {
            one["id"]: (one["name"], one["binding_view_types"]) for one in found.get("action", ())
        }

    def test_not_billable_has_no_reason_of_its_own(self):
        wizard = self.env["bookings.not.billable"].create({"booking_ids": self.template.ids})
        with self.assertRaisesRegex(UserError, "Select the reason"):
            wizard.action_confirm()
        wizard.with_context(bookings_reason="duplicate").action_confirm()
        self.assertEqual(self.template.not_billable_reason, "duplicate")

    def test_card_says_it_in_one_sentence(self):
        journal = sales_journal(self.setup)
        data = {journal.id: {}}
        journal._fill_sale_purchase_dashboard_data(data)
        count = data[journal.id]["uninvoiced_bookings"]
        self.assertEqual(
            data[journal.id]["uninvoiced_bookings_text"], f"{count} Uninvoiced Bookings"
        )
        bookings = self.bookings().filtered(lambda one: one.status in ("ready", "attention"))
        bookings[1:].action_mark_not_billable("other")
        journal._fill_sale_purchase_dashboard_data(data)
        self.assertEqual(data[journal.id]["uninvoiced_bookings_text"], "1 Uninvoiced Booking")

    def test_reference_name_finds_the_connection(self):
        self.assertIn(
            "Exchange Sync. Setup", self.env.ref("bookings_invoicing.menu_connection").name
        )
        settings = self.env["res.config.settings"].get_view(view_type="form")["arch"]
        self.assertIn("Exchange Sync. Setup", settings)

    def empty_help(self, user, company, action="booking_action_uninvoiced"):
        action = self.env.ref(f"bookings_invoicing.{action}").with_user(user).sudo()
        return (
            action.with_company(company)
            .with_context(allowed_company_ids=company.ids)
            .read(["help", "res_model"])[0]["help"]
        )

    def test_empty_list_says_the_next_step(self):
        company = self.env["res.company"].create({"name": "Fresh"})
        chief, clerk, auditor = (
            new_test_user(
                self.env,
                name,
                group,
                name=name,
                company_id=company.id,
                company_ids=[fields.Command.set(company.ids)],
            )
            for name, group in (
                ("Ada Chief", "account.group_account_manager"),
                ("Carl Clerk", "account.group_account_invoice"),
                ("Olga Auditor", "account.group_account_readonly"),
            )
        )
        text = self.empty_help(chief, company)
        self.assertIn("not connected yet", text)
        self.assertIn("/odoo/bookings-start", text)
        for where in ("setup_overview_action", "setup_health_action", "sync_setup_action"):
            self.assertIn("/odoo/bookings-start", self.empty_help(chief, company, where), where)
        setups = self.env["bookings.sync.setup"].with_user(chief).with_company(company)
        self.assertEqual(setups._open_first_step()["res_model"], "bookings.connection")
        for where in ("booking_action_uninvoiced", "setup_overview_action"):
            text = self.empty_help(auditor, company, where)
            self.assertIn("Ada Chief", text)
            self.assertNotIn("/odoo/", text)
        text = self.empty_help(clerk, company)
        self.assertIn("Ada Chief", text)
        self.assertNotIn("/odoo/", text)
        connection = self.connection.copy({"company_id": company.id})
        self.assertIn(f"{connection.name}: Test the connection", self.empty_help(chief, company))
        # the same words while there are bookings and when all are drafted: the client keeps them
        text = self.empty_help(self.clerk, self.company)
        self.assertIn("Nothing to invoice here", text)
        self.assertIn("matches this search", text)
