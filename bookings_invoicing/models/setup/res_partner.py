from odoo import api, fields, models

from ..base.readable_links import ROLES
from .line_template import check_line_template


class ResPartner(models.Model):
    """A payer's own grouping and line text for invoices of bookings."""

    _inherit = "res.partner"

    bookings_grouping = fields.Selection(
        [
            ("customer", "One invoice"),
            ("customer_month", "One per month"),
            ("customer_week", "One per week"),
            ("booking", "One per booking"),
        ],
        string="Bookings: Grouping",
        groups=ROLES,
        help="How this payer's bookings are grouped on invoices. Leave empty for the grouping of the sync setup.",
    )
    bookings_line_template = fields.Char(
        string="Bookings: Line Text",
        groups=ROLES,
        help="Text of this payer's invoice lines. Leave empty for the text of the sync setup, without names if "
        "the payer is not the attendee. Placeholders in braces are replaced, as on the sync setup.",
    )

    @api.constrains("bookings_line_template")
    def _check_bookings_line_template(self):
        for partner in self.filtered("bookings_line_template"):
            check_line_template(self.env, partner.bookings_line_template)
