"""Keep the warning of bookings whose invoice was deleted: until now, nothing told drafts from posted invoices."""


def migrate(cr, version):
    cr.execute(
        """
        UPDATE bookings_booking b SET posted_invoice_deleted = TRUE
         WHERE b.billed_before AND NOT EXISTS (SELECT 1 FROM account_move_line l WHERE l.booking_id = b.id)
        """
    )
