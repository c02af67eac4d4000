from odoo.tests import tagged

from ..both_ways_account import values_there
from ..both_ways_common import ServicesCase
from ..outbox_common import OutboxCase


@tagged("post_install", "-at_install")
class TestReferenceCustomers(OutboxCase):
    """What the reference product does with customers in both directions, as far as Graph has it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tenant.keep = lambda change: None  # it is not that of the sandbox connection here
        cls.tag = cls.env["res.partner.category"].create({"name": "In Bookings"})
        cls.setup = cls._make_setup(
            connection_id=cls.live.id,
            customer_sync="both",
            service_sync="off",
            sync_appointments=False,
            partner_filter=str([("category_id", "in", cls.tag.ids)]),
        )
        cls.sync()
        action = cls.setup.action_both_ways()
        cls.env[action["res_model"]].browse(action["res_id"]).action_confirm()
        cls.sync()

    def run_once(self):
        """One synchronization, as the scheduled action does it; nine more change nothing."""
        self.sync()
        self.send()
        sent = len(self.writes())
        for _number in range(2):
            self.sync()
            self.send()
        self.assertEqual(len(self.writes()), sent)

    def in_bookings(self, email):
        """The customers in Bookings with this email address."""
        records = (values_there(one) for one in self.tenant.customers)
        return [one for one in records if one["email"].lower() == email]

    def in_odoo(self, email):
        return self.env["res.partner"].search([("email", "=ilike", email)])

    def create_in_odoo(self, **values):
        values = {"name": "Nora", "email": "nora@example.com", "category_id": self.tag.ids} | values
        return self.env["res.partner"].create(values)

    def create_in_bookings(self, **values):
        values = {"displayName": "Tom", "emailAddress": "tom@example.com"} | values
        return self.tenant.apply({"op": "new_customer", "values": values})["customer"]

    def test_customer_created_in_bookings(self):
        self.create_in_bookings(phones=[{"number": "+45 1"}])
        self.run_once()
        partner = self.in_odoo("tom@example.com")
        self.assertEqual((partner.name, partner.phone), ("Tom", "+45 1"))
        self.assertEqual(self.writes(), [])

    def test_customer_created_in_odoo(self):
        self.create_in_odoo(phone="+45 2", city="Odense")
        self.run_once()
        (there,) = self.in_bookings("nora@example.com")
        self.assertEqual((there["name"], there["phone"]), ("Nora", "+45 2"))
        self.assertEqual(there["address"][2], "Odense")

    def test_customer_changed_in_odoo(self):
        self.create_in_bookings(phones=[{"number": "+45 1"}])
        self.run_once()
        self.in_odoo("tom@example.com").write({"phone": "+45 3", "name": "Thomas"})
        self.run_once()
        (there,) = self.in_bookings("tom@example.com")
        self.assertEqual((there["name"], there["phone"]), ("Thomas", "+45 3"))

    def test_customer_changed_in_bookings(self):
        partner = self.create_in_odoo()
        self.run_once()
        key = self.tenant.customers[-1]["id"]
        values = {"displayName": "Nora B.", "phones": [{"number": "+45 4"}]}
        self.tenant.apply({"op": "edit_customer", "customer": key, "values": values})
        self.run_once()
        self.assertEqual((partner.name, partner.phone), ("Nora B.", "+45 4"))

    def test_customers_created_on_both_sides_in_one_run(self):
        """Two different ones, and one whom both sides created: she is one customer, and Odoo wins."""
        self.create_in_odoo()
        self.create_in_bookings()
        self.create_in_odoo(name="Zoe here", email="zoe@example.com")
        self.create_in_bookings(displayName="Zoe there", emailAddress="ZOE@example.com")
        self.run_once()
        self.assertEqual(len(self.in_bookings("nora@example.com")), 1)
        self.assertEqual(self.in_odoo("tom@example.com").name, "Tom")
        (there,) = self.in_bookings("zoe@example.com")
        self.assertEqual(there["name"], "Zoe here")
        self.assertEqual(self.in_odoo("zoe@example.com").name, "Zoe here")
        self.assertEqual(len(self.writes("POST")), 1)

    def test_only_customers_in_the_filter_are_created(self):
        self.create_in_odoo(category_id=False)
        self.create_in_odoo(name="Nils", email="nils@example.com")
        self.run_once()
        self.assertEqual(self.in_bookings("nora@example.com"), [])
        self.assertEqual(len(self.in_bookings("nils@example.com")), 1)

    def test_a_family_with_one_email_address(self):
        """Several customers of one contact are left alone: the reference product matches all of them with one record."""
        family = "familien.nygaard@fjordmail.example"
        there = [one["name"] for one in self.in_bookings(family)]
        self.assertEqual(there, ["Freja Nygaard", "Emil Nygaard"])
        self.in_odoo(family)[:1].phone = "+45 7"
        self.run_once()
        self.assertEqual(self.writes(), [])

    def test_customers_without_services(self):
        """A price that changes in Odoo or in Bookings stays where it is."""
        service = self.env["bookings.service"].search([("setup_id", "=", self.setup.id)], limit=1)
        product = self.env["product.product"].create({"name": "Mine", "list_price": 5.0})
        service.product_id = product
        product.list_price = 6.0
        there = self.tenant.services
        self.create_in_odoo()
        self.run_once()
        self.assertEqual(self.tenant.services, there)
        self.assertEqual(len(self.in_bookings("nora@example.com")), 1)


@tagged("post_install", "-at_install")
class TestReferenceServices(ServicesCase):
    """What the reference product does with services in both directions, as far as Graph has it."""

    def create_in_bookings(self, **values):
        values = {
            "displayName": "Yoga",
            "defaultPriceType": "fixedPrice",
            "defaultPrice": 20,
        } | values
        return self.tenant.apply({"op": "new_service", "values": values})["service"]

    def test_service_created_in_bookings(self):
        self.create_in_bookings(description="On the mat.")
        self.both()
        product = self.in_odoo("Yoga")
        self.assertEqual((product.list_price, product.description_sale), (20.0, "On the mat."))
        self.assertEqual(self.writes(), [])

    def test_service_created_in_odoo(self):
        self.offer(description_sale="With cups.")
        self.both()
        (there,) = self.named("Cupping")
        self.assertEqual((there["defaultPrice"], there["description"]), (30.0, "With cups."))
        self.assertEqual(there["defaultPriceType"], "fixedPrice")
        self.quiet()

    def test_service_changed_in_odoo(self):
        self.create_in_bookings()
        self.both()
        self.in_odoo("Yoga").write({"list_price": 22.0, "name": "Yoga class"})
        self.both()
        (there,) = self.named("Yoga class")
        self.assertEqual(there["defaultPrice"], 22.0)
        self.assertEqual(self.named("Yoga"), [])

    def test_service_changed_in_bookings(self):
        product = self.offer()
        self.both()
        (there,) = self.named("Cupping")
        values = {"displayName": "Cups", "defaultPrice": 33}
        self.tenant.apply({"op": "edit_service", "service": there["id"], "values": values})
        self.both()
        self.assertEqual((product.name, product.list_price), ("Cups", 33.0))

    def test_services_created_on_both_sides_in_one_run(self):
        """Two different ones, and one that both sides created: it is one service and one product, and Odoo wins."""
        self.offer()
        self.create_in_bookings()
        reiki = self.offer(name="Reiki", list_price=50.0)
        self.create_in_bookings(displayName="REIKI")
        self.both()
        self.assertEqual(len(self.named("Cupping")), 1)
        self.assertEqual(len(self.in_odoo("Yoga")), 1)
        (there,) = self.named("Reiki")
        self.assertEqual((there["defaultPrice"], reiki.list_price), (50.0, 50.0))
        self.assertFalse(self.named("REIKI") or self.in_odoo("REIKI"))
        self.assertEqual(len(self.writes("POST")), 1)
        self.quiet()

    def test_only_services_in_the_filter_are_created(self):
        self.offer(categ_id=False)
        self.offer(name="Taping")
        self.both()
        self.assertEqual((len(self.named("Cupping")), len(self.named("Taping"))), (0, 1))

    def test_services_without_customers(self):
        """A contact that changes in Odoo stays where it is."""
        row = (
            self.env["bookings.customer"]
            .sudo()
            .create(
                {
                    "setup_id": self.setup.id,
                    "remote_id": self.tenant.customers[0]["id"],
                    "name": "Ann",
                    "partner_id": self.env["res.partner"].create({"name": "Ann"}).id,
                    "in_directory": True,
                }
            )
        )
        there = self.tenant.customers
        row.partner_id.phone = "+45 1"
        self.offer()
        self.both()
        self.assertEqual(self.tenant.customers, there)
        self.assertEqual(len(self.named("Cupping")), 1)
