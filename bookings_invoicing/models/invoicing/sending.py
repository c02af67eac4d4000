from collections import Counter

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

# States of the invoices that *Send All* sends: not those that were sent, are being sent, or were printed.
TO_SEND = ("not_yet", "failed", "no_address")


class BookingsInvoiceRun(models.Model):
    """Send the invoices of a run with Odoo's own dialog, and count the results."""

    _inherit = "bookings.invoice.run"

    sent_count = fields.Integer(string="Sent", compute="_compute_sending")
    queued_count = fields.Integer(string="Being Sent", compute="_compute_sending")
    printed_count = fields.Integer(string="Printed", compute="_compute_sending")
    no_address_count = fields.Integer(string="No Email Address", compute="_compute_sending")
    failed_count = fields.Integer(string="Failed to Send", compute="_compute_sending")
    to_send_count = fields.Integer(string="Still to Send", compute="_compute_sending")
    sending_progress = fields.Float(compute="_compute_sending")

    @api.depends("move_ids.bookings_sending")
    def _compute_sending(self):
        for run in self:
            count = Counter(run.move_ids.mapped("bookings_sending"))
            run.sent_count = count["sent"]
            run.queued_count = count["queued"]
            run.printed_count = count["printed"]
            run.no_address_count = count["no_address"]
            run.failed_count = count["failed"]
            run.to_send_count = sum(count[state] for state in TO_SEND)
            posted = sum(count.values()) - count[False]
            run.sending_progress = 100.0 * (posted - count["queued"]) / posted if posted else 100.0

    def _moves_to_send(self):
        """Return the posted invoices of this run that still have to be sent."""
        return self.move_ids.filtered(lambda move: move.bookings_sending in TO_SEND)

    def action_send_all(self):
        """Send the posted invoices of this run with Odoo's own dialog, after asking for missing email addresses."""
        self.ensure_one()
        moves = self._moves_to_send()
        if not moves:
            raise UserError(self.env._("There is no posted invoice left to send in this run."))
        if without := moves.filtered(lambda move: move.bookings_sending == "no_address"):
            return self._ask_for_addresses(without.partner_id)
        return moves.action_send_and_print()

    def action_post_and_send(self):
        """Confirm the drafts of this run and send them, unless confirming opens a dialog or goes on in the background."""
        answer = self.action_post_all()
        is_done = answer["type"] == "ir.actions.client" and not self.to_confirm
        return self.action_send_all() if is_done and self._moves_to_send() else answer

    def _ask_for_addresses(self, payers):
        """Open the dialog for the email addresses of these payers."""
        lines = [Command.create({"partner_id": payer.id, "email": payer.email}) for payer in payers]
        wizard = self.env["bookings.invoice.sending"].create({"run_id": self.id, "line_ids": lines})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Payers Without Email Address"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }
