import logging
from datetime import timedelta

import requests

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import NO_ACCESS

from .. import graph, sandbox, server_settings

_logger = logging.getLogger(__name__)

SANDBOX_DAYS = 76


class BookingsConnection(models.Model):
    """How Odoo signs in to one Microsoft 365 tenant.

    A connection in mode *live* talks to Microsoft Graph; in mode *sandbox* it talks, through the very same client, to
    a tenant that lives in this process, so that everything can be tried without a Microsoft account.
    """

    _name = "bookings.connection"
    _description = "Microsoft 365 Connection"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _check_company_auto = True
    _order = "name, id"

    name = fields.Char(required=True, tracking=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        default=lambda self: self.env.company,
        index=True,
        help="The company that may use this connection. Empty: every company may.",
    )
    mode = fields.Selection(
        [("live", "Microsoft 365"), ("sandbox", "Sandbox (sample data)")],
        default="live",
        required=True,
        tracking=True,
        help="The sandbox is a made-up business with appointments of every kind. Nothing leaves this server.",
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
        help="Microsoft Bookings is not offered in the cloud operated by 21Vianet in China.",
    )
    tenant_id = fields.Char(
        string="Tenant ID", tracking=True, help="Directory (tenant) ID of the app registration."
    )
    client_id = fields.Char(
        string="Client ID", tracking=True, help="Application (client) ID of the app registration."
    )
    auth_method = fields.Selection(
        [("secret", "Client secret"), ("certificate", "Certificate")],
        string="Sign-in",
        default="secret",
        required=True,
        tracking=True,
    )
    client_secret = fields.Char(
        compute="_compute_client_secret",
        inverse="_inverse_client_secret",
        exportable=False,
        copy=False,
        groups="base.group_system",
        help="The secret's value, or a PEM with private key and certificate. It is stored and never shown again.",
    )
    client_secret_store = fields.Char(copy=False, exportable=False, groups=NO_ACCESS)
    has_secret = fields.Boolean(compute="_compute_has_secret", compute_sudo=True)
    secret_expiry = fields.Date(
        help="Microsoft shows this date beside the secret. A reminder comes 30 and 7 days before.",
        tracking=True,
    )
    key_missing = fields.Boolean(compute="_compute_key_missing")
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        help="Is told when the connection needs attention.",
    )
    state = fields.Selection(
        [("draft", "Not tested"), ("connected", "Connected"), ("attention", "Needs attention")],
        default="draft",
        required=True,
        readonly=True,
        copy=False,
        tracking=True,
    )
    error_message = fields.Char(readonly=True, copy=False)
    error_date = fields.Datetime(readonly=True, copy=False)
    setup_ids = fields.One2many("bookings.sync.setup", "connection_id", string="Sync Setups")
    setup_count = fields.Integer(compute="_compute_setup_count")
    sandbox_seed = fields.Integer(default=1, copy=False)
    sandbox_anchor = fields.Date(default=fields.Date.today, copy=False)
    sandbox_size = fields.Integer(copy=False, help="Appointments to make up; 0 for the usual number.")
    sandbox_change_ids = fields.One2many("bookings.sandbox.change", "connection_id")

    def _compute_client_secret(self):
        self.client_secret = False

    def _inverse_client_secret(self):
        for connection in self:
            if connection.client_secret:
                connection.sudo().client_secret_store = server_settings.seal(
                    connection.client_secret.strip()
                )

    @api.depends("client_secret_store")
    def _compute_has_secret(self):
        for connection in self:
            connection.has_secret = bool(connection.client_secret_store)

    def _compute_key_missing(self):
        self.key_missing = not server_settings.has_key()

    @api.depends("setup_ids")
    def _compute_setup_count(self):
        counts = dict(
            self.env["bookings.sync.setup"]._read_group(
                [("connection_id", "in", self.ids)], ["connection_id"], ["__count"]
            )
        )
        for connection in self:
            connection.setup_count = counts.get(connection, 0)

    # -- the client ------------------------------------------------------------------------------

    def _client(self):
        """The Graph client of this connection; nothing is sent yet.

        :rtype: bookings_invoicing.graph.BookingsClient
        :raises graph.ConfigurationError: something that signing in needs is missing
        """
        self.ensure_one()
        cloud = self._cloud()
        transport = graph.Transport(cloud, session=self._session())
        return graph.BookingsClient(
            transport, graph.token_source(cloud, transport, self._credential())
        )

    def _cloud(self):
        if self.mode == "sandbox":
            return sandbox.SANDBOX_CLOUD
        if self.cloud == "custom":
            return graph.custom_cloud(server_settings.cloud_settings())
        return graph.CLOUDS[self.cloud]

    def _session(self):
        if self.mode == "sandbox":
            return sandbox.sandbox_session(self._sandbox_tenant())
        return requests.Session()

    def _credential(self):
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
            )
        tenant, client = self.tenant_id.strip(), self.client_id.strip()
        secret = self._secret()
        if self.auth_method == "certificate":
            return graph.Certificate(tenant, client, secret)
        return graph.ClientSecret(tenant, client, secret)

    def _secret(self):
        try:
            return server_settings.unseal(self.sudo().client_secret_store)
        except server_settings.SecretUnreadable as error:
            raise graph.ConfigurationError(
                self.env._(
                    "The stored secret was encrypted with another key. Enter it again, or give the server the key "
                    "it was encrypted with (BOOKINGS_SECRET_KEY)."
                )
            ) from error

    def _sandbox_tenant(self):
        """The made-up tenant as it is now: seed and anchor, then every change that was made to it."""
        return sandbox.Tenant(
            seed=self.sandbox_seed,
            anchor=self.sandbox_anchor,
            size=self.sandbox_size or None,
            currency=(self.company_id or self.env.company).currency_id.name,
            changes=tuple(self.sandbox_change_ids.mapped("change")),
        )

    def _first_day(self):
        """The first day of the sandbox's data; nothing for a live connection."""
        return self.sandbox_anchor - timedelta(days=SANDBOX_DAYS) if self.mode == "sandbox" else False

    # -- state -------------------------------------------------------------------------------------

    def _mark_connected(self):
        for connection in self:
            if connection.state != "connected" or connection.error_message:
                connection.write({"state": "connected", "error_message": False, "error_date": False})

    def _mark_attention(self, error):
        """Note a failure that a person has to look at, unless it is already noted in the same words."""
        for connection in self:
            if connection.state != "attention" or connection.error_message != str(error):
                connection.write(
                    {
                        "state": "attention",
                        "error_message": str(error),
                        "error_date": fields.Datetime.now(),
                    }
                )

    # -- buttons -----------------------------------------------------------------------------------

    def action_test(self):
        """Try every step that a sync needs and say of each whether it works and what to do if not."""
        self.ensure_one()
        self.check_access("write")
        try:
            checks = self._client().check(self.setup_ids[:1].business_id or None)
        except graph.GraphError as error:
            self._mark_attention(error)
            return self._notify(self.env._("Not connected"), str(error), "danger")
        failed = [check for check in checks if not check.ok]
        text = "\n".join(("✓ " if check.ok else "✗ ") + check.message for check in checks)
        if failed:
            self._mark_attention(failed[0].message)
            return self._notify(self.env._("Needs attention"), text, "danger")
        self._mark_connected()
        return self._notify(self.env._("Connected"), text, "success")

    def action_find_businesses(self):
        """Offer the tenant's Bookings businesses; each becomes a sync setup on choice."""
        self.ensure_one()
        self.check_access("write")
        try:
            businesses = self._client().businesses()
        except graph.GraphError as error:
            raise UserError(str(error)) from error
        wizard = self.env["bookings.business.finder"].create(
            {
                "connection_id": self.id,
                "line_ids": [
                    fields.Command.create({"business_id": b.id, "name": b.name}) for b in businesses
                ],
            }
        )
        return wizard._open()

    def action_view_setups(self):
        self.ensure_one()
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
                "type": kind,
                "sticky": kind == "danger",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }
