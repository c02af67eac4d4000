from odoo import fields, models

from ..models.bookings_booking import NOT_BILLABLE_REASONS


class BookingsNotBillable(models.TransientModel):
    """Ask why the selected bookings are not billed."""

    _name = "bookings.not.billable"
    _inherit = "bookings.own.links"
    _description = "Mark Bookings as Not Billable"

    booking_ids = fields.Many2many(
        "bookings.booking",
        default=lambda self: self.env.context.get("active_ids"),
        readonly=True,
        string="Bookings",
    )
    reason = fields.Selection(NOT_BILLABLE_REASONS, required=True, default="waived")
    note = fields.Char()

    def action_confirm(self):
        self.booking_ids.action_mark_not_billable(self.reason, self.note)
        return {"type": "ir.actions.client", "tag": "soft_reload"}
