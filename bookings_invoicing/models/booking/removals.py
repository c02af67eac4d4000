"""Which bookings are removed from Bookings, and what happens to them.

How it works: a synchronization compares the appointments that it should find (:mod:`.in_window`,
:func:`unbilled_outside`) with what Bookings lists. An appointment that is missing, and not found by its ID either, is
removed; if more are missing than :mod:`....billing.removals` allows, the run is held until a user confirms it. A removed
booking is kept. It is canceled if it had not taken place, needs attention if it had, and is flagged if it was billed.
"""

from odoo import fields
from odoo.tools import SQL

from ...billing.status import BILLED
from .fees import note_late_cancellations


def unbilled_outside(env, setup, start, end):
    """Return the IDs of unbilled appointments outside this period, which are checked once a day.

    :param start, end: aware datetimes in UTC
    """
    env["bookings.booking"].flush_model(
        ["setup_id", "start", "stop", "status", "removed_on", "appointment_id"]
    )
    rows = env.execute_query(
        SQL(
            """SELECT DISTINCT appointment_id FROM bookings_booking
                WHERE setup_id = %s AND (stop <= %s OR start >= %s)
                  AND status IN ('upcoming', 'ready', 'attention') AND removed_on IS NULL""",
            setup.id,
            start.replace(tzinfo=None),
            end.replace(tzinfo=None),
        )
    )
    return {appointment_id for (appointment_id,) in rows}


def starts(env, setup, appointment_ids):
    """Return ``{appointment id: start}`` of the stored ones among these appointments."""
    env["bookings.booking"].flush_model(["setup_id", "appointment_id", "start"])
    return dict(
        env.execute_query(
            SQL(
                """SELECT appointment_id, min(start) FROM bookings_booking
                    WHERE setup_id = %s AND appointment_id = ANY(%s) GROUP BY appointment_id""",
                setup.id,
                list(appointment_ids),
            )
        )
    )


def mark_appointments_removed(env, setup, appointment_ids):
    """Mark the bookings of removed appointments, with the time they were last seen.

    :returns: counts: ``removed``
    """
    rows = (
        env["bookings.booking"]
        .with_context(active_test=False)
        .search(
            [
                ("setup_id", "=", setup.id),
                ("appointment_id", "in", list(appointment_ids)),
                ("removed_on", "=", False),
            ]
        )
    )
    return {"removed": mark_removed(rows, setup)}


def mark_removed(bookings, setup, digest=None):
    """Mark bookings as removed and update shares, attendance, and billing.

    :param str digest: digest of the appointment, if Bookings still has it without these attendees
    :returns: the number of bookings that were not marked before
    """
    removed = bookings.filtered(lambda row: not row.removed_on)
    _note_removed(removed, setup, digest)
    if removed and setup.group_price == "appointment":
        bookings._share_out(setup, bookings.mapped("appointment_id"))
    if setup.cancel_notice_hours:
        note_late_cancellations(removed, setup.cancel_notice_hours)
        removed._recheck_billing()
    return len(removed)


def _note_removed(bookings, setup, digest):
    values = {
        "removed_on": fields.Datetime.now(),
        "removed_settled": False,
        "last_seen": setup.last_appointment_sync or bookings[:1].create_date,
    }
    if digest:
        values["remote_hash"] = digest
    bookings._for_import().write(values)
    billed = bookings.filtered(lambda row: row.status in BILLED)
    billed._for_import().changed_since_billing = True
    bookings._recheck_billing()
