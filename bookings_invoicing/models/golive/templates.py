from odoo import models


class BookingsSyncSetup(models.Model):
    """The templates that new customers and products are made from, for who has none of their own."""

    _inherit = "bookings.sync.setup"

    def _make_templates(self):
        """Give the setup the templates that it lacks, those of the company's other setups first, and import with both."""
        self.ensure_one()
        self.check_access("write")
        setup = self._for_sync()
        self.write(
            {
                "customer_sync": "import",
                "customer_template_id": (
                    setup.customer_template_id
                    or setup._template_of_others("customer_template_id")
                    or setup._make_customer_template()
                ).id,
                "service_sync": "import",
                "service_template_id": (
                    setup.service_template_id
                    or setup._template_of_others("service_template_id")
                    or setup._make_service_template()
                ).id,
            }
        )

    def _template_of_others(self, name):
        """The template that another setup of the company uses.

        :param str name: field of the template
        """
        others = self.search([("company_id", "=", self.company_id.id), (name, "!=", False)])
        return others[:1][name]

    def _make_customer_template(self):
        return self.env["res.partner"].create(
            {
                "name": self.env._("Bookings Customer Template"),
                "company_id": self.company_id.id,
                "lang": self.language_id.code,
            }
        )

    def _make_service_template(self):
        """A service with the company's own sales tax, which Odoo gives to every new product."""
        return self.env["product.template"].create(
            {
                "name": self.env._("Bookings Service Template"),
                "type": "service",
                "company_id": self.company_id.id,
            }
        )
