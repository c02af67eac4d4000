from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _bookings_service_dates(self):
        """What the e-invoice says of when the services of this invoice or credit note were given.

        An invoice says what its form and its PDF say. A credit note has no period of its own: it
        says that of the bookings that it credits.

        :returns: ``(first, last), delivered, [days of each product line, None without a booking]``;
            ``None`` where no line has a booking
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
        """First and last day of the line's booking; ``None`` where the invoice does not cover them.

        They are not covered where the booking was moved after this invoice had let go of it.
        """
        self.ensure_one()
        if not self.booking_id:
            return None
        days = self.booking_id._service_period()
        return days if first <= days[0] and days[1] <= last else None
