from . import account_move, e_invoice, account_tax, booking_e_invoice
