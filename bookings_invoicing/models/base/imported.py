from odoo import api, models

from . import bulk_insert

# Value of the context key ``bookings_importing``. It is compared by identity, so no RPC call can send it.
IMPORTING = object()


class BookingsImported(models.AbstractModel):
    """Mixin of models of which an import creates hundreds of rows at once. They are inserted together."""

    _name = "bookings.imported"
    _description = "Rows of an Import"

    @api.model
    def _is_import(self):
        return self.env.context.get("bookings_importing") is IMPORTING

    def _importing(self):
        """Return these rows as an import writes and creates them. It updates all bookings at once afterwards."""
        return self.sudo().with_context(bookings_importing=IMPORTING)

    @api.model
    def _prepare_create_values(self, vals_list):
        if self._is_import():
            return bulk_insert.completed(self, vals_list, super()._prepare_create_values)
        return super()._prepare_create_values(vals_list)

    @api.model
    def _create(self, data_list):
        if not self._is_import():
            return super()._create(data_list)
        for data in data_list:
            data["inversed"].clear()  # a price from Bookings is not a manual price
        bulk_insert.protect_given(self, data_list)
        return bulk_insert.insert(self, data_list)
