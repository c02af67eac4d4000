"""Rules for a booking's payer, product, price, and status, for stored and for new bookings.

How to use: ``row`` is a ``bookings.booking``, a :class:`NewBooking`, or anything else with its fields. The computed
fields of the model use these functions. The import calls :func:`computed_values` before its INSERT, so that each new
booking is written only once.
"""

from datetime import timedelta
from decimal import Decimal
from functools import lru_cache

from odoo.models import BaseModel
from odoo.tools import float_round

from ...billing import money, period, price, sentences
from ...billing import status as status_rules
from ...billing.fees import price_fee
from ..base.units import hour_id, list_unit
from . import fees


class Remembered:
    """A record whose values are read once, for many bookings or appointments; so are the records to which it links."""

    def __init__(self, record):
        self._record = record

    def __getattr__(self, name):
        value = getattr(self._record, name)
        value = self.__dict__[name] = Remembered(value) if isinstance(value, BaseModel) else value
        return value

    def __bool__(self):
        return bool(self._record)


class NewBooking:
    """A booking before its creation. Many2one fields hold a :class:`Remembered`, and missing values are empty."""

    invoice_line_ids = ()
    fee_cause = product_id = payer_id = partner_id = label_rule_id = False
    list_price = 0.0
    has_manual_price = has_manual_quantity = has_share = removed_on = removed_settled = False
    not_billable_decision = blockers = False

    def __init__(self, **values):
        self.__dict__.update(values)


def computed_values(draft, terms):
    """Return the values of the stored computed fields of a new booking, by field name.

    :param NewBooking draft: the booking; some values are also set on it
    :param BatchFacts terms:
    """
    setup = draft.setup_id
    draft.partner_id, draft.payer_id = terms.people(draft)
    draft.fee_cause = fees.cause(draft)
    draft.product_id = product(draft)
    draft.due_at = due_at(draft)
    amounts = terms.amounts(draft)
    draft.price_outcome = amounts["price_outcome"]
    return {
        "company_id": setup.company_id.id,
        "currency_id": setup.currency_id.id,
        "partner_id": draft.partner_id.id,
        "payer_id": draft.payer_id.id,
        "payer_waits": False,
        "product_id": draft.product_id.id,
        "fee_cause": draft.fee_cause,
        "duration": duration(draft),
        "service_day": period.service_day(draft.start, draft.stop, setup.tz),
        "due_at": draft.due_at,
        **amounts,
        **status_values(draft, terms.now, None, False, terms.line_status),
    }


class BatchFacts:
    """Values that are the same for all bookings of a batch."""

    def __init__(self, env, now):
        self.now = now
        self.unit_digits = unit_digits(env)
        self.hour_id = hour_id(env)
        self.line_status = env["bookings.booking"]._line_status()
        self._nobody = env["res.partner"]
        self._found_people, self._found_amounts = {}, {}

    def people(self, draft):
        """Return customer and payer of a new booking, computed once per Bookings customer and label rule."""
        key = (draft.customer_id.id, draft.label_rule_id.id)
        found = self._found_people.get(key)
        if found is None:
            draft.partner_id = draft.customer_id.partner_id or self._nobody
            found = self._found_people[key] = (draft.partner_id, payer(draft))
        return found

    def amounts(self, draft):
        """Return the price fields of a new booking, computed once for all with the same service, price, length, and fee."""
        key = (draft.service_id.id, draft.price_type, draft.price, draft.stop - draft.start)
        key += (draft.currency_id.id, draft.fee_cause, draft.label_rule_id.id)
        found = self._found_amounts.get(key)
        if found is None:
            found = self._found_amounts[key] = amount_values(draft, self.unit_digits, self.hour_id)
        return found


def unit_digits(env):
    return env["decimal.precision"].precision_get("Product Unit")


# -- payer, product, time ----------------------------------------------------------------------------


def payer(row):
    """Return the payer: that of the label rule, else the customer's payer, else the customer's invoice address."""
    rule = row.label_rule_id
    if rule and rule.outcome == "payer":
        return rule.payer_id
    return row.customer_id.payer_id or invoice_partner(row.partner_id)


def invoice_partner(partner):
    """Return the invoice address of a partner."""
    if not (partner.child_ids or partner.parent_id):
        return partner
    return partner.browse(partner.address_get(["invoice"])["invoice"] or partner.id)


def product(row):
    return (row.fee_cause and row.setup_id.fee_product_id) or row.service_id.product_id


def duration(row):
    """Return the length of the appointment in hours."""
    return (row.stop - row.start).total_seconds() / 3600


def due_at(row):
    """Return when the booking becomes billable, in naive UTC."""
    return row.stop + timedelta(hours=row.setup_id.bill_after)


# -- price -------------------------------------------------------------------------------------------

# Most bookings of a business have the same price. Cached results are never changed.
_price_booking = lru_cache(maxsize=4096)(price.price_booking)


def amount_values(row, digits, hour):
    """Return the values of the price fields.

    :param int digits: decimals of *Product Unit*
    :param int hour: id of the unit *hour*
    """
    priced = price_of(row, digits, hour)
    return {
        "quantity": float(priced.quantity),
        "price_unit": float(priced.price_unit),
        "amount": float(priced.amount),
        "price_outcome": priced.outcome,
        "price_unit_of": priced.unit,
        "price_facts": {
            "explanation": packed(priced.explanation),
            "calculation": packed(priced.calculation),
        },
    }


def price_of(row, digits, hour, *, whole=False):
    """Return the price of a booking by :func:`billing.price.price_booking`, with the fee that replaces it.

    :param int digits: decimals of *Product Unit*
    :param int hour: id of the unit *hour*
    :param bool whole: whether to price the whole appointment, without share, fee, and manual price of this attendee
    :rtype: bookings_invoicing.billing.price.Priced
    """
    # With a fee, row.product_id is the fee product; the price of the service needs the service's product.
    currency, has_product = row.currency_id, row.service_id.product_id
    rule = price_rule(row.service_id)
    by_list = rule.kind == "pricelist" and has_product
    priced = _price_booking(
        row.price_type,
        money.decimal_of(row.price),
        row.stop - row.start,
        rule,
        unit_digits=digits,
        currency_digits=currency.decimal_places,
        currency_step=money.decimal_of(currency.rounding),
        list_price=money.decimal_of(row.list_price) if by_list else None,
        list_unit=list_unit(has_product.uom_id, hour)[0] if by_list else "unit",
        manual=None if whole else _manual(row),
        share=None if whole else _share(row),
    )
    fee = fees.fee(row) if row.fee_cause and not (whole or row.has_manual_price) else None
    if fee is None:
        return priced
    return price_fee(
        fee, priced, row.fee_cause, currency.decimal_places, money.decimal_of(currency.rounding)
    )


def price_rule(service):
    """:rtype: bookings_invoicing.billing.price.PriceRule"""
    return price.PriceRule(
        kind=service.billing_rule or "bookings",
        price=money.decimal_of(service.rule_price) if service.rule_price else None,
        rounding=service.rounding or "none",
        step=int(service.rounding_minutes or 0),
        minimum=service.minimum_minutes,
    )


def list_price(row, position):
    """Return the pricelist price of the service's product for the payer, with or without tax as in Bookings prices.

    It is per hour for products in units of time, else per piece, and equals the price of Odoo's own invoice line.

    :param position: the payer's fiscal position
    """
    product, taxes = row.service_id.product_id, row._taxes_of(row.service_id.product_id)
    unit, size = list_unit(product.uom_id, hour_id(row.env))
    quantity = price.list_quantity(
        row.stop - row.start, price_rule(row.service_id), unit, _manual(row)
    )
    found = row.payer_id.property_product_pricelist._get_product_price(
        product, float(quantity / size), currency=row.currency_id, date=row.start
    )
    if not row._without_tax():
        found = product._get_tax_included_unit_price_from_price(found, taxes, position)
        mapped = position.map_tax(taxes) if position else taxes
        found = mapped._bookings_agreed_price(found, row.setup_id.price_tax == "included", product)
    # Float noise must not change the rounding of half cents, also after an hourly rate is multiplied.
    return float_round(found / float(size), precision_digits=8)


def refresh_list_prices(bookings):
    """Update the stored list prices of bookings whose services use a pricelist."""
    positions = {}
    listed = bookings.service_id.filtered(
        lambda service: service.billing_rule == "pricelist" and service.product_id
    )
    for booking in bookings.filtered(lambda b: b.service_id in listed) if listed else ():
        booking = booking.with_company(booking.company_id).sudo()
        key = (booking.company_id, booking.payer_id)
        if key not in positions:
            position = booking._payer_split()[1]
            positions[key] = booking.env["account.fiscal.position"].browse(position)
        found = list_price(booking, positions[key])
        if abs(booking.list_price - found) > 1e-9:
            booking.list_price = found


def _manual(row):
    if not (row.has_manual_price or row.has_manual_quantity):
        return None
    return price.Manual(
        price=money.decimal_of(row.manual_price) if row.has_manual_price else None,
        quantity=money.decimal_of(row.manual_quantity) if row.has_manual_quantity else None,
        unit=row.manual_unit or None,
        by=row.manual_uid.name or "",
        on=row._manual_day(),
    )


def _share(row):
    """Return the share of an appointment's price, or None if the booking has a price of its own."""
    if not row.has_share:
        return None
    return price.Share(
        money.decimal_of(row.share_amount), money.decimal_of(row.share_total), row.share_count
    )


def packed(explanation):
    """Convert an explanation to JSON."""
    if explanation is None:
        return None
    return {
        "code": explanation.code,
        "params": {
            name: {"n": str(value)} if isinstance(value, Decimal) else value
            for name, value in explanation.params.items()
        },
        "then": packed(explanation.then),
    }


def unpacked(facts):
    """Convert the result of :func:`packed` back to an explanation."""
    if not facts:
        return None
    return sentences.Explanation(
        facts["code"],
        {
            name: Decimal(value["n"]) if isinstance(value, dict) else value
            for name, value in facts["params"].items()
        },
        unpacked(facts["then"]),
    )


# -- status ------------------------------------------------------------------------------------------


def status_values(row, now, live_line, credited, line_status):
    """Return the values of the status fields.

    :param datetime now: naive UTC
    :param str live_line: state of the live line, or None
    :param bool credited: whether it was billed, credited to zero, and not released for billing again
    :param dict line_status: status of a booking by state of its live line
    """
    removed, attendance = row.removed_on, row.attendance
    reason = row.not_billable_decision or _reason_not_to_bill(row)
    facts = status_rules.BookingFacts(
        stop=row.stop,
        now=now,
        bill_after=row.due_at - row.stop,
        live_line=live_line,
        not_billable_reason=reason or None,
        cancelled=bool(removed and removed < row.start) or attendance == "late_cancel",
        removed_after=bool(removed and removed >= row.start and not row.removed_settled),
        credited=credited,
        charge_fee=bool(row.fee_cause),
        price_to_decide=row.price_outcome == "ask",
        blockers=[key for key, _params in row.blockers or ()],
    )
    status, attention, _reasons = status_rules.status_of(facts, line_status)
    return {
        "status": status,
        "attention_reason": attention or False,
        "not_billable_reason": reason or False,
    }


def _reason_not_to_bill(row):
    """Return why the booking is automatically not billable, or None if it is billable."""
    setup, free = row.setup_id, row.price_outcome == "free"
    if setup.bill_from or free:
        day = period.service_day(row.start, row.stop, setup.tz)
        reason = status_rules.automatic_reason(day, setup.bill_from, free)
        if reason:
            return reason
    return rule_reason(row)


def rule_reason(row):
    """Return why attendance or label make the booking not billable, or None if they do not."""
    if row.fee_cause:
        return None
    if row.attendance == "no_show":
        return "no_show"
    rule = row.label_rule_id
    if rule and rule.outcome == "not_billable":
        return rule.reason or "label"
    return "free" if rule and rule.outcome == "free" else None
