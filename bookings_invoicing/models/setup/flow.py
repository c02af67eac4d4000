from odoo import api, fields, models


class BookingsSyncSetup(models.Model):
    """How the bookings of a setup are billed: as its company does, unless it says otherwise itself.

    A change is for what is billed from then on: what is on an order or an invoice stays there until
    that is cancelled.
    """

    _inherit = "bookings.sync.setup"

    billing_flow = fields.Selection(
        compute="_compute_billing_flow",
        store=True,
        readonly=False,
        precompute=True,
        default=None,
        help="How ready bookings are billed. A change is for what is billed from then on.",
    )

    @api.depends("company_id")
    def _compute_billing_flow(self):
        for setup in self:
            if not setup.billing_flow:
                setup.billing_flow = setup.company_id.bookings_billing_flow or "invoice"
