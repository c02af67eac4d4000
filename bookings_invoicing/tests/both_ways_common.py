from odoo.tests import new_test_user

from .. import graph
from .outbox_common import OutboxCase


class BothWaysCase(OutboxCase):
    """Customers that are kept the same in Odoo and in Bookings, and what users do on both sides."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tag = cls.env["res.partner.category"].create({"name": "In Bookings"})
        cls.setup = cls._make_setup(
            connection_id=cls.live.id,
            customer_sync="both",
            sync_appointments=False,
            partner_filter=str([("category_id", "in", cls.tag.ids)]),
        )
        cls.sync()
        cls.confirm(cls.setup)
        cls.sync()
        cls.send(cls)
        rows = cls.env["bookings.outbox"].sudo().search([])
        assert set(rows.mapped("state")) <= {"sent"}, rows.mapped("error")
        rows.unlink()
        cls.rows = cls.env["bookings.customer"].search(
            [("setup_id", "=", cls.setup.id), ("partner_id", "!=", False)], order="id"
        )

    @classmethod
    def confirm(cls, setup):
        action = setup.action_both_ways()
        wizard = cls.env[action["res_model"]].browse(action["res_id"])
        wizard.action_confirm()
        return wizard

    def customer(self, number=0):
        """A customer with phone and address on both sides."""
        alone = [one[:1] for one in self.rows.grouped("partner_id").values() if len(one) == 1]
        rows = [row for row in alone if row.phone and row.email and row.name != row.email]
        return rows[number], rows[number].partner_id

    def there(self, row):
        """What the tenant holds."""
        client = self.live._client()
        return graph.DirectoryWriter(client, self.setup.business_id).read_customer(row.remote_id)

    def edit(self, row, **values):
        """Change a customer as somebody in Bookings would."""
        self.tenant.apply({"op": "edit_customer", "customer": row.remote_id, "values": values})

    def both(self):
        """Synchronize and send, as the scheduled action does."""
        self.sync()
        self.send()

    def quiet(self):
        """Ten more runs write nothing on either side."""
        sent, before = len(self.writes()), self.rows.partner_id.mapped("write_date")
        for _number in range(10):
            counts = self.sync().counts["customer"]
            self.assertEqual(counts.get("updated", 0), 0)
            self.send()
        self.assertEqual(len(self.writes()), sent)
        self.assertEqual(self.rows.partner_id.mapped("write_date"), before)

    def person(self, **values):
        return self.env["res.partner"].create(
            {"name": "Nora New", "email": "nora@example.com", "category_id": self.tag.ids, **values}
        )

    def clerk(self, number=0):
        user = new_test_user(self.env, f"clerk{number}", "account.group_account_invoice")
        user.write({"company_ids": self.company.ids, "company_id": self.company.id})
        return user
