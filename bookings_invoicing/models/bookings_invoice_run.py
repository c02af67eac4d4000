from odoo import api, fields, models
from odoo.fields import Command


class BookingsInvoiceRun(models.Model):
    """One creation of drafts: who, when, what came of it, what was left out and why."""

    _name = "bookings.invoice.run"
    _description = "Bookings Invoice Run"
    _order = "id desc"

    user_id = fields.Many2one("res.users", required=True, readonly=True, default=lambda self: self.env.user)
    date = fields.Datetime(string="Time", required=True, readonly=True, default=fields.Datetime.now)
    company_id = fields.Many2one("res.company", index=True, default=lambda self: self.env.company)
    settings = fields.Json(readonly=True)
    state = fields.Selection(
        [
            ("queued", "Queued"),
            ("running", "Running"),
            ("done", "Done"),
            ("partial", "Done, some left out"),
            ("undone", "Undone"),
        ],
        required=True,
        readonly=True,
    )
    move_ids = fields.Many2many("account.move", string="Invoices", readonly=True)
    move_count = fields.Integer(compute="_compute_result")
    booking_count = fields.Integer(readonly=True)
    left_out_ids = fields.One2many("bookings.invoice.run.left.out", "run_id", readonly=True)
    result = fields.Char(compute="_compute_result")

    @api.depends("move_ids", "booking_count", "left_out_ids")
    def _compute_result(self):
        for run in self:
            run.move_count = len(run.move_ids)
            run.result = run._result_text()

    def _result_text(self):
        self.ensure_one()
        text = self.env._(
            "%(documents)s for %(bookings)s bookings.",
            documents=self._documents_text(),
            bookings=self.booking_count,
        )
        if self.left_out_ids:
            text += " " + self.env._("%s bookings were left out:", len(self.left_out_ids))
            for left in self.left_out_ids[:5]:
                text += f"\n{left.booking_id.display_name}: {left.reason}"
        return text

    def _documents_text(self):
        """How many of what the run made; another billing flow names its own."""
        return self.env._("%s drafts", len(self.move_ids))

    def _documents_action(self):
        """Open what the run made."""
        return self.move_ids._bookings_action()

    def _has_documents(self):
        return bool(self.move_ids)

    @api.depends("date", "user_id")
    def _compute_display_name(self):
        for run in self:
            when = fields.Datetime.context_timestamp(run, run.date)
            run.display_name = f"{when:%Y-%m-%d %H:%M} {run.user_id.name}"

    def _leave_out(self, booking, reason):
        self.sudo().left_out_ids = [Command.create({"booking_id": booking.id, "reason": reason or "?"})]

    def _take(self, documents):
        """Keep what the run made: draft invoices, or what another billing flow makes."""
        self.move_ids |= documents

    def _billed_bookings(self):
        """The bookings on what the run made."""
        return self.move_ids.invoice_line_ids.booking_id

    def _finish(self):
        self.ensure_one()
        self.write(
            {
                "state": "partial" if self.left_out_ids else "done",
                "booking_count": len(self._billed_bookings()),
            }
        )

    def _result_action(self):
        """Open the draft, or the list of drafts, and say what was done."""
        self.ensure_one()
        made = self._has_documents()
        message = {
            "title": self.env._("Drafts created") if made else self.env._("Nothing to invoice"),
            "message": self._result_text(),
            "type": "warning" if self.left_out_ids or not made else "success",
            "sticky": bool(self.left_out_ids),
        }
        if made:
            self.env.user._bus_send("simple_notification", message)
            return self._documents_action()
        return {"type": "ir.actions.client", "tag": "display_notification", "params": message}

    def action_view_moves(self):
        self.ensure_one()
        return self.move_ids._bookings_action()


class BookingsInvoiceRunLeftOut(models.Model):
    """A booking that a run left out, with the reason."""

    _name = "bookings.invoice.run.left.out"
    _description = "Booking Left Out of an Invoice Run"

    run_id = fields.Many2one("bookings.invoice.run", required=True, ondelete="cascade", index=True)
    booking_id = fields.Many2one("bookings.booking", required=True, ondelete="cascade", index=True)
    reason = fields.Char(required=True)
