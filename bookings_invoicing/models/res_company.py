from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    bookings_billing_flow = fields.Selection(
        [("invoice", "Draft invoices from Bookings")],
        default="invoice",
        required=True,
        help="How the bookings of new sync setups of this company are billed",
    )
