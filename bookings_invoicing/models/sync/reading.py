"""Read the appointments of a period from Bookings without a synchronization; nothing is written."""

from datetime import timezone

from odoo import fields

from ...billing import period
from ..base.safe_text import plain_records


def bookings_now(setup, first, last):
    """Read the appointments of these service dates from Bookings, limited to those that this setup bills.

    Names are as a synchronization would store them, with pseudonyms for anonymized customers.

    :returns: ``({appointment id: graph.Appointment}, {appointment id: graph.Malformed})``
    :raises graph.GraphError: if Bookings cannot be read
    """
    setup.ensure_one()
    start = period.start_of_day(first, setup.tz).replace(tzinfo=timezone.utc)
    # An appointment that ends at midnight belongs to the day before.
    end = period.start_of_day(fields.Date.add(last, days=1), setup.tz).replace(tzinfo=timezone.utc)
    found, unreadable, forgotten = {}, {}, setup.env["bookings.forgotten"]
    for page in setup._client().calendar_view(setup.business_id, start, end):
        records = forgotten._hide(setup, plain_records(page.records))
        found |= {appointment.id: appointment for appointment in records}
        unreadable |= {bad.remote_id or f"#{bad.digest}": bad for bad in page.malformed}
    left_out = setup.service_ids - setup._in_filter(setup.service_ids, "service_filter")
    left_out = set(left_out.mapped("remote_id"))
    own = setup.env["bookings.booking"]._own_appointments(setup, list(found.values()))
    return {
        appointment.id: appointment
        for appointment in own
        if first <= period.service_day(appointment.start, appointment.end, setup.tz) <= last
        and (appointment.service_id or appointment.service_name) not in left_out
    }, unreadable
