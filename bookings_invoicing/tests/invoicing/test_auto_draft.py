"""The scheduled actions of drafting, run as the scheduler runs them."""

import json
from contextlib import contextmanager
from datetime import timedelta
from functools import partialmethod
from unittest.mock import patch

from freezegun import freeze_time

from odoo.fields import Date
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ...models.invoicing import confirming
from ...models.invoicing import drafting as booking_invoicing
from ...models.invoicing import run as bookings_invoice_run
from ..common import NOW
from ..setup.test_health import graph_answers
from .test_ledger import LedgerCase

LOGGERS = "odoo.addons.bookings_invoicing.models"


class CronCase(LedgerCase):
    def run_cron(self, name):
        """Run a scheduled action as the scheduler does; it must not end in an error, nor log one that is not muted."""
        with self.enter_registry_test_mode(), self.assertNoLogs(LOGGERS, "ERROR"):
            result = self.env.ref(f"bookings_invoicing.{name}").method_direct_trigger()
        self.assertIs(result, True, result)
        self.env.invalidate_all()

    def notified(self, user):
        """Titles of the notifications that this user was sent since the last time."""
        self.env.cr.precommit.run()
        sent = self.env["bus.bus"].sudo().search([("message", "like", "simple_notification")])
        mine = [one for one in sent if self._is_for(one, user)]
        titles = [json.loads(one.message)["payload"]["title"] for one in mine]
        sent.unlink()
        return titles

    def _is_for(self, message, user):
        return json.loads(message.channel)[1:] == ["res.partner", user.partner_id.id]


@tagged("post_install", "-at_install")
class TestQueuedRuns(CronCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clerk = new_test_user(
            cls.env,
            "clerk",
            "account.group_account_invoice",
            company_id=cls.company.id,
            company_ids=[(6, 0, cls.company.ids)],
        )

    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(booking_invoicing, "AT_ONCE", 3))
        self.startPatcher(patch.object(bookings_invoice_run, "BATCH", 4))
        self.ready.with_user(self.clerk).action_create_invoices()
        self.queued = self.env["bookings.invoice.run"].search([], limit=1)
        self.assertEqual((self.queued.state, self.queued.user_id), ("queued", self.clerk))

    def test_worked_off_and_told_to_who_asked(self):
        self.notified(self.clerk)
        self.run_cron("ir_cron_invoice_runs")
        self.assertEqual((self.queued.state, self.queued.progress), ("done", 100.0))
        self.assertEqual(self.queued.move_ids.booking_ids, self.ready)
        self.assertEqual(self.queued.booking_count, len(self.ready))
        self.assertEqual(self.queued.move_ids.create_uid, self.clerk)
        self.assertEqual(self.notified(self.clerk), ["Drafts created"])

    def test_what_a_service_stops_meanwhile_is_left_out_with_its_reason(self):
        stopped = self.ready.filtered(lambda one: one.service_id == self.ready[-1].service_id)
        stopped.service_id.ask_attendance = "all"
        self.run_cron("ir_cron_invoice_runs")
        self.assertEqual(self.queued.move_ids.booking_ids, self.ready - stopped)
        self.assertEqual(self.queued.left_out_ids.booking_id, stopped)
        self.assertIn("whether the attendee came", self.queued.left_out_ids[0].reason)

    def test_a_run_that_fails_is_kept_and_can_go_on_and_the_next_one_is_worked_off(self):
        """The rights of who asked are gone meanwhile: nothing is drafted with other people's rights."""
        theirs, mine = self.ready[:4], self.ready[4:]
        self.queued.sudo().todo = [[booking.id] for booking in theirs]
        mine.action_create_invoices()
        other = self.env["bookings.invoice.run"].search([], limit=1)
        groups = self.clerk.group_ids
        self.clerk.group_ids = self.env.ref("base.group_user")
        self.notified(self.clerk)
        with mute_logger(f"{LOGGERS}.invoicing.run"):
            self.run_cron("ir_cron_invoice_runs")
        self.assertEqual((self.queued.state, other.state), ("failed", "done"))
        self.assertIn("not allowed", self.queued.error)
        self.assertEqual(set(theirs.mapped("status")), {"ready"})
        self.assertEqual(self.notified(self.clerk), ["The invoice run failed"])
        self.clerk.group_ids = groups
        self.queued.action_resume()
        self.run_cron("ir_cron_invoice_runs")
        self.assertEqual((self.queued.state, self.queued.error), ("done", False))
        self.assertEqual(self.queued.move_ids.booking_ids, theirs)

    def test_confirming_that_fails_is_told_once_and_can_be_repeated(self):
        """The rights of who confirms are gone meanwhile; somebody else confirms the rest."""
        self.run_cron("ir_cron_invoice_runs")
        with patch.object(confirming, "AT_ONCE", 2):
            self.queued.with_user(self.clerk).action_post_all()
        self.clerk.group_ids = self.env.ref("base.group_user")
        self.notified(self.clerk)
        with mute_logger(f"{LOGGERS}.invoicing.run"):
            self.run_cron("ir_cron_invoice_runs")
            self.run_cron("ir_cron_invoice_runs")
        self.assertEqual(self.notified(self.clerk), ["Invoices posted"])
        self.assertIn("not allowed", self.queued.not_confirmed)
        self.assertEqual((self.queued.state, self.queued.posted_count), ("done", 2))
        self.queued.action_post_all()
        self.assertEqual((self.queued.drafted_count, self.queued.not_confirmed), (0, False))

    def test_a_run_that_takes_longer_than_its_time_goes_on(self):
        """What is left when the time is up is done as soon as others had their turn."""
        times = iter([60, 0, 0, 0])
        model = bookings_invoice_run.BookingsInvoiceRun
        small = partialmethod(model._work_batch, 4)
        told, commit = [], type(self.env["ir.cron"])._commit_progress

        def commit_progress(cron, *done, **more):
            told.append((done, more))
            commit(cron, *done, **more)
            return next(times)

        cron = self.env.ref("bookings_invoicing.ir_cron_invoice_runs")
        runs = self.env["bookings.invoice.run"].sudo().with_context(cron_id=cron.id)
        with (
            self.enter_registry_test_mode(),
            patch.object(model, "_work_batch", small),
            patch.object(type(self.env["ir.cron"]), "_commit_progress", commit_progress),
            self.env.registry.cursor() as cursor,
        ):
            runs.with_env(runs.env(cr=cursor))._cron_work()
        self.env.invalidate_all()
        self.assertEqual(len(self.queued.move_ids), 4)
        self.assertEqual(self.queued.state, "queued")
        self.assertIn(((1,), {"remaining": 1}), told)
        triggers = self.env["ir.cron.trigger"].sudo().search([("cron_id", "=", cron.id)])
        self.assertIn(NOW, triggers.mapped("call_at"))
        self.run_cron("ir_cron_invoice_runs")
        self.assertEqual(self.queued.move_ids.booking_ids, self.ready)

    def test_undone_before_its_turn_makes_nothing(self):
        self.queued.action_undo()
        self.run_cron("ir_cron_invoice_runs")
        self.assertEqual((self.queued.state, len(self.queued.move_ids)), ("undone", 0))
        self.assertEqual(set(self.ready.mapped("status")), {"ready"})


@tagged("post_install", "-at_install")
class TestAutomaticDraftsByTheClock(CronCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # payers whom a person has seen before, so that nothing speaks against a machine
        home = {"street": "Quay 1", "city": "Ghent", "country_id": cls.env.ref("base.be").id}
        cls.ready.payer_id.write(home)
        for payer in cls.ready.payer_id:
            cls.env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": payer.id,
                    "company_id": cls.company.id,
                    "invoice_line_ids": [(0, 0, {"name": "Earlier", "price_unit": 10.0})],
                }
            ).action_post()
        cls.setup.write({"grouping": "booking", "look_back_days": 120})

    @contextmanager
    def later(self, night):
        """A night on which the last synchronization was good: nothing need be looked at, which has a cursor of its own."""
        with freeze_time(night):
            self.sync()
            yield

    def automatic(self):
        runs = self.env["bookings.invoice.run"].search([("is_automatic", "=", True)])
        return runs, runs.move_ids.booking_ids

    def test_off_nothing_happens(self):
        self.run_cron("ir_cron_auto_draft")
        self.assertFalse(self.automatic()[0])

    def test_every_night_what_has_ended(self):
        self.setup.auto_draft = "daily"
        self.run_cron("ir_cron_auto_draft")
        runs, drafted = self.automatic()
        self.assertEqual(len(runs), 1)
        self.assertTrue(drafted)
        self.assertEqual(drafted | runs.left_out_ids.booking_id, self.ready)
        self.assertEqual(set(runs.move_ids.mapped("state")), {"draft"})
        self.run_cron("ir_cron_auto_draft")
        self.assertEqual(self.automatic(), (runs, drafted))
        with self.later("2026-03-13 03:30:00"):
            self.run_cron("ir_cron_auto_draft")
            self.assertEqual(len(self.automatic()[0]), 2)

    def test_every_week_what_ended_before_it(self):
        self.setup.auto_draft = "weekly"
        self.run_cron("ir_cron_auto_draft")
        runs, drafted = self.automatic()
        seen = drafted | runs.left_out_ids.booking_id
        self.assertEqual(seen, self.ready.filtered(lambda one: str(one._last_day()) < "2026-03-09"))
        self.assertNotEqual(seen, self.ready)
        with freeze_time("2026-03-15 03:30:00"):
            self.run_cron("ir_cron_auto_draft")
            self.assertEqual(self.automatic()[0], runs)
        with self.later("2026-03-16 03:30:00"):
            self.run_cron("ir_cron_auto_draft")
            self.assertEqual(len(self.automatic()[0]), 2)

    def test_every_month_what_ended_before_it(self):
        self.setup.auto_draft = "monthly"
        self.run_cron("ir_cron_auto_draft")
        runs, drafted = self.automatic()
        seen = drafted | runs.left_out_ids.booking_id
        self.assertEqual(seen, self.ready.filtered(lambda one: str(one._last_day()) < "2026-03-01"))
        self.assertNotEqual(seen, self.ready)
        with freeze_time("2026-03-31 03:30:00"):
            self.run_cron("ir_cron_auto_draft")
            self.assertEqual(self.automatic()[0], runs)
        with self.later("2026-04-01 03:30:00"):
            self.run_cron("ir_cron_auto_draft")
            self.assertEqual(len(self.automatic()[0]), 2)

    def test_amounts_over_the_limit_wait(self):
        self.setup.write({"auto_draft": "daily", "auto_draft_limit": 0.01})
        self.run_cron("ir_cron_auto_draft")
        runs, drafted = self.automatic()
        self.assertFalse(drafted.filtered("amount"))
        self.assertIn("exceeds the limit", " ".join(runs.left_out_ids.mapped("reason")))

    def test_waiting_for_microsoft_is_shown_on_the_setup(self):
        """What is billed cannot be looked at for an hour: the setup says why and until when, and nothing is drafted."""
        self.setup.write({"auto_draft": "daily", "look_back_days": 1})
        with (
            graph_answers(429, **{"Retry-After": "3600"}),
            mute_logger(f"{LOGGERS}.sync.schedule"),
        ):
            self.run_cron("ir_cron_auto_draft")
        runs, drafted = self.automatic()
        self.assertEqual((runs.state, len(drafted)), ("failed", 0))
        self.assertEqual(self.setup.retry_at, NOW + timedelta(hours=1))
        self.assertIn("throttling requests", self.setup.waiting_text)
        self.assertEqual((self.setup.health, self.setup.error_message), ("ok", False))
        self.sync()
        self.assertFalse(self.setup.waiting_text)
        self.setup.look_back_days = 120  # a test has one cursor only to look with
        self.run_cron("ir_cron_auto_draft")
        self.assertTrue(self.automatic()[1])

    def test_one_setup_that_fails_costs_only_itself_and_somebody_is_told(self):
        broken = self._make_setup(name="Annexe", business_id=self.tenant.mailboxes[1].id)
        (broken | self.setup).auto_draft = "daily"
        broken.flush_recordset()
        self.env.cr.execute(
            SQL("UPDATE bookings_sync_setup SET tz = 'Nowhere/At_All' WHERE id = %s", broken.id)
        )
        self.env.invalidate_all()
        for _night in range(2):
            with mute_logger(f"{LOGGERS}.sync.schedule"):
                self.run_cron("ir_cron_auto_draft")
        runs, drafted = self.automatic()
        self.assertTrue(drafted)
        self.assertEqual(drafted.setup_id, self.setup)
        failed = runs.filtered(lambda run: run.state == "failed")
        self.assertEqual((len(failed), failed.company_id), (2, self.company))
        self.assertIn("Nowhere", failed[0].error)
        self.assertEqual(broken.activity_ids.mapped("summary"), ["Automatic drafts failed"])


@tagged("post_install", "-at_install")
class TestAutomaticDrafts(LedgerCase):
    def test_off_by_default(self):
        self.assertFalse(self.setup.auto_draft)
        self.assertEqual(
            self.env.ref("bookings_invoicing.ir_cron_auto_draft").code, "model._cron_auto_draft()"
        )

    def test_leaves_to_people_what_needs_people(self):
        payer = self.ready[0].payer_id
        known = self.ready.filtered(lambda b: b.payer_id == payer)
        recent = known[-1]
        self.assertGreaterEqual(str(recent._last_day()), "2026-02-01")
        (known - recent).action_mark_not_billable("waived")
        home = {"street": "Quay 1", "city": "Springfield", "country_id": self.env.ref("base.us").id}
        payer.write(home)  # where no fiscal position takes the tax off
        old = recent.sudo().copy({"appointment_id": "old", "attendee_key": "old", "start": "2026-01-02 08:00:00",
                             "stop": "2026-01-02 09:00:00"})  # fmt: skip
        old._recheck_billing()
        self.invoice(old)
        self.setup.auto_draft = "daily"
        run = self.setup._auto_draft()
        self.assertTrue(run.is_automatic)
        theirs = run.left_out_ids.filtered(lambda left: left.booking_id.payer_id == payer)
        self.assertEqual(run.move_ids.partner_id, payer, theirs.mapped("reason"))
        self.assertEqual(set(run.move_ids.mapped("state")), {"draft"})
        self.assertEqual(run.left_out_ids.booking_id, self.ready - known)
        self.assertIsNone(self.setup._auto_draft())
        self.assertEqual(self.setup.auto_drafted_on, Date.to_date("2026-03-12"))

    def test_what_was_billed_before_waits(self):
        booking = self.ready[0]
        self.invoice(booking).button_draft()
        booking.move_ids.button_cancel()
        self.setup.auto_draft = "daily"
        run = self.setup._auto_draft()
        self.assertIn(booking, run.left_out_ids.booking_id)
        self.assertEqual(booking.status, "ready")
