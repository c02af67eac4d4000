"""Scheduled actions hand their work out as jobs, and do it themselves where nobody performs these."""

from contextlib import contextmanager, nullcontext
from datetime import timedelta
from unittest.mock import patch

from odoo.addons.bookings_invoicing.models.invoicing import drafting
from odoo.addons.bookings_invoicing.models.invoicing import run as invoice_run
from odoo.addons.bookings_invoicing.models.sync.batch_store import BatchStore
from odoo.addons.bookings_invoicing.models.sync.job import SyncJob
from odoo.addons.bookings_invoicing.tests.common import NOW
from odoo.addons.bookings_invoicing.tests.invoicing.test_auto_draft import CronCase
from odoo.addons.bookings_invoicing.tests.setup.test_health import graph_answers
from odoo.addons.queue_job.exception import RetryableJobError
from odoo.addons.queue_job.job import Job
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger


class JobCase(CronCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(su=True)
        cls.setup = cls.setup.with_env(cls.env)
        cls.ready = cls.ready.with_env(cls.env)
        cls.env["bookings.sync.setup"].search([("id", "!=", cls.setup.id)]).paused = True

    def setUp(self):
        super().setUp()
        # The cursors of a test are one connection, on which locks of other processes mean nothing.
        self.startPatcher(patch.object(SyncJob, "_claim", lambda job: nullcontext(True)))
        self.startPatcher(
            patch.object(BatchStore, "_new_people_locked", lambda store, records: nullcontext())
        )

    def jobs(self, record):
        """The jobs of a record, the oldest first."""
        key = f"{record._name}:{record.id}"
        return self.env["queue.job"].search([("identity_key", "=", key)], order="id")

    def perform(self, job):
        """Perform a job like a job runner; return the error that says that it is to be tried again, if any."""
        again = None
        with self.enter_registry_test_mode():
            loaded = Job.load(self.env, job.uuid)
            self.assertTrue(loaded.job_config.allow_commit)
            try:
                loaded.perform()
                loaded.set_done()
            except RetryableJobError as error:  # assertRaises would undo what the job has committed
                again = error
            loaded.store()
            self.env.flush_all()
        self.env.invalidate_all()
        return again

    def waits(self, job, **since):
        """No job runner took this job since then."""
        changing = job.with_context(_job_edit_sentinel=job.EDIT_SENTINEL)
        changing.date_created = NOW - timedelta(**since)

    def start(self, job):
        """A job runner began with the job."""
        loaded = Job.load(self.env, job.uuid)
        loaded.set_started()
        loaded.store()
        self.env.flush_all()

    @contextmanager
    def performed_elsewhere(self):
        """A living process holds the locks of all jobs that it began."""
        with patch.object(Job, "lock", lambda job: False):
            yield


@tagged("post_install", "-at_install")
class TestSyncJobs(JobCase):
    def setUp(self):
        super().setUp()
        self.setup.next_sync = NOW
        self.runs = len(self.setup.run_ids)

    def made(self):
        return len(self.setup.run_ids) - self.runs

    def test_a_due_setup_is_one_job_which_synchronizes_it(self):
        for _time in range(2):
            self.run_cron("ir_cron_sync")
        self.run_cron("ir_cron_sync_2")
        job = self.jobs(self.setup)
        self.assertEqual((len(job), job.channel, job.state), (1, "root.bookings", "pending"))
        self.assertIn(self.setup.name, job.name)
        self.assertEqual(self.made(), 0)
        self.perform(job)
        self.assertEqual((job.state, self.made(), self.setup.run_ids[0].state), ("done", 1, "done"))
        self.assertGreater(self.setup.next_sync, NOW)
        self.run_cron("ir_cron_sync")
        self.assertEqual(len(self.jobs(self.setup)), 1, "it is not due any more")
        self.setup.next_sync = NOW
        self.run_cron("ir_cron_sync")
        self.assertEqual(len(self.jobs(self.setup)), 2)

    def test_what_a_user_asked_for_is_done_too(self):
        self.setup.next_sync = NOW + timedelta(days=1)
        queued = self.env["bookings.sync.run"].create(
            {"setup_id": self.setup.id, "trigger": "button", "started": NOW, "state": "queued"}
        )
        self.run_cron("ir_cron_sync")
        self.perform(self.jobs(self.setup))
        self.assertEqual((queued.state, self.made()), ("done", 1))

    def test_waiting_for_microsoft_is_a_retry_at_the_time_that_it_asks_for(self):
        self.run_cron("ir_cron_sync")
        job = self.jobs(self.setup)
        with graph_answers(429, **{"Retry-After": "3600"}):
            again = self.perform(job)
        self.assertEqual((again.seconds, again.ignore_retry), (3600, True))
        self.assertEqual(self.setup.retry_at, NOW + timedelta(hours=1))
        self.assertEqual(self.setup.run_ids[0].state, "failed")

    def test_other_failures_are_noted_on_the_setup_and_end_the_job(self):
        self.run_cron("ir_cron_sync")
        job = self.jobs(self.setup)
        with graph_answers(403):
            self.perform(job)
        self.assertEqual((job.state, self.setup.health), ("done", "attention"))
        self.assertGreater(self.setup.next_sync, NOW)

    def test_a_user_who_resumes_a_setup_does_not_wait_for_the_retry(self):
        self.run_cron("ir_cron_sync")
        self.jobs(self.setup).eta = NOW + timedelta(hours=1)
        self.run_cron("ir_cron_sync")
        self.assertEqual(self.made(), 1)

    def test_without_a_job_runner_the_scheduled_action_does_it(self):
        """And does not wait again next time. A job runner that comes back finds nothing left to do."""
        self.run_cron("ir_cron_sync")
        job = self.jobs(self.setup)
        self.waits(job, minutes=14)
        self.run_cron("ir_cron_sync")
        self.assertEqual(self.made(), 0)
        self.waits(job, minutes=15)
        for times in (1, 2):
            self.setup.next_sync = NOW
            self.run_cron("ir_cron_sync")
            self.assertEqual(self.made(), times)
        self.assertEqual(self.jobs(self.setup), job)
        self.perform(job)
        self.assertEqual((job.state, self.made()), ("done", 2))

    def test_a_job_whose_server_ended_is_done_at_once(self):
        self.run_cron("ir_cron_sync")
        job = self.jobs(self.setup)
        self.start(job)
        with self.performed_elsewhere():
            self.run_cron("ir_cron_sync")
        self.assertEqual((self.made(), self.jobs(self.setup)), (0, job))
        self.run_cron("ir_cron_sync")
        self.assertEqual((self.made(), self.jobs(self.setup)), (1, job))


@tagged("post_install", "-at_install")
class TestRunJobs(JobCase):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(drafting, "AT_ONCE", 3))
        self.startPatcher(patch.object(invoice_run, "BATCH", 4))
        self.ready.action_create_invoices()
        self.queued = self.env["bookings.invoice.run"].search([], limit=1)
        self.cron = self.env.ref("bookings_invoicing.ir_cron_invoice_runs")

    def test_a_large_run_is_one_job_which_drafts_it(self):
        for _time in range(2):
            self.run_cron("ir_cron_invoice_runs")
        job = self.jobs(self.queued)
        self.assertEqual((len(job), job.channel), (1, "root.bookings"))
        self.assertEqual(self.queued.state, "queued")
        later = self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)])
        self.assertIn(NOW + timedelta(minutes=16), later.mapped("call_at"))
        self.perform(job)
        self.assertEqual((job.state, self.queued.state), ("done", "done"))
        self.assertEqual(self.queued.move_ids.booking_ids, self.ready)

    def test_a_conflict_is_retried_soon(self):
        """What was drafted before is kept, and nothing is drafted twice."""
        self.run_cron("ir_cron_invoice_runs")
        job, real, batches = self.jobs(self.queued), invoice_run.BookingsInvoiceRun._work_batch, []

        def conflict(run):
            batches.append(run)
            if len(batches) == 2:
                run.env.execute_query(
                    SQL("DO $$ BEGIN RAISE 'conflict' USING ERRCODE = '40001'; END $$")
                )
            return real(run, 4)

        told = mute_logger("odoo.sql_db")
        with told, patch.object(invoice_run.BookingsInvoiceRun, "_work_batch", conflict):
            again = self.perform(job)
        self.assertFalse(again.seconds, "the retry pattern of the function says when")
        self.assertEqual(len(self.queued.move_ids), 4)
        self.assertEqual(job.job_function_id._parse_retry_pattern()[1], 5)
        self.perform(job)
        self.assertEqual(self.queued.state, "done")
        self.assertEqual(self.queued.move_ids.booking_ids, self.ready)

    def test_without_a_job_runner_the_scheduled_action_drafts_it(self):
        self.run_cron("ir_cron_invoice_runs")
        job = self.jobs(self.queued)
        self.waits(job, minutes=15)
        self.run_cron("ir_cron_invoice_runs")
        self.assertEqual(self.queued.state, "done")
        self.perform(job)
        self.assertEqual(
            (job.state, len(self.queued.move_ids.booking_ids)), ("done", len(self.ready))
        )
