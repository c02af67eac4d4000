import contextlib
import logging
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged

from ...sandbox.adapter import SandboxAdapter
from ..common import NOW, BookingsCase

SCHEDULE = "odoo.addons.bookings_invoicing.models.sync.schedule"


@contextlib.contextmanager
def graph_answers(status, **headers):
    """Microsoft answers everything like this meanwhile."""
    send = SandboxAdapter.send

    def refuse(adapter, request, **kwargs):
        def app(_environ, start_response):
            start_response(f"{status} Refused", list(headers.items()))
            return [b"{}"]

        return send(SandboxAdapter(app), request, **kwargs)

    with patch.object(SandboxAdapter, "send", refuse):
        yield


@tagged("post_install", "-at_install")
class TestSetupHealth(BookingsCase):
    def test_figures_are_those_of_the_bookings(self):
        self.assertEqual(self.setup.last_sync_age, "never")
        self.setup.write({"customer_sync": "off", "service_sync": "off"})
        self.sync()
        self.setup.invalidate_recordset()
        bookings = self.bookings()
        waiting = bookings.filtered(lambda b: b.status in ("ready", "attention", "upcoming"))
        self.assertEqual(
            self.setup.unmapped_service_count,
            len(self.setup.service_ids.filtered(lambda s: not s.product_id and not s.removed)),
        )
        self.assertGreater(self.setup.unmapped_service_count, 0)
        strangers = waiting.filtered(lambda b: not b.partner_id).customer_id
        self.assertEqual(self.setup.unknown_customer_count, len(strangers))
        self.assertGreater(self.setup.unknown_customer_count, 0)
        unbilled = bookings.filtered(lambda b: b.status in ("ready", "attention"))
        unbilled_amount = self.setup.currency_id.format(sum(unbilled.mapped("amount")))
        self.assertEqual(self.setup.unbilled_text, unbilled_amount)
        self.assertEqual(self.setup.last_sync_age, "0 min")

    def test_amounts_of_two_currencies_are_never_added(self):
        """A booking that was billed before the business changed its currency keeps the old one.

        Also an inactive currency has its symbol, which the web client does not know.
        """
        self.sync()
        ready = self.bookings(status="ready")
        old, new = self.setup.currency_id, self.env.ref("base.TOP")
        self.assertFalse(new.active)
        ready[:2].action_create_invoices()
        self.setup.currency_id = new
        waiting = self.bookings().filtered(lambda one: one.status in ("ready", "attention"))
        self.assertEqual(
            self.setup.unbilled_text, new.format(sum(waiting.mapped("amount"))), "with its symbol"
        )
        bookings = (ready[1] | waiting[0])._for_import()
        bookings.changed_since_billing = True
        self.setup.invalidate_recordset(["overview"])
        changed = self.setup.overview["changed"]
        self.assertEqual(changed["count"], 2)
        self.assertEqual(
            set(changed["amount"].split(" + ")),
            {old.format(ready[1].amount), new.format(waiting[0].amount)},
        )
        self.assertEqual(
            self.setup.overview["drafted"]["amount"], old.format(sum(ready[:2].mapped("amount")))
        )

    def test_overview_counts_what_the_lists_show(self):
        """Each row with its money; what a click opens, and what the preview takes, is what was counted."""
        self.sync()
        ready = self.bookings(status="ready")
        ready[:2].action_create_invoices()
        ready[2].action_create_invoices()
        ready[2].move_ids.action_post()
        ready[2]._for_import().changed_since_billing = True
        self.setup.invalidate_recordset(["overview"])
        overview = self.setup.overview
        for row, opened, status in (
            ("ready", self.setup.action_open_ready(), "ready"),
            ("attention", self.setup.action_open_attention(), "attention"),
            ("drafted", self.setup.action_open_on_drafts(), "drafted"),
            ("upcoming", self.setup.action_open_upcoming(), "upcoming"),
        ):
            self.assertEqual(opened["display_name"], self.setup.name, "the title of the page")
            found = self.env["bookings.booking"].search(opened["domain"])
            self.assertEqual(overview[row]["count"], len(self.bookings(status=status)), row)
            self.assertEqual(set(found.mapped("status")), {status})
            money = self.setup.currency_id.format(sum(found.mapped("amount")))
            self.assertEqual(overview[row]["amount"], money)
        changed = self.env["bookings.booking"].search(self.setup.action_open_changed()["domain"])
        self.assertEqual((changed, overview["changed"]["count"]), (ready[2], 1))
        drafts = self.env["account.move"].search(self.setup.action_open_drafts()["domain"])
        self.assertEqual(drafts, ready[:2].move_ids)
        self.assertIn("Price Missing: ", overview["attention"]["detail"])
        asked = self.bookings(status="ready").filtered(
            lambda one: one.service_id == ready[3].service_id
        )
        asked.service_id.ask_attendance = "all"
        self.setup.invalidate_recordset(["overview"])
        detail = self.setup.overview["attention"]["detail"]
        self.assertIn(f"Attendance Unknown: {len(asked)}", detail)
        asked.service_id.ask_attendance = False
        preview = (
            self.env["bookings.invoice.preview"]
            .with_context(active_model=self.setup._name, active_ids=self.setup.ids)
            .create({})
        )
        self.assertIn(self.setup.name, preview.scope)
        self.assertEqual(
            preview.booking_ids,
            self.bookings().filtered_domain(preview.booking_ids._uninvoiced_domain()),
        )

    def test_waiting_for_microsoft_is_shown_at_once(self):
        """A failure that passes by itself says why the setup waits and until when; the next good run takes it away."""
        self.sync()
        with graph_answers(429, **{"Retry-After": "3600"}):
            self.assertEqual(self.setup._sync_run().state, "failed")
        self.assertEqual(self.setup.retry_at, NOW + timedelta(hours=1))
        self.assertIn("throttling requests", self.setup.waiting_text)
        self.assertRegex(self.setup.with_context(tz="UTC").waiting_text, "Next retry: .*1:00")
        self.assertEqual((self.setup.health, self.setup.error_message), ("ok", False))
        self.assertFalse(self.setup.activity_ids)
        self.env["res.lang"]._activate_lang("da_DK")
        danish = self.setup.with_context(lang="da_DK")
        told = "Microsoft Graph begrænser antallet af forespørgsler. Odoo prøver automatisk igen."
        self.assertIn(f"Venter på Microsoft. {told}", danish.trouble_text)
        self.assertIn(told, danish.run_ids[:1].summary)
        self.assertIn(told, danish.run_ids[:1].export_data(["error"])["datas"][0][0])
        self.sync()
        self.assertEqual((self.setup.waiting_text, self.setup.retry_at), (False, False))

    def test_waiting_for_microsoft_after_a_button(self):
        self.sync()
        with graph_answers(503):
            told = self.setup.action_sync_now()["params"]
            self.assertIn("temporarily unavailable", str(told))
            self.assertEqual(self.setup.retry_at, NOW + timedelta(minutes=10))
            self.assertIn("temporarily unavailable", self.setup.waiting_text)
            with self.assertRaisesRegex(UserError, "temporarily unavailable"):
                self.setup._retry_records(self.bookings()[0].mapped("appointment_id"))
        self.assertIn(self.setup.name, self.env["bookings.sync.setup"]._first_step(self.company)[0])
        self.setup.action_sync_now()
        self.assertFalse(self.setup.waiting_text)

    def test_a_broken_connection_is_the_reason_of_each_of_its_setups(self):
        self.connection._mark_attention("The secret has expired.")
        self.assertEqual((self.setup.health, self.setup.error_message), ("attention", False))
        self.assertEqual(self.setup.trouble_text, "The secret has expired.")

    def test_late_is_told_once(self):
        """One activity and one warning when it becomes late, until it is read again."""
        self.sync()
        setups = self.env["bookings.sync.setup"]
        with freeze_time(NOW + timedelta(hours=1)), graph_answers(429, **{"Retry-After": "3600"}):
            self.setup._sync_run()
            with self.assertNoLogs(SCHEDULE, "WARNING"):
                setups._note_late()
        with freeze_time(NOW + timedelta(hours=3)):
            with self.assertLogs(SCHEDULE, "WARNING") as logs:
                setups._note_late()
            self.assertIn(f"setup {self.setup.id} ", logs.output[0])
            self.assertIn("throttling requests", logs.output[0])
            with self.assertNoLogs(SCHEDULE, "WARNING"):
                setups._note_late()
            activity = self.setup.activity_ids
            self.assertEqual(len(activity), 1)
            self.assertIn("throttling requests", activity.note)
            self.setup.invalidate_recordset()
            self.assertEqual(self.setup.health, "late")
            self.sync()
            self.assertFalse(self.setup.activity_ids)
        with freeze_time(NOW + timedelta(hours=9)):
            with self.assertLogs(SCHEDULE, "WARNING"):
                setups._note_late()
            self.assertIn("Nothing has been read since", self.setup.waiting_text)
            self.setup.paused = True
            self.assertFalse(self.setup.waiting_text)

    def test_a_run_writes_one_line_into_the_log(self):
        """Setup, counts, seconds, requests; no customer."""
        with self.assertLogs(
            "odoo.addons.bookings_invoicing.models.sync.job", logging.INFO
        ) as logs:
            run = self.sync()
        (line,) = logs.output
        self.assertRegex(
            line,
            rf"setup {self.setup.id} .*done; appointments {run.bookings_seen} seen, bookings {run.bookings_created} "
            rf"created, .*; {run.requests} requests, [0-9.]+ s",
        )
        names = [name for name in self.bookings().mapped("name") if name in line]
        self.assertFalse(names)

    def test_age_in_words(self):
        now = fields.Datetime.now()
        for ago, text in (
            (timedelta(minutes=119), "119 min"),
            (timedelta(hours=47), "47 h"),
            (timedelta(days=9), "9 days"),
        ):
            self.assertEqual(self.setup._age_text(now - ago, now), text)

    def test_secret_expiry_is_counted_in_days(self):
        self.connection.secret_expiry = fields.Date.today() + timedelta(days=7)
        self.assertEqual(self.setup.secret_days_left, 7)

    def test_board_over_all_companies_costs_the_same_for_one_and_for_many(self):
        other = self.setup_other_company()["company"]
        self.env.user.company_ids += other
        self.connection.company_id = False
        setups = self.setup
        for number in range(4):
            setups |= self._make_setup(
                name=f"Business {number}",
                business_id=f"b{number}@harbourclinic.example",
                company_id=other.id if number % 2 else self.company.id,
            )
        names = ["company_id", "last_sync_age", "unmapped_service_count", "unbilled_text"]
        setups.read(names)

        def queries(records):
            records.invalidate_recordset()
            before = self.cr.sql_log_count
            records.read(names)
            return self.cr.sql_log_count - before

        self.assertLessEqual(queries(setups), queries(setups[:1]) + 1)
        board = self.env["bookings.sync.setup"].with_context(
            allowed_company_ids=(self.company | other).ids
        )
        self.assertEqual(board.search([("id", "in", setups.ids)]).company_id, self.company | other)


@tagged("post_install", "-at_install")
class TestHealthPage(BookingsCase, HttpCase):
    """What a monitor sees, through Odoo's HTTP server."""

    frozen = False
    token = "canary-health-token"

    def _ask(self, token=None, configured=None):
        self.env.flush_all()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        setting = {"BOOKINGS_HEALTH_TOKEN": self.token if configured is None else configured}
        with patch.dict("os.environ", setting):
            return self.url_open("/bookings_invoicing/health", headers=headers)

    def test_only_with_the_token_of_the_server(self):
        for token, configured, status in (
            (None, None, 403),
            (self.token[:-1], None, 403),
            ("\u00e9".encode().decode("latin-1"), None, 403),
            (self.token, "", 404),
            (None, "", 404),
        ):
            answer = self._ask(token, configured)
            self.assertEqual((answer.status_code, list(answer.json())), (status, ["error"]))
        self.assertEqual(self._ask(self.token).status_code, 200)
        self.assertNotIn("set-cookie", self._ask(self.token).headers)

    def test_what_is_told(self):
        """Counted over all companies; late is 503, and no customer is named."""
        self.env["bookings.sync.setup"].search([("id", "!=", self.setup.id)]).paused = True
        self.connection.secret_expiry = fields.Date.today() + timedelta(days=9)
        self.setup.write({"look_back_days": 200, "bill_from": self.anchor - timedelta(days=80)})
        with freeze_time(NOW):
            self.sync()
        self.setup.sudo().last_appointment_sync = fields.Datetime.now() - timedelta(minutes=5)
        answer = self._ask(self.token)
        told = answer.json()
        self.assertEqual((answer.status_code, told["status"], told["setups"]), (200, "ok", 1))
        self.assertEqual((told["late"], told["attention"], told["secret_days_left"]), ([], [], 9))
        self.assertIn(told["oldest_sync_seconds"], range(300, 600))
        self.setup._note_failure("The person Ada Example is unknown")
        answer = self._ask(self.token)
        self.assertEqual((answer.status_code, answer.json()["status"]), (200, "attention"))
        self.setup.sudo().last_appointment_sync = fields.Datetime.now() - timedelta(hours=3)
        answer = self._ask(self.token)
        self.assertEqual((answer.status_code, answer.json()["status"]), (503, "late"))
        (line,) = answer.json()["late"]
        self.assertEqual((line["id"], line["name"]), (self.setup.id, self.setup.name))
        self.assertEqual(answer.json()["attention"], [line])
        self.assertFalse([name for name in self.bookings().mapped("name") if name in answer.text])
        self.assertNotIn("Ada", answer.text)
        self.setup.paused = True
        self.assertEqual(self._ask(self.token).json()["setups"], 0)
