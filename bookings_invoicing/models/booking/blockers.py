from odoo import fields, models

from ...billing.status import sort_reasons
from .payer_details import KEYS as DETAIL_KEYS


class BookingsBooking(models.Model):
    """What stands in the way of a booking's invoice: found here, said here."""

    _inherit = "bookings.booking"

    def _billing_blockers(self):
        """What would stop an invoice of these bookings on Odoo's side; addons add theirs.

        :returns: ``{booking id: [[key of ATTENTION_REASONS, params]]}``, the first to solve first; bookings that
            nothing stops are left out
        """
        found = self._plain_blockers()
        self._add_label_blockers(found)
        self._add_payer_blockers(found)  # some only where nothing else stops
        return found

    def _plain_blockers(self):
        """Journal, currency, customer, payer, product, tax, account and lock date."""
        blockers = {}
        shared = {setup: setup._billing_blockers() for setup in self.setup_id}
        accounts, taxes, dates = {}, {}, {}
        for booking in self:
            found = dict(shared[booking.setup_id])
            found |= booking._person_blockers()
            product = booking.product_id
            if not product:
                found["no_product"] = {"service": booking.service_id.name}
            else:
                if product not in taxes:
                    company = booking.company_id
                    taxes[product] = bool(product.taxes_id._filter_taxes_by_company(company))
                    accounts[product] = product.product_tmpl_id.get_product_accounts()[
                        "income"
                    ].active
                if not taxes[product] and not booking._without_tax():
                    found["no_tax"] = {"product": product.display_name}
                if not accounts[product]:
                    found["account"] = {"product": product.display_name}
            if day := booking._invoice_day():
                key = (booking.setup_id, day)
                if key not in dates:
                    dates[key] = booking.setup_id._date_blockers(day)
                found |= dates[key]
            if found:
                blockers[booking.id] = [[key, found[key]] for key in sort_reasons(found)]
        return blockers

    def _add_label_blockers(self, found):
        """Labels that ask for a decision; :param found: as :meth:`_billing_blockers` returns it"""
        for booking in self.filtered(
            lambda one: one.label_rule_id.outcome == "attention" and not one.label_settled
        ):
            text = booking.label_rule_id.note or ""
            found.setdefault(booking.id, []).append(
                ["label", {"label": booking.label, "note": text}]
            )

    def _person_blockers(self):
        if self.payer_id and self.partner_id:
            archived = self.payer_id.filtered(lambda payer: not payer.active)
            return {"payer_archived": {"name": archived.display_name}} if archived else {}
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
        """Why the booking needs somebody, and what to do, one sentence for each reason."""
        self.ensure_one()
        texts = [self._attention_text(key, params) for key, params in self.blockers or ()]
        if self.status == "attention":
            if self.price_outcome == "ask":
                texts.append(self._sentence("explanation"))
            if self.removed_on:
                texts.append(
                    self.env._(
                        "Removed from Bookings after it took place, last seen %(when)s. Bill it as it was last seen, or "
                        "mark it as not billable.",
                        when=fields.Datetime.to_string(self.last_seen or self.removed_on),
                    )
                )
            credited = self._credited_lines().sudo()
            if credited:
                refunds = credited.move_id.reversal_move_ids.filtered(lambda m: m.state == "posted")
                texts.append(
                    self.env._(
                        "Credited by %(refunds)s: put it back to bill it again, or mark it as not billable.",
                        refunds=", ".join(refunds.mapped("name")),
                    )
                )
        return texts

    def _attention_text(self, key, params):
        """A blocker as a sentence; addons that add blockers add their sentences.

        :param key, params: as :meth:`_billing_blockers` gives them
        """
        if key in DETAIL_KEYS:
            return self._detail_text(key, params)
        if key == "no_tax" and self.fee_cause:
            key = "fee_no_tax"
        texts = {
            "no_attendee": self.env._(
                "Nobody is named on this appointment. Choose the customer, or mark it as not billable."
            ),
            "no_customer": self.env._(
                "%(name)s is no customer in Odoo yet. Choose one, or create one from the template."
            ),
            "payer_archived": self.env._(
                "The contact %(name)s, who pays, is archived. Unarchive it, or choose another customer or payer."
            ),
            "ambiguous_customer": self.env._(
                "%(name)s may be one of several: %(candidates)s. Choose the right one."
            ),
            "no_product": self.env._(
                "The service %(service)s has no product. Choose one on the service."
            ),
            "no_tax": self.env._(
                "%(product)s has no tax. Add one, or tick “No Tax on Purpose” on the service."
            ),
            "fee_no_tax": self.env._(
                "%(product)s has no tax. Add one, or tick “Fees Without Tax” on the sync setup."
            ),
            "label": self.env._("The label “%(label)s” asks for a decision. %(note)s"),
            "account": self.env._(
                "%(product)s has no income account, or an archived one. Set one on the product or its category."
            ),
            "currency": self.env._(
                "The currency %(currency)s is not active, or not that of the journal %(journal)s."
            ),
            "journal": self.env._(
                "There is no sales journal for this company. Choose one on the sync setup."
            ),
            "lock_date": self.env._(
                "The invoice would be dated %(date)s, but everything up to %(lock)s is locked."
            ),
        }
        return (
            texts.get(key, dict(self._fields["attention_reason"].selection).get(key, key)) % params
        )
