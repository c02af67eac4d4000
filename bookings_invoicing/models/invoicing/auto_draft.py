from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import plaintext2html

from ...billing import money, period, windows
from ..sync.job import SyncJob

WARNING = "mail.mail_activity_data_warning"


class BookingsSyncSetup(models.Model):
    """Drafts by the clock: only what a person would not look at twice, and never confirmed."""

    _inherit = "bookings.sync.setup"

    @api.model
    def _cron_auto_draft(self):
        """Draft for each setup whose turn it is; one that fails costs only itself, and somebody is told."""
        commit = self.env["ir.cron"]._commit_progress
        setups = self.search([("auto_draft", "!=", False), ("paused", "=", False)])
        left = commit(remaining=len(setups))
        for setup_id in setups.ids:
            if not left:
                break
            setup = self.browse(setup_id)
            draft = partial(setup._auto_draft_if_free, commit)
            self._alone(commit, draft, setup._note_auto_draft_failed)
            left = commit(1)

    def _auto_draft_if_free(self, commit):
        """Draft what is due; what meets somebody else's work waits for the next night."""
        try:
            self._auto_draft(commit)
            self.env.flush_all()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self.env.cr.rollback()

    def _note_auto_draft_failed(self, error):
        """Keep a failure as a run, and as one activity for who is responsible.

        :param Exception error:
        """
        run = (
            self.env["bookings.invoice.run"]
            .sudo()
            .create({"state": "failed", "is_automatic": True, "company_id": self.company_id.id})
        )
        run._fail(error)
        self._tell_responsible(
            WARNING,
            plaintext2html(run.error),
            summary=self.env._("Automatic drafts failed"),
        )

    def _auto_draft(self, commit=None):
        """Draft what is due of this setup and return the run; ``None`` where it is not its turn, or has to wait.

        :param commit: of the scheduled action, called before anything is drafted
        :raises graph.GraphError: Bookings cannot be asked about what would be billed
        """
        self.ensure_one()
        setup = self.with_company(self.company_id).with_context(
            allowed_company_ids=self.company_id.ids
        )
        today = setup._today()
        if not setup._auto_draft_due(today):
            return None
        if not setup._looked_at(setup._due_automatically(today), commit):
            return None
        setup.sudo().auto_drafted_on = today
        bookings = setup._due_automatically(today)
        run = (
            setup.env["bookings.invoice.run"]
            .sudo()
            .create({"state": "running", "is_automatic": True})
        )
        for_machine = bookings._for_automation(run)
        for_machine._invoice_into(run, {})
        run._finish()
        return run

    def _due_automatically(self, today):
        """The bookings that the automatic drafts of this day would bill, before anybody's hint is heard."""
        bookings = self.env["bookings.booking"].search(
            [("setup_id", "=", self.id), ("status", "=", "ready")]
        )
        if self.auto_draft != "daily":
            last = (
                period.month_start(today)
                if self.auto_draft == "monthly"
                else today - timedelta(today.weekday())
            )
            bookings = bookings.filtered(lambda booking: booking._last_day() < last)
        return bookings

    def _looked_at(self, bookings, commit):
        """Whether these may be billed: what the last synchronizations did not read is looked at in Bookings first."""
        if not self._is_late():
            start, _end = windows.plan_windows(
                fields.Datetime.now(), self.look_back_days, self.look_ahead_days, self.tz
            )[0]
            bookings = bookings.filtered(lambda booking: booking.stop <= start)
        appointments = set(bookings.mapped("appointment_id"))
        job = SyncJob(self._for_sync(), "cron", commit=commit)
        return not appointments or job.look(appointments)

    def _today(self):
        return period.local_time(fields.Datetime.now(), self.tz).date()

    def _auto_draft_due(self, today):
        last = self.auto_drafted_on
        if not last or self.auto_draft == "daily":
            return not last or last < today
        if self.auto_draft == "weekly":
            return period.week_of(last) != period.week_of(today)
        return period.month_of(last) != period.month_of(today)


class BookingsBooking(models.Model):
    _inherit = "bookings.booking"

    def _for_automation(self, run):
        """Those that need nobody's eye; the others are left out of the run with the reason."""
        noted = self._hints()
        kept = self.browse()
        for group in self._grouped({}):
            bookings = self.browse(item.id for item in group.items)
            reason = bookings._reason_against_automation(noted, group.split)
            if reason:
                run._leave_out(bookings, reason)
            else:
                kept |= bookings
        return kept

    def _reason_against_automation(self, noted, split):
        """Why a person should look at this invoice first; empty where nothing speaks against it."""
        if self.filtered("billed_before"):
            return self.env._("Was billed before.")
        for booking in self:
            if noted.get(booking.id):
                return self._hint_text(noted[booking.id][0])
        total = money.decimal_of(self._invoice_totals(split)["amount_total"])
        return next(iter(self._invoice_hints(total, split, self._draft_to_join(split))), "")
