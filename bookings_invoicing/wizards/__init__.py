from . import bookings_business_finder
from . import bookings_not_billable
