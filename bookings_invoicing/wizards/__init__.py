from . import bookings_business_finder
from . import bookings_not_billable
from . import bookings_billing_flow
