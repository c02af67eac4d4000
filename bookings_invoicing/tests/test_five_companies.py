from datetime import date
from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from ..sandbox import catalogue
from ..sandbox.mailbox import Mailbox
from .common import BookingsCase

TOWNS = ("Aarhus", "Basel", "Cork", "Dresden")


@tagged("post_install", "-at_install")
class TestFiveCompanies(BookingsCase, HttpCase):
    """A consultant in a real browser: the first company by hand, four more from its file; the tour counts its clicks."""

    frozen = False
    anchor = date.today()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup.unlink()
        cls.connection.unlink()
        cls.company.name = "Harbour Street Clinic Ltd"
        others = [cls.setup_other_company(name=f"{town} Clinic Ltd") for town in TOWNS]
        companies = cls.company
        for data in others:
            companies |= data["company"]
        companies.external_report_layout_id = cls.env.ref("web.external_layout_standard")
        cls.companies = companies
        cls.env.user.write({"login": "consultant", "password": "consultant", "name": "Cora"})
        cls.env.user.company_ids |= companies
        cls.env.user.company_id = cls.company
        cls._share_products(companies)
        cls._tenant_of_five()

    @classmethod
    def _share_products(cls, companies):
        """Products of all companies, called as the services of Bookings and one that is only there in four of them."""
        taxes = companies.account_sale_tax_id
        names = [plan.name for plan in catalogue.CLINIC_SERVICES] + ["Evening clinic"]
        cls.env["product.product"].create(
            [
                {"name": name, "type": "service", "company_id": False, "taxes_id": taxes.ids}
                for name in names
            ]
        )
        cls.customer_template.name = "Customer of Bookings"

    @classmethod
    def _tenant_of_five(cls):
        """The sandbox's tenant has a clinic in five towns; four have a service of their own."""
        connections = type(cls.env["bookings.connection"])
        sandbox_tenant = connections._sandbox_tenant

        def tenant(self):
            result = sandbox_tenant(self)
            clinic = catalogue.BUSINESSES[0]
            evening = clinic.services[0]._replace(key="evening", name="Evening clinic")
            result.mailboxes[1:] = [
                Mailbox(
                    clinic._replace(
                        key=town,
                        name=f"{town} Clinic",
                        mailbox=f"{town}@clinic.example",
                        services=(evening, *clinic.services),
                    ),
                    *(self.sandbox_seed, self.sandbox_anchor, 20, result.currency, 10, 0.1),
                )
                for town in TOWNS
            ]
            result._by_id = {box.id.lower(): box for box in result.mailboxes}
            return result

        cls.startClassPatcher(patch.object(connections, "_sandbox_tenant", tenant))

    def test_five_companies_in_less_than_seventy_clicks(self):
        self.start_tour("/odoo", "bookings_five_companies", login="consultant", timeout=180)
        setups = self.env["bookings.sync.setup"].search([("company_id", "in", self.companies.ids)])
        self.assertEqual(setups.company_id, self.companies)
        self.assertEqual(len(setups), 5)
        self.assertEqual(set(setups.mapped("checklist_open")), {0})
        self.assertEqual(set(setups.mapped("grouping")), {"customer_month"})
        self.assertEqual(set(setups.mapped("bill_from")), {date.today().replace(day=1)})
        self.assertEqual(set(setups.mapped("customer_sync")), {"import"})
