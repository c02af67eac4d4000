from odoo import api, models

from ...billing import matching


class ResPartner(models.Model):
    """Contacts of people that Bookings knows: phone and address follow it, and a person says who is who."""

    _inherit = "res.partner"

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
