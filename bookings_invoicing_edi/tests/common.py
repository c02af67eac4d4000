from datetime import timedelta

from lxml import etree

from odoo.addons.bookings_invoicing.tests.common import BookingsCase

PARTIES = {
    "DE": {
        "city": "Dresden",
        "zip": "01067",
        "street": "Uferweg 1",
        "vat": "DE136695976",
        "phone": "+49 351 000000",
    },
    "BE": {"city": "Gent", "zip": "9000", "street": "Kaai 1", "vat": "BE0477472701"},
    "FR": {
        "city": "Lille",
        "zip": "59000",
        "street": "1 Quai Vert",
        "vat": "FR23334175221",
        "company_registry": "33417522101010",
    },
    "NL": {
        "city": "Utrecht",
        "zip": "3511",
        "street": "Kade 1",
        "vat": "NL123456782B90",
        "company_registry": "77777677",
        "peppol_eas": "0106",
        "peppol_endpoint": "77777677",
    },
    "DK": {
        "city": "Aarhus",
        "zip": "8000",
        "street": "Havnegade 1",
        "vat": "DK12345674",
        "company_registry": "12345674",
    },
    "CH": {"city": "Basel", "zip": "4051", "street": "Rheinweg 1", "vat": "CHE-123.456.788 TVA"},
}
BANKS = {
    "DE": "DE89370400440532013000",
    "BE": "BE68539007547034",
    "FR": "FR1420041010050500013M02606",
    "NL": "NL91ABNA0417164300",
    "DK": "DK5000400440116243",
    "CH": "CH9300762011623852957",
}
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
NS = {
    "cac": CAC,
    "cbc": CBC,
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
}


class EInvoiceCase(BookingsCase):
    """Test case with companies of several countries, their charts of accounts, and ready bookings in each."""

    countries = tuple(PARTIES)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setups = {code: cls._make_country(code) for code in cls.countries}

    @classmethod
    def _make_country(cls, code):
        """Create a company of a country with all details of a seller, and return its synchronized sync setup."""
        country = cls.env["res.country"].search([("code", "=", code)])
        company = cls.setup_other_company(
            name=f"{code} Clinic", country_id=country.id, currency_id=country.currency_id.id
        )["company"]
        company.partner_id.write(
            {"email": "office@clinic.example", "phone": "+45 00000000", **PARTIES[code]}
        )
        cls.env["res.partner.bank"].create(
            {"acc_number": BANKS[code], "partner_id": company.partner_id.id}
        ).allow_out_payment = True
        cls.env.user.company_ids |= company
        product = cls.env["product.template"].create(
            {
                "name": f"{code} service",
                "type": "service",
                "company_id": company.id,
                "taxes_id": company.account_sale_tax_id.ids,
            }
        )
        connection = cls.env["bookings.connection"].create(
            {
                "name": f"{code} sandbox",
                "mode": "sandbox",
                "sandbox_anchor": cls.anchor,
                "sandbox_size": 15,
                "company_id": company.id,
            }
        )
        setup = (
            cls.env["bookings.sync.setup"]
            .with_company(company)
            .create(
                {
                    "name": f"{code} Clinic",
                    "connection_id": connection.id,
                    "company_id": company.id,
                    "business_id": connection._sandbox_tenant().business_id,
                    "currency_id": company.currency_id.id,
                    "customer_sync": "import",
                    "customer_template_id": cls.customer_template.id,
                    "service_sync": "import",
                    "service_template_id": product.id,
                    "bill_from": cls.anchor - timedelta(days=80),
                    "look_back_days": 80,
                }
            )
        )
        cls.sync(setup)
        return setup

    def ready_of(self, code):
        """Return the ready bookings of the payer with the most of them."""
        ready = self.env["bookings.booking"].search(
            [("setup_id", "=", self.setups[code].id), ("status", "=", "ready")], order="start, id"
        )
        return max(ready.grouped("payer_id").values(), key=len)

    def payer_of(self, bookings, code, chosen=None):
        """Change the payer of these bookings to a business of a country with an e-invoice format, and return it."""
        payer = bookings.payer_id
        country = self.env["res.country"].search([("code", "=", code)])
        values = {**PARTIES[code], "vat": PARTIES[code]["vat"]}
        payer.write(
            {"is_company": True, "country_id": country.id, "email": "a@b.example", **values}
        )
        payer.with_company(bookings.company_id).invoice_edi_format = chosen
        bookings._recheck_billing()
        return payer

    def draft(self, bookings):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)])
        self.assertFalse(run.left_out_ids, run.result)
        return run.move_ids.with_company(bookings.company_id)

    def export(self, move, builder):
        """Return the root of the e-invoice, even if it has errors that prevent sending it."""
        content, _errors = self.env[f"account.edi.xml.{builder}"]._export_invoice(move)
        return etree.fromstring(content)
