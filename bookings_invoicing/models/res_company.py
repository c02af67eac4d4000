from odoo import fields, models


class ResCompany(models.Model):
    """A company chooses how its bookings are billed; each of its sync setups may say otherwise."""

    _inherit = "res.company"

    bookings_billing_flow = fields.Selection(
        [("invoice", "Draft invoices from Bookings")],
        string="Bookings Are Billed By",
        default="invoice",
        required=True,
        help="How the bookings of new sync setups of this company are billed",
    )

    def _bookings_sales_flow_known(self):
        """Whether the flow by sale orders can be chosen: its module is there."""
        return "sale" in dict(self._fields["bookings_billing_flow"].selection)
