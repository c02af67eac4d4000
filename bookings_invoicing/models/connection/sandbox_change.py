from odoo import api, fields, models
from odoo.exceptions import ValidationError


class BookingsSandboxChange(models.Model):
    """One change of a sandbox tenant after its creation. Changes are stored so that all workers see the same tenant."""

    _name = "bookings.sandbox.change"
    _inherit = ["bookings.own.links"]
    _description = "Change in the Sandbox Tenant"
    _order = "id"

    connection_id = fields.Many2one(
        "bookings.connection", required=True, ondelete="cascade", index=True
    )
    change = fields.Json(required=True)

    @api.constrains("change", "connection_id")
    def _check_change(self):
        for connection in self.connection_id:
            try:
                connection._sandbox_tenant()
            except ValueError as error:
                raise ValidationError(str(error)) from error
