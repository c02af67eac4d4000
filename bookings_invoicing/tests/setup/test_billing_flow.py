from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..common import BookingsCase


@tagged("post_install", "-at_install")
class TestBillingFlow(BookingsCase):
    """Company and setup choose how bookings are billed; without Sales one way, and an offer."""

    def _user(self, group):
        return new_test_user(
            self.env,
            f"flow-{group.split('.')[-1]}",
            group,
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def test_sales_is_offered_where_it_is_missing(self):
        missing = "sale" not in dict(
            self.env["res.company"]._fields["bookings_billing_flow"].selection
        )
        settings = self.env["res.config.settings"].create({})
        self.assertEqual(settings.bookings_sales_missing, missing)
        wizard = self.env["bookings.billing.flow"].with_user(
            self._user("account.group_account_manager")
        )
        wizard = wizard.create({})
        self.assertEqual(wizard.sales_missing, missing)
        self.assertFalse(wizard.can_install)

    def test_only_an_administrator_installs(self):
        manager = self._user("account.group_account_manager")
        with self.assertRaises(AccessError):
            self.env["bookings.billing.flow"].with_user(manager).create({}).action_install_sales()

    def test_a_manager_chooses_for_company_and_setups(self):
        manager = self._user("account.group_account_manager")
        wizard = self.env["bookings.billing.flow"].with_user(manager).create({})
        self.assertEqual(wizard.setup_ids, self.setup)
        wizard.action_apply()
        self.assertEqual(self.setup.billing_flow, "invoice")

    def test_a_clerk_does_not(self):
        with self.assertRaises(AccessError):
            self.env["bookings.billing.flow"].with_user(
                self._user("account.group_account_invoice")
            ).create({})

    def test_not_for_a_company_that_is_switched_off(self):
        other = self.setup_other_company()["company"]
        manager = self._user("account.group_account_manager")
        wizard = self.env["bookings.billing.flow"].with_user(manager).create({})
        wizard.sudo().company_id = other
        with self.assertRaises(AccessError):
            wizard.action_apply()

    def test_what_others_own_can_be_made_without_us(self):
        """Upgrades make companies, partners and invoices before our addons are loaded: our columns on
        tables of other modules hold nothing against that.
        """
        ours = [
            (model._table, name)
            for model in self.env.values()
            if not model._abstract and model._auto
            for name, field in model._fields.items()
            if field.store
            and field.column_type
            and field._modules
            and field._modules[0].startswith("bookings_invoicing")
            and model._original_module not in field._modules
        ]
        self.assertIn(("account_move_line", "booking_id"), ours)
        self.cr.execute(
            """SELECT table_name, column_name FROM information_schema.columns
                WHERE (table_name, column_name) IN %s AND is_nullable = 'NO'""",
            [tuple(ours)],
        )
        self.assertEqual(self.cr.fetchall(), [])
