from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, formatLang

from ...billing import money, period, sentences
from ...billing.status import BILLED
from ..base.moments import BILLING_CHANGED, GROUP_PRICE_CHANGED
from . import facts as booking_rules
from .undo import changed, decisions

UNBILLED = ("upcoming", "ready", "attention", "not_billable", "cancelled")


class BookingsBooking(models.Model):
    """Price and payer of a booking, and their update when something that determines them changes.

    If the price of a group appointment applies to the whole appointment, each attendee's booking has a share of it, to
    the cent. A billed share remains, even after the attendee is removed; the other attendees share the rest.
    """

    _inherit = "bookings.booking"

    # -- price -----------------------------------------------------------------------------------------

    @api.depends(
        "price_type",
        "price",
        "start",
        "stop",
        "list_price",
        "manual_price",
        "manual_quantity",
        "has_manual_price",
        "has_manual_quantity",
        "service_id.billing_rule",
        "service_id.rule_price",
        "service_id.rounding",
        "service_id.rounding_minutes",
        "service_id.minimum_minutes",
        "fee_cause",
        "label_rule_id.fee_kind",
        "label_rule_id.fee_value",
        "setup_id.no_show_fee",
        "setup_id.late_cancel_fee",
        "has_share",
        "share_amount",
        "share_total",
        "share_count",
    )
    def _compute_amount(self):
        digits, hour = booking_rules.unit_digits(self.env), booking_rules.hour_id(self.env)
        for booking in self:
            if booking.price_outcome and booking.status in BILLED:
                continue  # the price of a billed booking must match its document
            booking.update(booking_rules.amount_values(booking, digits, hour))

    def _price(self, *, whole=False):
        """Return the price of the booking.

        :param bool whole: whether to price the whole appointment instead of this attendee's share
        :rtype: bookings_invoicing.billing.price.Priced
        """
        self.ensure_one()
        digits, hour = booking_rules.unit_digits(self.env), booking_rules.hour_id(self.env)
        return booking_rules.price_of(self, digits, hour, whole=whole)

    def _without_tax(self):
        """Return whether it is intentionally invoiced without tax."""
        self.ensure_one()
        return self.setup_id.fee_no_tax if self.fee_cause else self.service_id.no_tax

    def _manual_day(self):
        """Return the date of the manual price or quantity, in the format of the user's language."""
        return format_date(self.env, self.manual_date) if self.manual_date else ""

    def _inverse_price_unit(self):
        for booking in self:
            booking._keep_by_hand("price", booking.price_unit)

    def _inverse_quantity(self):
        for booking in self:
            booking._keep_by_hand("quantity", booking.quantity)

    def _keep_by_hand(self, what, value, unit=None):
        """Store a manual price or quantity, which later synchronizations do not overwrite.

        :param what: ``price`` or ``quantity``
        :param unit: unit of the price, if it differs from that of the booking
        :raises UserError: if the booking is billed or the value is negative
        """
        self.ensure_one()
        if self.status in BILLED:
            raise UserError(
                self.env._(
                    "%s is on an invoice. Change the price there, or remove the booking from the draft first.",
                    self.display_name,
                )
            )
        if value < 0:
            raise UserError(self.env._("A price or quantity cannot be negative."))
        self.sudo().write(
            {
                f"manual_{what}": value,
                f"has_manual_{what}": True,
                "manual_unit": unit or self.price_unit_of or "unit",
                "manual_uid": self.env.uid,
                "manual_date": fields.Datetime.now(),
            }
        )

    def _reprice(self):
        """Recompute the amount after all values that a user entered are stored.

        While a computed field is written, the ORM does not recompute the other fields of the same method, so the amount
        would stay outdated. Recomputing earlier would replace a price that is entered together with a quantity.
        """
        booking_rules.refresh_list_prices(self)
        priced = self.pool.field_computed[self._fields["amount"]]
        for field in priced:
            self.env.add_to_compute(field, self)
        # what depends on them, such as the status, was computed from the outdated values
        self.modified([field.name for field in priced])

    def action_reset_price(self):
        """Remove the manual price and quantity."""
        self.check_access("write")
        before = decisions(self)
        self.sudo().write(
            {
                "has_manual_price": False,
                "has_manual_quantity": False,
                "manual_uid": False,
                "manual_date": False,
            }
        )
        self._recheck_billing()
        return changed(self, before)

    def action_take_price(self):
        """Use the price from Bookings as it is, although it is only a starting price."""
        self.check_access("write")
        named = self.filtered(lambda one: one.price_outcome == "ask" and one.price)
        if not named:
            raise UserError(
                self.env._("Microsoft Bookings has no price for these bookings. Enter it.")
            )
        before = decisions(named)
        for booking in named:
            booking._keep_by_hand("price", booking.price)
        named._reprice()
        named._recheck_billing()
        return changed(named, before)

    def action_same_price(self):
        """Use the price of this booking for all bookings of its service whose price is missing."""
        self.ensure_one()
        self.check_access("write")
        others = self._without_price_alike()
        if not others:
            raise UserError(
                self.env._("No other booking of %s needs a price.", self.service_id.name)
            )
        before = decisions(others)
        for booking in others:
            booking._keep_by_hand("price", self.price_unit, self.price_unit_of)
        others._reprice()
        others._recheck_billing()
        return changed(others, before)

    def _without_price_alike(self):
        """Return the unbilled bookings of the same service and currency whose price is missing."""
        return self.search(
            [
                ("service_id", "=", self.service_id.id),
                ("currency_id", "=", self.currency_id.id),
                ("price_outcome", "=", "ask"),
                ("id", "not in", self.ids),
                *self._uninvoiced_domain(),
            ]
        )

    @api.depends("price_facts")
    @api.depends_context("lang")
    def _compute_price_explanation(self):
        for booking in self:
            booking.price_explanation = booking._sentence("explanation")

    def _sentence(self, name):
        """Return a stored explanation of the price in the user's language, with amounts in the booking's currency.

        :param str name: ``explanation`` or ``calculation``
        """
        self.ensure_one()
        explanation = booking_rules.unpacked((self.price_facts or {}).get(name))
        if explanation is None:
            return ""
        return sentences.render(
            explanation,
            lambda text: self.env._(text),
            lambda key, value: (
                formatLang(self.env, float(value), currency_obj=self.currency_id)
                if key in sentences.MONEY
                else str(value)
            ),
        )

    # -- recheck -----------------------------------------------------------------------------------------

    def _recheck_billing(self):
        """Update label rule, payer, list price, and blockers of unbilled bookings, and store what changed.

        This is the only place that reads Odoo's partners, products, journals, and taxes for bookings. It runs after each
        sync, every night, in the preview, and when drafts are created. No computed field depends on those records.
        """
        if not self:
            return  # Odoo removes no lines, and so no bookings, for each new invoice
        self._apply_label_rules()
        self._apply_pending()
        for records in self._unbilled_by_company():
            records._follow_payer()
        self._recheck_blockers()

    def _recheck_blockers(self):
        """Update list price and blockers: all that is left to do for bookings just created, whose payer is known."""
        for records in self._unbilled_by_company():
            booking_rules.refresh_list_prices(records)
            found = records._billing_blockers()
            for booking in records:
                blockers = found.get(booking.id) or False
                if (booking.blockers or False) != blockers:
                    booking.blockers = blockers

    def _unbilled_by_company(self):
        """Return the unbilled ones of these bookings, by company and in its environment."""
        bookings = self.filtered(lambda booking: booking.status in UNBILLED)
        return [
            records.with_company(company).sudo()
            for company, records in bookings._by("company_id").items()
        ]

    def _settle_free(self):
        """Update bookings that are no longer on a document, in the transaction that removed them from it.

        So lists, totals, and the dashboard show what would be billed. This runs in superuser mode, because users who
        delete, cancel, or credit an invoice may have no role in bookings.
        """
        free = self.sudo().filtered(lambda b: b._was_on_document() and b.status not in BILLED)
        free._recheck_billing()

    def _apply_pending(self):
        """Apply changes that were held back while these bookings were on a document."""
        free = self.filtered(lambda b: b._was_on_document() and b.status not in BILLED)
        free._take_pending()
        free.sudo().filtered("changed_since_billing").changed_since_billing = False
        names = [field.name for field in self.pool.field_computed[self._fields["amount"]]]
        names.insert(0, "currency_id")
        for name in names:
            self.env.add_to_compute(self._fields[name], free)
        waiting = free.filtered("payer_waits")
        self.env.add_to_compute(self._fields["payer_id"], waiting)
        free._recompute_recordset([*names, "payer_id"])
        self._share_again()

    def _was_on_document(self):
        """Return whether the booking has been on an invoice. Other billing flows add their documents."""
        self.ensure_one()
        return self.billed_before

    # -- payer, taxes and date of an invoice -------------------------------------------------------------

    @api.depends(
        "customer_id.payer_id", "partner_id", "label_rule_id.payer_id", "label_rule_id.outcome"
    )
    def _compute_payer_id(self):
        for booking in self:
            payer = booking_rules.payer(booking)
            billed = bool(booking.payer_id) and booking.status in BILLED
            booking.payer_waits = billed and booking.payer_id != payer
            if not billed:
                booking.payer_id = payer

    def _inverse_payer_id(self):
        for booking in self.sudo():
            # forms and rows also send the payer that follows from the customer, which no user selected
            follows = booking.payer_id == booking_rules.payer(booking)
            booking.payer_hand_id = False if follows else booking.payer_id

    def _follow_payer(self):
        """Update the payer to the one that the rules choose now, unless a user selected a payer for the booking."""
        known, stale = {}, []
        for booking in self:
            if booking.payer_hand_id and booking.payer_id == booking.payer_hand_id:
                continue
            key = (booking.customer_id, booking.partner_id, booking.label_rule_id)
            if key not in known:
                known[key] = booking_rules.payer(booking)
            if booking.payer_id != known[key]:
                stale.append(booking.id)
        records = self.browse(stale)
        self.env.add_to_compute(self._fields["payer_id"], records)
        records._recompute_recordset(["payer_id"])

    def _payer_split(self):
        """Return the IDs of the payer's delivery address and of the resulting fiscal position."""
        payer = self.payer_id
        delivery = payer
        if payer.child_ids or payer.parent_id:
            delivery = payer.browse(payer.address_get(["delivery"])["delivery"])
        positions = self.env["account.fiscal.position"].with_company(self.company_id)
        return delivery.id, positions._get_fiscal_position(payer, delivery=delivery).id

    def _line_taxes(self, split):
        if self._without_tax():
            return self.env["account.tax"]
        taxes = self._taxes_of(self.product_id)
        position = self.env["account.fiscal.position"].browse(split.fiscal_position)
        return position.map_tax(taxes) if position else taxes

    def _taxes_of(self, product):
        """Return a product's taxes in the booking's company, without a fiscal position."""
        return product.sudo().taxes_id._filter_taxes_by_company(self.company_id)

    def _invoice_day(self):
        """Return the date of an invoice of these bookings by the setup's policy, or None for the confirmation date."""
        policy = self[:1].setup_id.invoice_date_policy
        if policy == "at_posting" or any(self.mapped("date_today")):
            return None
        return period.invoice_date(policy, max(booking._last_day() for booking in self))

    def _last_day(self):
        return self.service_day

    # -- price of a whole appointment --------------------------------------------------------------------

    def _share_again(self):
        """Update the shares of these bookings' appointments."""
        shared = self.filtered(lambda b: b.has_share and b.setup_id.group_price == "appointment")
        for setup, bookings in shared.grouped("setup_id").items():
            self._share_out(setup, bookings.mapped("appointment_id"))

    @api.model
    def _share_out(self, setup, appointment_ids):
        rows = self.search(
            [("setup_id", "=", setup.id), ("appointment_id", "in", appointment_ids)], order="id"
        )
        for bookings in rows.grouped("appointment_id").values():
            bookings._share_appointment()

    def _share_appointment(self):
        """Divide the price of one appointment among the attendees who are not removed."""
        there = self.filtered(lambda booking: not booking.removed_on)
        billed = self.filtered(lambda booking: booking.status in BILLED)
        if len(there | billed) < 2 and not any(there.mapped("has_share")):
            return
        first = (there - billed or there)[:1]
        currency = first.currency_id
        whole = first._price(whole=True) if there else None
        if whole is None or whole.outcome != "priced":
            return
        shares = money.share_by_key(
            whole.amount,
            there.ids,
            currency.decimal_places,
            fixed={
                one.id: money.decimal_of(one.share_amount if one.has_share else one.amount)
                for one in billed
                if one.currency_id == currency
            },
            step=money.decimal_of(currency.rounding),
        )
        for booking in there - billed:
            values = {
                "has_share": True,
                "share_amount": float(shares[booking.id]),
                "share_total": float(whole.amount),
                "share_count": len(there | billed),
            }
            if any(booking[name] != value for name, value in values.items()):
                booking._for_import().write(values)


@BILLING_CHANGED.step
def _look_again(bookings):
    bookings._recheck_billing()


@GROUP_PRICE_CHANGED.step
def _price_groups_anew(setups):
    """Reprice unbilled bookings of group appointments after *Price Applies To* changed."""
    for setup in setups:
        bookings = setup.env["bookings.booking"].search(
            [("setup_id", "=", setup.id), ("status", "in", UNBILLED)]
        )
        if setup.group_price == "appointment":
            bookings._share_out(setup, bookings.mapped("appointment_id"))
        else:
            bookings.filtered("has_share")._for_import().write({"has_share": False})
