import base64
import binascii
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError

from ... import graph, server_settings
from ..base.graph_errors import tell


class _HideArguments(logging.Filter):
    """Log filter that removes arguments of calls on connections, such as secrets, from the server's debug log."""

    def filter(self, record):
        arguments = record.args
        if (
            isinstance(arguments, tuple)
            and getattr(arguments[0], "_name", "") == "bookings.connection"
        ):
            record.args = (*arguments[:2], "...")
        return True


logging.getLogger("odoo.service.model").addFilter(_HideArguments())


class BookingsConnection(models.Model):
    """The credential of the app. It is write-only: users can enter it, but nobody can read it."""

    _inherit = "bookings.connection"

    client_secret = fields.Char(
        compute="_compute_write_only",
        inverse="_inverse_client_secret",
        exportable=False,
        copy=False,
        groups="base.group_system",
        help="The value of the secret. It is stored and never shown again.",
    )
    certificate_pem = fields.Text(
        string="Certificate (PEM)",
        compute="_compute_write_only",
        inverse="_inverse_certificate",
        exportable=False,
        copy=False,
        groups="base.group_system",
        help="The private key followed by the certificate. They are stored and never shown again.",
    )
    certificate_file = fields.Binary(
        compute="_compute_write_only",
        inverse="_inverse_certificate",
        exportable=False,
        copy=False,
        attachment=False,
        groups="base.group_system",
        help="A .pem or .pfx file with the private key and the certificate. It is stored and never shown again.",
    )
    certificate_passphrase = fields.Char(
        string="Passphrase",
        compute="_compute_write_only",
        inverse="_inverse_certificate",
        exportable=False,
        copy=False,
        groups="base.group_system",
        help="Passphrase of the private key, if any. It is used once and never stored.",
    )
    certificate_thumbprint = fields.Char(
        string="Thumbprint",
        readonly=True,
        copy=False,
        help="The thumbprint as Microsoft Entra shows it next to the certificate.",
    )
    has_secret = fields.Boolean(compute="_compute_has_secret", compute_sudo=True)
    is_signed_in = fields.Boolean(compute="_compute_has_secret", compute_sudo=True)
    key_missing = fields.Boolean(compute="_compute_key_missing")

    def _compute_write_only(self):
        self.client_secret = False
        self.certificate_pem = False
        self.certificate_file = False
        self.certificate_passphrase = False

    def _inverse_client_secret(self):
        for connection in self:
            secret = (connection.client_secret or "").strip()
            if secret:
                connection._keep_credential(secret)
                connection.sudo().certificate_thumbprint = False
        self.invalidate_recordset(["client_secret"], flush=False)

    def _inverse_certificate(self):
        """Store the key and certificate that were pasted or uploaded, and set thumbprint and expiry date from them.

        :raises UserError: if the text or file has no usable key and certificate
        """
        for connection in self:
            passphrase = connection.certificate_passphrase or None
            try:
                if connection.certificate_file:
                    pem = graph.pem_of_file(_decoded(connection.certificate_file), passphrase)
                elif (connection.certificate_pem or "").strip():
                    pem = graph.plain_pem(connection.certificate_pem, passphrase)
                else:
                    continue
                pair = graph.Certificate("", "", pem).key_pair()
            except graph.GraphError as error:
                raise UserError(tell(self.env, error)) from None
            connection._keep_credential(pem)
            connection.sudo().certificate_thumbprint = pair.thumbprint
            connection.secret_expiry = pair.not_after.date()
        names = ["certificate_pem", "certificate_file", "certificate_passphrase"]
        self.invalidate_recordset(names, flush=False)

    def _keep_credential(self, text):
        try:
            self._keep_secret("credential", text)
            self._forget_test()
        except server_settings.SecretUnreadable as error:
            raise UserError(
                self.env._(
                    "The secret cannot be stored: %s. Contact your server administrator.", error
                )
            ) from None

    @api.depends("auth_method", "certificate_thumbprint")
    def _compute_has_secret(self):
        kinds = set(
            self.env["bookings.connection.secret"]
            .sudo()
            .search([("connection_id", "in", self.ids)])
            .mapped(lambda row: (row.connection_id.id, row.kind))
        )
        for connection in self:
            stored = (connection.id, "credential") in kinds
            connection.has_secret = stored and connection._is_credential_usable()
            connection.is_signed_in = (connection.id, "tokens") in kinds

    def _is_credential_usable(self):
        """Return whether the stored credential is what the sign-in asks for: a user can sign in with either kind."""
        self.ensure_one()
        is_certificate = bool(self.certificate_thumbprint)
        return self.auth_method == "delegated" or is_certificate == (
            self.auth_method == "certificate"
        )

    def _compute_key_missing(self):
        self.key_missing = not server_settings.has_key()

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

    def action_reseal(self):
        """Encrypt all stored secrets with the newest key of the server, after the operator set or replaced the key."""
        self._check_system()
        try:
            number = self.env["bookings.connection.secret"]._reseal_all()
        except server_settings.SecretUnreadable as error:
            raise UserError(self.env._("Some secrets cannot be read: %s.", error)) from None
        message = self.env._("%s secrets were encrypted with the newest key.", number)
        return self._notify(self.env._("Secrets"), message, "success")


def _decoded(binary):
    try:
        return base64.b64decode(binary)
    except (binascii.Error, ValueError):
        return b""
