"""All English sentences of this package, by code. The caller translates and formats them.

Rules return an :class:`Explanation`: a code, its values, and possibly another one that follows. Values are ``str``,
``int``, or ``Decimal``. Those with a name in :data:`MONEY` are amounts in the booking's currency.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

Value = str | int | Decimal
MONEY = frozenset({"price", "amount", "total", "usual", "limit", "credit"})


def _lt(sentence: str) -> str:
    """Mark a sentence for Odoo's term extraction, which searches for calls with this name."""
    return sentence


@dataclass(frozen=True)
class Explanation:
    """A sentence before its translation: its ``code`` in :data:`EXPLANATIONS`, its values, and the one that follows.

    >>> str(Explanation("price_fixed", {"price": Decimal("60.00")}))
    'Fixed price of 60.00 from Bookings.'
    """

    code: str
    params: Mapping[str, Value] = field(default_factory=dict)
    then: "Explanation | None" = None

    def __str__(self):
        return render(self)


def render(
    explanation: Explanation,
    translate: Callable[[str], str] = str,
    fmt: Callable[[str, Value], str] = lambda name, value: str(value),
) -> str:
    """Return the text. ``translate`` converts the English template, and ``fmt`` formats each value by its name."""
    parts = []
    while explanation is not None:
        values = {name: fmt(name, value) for name, value in explanation.params.items()}
        parts.append(translate(EXPLANATIONS[explanation.code]) % values)
        explanation = explanation.then
    return " ".join(parts)


EXPLANATIONS = {
    # price: how an amount was calculated
    "price_fixed": _lt("Fixed price of %(price)s from Bookings."),
    "price_fixed_rule": _lt("Fixed price of %(price)s set on the service."),
    "price_hourly": _lt("%(time)s at %(price)s per hour from Bookings = %(amount)s."),
    "price_hourly_rule": _lt("%(time)s at %(price)s per hour set on the service = %(amount)s."),
    "price_hourly_list": _lt(
        "%(time)s at %(price)s per hour from the payer's pricelist = %(amount)s."
    ),
    "price_list": _lt("%(price)s from the payer's pricelist."),
    "price_share": _lt("Share of %(total)s for the appointment, split among %(count)s attendees."),
    "price_free": _lt("Free of charge in Bookings."),
    "price_free_rule": _lt("Free of charge: set on the service."),
    "price_manual": _lt("%(count)s x %(price)s, set manually by %(by)s on %(on)s."),
    "price_manual_hours": _lt(
        "%(time)s at %(price)s per hour = %(amount)s, set manually by %(by)s on %(on)s."
    ),
    "price_before": _lt("Without the change: %(quantity)s x %(price)s."),
    "time_up": _lt("The appointment took %(real)s; rounded up to full %(step)s minutes."),
    "time_nearest": _lt("The appointment took %(real)s; rounded to the nearest %(step)s minutes."),
    "time_minimum": _lt("The appointment took %(real)s; at least %(minimum)s minutes are billed."),
    "ask_rule": _lt(
        "The service requires a price on each booking. Enter the price on the booking."
    ),
    "ask_startingAt": _lt("Bookings says 'starting at %(price)s'. Enter the price on the booking."),
    "ask_priceVaries": _lt("Bookings says that the price varies. Enter the price on the booking."),
    "ask_callUs": _lt(
        "Bookings says 'call us' instead of a price. Enter the price on the booking."
    ),
    "ask_notSet": _lt("No price is set in Bookings. Enter the price on the booking."),
    "ask_undefined": _lt("Bookings gives no price type. Enter the price on the booking."),
    "ask_unknown": _lt("Bookings gives an unknown price type. Enter the price on the booking."),
    "ask_no_price": _lt("The price is missing or negative. Enter the price on the booking."),
    "ask_no_list_price": _lt("The payer's pricelist has no price. Enter the price on the booking."),
    "ask_list_unit": _lt(
        "The product is sold in %(unit)s, not by time or in units. Enter the price on the booking."
    ),
    "ask_duration": _lt(
        "The appointment ends before it starts. Enter the time to bill on the booking."
    ),
    "ask_hours_by_hand": _lt("Hours were entered manually, but the price is no longer hourly."),
    "line_hours": _lt("%(time)s at %(price)s per hour"),
    # labels: fees
    "fee_no_show": _lt("Fee for a no-show: %(amount)s."),
    "fee_late_cancel": _lt("Fee for a late cancellation: %(amount)s."),
    "fee_label": _lt("Fee by label: %(amount)s."),
    "fee_no_show_percent": _lt("Fee for a no-show: %(percent)s %% of %(price)s = %(amount)s."),
    "fee_late_cancel_percent": _lt(
        "Fee for a late cancellation: %(percent)s %% of %(price)s = %(amount)s."
    ),
    "fee_label_percent": _lt("Fee by label: %(percent)s %% of %(price)s = %(amount)s."),
    "fee_ask": _lt("The fee is %(percent)s %% of the price. Enter the price on the booking."),
    # questions: why an answer was not filled in automatically
    "answer_invalid": _lt("The answer is not valid for this field."),
    "answer_differs": _lt("The answer differs from what is stored."),
    "answer_several": _lt("There are several different answers."),
    "answer_no_customer": _lt("No customer has been selected yet."),
    "answer_billed": _lt("The booking is already on a document."),
    # hints in the preview
    "hint_zero": _lt("The amount is 0.00."),
    "hint_zero_usually": _lt("The amount is 0.00; this service usually costs %(usual)s."),
    "hint_free_in_bookings": _lt(
        "The price in Bookings is free or 0.00, but %(amount)s will be billed."
    ),
    "hint_long": _lt("The appointment took %(time)s; this service usually takes %(usual_time)s."),
    "hint_high": _lt("The amount of %(amount)s is unusual; this service usually costs %(usual)s."),
    "hint_no_time": _lt("The appointment ends at its start time or earlier."),
    "hint_no_show": _lt("The attendee did not come."),
    "hint_late_cancel": _lt("The attendee canceled late."),
    "hint_attendance": _lt("It is unknown whether the attendee came."),
    "hint_changed_late": _lt("The appointment was changed in Bookings after it took place."),
    "hint_was_billed": _lt("The booking was on an invoice before."),
    "hint_invoiced": _lt(
        "The posted invoice %(name)s already bills this product to this payer on this day."
    ),
    "hint_overlap": _lt("The same person has another booking at this time."),
    "hint_double": _lt("The same person has the same appointment twice."),
    "hint_first": _lt("This is the first invoice to this payer."),
    "hint_credit": _lt("The payer has %(credit)s of outstanding credit."),
    "hint_down_payment": _lt("The payer has an open down payment."),
    "hint_draft": _lt("These lines could be added to %(name)s."),
    "hint_limit": _lt("The total of %(total)s exceeds the limit of %(limit)s."),
    "hint_old_months": _lt("It includes services from earlier months: %(months)s."),
    "hint_incomplete": _lt("The payer lacks: %(fields)s."),
    "hint_no_country": _lt("The payer has no country, but the country decides which tax applies."),
    "hint_no_rate": _lt(
        "Odoo has no exchange rate for %(currency)s and would convert one to one. Enter the rate."
    ),
    "hint_tax_taken_off": _lt(
        "%(position)s removes the tax from services on site: %(services)s. Check whether the payer's address decides."
    ),
}
