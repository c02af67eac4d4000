from . import (
    account_move,
    billing_flow,
    booking_ordering,
    bookings_booking,
    bookings_invoice_run,
    flow_labels,
    sale_order,
    sale_order_line,
)
