from odoo import api, fields, models

from ..billing import matching
from .bookings_sync_setup import TEMPLATE_FIELDS


class BookingsCustomer(models.Model):
    """A person known to Bookings, and the customer it is in Odoo.

    Settling one row settles all bookings of that person: the link is remembered by the remote id.
    """

    _name = "bookings.customer"
    _description = "Bookings Customer"
    _inherit = ["bookings.mirror"]
    _order = "name, id"

    name = fields.Char(required=True, readonly=True)
    email = fields.Char(readonly=True)
    email_normalized = fields.Char(
        string="Normalized E-mail", index="btree_not_null", readonly=True
    )
    phone = fields.Char(readonly=True)
    in_directory = fields.Boolean(
        string="In the Customer List of Bookings",
        readonly=True,
        help="Listed among the customers of Bookings",
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
        help="Who pays where it is not the customer: employer, parent, insurer. Empty: the customer's invoice address.",
    )
    match = fields.Selection(
        [
            ("linked", "Linked"),
            ("none", "Not in Odoo"),
            ("many", "Several in Odoo"),
            ("unknown", "No e-mail"),
        ],
        default="none",
        readonly=True,
    )
    candidate_ids = fields.Many2many(
        "res.partner", compute="_compute_candidate_ids", string="Possible Customers"
    )
    address = fields.Json(readonly=True)
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

    # -- taking over from Bookings -----------------------------------------------------------------

    def _remote_values(self, record):
        """:param graph.Customer record:"""
        address = record.address
        return self._person_values(record.name, record.email, record.phone) | {
            "in_directory": True,
            "address": {
                name: getattr(address, name)
                for name in ("street", "city", "state", "postal_code", "country")
                if getattr(address, name)
            }
            if address
            else False,
        }

    @api.model
    def _person_values(self, name, email, phone):
        return {
            "name": name or email or self.env._("Unknown person"),
            "email": email or False,
            "email_normalized": matching.normalize_email(email) or False,
            "phone": matching.clean_phone(phone) or False,
        }

    @api.model
    def _of_attendees(self, setup, attendees):
        """The rows of the people of ``{remote id: graph.Attendee}``, made where they are new.

        Where the directory is not synchronised, name, e-mail and phone follow the latest appointment.
        """
        known = {row.remote_id: row for row in self._of(setup, list(attendees))}
        to_create = []
        for remote_id, attendee in attendees.items():
            values = self._person_values(attendee.name, attendee.email, attendee.phone)
            row = known.get(remote_id)
            if row is None:
                to_create.append(values | {"setup_id": setup.id, "remote_id": remote_id})
            elif not row.in_directory:
                changed = {
                    name: value for name, value in values.items() if value and row[name] != value
                }
                if changed:
                    row.write(changed)
        # New rows have no bookings, archived ones included: nothing is looked for when their partner is set.
        created = self.with_context(active_test=False).create(to_create).with_env(self.env)
        return known | {row.remote_id: row for row in created}

    def _after_import(self, job):
        known = self.filtered("booking_ids")
        created = known._match_partners(job.setup)
        known.booking_ids._refresh_billing()
        return {"partners_created": created}

    # -- who it is in Odoo -------------------------------------------------------------------------

    @api.model
    def _partners_by_email(self, company, emails):
        """Partners of the company, or shared, by normalised e-mail: ``{e-mail: [matching.Candidate]}``."""
        emails = [email for email in emails if email]
        if not emails:
            return {}
        partner = self.env["res.partner"].sudo()
        found = {}
        for record in partner.search(
            [("email_normalized", "in", emails), *partner._check_company_domain(company)],
            order="id",
        ):
            found.setdefault(record.email_normalized, []).append(
                matching.Candidate(
                    id=record.id,
                    email=record.email_normalized,
                    company_id=record.company_id.id,
                    name=record.name or "",
                    parent_id=record.parent_id.id,
                    address=record.type != "contact",
                )
            )
        return found

    def _match_partners(self, setup, asked=False):
        """Link each row to its partner; create those that Odoo does not know where the setup says so.

        :param bool asked: a person wants new ones where not exactly one fits
        :returns: the number of partners created
        """
        rows = self.filtered(lambda row: not row.partner_id)
        if not rows:
            return 0
        importing = setup.customer_sync == "import"
        taking_part = importing and setup._in_filter(rows, "remote_customer_filter")
        by_email = self._partners_by_email(setup.company_id, rows.mapped("email_normalized"))
        to_create = {}
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
                row._importing().write({"partner_id": match.ids[0], "match": "linked"})
            elif asked or match.kind == "none" and taking_part and row in taking_part:
                to_create.setdefault(email or f"id:{row.remote_id}", self.browse())
                to_create[email or f"id:{row.remote_id}"] |= row
            elif row.match != match.kind:
                row.match = match.kind
        return self._create_partners(setup, list(to_create.values()))

    def _create_partners(self, setup, people):
        """One partner for each recordset of rows that are the same person."""
        defaults = setup._customer_defaults()
        countries = self._countries(
            {
                rows[:1].address["country"]
                for rows in people
                if (rows[:1].address or {}).get("country")
            }
        )
        partners = (
            self.env["res.partner"]
            .with_company(setup.company_id)
            .create([defaults | rows[:1]._partner_values(setup, countries) for rows in people])
        )
        # Their bookings follow the partner; all of them are looked for at once.
        self.browse().concat(*people).with_context(active_test=False).mapped("booking_ids")
        for rows, partner in zip(people, partners, strict=True):
            rows._importing().write({"partner_id": partner.id, "match": "linked"})
        return len(partners)

    def _importing(self):
        """For writes whose bookings are looked at afterwards, all at once."""
        return self.with_context(bookings_importing=True)

    def _partner_values(self, setup, countries):
        """What the person itself brings; wins over the template."""
        self.ensure_one()
        values = {
            "name": self.name,
            "email": self.email,
            "phone": self.phone,
            "company_id": setup.company_id.id,
        }
        if setup.language_id and not setup.customer_template_id.lang:
            values["lang"] = setup.language_id.code
        address = self.address or {}
        country = countries.get(address.get("country"))
        values |= {
            "street": address.get("street"),
            "city": address.get("city"),
            "zip": address.get("postal_code"),
        }
        if country:
            values["country_id"] = country.id
            state = self.env["res.country.state"].search(
                [
                    ("country_id", "=", country.id),
                    "|",
                    ("name", "=ilike", address.get("state") or "?"),
                    ("code", "=ilike", address.get("state") or "?"),
                ],
                limit=1,
            )
            values["state_id"] = state.id
        return {name: value for name, value in values.items() if value}

    @api.model
    def _countries(self, texts):
        """Countries by free text: their code, or their name in any installed language; unclear ones are left out."""
        if not texts:
            return {}
        countries = self.env["res.country"].search([("code", "!=", False)])
        names = [
            (country.name, country.code)
            for lang, _name in self.env["res.lang"].get_installed()
            for country in countries.with_context(lang=lang)
        ]
        by_code = {country.code: country for country in countries}
        codes = {text: matching.resolve_country(text, names) for text in texts}
        return {text: by_code[code] for text, code in codes.items() if code}

    # -- by hand -------------------------------------------------------------------------------------

    def write(self, vals):
        if vals.get("partner_id") and "match" not in vals:
            vals = vals | {"match": "linked"}
        result = super().write(vals)
        if ("partner_id" in vals or "payer_id" in vals) and not self.env.context.get(
            "bookings_importing"
        ):
            self.booking_ids._refresh_billing()
        return result

    def action_create_partner(self):
        """Create the customers of these rows from the setup's template, or link the one that is there meanwhile."""
        self.check_access("write")
        unknown = self.filtered(lambda row: not row.partner_id)
        for setup, rows in unknown.grouped("setup_id").items():
            rows._match_partners(setup, asked=True)
        unknown.booking_ids._refresh_billing()
        return {"type": "ir.actions.client", "tag": "soft_reload"} if unknown else False


class BookingsSyncSetup(models.Model):
    _inherit = "bookings.sync.setup"

    def _customer_defaults(self):
        """What the template partner gives to a new customer, read in the setup's company."""
        self.ensure_one()
        template = self.customer_template_id.with_company(self.company_id).sudo()
        values = {}
        for name in TEMPLATE_FIELDS:
            field = template._fields.get(name)
            if not template or field is None or not template[name]:
                continue
            values[name] = field.convert_to_write(template[name], template)
        return values
