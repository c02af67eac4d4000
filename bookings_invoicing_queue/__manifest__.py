{
    "name": "Bookings Invoicing: Job Queue",
    "summary": "Synchronizations and large invoice runs of Microsoft Bookings are jobs of the OCA job queue",
    "version": "19.0.1.0.0",
    "category": "Accounting/Accounting",
    "author": "Bookings Invoicing contributors",
    "license": "LGPL-3",
    "depends": ["bookings_invoicing", "queue_job"],
    "data": ["data/queue_job_function.xml"],
    "auto_install": True,
}
