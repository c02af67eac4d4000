from odoo import api, fields, models
from odoo.exceptions import AccessError


class BookingsBillingFlow(models.TransientModel):
    """Choose how a company's bookings are billed, for new sync setups and for selected existing ones."""

    _name = "bookings.billing.flow"
    _inherit = "bookings.own.links"
    _description = "How Bookings Are Billed"

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    billing_flow = fields.Selection(
        lambda self: self.env["res.company"]._fields["bookings_billing_flow"].selection,
        required=True,
        default=lambda self: self.env.company.bookings_billing_flow or "invoice",
    )
    setup_ids = fields.Many2many(
        "bookings.sync.setup",
        string="Also for these setups",
        domain="[('company_id', '=', company_id)]",
        default=lambda self: self.env["bookings.sync.setup"].search(
            [("company_id", "=", self.env.company.id)]
        ),
        help="Bookings on an order or an invoice do not change.",
    )
    sales_missing = fields.Boolean(compute="_compute_sales_missing")
    can_install = fields.Boolean(compute="_compute_sales_missing")

    @api.depends("company_id")
    def _compute_sales_missing(self):
        for wizard in self:
            wizard.sales_missing = not wizard.company_id._bookings_sales_flow_known()
            wizard.can_install = wizard.sales_missing and self.env.user.has_group(
                "base.group_system"
            )

    def action_apply(self):
        """Store the billing flow on the company and the selected setups.

        :raises AccessError: if the user is not a manager or has not selected the company
        """
        self.check_access("write")
        self.ensure_one()
        if not self.env.user.has_group("bookings_invoicing.group_manager"):
            raise AccessError(
                self.env._(
                    "You need the role Microsoft Bookings / Manager to choose the billing flow."
                )
            )
        if self.company_id not in self.env.companies:
            raise AccessError(self.env._("Select this company in the company selector first."))
        self.company_id.sudo().bookings_billing_flow = self.billing_flow
        self.setup_ids.check_access("write")
        self.setup_ids.filtered(lambda setup: setup.company_id == self.company_id).write(
            {"billing_flow": self.billing_flow}
        )
        return {"type": "ir.actions.act_window_close"}

    def action_install_sales(self):
        """Install Sales, so that bookings can be billed with sales orders."""
        self.check_access("write")
        return self.env["res.config.settings"].action_bookings_install_sales()
