from odoo import api, fields, models

from ...graph.fields import LONGEST_NAME, LONGEST_NOTE
from ..base.imported import IMPORTING
from ..base.moments import PRODUCTS_CHANGED
from ..base.readable_links import ROLES
from ..base.safe_text import plain_name

# Fields of a product that determine what Bookings should have
BOTH_WAYS = {
    "name", "list_price", "description_sale", "taxes_id", "uom_id", "active", "sale_ok", "bookings_offer",
}  # fmt: skip


class ProductTemplate(models.Model):
    """Products that are services in Bookings, too."""

    _name = "product.template"
    _inherit = ["product.template", "bookings.own.links"]

    bookings_offer = fields.Boolean(
        string="Offer in Bookings",
        copy=False,
        groups=ROLES,
        help="Sync setups that keep services the same on both sides create this product as a service in Microsoft Bookings, "
        "where customers can book it.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        products = super().create(vals_list)
        products._bookings_note()
        return products

    def write(self, vals):
        result = super().write(vals)
        if not BOTH_WAYS.isdisjoint(vals):
            self._bookings_note()
        return result

    def _bookings_note(self):
        """Announce new or changed products, except when the change comes from Bookings."""
        if self.env.context.get("bookings_importing") is not IMPORTING:
            PRODUCTS_CHANGED(self)


class ProductProduct(models.Model):
    """What Bookings and a product have in common."""

    _inherit = "product.product"

    def _bookings_single(self, setup):
        """Return the products that the setup may keep the same as a service: on sale, without variants, and no template."""
        products = self.sudo().with_context(active_test=False)
        setups = setup.sudo().with_context(active_test=False)
        used = setups.search([("service_template_id", "!=", False)]).service_template_id
        fees = setups.search([("fee_product_id", "!=", False)]).fee_product_id
        return products.filtered(
            lambda one: (
                one.active
                and one.sale_ok
                and len(one.product_tmpl_id.product_variant_ids) == 1
                and one not in fees
                and one.product_tmpl_id not in used
            )
        )

    def _bookings_values(self):
        """Return name and description to compare with those in Bookings."""
        self.ensure_one()
        return {
            "name": " ".join(plain_name(self.name)[:LONGEST_NAME].split()),
            "description": (self.description_sale or "")[:LONGEST_NOTE].strip(),
        }
