from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date, formatLang

from ...billing import period, sentences
from ...billing.status import BILLED
from . import facts as booking_rules
from .booking import UNINVOICED

UNBILLED = ("upcoming", "ready", "attention", "not_billable", "cancelled")


class BookingsBooking(models.Model):
    """What a booking costs, and what stands in the way of its invoice."""

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
        """Keep a price or quantity that a person typed; it stays over synchronisations."""
        for booking in self:
            value = booking[source]
            if booking.status in BILLED:
                raise UserError(
                    self.env._(
                        "%s is on an invoice: change the price there, or remove it from the draft first.",
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
        self._refresh_billing()
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

    def _refresh_billing(self):
        """Settle payer, list price and blockers of unbilled bookings and store what changed.

        The one place where Odoo's side (partners, products, journals, taxes) is looked at: at sync, nightly, in the
        preview and at the claim. No computed field hangs on those records.
        """
        self._apply_label_rules()
        self._follow_where_free()
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
        free._refresh_billing()

    def _follow_where_free(self):
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

    def _invoice_day(self):
        """The date that the setup's policy gives an invoice of these bookings; ``None``: when it is confirmed."""
        if any(self.mapped("date_today")):
            return None
        last = max(booking._last_day() for booking in self)
        return period.invoice_date(self[:1].setup_id.invoice_date_policy, last)

    def _last_day(self):
        return period.service_day(self.start, self.stop, self.setup_id.tz)


class BookingsSyncSetup(models.Model):
    _inherit = "bookings.sync.setup"

    def _look_again(self):
        """What stood in the way may be settled: what waits to be billed is looked at again."""
        waiting = [("setup_id", "in", self.ids), ("status", "in", UNINVOICED)]
        self.env["bookings.booking"].search(waiting)._refresh_billing()

    def _journal(self):
        """The sales journal of this setup: its own, else the company's first."""
        self.ensure_one()
        if self.journal_id:
            return self.journal_id
        journals = self.env["account.journal"]
        domain = [*journals._check_company_domain(self.company_id), ("type", "=", "sale")]
        own_currency = [("currency_id", "=", self.currency_id.id)]
        return journals.search(domain + own_currency, limit=1) or journals.search(domain, limit=1)

    def _date_blockers(self, day):
        """What stops an invoice of this setup dated so: ``{key: params}``."""
        locks = self.company_id._get_violated_lock_dates(day, True, self._journal())
        if not locks:
            return {}
        return {"lock_date": {"date": str(day), "lock": str(max(lock[0] for lock in locks))}}

    def _billing_blockers(self):
        """What stops every invoice of this setup: ``{key: params}``."""
        self.ensure_one()
        journal = self._journal()
        if not journal or not journal.active:
            return {"journal": {}}
        journal_currency = journal.currency_id
        if not self.currency_id.active or (
            journal_currency and journal_currency != self.currency_id
        ):
            return {
                "currency": {"currency": self.currency_id.name, "journal": journal.display_name}
            }
        return {}
