from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import html2plaintext

from ..base.readable_links import ROLES

SENDING = [
    ("not_yet", "Not Sent Yet"),
    ("queued", "Being Sent"),
    ("sent", "Sent"),
    ("printed", "Printed"),
    ("no_address", "No Email Address"),
    ("failed", "Failed"),
]
# Odoo's fields with the state of an e-invoice on a network, if the module of that network is installed.
NETWORKS = ("peppol_move_state", "nemhandel_move_state")
NETWORK_STATES = {"processing": "queued", "done": "sent", "error": "failed"}
# Odoo's states of an email to one recipient. For users who read messages in Odoo, it is sent when it is posted.
MAIL_STATES = {
    "ready": "queued",
    "process": "queued",
    "pending": "sent",
    "sent": "sent",
    "bounce": "failed",
    "exception": "failed",
    "canceled": "failed",
}
LETTER_STATES = {"pending": "queued", "sent": "sent", "error": "failed"}


class AccountMove(models.Model):
    """The actual result of sending an invoice.

    Odoo's own *Sent* (``is_move_sent``) only means that the PDF was created. It is set even without an email address, or
    if the mail server refused the email.
    """

    _inherit = "account.move"

    bookings_sending = fields.Selection(
        SENDING,
        string="Sending",
        compute="_compute_bookings_sending",
        groups=ROLES,
        help="What happened when this invoice was sent. Sent means that the mail server, the e-invoice network, or the "
        "post accepted it. Printed means that the PDF exists and the customer's invoices are sent manually.",
    )
    bookings_sending_detail = fields.Char(
        string="Sending Detail",
        compute="_compute_bookings_sending",
        groups=ROLES,
        help="To whom the invoice was sent, or why it was not sent.",
    )
    bookings_sending_error = fields.Char(
        string="Sending Error",
        copy=False,
        readonly=True,
        groups=ROLES,
        help="Why Odoo could not create the documents to send.",
    )

    @api.depends(
        "state",
        "sending_data",
        "is_move_sent",
        "partner_id.email_normalized",
        "commercial_partner_id.invoice_sending_method",
        "bookings_sending_error",
    )
    def _compute_bookings_sending(self):
        posted = self.filtered(lambda move: move.state == "posted")
        attempts = posted._bookings_sending_attempts()
        for move in self:
            move.bookings_sending, move.bookings_sending_detail = (
                move._bookings_sending_outcome(attempts[move.id])
                if move in posted
                else (False, False)
            )

    def _bookings_sending_outcome(self, attempts):
        """Return the current sending state of a posted invoice.

        :param list attempts: ``(state, detail)`` of each email and letter, oldest first
        :returns: ``(state, detail)``
        """
        self.ensure_one()
        if self.sudo().sending_data:
            return "queued", self._bookings_background_detail()
        by_state = dict(attempts)
        if network := self._bookings_network_outcome():
            return network
        for state in ("sent", "queued"):
            if state in by_state:
                return state, by_state[state]
        payer = self.commercial_partner_id.with_company(self.company_id)
        method = payer.invoice_sending_method or "email"
        if method == "manual" and self.sudo().invoice_pdf_report_id:
            return "printed", self.env._("The PDF exists; it is sent manually.")
        if method == "email" and not self.partner_id.email_normalized:
            return "no_address", self.env._(
                "%s has no valid email address.", self.partner_id.display_name
            )
        if error := self.bookings_sending_error or by_state.get("failed"):
            return "failed", error
        return "not_yet", False

    def _bookings_background_detail(self):
        """Return the detail for an invoice that waits for the scheduled action that sends invoices."""
        cron = self.env.ref("account.ir_cron_account_move_send").sudo()
        if cron.active and not cron.failure_count:
            return self.env._("Odoo is sending it in the background.")
        return self.env._(
            "It is waiting because the scheduled action %s failed or is archived. Ask an administrator.",
            cron.name,
        )

    def _bookings_network_outcome(self):
        """Return the answer of a network such as Peppol as ``(state, detail)``, or None without an answer."""
        self.ensure_one()
        for name in NETWORKS:
            if (field := self._fields.get(name)) and (state := NETWORK_STATES.get(self[name])):
                label = dict(field._description_selection(self.env))[self[name]]
                answer = f"{field._description_string(self.env)}: {label}"
                if state == "failed" and self.bookings_sending_error:
                    answer += f". {self.bookings_sending_error}"
                return state, answer
        return None

    def _bookings_sending_attempts(self):
        """Return the emails and letters of these invoices: ``{id: [(state, detail)]}``, oldest first.

        Those sent before the current PDF was created, and thus before a reset to draft, do not count.
        """
        attempts, pdfs = defaultdict(list), {}
        for move in self.sudo():
            if pdf := move.invoice_pdf_report_id:
                pdfs[move.id] = pdf
        of_these = [("model", "=", self._name), ("res_id", "in", list(pdfs))]
        messages = self.env["mail.message"].sudo()
        comment = self.env.ref("mail.mt_comment").id
        for message in messages.search([*of_these, ("subtype_id", "=", comment)], order="id"):
            pdf = pdfs[message.res_id]
            if pdf.create_date <= message.create_date and pdf.name in message.attachment_ids.mapped(
                "name"
            ):
                if outcome := message._bookings_mail_outcome():
                    attempts[message.res_id].append(outcome)
        if "snailmail.letter" in self.env:
            for letter in self.env["snailmail.letter"].sudo().search(of_these, order="id"):
                state = LETTER_STATES.get(letter.state)
                if state and pdfs[letter.res_id].create_date <= letter.create_date:
                    detail = html2plaintext(letter.info_msg or "").strip() or self.env._("By post")
                    attempts[letter.res_id].append((state, detail))
        return attempts

    def _bookings_keep_sending_error(self, error):
        """Store why the documents of these invoices could not be created. False clears the error."""
        for move in self.sudo():
            if move.bookings_sending_error != error and (not error or move.booking_count):
                move.bookings_sending_error = error


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _bookings_mail_outcome(self):
        """Return ``(state, detail)`` of an email, or None without recipients. It is sent if one recipient received it."""
        self.ensure_one()
        reasons, taken, waiting = [], [], []
        for one in self.notification_ids:
            if one.res_partner_id and one.res_partner_id not in self.partner_ids:
                continue  # a follower
            name = one.mail_email_address or one.res_partner_id.email or one.res_partner_id.name
            state = MAIL_STATES.get(one.notification_status)
            if state == "failed":
                reasons.append(f"{name}: {one._bookings_failure()}")
            elif state:
                (taken if state == "sent" else waiting).append(name)
        if taken:
            text = self.env._("Email to %s", ", ".join(taken))
            return "sent", " ".join([text, *(f"({reason})" for reason in reasons)])
        if waiting:
            return "queued", self.env._("Waiting in the email queue")
        return ("failed", ", ".join(reasons)) if reasons else None


class MailNotification(models.Model):
    _inherit = "mail.notification"

    def _bookings_failure(self):
        """Return why the email did not reach this recipient."""
        self.ensure_one()
        if self.notification_status == "canceled":
            return self.env._("The email was canceled.")
        kind = dict(self._fields["failure_type"]._description_selection(self.env)).get(
            self.failure_type
        )
        reason = self.failure_reason or self.mail_mail_id.failure_reason
        texts = [" ".join(text.split()) for text in (kind, reason) if text]
        return ". ".join(texts) or self.env._("Unknown reason")


class AccountMoveSend(models.AbstractModel):
    _inherit = "account.move.send"

    @api.model
    def _hook_if_errors(self, moves_data, allow_raising=True):
        # EXTENDS 'account': in the background, Odoo only logs the error in the chatter
        for move, data in moves_data.items():
            error = data["error"]
            text = self._format_error_text(error) if isinstance(error, dict) else str(error)
            move._bookings_keep_sending_error(text)
        return super()._hook_if_errors(moves_data, allow_raising=allow_raising)

    @api.model
    def _hook_if_success(self, moves_data, from_cron=False):
        # EXTENDS 'account'
        for move, data in moves_data.items():
            if not data.get("proforma_pdf_attachment"):  # made because of an error
                move._bookings_keep_sending_error(False)
        return super()._hook_if_success(moves_data, from_cron=from_cron)
