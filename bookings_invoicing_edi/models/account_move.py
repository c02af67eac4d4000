from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _bookings_service_dates(self):
        """Return the service dates for the e-invoice of this invoice or credit note.

        An invoice has the dates on its form and PDF. A credit note has no period of its own and uses that of the bookings
        that it credits.

        :returns: ``(first, last), delivered, [(first, last) of each product line, or None without a booking]``, or None
            if no line has a booking
        """
        self.ensure_one()
        lines = self.invoice_line_ids.filtered(lambda line: line.display_type == "product").sudo()
        bookings = lines.booking_id
        if not bookings or not self.is_sale_document():
            return None
        first, last = self.bookings_service_start, self.bookings_service_stop
        if self.move_type == "out_refund" or not (first and last):
            first, last = bookings._service_period()
        delivered = self.move_type == "out_invoice" and self.delivery_date or last
        return (first, last), delivered, [line._bookings_days_within(first, last) for line in lines]


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _bookings_days_within(self, first, last):
        """Return the first and last date of the line's booking, or None if the invoice does not cover them.

        This can happen if the booking was moved to another date after this invoice no longer billed it.
        """
        self.ensure_one()
        if not self.booking_id:
            return None
        days = self.booking_id._service_period()
        return days if first <= days[0] and days[1] <= last else None
