from odoo import api, fields, models
from odoo.tools import format_datetime, formatLang

from ...billing import details
from ...billing import status as status_rules
from ..base.moments import BLOCKERS_FOUND
from ..setup.lock_dates import lock_date_blockers
from . import facts as booking_rules
from .res_partner import DETAIL_KEYS


class BookingsBooking(models.Model):
    """The status of a booking and the blockers of its invoice, with their texts.

    :mod:`..billing.details` determines which details of the payer an invoice requires. Requirements that depend on the
    total are checked when documents are created (:mod:`..invoicing.drafting`), on the invoices as the setup groups them.
    """

    _inherit = "bookings.booking"

    # -- status ------------------------------------------------------------------------------------------

    @api.depends(
        "invoice_line_ids.booking_live",
        "invoice_line_ids.booking_released",
        "invoice_line_ids.parent_state",
        "not_billable_decision",
        "price_outcome",
        "removed_on",
        "removed_settled",
        "due_at",
        "blockers",
        "setup_id.bill_from",
        "bill_again_id",
        "fee_cause",
        "attendance",
        "label_rule_id.outcome",
        "label_rule_id.reason",
    )
    def _compute_status(self):
        now, line_status = fields.Datetime.now(), self._line_status()
        for booking in self:
            credited = bool(booking._credited_lines()) and not booking._to_bill_again()
            booking.update(
                booking_rules.status_values(
                    booking, now, booking._live_line_state(), credited, line_status
                )
            )

    @api.model
    def _line_status(self):
        """Return the status of a booking by the state of its live line. Other billing flows add their states."""
        return status_rules.LINE_STATUS

    def _live_line_state(self):
        self.ensure_one()
        if not self.invoice_line_ids:
            return None
        return self.invoice_line_ids.filtered("booking_live")[:1].parent_state or None

    @api.model
    def _due_by_clock(self):
        """Return the upcoming bookings that can be billed by now."""
        return self.search([("status", "=", "upcoming"), ("due_at", "<=", fields.Datetime.now())])

    def _leave_upcoming(self):
        """Move these bookings, which are now billable, out of *upcoming*."""
        self._recheck_billing()
        self.env.add_to_compute(self._fields["status"], self)
        self._recompute_recordset(["status"])

    def _credited_lines(self):
        """Return posted invoice lines that were credited to zero and not released for billing again."""
        if not self.invoice_line_ids:
            return self.invoice_line_ids
        return self.invoice_line_ids.filtered(
            lambda line: (
                line.move_id.move_type == "out_invoice"
                and line.parent_state == "posted"
                and not line.booking_live
                and not line.booking_released
            )
        )

    def _release_credited(self):
        for booking in self:
            lines = booking._credited_lines()
            if booking.status == "invoiced" and booking.credited_amount:
                lines |= booking.invoice_line_ids.filtered("booking_live")
            if lines:
                lines.booking_released = True

    def _to_bill_again(self):
        """Return whether the credit note that was prepared for billing it again is posted."""
        self.ensure_one()
        return self.sudo().bill_again_id.state == "posted"

    # -- blockers ----------------------------------------------------------------------------------------

    def _billing_blockers(self):
        """Return what prevents billing these bookings in Odoo. Addons add their blockers.

        :returns: ``{booking id: [[key of ATTENTION_REASONS, params]]}``, with the first blocker to resolve first, and
            without bookings that have none
        """
        found = self._plain_blockers()
        self._add_label_blockers(found)
        self._add_attendance_blockers(found)
        by_payer = {
            (payer, company): bookings
            for company, records in self._by("company_id").items()
            for payer, bookings in records.grouped("payer_id").items()
        }
        for booking_id, more in self._payer_blockers(by_payer).items():
            found.setdefault(booking_id, []).extend(more)
        BLOCKERS_FOUND(self, found)
        return found

    def _by(self, name):
        """Return these bookings by a record that all bookings have. Mostly it is the same, and found without grouping."""
        links = self[name]
        return self.grouped(name) if len(links) > 1 else dict.fromkeys(links, self)

    def _plain_blockers(self):
        """Return the blockers about journal, currency, customer, payer, product, tax, account, and lock date."""
        blockers = {}
        for setup, bookings in self._by("setup_id").items():
            shared, products, dates = setup._billing_blockers(), {}, {}
            for booking in bookings:
                key = (booking.service_id.id, booking.product_id.id, bool(booking.fee_cause))
                if key not in products:
                    products[key] = booking._product_blockers()
                found = shared | booking._person_blockers() | products[key]
                key = (booking.date_today, booking._last_day())
                if key not in dates:
                    day = booking._invoice_day()
                    dates[key] = lock_date_blockers(setup, day) if day else {}
                found |= dates[key]
                if found:
                    blockers[booking.id] = [
                        [key, found[key]] for key in status_rules.sort_reasons(found)
                    ]
        return blockers

    def _product_blockers(self):
        """Return the blockers about the product, which depend only on setup, service, product, and fee."""
        product = self.product_id
        if not product:
            return {"no_product": {"service": self.service_id.name}}
        found = {}
        taxes = product.taxes_id._filter_taxes_by_company(self.company_id)
        if not taxes and not self._without_tax():
            found["no_tax"] = {"product": product.display_name}
        if not product.product_tmpl_id.get_product_accounts()["income"].active:
            found["account"] = {"product": product.display_name}
        return found

    def _add_label_blockers(self, found):
        """Add blockers for labels that require a decision.

        :param dict found: blockers as :meth:`_billing_blockers` returns them
        """
        rules = self.label_rule_id.filtered(lambda rule: rule.outcome == "attention")
        for booking in self if rules else ():
            if booking.label_settled or booking.label_rule_id not in rules:
                continue
            text = booking.label_rule_id.note or ""
            found.setdefault(booking.id, []).append(
                ["label", {"label": booking.label, "note": text}]
            )

    def _add_attendance_blockers(self, found):
        """Add blockers for services whose bookings are not billed before it is known who came.

        :param dict found: blockers as :meth:`_billing_blockers` returns them
        """
        # only services say so
        if "all" not in self.service_id.mapped("ask_attendance"):
            return
        for booking in self.filtered(lambda one: one._asks_who_came() == "all"):
            found.setdefault(booking.id, []).append(["attendance", {}])

    def _person_blockers(self):
        payer = self.payer_id
        if payer and self.partner_id:
            return {} if payer.active else {"payer_archived": {"name": payer.display_name}}
        if self.unnamed and not self.customer_id:
            return {"no_attendee": {}}
        if self.customer_id.match == "many":
            return {
                "ambiguous_customer": {
                    "name": self.customer_id.name,
                    "candidates": ", ".join(self.customer_id.candidate_ids.mapped("display_name")),
                }
            }
        return {"no_customer": {"name": self.name}}

    def _attention_sentences(self):
        """Return why the booking needs attention and what to do, as one sentence per reason."""
        self.ensure_one()
        texts = [self._blocker_text(key, params) for key, params in self.blockers or ()]
        if self.status == "attention":
            if self.price_outcome == "ask":
                texts.append(self._sentence("explanation"))
            if self.removed_on:
                texts.append(
                    self.env._(
                        "Removed from Bookings after it took place, last seen %(when)s. Bill it again as it was "
                        "last seen, or mark it as not billable.",
                        when=format_datetime(
                            self.env, self.last_seen or self.removed_on, tz=self.setup_id.tz
                        ),
                    )
                )
            credited = self._credited_lines().sudo()
            if credited:
                refunds = credited.move_id.reversal_move_ids.filtered(lambda m: m.state == "posted")
                texts.append(
                    self.env._(
                        "Credited by %(refunds)s. Bill it again, or mark it as not billable.",
                        refunds=", ".join(refunds.mapped("name")),
                    )
                )
        return texts

    def _blocker_text(self, key, params):
        """Return the sentence for a blocker. Addons that add blockers add their sentences.

        :param key, params: as :meth:`_billing_blockers` returns them
        """
        if key in DETAIL_KEYS:
            return self._detail_text(key, params)
        if key == "no_tax" and self.fee_cause:
            key = "fee_no_tax"
        texts = {
            "no_attendee": self.env._(
                "This appointment has no attendee. Select the customer, or mark the booking as not billable."
            ),
            "no_customer": self.env._(
                "%(name)s is not a customer in Odoo yet. Select an existing customer or create one from the "
                "template."
            ),
            "payer_archived": self.env._(
                "The payer %(name)s is archived. Unarchive the contact, or select another customer or payer."
            ),
            "ambiguous_customer": self.env._(
                "%(name)s matches several contacts: %(candidates)s. Select the right one."
            ),
            "no_product": self.env._(
                "The service %(service)s has no product. Select one on the service."
            ),
            "no_tax": self.env._(
                "%(product)s has no tax. Add one, or select “Intentionally Tax-Free” on the service."
            ),
            "fee_no_tax": self.env._(
                "%(product)s has no tax. Add one, or select “Fees Without Tax” on the sync setup."
            ),
            "label": self.env._("The label “%(label)s” needs a decision. %(note)s"),
            "attendance": self.env._(
                "It is not known whether the attendee came. Select Attended, No-Show, or Late Cancellation."
            ),
            "account": self.env._(
                "%(product)s has no active income account. Set one on the product or its category."
            ),
            "currency": self.env._(
                "The currency %(currency)s is inactive, or the journal %(journal)s has another currency."
            ),
            "journal": self.env._(
                "This company has no sales journal. Select one on the sync setup."
            ),
            "lock_date": self.env._(
                "The invoice would be dated %(date)s, but the period up to %(lock)s is locked."
            ),
        }
        return (
            texts.get(key, dict(self._fields["attention_reason"].selection).get(key, key)) % params
        )

    # -- the payer's details -----------------------------------------------------------------------------

    def _payer_blockers(self, by_payer):
        """Return blockers for missing details of the payers. Addons add others that depend on the payer.

        :param dict by_payer: these bookings by ``(payer, company)``
        :returns: as :meth:`_billing_blockers`
        """
        found, policies = {}, {}
        for company in self.company_id:
            policies[company] = company._bookings_details_policy()
            # this alone: together with it, Odoo would read all values that differ between companies
            businesses = self.payer_id.commercial_partner_id.with_company(company)
            businesses.fetch(["invoice_edi_format_store"])
        for (payer, company), bookings in by_payer.items():
            if not payer.active:
                continue
            look = payer.with_company(company)._bookings_look()
            if stops := details.detail_stops(look, policies[company]):
                found |= {booking.id: booking._detail_blockers(stops) for booking in bookings}
        return found

    def _detail_blockers(self, stops):
        self.ensure_one()
        return [
            [key, {"payer": self.payer_id.display_name, "fields": list(names)}]
            for key, names in stops.items()
        ]

    def _detail_text(self, key, params):
        values = {
            "payer": params["payer"],
            "fields": ", ".join(self.payer_id._bookings_labels(params["fields"])),
        }
        if key == "vat":
            return self.env._(
                "%(payer)s is a business without a tax ID. Enter the tax ID on the payer, or “/” if there is none.",
                **values,
            )
        if key == "e_invoice":
            return self.env._(
                "The e-invoice format of %(payer)s requires: %(fields)s. Complete the payer, or select another "
                "format there.",
                **values,
            )
        company = self.company_id
        if self.payer_id.commercial_partner_id.is_company and company.bookings_business_details:
            return self.env._(
                "%(payer)s is a business. Its invoices require: %(fields)s. Complete the payer.",
                **values,
            )
        return self.env._(
            "%(payer)s lacks: %(fields)s. This is required for invoices above %(limit)s. Complete the payer.",
            limit=formatLang(
                self.env, company.bookings_address_limit, currency_obj=company.currency_id
            ),
            **values,
        )

    def action_open_customer(self):
        self.ensure_one()
        return self._open_record(self.customer_id)

    def action_open_service(self):
        self.ensure_one()
        return self._open_record(self.service_id)

    def action_open_payer(self):
        self.ensure_one()
        return self._open_record(self.payer_id)

    def action_open_setup(self):
        self.ensure_one()
        return self._open_record(self.setup_id)

    def _open_record(self, record):
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "view_mode": "form",
        }
