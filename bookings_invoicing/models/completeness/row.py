"""A booking as a row of a completeness report."""

from decimal import Decimal

from ...billing import money

OUTCOMES = [
    ("invoiced", "Invoiced"),
    ("drafted", "On a Draft"),
    ("ready", "Waiting to Be Invoiced"),
    ("attention", "Needs Attention"),
    ("removed_after", "Removed After It Took Place"),
    ("free", "Free of Charge"),
    ("billed_elsewhere", "Billed Elsewhere"),
    ("not_billable", "Not Billable"),
    ("cancelled", "Canceled"),
    ("upcoming", "Upcoming"),
]


def outcome_of(booking):
    """Return the outcome of a booking, a key of ``OUTCOMES``."""
    if booking.status == "not_billable" and booking.not_billable_reason in (
        "free",
        "billed_elsewhere",
    ):
        return booking.not_billable_reason
    if booking.status == "attention" and booking.attention_reason == "removed_after":
        return "removed_after"
    known = dict(OUTCOMES)
    return booking.status if booking.status in known else "drafted"


def row_of(booking):
    """Return the row of a booking in a report as a dict, with amounts as text so that every reader gets the same ones."""
    lines = booking.sudo().invoice_line_ids.filtered(lambda line: line.parent_state == "posted")
    invoiced = lines.filtered(lambda line: line.move_id.move_type == "out_invoice")
    billed = money.decimal_of(booking.currency_id.round(invoiced._booking_billed()))
    credited = money.decimal_of(booking.currency_id.round(-(lines - invoiced)._booking_billed()))
    outcome = outcome_of(booking)
    billable = outcome in (
        "invoiced",
        "drafted",
        "ready",
        "attention",
        "removed_after",
        "upcoming",
    )
    expected = money.decimal_of(booking.amount) if billable else Decimal(0)
    difference = expected - billed + credited
    return {
        "id": booking.id,
        "name": name_of(booking),
        "when": _time_of(booking),
        "outcome": outcome,
        "gone": bool(booking.removed_on),
        "numbers": ", ".join(sorted(lines.move_id.mapped("name"))),
        "reason": booking.not_billable_reason or booking.attention_reason or "",
        "expected": str(expected),
        "billed": str(billed),
        "credited": str(credited),
        "difference": str(difference),
        "cause": _cause_of(booking, invoiced, credited)
        if difference and outcome == "invoiced"
        else "",
    }


def name_of(booking):
    """Return the booking's name in reports: without the attendee, because signed reports outlast an anonymization."""
    return f"{_time_of(booking)} {booking.service_id.name}"


def _time_of(booking):
    return f"{booking._local(booking.start):%Y-%m-%d %H:%M}"


def _cause_of(booking, invoiced, credited):
    """Return the cause of the difference, a key of ``bookings.completeness._causes()``."""
    if credited:
        return "credited"
    if any(invoiced.mapped("discount")):
        return "discount"
    left = abs(booking.amount - invoiced._booking_billed())
    taxes = invoiced.tax_ids._flatten_taxes_and_sort_them()[0]  # each may be rounded once
    may_be_off = booking.currency_id.rounding * max(1, len(taxes))
    is_rounding = booking.currency_id.compare_amounts(left, may_be_off) <= 0
    return "rounding" if is_rounding else "edited"
