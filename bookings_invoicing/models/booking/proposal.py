from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...billing import matching, questions, sentences
from ...billing.status import BILLED
from ..setup.question_rule import ANSWER_FIELDS

LEITWEG_SCHEME = "0204"  # ISO 6523: Leitweg-ID, also a Peppol scheme


class BookingsProposal(models.Model):
    """What a customer said in Bookings that differs from what Odoo holds, or cannot be right: a person decides."""

    _name = "bookings.proposal"
    _inherit = ["bookings.own.links"]
    _description = "Bookings Proposal"
    _order = "id desc"
    _rec_name = "proposed"
    _check_company_auto = True

    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    booking_id = fields.Many2one("bookings.booking", ondelete="cascade", index="btree_not_null")
    partner_id = fields.Many2one("res.partner", ondelete="cascade", index="btree_not_null")
    field = fields.Selection(
        [*ANSWER_FIELDS, ("phone", "Phone"), ("address", "Address")], required=True, readonly=True
    )
    current = fields.Char(readonly=True)
    proposed = fields.Char(required=True, readonly=True)
    why = fields.Char(readonly=True)
    contact_values = fields.Json(
        readonly=True, help="The proposed phone or address, by field of the contact"
    )
    state = fields.Selection(
        [("open", "Open"), ("accepted", "Accepted"), ("dismissed", "Dismissed")],
        default="open",
        required=True,
    )

    def action_accept(self):
        """Write the answer into its field."""
        self.check_access("write")
        for proposal in self.filtered(lambda one: one.state == "open"):
            booking = proposal.booking_id
            target = (
                booking
                if proposal.field == "reference"
                else proposal.partner_id or booking.partner_id
            )
            if not target:
                raise UserError(
                    self.env._("Choose the customer of %s first.", booking.display_name)
                )
            # Odoo's Invoicing role may not change contacts; ours may accept these fields of its customers.
            if proposal.contact_values:
                target.sudo()._bookings_take_contact(proposal.contact_values)
            else:
                target.sudo()._take_answer(proposal.field, proposal.proposed)
            proposal.state = "accepted"

    def action_dismiss(self):
        """Keep what Odoo holds; the same answer is not proposed again."""
        self.check_access("write")
        self.state = "dismissed"


class BookingsBooking(models.Model):
    """Answers of the booking form: fill an empty field or raise a proposal, never overwrite."""

    _inherit = "bookings.booking"

    def _take_all_answers(self, setup, keyed):
        """Take the answers of the attendees of these bookings.

        :param dict keyed: ``{appointment id: {attendee key: graph.Attendee}}``
        """
        rules = setup._question_rules()
        if not rules:
            return
        for booking in self:
            attendee = keyed.get(booking.appointment_id, {}).get(booking.attendee_key)
            if attendee and attendee.answers:
                booking._take_answers(questions.mapped_answers(attendee.answers, rules))

    def _take_answers(self, answered):
        """:param answered: ``(field, text)`` as typed, of mapped questions only"""
        self.ensure_one()
        partner = self.partner_id
        known = {}
        for field, text in answered:
            known.setdefault(field, []).append((field, text))
        # From a tax ID Odoo derives others of the fields: what is held is looked at before each one.
        for field in sorted(known, key=lambda field: field != "vat"):
            target = self._for_import() if field == "reference" else partner
            plan = questions.plan_filling(target._answer_values() if target else {}, known[field])
            proposals = list(plan.proposals)
            for value in plan.fill.values():
                if why := target._fill(field, value) if target else "answer_no_customer":
                    explanation = sentences.Explanation(why)
                    proposals.append(questions.Proposal(field, "", value, explanation))
            for proposal in proposals:
                self._propose(partner, proposal)

    def _answer_values(self):
        return {"reference": self.reference or ""}

    def _fill(self, field, value):
        """Take an answer; a key of the sentences where that is for a person to decide."""
        return "answer_billed" if self.status in BILLED else self._take_answer(field, value)

    def _take_answer(self, _field, value):
        self.reference = value

    def _propose(self, partner, proposal):
        values = {"field": proposal.field, "proposed": proposal.proposed}
        subject = (
            [("booking_id", "=", self.id)]
            if proposal.field == "reference" or not partner
            else [("partner_id", "=", partner.id)]
        )
        proposals = self.env["bookings.proposal"]
        if not proposals.search_count(
            [*subject, *((name, "=", value) for name, value in values.items())], limit=1
        ):
            why = sentences.render(proposal.why, lambda text: self.env._(text))
            proposals.create(
                values
                | {"setup_id": self.setup_id.id, "booking_id": self.id, "partner_id": partner.id}
                | {"current": proposal.current, "why": why}
            )


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _answer_values(self):
        """What the partner holds of the fields that a booking form can answer."""
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
            # the same field of Odoo holds either of the two
            values["leitweg_id"] = values["peppol"].removeprefix(f"{LEITWEG_SCHEME}:")
        return {name: value or "" for name, value in values.items()}

    def _identifier_fields(self):
        """Which field of the installed modules holds an identifier: ``{answer: field}``."""
        return {"gln": "global_location_number"} if "global_location_number" in self._fields else {}

    def _billing_address(self):
        return self.child_ids.filtered(lambda child: child.type == "invoice")[:1]

    def _fill(self, field, value):
        """Take what a stranger answered; a key of the sentences where Odoo's own checks refuse it."""
        try:
            with self.env.cr.savepoint():
                self._take_answer(field, value)
        except (ValidationError, UserError):
            self.invalidate_recordset()
            return "answer_invalid"
        return None

    def _take_answer(self, field, value):
        """Write an answer into its field, where :meth:`_answer_values` reads it.

        :raises UserError: no installed module has such a field
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
            raise UserError(self.env._("No installed app keeps this. Note it by hand."))

    def _bookings_has(self, values):
        """Whether the contact has this phone or address, as far as they say something; spacing does not matter."""
        self.ensure_one()

        def plain(name, value):
            if name == "phone":
                return "".join(filter(str.isdigit, value or ""))
            return matching.name_key(value or "") if isinstance(value or "", str) else value

        return all(
            plain(name, self._fields[name].convert_to_write(self[name], self) or False)
            == plain(name, value)
            for name, value in values.items()
        )

    def _bookings_take_contact(self, values):
        """Take a phone or address that was changed in Bookings, and log what it was before."""
        self.ensure_one()
        before = {name: self._fields[name].convert_to_write(self[name], self) for name in values}
        self.write(values)
        self._message_log(
            body=self.env._(
                "Changed in Bookings: %(old)s → %(new)s",
                old=self._bookings_contact_text(before) or "–",
                new=self._bookings_contact_text(values),
            )
        )

    @api.model
    def _bookings_contact_text(self, values):
        """A phone, or an address in one line."""
        country = self.env["res.country"].browse(values.get("country_id") or ())
        state = self.env["res.country.state"].browse(values.get("state_id") or ())
        town = " ".join(values[name] for name in ("zip", "city") if values.get(name))
        parts = (values.get("phone"), values.get("street"), town, state.name, country.name)
        return ", ".join(filter(None, parts))

    @api.model
    def _bookings_customer_of_context(self):
        return self.env["bookings.customer"].browse(
            self.env.context.get("bookings_customer_id", ())
        )

    def action_bookings_choose(self):
        """Say that this partner is the Bookings customer from whose form the button was pressed."""
        self.ensure_one()
        customer = self._bookings_customer_of_context()
        customer.check_access("write")
        customer.partner_id = self
        return {"type": "ir.actions.client", "tag": "soft_reload"}
