"""Whether a booking is charged a fee instead of its price, and which fee.

How it works: ``row`` is a booking as in :mod:`.facts`. :mod:`....billing.fees` decides whether a cancellation is late and
calculates the amount of a fee.
"""

from ...billing.fees import cancellation_timing, fee_of

TOLD = (
    "hand",
    "staff",
)  # sources of an attendance that somebody told; neither label nor time changes it


def cause(row):
    """Return why a fee replaces the price: ``no_show``, ``late_cancel``, or ``label``; False if none does."""
    setup, attendance = row.setup_id, row.attendance
    kind = None
    if attendance == "no_show":
        kind = setup.no_show_fee_kind
    elif attendance == "late_cancel":
        kind = setup.late_cancel_fee_kind
    if kind and kind != "none":
        return attendance
    return "label" if row.label_rule_id and row.label_rule_id.outcome == "fee" else False


def fee(row):
    """Return the fee of a booking that has a cause for one.

    :rtype: bookings_invoicing.billing.fees.Fee or None
    """
    setup, rule = row.setup_id, row.label_rule_id
    if row.fee_cause == "label":
        return fee_of(rule.fee_kind, rule.fee_value)
    if row.fee_cause == "no_show":
        return fee_of(setup.no_show_fee_kind, setup.no_show_fee)
    return fee_of(setup.late_cancel_fee_kind, setup.late_cancel_fee)


def note_late_cancellations(bookings, notice_hours):
    """Mark removed bookings as late cancellations if they were canceled within the notice period.

    An attendance that somebody told remains.

    :param float notice_hours: hours before the start within which a cancellation is late
    """
    for booking in bookings.filtered(lambda row: row.attendance_source not in TOLD):
        timing = cancellation_timing(
            booking.start, booking.last_seen, booking.removed_on, notice_hours
        )
        if timing == "late" and booking.removed_on < booking.start:
            booking._for_import().write(
                {"attendance": "late_cancel", "attendance_source": "cancellation"}
            )
