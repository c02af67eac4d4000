import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from ..base.bisect import by_halves
from ..base.dates import moment_text
from ..base.scheduled import go_on
from .analytic_rules import RulesMemory
from .drafting import Joining

_logger = logging.getLogger(__name__)
ERROR_LENGTH = 500
BATCH = 50  # documents that the scheduled action creates and commits together


class BookingsInvoiceRun(models.Model):
    """One creation of drafts: the user, the time, the result, and the bookings that were not included, with reasons.

    How it works: up to several hundred drafts are created while the user waits. More become a *queued* run, which the
    scheduled action processes in batches. Each batch is committed together with the list of remaining work, so that a
    crash neither loses nor duplicates drafts.
    """

    _name = "bookings.invoice.run"
    _inherit = ["bookings.own.links"]
    _description = "Bookings Invoice Run"
    _order = "id desc"

    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, default=lambda self: self.env.user
    )
    date = fields.Datetime(string="Time", required=True, readonly=True, default=fields.Datetime.now)
    company_id = fields.Many2one(
        "res.company",
        readonly=True,
        index=True,
        default=lambda self: self.env.company,
        ondelete="cascade",
    )
    is_automatic = fields.Boolean(string="Automatic", readonly=True)
    settings = fields.Json(readonly=True)
    state = fields.Selection(
        [
            ("queued", "Queued"),
            ("running", "Running"),
            ("done", "Done"),
            ("partial", "Done, some not included"),
            ("undone", "Drafts removed"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
    )
    error = fields.Char(readonly=True, help="The error that stopped the run.")
    # IDs of the bookings of each document that remains to be created.
    todo = fields.Json(string="Remaining", readonly=True)
    total = fields.Integer(string="Total Bookings", readonly=True)
    progress = fields.Float(compute="_compute_progress")
    move_ids = fields.Many2many("account.move", string="Invoices", readonly=True)
    move_count = fields.Integer(string="Number of Invoices", compute="_compute_result")
    drafted_count = fields.Integer(string="Drafts", compute="_compute_counts")
    posted_count = fields.Integer(string="Posted", compute="_compute_counts")
    paid_count = fields.Integer(string="Paid", compute="_compute_counts")
    booking_count = fields.Integer(string="Number of Bookings", readonly=True)
    removed_text = fields.Text(
        string="Drafts Removed", readonly=True, help="What was removed, and what was kept and why."
    )
    left_out_ids = fields.One2many(
        "bookings.invoice.run.left.out", "run_id", string="Bookings Not Included", readonly=True
    )
    result = fields.Char(compute="_compute_result")

    @api.model
    def _start(self, values):
        """Create a run of the current user, with whose access rights the scheduled action continues it.

        :raises AccessError: if the user may not bill
        """
        self._check_may_bill()
        return self.sudo().create(values).sudo(False)

    def _check_may_bill(self):
        """Check that the user may start, resume, and undo runs: users who can read runs and write bookings.

        Nobody writes on a run directly.

        :raises AccessError: if the user may not bill
        """
        self.check_access("read")
        self.env["bookings.booking"].check_access("write")

    @api.depends("move_ids", "booking_count", "left_out_ids")
    def _compute_result(self):
        for run in self:
            run.move_count = len(run.move_ids)
            run.result = run._result_text()

    @api.depends("move_ids.state", "move_ids.payment_state")
    def _compute_counts(self):
        for run in self:
            posted = run.move_ids.filtered(lambda move: move.state == "posted")
            run.drafted_count = len(run.move_ids.filtered(lambda move: move.state == "draft"))
            run.posted_count = len(posted)
            run.paid_count = len(
                posted.filtered(lambda move: move.payment_state in ("paid", "in_payment"))
            )

    @api.depends("todo", "total")
    def _compute_progress(self):
        for run in self:
            left = sum(len(ids) for ids in run.todo or ())
            run.progress = 100.0 * (run.total - left) / run.total if run.total else 100.0

    def _result_text(self):
        self.ensure_one()
        if self.state == "queued":
            return self.env._(
                "Drafts are being created in the background. Bookings: %s", self.total
            )
        if self.state == "failed":
            return self.env._("The run failed: %s", self.error)
        text = self.env._(
            "%(documents)s for %(bookings)s.",
            documents=self._documents_text(),
            bookings=self.env._("1 booking")
            if self.booking_count == 1
            else self.env._("%s bookings", self.booking_count),
        )
        if amounts := self._amounts_text():
            text += f" {amounts}."
        if self.left_out_ids:
            number = len(self.left_out_ids)
            text += " " + (
                self.env._("1 booking was not included:")
                if number == 1
                else self.env._("%s bookings were not included:", number)
            )
            for left in self.left_out_ids[:5]:
                text += f"\n{left.booking_id.display_name}: {left.reason}"
        return text

    def _amounts_text(self):
        """Return the totals of the invoices with tax, per currency, as text."""
        return ", ".join(
            currency.format(sum(moves.mapped("amount_total")))
            for currency, moves in self.move_ids.grouped("currency_id").items()
        )

    def _documents_text(self):
        """Return the number of created documents as text. Other billing flows name theirs."""
        number = len(self.move_ids)
        return self.env._("1 draft") if number == 1 else self.env._("%s drafts", number)

    def _documents_action(self):
        """Open the created draft, or the run if there are several: there, they are confirmed and sent."""
        return self._open() if len(self.move_ids) > 1 else self.move_ids._bookings_action()

    def _has_documents(self):
        return bool(self.move_ids)

    @api.depends("date", "user_id")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for run in self:
            run.display_name = f"{moment_text(self.env, run.date)} {run.user_id.name}"

    # -- drafting ------------------------------------------------------------------------------------

    def _draft(self, bookings, settings):
        """Create the drafts of ready bookings of one company. A booking that fails does not affect the others.

        Bookings of setups with different billing flows never share a document.

        :param dict settings: ``grouping`` replaces that of the setups; ``join`` lists IDs of drafts to add lines to
        """
        rules = self.env["account.analytic.distribution.model"].sudo()
        bookings = bookings.with_context(bookings_rules=RulesMemory(rules))
        wanted = settings.get("join")
        if wanted:
            bookings = bookings.with_context(bookings_join=Joining(wanted))
        for part in bookings.grouped(lambda booking: booking.setup_id.billing_flow).values():
            groups, stopped = part._part_by_payer_details(part._grouped(settings))
            for left, reason in stopped:
                self._leave_out(left, reason)
            self._draft_groups(groups)
        if wanted:
            self.sudo().joined_line_ids |= bookings.sudo().invoice_line_ids.filtered(
                lambda line: line.booking_live and line.move_id.id in wanted
            )

    def _draft_groups(self, groups):
        """Create the documents of these groups. On failure, find the bookings that cause it and exclude them.

        :param groups: ``[(bookings, bookings_invoicing.billing.grouping.Group)]``
        """
        made = by_halves(
            self.env,
            groups,
            lambda part: part[0][0]._create_documents(part),
            self._draft_without_bad,
        )
        for documents in made:
            self._record_documents(documents)

    def _draft_without_bad(self, groups, error):
        """Exclude the bookings that prevent a document, and create the document of the others."""
        [(bookings, group)] = groups
        bad = self._find_bad(bookings, group, error)
        for booking_id, reason in bad.items():
            _logger.info("Booking %s cannot be drafted: %s", booking_id, reason)
            self._leave_out(bookings.browse(booking_id), _reason_text(self.env, reason))
        good = bookings.filtered(lambda booking: booking.id not in bad)
        if bad:
            self._draft_groups([(good, group)] if good else [])
        else:
            self._leave_out(bookings, _reason_text(self.env, error))

    def _find_bad(self, bookings, group, error):
        """Return ``{booking id: error}`` of the bookings that fail alone. The attempts are rolled back."""
        if len(bookings) == 1:
            return {bookings.id: error}
        bad, middle = {}, len(bookings) // 2

        def attempt(part):
            with self.env.cr.savepoint() as trial:
                part._create_documents([(part, group)])
                self.env.flush_all()
                trial.rollback()

        for half in (bookings[:middle], bookings[middle:]):
            by_halves(self.env, half, attempt, lambda one, why: bad.update({one.id: why}))
        return bad

    # -- result --------------------------------------------------------------------------------------

    def _leave_out(self, bookings, reason):
        if bookings:
            self.sudo().left_out_ids = [
                Command.create({"booking_id": booking.id, "reason": reason or "?"})
                for booking in bookings
            ]

    def _record_documents(self, documents):
        """Store the created documents: draft invoices, or those of another billing flow."""
        self.sudo().move_ids = [Command.link(document.id) for document in documents]

    def _billed_bookings(self):
        """Return the bookings on the created documents."""
        return self.move_ids.invoice_line_ids.booking_id

    def _count_bookings(self):
        for run in self.sudo():
            run.booking_count = len(run._billed_bookings())

    def _finish(self):
        self.ensure_one()
        self.sudo().write({"state": "partial" if self.left_out_ids else "done", "todo": False})
        self._count_bookings()

    def _message(self):
        self.ensure_one()
        made = self._has_documents()
        return {
            "title": self.env._("Drafts created") if made else self.env._("Nothing to invoice"),
            "message": self._result_text(),
            "className": "text-prewrap",
            "type": "warning" if self.left_out_ids or not made else "success",
            "sticky": bool(self.left_out_ids),
        }

    def _result_action(self):
        """Open the draft, or the run with its drafts, and report what was done. A queued run shows its progress."""
        self.ensure_one()
        if self.state == "queued":
            return self._open()
        if self._has_documents():
            self.env.user._bus_send("simple_notification", self._message())
            return self._documents_action()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": self._message(),
        }

    def _open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "name": self.env._("Invoice Run"),
        }

    # -- large runs ----------------------------------------------------------------------------------

    @api.model
    def _enqueue(self, chunks, settings):
        """Create a run for the scheduled action.

        :param list chunks: IDs of the bookings of each document
        """
        run = self._start(
            {
                "settings": settings,
                "state": "queued",
                "todo": chunks,
                "total": sum(len(ids) for ids in chunks),
            }
        )
        self.env.ref("bookings_invoicing.ir_cron_invoice_runs").sudo()._trigger()
        return run

    @api.model
    def _cron_work(self):
        """Process queued runs and runs with drafts to confirm. A failure is recorded on its run."""
        commit = self.env["ir.cron"]._commit_progress
        waiting = self.search(
            ["|", ("state", "=", "queued"), ("to_confirm", "!=", False)], order="id"
        ).filtered(lambda run: run._next_batch())
        if not commit(remaining=len(waiting)):
            return
        for number, run_id in enumerate(waiting.ids):
            left = self.browse(run_id)._work_on_schedule(commit)
            # A part of a run counts, too: otherwise, Odoo warns that nothing was processed.
            commit(1, remaining=len(waiting) - number - bool(left))
            if not left:
                go_on(self.env)
                break

    def _work_on_schedule(self, commit):
        """Process this run batch by batch. Other addons may override this to let a process of their own do it.

        :param commit: function that commits a batch and returns whether time is left
        :returns: whether the scheduled action has time left and no conflict with another transaction stopped it
        """
        left = True
        while left and (batch := self._next_batch()):
            try:
                batch()
                self.env.flush_all()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                self.env.cr.rollback()
                self.env.transaction.reset()
                return False
            except Exception as error:
                _logger.exception("The invoice run %s failed", self.id)
                self.env.cr.rollback()
                self.env.transaction.reset()
                self._fail(error)
                return commit()
            left = commit()
        return left

    def _next_batch(self):
        """Return the function that processes the next batch of this run, or None if nothing is left to do."""
        self.ensure_one()
        if self.state == "queued":
            return self._as_its_user()._work_batch
        return self._confirm_batch if self.to_confirm else None

    def _fail(self, error):
        """Record the error that ended a run. Its documents remain, and a user can resume the rest.

        :param Exception error:
        """
        self.ensure_one()
        run, reason = self.sudo(), str(error)[:ERROR_LENGTH] or type(error).__name__
        if run.to_confirm and run.state != "queued":
            run._stop_confirming(reason)
            return
        run.write({"state": "failed", "error": reason})
        run._count_bookings()
        message = {
            "title": self.env._("The invoice run failed"),
            "message": run.error,
            "type": "danger",
            "sticky": True,
        }
        self.user_id._bus_send("simple_notification", message)

    def action_resume(self):
        """Resume failed runs. The documents that exist already remain."""
        self._check_may_bill()
        for run in self.filtered(lambda run: run.state == "failed" and run.todo):
            run.sudo().write({"state": "queued", "error": False})
        self.env.ref("bookings_invoicing.ir_cron_invoice_runs").sudo()._trigger()

    def _as_its_user(self):
        """Return the run with the access rights, language, and companies of the requesting user."""
        return self.with_user(self.user_id).with_context(
            allowed_company_ids=self.user_id.company_ids.ids, lang=self.user_id.lang
        )

    def _work_batch(self, size=BATCH):
        """Create the next documents of a queued run in this transaction.

        :param int size: number of documents
        """
        self.ensure_one()
        # The row lock prevents two workers from processing the same batch.
        self.env.execute_query(
            SQL("SELECT id FROM bookings_invoice_run WHERE id = %s FOR UPDATE", self.id)
        )
        self.invalidate_recordset(["todo", "state"])
        if self.state != "queued":
            return  # undone in the meantime
        todo = self.todo or []
        batch, rest = todo[:size], todo[size:]
        ids = [booking_id for chunk in batch for booking_id in chunk]
        bookings = self.env["bookings.booking"]._chosen_for_invoices([("id", "in", ids)])
        bookings._invoice_into(self, self.settings or {})
        if rest:
            self.sudo().todo = rest
            self._count_bookings()
            return
        self._finish()
        self.user_id._bus_send("simple_notification", self._message())

    # -- afterwards ----------------------------------------------------------------------------------

    def action_view_moves(self):
        self.ensure_one()
        return self.move_ids._bookings_action()

    def action_view_bookings(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_all"
        )
        domain, context = [("id", "in", self._billed_bookings().ids)], {"active_test": False}
        return {**action, "domain": domain, "context": context}

    def action_undo(self):
        """Remove the documents of this run that were never posted or manually changed. The result lists the others."""
        self.ensure_one()
        self._check_may_bill()
        removed, kept = self._remove_documents()
        if self.state in ("queued", "failed"):
            self.sudo().todo = False
        if not kept:
            self.sudo().state = "undone"
        self._count_bookings()
        title = ", ".join(removed) or self.env._("%s drafts removed", 0)
        message = "\n".join([self.env._("Kept:"), *kept]) if kept else ""
        self.sudo().removed_text = "\n".join(filter(None, (title, message)))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": title,
                "message": message,
                "className": "text-prewrap",
                "type": "warning" if kept else "success",
                "sticky": bool(kept),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _remove_documents(self):
        """Remove the drafts of this run. Other billing flows add their documents.

        :returns: ``([what was removed, as text], [name of what was kept with the reason])``
        """
        removable = self.move_ids.browse()
        joined, lines, kept = self._undo_joined()
        for move in self.move_ids - joined:
            if reason := move._bookings_undo_reason(self):
                kept.append(f"{move.display_name}: {reason}")
            else:
                removable |= move
        count = len(removable)
        removable.unlink()
        if not kept:
            self.sudo().move_ids = [Command.unlink(move.id) for move in joined]
        texts = []
        if count:
            texts.append(
                self.env._("1 draft removed")
                if count == 1
                else self.env._("%s drafts removed", count)
            )
        if lines:
            texts.append(
                self.env._("1 line removed")
                if lines == 1
                else self.env._("%s lines removed", lines)
            )
        return texts, kept


def _reason_text(env, error):
    """Return the text of an error for the user. The server log contains the rest."""
    if isinstance(error, UserError):
        return str(error)
    return env._(
        "Odoo cannot create the draft: %s", str(error).split("\n", 1)[0] or type(error).__name__
    )
