from collections import defaultdict
from datetime import timedelta

from odoo import models
from odoo.fields import Domain
from odoo.tools import format_date, formatLang

from ...billing import details, hints, money, period, sentences
from ..base.moments import BLOCKERS_FOUND
from ..booking.booking import UNINVOICED
from .plan_facts import PlanFacts

PAST_DAYS = 180
LONGEST = timedelta(days=366)  # of an appointment that overlaps others


class BookingsBooking(models.Model):
    """Hints for users before billing, and payer details that the total of an invoice requires."""

    _inherit = "bookings.booking"

    def _hint_facts(self, invoiced_on=""):
        """Return the facts of this booking that the hints need.

        :param str invoiced_on: the booking's value in :meth:`_invoiced_already`
        """
        self.ensure_one()
        return hints.HintFacts(
            id=self.id,
            person=self.partner_id.id or None,
            service=self.service_id.id,
            start=self.start,
            stop=self.stop,
            amount=money.decimal_of(self.amount),
            setup=self.setup_id.id,
            attendance=self.attendance,
            bookings_free=self.price_type == "free"
            or (self.price_type == "fixedPrice" and not self.price),
            changed_late=bool(self.late_changes),
            ask_attendance=bool(self._asks_who_came()),
            was_billed=self._was_posted(),
            invoiced_on=invoiced_on,
        )

    def _was_posted(self):
        """Return whether the booking was on a posted invoice. Nobody has received the drafts that were deleted."""
        self.ensure_one()
        return self.billed_before and (
            self.posted_invoice_deleted
            or any(self.sudo().invoice_line_ids.move_id.mapped("posted_before"))
        )

    def _usual(self):
        """Return the usual price and duration of each service of these bookings, from recently billed bookings.

        :returns: ``{service id: bookings_invoicing.billing.hints.Usual}``
        """
        if not self:
            return {}
        since = min(self.mapped("start")) - timedelta(days=PAST_DAYS)
        past = self.search_fetch(
            [
                ("service_id", "in", self.service_id.ids),
                ("start", ">=", since),
                ("status", "in", ("ready", "drafted", "invoiced")),
            ],
            ["service_id", "start", "stop", "amount"],
            limit=5000,
        )
        looks = defaultdict(list)
        for booking in past:
            service, amount = booking.service_id.id, money.decimal_of(booking.amount)
            looks[service].append(
                hints.HintFacts(booking.id, None, service, booking.start, booking.stop, amount)
            )
        return {service: hints.usual_of(found) for service, found in looks.items()}

    def _compute_has_hints(self):
        noted = self._hints()
        for booking in self:
            booking.has_hints = booking.id in noted

    def _search_has_hints(self, operator, value):
        if operator != "in":
            return NotImplemented
        companies = Domain("company_id", "in", self.env.companies.ids)
        noted = self.search(companies & self._uninvoiced_domain())._hints()
        found = Domain("id", "in", list(noted))
        return found if True in value else ~found

    def _hints(self):
        """Return the hints for these bookings, including those on overlaps: ``{booking id: [Explanation]}``."""
        usual = self._usual()
        invoiced = self._invoiced_already()
        looks = [booking._hint_facts(invoiced.get(booking.id, "")) for booking in self]
        found = {look.id: hints.booking_hints(look, usual.get(look.service)) for look in looks}
        first = min(self.mapped("start"), default=False)
        same_people = self.search(
            [
                ("partner_id", "in", self.partner_id.ids),
                ("stop", ">", first),
                # only starts are indexed: without a bound, it would read all that these people ever booked
                ("start", ">", first and first - LONGEST),
                ("start", "<", max(self.mapped("stop"), default=False)),
                ("status", "in", ("ready", "attention", "drafted", "invoiced")),
                ("id", "not in", self.ids),
            ]
        )
        for booking_id, more in hints.overlaps(
            [*looks, *(other._hint_facts() for other in same_people)]
        ).items():
            if booking_id in found:
                found[booking_id] += more
        return {booking_id: texts for booking_id, texts in found.items() if texts}

    def _invoiced_already(self):
        """Find posted invoices of the same payer, product, and date without a booking.

        They were created manually, by another program, or by a previous installation. The date of a line is the one in its
        text, else the delivery date of its invoice, else the invoice date.

        :returns: ``{booking id: number of the invoice}``
        """
        if not self:
            return {}
        lines = (
            self.env["account.move.line"]
            .sudo()
            .search(
                [
                    ("parent_state", "=", "posted"),
                    ("move_id.move_type", "=", "out_invoice"),
                    ("move_id.payment_state", "!=", "reversed"),
                    ("booking_id", "=", False),
                    ("company_id", "in", self.company_id.ids),
                    ("product_id", "in", self.product_id.ids),
                    (
                        "move_id.commercial_partner_id",
                        "in",
                        self.payer_id.commercial_partner_id.ids,
                    ),
                    ("date", ">=", min(self.mapped("start")) - timedelta(days=PAST_DAYS)),
                ],
                limit=5000,
            )
        )
        known = lines.grouped(
            lambda line: (line.company_id, line.move_id.commercial_partner_id, line.product_id)
        )
        found = {}
        for booking in self:
            key = (booking.company_id, booking.payer_id.commercial_partner_id, booking.product_id)
            same_day = known.get(key, lines.browse()).filtered(booking._is_day_of)
            if same_day:
                found[booking.id] = same_day[0].move_id.name
        return found

    def _is_day_of(self, line):
        """Return whether an invoice line is for the service date of this booking."""
        day, move = self._last_day(), line.move_id
        langs = {self.payer_id.lang, self.env.lang} - {False, None}
        texts = {str(day), *(format_date(self.env, day, lang_code=lang) for lang in langs)}
        return day == (move.delivery_date or move.invoice_date) or any(
            text in (line.name or "") for text in texts
        )

    def _invoice_hints(self, total, split, plan):
        """Return the hints for the invoice of these bookings. Other modules add theirs.

        :param Decimal total: total with tax
        :param bookings_invoicing.billing.grouping.Split split:
        :param PlanFacts plan: what the invoices of the plan share
        :rtype: list[bookings_invoicing.billing.hints.Told]
        """
        look = self._invoice_look(total, split, plan)
        return [self._told_hint(hint) for hint in hints.invoice_hints(look)]

    def _invoice_look(self, total, split, plan):
        """Return the facts of the invoice of these bookings that the hints need."""
        # A slice alone would read each payer by itself.
        booking = self[:1].with_prefetch(self._prefetch_ids)
        setup, payer, company = booking.setup_id, booking.payer_id, booking.company_id
        family = (company, payer.commercial_partner_id)
        currency = self.env["res.currency"].browse(split.currency)
        # Last month is normally billed now. Older bookings may have been forgotten.
        last_month = period.month_start(period.month_start(setup._today()) - timedelta(days=1))
        months = sorted({period.month_start(booking._last_day()) for booking in self})
        return hints.InvoiceLook(
            total=total,
            first=family not in plan.invoiced,
            credit=money.decimal_of(self._payer_credit(currency, plan)),
            down_payment=family in plan.down_payments,
            draft=plan.draft(split).display_name or "",
            limit=money.decimal_of(setup.auto_draft_limit) if setup.auto_draft_limit else None,
            old_months=tuple(
                format_date(self.env, month, date_format="LLLL y")
                for month in months
                if month < last_month
            ),
            incomplete=payer._bookings_labels(payer._bookings_missing()),
            no_country=not payer.country_id and self._country_decides(plan),
            no_rate="" if plan.has_rate(currency, company) else currency.name,
            position=self.env["account.fiscal.position"].browse(split.fiscal_position).name or "",
            untaxed=self._untaxed_on_the_spot(split),
        )

    def _country_decides(self, plan):
        """Return whether Odoo chooses the tax by the payer's country.

        Services on site for private persons are taxed where they are provided (Directive 2006/112/EC, Article 45).
        """
        return self[:1].company_id in plan.by_country and (
            self[:1].payer_id.commercial_partner_id.is_company or any(self.mapped("is_online"))
        )

    def _untaxed_on_the_spot(self, split):
        """Return the names of services that took place on site, but lose their tax because the payer's address is abroad.

        Businesses with a tax ID are excluded, because they are taxed at their address (Directive 2006/112/EC,
        Article 44).
        """
        payer, home = self.payer_id[:1], self.company_id[:1].account_fiscal_country_id
        vat = payer.commercial_partner_id.vat
        if not split.fiscal_position or payer.country_id in (home, home.browse()):
            return ()
        if vat and vat != "/":
            return ()
        plain = split._replace(fiscal_position=None)
        return tuple(
            sorted(
                {
                    booking.service_id.name
                    for booking in self.filtered(lambda one: not one.is_online)
                    if any(booking._line_taxes(plain).mapped("amount"))
                    and not any(booking._line_taxes(split).mapped("amount"))
                }
            )
        )

    def _payer_credit(self, currency, plan):
        """Return the payer's outstanding credits that could pay this invoice, as Odoo shows them on invoices.

        :returns: amount in the invoice's currency
        """
        company = self.company_id[:1]
        lines = plan.credits.get((company, self.payer_id[:1].commercial_partner_id), ())
        return sum(
            abs(line.amount_residual_currency)
            if line.currency_id == currency
            else company.currency_id._convert(
                abs(line.amount_residual), currency, company, line.date
            )
            for line in lines
        )

    def _payers_with_down_payment(self):
        """Return pairs of a company and a commercial partner with an open down payment.

        Billing flows with down payments extend this.
        """
        return set()

    def _told_hint(self, explanation, prefix=""):
        text = self._hint_text(explanation)
        return hints.Told(prefix + text, explanation.code in hints.SERIOUS, text)

    def _preview_text(self):
        """Return the booking as one line of text for the preview."""
        return " · ".join((self.day, self.display_name, self.currency_id.format(self.amount)))

    def _hint_text(self, explanation):
        """Return a hint in the user's language."""
        currency = self[:1].currency_id
        return sentences.render(
            explanation,
            lambda source: self.env._(source),
            lambda key, value: (
                formatLang(self.env, float(value), currency_obj=currency)
                if key in sentences.MONEY
                else str(value)
            ),
        )

    # -- automatic drafts -------------------------------------------------------------------------------

    def _for_automation(self, run):
        """Return the bookings that can be drafted automatically. The others are recorded on the run with the reason."""
        noted, plan = self._hints(), PlanFacts(self)
        kept = self.browse()
        for bookings, group in self._grouped({}):
            reason = bookings._reason_against_automation(noted, group.split, plan)
            if reason:
                run._leave_out(bookings, reason)
            else:
                kept |= bookings
        return kept

    def _reason_against_automation(self, noted, split, plan):
        """Return why a user should check the invoice of these bookings first, or "" if it can be drafted automatically."""
        if self.filtered("billed_before"):
            return self.env._("The booking was on a draft or an invoice before.")
        for booking in self:
            if noted.get(booking.id):
                return self._hint_text(noted[booking.id][0])
        total = money.decimal_of(self._invoice_totals(split)["amount_total"])
        told = hints.ranked(self._invoice_hints(total, split, plan))
        return told[0].text if told else ""

    # -- payer details that the total requires -----------------------------------------------------------

    def _stops_by_total(self, found):
        """Yield ``(booking, missing details)`` of bookings without other blockers, by the totals of their future invoices.

        :param dict found: blockers by booking ID
        """
        if not any(self.company_id.mapped("bookings_address_limit")):
            return
        asking = self.filtered(
            lambda one: (
                one.company_id.bookings_address_limit
                and one.price_outcome == "priced"
                and one.id not in found
                and one.payer_id.active
                and one.payer_id.with_company(one.company_id)._bookings_look().missing
            )
        )
        if not asking:
            return
        others = self.search(
            [
                ("payer_id", "in", asking.payer_id.ids),
                ("company_id", "in", asking.company_id.ids),
                ("status", "in", UNINVOICED),
                ("price_outcome", "=", "priced"),
                ("id", "not in", self.ids),
            ]
        ).filtered(lambda one: not {key for key, _params in one.blockers or ()} - {"address"})
        for bookings, group in (asking | others)._grouped({}):
            if stops := bookings._group_stops(group.split):
                for booking in bookings & asking:
                    yield booking, stops

    def _group_stops(self, split):
        """Return the payer details that are missing for the total of the invoice of these bookings.

        :returns: ``{reason: field names}``
        """
        company = self.company_id[:1]
        look = self.payer_id[:1].with_company(company)._bookings_look()
        if not (company.bookings_address_limit and look.missing):
            return {}
        total = self.currency_id[:1]._convert(
            self._invoice_totals(split)["amount_total"], company.currency_id, company
        )
        policy = company._bookings_details_policy()
        return details.detail_stops(look, policy, money.decimal_of(total))

    def _part_by_payer_details(self, groups):
        """Separate groups that may be drafted from those whose payer lacks required details.

        :param groups: ``[(bookings, bookings_invoicing.billing.grouping.Group)]``
        :returns: ``(groups to draft, [(bookings, reason)])``
        """
        if not self.company_id.filtered("bookings_address_limit"):
            return groups, []
        kept, stopped = [], []
        for bookings, group in groups:
            stops = bookings._group_stops(group.split)
            blockers = bookings[:1]._detail_blockers(stops)
            if blockers:
                texts = [bookings[:1]._blocker_text(key, params) for key, params in blockers]
                stopped.append((bookings, "\n".join(texts)))
            else:
                kept.append((bookings, group))
        return kept, stopped


@BLOCKERS_FOUND.step
def _add_stops_by_total(bookings, found):
    for booking, stops in bookings._stops_by_total(found):
        found.setdefault(booking.id, []).extend(booking._detail_blockers(stops))
