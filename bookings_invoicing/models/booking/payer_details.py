from odoo import api, models
from odoo.tools import formatLang

from ...billing import details, money
from .booking import UNINVOICED

KEYS = ("address", "vat", "e_invoice")
ADDRESS = ("street", "city", "country_id")
FAMILY_FIELDS = {"active", "type", "parent_id"}  # what decides which contact pays
PAYER_FIELDS = {
    *ADDRESS,
    "zip",
    "vat",
    "is_company",
    "parent_id",
    "peppol_endpoint",
    "invoice_edi_format",
    "invoice_edi_format_store",
}
# What an e-invoice must say of its buyer, by Odoo's names of the formats: EN 16931 (BR-11), Peppol BIS Billing 3.0
# (R010), XRechnung (BR-DE-8, -9), NLCIUS (NL-R-004). Any other format: where the buyer is.
E_INVOICE = {
    "ubl_bis3": ("country_id", "peppol_endpoint"),
    "ubl_a_nz": ("country_id", "peppol_endpoint"),
    "ubl_sg": ("country_id", "peppol_endpoint"),
    "nlcius": (*ADDRESS, "zip", "peppol_endpoint"),
    "xrechnung": ("city", "zip", "country_id"),
}


class BookingsBooking(models.Model):
    """Details of the payer that an invoice cannot do without, found before there is one.

    How it works: the rule is :mod:`..billing.details`. What depends on the total is judged for the invoices as the setup
    would group them, and again where they are made, for they may be grouped otherwise there.
    """

    _inherit = "bookings.booking"

    def _add_payer_blockers(self, found):
        """What the payers lack; :param found: the blockers found before, by booking id"""
        looks, always = {}, {}
        for booking in self.filtered("payer_id.active"):
            payer, company = key = booking.payer_id, booking.company_id
            if key not in looks:
                looks[key] = payer.with_company(company)._bookings_look()
                always[key] = details.detail_stops(looks[key], company._bookings_details_policy())
            if always[key]:
                found.setdefault(booking.id, []).extend(booking._detail_blockers(always[key]))
        for booking, stops in self._stops_by_total(found, looks):
            found.setdefault(booking.id, []).extend(booking._detail_blockers(stops))

    def _stops_by_total(self, found, looks):
        """``(booking, stops)`` where nothing else stops, by the totals of the invoices that the setup would make."""
        asking = self.filtered(
            lambda one: (
                one.company_id.bookings_address_limit
                and one.price_outcome == "priced"
                and one.id not in found
                and (look := looks.get((one.payer_id, one.company_id)))
                and look.missing
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
        for group in (asking | others)._grouped({}):
            bookings = self.browse(item.id for item in group.items)
            if stops := bookings._group_stops(group.split):
                for booking in bookings & asking:
                    yield booking, stops

    def _group_stops(self, split):
        """What the payer of these bookings, which share an invoice, must have for its total: fields by reason."""
        company = self.company_id[:1]
        look = self.payer_id[:1].with_company(company)._bookings_look()
        if not (company.bookings_address_limit and look.missing):
            return {}
        total = self.currency_id[:1]._convert(
            self._invoice_totals(split)["amount_total"], company.currency_id, company
        )
        policy = company._bookings_details_policy()
        return details.detail_stops(look, policy, money.decimal_of(total))

    def _let_out_by_total(self, groups):
        """Part groups into those that may be drafted and, with the reason, those whose payer must be completed first.

        :param groups: ``[(bookings, bookings_invoicing.billing.grouping.Group)]``
        :returns: ``(groups, [(bookings, reason)])``
        """
        if not self.company_id.filtered("bookings_address_limit"):
            return groups, []
        kept, stopped = [], []
        for bookings, group in groups:
            stops = bookings._group_stops(group.split)
            blockers = bookings[:1]._detail_blockers(stops)
            if blockers:
                texts = [bookings[:1]._attention_text(key, params) for key, params in blockers]
                stopped.append((bookings, "\n".join(texts)))
            else:
                kept.append((bookings, group))
        return kept, stopped

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
                "%(payer)s is a business without tax ID. Enter it on the payer, or “/” where it has none.",
                **values,
            )
        if key == "e_invoice":
            return self.env._(
                "The e-invoice format of %(payer)s needs: %(fields)s. Complete the payer, or choose another format there.",
                **values,
            )
        company = self.company_id
        if self.payer_id.commercial_partner_id.is_company and company.bookings_business_details:
            return self.env._(
                "%(payer)s is a business; an invoice to it needs: %(fields)s. Complete the payer.",
                **values,
            )
        return self.env._(
            "%(payer)s lacks: %(fields)s. Invoices over %(limit)s need it. Complete the payer.",
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


class ResCompany(models.Model):
    _inherit = "res.company"

    def _bookings_details_policy(self):
        """:rtype: bookings_invoicing.billing.details.Policy"""
        self.ensure_one()
        return details.Policy(
            money.decimal_of(self.bookings_address_limit), self.bookings_business_details
        )


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _bookings_look(self):
        """What this payer lacks for invoices of the company in the environment.

        :rtype: bookings_invoicing.billing.details.PayerLook
        """
        self.ensure_one()
        business = self.commercial_partner_id.is_company
        return details.PayerLook(
            business=business,
            address=tuple(name for name in ADDRESS if not self[name]),
            vat=business and not self.vat,
            e_invoice=tuple(name for name in self._bookings_e_invoice_fields() if not self[name]),
        )

    def _bookings_e_invoice_fields(self):
        """Fields that the e-invoice format of this payer needs; modules that bring a format of their own add theirs."""
        if not self._fields["invoice_edi_format"].selection:
            return ()
        chosen = self.invoice_edi_format
        if not chosen:
            return ()
        return tuple(
            name for name in E_INVOICE.get(chosen, ("country_id",)) if name in self._fields
        )

    def _bookings_labels(self, names):
        """Labels of these fields in the reader's language."""
        return tuple(self._fields[name]._description_string(self.env) for name in names)

    @api.model_create_multi
    def create(self, vals_list):
        # A new address may be the one that pays.
        partners = super().create(vals_list)
        partners.filtered(lambda one: one.parent_id and one.type == "invoice")._bookings_follow()
        return partners

    def _bookings_follow(self):
        """Let the payer of what these contacts and their relatives have not been billed for follow."""
        contacts = self.sudo()
        relatives = contacts | contacts.parent_id | contacts.child_ids
        waiting = (
            self.env["bookings.booking"]
            .sudo()
            .search(
                [
                    ("status", "in", UNINVOICED),
                    "|",
                    ("payer_id", "in", relatives.ids),
                    ("partner_id", "in", relatives.ids),
                ]
            )
        )
        waiting._refresh_billing()

    def write(self, vals):
        # What was missing on a payer may be there now: what waited for it is looked at again.
        result = super().write(vals)
        if not FAMILY_FIELDS.isdisjoint(vals):
            self._bookings_follow()
        if not PAYER_FIELDS.isdisjoint(vals):
            waiting = (
                self.env["bookings.booking"]
                .sudo()
                .search(
                    [
                        ("payer_id", "in", self.ids),
                        ("status", "=", "attention"),
                        ("attention_reason", "in", KEYS),
                    ]
                )
            )
            waiting._refresh_billing()
        return result
