from odoo import api, models


class BookingsOwnLinks(models.AbstractModel):
    """Wizards link to what their user may read only.

    Odoo shows the name of a linked record to whoever sees the link, and works out stored fields with
    all rights. Names and amounts here are those of customers, of other companies' too.
    """

    _name = "bookings.own.links"
    _description = "Links to Own Records"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._check_links()
        return records

    def write(self, vals):
        result = super().write(vals)
        self._check_links()
        return result

    def _check_links(self):
        """Raise AccessError where these records link to one of ours that the user may not read."""
        if self.env.su:
            return
        for name, field in self._fields.items():
            if field.relational and field.store and field.comodel_name.startswith("bookings."):
                if not self.pool[field.comodel_name]._transient:
                    self.sudo()[name].sudo(False).check_access("read")
