from collections import Counter

from odoo import api, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

from ...billing import matching
from ...billing.both_ways import is_same, merge
from ...billing.digest import content_hash
from ..base.moments import TO_WRITE
from ..base.remote_record import IMPORTING, UNREAD
from ..base.safe_text import plain_records

# Customers in the list of Bookings
LISTED = [("in_directory", "=", True), ("removed", "=", False)]


class BookingsCustomer(models.Model):
    """Customers that are kept the same in Odoo and in Bookings.

    How it works: ``same`` stores what was last the same on both sides, so that a merge shows which side has changed. It
    runs whenever the row was read: values of Bookings go to the contact at once, and those of the contact to the outbox.
    """

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
            setup: mine.partner_id._bookings_people(setup) - mine._shared_partners()
            for setup, mine in rows.grouped("setup_id").items()
        }
        return rows.filtered(lambda row: row.partner_id in people[row.setup_id])

    def _shared_partners(self):
        """Return the contacts of these rows that have several customers in the list of Bookings."""
        listed = [("setup_id", "in", self.setup_id.ids), *LISTED]
        groups = self.sudo()._read_group(
            [*listed, ("partner_id", "in", self.partner_id.ids)],
            ["setup_id", "partner_id"],
            having=[("__count", ">", 1)],
        )
        return self.env["res.partner"].browse(partner.id for _setup, partner in groups)

    @api.model
    def _partners_to_offer(self, setup, among=None):
        """Return the contacts that should become customers in Bookings: those in the setup's filter without a row.

        :param among: contacts to choose from; all without it
        """
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        if not (setup.partner_filter and setup._is_confirmed("customer")):
            return partners
        try:
            return self._partners_in_filter(setup, among)
        except (
            ValidationError
        ):  # the next synchronization reports the filter; contacts can be saved all the same
            return partners

    @api.model
    def _partners_in_filter(self, setup, among=None):
        """Return the contacts in the setup's filter that may be sent and have no row yet.

        :raises ValidationError: if the filter is invalid
        """
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
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

    def _in_bookings(self):
        """Return the values of this row to compare with those of a contact."""
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

    def _to_send(self, names):
        """Return the contact's values of these fields as Bookings should hold them."""
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

    # -- merging -----------------------------------------------------------------------------------

    def _merge(self):
        """Merge these rows with their contacts, and let the outbox write to Bookings what differs there."""
        TO_WRITE(self.filtered(lambda row: row._settle()))

    def _settle(self, decided=None, sending=False):
        """Merge this row with its contact: write to the contact, note conflicts, and note what is the same.

        :param str decided: field that a user has decided
        :param bool sending: whether the result is written to Bookings at once
        :returns: the values to write to Bookings
        """
        self.ensure_one()
        partner, there = self.partner_id.sudo(), self._in_bookings()
        last = (self.same or {}) | self._arrived(there)
        found = merge(last, partner._bookings_values(), there, self.setup_id.when_both_changed)
        if (
            "address" in found.to_odoo
            and decided != "address"
            and partner._bookings_shares_address()
        ):
            here = partner._bookings_values()["address"]
            found.conflicts["address"] = here, found.to_odoo.pop("address")
        if found.to_odoo:
            values = self._contact_of(found.to_odoo)
            partner.with_context(bookings_importing=IMPORTING)._bookings_take_contact(values)
            same_person = [("partner_id", "=", partner.id), ("id", "!=", self.id)]
            TO_WRITE(self.sudo().search(same_person)._both_ways())
        noted = {
            "same": last | found.same | found.to_odoo,
            "sending": found.to_bookings if sending and found.to_bookings else False,
        }
        if noted != {name: self[name] for name in noted}:
            self.sudo().write(noted)
        self._note_conflicts(found.conflicts)
        return self._to_send(found.to_bookings)

    def _arrived(self, there):
        """Return what Odoo has written to Bookings and could not note, because no answer came or the process ended."""
        sent = self.sending or {}
        return {name: value for name, value in sent.items() if is_same(name, there[name], value)}

    def _decide(self, field, side):
        """Settle a conflict as a user decided.

        :param str side: the side whose value is taken: ``odoo`` or ``bookings``
        :raises UserError: if the value of Bookings can no longer be taken
        """
        both = self._both_ways()
        if side == "bookings" and both != self:
            raise UserError(
                self.env._(
                    "%s is no longer kept the same in Odoo and in Bookings. Enter the value on the contact, or keep "
                    "the one of Odoo.",
                    self.display_name,
                )
            )
        for row in both:
            other = (
                row._in_bookings() if side == "odoo" else row.partner_id.sudo()._bookings_values()
            )
            row.sudo().same = (row.same or {}) | {field: other.get(field, "")}
            if row._settle(decided=field):
                TO_WRITE(row)

    def _note_conflicts(self, conflicts):
        """Propose the values that differ on both sides to a user, in place of earlier proposals for this row.

        :param dict conflicts: as in :class:`..billing.both_ways.Merge`
        """
        proposals = self.env["bookings.proposal"].sudo()
        waiting = proposals.search([("customer_id", "=", self.id), ("state", "=", "open")])
        kept = proposals
        for field, values in conflicts.items():
            here, there = (_shown(value) or "–" for value in values)
            known = waiting.filtered(
                lambda one, facts=(field, here, there): (
                    (one.field, one.current, one.proposed) == facts
                )
            )
            kept |= known or proposals.create(
                {
                    "setup_id": self.setup_id.id,
                    "customer_id": self.id,
                    "partner_id": self.partner_id.id,
                    "field": field,
                    "current": here,
                    "proposed": there,
                    "why": self.env._("Changed in Odoo and in Bookings."),
                }
            )
        (waiting - kept).state = "dismissed"

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
                found += read._foresee_one(rows.get(remote_id, self).same, partner)
        met = self.env["res.partner"].sudo().concat(*partners.values())
        return found + [
            ("create_there", one.name, one.email_normalized)
            for one in self._partners_in_filter(setup) - met
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

    def _foresee_one(self, same, partner):
        """Return what a merge of this row with a contact would do, as in :meth:`_foresee`."""
        met = merge(same, partner._bookings_values(), self._in_bookings(), "ask")
        here, there = partner._bookings_values(), self._in_bookings()
        changes = {
            "change_there": {name: (there[name], value) for name, value in met.to_bookings.items()},
            "change_here": {name: (here[name], value) for name, value in met.to_odoo.items()},
            "conflict": met.conflicts,
        }
        return [
            (
                outcome,
                partner.name or self.name,
                self._changes_text(values, "≠" if outcome == "conflict" else "→"),
            )
            for outcome, values in changes.items()
            if values
        ]

    def _changes_text(self, values, sign):
        """:param dict values: ``{field: (value, other value)}``; for conflicts, the one in Odoo comes first"""
        return "; ".join(
            f"{self._fields[name]._description_string(self.env)}: "
            f"{_shown(one) or '–'} {sign} {_shown(other) or '–'}"
            for name, (one, other) in values.items()
        )

    @api.model
    def _read_all_again(self, setup):
        """Let the next synchronization merge all customers of the setup, even if they have not changed in Bookings."""
        listed = self.sudo().search([("setup_id", "=", setup.id), ("remote_hash", "!=", False)])
        listed.write({"remote_hash": UNREAD})

    # -- reading -----------------------------------------------------------------------------------

    def _store_read(self, values):
        """Store the values of one customer, as just read from Bookings, without passing them on.

        :param values: values of :meth:`_remote_values`
        """
        self._importing().write(values | {"remote_hash": content_hash(values), "removed": False})


def _shown(value):
    """Return a value as one line."""
    if not isinstance(value, dict):
        return value
    town = " ".join(filter(None, (value["postal_code"], value["city"])))
    return ", ".join(filter(None, (value["street"], town, value["state"], value["country"])))
