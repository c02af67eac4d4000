"""A list price is what Odoo's own invoice line would charge this payer for this quantity."""

from datetime import timedelta

from odoo.fields import Command
from odoo.tests import tagged

from ...models.golive.rehearsal import rehearsed
from ..invoicing.test_ledger import LedgerCase


@tagged("post_install", "-at_install")
class TestListPrice(LedgerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.booking = cls.ready.filtered("payer_id")[0]
        cls.service, cls.product = cls.booking.service_id, cls.booking.service_id.product_id
        cls.vat = cls._tax("VAT 21", 21.0)
        cls.product.taxes_id = cls.vat
        cls.product.list_price = 100.0
        cls.service.write({"billing_rule": "pricelist", "rounding": "none", "minimum_minutes": 0})
        cls.setup.price_tax = "included"
        cls.hour = cls.env.ref("uom.product_uom_hour")

    @classmethod
    def _tax(cls, name, amount, basis="tax_excluded", **values):
        return cls.env["account.tax"].create(
            {
                "name": name,
                "amount": amount,
                "type_tax_use": "sale",
                "price_include_override": basis,
                "company_id": cls.company.id,
                **values,
            }
        )

    def _position(self, *taxes):
        """A fiscal position of the payer that maps VAT 21 to these."""
        position = self.env["account.fiscal.position"].create({"name": "Elsewhere"})
        for tax in taxes:
            tax.write(
                {
                    "fiscal_position_ids": [Command.link(position.id)],
                    "original_tax_ids": [Command.set(self.vat.ids)],
                }
            )
        self.booking.payer_id.property_account_position_id = position
        return position

    def _take(self, minutes=None, unit=None):
        """Let the booking take so long, and its product be sold in this unit."""
        if unit:
            self.product.uom_id = unit
        if minutes:
            self.booking.sudo().stop = self.booking.start + timedelta(minutes=minutes)
        self.booking._recheck_billing()
        return self.booking.amount

    def _odoo_line(self):
        """What Odoo's own invoice of the product to the payer comes to."""
        return self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.booking.payer_id.id,
                "invoice_date": "2026-03-12",
                "invoice_line_ids": [Command.create({"product_id": self.product.id})],
            }
        )

    # -- taxes -----------------------------------------------------------------------------------------

    def test_taxes_of_the_payer(self):
        """100 without tax is 100 or 106 for who pays 0 % or 6 %, as on Odoo's own line."""
        for amount, total in ((0.0, 100.0), (6.0, 106.0)):
            self._position(self._tax(f"VAT {amount}", amount))
            self.assertEqual(self._odoo_line().amount_total, total)
            self.assertEqual(self._take(), total)
            move = self.invoice(self.booking)
            self.assertEqual((move.amount_untaxed, move.amount_total), (100.0, total))
            self.credit(move)
            self.booking.action_put_back()

    def test_taxes_of_the_payer_inside_the_price(self):
        """121 with 21 % inside is 106 for who pays 6 %, 100 without tax."""
        self.vat.price_include_override = "tax_included"
        self.product.list_price = 121.0
        self._position(self._tax("VAT 6", 6.0, "tax_included"))
        self.assertEqual(self._odoo_line().amount_total, 106.0)
        self.assertEqual(self._take(), 106.0)
        self.setup.price_tax = "excluded"
        self.assertEqual(self._take(), 100.0)
        move = self.invoice(self.booking)
        self.assertEqual((move.amount_untaxed, move.amount_total), (100.0, 106.0))

    def test_tax_inside_and_tax_on_top(self):
        """110 with 10 % inside and 5 % on top is 100 without tax and 115 with it; so is the group of both."""
        inside, on_top = self._tax("In 10", 10.0, "tax_included"), self._tax("Top 5", 5.0)
        group = self._tax("Both", 0.0, amount_type="group")
        group.children_tax_ids = inside | on_top
        self.product.list_price = 110.0
        for taxes in (inside | on_top, group):
            self.product.taxes_id = taxes
            for basis, amount in (("excluded", 100.0), ("included", 115.0)):
                self.setup.price_tax = basis
                self.assertEqual(self._take(), amount, (taxes.mapped("name"), basis))
                move = self.invoice(self.booking)
                self.assertEqual((move.amount_untaxed, move.amount_total), (100.0, 115.0))
                self.credit(move)
                self.booking.action_put_back()

    # -- units and quantities --------------------------------------------------------------------------

    def test_units_of_time(self):
        """An hour of 800 a day is 100, of 1.50 a minute 90; ten hours have no error of the minute's factor."""
        self.setup.price_tax = "excluded"
        self.product.list_price = 800.0
        self.assertEqual(self._take(60, self.env.ref("uom.product_uom_day")), 100.0)
        self.assertEqual(self.booking.price_unit_of, "hour")
        self.product.list_price = 1.5
        minute = self.env.ref("uom.product_uom_minute")
        self.assertEqual(self._take(60, minute), 90.0)
        self.assertEqual(self.booking.price_unit, 90.0)
        self.assertEqual(self._take(40 * 60), 3600.0)
        self.assertEqual(self.invoice(self.booking).amount_untaxed, 3600.0)

    def test_pieces(self):
        """A dozen is twelve appointments."""
        self.setup.price_tax = "excluded"
        self.product.list_price = 120.0
        self.assertEqual(self._take(60, self.env.ref("uom.product_uom_dozen")), 10.0)

    def test_a_unit_that_cannot_be_converted_is_asked(self):
        self.assertEqual(self._take(60, self.env.ref("uom.product_uom_kgm")), 0.0)
        self.assertEqual(
            (self.booking.status, self.booking.attention_reason), ("attention", "price_to_decide")
        )
        self.assertIn("kg", self.booking.attention_detail)

    def test_rules_by_quantity(self):
        """90 an hour from three hours on: asked for the time billed, after rounding, or what a person typed."""
        self.setup.price_tax = "excluded"
        rules = [
            {"min_quantity": 3.0, "fixed_price": 90.0, "applied_on": "3_global"},
            {"min_quantity": 1.0, "fixed_price": 95.0, "applied_on": "3_global"},
        ]
        pricelist = self.env["product.pricelist"].create(
            {"name": "By quantity", "item_ids": [Command.create(rule) for rule in rules]}
        )
        self.env.ref("base.group_user").sudo().implied_ids += self.env.ref(
            "product.group_product_pricelist"
        )
        self.booking.payer_id.specific_property_product_pricelist = pricelist
        self.assertEqual(self._take(200, self.hour), 300.0)
        self.assertEqual(self._take(60), 95.0)
        self.assertEqual(self._take(20), 33.33)
        self.service.write({"rounding": "up", "rounding_minutes": "60"})
        self.assertEqual(self._take(150), 270.0)
        self.service.rounding = "none"
        self._take(90)
        self.assertEqual(self.booking.amount, 142.5)
        self.booking.quantity = 4.0
        self.assertEqual(self.booking.amount, 360.0)
        self.booking.action_reset_price()
        self.assertEqual(self.booking.amount, 142.5)
        self.assertEqual(self._take(180, self.env.ref("uom.product_uom_minute")), 16200.0)
        in_memory = rehearsed(
            self.booking,
            {
                name: self.booking._fields[name].convert_to_write(self.booking[name], self.booking)
                for name in ("setup_id", "service_id", "payer_id", "start", "stop", "price_type")
            },
            self.booking.browse(),
        )
        self.assertEqual(float(in_memory._price().amount), 16200.0)

    # -- products made for services ----------------------------------------------------------------------

    def _made(self, price, currency=None):
        """The product that is made for the service at this price in Bookings."""
        if currency:
            self.setup.currency_id = currency
        self.service.sudo().write({"product_id": False, "price": price})
        self.service.action_create_product()
        return self.service.product_id

    def test_product_made_on_the_basis_of_its_taxes(self):
        self.vat.amount = 25.0
        self.setup.service_template_id.taxes_id = self.vat
        own = self.company.currency_id
        self.setup.service_template_id.company_id = self.company
        self.assertEqual(self._made(125.0, own).list_price, 100.0)
        self.assertEqual(self._take(60), 125.0)
        self.setup.price_tax = "excluded"
        self.assertEqual(self._made(125.0).list_price, 125.0)
        self.vat.price_include_override = "tax_included"
        self.assertEqual(self._made(100.0).list_price, 125.0)
        self.assertEqual(self._take(60), 100.0)

    def test_product_made_in_its_own_currency(self):
        """Converted where Odoo has a rate, else left at 0 with the reason in the product's messages."""
        foreign = self.env["res.currency"].create({"name": "XBK", "symbol": "x"})
        self.setup.price_tax = "excluded"
        self.setup.service_template_id.company_id = self.company
        product = self._made(700.0, foreign)
        self.assertEqual(product.list_price, 0.0)
        self.assertIn("exchange rate", product.product_tmpl_id.message_ids[0].body)
        self.env["res.currency.rate"].create(
            {
                "currency_id": foreign.id,
                "company_id": self.company.id,
                "name": "2026-01-01",
                "rate": 7.0,
            }
        )
        self.assertEqual(self._made(700.0).list_price, 100.0)
        self.assertEqual(self._take(60), 700.0, "back in the currency of the business")
        self.booking.action_create_invoices()
        move = self.booking.move_ids
        self.assertEqual((move.currency_id, move.amount_untaxed), (foreign, 700.0))
        self.service.sudo().write({"product_id": False, "price": 350.0})
        self.service._make_products(self.setup)
        self.assertEqual(self.service.product_id.list_price, 50.0)

    def test_product_made_in_its_own_unit(self):
        """60 an hour is 480 a day of 8 hours and 1 a minute; what cannot be converted is left at 0 and said."""
        self.setup.price_tax = "excluded"
        template = self.setup.service_template_id
        self.service.sudo().price_type = "hourly"
        for unit, price in (("day", 480.0), ("minute", 1.0), ("hour", 60.0)):
            template.uom_id = self.env.ref(f"uom.product_uom_{unit}")
            product = self._made(60.0)
            self.assertEqual((product.uom_id, product.list_price), (template.uom_id, price))
            self.assertEqual(self._take(150), 150.0)
        template.uom_id = self.env.ref("uom.product_uom_unit")
        product = self._made(60.0)  # Odoo's own default: nobody chose it
        self.assertEqual((product.uom_id, product.list_price), (self.hour, 60.0))
        self.service.sudo().price_type = "fixedPrice"
        product = self._made(60.0)
        self.assertEqual((product.uom_id, product.list_price), (template.uom_id, 60.0))
        template.uom_id = self.env.ref("uom.product_uom_dozen")
        self.assertEqual(self._made(60.0).list_price, 720.0)
        self.assertEqual(self._take(150), 60.0)
        template.uom_id = self.hour
        product = self._made(60.0)
        self.assertEqual(product.list_price, 0.0)
        self.assertIn("per appointment", product.product_tmpl_id.message_ids[0].body)
        template.uom_id = self.env.ref("uom.product_uom_kgm")
        self.service.sudo().price_type = "hourly"
        product = self._made(60.0)
        self.assertEqual(product.list_price, 0.0)
        self.assertIn("per hour", product.product_tmpl_id.message_ids[0].body)
