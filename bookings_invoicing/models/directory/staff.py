from odoo import fields, models


class BookingsStaff(models.Model):
    """A staff member of the business."""

    _name = "bookings.staff"
    _description = "Bookings Staff Member"
    _inherit = ["bookings.mirror", "bookings.safe.export"]
    _order = "name, id"

    name = fields.Char(required=True)
    email = fields.Char()
    asked_until = fields.Datetime(
        string="Last Asked",
        readonly=True,
        copy=False,
        help="When this staff member was last asked who came.",
    )
    analytic_distribution = fields.Json()
    analytic_precision = fields.Integer(
        store=False,
        default=lambda self: self.env["decimal.precision"].precision_get("Percentage Analytic"),
    )

    def _remote_values(self, setup, record):
        """:param graph.StaffMember record:"""
        return {"name": record.name or record.email or record.id, "email": record.email}
