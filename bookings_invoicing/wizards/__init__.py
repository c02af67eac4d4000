from . import bookings_business_finder
from . import bookings_not_billable
from . import bookings_billing_flow
from . import bookings_setup_file
from . import bookings_checklist
from . import bookings_rehearsal
from . import bookings_invoice_preview
