import logging

from odoo import api, fields, models
from odoo.addons.bookings_invoicing.billing import grouping
from odoo.addons.bookings_invoicing.billing.hints import Told
from odoo.exceptions import UserError

_logger = logging.getLogger(__name__)
KEY = "e_invoice_tax"
# Tax categories (UNCL 5305) for which the exporter has no default exemption reason. It has one for K and G.
NEEDS_REASON = ("AE", "E", "O")


class BookingsBooking(models.Model):
    """Requirements of e-invoices, checked before a draft exists.

    How it works: incomplete taxes are blockers. Everything else is checked by Odoo's own exporter of the payer's format
    on an invoice in memory, and shown as hints.
    """

    _inherit = "bookings.booking"

    # -- taxes -------------------------------------------------------------------------------------------

    def _payer_blockers(self, by_payer):
        found = super()._payer_blockers(by_payer)
        asking = (
            self.browse()
            .concat(
                *(
                    bookings
                    for (payer, company), bookings in by_payer.items()
                    if payer.active and self._e_invoice_builder(payer, company) is not None
                )
            )
            .filtered("product_id")
        )
        splits = asking._splits()
        for booking in asking:
            fault = booking._tax_fault(splits[booking.id])
            # A product without a tax by mistake already has a blocker.
            if fault and (fault["tax"] or booking._without_tax()):
                found.setdefault(booking.id, []).append([KEY, fault])
        return found

    def _tax_fault(self, split):
        """Return what the taxes of this booking's line lack for an e-invoice, or None.

        :param bookings_invoicing.billing.grouping.Split split:
        :returns: dict of ``payer``, ``service``, ``tax`` (names, or False), ``tax_ids``, and ``fields``
        """
        self.ensure_one()
        taxes = self._line_taxes(split).flatten_taxes_hierarchy()
        values = {"payer": self.payer_id.display_name, "service": self.service_id.display_name}
        if not taxes:
            return {**values, "tax": False, "tax_ids": [], "fields": []}
        lacking = taxes.filtered(lambda tax: tax._e_invoice_lacks())
        if not lacking:
            return None
        return {
            **values,
            "tax": ", ".join(lacking.mapped("name")),
            "tax_ids": lacking.ids,
            "fields": sorted({name for tax in lacking for name in tax._e_invoice_lacks()}),
        }

    def _blocker_text(self, key, params):
        if key != KEY:
            return super()._blocker_text(key, params)
        if not params["tax"]:
            return self.env._(
                "%(payer)s gets e-invoices, and each of their lines needs a tax, but %(service)s is "
                "intentionally tax-free. Set a 0 %% tax with a tax category and an exemption reason on its "
                "product instead.",
                payer=params["payer"],
                service=params["service"],
            )
        return self.env._(
            "%(payer)s gets e-invoices, which must state why there is no tax. Complete the tax %(tax)s: %(fields)s.",
            payer=params["payer"],
            tax=params["tax"],
            fields=self._tax_labels(params["fields"]),
        )

    def _tax_labels(self, names):
        tax_fields = self.env["account.tax"]._fields
        return ", ".join(tax_fields[name]._description_string(self.env) for name in names)

    def action_open_tax(self):
        """Open the tax to complete, or the product if that needs a tax."""
        self.ensure_one()
        taxes = self.env["account.tax"]
        for key, params in self.blockers or ():
            if key == KEY:
                taxes |= taxes.browse(params["tax_ids"])
        return self._open_record(taxes.exists()[:1] or self.product_id)

    # -- errors of the exporter ---------------------------------------------------------------------------

    @api.model
    def _e_invoice_builder(self, payer, company):
        """Return the exporter of the payer's e-invoice format in this company, or None if the payer gets no e-invoice."""
        payer = payer.with_company(company)
        chosen = payer.invoice_edi_format
        if not chosen or chosen not in payer._get_ubl_cii_formats():
            return None
        return payer.commercial_partner_id._get_edi_builder(chosen)

    def _invoice_hints(self, total, split, plan):
        # EXTENDS 'bookings_invoicing'
        found = super()._invoice_hints(total, split, plan)
        builder = self._e_invoice_builder(self.payer_id[:1], self.company_id[:1])
        if builder is not None:
            texts = self._e_invoice_failures(builder, split)
        else:
            texts = self._tax_hints(split)
        return found + [Told(text, serious=True) for text in texts]

    def _tax_hints(self, split):
        """Return hints about taxes that are incomplete for the e-invoice that Odoo embeds in every PDF.

        This applies only to businesses and to companies in the European Union, whose directive requires the reason.
        """
        groups = self.company_id[:1].country_id.country_group_codes or ()
        if "EU" not in groups or not self.payer_id[:1].commercial_partner_id.is_company:
            return []
        faults = [fault for booking in self if (fault := booking._tax_fault(split))]
        return [
            self.env._(
                "The e-invoice in the PDF cannot state why there is no tax. Complete the tax %(tax)s: %(fields)s.",
                tax=fault["tax"],
                fields=self._tax_labels(fault["fields"]),
            )
            for fault in faults
            if fault["tax"]
        ]

    def _e_invoice_failures(self, builder, split):
        """Return the errors that Odoo's exporter would raise on *Send* for the invoice of these bookings, as sentences."""
        group = grouping.Group((), split, ())
        values = self._prepare_invoice(group)
        values["name"] = self.env._("New")
        values.setdefault("invoice_date", fields.Date.context_today(self))
        move = self.env["account.move"].with_company(self.company_id[:1]).new(values)
        # In memory, Odoo does not keep the two fields in sync, and exporters read either one.
        move.line_ids = move.invoice_line_ids
        try:
            _content, errors = builder._export_invoice(move)
        except UserError as error:
            errors = [str(error)]
        except Exception as error:
            _logger.exception("%s cannot export an invoice in memory", builder._name)
            errors = [str(error) or type(error).__name__]
        return [
            self.env._(
                "E-invoice (%(format)s): %(error)s", format=builder._description, error=error
            )
            for error in sorted(errors)
        ]
