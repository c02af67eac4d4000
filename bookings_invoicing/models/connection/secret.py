from odoo import api, fields, models
from odoo.fields import NO_ACCESS

from ... import server_settings


class BookingsConnectionSecret(models.Model):
    """What a connection keeps secret: its credential, and the sign-in of its synchronizing user.

    How to use: ``connection.sudo()._secret_text("credential")`` and ``_keep_secret("credential", text)``.

    How it works: no group has any right here and the one column that holds secrets has no access at all, so that neither
    reading nor searching nor exporting reaches it; it holds what :func:`..server_settings.seal` makes of the secret.
    The row is apart from its connection, so that a refreshed token never conflicts with a change of that.
    """

    _name = "bookings.connection.secret"
    _inherit = ["bookings.own.links"]
    _description = "Secret of a Microsoft 365 Connection"

    connection_id = fields.Many2one(
        "bookings.connection", required=True, ondelete="cascade", index=True, copy=False
    )
    kind = fields.Selection(
        [("credential", "Credential"), ("tokens", "Sign-in")], required=True, copy=False
    )
    sealed = fields.Char(copy=False, exportable=False, groups=NO_ACCESS)

    _kind_uniq = models.UniqueIndex(
        "(connection_id, kind)", "A connection has one secret of each kind."
    )

    @api.model
    def _reseal_all(self):
        """Encrypt with the server's newest key whatever is not: after a key was set or changed.

        :returns: the number of secrets that were encrypted anew
        :raises server_settings.SecretUnreadable: a secret is under a key that this server does not have
        """
        rows = (
            self.sudo()
            .search([("sealed", "!=", False)])
            .filtered(lambda row: server_settings.needs_reseal(row.sealed))
        )
        for row in rows:
            row.sealed = server_settings.seal(server_settings.unseal(row.sealed))
        return len(rows)


class BookingsConnection(models.Model):
    _inherit = "bookings.connection"

    def _secret_text(self, kind):
        """The secret in clear, or an empty string.

        :raises server_settings.SecretUnreadable: it was encrypted with a key that this server does not have
        """
        self.ensure_one()
        return server_settings.unseal(self._secret_row(kind).sealed)

    def _secret_row(self, kind):
        self.ensure_one()
        return (
            self.env["bookings.connection.secret"]
            .sudo()
            .search([("connection_id", "=", self.id), ("kind", "=", kind)])
        )

    def _keep_secret(self, kind, text):
        """Keep a secret in place of the one there was; an empty one forgets it."""
        for connection in self:
            row = connection._secret_row(kind)
            if not text:
                row.unlink()
            elif row:
                row.sealed = server_settings.seal(text)
            else:
                row.create(
                    {
                        "connection_id": connection.id,
                        "kind": kind,
                        "sealed": server_settings.seal(text),
                    }
                )
            connection.invalidate_recordset(["has_secret", "is_signed_in"])
