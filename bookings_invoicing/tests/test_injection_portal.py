from odoo.tests import HttpCase, tagged

from .injection_common import dangerous, shown
from .test_injection import HTML, InjectionCase


@tagged("post_install", "-at_install")
class TestInjectionPortal(InjectionCase, HttpCase):
    """Customers and their portal: the invoice's page and its e-mail show every payload as text."""

    frozen = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hostile.action_create_invoices()
        cls.moves = cls.hostile.move_ids
        cls.moves.action_post()

    def test_what_looks_for_danger_finds_it(self):
        """Each payload that is more than text when it is not escaped is found by what the others use."""
        # Not by what reads pages here: a second body, and tags that are none.
        tags = [payload for payload in HTML if payload.startswith("<")]
        live = [tag for tag in tags if not tag.startswith(("<body", "<scr<", "<![CDATA["))]
        self.assertGreater(len(live), 15)
        for payload in live:
            with self.subTest(payload):
                self.assertTrue(dangerous(f"<div>{payload}</div>"))

    def test_invoice_pages(self):
        """The page, and the invoice that it shows in a frame, as who has the link of the e-mail sees them."""
        self.assertEqual(len(self.moves), len(self.hostile), "one customer each")
        for move in self.moves:
            line = move.invoice_line_ids[:1]
            with self.subTest(line.name):
                self.assertEqual(dangerous(self._page(move.get_portal_url())), [])
                invoice = self._page(move.get_portal_url(report_type="html"))
                self.assertEqual(dangerous(invoice), [])
                for text in (line.name, move.partner_id.name):
                    self.assertIn(" ".join(text.split()), shown(invoice))

    def _page(self, path):
        answer = self.url_open(path)
        self.assertEqual(answer.status_code, 200, path)
        return answer.text

    def test_list_of_invoices_in_the_portal(self):
        """A customer who is called so, signed in: list and page."""
        move = self.hostile.filtered(lambda b: b.name == HTML[1]).move_ids
        user = self.env["res.users"].create(
            {
                "login": "hostile-customer",
                "password": "hostile-customer",
                "partner_id": move.partner_id.id,
                "group_ids": [(6, 0, self.env.ref("base.group_portal").ids)],
            }
        )
        self.assertIn(HTML[1], user.name)
        self.authenticate("hostile-customer", "hostile-customer")
        for path in ("/my", "/my/invoices", f"/my/invoices/{move.id}", "/my/account"):
            self.assertEqual(dangerous(self._page(path)), [], path)

    def test_email_of_an_invoice(self):
        template = self.env.ref("account.email_template_edi_invoice")
        bodies = template._render_field("body_html", self.moves.ids)
        for move in self.moves:
            body = str(bodies[move.id])
            with self.subTest(move.partner_id.name):
                self.assertEqual(dangerous(f"<div>{body}</div>"), [])
                self.assertIn(" ".join(move.partner_id.name.split()), shown(body))
