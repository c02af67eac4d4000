import logging
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_datetime, plaintext2html

from ... import graph
from ...billing import period
from ..base.graph_errors import tell
from .job import SyncJob

_logger = logging.getLogger(__name__)

LATE_AT_LEAST = timedelta(hours=1)
LOOK_EVERY = timedelta(days=1)
ERROR_LENGTH = 500
ACTIVITY = "bookings_invoicing.mail_activity_sync"


class BookingsSyncSetup(models.Model):
    """When a setup is synchronised, by whom, and what is seen of its failures.

    How it works: the cron works off the runs that buttons handed over, then the setups whose ``next_sync`` has come,
    each by a :class:`~.job.SyncJob`; a button does the same at once.
    """

    _inherit = "bookings.sync.setup"

    health = fields.Selection(
        [("ok", "OK"), ("late", "Late"), ("attention", "Needs Attention")],
        compute="_compute_health",
    )
    error_message = fields.Char(readonly=True, copy=False)
    error_date = fields.Datetime(readonly=True, copy=False)
    retry_at = fields.Datetime(string="Tried Again on", readonly=True, copy=False)
    waiting_reason = fields.Char(
        readonly=True,
        copy=False,
        help="Why the last synchronization ended, if that passes by itself.",
    )
    waiting_text = fields.Char(string="Waiting", compute="_compute_waiting_text")
    last_look = fields.Datetime(
        string="Older Bookings Looked At",
        readonly=True,
        copy=False,
        help="When the unbilled bookings outside the time that is read were looked at last.",
    )
    late_since = fields.Datetime(
        readonly=True,
        copy=False,
        help="When it was noticed and told that nothing was read for too long.",
    )
    held_missing = fields.Integer(
        string="Missing Appointments Held",
        readonly=True,
        copy=False,
        help="Appointments that were gone from Bookings at once, in the run that is held",
    )
    hold_confirmed = fields.Boolean(string="Removals Confirmed", readonly=True, copy=False)

    @api.depends(
        "error_message",
        "last_appointment_sync",
        "interval_number",
        "interval_type",
        "connection_id.state",
    )
    def _compute_health(self):
        for setup in self:
            if setup.error_message or setup.connection_id.state == "attention":
                setup.health = "attention"
            else:
                setup.health = "late" if setup._is_late() else "ok"

    def _is_late(self):
        """Whether the last good synchronization is too long ago for the interval, and nobody wanted that."""
        self.ensure_one()
        now = fields.Datetime.now()
        last = self._last_good() or self.create_date or now
        return not self.paused and now - last > max(2 * self._interval(), LATE_AT_LEAST)

    def _last_good(self):
        return self.last_appointment_sync if self.sync_appointments else self.last_service_sync

    @api.depends(
        "waiting_reason",
        "retry_at",
        "next_sync",
        "last_appointment_sync",
        "last_service_sync",
        "interval_number",
        "interval_type",
        "paused",
    )
    @api.depends_context("lang", "tz")
    def _compute_waiting_text(self):
        for setup in self:
            setup.waiting_text = setup._waiting_sentence()

    def _waiting_sentence(self):
        """Why nothing is read at the moment and when it is tried again; empty where all is well."""
        if self.waiting_reason:
            return self.env._(
                "Waiting for Microsoft. %(reason)s Next try: %(time)s.",
                reason=self.waiting_reason,
                time=format_datetime(self.env, self.retry_at or self.next_sync),
            )
        if not self.error_message and self._is_late():
            return self.env._(
                "Nothing was read since %(last)s. Next try: %(time)s. If that has passed, check that the scheduled "
                "actions of Odoo run.",
                last=self._shown_time(self._last_good()),
                time=self._shown_time(self.next_sync),
            )
        return False

    def _shown_time(self, moment):
        return format_datetime(self.env, moment) if moment else self.env._("never")

    def _is_due_to_look(self, now):
        """Whether to look at the unbilled bookings outside the windows: each at least once a day, whatever the interval."""
        self.ensure_one()
        return not self.last_look or now + self._interval() > self.last_look + LOOK_EVERY

    # -- by the clock --------------------------------------------------------------------------------

    def _interval(self):
        self.ensure_one()
        return timedelta(**{self.interval_type: self._bounded("interval_number")})

    def _next_after(self, started):
        """When the next run is due: in step with the last, never in the past, days by the business's clock."""
        planned = self.next_sync or started
        last = min(planned, started) if started - planned < self._interval() else started
        return period.next_after(
            last, fields.Datetime.now(), self.interval_number, self.interval_type, self.tz
        )

    def _due_domain(self):
        now = fields.Datetime.now()
        return [
            ("paused", "=", False),
            ("next_sync", "<=", now),
            ("connection_id.active", "=", True),
            "|",
            ("retry_at", "=", False),
            ("retry_at", "<=", now),
        ]

    @api.model
    def _cron_sync(self):
        """Synchronise each setup whose time has come; what fails is kept on the setup, the others go on."""
        commit = self.env["ir.cron"]._commit_progress
        self._by_halves(
            commit,
            lambda bookings: bookings._pass_by_clock(),
            self.env["bookings.booking"]._due_by_clock(),
        )
        queued = self.env["bookings.sync.run"].search([("state", "=", "queued")], order="id")
        due = self.search(self._due_domain(), order="next_sync") - queued.setup_id
        left = commit(remaining=len(queued) + len(due))
        for run_id, setup_id in [(run.id, run.setup_id.id) for run in queued] + [
            (None, one) for one in due.ids
        ]:
            if not left:
                break
            run = self.env["bookings.sync.run"].browse(run_id or ())
            setup = self.browse(setup_id)
            self._alone(
                commit,
                partial(setup._sync_run, trigger="cron", commit=commit, queued=run),
                partial(setup._note_stopped, queued=run),
            )
            left = commit(1)
        self._alone(commit, self._note_late)

    @api.model
    def _alone(self, commit, work, on_error=None):
        """Do a piece of work that must not stop the next one; what it raises is rolled back, logged and noted."""
        try:
            work()
            commit()
        except Exception as error:
            _logger.exception("A scheduled synchronisation failed")
            self.env.cr.rollback()
            self.env.transaction.reset()
            if on_error:
                self._alone(commit, partial(on_error, error))

    @api.model
    def _by_halves(self, commit, work, bookings):
        """Do a piece of work on bookings; where it fails, on each half, until only those that fail are left out."""
        middle = len(bookings) // 2

        def halves(_error):
            for half in (bookings[:middle], bookings[middle:]):
                self._by_halves(commit, work, half)

        if bookings:
            self._alone(commit, partial(work, bookings), halves if middle else None)

    @api.model
    def _cron_refresh(self):
        """Every night: look again at what stands in the way of unbilled bookings (taxes, journals, partners ...)."""
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
                break

    @api.model
    def _look_again(self, bookings):
        """Find customers that Odoo has got meanwhile, and what else stands in the way of these bookings."""
        unknown = bookings.customer_id.filtered(lambda customer: not customer.partner_id)
        for setup, customers in unknown.grouped("setup_id").items():
            customers._match_partners(setup)
        bookings._refresh_billing()

    def _sync_run(self, trigger="script", commit=None, full=False, queued=None):
        """Synchronise this setup now and return the run.

        :param commit: called where written work may be made durable; without it everything is one transaction
        :param full: read everything since ``bill_from``, not only the look-back window
        :param queued: the ``bookings.sync.run`` of a button that handed over, to work off
        :rtype: bookings.sync.run
        """
        self.ensure_one()
        setup = self._for_sync()
        return SyncJob(
            setup, trigger, commit=commit, full=full or bool(queued and queued.full), run=queued
        ).run()

    def _for_sync(self):
        """The setup with the rights and in the company that synchronising needs, whoever starts it."""
        return (
            self.sudo()
            .with_company(self.company_id)
            .with_context(allowed_company_ids=self.company_id.ids, tracking_disable=True)
        )

    # -- by hand -------------------------------------------------------------------------------------

    def action_sync_now(self):
        """Synchronise at once; long ones are handed over to the scheduled action, which says so."""
        return self._sync_by_hand()

    def action_full_sync(self):
        """Like *Sync now*, but reads everything since the day from which this setup bills."""
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
            raise AccessError(self.env._("Synchronising needs the role Microsoft Bookings / User."))

    def action_confirm_removals(self):
        """Say that the many appointments that are gone from Bookings are really gone, and synchronise."""
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
        """Read these appointments again, by id."""
        self._check_may_sync()
        for setup in self:
            try:
                free = SyncJob(setup._for_sync(), "script").retry(appointment_ids)
            except graph.GraphError as error:
                raise UserError(tell(self.env, error)) from error
            if not free:
                raise UserError(
                    self.env._("A synchronisation is running. Try again when it is done.")
                )

    # -- health --------------------------------------------------------------------------------------

    def _held_text(self, missing):
        return self.env._(
            "%(number)s appointments are gone from Bookings at once. None of them was marked as gone. Find out what "
            "happened in Bookings, or confirm that they are gone.",
            number=missing,
        )

    def _note_success(self):
        self.ensure_one()
        troubles = ("error_message", "error_date", "retry_at", "waiting_reason", "late_since")
        if any(self[name] for name in troubles):
            self.sudo().write(dict.fromkeys(troubles, False))
        self.activity_unlink([ACTIVITY])

    def _note_waiting(self, reason, until):
        """Say that a failure passes by itself, and when it is tried again.

        :param datetime until: naive UTC
        """
        self.ensure_one()
        self.sudo().write({"waiting_reason": reason, "retry_at": until, "next_sync": until})
        self.env.ref("bookings_invoicing.ir_cron_sync").sudo()._trigger(at=until)

    @api.model
    def _note_late(self):
        """Tell once of each setup that nothing was read for too long, in the log and as an activity."""
        silent = self.search([("paused", "=", False), ("late_since", "=", False)])
        for setup in silent.filtered(lambda setup: setup._is_late()):
            setup.sudo().late_since = fields.Datetime.now()
            _logger.warning(
                "Bookings setup %s %r is late: last good synchronization %s, next try %s; %s",
                setup.id,
                setup.name,
                setup._last_good() or "never",
                setup.next_sync or "not planned",
                setup.waiting_reason or setup.error_message or "no reason known",
            )
            why = setup._waiting_sentence() or setup.error_message
            setup._tell_responsible(ACTIVITY, plaintext2html(why))

    def _in_words(self, error):
        """What ended a synchronisation, for a person.

        :param Exception error:
        """
        if isinstance(error, graph.GraphError):
            return tell(self.env, error)
        if isinstance(error, UserError):
            return str(error)
        return self.env._(
            "An unexpected error ended the synchronisation; the server's log has the details. %(kind)s: %(error)s",
            kind=type(error).__name__,
            error=str(error)[:ERROR_LENGTH],
        )

    def _note_stopped(self, error, queued):
        """Keep what ended a synchronisation outside of the care of its :class:`~.job.SyncJob`.

        :param Exception error:
        :param queued: the ``bookings.sync.run`` that was to be worked off, if any
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
        run._tell_who_asked()

    def _note_failure(self, message):
        """Keep a failure where a person sees it: on the setup, and as one activity for its responsible user."""
        self.ensure_one()
        if self.error_message != message or self.retry_at:
            self.sudo().write(
                {
                    "error_message": message,
                    "error_date": fields.Datetime.now(),
                    "retry_at": False,
                    "waiting_reason": False,
                }
            )
        self._tell_responsible(ACTIVITY, plaintext2html(message))

    def _responsible_candidates(self):
        first, *others = super()._responsible_candidates()
        return [first, self.sudo().connection_id.user_id, *others]
