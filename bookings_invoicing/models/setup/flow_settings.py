from odoo import api, fields, models
from odoo.exceptions import AccessError

from .res_config_settings import ADMIN

SALES_MODULES = ("sale", "bookings_invoicing_sale")


class ResConfigSettings(models.TransientModel):
    """The billing flow of the company in the settings, with a button to install Sales."""

    _inherit = "res.config.settings"

    bookings_billing_flow = fields.Selection(
        related="company_id.bookings_billing_flow", readonly=False, required=True, groups=ADMIN
    )
    bookings_sales_missing = fields.Boolean(compute="_compute_bookings_sales_missing", groups=ADMIN)

    @api.depends("company_id")
    def _compute_bookings_sales_missing(self):
        for settings in self:
            settings.bookings_sales_missing = not settings.company_id._bookings_sales_flow_known()

    def action_bookings_install_sales(self):
        """Install Sales, so that bookings can be billed with sales orders.

        :raises AccessError: if the user is not an administrator
        """
        if not self.env.user.has_group("base.group_system"):
            raise AccessError(self.env._("Only an administrator can install Sales."))
        modules = self.env["ir.module.module"].sudo().search([("name", "in", SALES_MODULES)])
        return modules.filtered(
            lambda module: module.state != "installed"
        ).button_immediate_install()
