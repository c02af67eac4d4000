from . import billing_flow
from . import sale_order_line
from . import sale_order
from . import bookings_booking
from . import booking_ordering
from . import bookings_invoice_run
from . import account_move
