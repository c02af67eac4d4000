from odoo import api, fields, models

ADMIN = "base.group_system"  # as all settings


class ResConfigSettings(models.TransientModel):
    """The state of Microsoft Bookings and the next step, shown among the settings of Invoicing."""

    _inherit = "res.config.settings"

    bookings_connection_count = fields.Integer(compute="_compute_bookings", groups=ADMIN)
    bookings_connections = fields.Char(compute="_compute_bookings", groups=ADMIN)
    bookings_setup_count = fields.Integer(compute="_compute_bookings", groups=ADMIN)
    bookings_setups = fields.Char(compute="_compute_bookings", groups=ADMIN)
    bookings_attention = fields.Boolean(compute="_compute_bookings", groups=ADMIN)
    bookings_next_step = fields.Char(compute="_compute_bookings", groups=ADMIN)

    bookings_address_limit = fields.Monetary(
        related="company_id.bookings_address_limit",
        readonly=False,
        currency_field="currency_id",
        groups=ADMIN,
    )
    bookings_business_details = fields.Boolean(
        related="company_id.bookings_business_details", readonly=False, groups=ADMIN
    )

    @api.depends("company_id")
    def _compute_bookings(self):
        # the settings must also open for administrators without a role in this addon
        for settings in self.sudo():
            company = settings.company_id
            connections = settings.env["bookings.connection"].search(
                [("company_id", "in", (False, company.id))]
            )
            setups = settings.env["bookings.sync.setup"].search([("company_id", "=", company.id)])
            settings.bookings_connection_count = len(connections)
            settings.bookings_connections = settings._bookings_states(connections, "state")
            settings.bookings_setup_count = len(setups)
            settings.bookings_setups = settings._bookings_states(setups, "health")
            settings.bookings_attention = "attention" in setups.mapped("health")
            settings.bookings_next_step = setups._first_step(company)[0]

    def _bookings_states(self, records, field):
        """Return the names and states of the first five records as text."""
        labels = dict(records._fields[field]._description_selection(self.env))
        return ", ".join(f"{record.name}: {labels.get(record[field])}" for record in records[:5])
