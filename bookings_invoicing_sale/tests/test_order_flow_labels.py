from lxml import etree

from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from .common import OrderCase

PREVIEW = "bookings_invoicing.booking_action_preview"
SERVER_ACTIONS = (
    "bookings_invoicing.booking_action_create_invoices",
    "bookings_invoicing.booking_action_invoice_customer",
    "bookings_invoicing.booking_action_invoice_ready",
)


@tagged("post_install", "-at_install")
class TestFlowLabels(OrderCase):
    """Whatever creates documents says which: buttons, the Actions menu, the preview and its title."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["bookings.sync.setup"].search([("id", "!=", cls.setup.id)]).active = False

    def shown(self):
        """Names as the web client gets them."""
        booking, preview = self.env["bookings.booking"], self.env["bookings.invoice.preview"]
        views = booking.get_views([(False, "list"), (False, "form")], {"toolbar": True})["views"]
        header = etree.fromstring(views["list"]["arch"]).find("header")
        form = etree.fromstring(preview.get_view(view_type="form")["arch"])
        menu = {entry["id"]: entry["name"] for entry in views["list"]["toolbar"]["action"]}
        action = self.env["ir.actions.act_window"]._for_xml_id(PREVIEW)
        payer = etree.fromstring(views["form"]["arch"]).find(
            ".//header/button[@name='action_preview_payer']"
        )
        return {
            "preview": header.find(f"button[@name='{action['id']}']").get("string"),
            "menu": [menu[self.env.ref(xmlid).id] for xmlid in SERVER_ACTIONS],
            "payer": payer.get("string"),
            "title": action["name"],
            "form": form.get("string"),
            "create": form.find(".//button[@name='action_create']").get("string"),
            "documents": form.find(".//page[@name='invoices']").get("string"),
        }

    def test_orders_only(self):
        create = "Create Orders"
        self.assertEqual(
            self.shown(),
            {
                "preview": create,
                "menu": [
                    "Order Selected Now",
                    "Create Orders for Payer",
                    "Create Orders for All Ready",
                ],
                "payer": "Create Orders for Payer",
                "title": create,
                "form": create,
                "create": create,
                "documents": "Orders",
            },
        )

    def test_invoices_only(self):
        """Sales is installed and not used: the names are those without it."""
        self.setup.billing_flow = "invoice"
        create = "Create Draft Invoices"
        self.assertEqual(
            self.shown(),
            {
                "preview": create,
                "menu": [
                    "Draft Selected Now",
                    "Create Draft Invoices for Payer",
                    "Create Draft Invoices for All Ready",
                ],
                "payer": "Create Draft Invoices for Payer",
                "title": create,
                "form": create,
                "create": create,
                "documents": "Invoices",
            },
        )

    def test_both(self):
        self._make_setup(
            name="Second", business_id="second@harbourclinic.example", billing_flow="invoice"
        )
        shown = self.shown()
        create = "Create Invoices and Orders"
        self.assertEqual(self.env["bookings.invoice.preview"]._documents_label(), create)
        self.assertEqual({shown[key] for key in ("preview", "title", "form", "create")}, {create})
        self.assertEqual(
            shown["menu"], ["Create Selected Now", f"{create} for Payer", f"{create} for All Ready"]
        )
        self.assertEqual(shown["documents"], "Invoices and Orders")

    def test_companies_switched_on_count(self):
        """What another company does with its bookings names nothing here."""
        other = self.setup_other_company(name="Orders nothing")["company"]
        self.env.user.company_ids += other
        self.connection.company_id = False
        self._make_setup(
            name="Theirs",
            company_id=other.id,
            business_id="third@harbourclinic.example",
            billing_flow="invoice",
        )
        for companies, name in (
            (self.company, "Create Orders"),
            (other, "Create Draft Invoices"),
            (self.company | other, "Create Invoices and Orders"),
        ):
            self.env = self.env(context={"allowed_company_ids": companies.ids})
            self.assertEqual(self.shown()["preview"], name)

    def test_one_booking_is_named_by_its_own_flow(self):
        """Of the two buttons of a row and of the form, each flow shows its own."""
        for view_type, path in (("list", "/list/button"), ("form", "//header/button")):
            arch = etree.fromstring(
                self.env["bookings.booking"].get_view(view_type=view_type)["arch"]
            )
            for flow, named in (("invoice", "invoice"), ("sale", "order")):
                shown = [
                    button.get("string") or button.get("title")
                    for button in arch.xpath(f"{path}[@name='action_create_invoices']")
                    if not safe_eval(
                        button.get("invisible"), {"status": "ready", "billing_flow": flow}
                    )
                ]
                self.assertEqual(len(shown), 1, (view_type, flow))
                self.assertIn(named, shown[0].lower())
