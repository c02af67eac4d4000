from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import float_compare, float_round, format_date, format_time

from ...billing import grouping, period, text
from ..base.units import hour_id, piece_id
from ..booking import facts as booking_rules
from ..setup.journal import sales_journal
from .analytic_rules import line_analytic


class BookingsBooking(models.Model):
    """The content of draft invoices, the grouping of bookings, and the amounts that posted lines bill."""

    _inherit = "bookings.booking"

    def _grouped(self, settings):
        """Group these bookings into the invoices to create.

        :param dict settings: ``grouping`` replaces the grouping of payers and setups
        :returns: ``[(bookings in order of time, bookings_invoicing.billing.grouping.Group)]``
        """
        splits = self._splits()
        groups = []
        for bookings in self.grouped(lambda booking: booking.setup_id.billing_flow).values():
            groups += grouping.group(
                grouping.Item(
                    id=booking.id,
                    split=splits[booking.id],
                    start=booking.start,
                    day=booking._last_day(),
                    grouping=settings.get("grouping") or booking._grouping(),
                )
                for booking in bookings
            )
        # Without the common prefetch, each invoice would read its own bookings.
        return [
            (self.browse(item.id for item in group.items).with_prefetch(self._prefetch_ids), group)
            for group in groups
        ]

    def _grouping(self):
        """Return the grouping of the payer, or else of the setup."""
        return self.payer_id.commercial_partner_id.bookings_grouping or self.setup_id.grouping

    def _splits(self):
        """Return the values that always separate invoices, whatever the grouping.

        :returns: ``{booking id: Split of record ids}``
        """
        found, payers, journals = {}, {}, {}
        for booking in self:
            company, payer, setup = booking.company_id, booking.payer_id, booking.setup_id
            if (company, payer) not in payers:
                payers[company, payer] = booking._payer_split()
            if setup not in journals:
                journals[setup] = sales_journal(setup).id
            delivery, position = payers[company, payer]
            found[booking.id] = grouping.Split(
                company=company.id,
                payer=payer.id,
                currency=booking.currency_id.id,
                journal=journals[setup],
                fiscal_position=position,
                delivery_address=delivery,
                reference=booking.reference or "",
            )
        return found

    def _split(self):
        self.ensure_one()
        return self._splits()[self.id]

    # -- the document ------------------------------------------------------------------------------------

    def _prepare_invoice(self, group):
        """Return the values of the draft invoice of these bookings, which form one group and are in order of time.

        :param bookings_invoicing.billing.grouping.Group group:
        """
        setup = self[:1].setup_id
        split = group.split
        payer = self[:1].payer_id
        values = {
            "move_type": "out_invoice",
            "company_id": split.company,
            "partner_id": split.payer,
            "currency_id": split.currency,
            "journal_id": split.journal,
            "fiscal_position_id": split.fiscal_position,
            "partner_shipping_id": split.delivery_address,
            **self._invoice_dates(),
            "invoice_line_ids": self._prepare_lines(split),
        }
        if split.reference:
            values["ref"] = split.reference
        salesperson = payer.user_id or payer.commercial_partner_id.user_id
        if salesperson:
            values["invoice_user_id"] = salesperson.id
        if setup.invoice_cash_rounding_id:
            values["invoice_cash_rounding_id"] = setup.invoice_cash_rounding_id.id
        return values

    def _service_period(self):
        """Return the first and last date of these bookings, in the time zone of the business."""
        days = [day for b in self for day in period.service_days(b.start, b.stop, b.setup_id.tz)]
        return period.service_period(days)

    def _invoice_dates(self):
        """Return the dates of an invoice of these bookings: the period of service, and the invoice date if one is set.

        The invoice date is missing if the policy is to use the confirmation date.
        """
        values = self._service_dates()
        if day := self._invoice_day():
            values["invoice_date"] = day
        return values

    def _service_dates(self):
        """Return the dates of service on an invoice of these bookings. All are False without bookings."""
        first, last = self._service_period() if self else (False, False)
        return {
            "delivery_date": last,
            "bookings_service_start": first,
            "bookings_service_stop": last,
        }

    def _prepare_invoice_line(self, split):
        """Return the values of the invoice line of this booking.

        :param bookings_invoicing.billing.grouping.Split split: the split of its invoice
        """
        self.ensure_one()
        values = {
            "product_id": self.product_id.id,
            "booking_id": self.id,
            "name": self._line_text(),
            **self._line_money(split),
        }
        values |= self._line_dates()
        if self._without_tax():
            values["tax_ids"] = [Command.clear()]
        if distribution := line_analytic(self, split):
            values["analytic_distribution"] = distribution
        return values

    def _line_money(self, split):
        """Return quantity, unit, and unit price of the invoice line of this booking, and what Odoo's tax engine needs.

        :param bookings_invoicing.billing.grouping.Split split: the split of its invoice
        """
        amount = self._amount_to_bill()
        quantity, price_unit = self._quantity_and_price(amount)
        money = self._line_taxes(split)._bookings_agreed_line(
            quantity,
            price_unit,
            amount,
            self.setup_id.price_tax == "included",
            self.currency_id,
            self.company_id,
            self.product_id,
        )
        by_hour = (
            self.price_unit_of == "hour"
            and price_unit == self.price_unit
            and money["quantity"] == quantity
        )
        return {"product_uom_id": (hour_id if by_hour else piece_id)(self.env), **money}

    def _line_dates(self):
        """Return the service dates of an invoice line if an addon has fields for them (OCA's start and end dates)."""
        names = ("start_date", "end_date")
        if not all(name in self.env["account.move.line"]._fields for name in names):
            return {}
        return dict(zip(names, self._service_period(), strict=True))

    def _quantity_and_price(self, amount):
        """Return quantity and unit price for an amount of this booking.

        The whole amount uses the booking's quantity and price. A part of it uses a number of hours if that is exact, or
        else 1 x the amount.
        """
        self.ensure_one()
        if self.currency_id.compare_amounts(amount, self.amount) == 0:
            return self.quantity, self.price_unit
        if self.price_unit_of == "hour" and self.price_unit:
            digits = booking_rules.unit_digits(self.env)
            hours = float_round(amount / self.price_unit, precision_digits=digits)
            if float_compare(hours * self.price_unit, amount, precision_digits=8) == 0:
                return hours, self.price_unit
        return 1.0, amount

    def _invoice_totals(self, split):
        """Return the totals of the invoice of these bookings, computed by Odoo's tax engine without creating the invoice.

        :returns: dict of ``amount_untaxed``, ``amount_tax``, and ``amount_total`` in the invoice's currency
        """
        company = self.company_id[:1]
        term = self.payer_id[:1].with_company(company).property_payment_term_id
        if term.early_discount and term.early_pay_discount_computation == "mixed":
            # The lines of an early payment discount reduce the tax. Only Odoo's draft contains them.
            draft = self._prepare_invoice(grouping.Group((), split, ()))
            totals = self.env["account.move"].sudo().new(draft).tax_totals
        else:
            lines = [booking._line_money(split) for booking in self]
            totals = self.env["account.tax"]._get_tax_totals_summary(
                self._base_lines(split, lines),
                self.currency_id[:1],
                company,
                cash_rounding=self.setup_id[:1].invoice_cash_rounding_id or None,
            )
        rounding = totals.get("cash_rounding_base_amount_currency", 0.0)
        return {
            "amount_untaxed": totals["base_amount_currency"] + rounding,
            "amount_tax": totals["tax_amount_currency"],
            "amount_total": totals["total_amount_currency"],
        }

    def _base_lines(self, split, lines):
        """Return prepared lines of these bookings on one invoice as base lines of the tax engine, with rounded amounts.

        :param list lines: values of the invoice lines, in the order of the bookings
        """
        engine = self.env["account.tax"]
        currency, company = self.currency_id[:1], self.company_id[:1]
        base_lines = [
            engine._prepare_base_line_for_taxes_computation(
                {"extra_tax_data": values.get("extra_tax_data")},
                product_id=booking.product_id,
                tax_ids=booking._line_taxes(split),
                price_unit=values["price_unit"],
                quantity=values["quantity"],
                currency_id=currency,
            )
            for booking, values in zip(self, lines, strict=True)
        ]
        engine._add_tax_details_in_base_lines(base_lines, company)
        engine._round_base_lines_tax_details(base_lines, company)
        return base_lines

    def _prepare_lines(self, split):
        """Return the commands that create the lines of an invoice.

        In the company's currency, each line includes the balance and the tags for the tax report that Odoo would compute
        and write line by line. Odoo does not write what is already right, which halves the time of large runs.
        """
        lines = [booking._prepare_invoice_line(split) for booking in self]
        company = self.company_id[:1]
        if self.currency_id[:1] == company.currency_id:
            base_lines = self._base_lines(split, lines)
            self.env["account.tax"]._add_accounting_data_in_base_lines_tax_details(
                base_lines, company
            )
            for values, base_line in zip(lines, base_lines, strict=True):
                details = base_line["tax_details"]
                net = details["total_excluded_currency"] + details["delta_total_excluded_currency"]
                values["amount_currency"] = values["balance"] = -self.currency_id[:1].round(net)
                if tags := base_line["tax_tag_ids"]:
                    values["tax_tag_ids"] = [Command.set(tags.ids)]
        return [Command.create(values) for values in lines]

    def _line_text(self):
        """Return the text of the line in the payer's language. The text of a fee starts with its product."""
        rendered = self._rendered_template()
        if not self.fee_cause:
            return rendered
        product = self.product_id.with_context(lang=self.payer_id.lang or self.env.lang)
        return f"{product.name}: {rendered}"

    def _rendered_template(self):
        """Return the line template filled with the booking's values, in the time zone of the business."""
        self.ensure_one()
        booking = self.with_context(lang=self.payer_id.lang or self.env.lang)
        env = booking.env
        return text.render_line(
            booking._line_template(),
            text.LineFacts(
                service=booking.service_id.name,
                start=booking._local(self.start),
                stop=booking._local(self.stop),
                staff=tuple(booking.staff_ids.mapped("name")),
                attendee=booking.name,
                label=booking.label or "",
                reference=booking.reference or "",
                calculation=booking._sentence("calculation"),
            ),
            format_date=lambda day: format_date(env, day),
            format_time=lambda moment: format_time(env, moment.time(), time_format="short"),
        )

    def _line_template(self):
        """Return the payer's own template, or else the setup's, without names if the payer is not the attendee."""
        payer = self.payer_id.commercial_partner_id
        if payer.bookings_line_template:
            return payer.bookings_line_template
        if not self._is_own_invoice():
            return text.discreet(self.setup_id.line_template)
        return self.setup_id.line_template

    def _is_own_invoice(self):
        """Return whether the attendee receives the invoice.

        This is not the case if an employer pays, although Odoo stores employees as contacts of the employer.
        """
        partner, payer = self.partner_id, self.payer_id
        family = partner.commercial_partner_id
        return payer == partner or (
            payer.commercial_partner_id == family and (partner == family or not family.is_company)
        )

    # -- billed amounts: posted lines less credits ----------------------------------------------------------

    @api.depends("invoice_line_ids.move_id.payment_state")
    def _compute_moves(self):
        for booking in self:
            moves = booking.invoice_line_ids.move_id
            live = booking.invoice_line_ids.filtered("booking_live").move_id
            booking.move_ids = moves
            booking.move_count = len(moves)
            booking.payment_state = live[:1].payment_state

    @api.depends(
        "invoice_line_ids.price_total", "invoice_line_ids.parent_state", "amount", "status"
    )
    def _compute_billed(self):
        for booking in self:
            billed = (
                booking.sudo().invoice_line_ids._booking_billed() if booking.billed_before else 0.0
            )
            booking.billed_amount = billed
            booking.credited_amount = (
                booking._credited_part(booking.sudo().invoice_line_ids)
                if booking.status == "invoiced"
                else 0.0
            )

    def _credited_part(self, lines):
        """Return the amount that was credited and not billed again, without discounts that a user gave on the invoice."""
        self.ensure_one()
        left = self.amount - lines._booking_billed()
        return max(0.0, self.currency_id.round(min(left, lines._booking_credited())))

    def _amount_to_bill(self, line=None):
        """Return the amount that remains to be billed: all, or the credited part if posted lines still bill the rest.

        :param line: an invoice line of the booking to ignore
        """
        self.ensure_one()
        if not self.billed_before:
            return self.amount
        others = self.sudo().invoice_line_ids - line if line else self.sudo().invoice_line_ids
        if self.currency_id.compare_amounts(others._booking_billed(), 0.0) <= 0:
            return self.amount
        return self._credited_part(others)

    def action_view_invoices(self):
        self.ensure_one()
        return self.move_ids._bookings_action()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_billed(self):
        billed = self.filtered(lambda booking: booking.invoice_line_ids)
        if billed:
            raise UserError(
                self.env._(
                    "%(bookings)s: already on an invoice. Archive the sync setup instead of deleting its bookings.",
                    bookings=", ".join(billed[:5].mapped("display_name")),
                )
            )
