from odoo import fields, models

from ...billing import details, money
from ..base.readable_links import ROLES

SEEN_BY = f"{ROLES},base.group_system"


class ResCompany(models.Model):
    """The company's defaults for billing. Each sync setup can have its own billing flow.

    The billing flow is required on the settings screen but not in the database, because upgrades and tests of other
    modules create companies before this addon is loaded. Empty means draft invoices.
    """

    _name = "res.company"
    _inherit = ["res.company", "bookings.bounded"]

    bookings_billing_flow = fields.Selection(
        [("invoice", "Draft invoices from Bookings")],
        string="Bookings Are Billed By",
        default="invoice",
        groups=SEEN_BY,
        help="How the bookings of new sync setups of this company are billed.",
    )

    bookings_address_limit = fields.Monetary(
        string="Require the Address Above (0 = Never)",
        currency_field="currency_id",
        bounds=(0, 10**12),
        groups=SEEN_BY,
        help="Bookings whose invoice exceeds this total, tax included, wait until the payer's address is "
        "complete. 0 = never; a missing address is only a hint.",
    )
    bookings_business_details = fields.Boolean(
        string="Businesses Need Address and Tax ID",
        default=True,
        groups=SEEN_BY,
        help="Bookings paid by a business wait until its address and tax ID are known. Enter “/” for a business "
        "without a tax ID. If not set, missing details are only a hint.",
    )

    def _bookings_details_policy(self):
        """:rtype: bookings_invoicing.billing.details.Policy"""
        self.ensure_one()
        return details.Policy(
            money.decimal_of(self.bookings_address_limit), self.bookings_business_details
        )

    def _bookings_sales_flow_known(self):
        """Return whether the module for billing with sales orders is installed."""
        return "sale" in dict(self._fields["bookings_billing_flow"].selection)
