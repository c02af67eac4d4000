{
    "name": "Bookings Invoicing: E-Invoices",
    "summary": "E-invoices for Microsoft Bookings appointments state when each service was provided",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "Bookings Invoicing contributors",
    "license": "LGPL-3",
    "depends": ["bookings_invoicing", "account_edi_ubl_cii"],
    "data": ["views/bookings_booking_views.xml"],
    "auto_install": True,
}
