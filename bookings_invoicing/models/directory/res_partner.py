from odoo import api, models

from ...billing import matching


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
        """Return a phone number, or an address in one line."""
        country = self.env["res.country"].browse(values.get("country_id") or ())
        state = self.env["res.country.state"].browse(values.get("state_id") or ())
        town = " ".join(values[name] for name in ("zip", "city") if values.get(name))
        parts = (values.get("phone"), values.get("street"), town, state.name, country.name)
        return ", ".join(filter(None, parts))
