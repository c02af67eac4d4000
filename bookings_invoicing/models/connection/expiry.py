from datetime import timedelta

from odoo import api, fields, models

from ... import graph, server_settings
from ..base.moments import EVERY_DAY

WARN_DAYS = (30, 7)
ACTIVITY = "bookings_invoicing.mail_activity_secret"


class BookingsConnection(models.Model):
    """Reminders before the secret or certificate of a connection expires, and the rest of the daily work."""

    _inherit = "bookings.connection"

    expiry_warned = fields.Integer(
        string="Expiry Reminder Sent",
        readonly=True,
        copy=False,
        help="Days before the expiry of which the last reminder was sent.",
    )
    secret_days_left = fields.Integer(compute="_compute_secret_days_left")

    @api.depends("secret_expiry")
    def _compute_secret_days_left(self):
        today = fields.Date.context_today(self)
        for connection in self:
            connection.secret_days_left = (
                (connection.secret_expiry - today).days if connection.secret_expiry else 0
            )

    @api.model
    def _cron_daily(self):
        """Daily work: encrypt secrets with the newest key, warn of expiring secrets, and announce EVERY_DAY."""
        try:
            self.env["bookings.connection.secret"]._reseal_all()
        except server_settings.SecretUnreadable:
            unreadable = (
                self.sudo().search([("mode", "=", "live")]).filtered(lambda c: not c._is_readable())
            )
            for connection in unreadable:
                connection._mark_attention(
                    graph.ConfigurationError(
                        kind="secret_unreadable",
                        message=self.env._(
                            "The stored secret was encrypted with another key. Enter it again, or set the key it "
                            "was encrypted with on the server (BOOKINGS_SECRET_KEY)."
                        ),
                    )
                )
        self._warn_of_expiry()
        EVERY_DAY(self)

    def _is_readable(self):
        try:
            self._secret_text("credential")
        except server_settings.SecretUnreadable:
            return False
        return True

    @api.model
    def _warn_of_expiry(self):
        """Remind the responsible users 30 and 7 days before a secret or certificate expires, with an activity each."""
        today = fields.Date.context_today(self)
        soon = self.search(
            [("mode", "=", "live"), ("secret_expiry", "<=", today + timedelta(days=max(WARN_DAYS)))]
        )
        for connection in soon:
            step = min(days for days in WARN_DAYS if connection.secret_days_left <= days)
            if not connection.expiry_warned or step < connection.expiry_warned:
                connection.activity_unlink([ACTIVITY])
                connection._tell_responsible(
                    ACTIVITY,
                    self.env._(
                        "The client secret of this connection expires on %s. Create a new one in the Microsoft "
                        "Entra admin center and enter it here; otherwise synchronization stops.",
                        connection.secret_expiry,
                    ),
                    date_deadline=max(connection.secret_expiry, today),
                )
                connection.sudo().expiry_warned = step

    def _forget_reminder(self):
        """Start again with reminders, because the expiry date has changed."""
        self.sudo().expiry_warned = 0
        self.activity_unlink([ACTIVITY])
