from odoo import models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    _inherit = "account.move"

    def _check_bookings_free(self, new_state):
        # EXTENDS 'bookings_invoicing': an order may bill the booking by now, too
        result = super()._check_bookings_free(new_state)
        cancelled = self.filtered(lambda m: m.move_type == "out_invoice" and m.state == "cancel")
        for move in cancelled.sudo():
            for line in move.invoice_line_ids.filtered("booking_id"):
                other = line.booking_id._live_order_lines() - line.sale_line_ids
                if other:
                    raise UserError(
                        self.env._(
                            "%(booking)s has since been billed on %(other)s. Cancel that document before you "
                            "reopen %(invoice)s.",
                            booking=line.booking_id.display_name,
                            other=other.order_id[:1].display_name,
                            invoice=move.display_name,
                        )
                    )
        return result

    def _finish_booking_invoices(self):
        """Set the dates of service on invoices from orders of bookings, and link the bookings on their credit notes."""
        for move in self:
            lines = move.sudo().invoice_line_ids
            if move.move_type == "out_refund":
                move._credit_bookings()
            bookings = lines.booking_id
            if not bookings:
                continue
            values = bookings._invoice_dates()
            setup = bookings[:1].setup_id
            if setup.invoice_cash_rounding_id:
                values["invoice_cash_rounding_id"] = setup.invoice_cash_rounding_id.id
            move.sudo().write(values)
            lines.flush_recordset(["booking_written"])
            bookings = bookings.sudo()
            bookings.filtered(lambda booking: not booking.billed_before).billed_before = True
            again = bookings.filtered("bill_again_id")
            if move.move_type == "out_invoice":
                again._credited_lines().booking_released = True
            again.bill_again_id = False

    def _credit_bookings(self):
        """Link the lines of a credit note from an order to the bookings, and the credit note to its invoice."""
        lines = self.sudo().invoice_line_ids
        for line in lines.filtered(lambda line: not line.booking_id):
            line.booking_id = line.sale_line_ids.booking_id[:1]
        billed = lines.booking_id._billed_on().filtered(lambda m: m.state == "posted")
        if not self.reversed_entry_id and len(billed) == 1:
            self.reversed_entry_id = billed.sudo(self.env.su)
