from odoo.addons.bookings_invoicing.tests.injection_common import dangerous, shown
from odoo.addons.bookings_invoicing.tests.test_injection import InjectionCase
from odoo.tests import HttpCase, tagged


@tagged("post_install", "-at_install")
class TestOrderPortal(InjectionCase, HttpCase):
    """The customer's page of an order, and its e-mail, show every payload as text."""

    frozen = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup.billing_flow = "sale"
        cls.hostile.action_create_invoices()
        cls.orders = cls.hostile.order_ids.sudo()

    def test_order_pages(self):
        self.assertEqual(len(self.orders), len(self.hostile), "one customer each")
        for order in self.orders:
            line = order.order_line[:1]
            with self.subTest(line.name):
                answer = self.url_open(order.get_portal_url())
                self.assertEqual(answer.status_code, 200)
                self.assertEqual(dangerous(answer.text), [])
                words = shown(answer.text)
                self.assertIn(" ".join(line.name.split()), words)

    def test_email_of_an_order(self):
        template = self.env.ref("sale.mail_template_sale_confirmation").sudo()
        for order_id, body in template._render_field("body_html", self.orders.ids).items():
            with self.subTest(order=order_id):
                self.assertEqual(dangerous(f"<div>{body}</div>"), [])
                self.assertIn(self.orders.browse(order_id).name, shown(str(body)))
