from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, formatLang

from ...billing import money, period, sentences
from ...billing.status import BILLED
from ..base.moments import BILLING_CHANGED, GROUP_PRICE_CHANGED
from . import facts as booking_rules

UNBILLED = ("upcoming", "ready", "attention", "not_billable", "cancelled")


class BookingsBooking(models.Model):
    """What a booking costs, who pays, and what follows when something that decides it changes.

    Group appointments whose price is for all: each attendee's booking carries its share, to the cent. What somebody was
    billed stays his share, also after he left; the others share what is left of the total.
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
                continue  # what is on an invoice is not repriced behind its back
            booking.update(booking_rules.amount_values(booking, digits, hour))

    def _price(self, *, whole=False):
        """The booking's price by the one rule.

        :param bool whole: of the appointment, not of this attendee's share
        :rtype: bookings_invoicing.billing.price.Priced
        """
        self.ensure_one()
        digits, hour = booking_rules.unit_digits(self.env), booking_rules.hour_id(self.env)
        return booking_rules.price_of(self, digits, hour, whole=whole)

    def _without_tax(self):
        """Whether it is invoiced without tax on purpose."""
        self.ensure_one()
        return self.setup_id.fee_no_tax if self.fee_cause else self.service_id.no_tax

    def _manual_day(self):
        """When a price or quantity was set by hand, as the reader's language writes it."""
        return format_date(self.env, self.manual_date) if self.manual_date else ""

    def _inverse_price_unit(self):
        self._set_by_hand("price", "price_unit")

    def _inverse_quantity(self):
        self._set_by_hand("quantity", "quantity")

    def _set_by_hand(self, what, source):
        """Keep a price or quantity that a person typed; it stays over synchronizations."""
        for booking in self:
            value = booking[source]
            if booking.status in BILLED:
                raise UserError(
                    self.env._(
                        "%s is on an invoice. Change the price there, or remove the booking from the draft first.",
                        booking.display_name,
                    )
                )
            if value < 0:
                raise UserError(self.env._("A price or quantity cannot be negative."))
            booking.sudo().write(
                {
                    f"manual_{what}": value,
                    f"has_manual_{what}": True,
                    "manual_unit": booking.price_unit_of or "unit",
                    "manual_uid": self.env.uid,
                    "manual_date": fields.Datetime.now(),
                }
            )

    def _reprice(self):
        """Work the amount out again once all that a person typed is kept.

        The ORM protects what one method computes while one of its fields is written, so the amount would stay behind; any
        earlier, and a price typed together with a quantity would be replaced before it is kept.
        """
        self._refresh_list_price()
        for field in self.pool.field_computed[self._fields["amount"]]:
            self.env.add_to_compute(field, self)

    def action_reset_price(self):
        """Take back a price or quantity set by hand."""
        self.check_access("write")
        self.sudo().write(
            {
                "has_manual_price": False,
                "has_manual_quantity": False,
                "manual_uid": False,
                "manual_date": False,
            }
        )
        self._recheck_billing()
        return True

    @api.depends("price_facts")
    @api.depends_context("lang")
    def _compute_price_explanation(self):
        for booking in self:
            booking.price_explanation = booking._sentence("explanation")

    def _sentence(self, name):
        """A kept explanation in the reader's language, amounts in the booking's currency."""
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

    # -- what stands in the way --------------------------------------------------------------------------

    def _recheck_billing(self):
        """Settle payer, list price and blockers of unbilled bookings and store what changed.

        The one place where Odoo's side (partners, products, journals, taxes) is looked at: at sync, nightly, in the
        preview and at the claim. No computed field hangs on those records.
        """
        self._apply_label_rules()
        self._apply_pending()
        bookings = self.filtered(lambda booking: booking.status in UNBILLED)
        for company, records in bookings.grouped("company_id").items():
            records = records.with_company(company).sudo()
            records._follow_payer()
            records._refresh_list_price()
            found = records._billing_blockers()
            for booking in records:
                blockers = found.get(booking.id) or False
                if (booking.blockers or False) != blockers:
                    booking.blockers = blockers

    def _settle_free(self):
        """Settle those that are on no document any more, in the transaction that freed them.

        What lists, totals and the dashboard say of them is what a click bills. Whoever deletes, cancels or credits an
        invoice needs no role in bookings for it.
        """
        free = self.sudo().filtered(lambda b: b._was_on_document() and b.status not in BILLED)
        free._recheck_billing()

    def _apply_pending(self):
        """Let bookings that are on no document any more follow what changed meanwhile."""
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
        """Whether it was on an invoice, or on a document of another billing flow."""
        self.ensure_one()
        return self.billed_before

    def _refresh_list_price(self):
        positions = {}
        for booking in self.filtered(
            lambda b: b.service_id.billing_rule == "pricelist" and b.service_id.product_id
        ):
            booking = booking.with_company(booking.company_id).sudo()
            key = (booking.company_id, booking.payer_id)
            if key not in positions:
                position = booking._payer_split()[1]
                positions[key] = booking.env["account.fiscal.position"].browse(position)
            found = booking_rules.list_price(booking, positions[key])
            if abs(booking.list_price - found) > 1e-9:
                booking.list_price = found

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
            booking.payer_hand_id = booking.payer_id

    def _follow_payer(self):
        """Let the payer be whom Odoo would choose today, unless a person chose one for the booking."""
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
        """Ids of the payer's delivery address and of the fiscal position that follows from it."""
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
        """A product's taxes in the company of this booking, before any fiscal position."""
        return product.sudo().taxes_id._filter_taxes_by_company(self.company_id)

    def _invoice_day(self):
        """The date that the setup's policy gives an invoice of these bookings; ``None``: when it is confirmed."""
        if any(self.mapped("date_today")):
            return None
        last = max(booking._last_day() for booking in self)
        return period.invoice_date(self[:1].setup_id.invoice_date_policy, last)

    def _last_day(self):
        return period.service_day(self.start, self.stop, self.setup_id.tz)

    # -- a price for all attendees of an appointment -----------------------------------------------------

    def _share_again(self):
        """Share out again what these bookings share."""
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
        """Share the price of one appointment out among those who are still on it."""
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
    """Let unbilled bookings of groups follow whom the price is for."""
    for setup in setups:
        bookings = setup.env["bookings.booking"].search(
            [("setup_id", "=", setup.id), ("status", "in", UNBILLED)]
        )
        if setup.group_price == "appointment":
            bookings._share_out(setup, bookings.mapped("appointment_id"))
        else:
            bookings.filtered("has_share")._for_import().write({"has_share": False})
