from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..billing import matching


class BookingsInvoiceSending(models.TransientModel):
    """Ask for missing email addresses before the invoices of a run are sent."""

    _name = "bookings.invoice.sending"
    _inherit = ["bookings.own.links"]
    _description = "Send the Invoices of a Run"

    run_id = fields.Many2one("bookings.invoice.run", required=True, readonly=True)
    line_ids = fields.One2many("bookings.invoice.sending.line", "wizard_id", string="Payers")
    may_write = fields.Boolean(compute="_compute_may_write")

    @api.depends_context("uid")
    def _compute_may_write(self):
        self.may_write = self.env["res.partner"].has_access("write")

    def action_send(self):
        """Store the addresses on the payers, then open Odoo's own dialog for the invoices that can be sent.

        :raises UserError: if no invoice can be sent, or if an email address is invalid
        """
        self.ensure_one()
        for line in self.line_ids:
            line._write_address()
        moves = self.run_id._moves_to_send().filtered(
            lambda move: move.bookings_sending != "no_address"
        )
        if not moves:
            raise UserError(
                self.env._(
                    "None of these invoices can be sent. Enter the email address of a payer, or choose another way to "
                    "send invoices on the contact."
                )
            )
        return moves.action_send_and_print()


class BookingsInvoiceSendingLine(models.TransientModel):
    """One payer without a valid email address."""

    _name = "bookings.invoice.sending.line"
    _inherit = ["bookings.own.links"]
    _description = "Payer Without Email Address"

    wizard_id = fields.Many2one("bookings.invoice.sending", required=True, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", string="Payer", required=True, readonly=True)
    email = fields.Char(string="Email Address")

    def _write_address(self):
        """Store the address on the payer, with the user's access rights.

        :raises UserError: if it is not a valid email address
        :raises AccessError: if the user may not change contacts
        """
        self.ensure_one()
        payer, email = self.partner_id, (self.email or "").strip()
        if email == (payer.email or ""):
            return
        if not matching.normalize_email(email):
            raise UserError(
                self.env._(
                    "%(email)s is not a valid email address for %(payer)s. Enter one address, such as name@example.com.",
                    email=email,
                    payer=payer.display_name,
                )
            )
        if not payer.has_access("write"):
            raise AccessError(
                self.env._(
                    "You are not allowed to change contacts. Ask a user with the Contact Creation right to enter the email "
                    "address of %s, or leave it empty to send the other invoices.",
                    payer.display_name,
                )
            )
        payer.email = email
