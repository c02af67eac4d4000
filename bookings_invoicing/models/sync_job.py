"""One synchronisation of one Bookings business, from claiming it to the line in its history.

What: reads services, staff members, customers and appointments, and lets the models keep what changed.

How to use: ``SyncJob(setup, "cron", commit=...).run()`` returns the ``bookings.sync.run``.

How it works: an advisory lock, held by a cursor of its own, makes sure that one process works on a setup; it ends with the
process, whatever happens to that. Pages are fetched while no write is pending and written in batches; with a ``commit``
each batch is durable before the next is fetched, without one (a button) everything is fetched first and written at once.
"""

import logging
import time
from contextlib import contextmanager
from datetime import UTC

from odoo import fields
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL

from .. import graph
from ..billing import windows

_logger = logging.getLogger(__name__)

LOCK_SPACE = 0x626B6E67  # "bkng": keeps our advisory locks apart from those of others
BATCH = 500
BUTTON_SECONDS = 60


class HandOver(Exception):
    """Reading takes longer than a person should wait for: the scheduled action goes on."""


class SyncJob:
    def __init__(self, setup, trigger, *, commit=None, full=False):
        self.setup = setup
        self.env = setup.env
        self.trigger = trigger
        self.full = full
        self._commit = commit
        self.started = fields.Datetime.now()
        self.counts = {}
        self.issues = []
        self.directory = {}
        self.client = None
        self.run_id = None

    # -- from outside ------------------------------------------------------------------------------

    def run(self):
        """Do the work and return its ``bookings.sync.run``; failures of the other side are kept, not raised."""
        clock = time.monotonic()
        with self._claim() as claimed:
            if not claimed:
                return self._finish("failed", clock, error=self.env._("A synchronisation is already running."))
            if self._commit:
                self.run_id = self._create_run("running").id
                self._commit()
            try:
                self._work(clock)
            except HandOver:
                self.setup.write({"next_sync": self.started})
                self.env.ref("bookings_invoicing.ir_cron_sync").sudo()._trigger()
                return self._finish("queued", clock)
            except graph.GraphError as error:
                return self._fail(error, clock)
            return self._succeed(clock)

    @contextmanager
    def _claim(self):
        with self.env.registry.cursor() as cursor:
            cursor.execute(
                SQL("SELECT pg_try_advisory_xact_lock(%s, %s)", LOCK_SPACE, self.setup.id)
            )
            yield cursor.fetchone()[0]

    # -- the work ------------------------------------------------------------------------------------

    def _work(self, clock):
        setup = self.setup
        self.client = setup._client()
        deadline = None if self._commit else clock + BUTTON_SECONDS
        setup._take_business(self.client.business(setup.business_id))
        for kind, reader, model in (
            ("service", self.client.services, "bookings.service"),
            ("staff", self.client.staff, "bookings.staff"),
        ):
            for page in self._fetch(reader(setup.business_id), deadline):
                self._keep(kind, page, self.env[model]._import_page)
        setup.last_service_sync = self.started
        if setup.customer_sync == "import":
            for page in self._fetch(self.client.customers(setup.business_id), deadline):
                self._keep("customer", page, self.env["bookings.customer"]._import_page)
            setup.last_customer_sync = self.started
        if setup.sync_appointments:
            self._appointments(deadline)

    def _appointments(self, deadline):
        setup = self.setup
        start, end = self._period()
        seen = set()
        booking = self.env["bookings.booking"]
        for page in self._fetch(self.client.calendar_view(setup.business_id, start, end), deadline):
            seen.update(record.id for record in page.records)
            seen.update(bad.remote_id for bad in page.malformed)
            self._keep("appointment", page, booking._import_page)
        judged = windows.judge_missing(
            booking._known_in_window(setup, start, end), seen, True, confirmed_hold=setup.hold_confirmed
        )
        if judged.hold:
            self.counts.setdefault("appointment", {})["held"] = judged.missing
        self._missing({*judged.confirm, *booking._unbilled_outside(setup, start, end)} - seen, deadline)
        setup.write({"last_appointment_sync": self.started, "hold_confirmed": False})

    def _missing(self, missing, deadline):
        """Ask by id for what the windows did not show: only a 404 says that an appointment is gone."""
        if not missing:
            return
        booking = self.env["bookings.booking"]
        source = self.client.appointments_by_id(self.setup.business_id, sorted(missing))
        answers = list(self._fetch(source, deadline))
        found = tuple(record for _id, record in answers if isinstance(record, graph.Appointment))
        bad = tuple(record for _id, record in answers if isinstance(record, graph.Malformed))
        self._keep("appointment", graph.Page(found, bad), booking._import_page)
        gone = {remote_id for remote_id, record in answers if record is None}
        self._count("appointment", booking._mark_removed(self.setup, gone))
        self._checkpoint()

    def _period(self):
        """From and to of the appointments to read: aware datetimes in UTC."""
        setup = self.setup
        first = not setup.last_appointment_sync or self.full
        planned = windows.plan_windows(
            self.started,
            setup.look_back_days,
            setup.look_ahead_days,
            setup.tz,
            bill_from=setup.bill_from if first else None,
            last_sync=setup.last_appointment_sync or None,
        )
        return planned[0][0].replace(tzinfo=UTC), planned[-1][1].replace(tzinfo=UTC)

    def _fetch(self, source, deadline):
        """Page by page where batches are committed; all of it first where they are not."""
        if self._commit:
            for item in source:
                yield item
            return
        items = []
        for item in source:
            items.append(item)
            if deadline and time.monotonic() > deadline:
                raise HandOver
        yield from items

    def _keep(self, kind, page, keep):
        """Write a page's records in batches; one that Odoo refuses costs only itself."""
        for bad in page.malformed:
            payload = self.env["bookings.forgotten"]._hide_payload(self.setup, bad.payload)
            self._quarantine(kind, bad.remote_id, bad.reason, payload)
        records = self.env["bookings.forgotten"]._hide(self.setup, list(page.records))
        for index in range(0, len(records), BATCH):
            self._keep_batch(kind, records[index : index + BATCH], keep)
        self._checkpoint()

    def _keep_batch(self, kind, records, keep):
        try:
            with self.env.cr.savepoint():
                self._count(kind, keep(self, records))
                self.env.flush_all()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            self.env.invalidate_all()
            if len(records) > 1:
                half = len(records) // 2
                self._keep_batch(kind, records[:half], keep)
                self._keep_batch(kind, records[half:], keep)
                return
            _logger.info("Bookings %s %r was refused: %s", kind, records[0].id, error)
            self._quarantine(kind, records[0].id, str(error), repr(records[0]))

    def _quarantine(self, kind, remote_id, reason, payload):
        self.issues.append({"kind": kind, "remote_id": remote_id, "reason": reason, "payload": payload})
        self._count(kind, {"seen": 1, "quarantined": 1})

    def _count(self, kind, counts):
        total = self.counts.setdefault(kind, {})
        for name, number in counts.items():
            total[name] = total.get(name, 0) + number

    def _checkpoint(self):
        if self._commit:
            self.env["bookings.sync.run"].browse(self.run_id).write(self._run_values())
            self._commit()

    # -- the end -------------------------------------------------------------------------------------

    def _succeed(self, clock):
        held = self.counts.get("appointment", {}).get("held")
        if held:
            self.setup._note_failure(
                self.env._(
                    "%(number)s appointments are gone from Bookings at once. Nothing was changed. Look at the run and "
                    "confirm, or find out what happened in Bookings.",
                    number=held,
                )
            )
        else:
            self.setup._note_success()
        self.setup.connection_id.sudo()._mark_connected()
        self.setup.next_sync = self.started + self.setup._interval()
        return self._finish("held" if held else "partial" if self.issues else "done", clock)

    def _fail(self, error, clock):
        if self._commit:
            self.env.cr.rollback()
            self.env.transaction.reset()
        needs_person = not error.transient
        self.setup._note_failure(str(error), error.retry_after, needs_person)
        if error.needs_admin:
            self.setup.connection_id.sudo()._mark_attention(error)
        self.setup.next_sync = self.started + self.setup._interval()
        return self._finish("failed", clock, error=str(error))

    def _finish(self, state, clock, error=False):
        values = self._run_values() | {
            "state": state,
            "finished": fields.Datetime.now(),
            "seconds": time.monotonic() - clock,
            "error": error,
            "issue_ids": [fields.Command.create(issue) for issue in self._new_issues()],
        }
        if self.run_id:
            run = self.env["bookings.sync.run"].browse(self.run_id)
            run.write(values)
        else:
            run = self._create_run(state, values)
        if self._commit:
            self._commit()
        return run

    def _new_issues(self):
        return [issue | {"setup_id": self.setup.id} for issue in self.issues]

    def _create_run(self, state, values=None):
        return self.env["bookings.sync.run"].create(
            {
                "setup_id": self.setup.id,
                "trigger": self.trigger,
                "user_id": self.env.context.get("bookings_user_id") or self.env.uid,
                "started": self.started,
                "state": state,
                **(values or {}),
            }
        )

    def _run_values(self):
        requests = self.client.transport.requests if self.client else 0
        return {"counts": self.counts, "requests": requests}
