from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .common import BookingsCase


@tagged("post_install", "-at_install")
class TestCompanies(BookingsCase):
    """Two companies, each with its own tenant and business: nothing of one lands in the other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection.sandbox_size = 60
        cls.other_data = cls.setup_other_company()
        cls.other = cls.other_data["company"]
        cls.env.user.company_ids += cls.other
        cls.other_connection = cls.env["bookings.connection"].create(
            {
                "name": "Second tenant",
                "mode": "sandbox",
                "sandbox_seed": 2,
                "sandbox_size": 60,
                "sandbox_anchor": cls.anchor,
                "company_id": cls.other.id,
            }
        )
        cls.other_template = cls.env["product.template"].create(
            {
                "name": "Service of the second company",
                "type": "service",
                "company_id": cls.other.id,
                "taxes_id": cls.other_data["default_tax_sale"].ids,
            }
        )
        cls.other_setup = cls._make_setup(
            name="Second clinic",
            connection_id=cls.other_connection.id,
            company_id=cls.other.id,
            business_id=cls.other_connection._sandbox_tenant().business_id,
            service_template_id=cls.other_template.id,
        )
        cls.both = cls.company | cls.other
        cls.env["res.currency"].search([("name", "in", ("EUR", "DKK", "USD"))]).active = True
        cls.sync()
        cls.sync(cls.other_setup)

    def _ready(self, companies=None):
        booking = self.env["bookings.booking"].with_context(
            allowed_company_ids=(companies or self.both).ids
        )
        return booking.search(
            [("status", "=", "ready"), ("company_id", "in", (companies or self.both).ids)],
            order="start, id",
        )

    def test_each_invoice_lands_in_its_own_company(self):
        """The list over both companies, drafted at once: journal, taxes, account, payer of each
        line's own company.
        """
        ready = self._ready()
        self.assertEqual(ready.company_id, self.both)
        run = ready._invoice_all([("id", "in", ready.ids)])
        self.assertFalse(run.left_out_ids)
        for line in ready.sudo().invoice_line_ids:
            company = line.booking_id.company_id
            self.assertEqual(line.company_id, company)
            self.assertEqual(line.move_id.journal_id.company_id, company)
            self.assertEqual(line.tax_ids.company_id, company)
            self.assertIn(company, line.account_id.company_ids)
            self.assertIn(line.partner_id.company_id, (company, self.env["res.company"]))
            self.assertIn(line.product_id.company_id, (company, self.env["res.company"]))

    def test_drafting_all_ready_keeps_to_the_companies_switched_on(self):
        mine = self._ready(self.company)
        theirs = self._ready(self.other)
        action = mine.with_context(allowed_company_ids=self.company.ids).action_preview_ready()
        preview = self.env[action["res_model"]].with_context(
            allowed_company_ids=self.company.ids, **action["context"]
        )
        preview.create({}).action_create()
        self.assertEqual(set(mine.mapped("status")), {"drafted"})
        self.assertEqual(set(theirs.mapped("status")), {"ready"})

    def test_preview_over_both_companies(self):
        """Nothing selected: what is ready in the companies switched on, and each document in its own."""
        preview = self.env["bookings.invoice.preview"]
        one = preview.with_context(allowed_company_ids=self.company.ids).create({})
        self.assertEqual(one.booking_ids.company_id, self.company)
        both = preview.with_context(allowed_company_ids=self.both.ids).create(
            {"ended_before": False}
        )
        ready = self._ready()
        self.assertLessEqual(ready, both.booking_ids)
        self.assertEqual(both.booking_count, len(ready))
        for line in both.line_ids:
            self.assertEqual(len(line.booking_ids.company_id), 1)
            self.assertEqual(line.currency_id, line.booking_ids.currency_id)
        both.action_create()
        moves = ready.sudo().invoice_line_ids.move_id
        self.assertEqual(len(moves), both.invoice_count)
        self.assertEqual(moves.company_id, self.both)
        for move in moves:
            self.assertEqual(move.booking_ids.company_id, move.company_id)

    def test_completeness_over_both_companies(self):
        """Each period is one setup's and counts its company's bookings; who has one company on sees that."""
        completeness = self.env["bookings.completeness"]
        for setup in self.setup | self.other_setup:
            period = completeness.with_context(allowed_company_ids=self.both.ids).create(
                {"setup_id": setup.id}
            )
            period.action_compute()
            self.assertTrue(period.line_ids)
            self.assertEqual(period.company_id, setup.company_id)
            self.assertEqual(period._bookings().company_id, setup.company_id)
        user = new_test_user(
            self.env,
            "completeness-both",
            "account.group_account_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.both.ids)],
        )
        for companies in (self.company, self.other, self.both):
            seen = completeness.with_user(user).with_context(allowed_company_ids=companies.ids)
            self.assertEqual(seen.search([]).company_id, companies)
            self.assertEqual(seen.env["bookings.sync.setup"].search([]).company_id, companies)

    def test_new_customers_and_products_belong_to_their_company(self):
        for setup in self.setup | self.other_setup:
            customers = self.env["bookings.customer"].search([("setup_id", "=", setup.id)])
            self.assertTrue(customers.partner_id)
            self.assertLessEqual(customers.partner_id.company_id, setup.company_id)
        products = self.other_setup.service_ids.product_id
        self.assertEqual(products.company_id, self.other)

    def test_same_person_in_both_companies_is_two_private_customers_or_one_shared(self):
        """A customer of one company is never billed by another; a shared one is used by both."""
        private = self.env["res.partner"].create(
            {"name": "Only here", "email": "both@x.example", "company_id": self.company.id}
        )
        shared = self.env["res.partner"].create({"name": "Both", "email": "shared@x.example"})
        for setup in self.setup | self.other_setup:
            service = setup.connection_id._sandbox_tenant().services[0]["id"]
            for email in ("both@x.example", "shared@x.example"):
                stored = setup.connection_id._sandbox_tenant().apply(
                    {
                        "op": "create",
                        "service": service,
                        "start": "2026-03-10T09:00:00Z",
                        "attendees": [{"name": "Ann Other", "email": email}],
                    }
                )
                self.env["bookings.sandbox.change"].create(
                    {"connection_id": setup.connection_id.id, "change": stored}
                )
            self.sync(setup)
        booking = self.env["bookings.booking"].with_context(allowed_company_ids=self.both.ids)
        found = booking.search([("customer_id.email", "=", "both@x.example")])
        self.assertEqual(len(found), 2)
        partners = {b.company_id: b.partner_id for b in found}
        self.assertEqual(partners[self.company], private)
        self.assertNotEqual(partners[self.other], private)
        self.assertEqual(
            booking.search([("customer_id.email", "=", "shared@x.example")]).partner_id, shared
        )

    def test_a_user_of_one_company_sees_nothing_of_the_other(self):
        user = new_test_user(
            self.env,
            "one-company",
            "account.group_account_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        for model in (
            "bookings.connection",
            "bookings.sync.setup",
            "bookings.booking",
            "bookings.customer",
            "bookings.service",
            "bookings.staff",
            "bookings.sync.run",
        ):
            seen = self.env[model].with_user(user).search([])
            self.assertTrue(seen, model)
            self.assertLessEqual(seen.sudo().company_id, self.company, model)
            hidden = self.env[model].search([("company_id", "=", self.other.id)], limit=1)
            with self.assertRaises(AccessError, msg=model):
                hidden.with_user(user).read(["display_name"])
        with self.assertRaises(AccessError):
            self._ready(self.other)[:1].with_user(user).action_create_invoices()
        self.assertEqual(set(self._ready(self.other).mapped("status")), {"ready"})

    def test_a_connection_of_one_company_serves_no_other(self):
        with self.assertRaises(UserError):
            self._make_setup(
                name="Wrong",
                company_id=self.other.id,
                service_template_id=self.other_template.id,
                business_id="x@harbourclinic.example",
            )

    def test_mapping_to_another_company_s_product_is_refused(self):
        with self.assertRaises(UserError):
            self.setup.service_ids[0].product_id = self.other_setup.service_ids.product_id[0]

    def test_several_businesses_in_one_company(self):
        second = self._make_setup(name="Annexe", business_id=self.tenant.mailboxes[1].id)
        self.sync(second)
        second.currency_id.active = True
        theirs = self.env["bookings.booking"].search([("setup_id", "=", second.id)])
        self.assertTrue(theirs)
        theirs._recheck_billing()
        theirs.filtered(lambda b: b.status == "ready").action_create_invoices()
        for line in theirs.invoice_line_ids:
            self.assertEqual(line.currency_id, second.currency_id)
        self.assertFalse(second.shared)

    def test_branch_bills_with_the_accounts_of_its_parent(self):
        branch = self.env["res.company"].create({"name": "Branch", "parent_id": self.company.id})
        self.env.user.company_ids += branch
        connection = self.connection.copy(
            {
                "name": "Branch",
                "company_id": branch.id,
                "sandbox_seed": 3,
                "sandbox_anchor": self.anchor,
            }
        )
        setup = self._make_setup(
            name="Branch clinic",
            connection_id=connection.id,
            company_id=branch.id,
            business_id=connection._sandbox_tenant().business_id,
        )
        self.sync(setup)
        ready = self.env["bookings.booking"].search(
            [("setup_id", "=", setup.id), ("status", "=", "ready")]
        )
        self.assertTrue(ready, set(self.bookings().mapped("attention_reason")))
        ready.action_create_invoices()
        moves = ready.sudo().invoice_line_ids.move_id
        self.assertEqual(moves.company_id, branch)
        self.assertEqual(moves.journal_id.company_id, self.company)
        moves[:1].action_post()
        self.assertEqual(moves[:1].state, "posted")


@tagged("post_install", "-at_install")
class TestSharedBusiness(BookingsCase):
    """One business billed by two companies, each its own services."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connection.company_id = False
        cls.other = cls.setup_other_company()["company"]
        cls.env.user.company_ids += cls.other
        cls.sync()
        cls.second = cls._make_setup(
            name="Second company", company_id=cls.other.id, customer_sync="off", service_sync="off"
        )

    def _of(self, setup):
        return self.env["bookings.booking"].search([("setup_id", "=", setup.id)])

    def test_second_company_starts_with_nothing(self):
        self.assertTrue(self.setup.shared and self.second.shared)
        self.sync(self.second)
        self.assertTrue(self.second.service_ids)
        self.assertFalse(self.second.service_ids.filtered("taken"))
        self.assertFalse(self._of(self.second))

    def test_a_service_is_billed_by_one_company(self):
        """Let go by the first, taken by the second: its bookings change hands, what is billed
        already does not.
        """
        self.sync(self.second)
        service = self.setup.service_ids.filtered(
            lambda s: len(s.booking_ids.filtered(lambda b: b.status == "ready")) > 2
        )[:1]
        twin = self.second.service_ids.filtered(lambda s: s.remote_id == service.remote_id)
        with self.assertRaises(UserError):
            twin.taken = True
        billed = service.booking_ids.filtered(lambda b: b.status == "ready")[:1]
        billed.action_create_invoices()
        service.taken = False
        rest = service.booking_ids - billed
        self.assertFalse(rest.filtered(lambda b: b.status in ("ready", "attention", "upcoming")))
        twin.taken = True
        with self.assertRaises(UserError):
            service.taken = True
        self.second._sync_run(full=True)
        theirs = self._of(self.second)
        self.assertTrue(theirs)
        self.assertEqual(theirs.service_id, twin)
        self.assertNotIn(billed.appointment_id, theirs.mapped("appointment_id"))
        self.sync()
        self.assertEqual(billed.status, "drafted")
        open_states = ("ready", "attention", "drafted")
        mine = self._of(self.setup).filtered(lambda b: b.status in open_states)
        both = set(mine.mapped("appointment_id")) & set(
            theirs.filtered(lambda b: b.status in open_states).mapped("appointment_id")
        )
        self.assertFalse(both)

    def test_an_appointment_whose_service_changes_hands_is_billed_once(self):
        """Changed in Bookings to the other company's service, and back."""
        self.sync(self.second)
        first = self.bookings(status="ready", price_type="fixedPrice")[0]
        other = self.setup.service_ids.filtered(lambda s: s != first.service_id and s.price)[:1]
        other.taken = False
        self.second.service_ids.filtered(lambda s: s.remote_id == other.remote_id).taken = True

        def billers():
            rows = (self._of(self.setup) | self._of(self.second)).filtered(
                lambda one: one.appointment_id == first.appointment_id and not one.removed_on
            )
            return rows.filtered(lambda one: one.status in ("ready", "attention")).setup_id

        home = first.service_id.remote_id
        for service, setup in ((other.remote_id, self.second), (home, self.setup)):
            changed = {"serviceId": service, "serviceName": "Changed"}
            self.change(op="corrupt", record=first.appointment_id, set=changed)
            for one in (self.second, self.setup, self.second, self.setup):
                self.sync(one)
                self.assertLessEqual(len(billers()), 1)
            self.assertEqual(billers(), setup)

    def test_a_service_unticked_by_mistake_comes_back(self):
        service = self.setup.service_ids.filtered(
            lambda s: s.booking_ids.filtered(lambda b: b.status == "ready")
        )[:1]
        before = {booking: booking.status for booking in service.booking_ids}
        service.taken = False
        self.assertNotIn("ready", service.booking_ids.mapped("status"))
        service.taken = True
        self.assertEqual({booking: booking.status for booking in service.booking_ids}, before)

    def test_a_ticked_service_is_read_though_the_look_back_is_shorter(self):
        """The second company gets what is older than its look-back without a full synchronization."""
        self.second.look_back_days = 1
        self.sync(self.second)
        service = self.setup.service_ids.filtered(
            lambda s: len(s.booking_ids.filtered(lambda b: b.status == "ready")) > 2
        )[:1]
        ready = service.booking_ids.filtered(lambda b: b.status == "ready")
        service.taken = False
        self.second.service_ids.filtered(lambda s: s.remote_id == service.remote_id).taken = True
        self.sync(self.second)
        theirs = set(self._of(self.second).mapped("appointment_id"))
        self.assertLessEqual(set(ready.mapped("appointment_id")), theirs)
        self.assertFalse(self.second.read_again)

    def test_the_database_refuses_a_service_taken_twice(self):
        self.sync(self.second)
        twin = self.second.service_ids[:1]
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(Exception) as caught,
            self.cr.savepoint(),
        ):
            self.env.cr.execute("UPDATE bookings_service SET taken = true WHERE id = %s", [twin.id])
        self.assertIn("taken", str(caught.exception))

    def test_one_setup_per_business_and_company(self):
        connection = self.connection.copy({"name": "Same tenant"})
        connection.write({"mode": "live", "tenant_id": "T-1", "client_id": "c"})
        self._make_setup(name="A", connection_id=connection.id, business_id="a@x.example")
        again = connection.copy({"name": "Again", "tenant_id": " t-1"})
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(Exception) as caught,
            self.cr.savepoint(),
        ):
            self._make_setup(name="B", connection_id=again.id, business_id="A@x.example")
        self.assertIn("business", str(caught.exception))
