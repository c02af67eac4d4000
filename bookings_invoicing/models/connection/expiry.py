from datetime import timedelta

from psycopg2.errors import InsufficientPrivilege

from odoo import api, fields, models
from odoo.tools import mute_logger

from ... import graph, server_settings
from ..base.moments import EVERY_DAY

WARN_DAYS = (30, 7)
ACTIVITY = "bookings_invoicing.mail_activity_secret"


class BookingsConnection(models.Model):
    """Two risks of a connection that nobody notices: its secret expires, and its database is copied."""

    _inherit = "bookings.connection"

    database_uuid = fields.Char(
        string="Database",
        readonly=True,
        copy=False,
        default=lambda self: self._this_database()["database_uuid"],
        help="The database in which this connection was created or confirmed. Copies of it do not synchronize.",
    )
    # A raw copy has the same uuid. Connections from older versions get these values when the addon is updated.
    database_name = fields.Char(
        readonly=True, copy=False, default=lambda self: self._this_database()["database_name"]
    )
    database_cluster = fields.Char(
        string="PostgreSQL Cluster",
        readonly=True,
        copy=False,
        default=lambda self: self._this_database()["database_cluster"],
        help="System identifier of the PostgreSQL server. Empty if it cannot be read.",
    )
    is_foreign_database = fields.Boolean(compute="_compute_is_foreign_database")
    expiry_warned = fields.Integer(
        string="Expiry Reminder Sent",
        readonly=True,
        copy=False,
        help="Days before the expiry of which the last reminder was sent.",
    )
    secret_days_left = fields.Integer(compute="_compute_secret_days_left")

    # -- copies of the database --------------------------------------------------------------------

    @api.model
    def _this_database(self):
        """Return the field values that distinguish this database from its copies."""
        return {
            "database_uuid": self.env["ir.config_parameter"].sudo().get_param("database.uuid"),
            "database_name": self.env.cr.dbname,
            "database_cluster": self._this_cluster(),
        }

    @api.model
    def _this_cluster(self):
        """Return the system identifier of the PostgreSQL server (``pg_control_system()``), or False without permission."""
        try:
            with self.env.cr.savepoint(flush=False), mute_logger("odoo.sql_db"):
                self.env.cr.execute("SELECT system_identifier FROM pg_control_system()")
                return str(self.env.cr.fetchone()[0])
        except InsufficientPrivilege:
            return False

    @api.depends("database_uuid", "database_name", "database_cluster", "mode")
    def _compute_is_foreign_database(self):
        here = self._this_database()
        for connection in self:
            connection.is_foreign_database = connection.mode == "live" and any(
                connection[name] != value
                for name, value in here.items()
                # an unknown cluster, stored or current, does not prove a copy
                if name == "database_uuid" or (value and connection[name])
            )

    def _check_own_database(self):
        """Refuse to sign in from a copy, because two databases would bill the same appointments and share one sign-in.

        :raises graph.ConfigurationError: if this database is a copy
        """
        self.ensure_one()
        if self.is_foreign_database:
            raise graph.ConfigurationError(
                self.env._(
                    "This database is a copy of the one in which the connection was created, so nothing is "
                    "synchronized here. An administrator can allow it on the connection."
                ),
                kind="database_copy",
            )

    def action_confirm_database(self):
        """Allow this database to synchronize from now on."""
        self._check_system()
        self.check_access("write")
        for connection in self:
            connection.sudo().write(self._this_database())
            connection._message_log(
                body=self.env._("Synchronization from this database was allowed.")
            )
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    # -- expiry of secrets -------------------------------------------------------------------------

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

    # -- consequences of changes ---------------------------------------------------------------------

    def write(self, vals):
        moved = self.filtered(lambda connection: connection._is_moved_by(vals))
        result = super().write(vals)
        if "secret_expiry" in vals:
            self.sudo().expiry_warned = 0
            self.activity_unlink([ACTIVITY])
        for connection in moved:
            connection._keep_secret("tokens", "")
        if moved:
            moved.sudo().write({"sync_user_id": False, "sync_account": False, "may_write": False})
            moved._forget_test()
        return result

    def _may_move(self, name):
        # Administrators may share a connection or assign it to one company.
        return name == "company_id" and self.env.is_system()

    def _is_moved_by(self, vals):
        """Return whether these values change the tenant, app, or cloud, so that the current sign-in becomes invalid."""
        return any(
            name in vals and (vals[name] or False) != (self[name] or False)
            for name in ("mode", "cloud", "tenant_id", "client_id", "auth_method")
        )
