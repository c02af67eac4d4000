from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    bookings_connection_count = fields.Integer(compute="_compute_bookings")
    bookings_setup_count = fields.Integer(compute="_compute_bookings")
    bookings_attention = fields.Boolean(compute="_compute_bookings")

    @api.depends("company_id")
    def _compute_bookings(self):
        for settings in self:
            connections = self.env["bookings.connection"].search(
                [("company_id", "in", (False, settings.company_id.id))]
            )
            setups = self.env["bookings.sync.setup"].search([("company_id", "=", settings.company_id.id)])
            settings.bookings_connection_count = len(connections)
            settings.bookings_setup_count = len(setups)
            settings.bookings_attention = any(setup.health == "attention" for setup in setups)
