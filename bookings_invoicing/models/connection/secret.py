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
