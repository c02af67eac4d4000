from odoo import api, fields, models
from odoo.fields import NO_ACCESS

from ... import server_settings


class BookingsConnectionSecret(models.Model):
    """A secret of a connection: the credential of the app, or the sign-in of the synchronizing user.

    How to use: ``connection.sudo()._secret_text("credential")`` and ``_keep_secret("credential", text)``.

    How it works: no group has access to this model, and nobody has access to the column with the secret, so it cannot
    be read, searched, or exported. The column holds the result of :func:`..server_settings.seal`. Secrets have rows of
    their own so that a refreshed token never conflicts with a change of the connection.
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
        """Encrypt all secrets with the server's newest key, after a key was set or changed.

        :returns: the number of secrets that were encrypted again
        :raises server_settings.SecretUnreadable: if a secret was encrypted with a key that this server does not have
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
        """Return the secret in clear text, or an empty string if there is none.

        :param str kind: ``credential`` or ``tokens``
        :raises server_settings.SecretUnreadable: if it was encrypted with a key that this server does not have
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
        """Store a secret in place of the previous one. An empty text deletes it."""
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
