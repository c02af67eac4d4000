"""Recompute bookings that ended at the midnight before *Bill From*: they belong to the day before, billed elsewhere."""

from odoo import SUPERUSER_ID, api
from odoo.addons.bookings_invoicing.billing import period


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    bookings = env["bookings.booking"].with_context(active_test=False)
    for setup in env["bookings.sync.setup"].with_context(active_test=False).search([]):
        if setup.bill_from:
            midnight = period.start_of_day(setup.bill_from, setup.tz)
            bookings |= bookings.search([("setup_id", "=", setup.id), ("stop", "=", midnight)])
    env.add_to_compute(bookings._fields["status"], bookings)
    env.flush_all()
