import logging
from datetime import date

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)
# Number of drafts confirmed while the user waits. The scheduled action confirms the rest in batches of this size.
AT_ONCE = 100


class BookingsInvoiceRun(models.Model):
    """Confirm the drafts of a run one by one, in the order of their dates, so that one refusal does not stop the others.

    Each draft is confirmed with ``action_post``, as by its own button, so that approvals, date checks, and other
    installed rules apply.
    """

    _inherit = "bookings.invoice.run"

    to_confirm = fields.Json(string="Drafts to Confirm", readonly=True)
    confirm_user_id = fields.Many2one("res.users", string="Confirmed by", readonly=True)
    not_confirmed = fields.Text(
        readonly=True, help="Drafts that could not be posted, with the reason."
    )

    def action_post_all(self):
        """Confirm the drafts of this run. Drafts that require an answer first are passed to Odoo's own dialog."""
        self.ensure_one()
        self._check_may_bill()
        drafts = self.move_ids.filtered(lambda move: move.state == "draft").sorted(
            lambda move: (move.invoice_date or date.max, move.id)
        )
        if not drafts:
            raise UserError(self.env._("This run has no drafts left."))
        asking = drafts._get_moves_requiring_confirmation()
        sure = drafts - asking
        rest = sure[AT_ONCE:]
        self.sudo().write(
            {"to_confirm": rest.ids, "confirm_user_id": self.env.uid, "not_confirmed": False}
        )
        confirmed = self._confirm(sure[:AT_ONCE])
        if rest:
            self.env.ref("bookings_invoicing.ir_cron_invoice_runs").sudo()._trigger()
        message = self._confirmed_message(confirmed)
        if asking:
            if sure:
                self.env.user._bus_send("simple_notification", message)
            return asking.action_validate_moves_with_confirmation()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {**message, "next": {"type": "ir.actions.client", "tag": "soft_reload"}},
        }

    def _confirm(self, drafts):
        """Confirm these drafts, and store why some could not be confirmed.

        :returns: the number of confirmed drafts
        """
        refused = []
        for draft in drafts:
            try:
                with self.env.cr.savepoint():
                    draft.action_post()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception as error:
                if not isinstance(error, UserError):
                    _logger.exception("Confirming the invoice %s failed", draft.id)
                refused.append(f"{draft.display_name}, {draft.partner_id.display_name}: {error}")
        if refused:
            run = self.sudo()
            run.not_confirmed = "\n".join(filter(None, (run.not_confirmed, *refused)))
        return len(drafts) - len(refused)

    def _confirmed_message(self, confirmed):
        self.ensure_one()
        texts = [
            self.env._("1 invoice posted.")
            if confirmed == 1
            else self.env._("%s invoices posted.", confirmed)
        ]
        if self.to_confirm:
            texts.append(
                self.env._("%s more are being posted in the background.", len(self.to_confirm))
            )
        if self.not_confirmed:
            texts.append(self.env._("Not posted:") + f"\n{self.not_confirmed}")
        return {
            "title": self.env._("Invoices posted"),
            "message": "\n".join(texts),
            "className": "text-prewrap",
            "type": "warning" if self.not_confirmed else "success",
            "sticky": bool(self.not_confirmed),
        }

    def _confirm_batch(self):
        """Confirm the next drafts of a large run as the user who requested it."""
        self.ensure_one()
        ids = self.to_confirm or []
        run = self.with_user(self.confirm_user_id).with_context(
            allowed_company_ids=self.confirm_user_id.company_ids.ids, lang=self.confirm_user_id.lang
        )
        drafts = run.env["account.move"].browse(ids[:AT_ONCE]).exists()
        run._confirm(drafts.filtered(lambda move: move.state == "draft"))
        self.sudo().to_confirm = ids[AT_ONCE:]
        if not self.to_confirm:
            self._tell_confirmed()

    def _stop_confirming(self, reason):
        """Record the error that ended confirming in the background. The drafts remain, and a user can confirm them.

        :param str reason: text of the error
        """
        texts = filter(None, (self.not_confirmed, reason))
        self.sudo().write({"to_confirm": False, "not_confirmed": "\n".join(texts)})
        self._tell_confirmed()

    def _tell_confirmed(self):
        """Notify the user who confirmed the drafts in the background."""
        user = self.confirm_user_id
        run = self.sudo().with_context(lang=user.lang)
        posted = len(run.move_ids.filtered(lambda move: move.state == "posted"))
        user._bus_send("simple_notification", run._confirmed_message(posted))
