from collections import Counter

from odoo import api, models
from odoo.fields import Domain

from ...billing import matching
from ..base.imported import IMPORTING
from ..base.safe_text import plain_records

# Customers in the list of Bookings
LISTED = [("in_directory", "=", True), ("removed", "=", False)]


class BookingsCustomer(models.Model):
    """Customers that are kept the same as their contacts. For how it works, see :mod:`.kept_same`."""

    _inherit = "bookings.customer"

    def _both_ways(self):
        """Return the rows that are kept the same as their contacts.

        Companies, contacts of users, archived contacts, and anonymized people take no part. Neither do several customers
        with one contact: they may be a family with one email address, whose names must not be mixed.
        """
        rows = self.filtered(
            lambda row: (
                row.setup_id._is_confirmed("customer")
                and row.partner_id
                and row.in_directory
                and not (row.removed or row.is_forgotten)
            )
        )
        people = {
            setup: mine.partner_id._bookings_people(setup) - mine._with_shared_link(LISTED)
            for setup, mine in rows.grouped("setup_id").items()
        }
        return rows.filtered(lambda row: row.partner_id in people[row.setup_id])

    @api.model
    def _offered(self, setup, among=None):
        """Return the contacts in the setup's filter that may be sent and have no row yet; none without a filter."""
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        if not setup.partner_filter:
            return partners
        setups = setup.sudo().with_context(active_test=False)
        templates = setups.search([("customer_template_id", "!=", False)]).customer_template_id
        found = partners.search(
            setup._filter_domain("partner_filter")
            & Domain(partners._check_company_domain(setup.company_id))
            & Domain([("type", "=", "contact"), ("email_normalized", "!=", False)])
            & Domain([("active", "=", True), ("is_company", "=", False), ("user_ids", "=", False)])
            & Domain("id", "not in", templates.ids)
            & (Domain.TRUE if among is None else Domain("id", "in", among.ids)),
            order="id",
        )
        rows = self.sudo().search([("setup_id", "=", setup.id), ("partner_id", "in", found.ids)])
        found -= rows.partner_id
        # the email address of another contact's customer: a family
        same = [("email_normalized", "in", found.mapped("email_normalized")), *LISTED]
        rows = self.sudo().search([("setup_id", "=", setup.id), ("partner_id", "!=", False), *same])
        taken = {*rows.mapped("email_normalized")}
        return found.filtered(lambda one: one.email_normalized not in taken)._bookings_people(setup)

    # -- values ------------------------------------------------------------------------------------

    def _in_odoo(self):
        return self.partner_id.sudo()._bookings_values()

    def _in_bookings(self):
        self.ensure_one()
        nameless = self.name in (self.email, self.env._("Unknown Person"))
        return {
            "name": "" if nameless else self.name,
            "email": self.email or "",
            "phone": self.phone or "",
            "address": self._plain_address(self.address),
        }

    @api.model
    def _plain_address(self, address):
        """Return an address of Bookings with codes in place of the names of countries and states that Odoo knows."""
        found = self._contact_values(None, address)
        return {
            "street": found["street"] or "",
            "city": found["city"] or "",
            "state": self.env["res.country.state"].browse(found["state_id"] or ()).code or "",
            "postal_code": found["zip"] or "",
            "country": self.env["res.country"].browse(found["country_id"] or ()).code or "",
        }

    def _contact_of(self, values):
        """Convert values of :meth:`_in_bookings` to field values of the contact.

        A country or state that Odoo does not know leaves the one of the contact as it is.
        """
        plain = {
            name: values[name] or False for name in ("name", "email", "phone") if name in values
        }
        if "address" not in values:
            return plain
        given = self._contact_values(None, self.address)
        del given["phone"]
        for name, part in (("country_id", "country"), ("state_id", "state")):
            if not given[name] and (self.address or {}).get(part):
                del given[name]
        return plain | given | {"street2": False}

    def _take(self, values):
        partner = self.partner_id.sudo().with_context(bookings_importing=IMPORTING)
        partner._bookings_take_contact(self._contact_of(values))

    def _never_taken(self, names):
        shared = self.partner_id.sudo()._bookings_shares_address()
        return names & {"address"} if shared else set()

    def _to_send(self, names):
        partner = self.partner_id.sudo()
        values = {name: partner._bookings_values()[name] for name in names}
        if "address" in values:
            values["address"] = partner._bookings_address(self.setup_id) | {
                part: self.address[part]
                for part, known in (("country", partner.country_id), ("state", partner.state_id))
                if not known and self._is_unknown(part)
            }
        return values

    def _is_unknown(self, part):
        """Return whether the address has a country or state that Odoo does not know, which Bookings keeps then."""
        return bool((self.address or {}).get(part)) and not self._plain_address(self.address)[part]

    # -- before it begins --------------------------------------------------------------------------

    @api.model
    def _foresee(self, setup, records):
        """Return what would happen to these customers, and to contacts in the filter: ``[(outcome, name, values)]``.

        :param list records: all customers in Bookings, as ``graph.Customer``
        """
        records = plain_records(self.env["bookings.forgotten"]._hide(setup, records))
        rows = {row.remote_id: row for row in self._of(setup, [one.id for one in records])}
        fresh = {one.id: self.new(self._remote_values(setup, one)) for one in records}
        emails = {one.email_normalized for one in fresh.values()}
        by_email = self._partners_by_email(setup.company_id, emails)
        partners = {}
        for remote_id, read in fresh.items():
            row = rows.get(remote_id, self)
            if row.is_forgotten:
                continue
            kind, partner = "linked", row.partner_id.sudo()
            if not partner:
                kind, partner = read._partner_found(setup, by_email, remote_id)
            if kind != "many":
                partners[remote_id] = partner
        number = Counter(partners.values())
        found = []
        for remote_id, partner in partners.items():
            read = fresh[remote_id]
            if not partner:
                if read._taking_part(setup):
                    found.append(("create_here", read.name, ""))
            elif number[partner] > 1:
                found.append(("left", read.name, partner.display_name))
            elif partner._bookings_people(setup):
                read.partner_id = partner
                found += read._foresee_one(rows.get(remote_id, self).same)
        met = self.env["res.partner"].sudo().concat(*partners.values())
        return found + [
            ("create_there", one.name, one.email_normalized) for one in self._offered(setup) - met
        ]

    def _partner_found(self, setup, by_email, remote_id):
        """Return the kind of match, as in :mod:`..billing.matching`, and the contact if there is just one."""
        match = matching.match_partner(
            None,
            self.email_normalized or "",
            by_email.get(self.email_normalized, ()),
            setup.company_id.parent_ids.ids,
            remote_id=remote_id,
            name=self.name,
        )
        found = match.ids if match.kind == "one" else ()
        return match.kind, self.env["res.partner"].sudo().browse(found)
