from odoo import fields, models


class BookingsInvoiceRunLeftOut(models.Model):
    """A booking that a run did not include, with the reason."""

    _name = "bookings.invoice.run.left.out"
    _inherit = ["bookings.own.links", "bookings.safe.export"]
    _description = "Booking Not Included in an Invoice Run"
    _rec_name = "booking_id"

    run_id = fields.Many2one(
        "bookings.invoice.run", required=True, readonly=True, ondelete="cascade", index=True
    )
    booking_id = fields.Many2one(
        "bookings.booking", required=True, readonly=True, ondelete="cascade", index=True
    )
    reason = fields.Char(required=True, readonly=True)
