from contextlib import suppress

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from ...billing import countries, matching
from ..base.imported import IMPORTING
from ..base.moments import BILLING_CHANGED
from . import people_lock

# Fields of a contact that follow Bookings, by field of a proposal.
CONTACT_FIELDS = {
    "phone": ("phone",),
    "address": ("street", "city", "zip", "country_id", "state_id"),
}

# Fields that are kept the same on both sides, if the setup says so
BOTH_WAYS = {"name", "email", "phone", "address"}

# Blanks other than a space. They come from web pages and office documents, and Odoo keeps them in email addresses.
ODD_BLANK = "[\x01-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"


class BookingsCustomer(models.Model):
    """A person in Bookings and the matching contact in Odoo.

    Linking one row links all bookings of that person, because the link is stored with the Bookings ID.
    """

    _name = "bookings.customer"
    _description = "Bookings Customer"
    _inherit = ["bookings.mirror", "bookings.kept.same", "bookings.safe.export"]
    _order = "name, id"
    _kind, _link_name = "customer", "partner_id"

    name = fields.Char(required=True, readonly=True)
    email = fields.Char(readonly=True)
    email_normalized = fields.Char(string="Normalized Email", index="btree_not_null", readonly=True)
    phone = fields.Char(readonly=True)
    in_directory = fields.Boolean(
        string="In the Customer List of Bookings",
        readonly=True,
        help="Bookings lists this person among its customers.",
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
    )
    payer_id = fields.Many2one(
        "res.partner",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The contact who pays instead of the customer: an employer, parent, or insurer. Leave empty for the "
        "customer's invoice address.",
    )
    match = fields.Selection(
        [
            ("linked", "Linked"),
            ("none", "Not in Odoo"),
            ("many", "Several in Odoo"),
            ("unknown", "No Email"),
        ],
        default="none",
        readonly=True,
    )
    candidate_ids = fields.Many2many(
        "res.partner", compute="_compute_candidate_ids", string="Possible Customers"
    )
    address = fields.Json(readonly=True)
    is_forgotten = fields.Boolean(readonly=True, copy=False)
    booking_ids = fields.One2many("bookings.booking", "customer_id", string="Bookings")
    booking_count = fields.Integer(string="Number of Bookings", compute="_compute_booking_count")

    @api.depends("booking_ids")
    def _compute_booking_count(self):
        counts = dict(
            self.env["bookings.booking"]._read_group(
                [("customer_id", "in", self.ids)], ["customer_id"], ["__count"]
            )
        )
        for customer in self:
            customer.booking_count = counts.get(customer, 0)

    @api.depends("email_normalized", "company_id")
    def _compute_candidate_ids(self):
        by_email = {
            company: self._partners_by_email(
                company,
                self.filtered(lambda c, company=company: c.company_id == company).mapped(
                    "email_normalized"
                ),
            )
            for company in self.company_id
        }
        for customer in self:
            candidates = by_email.get(customer.company_id, {}).get(customer.email_normalized, [])
            customer.candidate_ids = self.env["res.partner"].browse(one.id for one in candidates)

    # -- import from Bookings ----------------------------------------------------------------------

    def _remote_values(self, setup, record):
        """:param graph.Customer record:"""
        values = self._person_values(record) | {"in_directory": True}
        # an address that was removed in Bookings is a change, too, where changes go both ways
        return values if not setup._is_confirmed("customer") else {"address": False} | values

    @api.model
    def _person_values(self, person):
        """:param person: ``graph.Customer`` or ``graph.Attendee``"""
        values = {
            "name": person.name or person.email or self.env._("Unknown Person"),
            "email": person.email or False,
            "email_normalized": matching.normalize_email(person.email) or False,
            "phone": matching.clean_phone(person.phone) or False,
        }
        if person.address:  # if Bookings no longer has the address, the stored one remains
            values["address"] = {
                name: getattr(person.address, name)
                for name in ("street", "city", "state", "postal_code", "country")
                if getattr(person.address, name)
            }
        return values

    @api.model
    def _of_attendees(self, setup, attendees):
        """Return the rows of attendees, and create missing ones.

        Values that the customer list of Bookings does not contain are taken from the latest appointment.

        :param dict attendees: ``{remote id: graph.Attendee}``
        :returns: ``{remote id: row}``
        """
        known = {row.remote_id: row for row in self._of(setup, list(attendees))}
        missing = () if setup._is_confirmed("customer") else ("phone", "address")
        shared = {"setup_id": setup.id, "company_id": setup.company_id.id}
        to_create = []
        for remote_id, attendee in attendees.items():
            values = self._person_values(attendee)
            row = known.get(remote_id)
            if row is None:
                to_create.append(values | shared | {"remote_id": remote_id})
            else:
                listed = row.in_directory
                changed = {
                    name: values[name]
                    for name in (missing if listed else values)
                    if values.get(name) and row[name] != values[name]
                    if not (listed and row[name])
                }
                if changed:
                    row.sudo().write(changed)
        # New rows have no bookings. With active_test=False, the cache knows it, and setting their partner queries nothing.
        created = self._importing().with_context(active_test=False).create(to_create)
        created = created.with_env(self.env)
        return known | {row.remote_id: row for row in created}

    @api.model
    def _unfinished(self, setup, remote_ids):
        """Return the rows that were linked since they were read, and must be merged with their contacts."""
        if not setup._is_confirmed("customer"):
            return self.browse()
        new = [("remote_id", "in", remote_ids), ("partner_id", "!=", False), ("same", "=", False)]
        return self.search([("setup_id", "=", setup.id), *new])

    def _after_import(self, job):
        both = job.setup._is_confirmed("customer")
        known = self if both else self.filtered("booking_ids")
        created = known._match_partners(job.setup)
        BILLING_CHANGED(known.booking_ids)
        known.filtered(lambda row: not row.same)._both_ways()._merge()
        return {"partners_created": len(created)}

    # -- who it is in Odoo -------------------------------------------------------------------------

    @api.model
    def _partners_by_email(self, company, emails):
        """Return the company's and shared partners with these email addresses.

        :param emails: normalized addresses
        :returns: ``{email: [matching.Candidate]}``
        """
        emails = {email for email in emails if email}
        if not emails:
            return {}
        partner = self.env["res.partner"].sudo()
        same = Domain("email_normalized", "in", emails) | Domain.custom(to_sql=_has_odd_blank)
        found = {}
        for record in partner.search(
            same & Domain(partner._check_company_domain(company)), order="id"
        ):
            email = matching.normalize_email(record.email_normalized)
            if email in emails:
                found.setdefault(email, []).append(
                    matching.Candidate(
                        id=record.id,
                        email=email,
                        company_id=record.company_id.id,
                        name=record.name or "",
                        parent_id=record.parent_id.id,
                        address=record.type != "contact",
                    )
                )
        return found

    def _match_partners(self, setup, asked=False):
        """Link each row to its partner, and create missing partners if the setup imports customers.

        :param bool asked: whether a user requests new partners for all rows without exactly one match
        :returns: the created partners
        """
        # anonymized customers have no contact
        rows = self.filtered(lambda row: not (row.partner_id or row.is_forgotten))
        if not rows:
            return self.env["res.partner"]
        taking_part = setup._imports("customer") and rows._taking_part(setup)
        by_email = self._partners_by_email(setup.company_id, rows.mapped("email_normalized"))
        to_create, found = {}, {}
        for row in rows:
            email = row.email_normalized or ""
            match = matching.match_partner(
                None,
                email,
                by_email.get(email, ()),
                setup.company_id.parent_ids.ids,
                remote_id="" if row.remote_id.startswith("e:") else row.remote_id,
                name=row.name,
            )
            if match.kind == "one":
                partner = self.env["res.partner"].browse(match.ids[0])
                found[partner] = found.get(partner, self.browse()) | row
            elif asked or match.kind == "none" and taking_part and row in taking_part:
                to_create.setdefault(email or f"id:{row.remote_id}", self.browse())
                to_create[email or f"id:{row.remote_id}"] |= row
            elif row.match != match.kind:
                row.sudo().match = match.kind
        self._link(found)
        return self._create_partners(setup, list(to_create.values()))

    def _lock_people(self, setup):
        """Lock the people of these rows until the end of the transaction, before contacts are created for them.

        :raises HandOver: if another process creates contacts of them
        """
        if emails := set(self.mapped("email_normalized")) - {False}:
            people_lock.take(self.env, setup.company_id, emails)

    def _link_people_in_odoo(self):
        """Link the rows without a contact whose people are in Odoo by now."""
        unknown = self.filtered(lambda row: not row.partner_id)
        for setup, rows in unknown.grouped("setup_id").items():
            with suppress(people_lock.HandOver):  # another process creates them: the next time
                rows._lock_people(setup)
                rows._match_partners(setup)

    def _taking_part(self, setup):
        """Return the rows that pass the setup's filter, or none if it is invalid, which the next sync reports."""
        try:
            return setup._in_filter(self, "remote_customer_filter")
        except ValidationError:
            return self.browse()

    def _create_partners(self, setup, people):
        """Create one partner for each recordset in ``people`` and link its rows.

        :param list people: recordsets of rows that become one partner each
        :returns: the created partners
        """
        # Odoo's Invoicing role may not create contacts. Our role may, but only for bookings and with these values.
        contacts = self.env["res.partner"].sudo().with_company(setup.company_id)
        contacts = contacts.with_context(bookings_importing=IMPORTING)
        listed = self.concat(*people)._listed().grouped(lambda row: row._person())
        values = [rows[:1]._partner_values(setup, rows, listed) for rows in people]
        partners = contacts._bookings_create(setup._customer_defaults(), values)
        self._link(dict(zip(partners, people, strict=True)))
        return partners.with_env(self.env)

    def _link(self, rows_by_partner):
        """Link rows to their partners, all of them in one go.

        :param dict rows_by_partner: ``{partner: rows}``
        """
        everything = self.browse().concat(*rows_by_partner.values())._importing()
        # Their bookings are recomputed: prefetch these for all rows at once.
        everything.with_context(active_test=False).mapped("booking_ids")
        everything.modified(["partner_id"], before=True)
        field = self._fields["partner_id"]
        for partner, rows in rows_by_partner.items():
            field.write(rows.with_env(everything.env), partner)
        everything.modified(["partner_id"])
        everything.write({"match": "linked"})

    def _listed(self):
        """Return rows of the customer list with an email address of these rows: maybe the same people with another ID."""
        return self.search(
            [
                ("setup_id", "in", self.setup_id.ids),
                ("in_directory", "=", True),
                ("email_normalized", "in", list({*self.mapped("email_normalized")} - {False})),
            ]
        )

    def _person(self):
        """Return the key that is equal for rows of the same person."""
        return self.email_normalized, matching.name_key(self.name)

    def _partner_values(self, setup, rows, listed):
        """Return the values of a new partner that come from Bookings. They take precedence over the template.

        :param rows: all rows that become this partner
        :param dict listed: rows of the customer list by :meth:`_person`; they fill in a missing phone or address
        """
        self.ensure_one()
        person, same = self._person(), self.browse()
        if self.email_normalized:
            same = rows.filtered(lambda row: row._person() == person) | listed.get(person, same)
            same = same.sorted(lambda row: not row.in_directory)
        values = {"name": self.name, "email": self.email, "company_id": setup.company_id.id}
        if setup.language_id and not setup.customer_template_id.lang:
            values["lang"] = setup.language_id.code
        phones, addresses = ((self | same).mapped(name) for name in ("phone", "address"))
        values |= self._contact_values(
            next(filter(None, phones), None), next(filter(None, addresses), None)
        )
        return {name: value for name, value in values.items() if value}

    @api.model
    def _contact_values(self, phone, address):
        """Return phone and address from Bookings as field values of a contact, with False for missing ones."""
        address = address or {}
        country = self._country(address.get("country"))
        named = (address.get("state") or "").casefold()
        states = country.state_ids if named else self.env["res.country.state"]
        state = states.filtered(lambda one: named in (one.name.casefold(), one.code.casefold()))
        return {
            "phone": phone or False,
            "street": address.get("street") or False,
            "city": address.get("city") or False,
            "zip": address.get("postal_code") or False,
            "country_id": country.id,
            "state_id": state[:1].id,
        }

    @api.model
    def _country(self, text):
        """Return the country that a free text in any language names, or an empty recordset if it is ambiguous."""
        code = countries.resolve_country(text)
        return self.env["res.country"].browse(self._country_ids(code) if code else ())

    @api.model
    @ormcache("code", cache="stable")
    def _country_ids(self, code):
        """Return the ID of the country with this code, if any. Odoo clears this cache when countries change."""
        return self.env["res.country"].search([("code", "=", code)], limit=1).ids

    # -- later changes in Bookings -------------------------------------------------------------------

    def _pass_on(self, phone, address):
        """Update the contact if it still has the previous value from Bookings; otherwise create a proposal for a user.

        :param phone, address: the previous values in Bookings
        """
        self.ensure_one()
        partner = self.partner_id.sudo()
        before, now = (
            self._contact_values(phone, address),
            self._contact_values(self.phone, self.address),
        )
        for field, names in CONTACT_FIELDS.items():
            given = {
                name: now[name]
                for name in names
                if now[name] or name not in ("country_id", "state_id")
            }
            if now == before or not any(given.values()) or partner._bookings_has(given):
                continue
            known = {
                name: before[name]
                for name in given
                if before[name] or name not in ("country_id", "state_id")
            }
            shares_address = field == "address" and partner.parent_id and partner.type == "contact"
            if partner._bookings_has(known) and not shares_address:
                partner._bookings_take_contact(given)
            else:
                self._propose_contact(field, given)

    def _propose_contact(self, field, given):
        proposals, partner = self.env["bookings.proposal"].sudo(), self.partner_id
        shown = self.env["res.partner"]._bookings_contact_text
        same = [("partner_id", "=", partner.id), ("field", "=", field)]
        if proposals.search_count([*same, ("proposed", "=", shown(given))], limit=1):
            return
        proposals.search(
            [*same, ("state", "=", "open")]
        ).state = "dismissed"  # replaced by the new value
        held = {
            name: partner._fields[name].convert_to_write(partner[name], partner)
            for name in CONTACT_FIELDS[field]
        }
        proposals.create(
            {
                "setup_id": self.setup_id.id,
                "partner_id": partner.id,
                "field": field,
                "current": shown(held),
                "proposed": shown(given),
                "contact_values": given,
                "why": self.env._(
                    "Changed in Bookings, but the contact has a different value in Odoo."
                ),
            }
        )

    # -- by hand -------------------------------------------------------------------------------------

    def write(self, vals):
        importing = self._is_import()
        before, linked = {}, {row: row.partner_id for row in self if "partner_id" in vals}
        if not {"phone", "address"}.isdisjoint(vals):
            before = {row: (row.phone, row.address) for row in self if row.partner_id}
        result = super().write(vals)
        if vals.get("partner_id") and "match" not in vals:
            self.sudo().filtered(lambda row: row.match != "linked").match = "linked"
        elif "partner_id" in vals and "match" not in vals:
            self.sudo().filtered(lambda row: row.match == "linked").match = "none"
        self._forget_same(linked)
        if not (importing or BOTH_WAYS.isdisjoint(vals)):
            both = self._both_ways()
            for row, (phone, address) in before.items():
                if row.partner_id and row not in both:
                    row._pass_on(phone, address)
            both._merge()
        if not importing and not {"partner_id", "payer_id"}.isdisjoint(vals):
            BILLING_CHANGED(self.booking_ids)
        return result


def _has_odd_blank(partners, alias, query):
    return SQL("%s ~ %s", partners._field_to_sql(alias, "email_normalized", query), ODD_BLANK)
