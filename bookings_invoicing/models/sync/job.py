"""One synchronization of one Bookings business: it reads the records, and the models store the changes.

How to use: ``SyncJob(setup, "cron", commit=...).run()`` returns the ``bookings.sync.run``.

How it works: an advisory lock ensures that only one process works on a setup. A separate cursor holds it if batches are
committed, else the one transaction. PostgreSQL releases it when the process ends, whatever the reason. Pages are fetched
while no write is pending, and written in batches (:mod:`.batch_store`). With ``commit``, each batch is committed before
the next page is fetched. Without it (a button), everything is fetched first and written at once. Each window is evaluated
separately, so that memory does not grow with the number of appointments.
"""

import logging
import time
from contextlib import contextmanager, nullcontext, suppress
from datetime import timezone

from psycopg2.errors import LockNotAvailable

from odoo import fields
from odoo.tools import SQL

from ... import graph
from ...billing import windows
from ...billing.removals import are_few
from ..booking import in_window, removals
from ..directory.people_lock import HandOver
from .batch_store import BATCH, BatchStore, joined

_logger = logging.getLogger(__name__)

LOCK_SPACE = 0x626B6E67  # "bkng": separates our advisory locks from others
BUTTON_SECONDS = 60
PROGRESS_SECONDS = 2


class SyncJob:
    """See ``BookingsSyncSetup._sync_run`` for the parameters. ``run`` is a queued ``bookings.sync.run`` to process."""

    def __init__(self, setup, trigger, *, commit=None, full=False, run=None):
        self.setup = setup
        self.env = setup.env
        self.trigger = trigger
        self.full = full
        self._commit = commit
        self.started = fields.Datetime.now()
        self.store = BatchStore(self.env, setup, commit, self._show_progress)
        self.client = None
        self._looked = False  # whether this run also checks appointments outside the period
        self._page = 1  # rows on the longest page so far
        self.covered = {}  # periods and lists that were read completely, by kind
        self._window = (None, None)  # the one that is read, and what is stored of it
        self._read_again = self._filter = False
        self._fresh = time.monotonic()
        self._clock = time.monotonic()
        self.run_id = run.id if run else None

    # -- entry points ------------------------------------------------------------------------------

    def run(self):
        """Synchronize; return the run, or none if another process did it. Errors of Microsoft are recorded, not raised."""
        with self._claim() as claimed:
            if not claimed:
                return self._already_running()
            try:
                self.store.commit()  # from here on, everything is seen that was committed before the claim
                if not self.store.durably(self._begin):
                    return self.env["bookings.sync.run"]
                return self.store.durably(self._note_end, self._work())
            except HandOver:
                return self._hand_over()
            except graph.GraphError as error:
                return self._fail(error)
            except Exception as error:
                if not self._commit:
                    raise
                _logger.exception("The synchronization of %r failed", self.setup.id)
                return self._fail(error)

    def retry(self, appointment_ids):
        """Read these appointments by ID and store them. Return False if another process works on the setup or people."""
        with self._claim() as claimed, suppress(HandOver):
            if claimed:
                self.setup._check_filters_stored()
                self.client = self.setup._client()
                gone = self._ask(appointment_ids)
                self.store.well.update(("appointment", remote_id) for remote_id in gone)
                self._note_issues()
            return claimed
        return False

    def look(self, appointment_ids):
        """Read these appointments again before they are billed.

        :returns: whether they may be billed: not if too many are missing at once
        :raises LockNotAvailable: if another process works on the setup
        """
        with self._claim() as claimed:
            if not claimed:
                raise LockNotAvailable("A synchronization is running.")
            self.client = self.setup._client()
            gone = self._ask(appointment_ids)
            self._note_issues()
            if not are_few(len(gone), len(appointment_ids)):
                self.setup._note_failure(self.setup._held_text(len(gone)))
                self.setup._ask_to_look()  # the next synchronization asks a user about them
                return False
            self._remove(gone)
            return True

    @contextmanager
    def _claim(self):
        own = self.env.registry.cursor() if self._commit else nullcontext(self.env.cr)
        with own as cursor:
            cursor.execute(
                SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK_SPACE, self.setup.id)
            )
            yield cursor.fetchone()[0]

    def _begin(self):
        """Record the start of this run, and close interrupted ones. Return False if another process did it meanwhile."""
        runs = self.env["bookings.sync.run"]
        run = runs.browse(self.run_id).exists()
        if self.trigger == "cron" and not self.setup._is_wanted(run):
            return False
        runs._close_interrupted(self.setup, self.run_id, self.started)
        if self._commit:
            run.write({"state": "running", "started": self.started})
            self.run_id = (run or self._create_run("running")).id
        return True

    def _already_running(self):
        running = self.env["bookings.sync.run"].search(
            [("setup_id", "=", self.setup.id), ("state", "in", ("running", "queued"))], limit=1
        )
        if running or self.trigger == "cron":
            return running
        error = self.env._("A synchronization is already running.")
        return self._create_run("failed", {"error": error, "finished": self.started})

    # -- reading and storing -------------------------------------------------------------------------

    def _work(self):
        """Read and store all records. Return the number of missing appointments that hold the run, or 0."""
        setup = self.setup
        setup._check_filters_stored()
        self.client = setup._client()
        business = self.client.business(setup.business_id)
        self.store.durably(setup._take_business, business)
        self._directory("service", self.client.services, "bookings.service")
        self._directory("staff", self.client.staff, "bookings.staff")
        done = {"last_service_sync": self.started}
        if setup._imports("customer"):
            self._directory("customer", self.client.customers, "bookings.customer")
            # a changed name or email address does not always appear in lists without customers
            self._looked = bool(self.store.counts.get("customer", {}).get("updated"))
            done["last_customer_sync"] = self.started
        self.store.durably(self.env["bookings.outbox"]._note_all_offered, setup)
        held = self._appointments() if setup.sync_appointments else 0
        self.store.durably(self._note_read, done, held)
        return held

    def _note_read(self, done, held):
        setup = self.setup
        if setup.sync_appointments and not held:
            done |= {"last_appointment_sync": self.started, "hold_confirmed": False}
            # what is asked for during this run is left to the next one
            if self._looked and setup.service_filter == self._filter:
                done["last_look"] = self.started
            if setup.read_again == self._read_again:
                done["read_again"] = False
        setup.write(done | {"held_missing": held})

    def _directory(self, kind, reader, model):
        seen = set()
        for page in joined(self._fetch(reader(self.setup.business_id))):
            seen |= self.store.keep(kind, page, self.env[model]._import_page)
        self.covered[kind] = None
        if "" not in seen:  # a row without an ID may be one of those that seem to be removed
            self.store.durably(self.env[model]._mark_gone, self.setup, seen)

    def _appointments(self):
        """Read and store the appointments of the planned period. Return the number that hold the run, or 0."""
        setup = self.setup
        self._read_again, self._filter = setup.read_again, setup.service_filter
        everything = self.full or self._read_again or not setup.last_appointment_sync
        start, end = setup._period_to_read(self.started, bool(everything))
        self._looked = self._looked or self.full or setup._is_due_to_look(self.started)
        missing, known = self._windows(start, end)
        self.covered["appointment"] = start.replace(tzinfo=None), end.replace(tzinfo=None)
        if not setup.hold_confirmed and not are_few(len(missing), known):
            return len(missing)
        outside = removals.unbilled_outside(self.env, setup, start, end) if self._looked else set()
        gone, gone_outside = self._ask(missing), self._look(outside)
        if not setup.hold_confirmed and not are_few(len(gone_outside), len(outside)):
            self._remove(gone)
            return len(gone_outside)
        self._remove(gone | gone_outside)
        return 0

    def _look(self, appointment_ids):
        """Check appointments outside the period of this run, as lists or by ID, whichever needs fewer requests.

        :returns: IDs of removed appointments
        """
        if not appointment_ids:
            return set()

        def rows_in(window):
            return len(in_window.look_up(self.env, self.setup, *window).expected)

        starts = removals.starts(self.env, self.setup, appointment_ids)
        near, asked = windows.close_together(starts, rows_in, self._page, graph.BATCH_ITEMS)
        self.store.commit()  # no open transaction while pages are fetched
        for start, end in near:
            missing, _known = self._windows(
                start.replace(tzinfo=timezone.utc), end.replace(tzinfo=timezone.utc)
            )
            asked |= missing & appointment_ids
        return self._ask(asked)

    def _windows(self, start, end):
        """Read a period and store its appointments in batches. Find missing ones after each window.

        :returns: ``({IDs of missing appointments}, number of appointments that Bookings should have listed)``
        """
        setup, booking = self.setup, self.env["bookings.booking"]
        records, malformed, seen = [], [], set()
        missing, number = set(), 0
        unchanged = None if self.full else self._unchanged
        pages = self.client.calendar_view(
            setup.business_id, start, end, unchanged, hidden_too=not self._looked
        )
        self.store.commit()  # no open transaction while the first page is fetched
        for page in self._fetch(pages):
            expected, ids = self._in_window(page.window).expected, page.ids
            records += page.records
            malformed += page.malformed
            self.store.pass_over("appointment", page.unchanged)
            seen.update(ids)
            self._page = max(self._page, len(ids))
            if len(records) >= BATCH or page.complete:
                self.store.keep(
                    "appointment",
                    graph.Page(tuple(records), tuple(malformed)),
                    booking._import_page,
                )
                records, malformed = [], []
            if page.complete:
                number += len(expected)
                missing = (missing | expected) - seen
                seen = set()
        return missing, number

    def _in_window(self, window):
        """Return the :class:`in_window.InWindow` of a window as it was before its first page was stored."""
        if self._window[0] != window:
            self._window = window, in_window.look_up(self.env, self.setup, *window)
            self.store.commit()  # no open transaction while the next page is fetched
        return self._window[1]

    def _unchanged(self, window, digests):
        return self._in_window(window).unchanged(digests)

    def _ask(self, appointment_ids):
        """Read missing appointments by ID. Only a response 404 proves that an appointment was removed.

        :returns: IDs of removed appointments
        """
        if not appointment_ids:
            return set()
        source = self.client.appointments_by_id(self.setup.business_id, sorted(appointment_ids))
        answers = list(self._fetch(source))
        found = tuple(record for _id, record in answers if isinstance(record, graph.Appointment))
        bad = tuple(record for _id, record in answers if isinstance(record, graph.Malformed))
        self.store.keep(
            "appointment", graph.Page(found, bad), self.env["bookings.booking"]._import_page
        )
        return {remote_id for remote_id, record in answers if record is None}

    def _remove(self, gone):
        ordered = sorted(gone)
        for index in range(0, len(ordered), BATCH):
            counts = self.store.durably(
                removals.mark_appointments_removed,
                *(self.env, self.setup, ordered[index : index + BATCH]),
            )
            self.store.count("appointment", counts)

    def _fetch(self, source):
        """Yield pages one by one if batches are committed; otherwise, fetch all of them first."""
        if self._commit:
            yield from source
            return
        items = []
        for item in source:
            items.append(item)
            if self.trigger == "button" and time.monotonic() - self._clock > BUTTON_SECONDS:
                raise HandOver
        yield from items

    def _show_progress(self):
        if self._commit and time.monotonic() - self._fresh > PROGRESS_SECONDS:
            self._fresh = time.monotonic()
            self.store.durably(
                self.env["bookings.sync.run"].browse(self.run_id).write, self._run_values()
            )

    # -- the end -------------------------------------------------------------------------------------

    def _note_end(self, held):
        setup = self.setup
        state = "held" if held else "partial" if self.store.issues else "done"
        if held:
            setup._note_failure(setup._held_text(held))
        else:
            setup._note_success()
        setup.connection_id.sudo()._mark_connected()
        setup.next_sync = setup._next_after(self.started)
        self._note_issues()
        return self._finish(state)

    def _note_issues(self):
        self.env["bookings.sync.issue"]._note(
            self.setup, self.run_id, self.store.issues, self.store.well, self.covered
        )

    def _fail(self, error):
        if self._commit:
            self.store.rollback()
        return self.store.durably(self._note_failed, error)

    def _note_failed(self, error):
        setup = self.setup
        message = setup._in_words(error)
        if getattr(error, "transient", False):
            setup._note_waiting(error)
        else:
            setup._note_failure(message)
            setup.next_sync = setup._next_after(self.started)
        if getattr(error, "needs_admin", False):
            setup.connection_id.sudo()._mark_attention(message)
        self._note_issues()
        return self._finish("failed", error=message)

    def _hand_over(self):
        """Queue the run for the scheduled action. Further requests of the user return the same run while it waits."""
        self.env.ref("bookings_invoicing.ir_cron_sync").sudo()._trigger()
        waiting = self.env["bookings.sync.run"]._waiting_of_user(self.setup, self.full)
        return waiting or self._finish("queued")

    def _finish(self, state, error=False):
        values = self._run_values() | {
            "state": state,
            "finished": fields.Datetime.now() if state != "queued" else False,
            "seconds": time.monotonic() - self._clock,
            "error": error,
        }
        self._log(values)
        run = self.env["bookings.sync.run"].browse(self.run_id or ()).exists()
        if not run:
            return self._create_run(state, values)
        run.write(values)
        run._notify_requester()
        return run

    def _log(self, values):
        """Log one line for the operator of the server, without names or texts of customers."""
        counts = values["counts"].get("appointment", {})
        _logger.info(
            "Bookings setup %s %r, %s: %s; appointments %s seen, bookings %s created, %s updated, %s removed; "
            "%s set aside; %s requests, %.1f s",
            self.setup.id,
            self.setup.name,
            self.trigger,
            values["state"],
            *(counts.get(name, 0) for name in ("seen", "created", "updated", "removed")),
            sum(one.get("quarantined", 0) for one in values["counts"].values()),
            values["requests"],
            values["seconds"],
        )

    def _create_run(self, state, values=None):
        return self.env["bookings.sync.run"].create(
            {
                "setup_id": self.setup.id,
                "trigger": self.trigger,
                "full": self.full,
                "user_id": self.env.uid,
                "started": self.started,
                "state": state,
                **(values or {}),
            }
        )

    def _run_values(self):
        requests = self.client.transport.requests if self.client else 0
        return {"counts": self.store.counts, "requests": requests}
