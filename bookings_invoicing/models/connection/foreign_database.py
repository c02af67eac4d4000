from psycopg2.errors import InsufficientPrivilege

from odoo import api, fields, models
from odoo.tools import mute_logger

from ... import graph


class BookingsConnection(models.Model):
    """Recognizes copies of the database, so that a test copy does not read and bill the appointments of the original."""

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
