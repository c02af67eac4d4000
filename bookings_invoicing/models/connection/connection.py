from datetime import timedelta

import requests

from odoo import api, fields, models

from ... import graph, sandbox, server_settings
from ..base.bounded import DAYS
from ..base.graph_errors import Told
from .token_store import StoredTokens

SANDBOX_DAYS = 76


class BookingsConnection(models.Model):
    """The sign-in of Odoo to one Microsoft 365 tenant.

    In mode *live*, the connection uses Microsoft Graph. In mode *sandbox*, it uses the same client with a sample tenant
    inside this process, so that users can try everything without a Microsoft account.
    """

    _name = "bookings.connection"
    _description = "Microsoft 365 Connection"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "bookings.own.links",
        "bookings.bounded",
        "bookings.responsible",
        "bookings.next.step",
    ]
    _check_company_auto = True
    _order = "name, id"
    _next_step_depends = ("mode", "state", "auth_method", "tenant_id", "client_id")

    name = fields.Char(
        compute="_compute_name",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        tracking=True,
    )
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        index=True,
        # "set null" would share the connection with all companies
        ondelete="restrict",
        help="The company that may use this connection. Leave empty to share it with all companies.",
    )
    mode = fields.Selection(
        [("live", "Microsoft 365"), ("sandbox", "Sandbox (sample data)")],
        default="live",
        required=True,
        tracking=True,
        help="The sandbox is a sample business with all kinds of appointments. No data leaves this server.",
    )
    cloud = fields.Selection(
        [
            ("global", "Worldwide"),
            ("gcc_high", "US Government (GCC High)"),
            ("dod", "US Government (DoD)"),
            ("custom", "Custom (server configuration)"),
        ],
        default="global",
        required=True,
        tracking=True,
        help="Microsoft Bookings is not available in the cloud operated by 21Vianet in China.",
    )
    tenant_id = fields.Char(
        string="Tenant ID", tracking=True, help="Directory (tenant) ID of the app registration."
    )
    client_id = fields.Char(
        string="Client ID", tracking=True, help="Application (client) ID of the app registration."
    )
    auth_method = fields.Selection(
        [
            ("secret", "Client secret"),
            ("certificate", "Certificate"),
            ("delegated", "A user signs in with Microsoft"),
        ],
        string="Sign-in",
        default="secret",
        required=True,
        tracking=True,
    )
    secret_expiry = fields.Date(
        bounds=DAYS,
        help="Microsoft shows this date next to the secret. The responsible user is reminded 30 and 7 days before.",
        tracking=True,
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        help="Notified when the connection needs attention.",
    )
    state = fields.Selection(
        [("draft", "Not tested"), ("connected", "Connected"), ("attention", "Needs Attention")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    may_write = fields.Boolean(
        string="May Write to Bookings",
        readonly=True,
        copy=False,
        tracking=True,
        help="Whether Odoo may change anything in Microsoft Bookings through this connection. What is written is "
        "selected on each sync setup.",
    )
    error_message = Told(readonly=True, copy=False)
    error_date = fields.Datetime(readonly=True, copy=False)
    setup_ids = fields.One2many("bookings.sync.setup", "connection_id", string="Sync Setups")
    setup_count = fields.Integer(
        string="Number of Setups", compute="_compute_setup_count", compute_sudo=True
    )
    sandbox_seed = fields.Integer(default=1, copy=False, bounds=(0, 10**9))
    sandbox_anchor = fields.Date(default=fields.Date.today, copy=False, bounds=DAYS)
    sandbox_size = fields.Integer(
        copy=False,
        bounds=(0, 10**6),
        help="Number of sample appointments. 0 = default number.",
    )
    sandbox_change_ids = fields.One2many(
        "bookings.sandbox.change", "connection_id", string="Sandbox Changes"
    )

    @api.depends("mode")
    def _compute_name(self):
        names = {"live": self.env._("Microsoft 365"), "sandbox": self.env._("Sandbox")}
        for connection in self:
            if not connection.name or connection.name in names.values():
                connection.name = names.get(connection.mode)

    @api.depends("setup_ids")
    def _compute_setup_count(self):
        counts = dict(
            self.env["bookings.sync.setup"]._read_group(
                [("connection_id", "in", self.ids)], ["connection_id"], ["__count"]
            )
        )
        for connection in self:
            connection.setup_count = counts.get(connection, 0)

    # -- consequences of changes ---------------------------------------------------------------------

    def write(self, vals):
        moved = self.filtered(lambda connection: connection._is_moved_by(vals))
        result = super().write(vals)
        if "secret_expiry" in vals:
            self._forget_reminder()
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

    # -- the client ------------------------------------------------------------------------------

    def _client(self):
        """Return the Graph client of this connection. It sends nothing yet.

        :rtype: bookings_invoicing.graph.BookingsClient
        :raises graph.ConfigurationError: if a setting for the sign-in is missing, or if this database is a copy
        """
        self.ensure_one()
        self._check_own_database()
        cloud = self._cloud()
        permission = graph.MAY_WRITE if self.may_write else None
        transport = graph.Transport(cloud, session=self._session(), permission=permission)
        return graph.BookingsClient(transport, self._token_source(cloud, transport))

    def _token_source(self, cloud, transport):
        credential = self._credential()
        if self.mode == "live" and self.auth_method == "delegated":
            return StoredTokens(self, cloud, transport, credential)
        return graph.token_source(cloud, transport, credential)

    def _cloud(self):
        if self.mode == "sandbox":
            return sandbox.SANDBOX_CLOUD
        return graph.cloud_of(self.cloud, server_settings.cloud_settings())

    def _session(self):
        if self.mode == "sandbox":
            return sandbox.sandbox_session(
                self._sandbox_tenant(), permissions=graph.permissions(self.may_write, services=True)
            )
        return requests.Session()

    def _credential(self):
        """Return the credential of the app: a ``graph.ClientSecret`` or ``graph.Certificate``.

        :raises graph.ConfigurationError: if a field is empty or the stored secret cannot be decrypted
        """
        if self.mode == "sandbox":
            return graph.ClientSecret(sandbox.TENANT_ID, sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
        missing = [
            self._fields[name]._description_string(self.env)
            for name in ("tenant_id", "client_id")
            if not (self[name] or "").strip()
        ]
        if not self.has_secret:
            missing.append(
                self.env._("Certificate")
                if self.auth_method == "certificate"
                else self.env._("Client secret")
            )
        if missing:
            raise graph.ConfigurationError(
                self.env._(
                    "Fill in %(fields)s on the connection first.", fields=", ".join(missing)
                ),
                kind="credential_incomplete",
            )
        tenant, client, secret = self.tenant_id.strip(), self.client_id.strip(), self._secret()
        kind = graph.Certificate if "-----BEGIN" in secret else graph.ClientSecret
        return kind(tenant, client, secret)

    def _secret(self):
        try:
            return self._secret_text("credential")
        except server_settings.SecretUnreadable as error:
            raise graph.ConfigurationError(
                self.env._(
                    "The stored secret was encrypted with another key. Enter it again, or set the key it was "
                    "encrypted with on the server (BOOKINGS_SECRET_KEY)."
                ),
                kind="secret_unreadable",
            ) from error

    def _sandbox_tenant(self):
        """Return the sample tenant in its current state: generated from seed and anchor, then changed as recorded.

        :raises ValueError: if a recorded change does not fit the tenant
        """
        return sandbox.Tenant(
            seed=self.sandbox_seed,
            anchor=self.sandbox_anchor,
            size=self.sandbox_size or None,
            currency=(self.company_id or self.env.company).currency_id.name,
            changes=tuple(self.sudo().sandbox_change_ids.mapped("change")),
            keep=self._keep_sandbox_change,
        )

    def _keep_sandbox_change(self, change):
        """Keep what was written to the sandbox as Microsoft would: at once, whatever becomes of the caller's transaction.

        :param dict change: as :mod:`...sandbox.changes` describes it
        """
        with self.env.registry.cursor() as cursor:
            connection = self.with_env(self.env(cr=cursor)).sudo()
            connection.sandbox_change_ids.create({"connection_id": connection.id, "change": change})
        self.invalidate_recordset(["sandbox_change_ids"])

    def _first_day(self):
        """Return the first day with sandbox data, or False for a live connection."""
        return (
            self.sandbox_anchor - timedelta(days=SANDBOX_DAYS) if self.mode == "sandbox" else False
        )

    # -- state -------------------------------------------------------------------------------------

    def _mark_connected(self):
        for connection in self:
            if connection.state != "connected" or connection.error_message:
                connection.sudo().write(
                    {"state": "connected", "error_message": False, "error_date": False}
                )

    def _mark_attention(self, error):
        """Record a failure that needs a user's attention, unless the same message is already recorded."""
        for connection in self:
            if connection.state != "attention" or connection.error_message != str(error):
                connection.sudo().write(
                    {
                        "state": "attention",
                        "error_message": str(error),
                        "error_date": fields.Datetime.now(),
                    }
                )

    # -- businesses --------------------------------------------------------------------------------

    def _businesses(self, query=""):
        """Return the Bookings businesses of the tenant as ``[graph.Business]``, at most 500.

        :param str query: part of the name or address
        :raises graph.GraphError: of kind ``too_many_businesses`` if the organization has too many to list
        """
        self.ensure_one()
        self.check_access("write")
        return self.sudo()._client().businesses(query.strip())

    # -- writing -----------------------------------------------------------------------------------

    def action_allow_writing(self):
        """Let Odoo write to Bookings what the sync setups ask for."""
        return self._permit_writing(True)

    def action_stop_writing(self):
        """Let Odoo only read from now on; what waits to be written goes on waiting."""
        return self._permit_writing(False)

    def _permit_writing(self, may_write):
        self._check_system()
        self.check_access("write")
        self.sudo().may_write = may_write
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    # -- buttons -----------------------------------------------------------------------------------

    def action_find_businesses(self):
        """Open a list of the tenant's Bookings businesses, from which the user creates sync setups."""
        self.ensure_one()
        self.check_access("read")
        self.env["bookings.sync.setup"].check_access("create")
        wizard = self.env["bookings.business.finder"].create({"connection_id": self.id})
        wizard._list_businesses()
        return wizard._open()

    def action_view_sandbox(self):
        """List what the sandbox holds, so that an administrator sees what was written to it."""
        self.ensure_one()
        self._check_system()
        self.check_access("read")
        return self.env["bookings.sandbox.record"]._open(self)

    def action_view_setups(self):
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.sync_setup_action"
        )
        return {
            **action,
            "domain": [("connection_id", "=", self.id)],
            "context": {"default_connection_id": self.id},
        }

    def _notify(self, title, message, kind):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": title,
                "message": message,
                "className": "text-prewrap",
                "type": kind,
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
