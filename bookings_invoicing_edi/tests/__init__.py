from . import test_e_invoice_dates, test_e_invoice_stops
