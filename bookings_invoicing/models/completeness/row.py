"""A booking as a row of a completeness report."""

from decimal import Decimal

from ...billing import money

SUMMED = ("expected", "billed", "credited", "difference")
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
    by_currency = lines.grouped("currency_id")
    mine = by_currency.pop(booking.currency_id, lines.browse())
    invoiced = _invoiced(mine)
    billed, credited = _posted(mine)
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
        "currency": booking.currency_id.name,
        **_amounts(expected, billed, credited),
        # a booking that was billed and credited before the business changed its currency
        "also": {
            currency.name: _amounts(Decimal(0), *_posted(part))
            for currency, part in by_currency.items()
        },
        "cause": _cause_of(booking, invoiced, credited)
        if difference and outcome == "invoiced"
        else "",
    }


def _invoiced(lines):
    return lines.filtered(lambda line: line.move_id.move_type == "out_invoice")


def _posted(lines):
    """Return the billed and the credited amount of lines in one currency."""
    invoiced = _invoiced(lines)
    return tuple(
        money.decimal_of(lines.currency_id.round(amount)) if lines else Decimal(0)
        for amount in (invoiced._booking_billed(), -(lines - invoiced)._booking_billed())
    )


def _amounts(expected, billed, credited):
    amounts = (expected, billed, credited, expected - billed + credited)
    return dict(zip(SUMMED, map(str, amounts), strict=True))


def sums_of(rows):
    """Return the sums of rows for each outcome and currency: amounts of two currencies are never added.

    :param rows: rows of :func:`row_of`
    :returns: ``{(outcome, currency name): {"count": 2, "ids": [1, 2], "causes": {"credited"}, "expected": Decimal, ...}}``,
        where each booking counts once, in its own currency
    """
    sums = {}
    for row in rows:
        for currency, amounts in ((row["currency"], row), *row["also"].items()):
            key = (row["outcome"], currency)
            mine = sums.setdefault(key, {"count": 0, "ids": [], "causes": set()})
            mine["ids"].append(row["id"])
            for name in SUMMED:
                mine[name] = mine.get(name, Decimal(0)) + Decimal(amounts[name])
            if amounts is row:
                mine["count"] += 1
                mine["causes"] |= {row["cause"]} - {""}
    return sums


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
