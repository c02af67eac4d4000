from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from ...wizards.both_ways import OUTCOMES
from ..both_ways_common import BothWaysCase, confirm


@tagged("post_install", "-at_install")
class TestBothWaysSwitch(BothWaysCase):
    """What happens before Both Ways is confirmed, who may confirm it, and what a change costs."""

    def test_nothing_happens_before_it_is_confirmed(self):
        """A preview with numbers and a list; the import goes on."""
        setup = self.setup
        for mode in ("import", "both"):
            setup.customer_sync = mode
            self.assertFalse(setup.customers_confirmed)
        row, partner = self.customer()
        partner.phone = "+45 12"
        other_row, other = self.customer(1)
        self.edit(other_row, displayName="Ada There")
        last_row, last = self.customer(2)
        last.phone = "+45 13"
        self.edit(last_row, phones=[{"number": "+45 14", "type": "mobile"}])
        self.person()
        self.tenant.apply({"op": "new_customer", "values": {"displayName": "Tom There"}})
        self.both()
        self.assertFalse(self.outbox.search([]))
        self.assertNotEqual(other.name, "Ada There")
        action = setup.action_both_ways()
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        found = {one.outcome: (one.name, one.detail) for one in wizard.line_ids}
        self.assertEqual(len(wizard.line_ids), 5 + wizard.left)
        self.assertEqual(found["create_there"], ("Nora New", "nora@example.com"))
        self.assertIn("→ +45 12", found["change_there"][1])
        self.assertIn("→ Ada There", found["change_here"][1])
        self.assertIn("+45 13 ≠ +45 14", found["conflict"][1])
        self.assertEqual(found["create_here"][0], "Tom There")
        numbers = [wizard[outcome] for outcome, _label in OUTCOMES if outcome != "left"]
        self.assertEqual(numbers, [1] * 5)
        self.assertFalse(self.writes())
        wizard.action_confirm()
        self.both()
        self.assertEqual(other.name, "Ada There")
        self.assertEqual(self.there(row)["phone"], "+45 12")
        self.assertEqual(self.there(last_row)["phone"], "+45 13")
        self.assertEqual(len(self.writes("POST")), 1)

    def test_only_a_manager_switches(self):
        clerk = self.clerk()
        with self.assertRaises(AccessError):
            self.setup.with_user(clerk).action_both_ways()
        wizard = self.env["bookings.both.ways"].create({"setup_id": self.setup.id})
        wizard._read()
        self.setup.customer_sync = "import"
        for forged in ({"customers_confirmed": "[]"}, {"customer_sync": "both"}):
            with self.assertRaises(AccessError):
                self.setup.with_user(clerk).write(forged)
        manager = new_test_user(self.env, "boss", "account.group_account_manager")
        manager.write({"company_ids": self.company.ids, "company_id": self.company.id})
        with self.assertRaises(AccessError):
            self.setup.with_user(manager).customers_confirmed = "[]"
        with self.assertRaises(UserError):
            wizard.action_confirm()

    def test_another_filter_is_confirmed_again(self):
        wizard = self.env["bookings.both.ways"].create({"setup_id": self.setup.id})
        wizard._read()
        self.setup.partner_filter = "[('email', '!=', False)]"
        self.assertFalse(self.setup.customers_confirmed)
        with self.assertRaises(UserError):
            wizard.action_confirm()
        self.person(category_id=False)
        self.both()
        self.assertFalse(self.writes())
        confirm(self.setup)
        self.assertTrue(self.setup.customers_confirmed)

    def test_a_filter_that_became_invalid_stops_no_contact(self):
        self.env.flush_all()
        text = "[('no_such_field', '=', 1)]"
        self.cr.execute(
            "UPDATE bookings_sync_setup SET partner_filter = %s, customers_confirmed = %s WHERE id = %s",
            (text, f"[{text}]", self.setup.id),
        )
        self.setup.invalidate_recordset()
        row, partner = self.customer()
        partner.phone = "+45 12"
        self.person()
        self.assertEqual(self.outbox.search([]).customer_id, row)
        with self.assertRaises(ValidationError) as told:
            self.setup._sync_run()
        self.assertIn("Contact Filter", str(told.exception))

    def test_without_a_filter_nobody_is_created_there(self):
        self.person()
        self.setup.partner_filter = False
        self.assertFalse(confirm(self.setup).create_there)
        self.both()
        self.assertFalse(self.writes("POST"))

    def test_an_administrator_allows_it_first(self):
        self.live.sudo().may_write = False
        row, partner = self.customer()
        partner.phone = "+45 12"
        self.send()
        self.assertEqual((self.outbox.search([]).state, self.writes()), ("waiting", []))
        self.setup.customer_sync = "import"
        with self.assertRaises(ValidationError):
            self.setup.customer_sync = "both"

    def test_an_anonymized_customer_leaves_no_values(self):
        row, partner = self.customer()
        partner.phone = "+45 12"
        self.send()
        partner.phone = "+45 13"
        row.sudo()._forget()
        rows = self.outbox.search([("customer_id", "=", row.id)])
        self.assertEqual(rows.mapped("state"), ["dropped", "sent"])
        self.assertEqual({*rows.mapped("value_from"), *rows.mapped("value_to")}, {False})
        self.assertFalse(row.same)
        self.send()
        self.assertEqual(len(self.patches()), 1)

    def test_a_change_of_a_contact_costs_one_query_where_nothing_goes_both_ways(self):
        partner = self.person()
        self.setup.customer_sync = "import"
        self.env.flush_all()
        with patch.object(type(self.outbox), "_note_contacts"):
            before = self.cr.sql_log_count
            partner.phone = "+45 1"
            self.env.flush_all()
            plain = self.cr.sql_log_count - before
        before = self.cr.sql_log_count
        partner.phone = "+45 2"
        self.env.flush_all()
        self.assertLessEqual(self.cr.sql_log_count - before, plain + 1)
