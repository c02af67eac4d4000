from odoo import models


class BookingsSyncSetup(models.Model):
    """Creates the templates of new customers and products for users who have none."""

    _inherit = "bookings.sync.setup"

    def _make_templates(self):
        """Set missing templates, from the company's other setups or new ones, and turn on both imports."""
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
        """Return the template that another setup of the company uses.

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
        """Create a service with the company's default sales tax, which Odoo sets on every new product."""
        return self.env["product.template"].create(
            {
                "name": self.env._("Bookings Service Template"),
                "type": "service",
                "company_id": self.company_id.id,
            }
        )
