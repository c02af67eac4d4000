from . import business_finder
from . import not_billable
from . import billing_flow
from . import golive_setup_file
from . import golive_checklist
from . import golive_rehearsal
from . import invoice_preview
from . import invoice_sending
