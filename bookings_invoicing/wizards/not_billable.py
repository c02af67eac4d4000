from odoo import fields, models
from odoo.exceptions import UserError

from ..models.booking.booking import NOT_BILLABLE_REASONS


class BookingsNotBillable(models.TransientModel):
    """Ask why the selected bookings are not billed, or on which other document they are billed."""

    _name = "bookings.not.billable"
    _inherit = "bookings.own.links"
    _description = "Mark Bookings as Not Billable"

    booking_ids = fields.Many2many(
        "bookings.booking",
        default=lambda self: self.env.context.get("active_ids"),
        readonly=True,
        string="Bookings",
        context={"active_test": False},
    )
    reason = fields.Selection(NOT_BILLABLE_REASONS)
    note = fields.Char()

    def action_confirm(self):
        """Mark the bookings as not billable, for the reason in this wizard or in the context of the button.

        :raises UserError: if there is no reason
        """
        reason = self.reason or self.env.context.get("bookings_reason")
        if not reason:
            raise UserError(self.env._("Select the reason why these bookings are not billable."))
        told = self.booking_ids.action_mark_not_billable(reason, self.note)
        reload = {"type": "ir.actions.client", "tag": "soft_reload"}
        return told | {"params": told["params"] | {"next": reload}} if told else reload
