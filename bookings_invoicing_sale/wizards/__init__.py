from . import bookings_invoice_preview
