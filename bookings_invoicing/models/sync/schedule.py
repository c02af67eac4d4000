import logging
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import plaintext2html

from ... import graph
from ...billing import period, windows
from ..base.graph_errors import tell, told
from ..base.scheduled import go_on
from ..setup.health import ACTIVITY
from .job import SyncJob

_logger = logging.getLogger(__name__)
WARNING = "mail.mail_activity_data_warning"
SOON = timedelta(minutes=2)


class BookingsSyncSetup(models.Model):
    """Synchronization on a schedule and by users, its failures, and automatic drafts.

    How it works: the scheduled action processes the runs that buttons queued, then the setups whose ``next_sync`` has
    passed, each with a :class:`~.job.SyncJob`. A button does the same immediately. Several scheduled actions do this at
    the same time, on one server or many: whoever claims a setup first synchronizes it, and the others take the next one.
    """

    _inherit = "bookings.sync.setup"

    # -- scheduled actions ---------------------------------------------------------------------------

    def _next_after(self, started):
        """Return when the next run is due (naive UTC): in step with the last one, and never in the past."""
        planned = self.next_sync or started
        last = min(planned, started) if started - planned < self._interval() else started
        return period.next_after(
            last, fields.Datetime.now(), self.interval_number, self.interval_type, self.tz
        )

    def _due_domain(self):
        now = fields.Datetime.now()
        return [
            # a domain that is applied to records does not imply it
            ("active", "=", True),
            ("paused", "=", False),
            ("next_sync", "<=", now),
            ("connection_id.active", "=", True),
            "|",
            ("retry_at", "=", False),
            ("retry_at", "<=", now),
        ]

    @api.model
    def _cron_sync(self):
        """Synchronize all setups that are due. A failure is recorded on its setup and does not stop the others."""
        commit = self.env["ir.cron"]._commit_progress
        upcoming = self.env["bookings.booking"]._due_by_clock()
        self._by_halves(commit, lambda bookings: bookings._leave_upcoming(), upcoming)
        if self._sync_due(commit):
            self.env["bookings.outbox"]._send_all(commit)
        self._alone(commit, self._note_late)

    @api.model
    def _cron_sync_beside(self):
        """Synchronize setups that are due while another scheduled action synchronizes others."""
        self._sync_due(self.env["ir.cron"]._commit_progress)

    @api.model
    def _sync_due(self, commit):
        """Synchronize the queued runs and due setups that no other process works on.

        :returns: whether time is left; if not, the scheduled action continues as soon as others had their turn
        """
        runs = self.env["bookings.sync.run"]
        queued = runs.search([("state", "=", "queued")], order="id")
        due = self.search(self._due_domain(), order="next_sync") - queued.setup_id
        work = [(run.setup_id.id, run.id) for run in queued] + [(one, ()) for one in due.ids]
        left = commit(remaining=len(work))
        for setup_id, run_id in work:
            if not left:
                go_on(self.env)
                break
            self.browse(setup_id)._sync_alone(commit, runs.browse(run_id))
            left = commit(1)
        return bool(left)

    def _sync_alone(self, commit, queued):
        """Synchronize this setup on schedule. An error is recorded, but not raised."""
        self._alone(
            commit,
            partial(self._sync_on_schedule, commit, queued),
            partial(self._note_stopped, queued=queued),
        )

    def _sync_on_schedule(self, commit, queued):
        """Synchronize this setup now, or process its queued run. Other addons may let a process of their own do it."""
        return self._sync_run(trigger="cron", commit=commit, queued=queued)

    def _is_wanted(self, queued):
        """Return whether this synchronization is still to be done. The caller has claimed the setup."""
        due = self._due_domain()
        return queued.state == "queued" if queued else bool(self.filtered_domain(due))

    @api.model
    def _alone(self, commit, work, on_error=None):
        """Call ``work`` and commit. An exception is rolled back, logged, and passed to ``on_error``, but not raised."""
        try:
            work()
            commit()
        except Exception as error:
            _logger.exception("A scheduled synchronization failed")
            self.env.cr.rollback()
            self.env.transaction.reset()
            if on_error:
                self._alone(commit, partial(on_error, error))

    @api.model
    def _by_halves(self, commit, work, bookings):
        """Call ``work`` for bookings and commit; if that fails, call it for each half, down to single bookings.

        Unlike :func:`..base.bisect.by_halves`, each part has a transaction of its own, and a conflict with another
        transaction also bisects, so that it delays only the bookings concerned until the next run.
        """
        middle = len(bookings) // 2

        def halves(_error):
            for half in (bookings[:middle], bookings[middle:]):
                self._by_halves(commit, work, half)

        if bookings:
            self._alone(commit, partial(work, bookings), halves if middle else None)

    @api.model
    def _cron_refresh(self):
        """Recheck the customers and blockers of all unbilled bookings every night."""
        commit = self.env["ir.cron"]._commit_progress
        bookings = self.env["bookings.booking"].sudo()
        ids = bookings.search(
            [("status", "in", ("ready", "attention", "upcoming"))], order="id"
        ).ids
        commit(remaining=len(ids))
        for index in range(0, len(ids), 500):
            batch = ids[index : index + 500]
            self._by_halves(commit, self._look_again, bookings.browse(batch).exists())
            self.env.invalidate_all()
            if not commit(len(batch)):
                go_on(self.env)
                break

    @api.model
    def _look_again(self, bookings):
        """Link customers that exist in Odoo by now, and recheck the blockers of these bookings."""
        bookings.customer_id._link_people_in_odoo()
        bookings._recheck_billing()

    def _sync_run(self, trigger="script", commit=None, full=False, queued=None):
        """Synchronize this setup now and return the run.

        :param commit: function that commits written batches; None for a single transaction
        :param full: whether to read everything since ``bill_from``, and not only the look-back days
        :param queued: a queued ``bookings.sync.run`` to process
        :rtype: bookings.sync.run
        """
        self.ensure_one()
        setup = self._for_sync()
        return SyncJob(
            setup, trigger, commit=commit, full=full or bool(queued and queued.full), run=queued
        ).run()

    def _for_sync(self):
        """Return the setup in superuser mode and in its company, whoever starts the synchronization."""
        return (
            self.sudo()
            .with_company(self.company_id)
            .with_context(allowed_company_ids=self.company_id.ids, tracking_disable=True)
        )

    # -- buttons -------------------------------------------------------------------------------------

    def action_sync_now(self):
        """Synchronize now. After a minute, the scheduled action continues in the background."""
        return self._sync_by_hand()

    def action_full_sync(self):
        """Synchronize now and read everything since *Bill From*."""
        return self._sync_by_hand(full=True)

    def _sync_by_hand(self, full=False):
        self._check_may_sync()
        runs = self.env["bookings.sync.run"]
        for setup in self:
            runs |= setup._sync_run(trigger="button", full=full).sudo(False)
        return runs._notify()

    def _check_may_sync(self):
        self.check_access("read")
        if not self.env.user.has_group("bookings_invoicing.group_user"):
            raise AccessError(
                self.env._("You need the role Microsoft Bookings / User to synchronize.")
            )

    def action_confirm_removals(self):
        """Confirm that the missing appointments were really removed from Bookings, and synchronize."""
        self.check_access("write")
        self.sudo().hold_confirmed = True
        return self._sync_by_hand()

    def action_pause(self):
        self.check_access("write")
        self.paused = True

    def action_resume(self):
        self.check_access("write")
        self.sudo().write(
            {
                "paused": False,
                "next_sync": fields.Datetime.now(),
                "retry_at": False,
                "waiting_reason": False,
            }
        )

    def _retry_records(self, appointment_ids):
        """Read these appointments again by ID.

        :raises UserError: if Bookings cannot be read or another synchronization is running
        """
        self._check_may_sync()
        for setup in self:
            try:
                free = SyncJob(setup._for_sync(), "script").retry(appointment_ids)
            except graph.GraphError as error:
                raise UserError(tell(self.env, error)) from error
            if not free:
                raise UserError(
                    self.env._("A synchronization is running. Try again when it is done.")
                )

    # -- health --------------------------------------------------------------------------------------

    def _held_text(self, missing):
        return self.env._(
            "%(number)s appointments disappeared from Bookings at the same time. Nothing has been changed. Check "
            "Bookings, then confirm the removals.",
            number=missing,
        )

    @api.model
    def _note_late(self):
        """Report each late setup once, in the log and with an activity."""
        silent = self.search([("paused", "=", False), ("late_since", "=", False)])
        for setup in silent.filtered(lambda setup: setup._is_late()):
            setup.sudo().late_since = fields.Datetime.now()
            times = setup._last_good() or "never", setup.next_sync or "not planned"
            _logger.warning(
                "Bookings setup %s %r is late: last good synchronization %s, next try %s; %s",
                *(setup.id, setup.name, *times),
                setup.waiting_reason or setup.error_message or "no reason known",
            )
            why = setup._waiting_sentence() or told(setup.env, setup.error_message)
            setup._tell_responsible(ACTIVITY, plaintext2html(why))

    def _note_stopped(self, error, queued):
        """Record an error that ended a synchronization outside of its :class:`~.job.SyncJob`.

        :param Exception error:
        :param queued: the ``bookings.sync.run`` to process, if any
        """
        setup, now = self._for_sync(), fields.Datetime.now()
        message = setup._in_words(error)
        setup._note_failure(message)
        setup.next_sync = setup._next_after(now)
        runs = self.env["bookings.sync.run"].sudo()
        run = queued.sudo() or runs.search(
            [("setup_id", "=", setup.id), ("state", "=", "running")], limit=1
        )
        if not run:
            run = runs.create(
                {
                    "setup_id": setup.id,
                    "trigger": "cron",
                    "user_id": self.env.uid,
                    "started": now,
                    "state": "failed",
                }
            )
        run.write({"state": "failed", "finished": now, "error": message})
        run._notify_requester()

    # -- automatic drafts: only invoices that need no check by a user, and never posted -----------------

    @api.model
    def _cron_auto_draft(self):
        """Create the automatic drafts of all setups that are due. A failure is reported and does not stop the others."""
        commit = self.env["ir.cron"]._commit_progress
        setups = self.search([("auto_draft", "!=", False), ("paused", "=", False)])
        left = commit(remaining=len(setups))
        for setup_id in setups.ids:
            if not left:
                go_on(self.env)
                break
            setup = self.browse(setup_id)
            draft = partial(setup._auto_draft_if_free, commit)
            self._alone(commit, draft, setup._note_auto_draft_failed)
            left = commit(1)

    def _auto_draft_if_free(self, commit):
        """Create the drafts that are due. After a conflict with another process, try again soon."""
        try:
            self._auto_draft(commit)
            self.env.flush_all()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            self.env.cr.rollback()
            cron = self.env.ref("bookings_invoicing.ir_cron_auto_draft").sudo()
            cron._trigger(at=fields.Datetime.now() + SOON)

    def _note_auto_draft_failed(self, error):
        """Record a failure as a run, and notify the responsible users with an activity.

        A temporary failure is also shown on the setup, and nothing is read before the time that Microsoft asks for.

        :param Exception error:
        """
        if getattr(error, "transient", False):
            self._note_waiting(error)
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
        """Create the drafts of this setup that are due and return the run.

        :param commit: function that commits, called before drafts are created
        :returns: the ``bookings.invoice.run``, or None if the setup is not due or must wait
        :raises graph.GraphError: if the appointments to bill cannot be read from Bookings again
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
        """Return the bookings for the automatic drafts of this day, including those with hints."""
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
        """Read older bookings, which recent runs did not cover, from Bookings again. Return whether all may be billed."""
        if not self._is_late():
            start, _end = windows.plan_windows(
                fields.Datetime.now(), self.look_back_days, self.look_ahead_days, self.tz
            )[0]
            bookings = bookings.filtered(lambda booking: booking.stop <= start)
        appointments = set(bookings.mapped("appointment_id"))
        job = SyncJob(self._for_sync(), "cron", commit=commit)
        return not appointments or job.look(appointments)

    def _auto_draft_due(self, today):
        last = self.auto_drafted_on
        if not last or self.auto_draft == "daily":
            return not last or last < today
        if self.auto_draft == "weekly":
            return period.week_of(last) != period.week_of(today)
        return period.month_of(last) != period.month_of(today)
