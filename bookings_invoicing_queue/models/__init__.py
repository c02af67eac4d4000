from . import (
    bookings_sync_setup,
    bookings_invoice_run,
)
