from odoo import api, fields, models

DAY = 86400


class BookingsSyncSetup(models.Model):
    """How a setup is doing: what the health board shows over all companies that are switched on."""

    _inherit = "bookings.sync.setup"

    last_sync_age = fields.Char(
        string="Last Sync",
        compute="_compute_last_sync_age",
        help="How long ago appointments were read",
    )
    secret_expiry = fields.Date(related="connection_id.secret_expiry", string="Secret Expires")
    secret_days_left = fields.Integer(compute="_compute_secret_days_left")
    unmapped_service_count = fields.Integer(
        string="Services Without Product", compute="_compute_open_points", compute_sudo=True
    )
    unknown_customer_count = fields.Integer(
        string="Unknown Customers", compute="_compute_open_points", compute_sudo=True
    )
    unbilled_amount = fields.Monetary(
        string="Unbilled",
        compute="_compute_open_points",
        compute_sudo=True,
        help="Amount of the bookings that have ended and are on no invoice",
    )

    @api.depends("last_appointment_sync")
    @api.depends_context("lang")
    def _compute_last_sync_age(self):
        now = fields.Datetime.now()
        for setup in self:
            setup.last_sync_age = setup._age_text(setup.last_appointment_sync, now)

    def _age_text(self, moment, now):
        if not moment:
            return self.env._("never")
        seconds = max((now - moment).total_seconds(), 0)
        if seconds < 2 * 3600:
            return self.env._("%s min", int(seconds // 60))
        if seconds < 2 * DAY:
            return self.env._("%s h", int(seconds // 3600))
        return self.env._("%s days", int(seconds // DAY))

    @api.depends("secret_expiry")
    def _compute_secret_days_left(self):
        today = fields.Date.context_today(self)
        for setup in self:
            expiry = setup.secret_expiry
            setup.secret_days_left = (expiry - today).days if expiry else 9999

    def _compute_open_points(self):
        """Three grouped queries for the whole board."""
        services = self.env["bookings.service"]._read_group(
            [
                ("setup_id", "in", self.ids),
                ("product_id", "=", False),
                ("taken", "=", True),
                ("removed", "=", False),
            ],
            ["setup_id"],
            ["__count"],
        )
        customers = self.env["bookings.booking"]._read_group(
            [
                ("setup_id", "in", self.ids),
                ("status", "in", ("ready", "attention", "upcoming")),
                ("customer_id", "!=", False),
                ("partner_id", "=", False),
            ],
            ["setup_id"],
            ["customer_id:count_distinct"],
        )
        amounts = self.env["bookings.booking"]._read_group(
            [("setup_id", "in", self.ids), *self.env["bookings.booking"]._uninvoiced_domain()],
            ["setup_id"],
            ["amount:sum"],
        )
        services, customers, amounts = dict(services), dict(customers), dict(amounts)
        for setup in self:
            setup.unmapped_service_count = services.get(setup, 0)
            setup.unknown_customer_count = customers.get(setup, 0)
            setup.unbilled_amount = amounts.get(setup, 0.0)

    @api.model
    def _health_report(self):
        """For monitors: how all setups of all companies are doing, in figures; no names of customers, no error texts.

        :returns: ``status`` (ok, late, attention: the worst), ``setups`` (number that are synchronized by the clock),
            ``late`` and ``attention`` (id, name, last good synchronization of each), ``oldest_sync`` (UTC) and
            ``oldest_sync_seconds`` (of the setup that waits longest; null where one was never read),
            ``secret_days_left`` (of the secret that ends first; null where none has a date)
        """
        setups = self.search([("paused", "=", False), ("connection_id.active", "=", True)])
        late = setups.filtered(lambda setup: setup._is_late())
        attention = setups.filtered(lambda setup: setup.health == "attention")
        moments = [setup._last_good() for setup in setups]
        oldest = min(moments) if moments and all(moments) else None
        expiries = setups.connection_id.filtered("secret_expiry").mapped("secret_days_left")
        return {
            "status": "late" if late else "attention" if attention else "ok",
            "setups": len(setups),
            "late": [setup._health_line() for setup in late],
            "attention": [setup._health_line() for setup in attention],
            "oldest_sync": oldest and f"{oldest.isoformat()}Z",
            "oldest_sync_seconds": oldest and int((fields.Datetime.now() - oldest).total_seconds()),
            "secret_days_left": min(expiries, default=None),
        }

    def _health_line(self):
        last = self._last_good()
        return {
            "id": self.id,
            "name": self.name,
            "last_sync": last and f"{last.isoformat()}Z" or None,
        }
