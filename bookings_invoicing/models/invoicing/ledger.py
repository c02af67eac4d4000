from odoo import api, models
from odoo.exceptions import UserError


class BookingsBooking(models.Model):
    """The ledger of a booking: what its posted invoice lines, net of their credits, bill of it."""

    _inherit = "bookings.booking"

    @api.depends("invoice_line_ids.move_id.payment_state")
    def _compute_moves(self):
        for booking in self:
            moves = booking.invoice_line_ids.move_id
            live = booking.invoice_line_ids.filtered("booking_live").move_id
            booking.move_ids = moves
            booking.move_count = len(moves)
            booking.payment_state = live[:1].payment_state

    @api.depends(
        "invoice_line_ids.price_total", "invoice_line_ids.parent_state", "amount", "status"
    )
    def _compute_billed(self):
        for booking in self:
            billed = (
                booking.sudo().invoice_line_ids._booking_billed() if booking.billed_before else 0.0
            )
            booking.billed_amount = billed
            booking.credited_amount = (
                booking._credited_part(booking.sudo().invoice_line_ids)
                if booking.status == "invoiced"
                else 0.0
            )

    def _credited_part(self, lines):
        """What was credited and not billed again since; what a person gave away on the invoice is not part of it."""
        self.ensure_one()
        left = self.amount - lines._booking_billed()
        return max(0.0, self.currency_id.round(min(left, lines._booking_credited())))

    def _amount_to_bill(self, line=None):
        """What is still to be billed of a booking: all, or the credited part where posted lines still bill the rest.

        :param line: an invoice line of it that is not counted
        """
        self.ensure_one()
        if not self.billed_before:
            return self.amount
        others = self.sudo().invoice_line_ids - line if line else self.sudo().invoice_line_ids
        if self.currency_id.compare_amounts(others._booking_billed(), 0.0) <= 0:
            return self.amount
        return self._credited_part(others)

    def _credited_lines(self):
        """Posted invoice lines that were credited to zero and that nobody has released for billing again."""
        if not self.invoice_line_ids:
            return self.invoice_line_ids
        return self.invoice_line_ids.filtered(
            lambda line: (
                line.move_id.move_type == "out_invoice"
                and line.parent_state == "posted"
                and not line.booking_live
                and not line.booking_released
            )
        )

    def _release_credited(self):
        for booking in self:
            lines = booking._credited_lines()
            if booking.status == "invoiced" and booking.credited_amount:
                lines |= booking.invoice_line_ids.filtered("booking_live")
            if lines:
                lines.booking_released = True

    def action_view_invoices(self):
        self.ensure_one()
        return self.move_ids._bookings_action()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_billed(self):
        billed = self.filtered(lambda booking: booking.invoice_line_ids)
        if billed:
            raise UserError(
                self.env._(
                    "%(bookings)s: on an invoice. Archive the sync setup instead of deleting its bookings.",
                    bookings=", ".join(billed[:5].mapped("display_name")),
                )
            )
