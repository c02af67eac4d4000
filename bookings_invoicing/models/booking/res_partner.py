from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...billing import details, matching
from ..base.imported import IMPORTING
from ..base.moments import CONTACTS_CHANGED
from ..base.readable_links import ROLES
from ..directory.res_partner import BOTH_WAYS
from .booking import UNINVOICED

LEITWEG_SCHEME = "0204"  # ISO 6523: Leitweg-ID, also a Peppol scheme

# Blockers that are resolved by completing the payer
DETAIL_KEYS = ("address", "vat", "e_invoice")
ADDRESS = ("street", "city", "country_id")
FAMILY_FIELDS = {"active", "type", "parent_id"}  # fields that determine which contact pays
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
# Fields of the buyer that an e-invoice requires, by Odoo's name of the format: EN 16931 (BR-11), Peppol BIS Billing 3.0
# (R010), XRechnung (BR-DE-8, -9), NLCIUS (NL-R-004). All other formats require the country.
E_INVOICE = {
    "ubl_bis3": ("country_id", "peppol_endpoint"),
    "ubl_a_nz": ("country_id", "peppol_endpoint"),
    "ubl_sg": ("country_id", "peppol_endpoint"),
    "nlcius": (*ADDRESS, "zip", "peppol_endpoint"),
    "xrechnung": ("city", "zip", "country_id"),
}


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "bookings.own.links"]

    booking_ids = fields.One2many("bookings.booking", "partner_id", groups=ROLES)
    booking_count = fields.Integer(compute="_compute_booking_count", groups=ROLES)

    @api.depends("booking_ids")
    def _compute_booking_count(self):
        counts = {}
        booking = self.env["bookings.booking"]
        for name in ("partner_id", "payer_id"):
            for partner, bookings in booking._read_group(
                [(name, "in", self.ids)], [name], ["id:recordset"]
            ):
                counts.setdefault(partner, set()).update(bookings.ids)
        for partner in self:
            partner.booking_count = len(counts.get(partner, ()))

    def _answer_values(self):
        """Return the partner's values of the fields that answers of the booking form can fill, as ``{answer: text}``."""
        self.ensure_one()
        values = {
            "company_name": self.parent_id.name
            or self.company_name
            or (self.name if self.is_company else ""),
            "vat": self.commercial_partner_id.vat or "",
            "billing_email": self._billing_address().email or "",
        }
        for field, name in self._identifier_fields().items():
            values[field] = self[name] or ""
        if "peppol_endpoint" in self._fields and self.peppol_eas and self.peppol_endpoint:
            values["peppol"] = f"{self.peppol_eas}:{self.peppol_endpoint}"
            # Odoo stores both in the same field
            values["leitweg_id"] = values["peppol"].removeprefix(f"{LEITWEG_SCHEME}:")
        return {name: value or "" for name, value in values.items()}

    def _identifier_fields(self):
        """Return the fields of installed modules that store an identifier: ``{answer: field}``."""
        return {"gln": "global_location_number"} if "global_location_number" in self._fields else {}

    def _billing_address(self):
        return self.child_ids.filtered(lambda child: child.type == "invoice")[:1]

    def _fill(self, field, value):
        """Store an answer of the booking form. If Odoo's checks reject it, return a key of the sentences."""
        try:
            with self.env.cr.savepoint():
                self._take_answer(field, value)
        except (ValidationError, UserError):
            self.invalidate_recordset()
            return "answer_invalid"
        return None

    def _take_answer(self, field, value):
        """Write an answer to the field from which :meth:`_answer_values` reads it.

        :raises UserError: if no installed module has such a field
        """
        self.ensure_one()
        if field == "company_name":
            company = self.parent_id or self.filtered("is_company")
            if company:
                company.name = value
            else:
                self.company_name = value
        elif field == "vat":
            self.commercial_partner_id.vat = value
        elif field == "billing_email":
            address = self._billing_address()
            if address:
                address.email = value
            elif value != matching.normalize_email(self.email_normalized):
                self.create(
                    {"type": "invoice", "name": self.name, "parent_id": self.id, "email": value}
                    | {"company_id": self.company_id.id}
                )
        elif field in self._identifier_fields():
            self[self._identifier_fields()[field]] = value
        elif field in ("peppol", "leitweg_id") and "peppol_endpoint" in self._fields:
            scheme, _colon, endpoint = (
                value.partition(":") if field == "peppol" else (LEITWEG_SCHEME, ":", value)
            )
            if scheme not in dict(self._fields["peppol_eas"]._description_selection(self.env)):
                raise UserError(self.env._("Odoo does not know the Peppol scheme %s.", scheme))
            self.write({"peppol_eas": scheme, "peppol_endpoint": endpoint})
        else:
            raise UserError(
                self.env._("No installed app can store this answer. Record it manually.")
            )

    def action_view_bookings(self):
        self.ensure_one()
        self.env["bookings.booking"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_all"
        )
        return {
            **action,
            "domain": ["|", ("partner_id", "=", self.id), ("payer_id", "=", self.id)],
            "context": {},
        }

    @api.model
    def _bookings_customer_of_context(self):
        return self.env["bookings.customer"].browse(
            self.env.context.get("bookings_customer_id", ())
        )

    def action_bookings_choose(self):
        """Link this contact to the Bookings customer from whose form the list was opened."""
        self.ensure_one()
        told = self._bookings_customer_of_context()._choose(self)
        reload = {"type": "ir.actions.client", "tag": "soft_reload"}
        return told | {"params": told["params"] | {"next": reload}} if told else reload

    # -- payer details that invoices require -------------------------------------------------------------

    def _bookings_look(self):
        """Return which details this payer lacks for invoices of the company in the environment.

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

    def _bookings_missing(self):
        """Return the names of missing fields, including the ZIP if the country requires one (QR-bills need it)."""
        self.ensure_one()
        missing = self._bookings_look().missing
        wants_zip = self.country_id.zip_required and not self.zip and "zip" not in missing
        return (*missing, "zip") if wants_zip else missing

    def _bookings_e_invoice_fields(self):
        """Return the fields that this payer's e-invoice format requires. Modules with other formats add theirs."""
        if not self._fields["invoice_edi_format"].selection:
            return ()
        chosen = self.invoice_edi_format
        if not chosen:
            return ()
        return tuple(
            name for name in E_INVOICE.get(chosen, ("country_id",)) if name in self._fields
        )

    def _bookings_labels(self, names):
        """Return the labels of these fields in the user's language."""
        return tuple(self._fields[name]._description_string(self.env) for name in names)

    @api.model_create_multi
    def create(self, vals_list):
        # A new invoice address may become the payer.
        partners = super().create(vals_list)
        partners.filtered(lambda one: one.parent_id and one.type == "invoice")._bookings_follow()
        partners._bookings_note()
        return partners

    def _bookings_note(self):
        """Announce new or changed contacts, except when the change comes from Bookings."""
        if self.env.context.get("bookings_importing") is not IMPORTING:
            CONTACTS_CHANGED(self)

    def _bookings_follow(self):
        """Update payer and blockers of unbilled bookings of these contacts, their parents, and their children."""
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
        waiting._recheck_billing()

    def write(self, vals):
        # Bookings may have waited for details that the payer now has.
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
                        ("attention_reason", "in", DETAIL_KEYS),
                    ]
                )
            )
            waiting._recheck_billing()
        if not BOTH_WAYS.isdisjoint(vals):
            self._bookings_note()
        return result
