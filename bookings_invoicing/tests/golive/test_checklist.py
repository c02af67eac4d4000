from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from ...models.golive.product_proposals import product_proposals
from ...models.golive.templates import make_templates
from ..common import BookingsCase


@tagged("post_install", "-at_install")
class TestSetupChecklist(BookingsCase):
    def _open_steps(self):
        return [step.key for step in self.setup._checklist() if not step.done]

    def test_from_nothing_to_the_first_invoice(self):
        """Every step in turn, by the buttons a person presses."""
        setup = self.setup
        setup.write({"service_sync": "off"})
        self.assertEqual(
            self._open_steps(),
            ["connect", "business", "services", "price_tax", "preset", "bill_from"],
        )
        self.connection.action_test()
        setup.action_propose_products()
        proposal = self.env["bookings.service.proposal"].search([], order="id desc", limit=1)
        self.assertEqual(proposal.line_ids.service_id, setup.service_ids)
        self.assertTrue(proposal.make_missing)  # there is a template to create them from
        proposal.action_accept_all()
        self.assertEqual(self._open_steps(), ["price_tax", "preset", "bill_from"])
        checklist = self.env["bookings.checklist"].create({"setup_id": setup.id})
        for key in ("price_tax", "bill_from"):
            checklist.line_ids.filtered(lambda line, key=key: line.step == key).action_confirm()
        checklist.preset = "monthly"
        checklist.action_use_preset()
        self.assertEqual(
            (setup.grouping, setup.invoice_date_policy), ("customer_month", "month_end_of_service")
        )
        self.assertEqual(self._open_steps(), [])
        self.assertEqual(set(checklist.line_ids.mapped("state")), {"done"})
        self.assertEqual(setup.checklist_open, 0)

    def _new_setup(self, number, **values):
        """A setup as choosing another business of the tenant makes it."""
        connection, business = self.connection, self.tenant.mailboxes[number].id
        finder = self.env["bookings.business.finder"].create(
            {"connection_id": connection.id, **values}
        )
        action = finder._use(business)
        return self.env["bookings.sync.setup"].browse(action["res_id"])

    def test_from_the_choice_of_a_business_to_what_can_be_invoiced(self):
        """Without any template: both are created, both imports are on, and the first synchronization leaves no gaps."""
        self.setup.unlink()
        self.connection.action_test()
        setup = self._new_setup(0, import_missing=False)
        self.assertTrue(setup.service_ids)
        self.assertTrue(setup.language_id.active)
        checklist = self.env["bookings.checklist"].create({"setup_id": setup.id})
        line = checklist.line_ids.filtered(lambda line: line.step == "customers")
        self.assertEqual((line.state, line.makes_templates), ("todo", True))
        line.action_make_templates()
        self.assertEqual((setup.customer_sync, setup.service_sync), ("import", "import"))
        self.assertEqual(setup.customer_template_id.company_id, self.company)
        self.assertEqual(setup.customer_template_id.lang, setup.language_id.code)
        template = setup.service_template_id
        self.assertEqual((template.type, template.company_id), ("service", self.company))
        self.assertEqual(template.taxes_id, self.company.account_sale_tax_id)
        line = checklist.line_ids.filtered(lambda line: line.step == "customers")
        self.assertEqual((line.state, line.makes_templates), ("done", False))
        self.env["bookings.service.proposal"].create({"setup_id": setup.id}).action_accept_all()
        for key in ("price_tax", "preset"):
            checklist.line_ids.filtered(lambda line, key=key: line.step == key).action_confirm()
        self.assertFalse(checklist.can_sync)
        checklist.line_ids.filtered(lambda line: line.step == "bill_from").action_confirm()
        self.assertTrue(checklist.can_sync)
        answer = checklist.action_sync()["params"]["next"]
        self.assertEqual(answer["res_model"], "bookings.booking")
        self.assertGreater(setup.ready_count, 3 * setup.attention_count)

    def test_synchronized_before_the_checklist_was_done(self):
        """The schedule waits an hour; what was read without templates is complete after the checklist all the same."""
        self.setup.unlink()
        self.connection.action_test()
        setup = self._new_setup(0, import_missing=False)
        self.assertEqual(setup.next_sync, fields.Datetime.now() + timedelta(hours=1))
        self.assertNotIn(setup, setup.search(setup._due_domain()))
        self.sync(setup)
        self.assertFalse(setup.ready_count)
        make_templates(setup)
        setup._first_sync()
        self.assertFalse(setup.service_ids.filtered(lambda one: one.taken and not one.product_id))
        setup.invalidate_recordset()
        self.assertGreater(setup.ready_count, 3 * setup.attention_count)

    def test_an_inactive_currency_of_the_business_is_a_step(self):
        self.setup._read_services()
        currency = self.env["res.currency"].with_context(active_test=False)
        self.setup.currency_id = currency.search([("active", "=", False)], limit=1)
        step = self.setup._step_business()
        self.assertFalse(step.done)
        self.assertIn("Activate this currency", step.text)
        opened = getattr(self.setup, step.action)()
        self.assertEqual(opened["res_id"], self.setup.currency_id.id)
        self.setup.currency_id.active = True
        self.assertTrue(self.setup._step_business().done)

    def test_a_setup_with_bookings_is_archived_instead_of_deleted(self):
        self.sync()
        with self.assertRaisesRegex(UserError, "Archive it"):
            self.setup.unlink()

    def test_a_setup_and_its_bookings_are_archived_together_by_any_way(self):
        """By the action of a screen, and by a call or an import that writes the field."""
        self.sync()
        bookings, setup = self.bookings(), self.setup.with_context(active_test=False)
        for archive, restore in (
            (setup.action_archive, setup.action_unarchive),
            (lambda: setup.write({"active": False}), lambda: setup.write({"active": True})),
            (
                lambda: setup.load([".id", "active"], [[str(setup.id), "False"]]),
                lambda: setup.load([".id", "active"], [[str(setup.id), "True"]]),
            ),
        ):
            archive()
            self.assertEqual(
                (setup.active, set(bookings.mapped("active"))), (False, {False}), archive
            )
            restore()
            self.assertEqual((setup.active, set(bookings.mapped("active"))), (True, {True}))

    def test_a_business_chosen_again_keeps_its_imports(self):
        """Also if its services are gone: only a new setup gets both."""
        self.sync()
        off = {"customer_sync": "off", "service_sync": "off"}
        self.setup.write(off)
        self.bookings().sudo().unlink()
        self.setup.service_ids.sudo().unlink()
        finder = self.env["bookings.business.finder"].create({"connection_id": self.connection.id})
        opened = finder._use(self.setup.business_id)
        self.assertEqual(opened["res_id"], self.setup.id)
        self.assertTrue(self.setup.service_ids)
        self.assertEqual({name: self.setup[name] for name in off}, off)

    def test_an_archived_setup_is_not_synchronized_by_work_that_waits(self):
        """A job of the queue, or a scheduled action that collected its work before."""
        nothing = self.env["bookings.sync.run"]
        self.setup.next_sync = fields.Datetime.now()
        self.assertTrue(self.setup._is_wanted(nothing))
        self.setup.action_archive()
        self.assertFalse(self.setup._is_wanted(nothing))

    def test_new_on_the_list_opens_an_empty_setup(self):
        form = Form(self.env["bookings.sync.setup"])
        self.assertFalse(form.connection_id)
        self.assertIn("0 of 7", form.checklist_text)

    def test_templates_are_created_once_for_a_company(self):
        """Both imports of another business are proposed on, with the same templates, even of an archived setup."""
        self.setup.action_archive()
        setup = self._new_setup(1)
        self.assertEqual((setup.customer_sync, setup.service_sync), ("import", "import"))
        self.assertEqual(setup.customer_template_id, self.customer_template)
        self.assertEqual(setup.service_template_id, self.service_template)
        self.connection.sudo().may_write = True
        setup.write({"customer_sync": "both", "service_template_id": False, "service_sync": "off"})
        make_templates(setup)
        self.assertEqual((setup.customer_sync, setup.service_sync), ("both", "import"))

    def test_the_checklist_comes_before_the_first_synchronization(self):
        """Sync Now opens it, for several setups at once it names those that are not set up; one can sync anyway."""
        setups = self.setup | self._new_setup(1)
        self.sync()
        new = setups - self.setup
        opened = new.action_sync()
        self.assertEqual((opened["res_model"], opened["target"]), ("bookings.checklist", "new"))
        told = setups.action_sync()["params"]
        self.assertIn(f"first synchronization: {new.name}.", told["message"])
        self.assertFalse(new.last_appointment_sync)
        with self.assertRaisesRegex(UserError, new.name):
            (new | new.copy({"business_id": "other@harbourclinic.example"})).action_sync()
        checklist = self.env["bookings.checklist"].browse(opened["res_id"])
        self.assertFalse(checklist.synced)
        checklist.action_sync()
        self.assertTrue(new.last_appointment_sync)
        new.invalidate_recordset()
        self.assertFalse(new.unknown_customer_count + new.unmapped_service_count)
        self.assertEqual(new.action_sync()["tag"], "display_notification")

    def _start(self):
        """What opens after activation: ``(model, id)``."""
        action = self.env.ref("bookings_invoicing.start_action").run()
        return action["res_model"], action["res_id"]

    def test_the_next_step_leads_from_activation_to_the_list(self):
        """One rule says it on the connection, the setup, the lists and in the settings; its button does it."""
        setup, connection = self.setup, self.connection
        todo = self.env.ref("bookings_invoicing.start_todo")
        todo.state = "open"
        opened = self.env["ir.module.module"].next()
        self.assertEqual(
            (opened["type"], opened["url"]), ("ir.actions.act_url", "/odoo/bookings-start")
        )
        self.assertEqual(self.env.ref("bookings_invoicing.start_action").path, "bookings-start")
        self.assertEqual(self._start(), ("bookings.connection", connection.id))
        self.assertEqual(setup.next_step, connection.next_step)
        self.assertEqual(setup.action_next_step()["res_id"], connection.id)
        self.assertEqual(connection.next_step_label, "Test Connection")
        connection.action_next_step()
        self.assertFalse(connection.next_step)
        self.env.invalidate_all()
        self.assertEqual(self._start(), ("bookings.sync.setup", setup.id))
        self.assertIn("Choose the business.", setup.next_step)
        setup._read_services()
        make_templates(setup)
        self.env["bookings.service.proposal"].create({"setup_id": setup.id}).action_accept_all()
        self.env.invalidate_all()
        self.assertIn("Price and tax.", setup.next_step)
        self.assertEqual(setup.action_next_step()["res_model"], "bookings.checklist")
        setup._confirm_step("price_tax", "preset", "bill_from")
        self.env.invalidate_all()
        self.assertEqual(setup.next_step, "Synchronize for the first time.")
        self.assertIn("Synchronize", self.env["bookings.booking"].get_empty_list_help(""))
        listed = setup.action_next_step()["params"]["next"]
        self.assertEqual(listed["res_model"], "bookings.booking")
        self.env.invalidate_all()
        self.assertFalse(setup.next_step)
        self.assertEqual(self._start(), ("bookings.booking", 0))

    def test_without_a_connection_the_list_of_setups_leads_to_one(self):
        self.setup.unlink()
        self.assertIn("Test the connection", self.setup.get_empty_list_help("Select"))
        self.connection.unlink()
        self.assertIn("/odoo/bookings-start", self.setup.get_empty_list_help("Select"))
        self.assertEqual(self._start(), ("bookings.connection", False))

    def test_unknown_customers_are_a_choice(self):
        self.setup.write({"customer_sync": "off"})
        self.assertIn("customers", self._open_steps())
        self.setup._confirm_step("customers")
        self.assertNotIn("customers", self._open_steps())

    def test_a_product_without_tax_reopens_the_tax_step(self):
        self.sync()
        self.setup._confirm_step("price_tax")
        self.assertNotIn("price_tax", self._open_steps())
        product = self.setup.service_ids.product_id[:1]
        product.taxes_id = False
        step = next(s for s in self.setup._checklist() if s.key == "price_tax")
        self.assertFalse(step.done)
        self.assertIn(product.name, step.text)

    def test_proposals_by_name(self):
        """The same name wins, the clearly similar is proposed, doubles and strangers are not."""
        self.setup.service_sync = "off"
        self.setup._read_services()
        services = self.setup.service_ids
        same, similar, double = services[0], services[1], services[2]
        products = self.env["product.product"].create(
            [
                {"name": same.name.upper() + " ", "type": "service"},
                {"name": same.name + "s", "type": "service"},
                {"name": similar.name + "s", "type": "service"},
                {"name": double.name, "type": "service"},
                {"name": double.name, "type": "service"},
            ]
        )
        found = {service: (product, how) for service, product, how in product_proposals(self.setup)}
        self.assertEqual(found[same], (products[0], "same"))
        self.assertEqual(found[similar], (products[2], "similar"))
        self.assertEqual(found[double][1], "none")
        self.assertFalse(found[double][0])
        products.unlink()

    def test_another_company_s_products_are_not_proposed(self):
        other = self.setup_other_company()["company"]
        self.setup.service_sync = "off"
        self.setup._read_services()
        service = self.setup.service_ids[0]
        self.env["product.product"].create(
            {"name": service.name, "type": "service", "company_id": other.id}
        )
        found = {s: how for s, _product, how in product_proposals(self.setup)}
        self.assertEqual(found[service], "none")

    def test_each_open_button_leads_somewhere(self):
        self.sync()
        checklist = self.env["bookings.checklist"].create({"setup_id": self.setup.id})
        for line in checklist.line_ids:
            with self.subTest(step=line.step):
                self.assertEqual(line.action_do()["type"].split(".")[:2], ["ir", "actions"])

    def test_no_such_preset(self):
        with self.assertRaises(UserError):
            self.setup._apply_preset("by_moon")
