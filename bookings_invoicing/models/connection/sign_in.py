import hashlib
import json
import time
from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import NO_ACCESS
from odoo.tools import SQL

from ... import graph, server_settings
from ..base.graph_errors import tell
from .token_store import packed

CALLBACK = "/bookings_invoicing/oauth/callback"
LIFETIME = timedelta(minutes=10)
ATTEMPTS = 5


class BookingsConnectionSignIn(models.Model):
    """A pending sign-in with Microsoft: for one user and one connection, usable once within ten minutes.

    The browser receives only the state. The rest of the flow stays here and is found by the hash of the state.
    """

    _name = "bookings.connection.sign.in"
    _inherit = ["bookings.own.links"]
    _description = "Pending Microsoft Sign-In"

    connection_id = fields.Many2one(
        "bookings.connection", required=True, ondelete="cascade", index=True
    )
    user_id = fields.Many2one("res.users", required=True, ondelete="cascade")
    state_hash = fields.Char(required=True, groups=NO_ACCESS)
    expires = fields.Datetime(required=True)
    flow = fields.Text(required=True, groups=NO_ACCESS)

    _state_uniq = models.UniqueIndex("(state_hash)", "This sign-in link has already been used.")

    @api.autovacuum
    def _gc_expired(self):
        self.sudo().search([("expires", "<", fields.Datetime.now())]).unlink()

    @api.model
    def _begin(self, connection, flow):
        self.sudo().create(
            {
                "connection_id": connection.id,
                "user_id": self.env.uid,
                "state_hash": _hash(flow["state"]),
                "expires": fields.Datetime.now() + LIFETIME,
                "flow": server_settings.seal(json.dumps(flow)),
            }
        )

    @api.model
    def _take(self, state):
        """Return the connection and the flow of a state of this user, and delete the pending sign-in.

        It is deleted in a separate transaction, so that a request that Odoo retries after a conflict cannot redeem its
        code again.

        :returns: ``(connection, flow)``, or None without such a sign-in
        """
        if not isinstance(state, str) or not 0 < len(state) <= 512:
            return None
        with self.env.registry.cursor() as cursor:
            cursor.execute(
                SQL(
                    """DELETE FROM bookings_connection_sign_in
                        WHERE state_hash = %s AND user_id = %s RETURNING connection_id, expires, flow""",
                    _hash(state),
                    self.env.uid,
                )
            )
            row = cursor.fetchone()
        if row is None or row[1] < fields.Datetime.now():
            return None
        return self.env["bookings.connection"].browse(row[0]), json.loads(
            server_settings.unseal(row[2])
        )


class BookingsConnection(models.Model):
    """The sign-in of a user with Microsoft. The connection then reads what that user may see."""

    _inherit = "bookings.connection"

    sync_user_id = fields.Many2one(
        "res.users",
        string="Synchronizing User",
        readonly=True,
        copy=False,
        tracking=True,
        help="The user who signed in with Microsoft. The connection reads what this user may see in Bookings. To "
        "change it, sign in as another user.",
    )
    sync_account = fields.Char(
        string="Microsoft Account",
        readonly=True,
        copy=False,
        tracking=True,
        help="The Microsoft account that signed in.",
    )
    redirect_uri = fields.Char(
        string="Redirect URI",
        compute="_compute_redirect_uri",
        help="Register this address in Microsoft Entra: Authentication > Redirect URI configuration > Add Redirect "
        "URI > Web.",
    )
    redirect_uri_refused = fields.Boolean(compute="_compute_redirect_uri")

    def _compute_redirect_uri(self):
        base = self.env["ir.config_parameter"].sudo().get_param("web.base.url", "").rstrip("/")
        self.redirect_uri = base + CALLBACK
        # Microsoft accepts plain http for the own computer only.
        self.redirect_uri_refused = not base.startswith(("https://", "http://localhost"))

    def action_sign_in(self):
        """Send the browser to Microsoft, which returns it to the callback with a code.

        :raises UserError: if the connection does not sign in as a user or is incomplete
        """
        self.ensure_one()
        self.check_access("write")
        if self.mode != "live" or self.auth_method != "delegated":
            raise UserError(self.env._("This connection does not sign in as a user."))
        try:
            self._check_own_database()
            cloud, credential = self._cloud(), self._delegated()
            address, flow = graph.begin_sign_in(
                cloud,
                graph.Transport(cloud, session=self._session()),
                credential,
                self.redirect_uri,
                permissions=graph.permissions(self.may_write, self._writes_services()),
            )
        except graph.GraphError as error:
            raise UserError(tell(self.env, error)) from error
        self.env["bookings.connection.sign.in"]._begin(self, flow)
        return {"type": "ir.actions.act_url", "url": address, "target": "self"}

    def _writes_services(self):
        return any(setup.service_sync == "both" for setup in self.sudo().setup_ids)

    def _delegated(self):
        credential = self._credential()
        return graph.Delegated(credential.tenant_id, credential.client_id, credential)

    @api.model
    def _finish_sign_in(self, params):
        """Redeem the code of a callback once and store the sign-in.

        :param params: the query of the callback as a dict
        :returns: the connection
        :raises graph.GraphError: if Microsoft or Odoo refuses the sign-in; nothing is stored
        :raises AccessError: if the user may not, or may no longer, change the connection
        """
        taken = self.env["bookings.connection.sign.in"]._take(params.get("state"))
        if taken is None:
            raise graph.AuthError(kind="sign_in_state")
        connection, flow = taken
        connection.check_access("write")
        if not connection.exists() or connection.auth_method != "delegated":
            raise graph.AuthError(kind="sign_in_state")
        cloud = connection._cloud()
        transport = graph.Transport(cloud, session=connection._session())
        signed_in = graph.finish_sign_in(cloud, transport, connection._delegated(), flow, params)
        connection._keep_sign_in(signed_in)
        return connection

    def _keep_sign_in(self, signed_in):
        """Store a sign-in in a separate transaction, because its code cannot be redeemed again after a rollback.

        :param graph.SignIn signed_in:
        """
        for attempt in range(ATTEMPTS):
            try:
                with self.env.registry.cursor() as cursor:
                    connection = self.with_env(self.env(cr=cursor))
                    connection.sudo()._keep_secret("tokens", packed(signed_in.cache_text))
                    connection.sudo().write(
                        {
                            "sync_user_id": self.env.uid,
                            "sync_account": signed_in.username,
                        }
                    )
                    connection._forget_test()
                    cursor.flush()
                break
            except SerializationFailure:
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(0.05 * 2**attempt)
        self.env.invalidate_all()

    def action_sign_out(self):
        """Delete the sign-in. The connection reads nothing until a user signs in again."""
        self.check_access("write")
        for connection in self.filtered(lambda c: c.auth_method == "delegated"):
            connection._keep_secret("tokens", "")
            connection.sudo().write({"sync_user_id": False, "sync_account": False})
            connection._forget_test()
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def _check_system(self):
        if not self.env.is_system():
            raise AccessError(self.env._("Only an administrator (Settings) may do this."))


def _hash(state):
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()
