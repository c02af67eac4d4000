import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import format_date, format_time

from ..billing import grouping, period, text

_logger = logging.getLogger(__name__)


class BookingsBooking(models.Model):
    """From bookings to drafts: claim, check again, group, create, all in one transaction."""

    _inherit = "bookings.booking"

    # -- buttons -----------------------------------------------------------------------------------------

    def action_create_invoices(self):
        """Draft the invoices of the selected bookings; what cannot be billed is left out and named."""
        self._check_may_invoice()
        return self._invoice_all([("id", "in", self.ids)])._result_action()

    def action_invoice_customer(self):
        """Draft the invoices of all ready bookings of these bookings' payers."""
        self._check_may_invoice()
        domain = Domain("status", "=", "ready") & Domain.OR(
            Domain("payer_id", "=", booking.payer_id.id) & Domain("company_id", "=", booking.company_id.id)
            for booking in self
        )
        return self._invoice_all(domain)._result_action()

    @api.model
    def action_invoice_ready(self):
        """Draft the invoices of all that is ready in the companies switched on."""
        self._check_may_invoice()
        return self._invoice_all(
            [("status", "=", "ready"), ("company_id", "in", self.env.companies.ids)]
        )._result_action()

    def _check_may_invoice(self):
        self.env["bookings.invoice.run"].check_access("create")
        if not self.env["account.move"].has_access("create"):
            raise AccessError(self.env._("Drafting invoices needs the right to create invoices."))

    # -- the work ----------------------------------------------------------------------------------------

    @api.model
    def _invoice_all(self, domain, **settings):
        """Draft the invoices of all bookings of a domain that can be billed.

        :param domain: which bookings
        :param settings: what differs from the setups: ``grouping``
        :rtype: bookings.invoice.run
        """
        wanted = self.search(domain, order="start, id")
        run = self.env["bookings.invoice.run"].create({"settings": settings, "state": "running"})
        claimed = wanted._claim()
        for booking in wanted - claimed:
            run._leave_out(booking, self.env._("Somebody else is working on it."))
        billable = claimed._billable(run)
        for company, bookings in billable.grouped("company_id").items():
            bookings.with_company(company)._draft(run, settings)
        run._finish()
        return run

    def _claim(self):
        """Those bookings that nobody else works on, locked for this transaction."""
        claimed = self.try_lock_for_update(allow_referencing=True)
        claimed.invalidate_recordset()
        return claimed

    def _billable(self, run):
        """Those that are ready now, by facts looked at again; the others are left out with their reason."""
        self._pass_by_clock_again()
        self._refresh_billing()
        labels = dict(self._fields["status"]._description_selection(self.env))
        ready = self.browse()
        for booking in self:
            if booking.status == "ready":
                ready |= booking
            else:
                run._leave_out(booking, booking.attention_detail or labels.get(booking.status))
        return ready

    def _pass_by_clock_again(self):
        self.env.add_to_compute(self._fields["status"], self)

    def _draft(self, run, settings):
        """Create the drafts of ready bookings of one company; on failure by halves, so that one costs only itself.

        Bookings whose setups bill by different flows never share a document.
        """
        for bookings in self.grouped(lambda booking: booking.setup_id.billing_flow).values():
            groups = [(self.browse(item.id for item in g.items), g) for g in bookings._grouped(settings)]
            bookings._draft_groups(run, groups)

    def _draft_groups(self, run, groups):
        if not groups:
            return
        try:
            with self.env.cr.savepoint():
                flow = groups[0][0].setup_id[:1].billing_flow
                documents = getattr(self, f"_create_documents_{flow}")(groups)
                self.env.flush_all()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            self.env.invalidate_all()
            if len(groups) == 1 and len(groups[0][0]) == 1:
                _logger.info("Booking %s cannot be drafted: %s", groups[0][0].id, error)
                run._leave_out(groups[0][0], str(error))
                return
            for half in _halves(groups):
                self._draft_groups(run, half)
            return
        run._take(documents)

    def _create_documents_invoice(self, groups):
        """Draft invoices of bookings that are ready; each billing flow has its method of this name.

        :param groups: ``[(bookings in order of time, bookings_invoicing.billing.grouping.Group)]``
        :returns: what was made; :meth:`bookings.invoice.run._take` keeps it
        """
        moves = self.env["account.move"].create(
            [bookings._prepare_invoice(group) for bookings, group in groups]
        )
        for bookings, _group in groups:
            bookings.filtered(lambda b: not b.billed_before).billed_before = True
        return moves

    def _grouped(self, settings):
        """The invoices to be: :class:`..billing.grouping.Group`, by setup and payer and what always separates."""
        return grouping.group(
            grouping.Item(
                id=booking.id,
                split=booking._split(),
                start=booking.start,
                day=booking._last_day(),
                grouping=settings.get("grouping") or booking.setup_id.grouping,
            )
            for booking in self
        )

    def _split(self):
        """What always separates invoices, whatever the grouping (ids)."""
        self.ensure_one()
        payer = self.payer_id
        delivery = payer.browse(payer.address_get(["delivery"])["delivery"])
        position = (
            self.env["account.fiscal.position"]
            .with_company(self.company_id)
            ._get_fiscal_position(payer, delivery=delivery)
        )
        return grouping.Split(
            company=self.company_id.id,
            payer=payer.id,
            currency=self.currency_id.id,
            journal=self.setup_id._journal().id,
            fiscal_position=position.id,
            delivery_address=delivery.id,
            reference="",
        )

    def _prepare_invoice(self, group):
        """Values of the draft of these bookings, which belong to one group, in order of time.

        :param bookings_invoicing.billing.grouping.Group group:
        """
        setup = self[:1].setup_id
        days = [day for b in self for day in period.service_days(b.start, b.stop, b.setup_id.tz)]
        split = group.split
        first, last = period.service_period(days)
        return {
            "move_type": "out_invoice",
            "company_id": split.company,
            "partner_id": split.payer,
            "currency_id": split.currency,
            "journal_id": split.journal,
            "fiscal_position_id": split.fiscal_position,
            "partner_shipping_id": split.delivery_address,
            "invoice_date": period.invoice_date(setup.invoice_date_policy, last),
            "delivery_date": last,
            "bookings_service_start": first,
            "invoice_origin": ", ".join(sorted(set(self.setup_id.mapped("name")))),
            "invoice_line_ids": [Command.create(booking._prepare_invoice_line(split)) for booking in self],
        }

    def _prepare_invoice_line(self, split):
        """Values of the invoice line of this booking.

        :param bookings_invoicing.billing.grouping.Split split: of its invoice
        """
        self.ensure_one()
        hour = self.env.ref("uom.product_uom_hour")
        unit = self.env.ref("uom.product_uom_unit")
        return {
            "product_id": self.product_id.id,
            "booking_id": self.id,
            "name": self._line_text(),
            "quantity": self.quantity,
            "product_uom_id": (hour if self.price_unit_of == "hour" else unit).id,
            "price_unit": self._line_price_unit(split),
            **({"tax_ids": [Command.clear()]} if self.service_id.no_tax else {}),
        }

    def _line_price_unit(self, split):
        """The unit price on the basis of the line's taxes; adapted by Odoo, never rounded (design: gross is gross)."""
        taxes = self._line_taxes(split)
        included = self.setup_id.price_tax == "included"
        if not taxes or all(tax.price_include == included for tax in taxes):
            return self.price_unit
        special_mode = "total_included" if included else "total_excluded"
        details = taxes._get_tax_details(
            self.price_unit,
            1.0,
            precision_rounding=self.currency_id.rounding,
            rounding_method="round_globally",
            product=self.product_id,
            special_mode=special_mode,
        )
        if taxes[:1].price_include:
            return details["total_included"]
        return details["total_excluded"]

    def _line_taxes(self, split):
        if self.service_id.no_tax:
            return self.env["account.tax"]
        taxes = self.product_id.sudo().taxes_id._filter_taxes_by_company(self.company_id)
        position = self.env["account.fiscal.position"].browse(split.fiscal_position)
        return position.map_tax(taxes) if position else taxes

    def _line_text(self):
        """The line's text in the payer's language, with the business's local date; discreet where somebody else pays."""
        self.ensure_one()
        booking = self.with_context(lang=self.payer_id.lang or self.env.lang)
        template = booking.setup_id.line_template
        if self.payer_id.commercial_partner_id != self.partner_id.commercial_partner_id:
            template = text.discreet(template)
        env = booking.env
        return text.render_line(
            template,
            text.LineFacts(
                service=booking.service_id.name,
                start=booking._local(self.start),
                stop=booking._local(self.stop),
                staff=tuple(booking.staff_ids.mapped("name")),
                attendee=booking.name,
                label=booking.label or "",
                calculation=booking._sentence("calculation"),
            ),
            format_date=lambda day: format_date(env, day),
            format_time=lambda moment: format_time(env, moment.time(), time_format="short"),
        )


def _halves(groups):
    """Two halves of the groups; one group alone is halved by its bookings, so that a bad one can be found."""
    if len(groups) > 1:
        middle = len(groups) // 2
        return groups[:middle], groups[middle:]
    bookings, group = groups[0]
    middle = len(bookings) // 2
    return [(bookings[:middle], group)], [(bookings[middle:], group)]
