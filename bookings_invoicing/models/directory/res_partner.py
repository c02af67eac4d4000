from odoo import api, models

from ...billing import countries, matching
from ..base import bulk_insert
from ..base.imported import IMPORTING

# Fields of a contact that Bookings has as well, and the one that brings the address of a company
BOTH_WAYS = {
    "name", "email", "phone", "street", "street2", "city", "zip", "state_id", "country_id", "parent_id",
}  # fmt: skip


class ResPartner(models.Model):
    """Contacts of Bookings customers: updates of phone and address, and the choice of a contact by a user."""

    _inherit = "res.partner"

    def _bookings_has(self, values):
        """Return whether the contact has these values of phone or address, regardless of spacing and case."""
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
        """Store a phone or address that changed in Bookings, and log the previous value."""
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
        """Return name, email address, phone number, and address, as far as they are given, in one line."""
        country = self.env["res.country"].browse(values.get("country_id") or ())
        state = self.env["res.country.state"].browse(values.get("state_id") or ())
        town = " ".join(values[name] for name in ("zip", "city") if values.get(name))
        person = (values.get(name) for name in ("name", "email", "phone", "street"))
        parts = (*person, town, state.name, country.name)
        return ", ".join(filter(None, parts))

    @api.model
    def _bookings_create(self, shared, vals_list):
        """Create contacts, equal in every column to those of a plain ``create``.

        What is the same for all of them is done once: the default values, what follows from these, and the check of
        companies (:meth:`_check_company`). Without a parent, Odoo has no relatives to synchronize. They are written
        to the database together, before a search writes some of their columns first.

        :param dict shared: values of all contacts, which those of a contact replace
        """
        if not vals_list:
            return self
        definition = self.env["properties.base.definition"]._get_definition_id_for_property_field
        # Odoo gives this definition to each contact. It has the default values of properties.
        base = {"properties_base_definition_id": definition(self._name, "properties")}
        shared = self._add_missing_default_values(base | shared)
        once = self._bookings_alike(shared, {name for vals in vals_list for name in vals})
        shared |= {
            field.name: field.convert_to_write(one[field.name], one)
            for one in (self.new(shared) if once else ())
            for field in once
        }
        alone = not any(vals.get("parent_id") for vals in (shared, *vals_list))
        contacts = self.with_context(
            bookings_defaults=frozenset(shared), _partners_skip_fields_sync=alone
        )
        partners = contacts.create([shared | vals for vals in vals_list]).with_env(self.env)
        # Odoo computes these one by one, because a parent must come before its children.
        for name in ("commercial_partner_id", "complete_name") if alone else ():
            self._fields[name].compute_value(partners)
        partners.flush_recordset()
        return partners

    @api.model
    def _bookings_alike(self, shared, own):
        """Return the fields whose computed values are the same for all contacts of :meth:`_bookings_create`.

        :param own: names of the fields in which the contacts may differ
        """

        def follows_from_own(field):
            roots = {path.split(".")[0] for path in self.pool.field_depends[field]}
            # an image of another size must not follow from a computed one
            return (
                roots & own or field.related and any(self._fields[name].compute for name in roots)
            )

        return [
            field
            for field in self._fields.values()
            if field.precompute or (field.store and field.related)
            if not (field.name in shared or field.inverse or follows_from_own(field))
        ]

    @api.model
    def _add_missing_default_values(self, values):
        known = self.env.context.get("bookings_defaults")
        if isinstance(known, frozenset) and known <= values.keys():
            return dict(values)  # from :meth:`_bookings_create`, which has added them
        return super()._add_missing_default_values(values)

    @api.model
    def _create(self, data_list):
        if self.env.context.get("bookings_importing") is IMPORTING:
            bulk_insert.protect_given(self, data_list)
            return bulk_insert.insert(self, data_list)
        return super()._create(data_list)

    def _check_company(self, fnames=None):
        if self.env.context.get("bookings_importing") is not IMPORTING:
            return super()._check_company(fnames)
        # of contacts with the same company and the same links, one is checked
        links = [f.name for f in self._fields.values() if f.relational and f.check_company]
        names = [name for name in ("company_id", *links) if name in self._fields]
        alike = {tuple(one[name]._ids for name in names): one.id for one in self.sudo()}
        return super(ResPartner, self.browse(alike.values()))._check_company(fnames)

    # -- both ways -----------------------------------------------------------------------------------

    def _bookings_people(self, setup):
        """Return the contacts of whom the setup may write to Bookings.

        Companies, contacts of users, archived contacts, and people who were anonymized are left out.
        """
        people = self.sudo().with_context(active_test=False)
        people = people.filtered(lambda one: one.active and not (one.is_company or one.user_ids))
        known = {one: matching.normalize_email(one.email_normalized) for one in people}
        hidden = self.env["bookings.forgotten"]._forgotten_emails(setup, known.values())
        return people.filtered(lambda one: known[one] not in hidden)

    def _bookings_values(self):
        """Return the values of this contact to compare with those in Bookings, with codes of country and state."""
        self.ensure_one()
        email = self.email_normalized or ""
        return {
            # a contact without a name was created with its email address in place of it
            "name": self.name if self.name and self.name != email else "",
            "email": email,
            "phone": matching.clean_phone(self.phone),
            "address": self._bookings_address(),
        }

    def _bookings_address(self, setup=None):
        """Return the address in the words of Bookings.

        :param setup: the setup in whose language country and state are named; without it, with their codes
        """
        country, state = self.country_id.code or "", self.state_id.code or ""
        if setup is not None:
            name = self.country_id.with_context(lang=setup.language_id.code or "en_US").name or ""
            # a name that is not understood when it is read again would look like a change
            country = name if countries.resolve_country(name) == country else country
            state = self.state_id.name or ""
        return {
            "street": ", ".join(filter(None, (self.street, self.street2))),
            "city": self.city or "",
            "state": state,
            "postal_code": self.zip or "",
            "country": country,
        }

    def _bookings_shares_address(self):
        """Return whether the address belongs to the company of this contact as well."""
        return bool(self.parent_id) and self.type == "contact"
