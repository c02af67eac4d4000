from odoo.tests import new_test_user

from .. import graph
from .outbox_common import OutboxCase


def confirm(setup):
    """See what would happen, and confirm it. Return the wizard."""
    action = setup.action_both_ways()
    wizard = setup.env[action["res_model"]].browse(action["res_id"])
    wizard.action_confirm()
    return wizard


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
        confirm(cls.setup)
        cls.sync()
        cls.send(cls)
        rows = cls.env["bookings.outbox"].sudo().search([])
        assert set(rows.mapped("state")) <= {"sent"}, rows.mapped("error")
        rows.unlink()
        cls.rows = cls.env["bookings.customer"].search(
            [("setup_id", "=", cls.setup.id), ("partner_id", "!=", False)], order="id"
        )

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


class ServicesCase(OutboxCase):
    """Services that are kept the same as their products, and what users do on both sides."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.app.login.permissions = graph.permissions(True, services=True)
        cls.category = cls.env["product.category"].create({"name": "In Bookings"})
        cls.setup = cls._make_setup(
            connection_id=cls.live.id,
            customer_sync="off",
            service_sync="both",
            sync_appointments=False,
            product_filter=str([("categ_id", "in", cls.category.ids)]),
        )
        cls.sync()
        confirm(cls.setup)
        cls.sync()
        cls.send(cls)
        rows = cls.env["bookings.outbox"].sudo().search([])
        assert set(rows.mapped("state")) <= {"sent"}, rows.mapped("error")
        rows.unlink()
        cls.rows = cls.env["bookings.service"].search([("setup_id", "=", cls.setup.id)])

    def service(self, name="Follow-up visit"):
        row = self.rows.filtered(lambda one: one.name == name)
        return row, row.product_id

    def there(self, row):
        """What the tenant holds."""
        client = self.live._client()
        return graph.DirectoryWriter(client, self.setup.business_id).read_service(row.remote_id)

    def named(self, name):
        """The services in Bookings with this name, as Graph writes them."""
        return [one for one in self.tenant.services if one["displayName"] == name]

    def edit(self, row, **values):
        """Change a service as somebody in Bookings would."""
        self.tenant.apply({"op": "edit_service", "service": row.remote_id, "values": values})

    def offer(self, **values):
        values = {"name": "Cupping", "type": "service", "list_price": 30.0} | values
        return self.env["product.product"].create({"categ_id": self.category.id} | values)

    def in_odoo(self, name):
        return self.env["product.product"].search([("name", "=", name)])

    def both(self):
        """Synchronize and send, as the scheduled action does."""
        self.sync()
        self.send()

    def quiet(self):
        """More runs write nothing on either side."""
        products = self.rows.product_id.product_tmpl_id
        sent, before = len(self.writes()), products.mapped("write_date")
        for _number in range(5):
            self.assertEqual(self.sync().counts["service"].get("updated", 0), 0)
            self.send()
        self.assertEqual(len(self.writes()), sent)
        self.assertEqual(products.mapped("write_date"), before)
