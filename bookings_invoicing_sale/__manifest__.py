{
    "name": "Bookings Invoicing: Sales",
    "summary": "Microsoft Bookings appointments become sales orders that are invoiced from Sales",
    "version": "19.0.1.0.1",
    "category": "Accounting/Accounting",
    "author": "Bookings Invoicing contributors",
    "license": "LGPL-3",
    "depends": ["bookings_invoicing", "sale"],
    "data": [
        "security/ir.model.access.csv",
        "views/bookings_booking_views.xml",
        "views/bookings_invoice_run_views.xml",
        "views/bookings_sync_setup_views.xml",
        "views/sale_order_views.xml",
    ],
    "uninstall_hook": "uninstall_hook",
    "auto_install": True,
}
