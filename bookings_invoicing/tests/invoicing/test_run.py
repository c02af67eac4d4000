"""Runs, undo, queued runs and automatic drafts."""

from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import datetime
from unittest.mock import patch

from odoo.addons.base.tests.common import MockSmtplibCase
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ...models.invoicing import confirming as invoice_run_confirm
from ...models.invoicing import drafting as booking_invoicing
from ...models.invoicing import run as bookings_invoice_run
from .test_ledger import LedgerCase


@tagged("post_install", "-at_install")
class TestRun(MockSmtplibCase, LedgerCase):
    def _run(self, bookings=None):
        return self.env["bookings.booking"]._invoice_all(
            [("id", "in", (bookings or self.ready).ids)]
        )

    def test_undo_removes_only_untouched_drafts(self):
        run = self._run()
        posted, edited, deleted, *rest = run.move_ids
        posted.action_post()
        edited.invoice_line_ids[0].price_unit += 1
        deleted.unlink()
        self.assertEqual(run.booking_count, len(run.move_ids.booking_ids), "also by hand")
        action = run.action_undo()
        self.assertEqual(run.move_ids, posted | edited)
        self.assertEqual(run.booking_count, len((posted | edited).booking_ids))
        self.assertEqual(action["params"]["type"], "warning")
        self.assertIn(posted.name, action["params"]["message"])
        self.assertIn(posted.name, run.removed_text, "the run keeps saying it")
        self.assertEqual(
            posted.booking_ids.mapped("status"), ["invoiced"] * len(posted.booking_ids)
        )
        free = self.ready - posted.booking_ids - edited.booking_ids
        self.assertEqual(set(free.mapped("status")), {"ready"})
        self.assertTrue(rest)

    def test_names_have_the_time_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("da_DK")
        self.env.user.tz = "Europe/Copenhagen"
        when = datetime(2026, 3, 12, 8)
        runs = self.env["bookings.invoice.run"].sudo().create({"date": when, "state": "done"})
        self.assertEqual(runs.display_name, f"Thu, Mar 12, 2026 09:00 {self.env.user.name}")
        danish = runs.with_context(lang="da_DK")
        self.assertEqual(danish.display_name, f"tors. 12. mar. 2026 09:00 {self.env.user.name}")
        syncs = self.env["bookings.sync.run"].sudo().with_context(lang="da_DK")
        sync = syncs.create(
            {"setup_id": self.setup.id, "trigger": "cron", "started": when, "state": "done"}
        )
        self.assertEqual(sync.display_name, f"{self.setup.name} tors. 12. mar. 2026 09:00")

    def test_undo_of_everything(self):
        run = self._run()
        number = len(run.move_ids)
        run.action_undo()
        self.assertEqual(run.removed_text, f"{number} drafts removed")
        self.assertFalse(run.booking_count)
        self.assertFalse(run.move_ids)
        self.assertEqual((run.state, set(self.ready.mapped("status"))), ("undone", {"ready"}))

    def test_counts_follow_the_invoices(self):
        run = self._run()
        total = len(run.move_ids)
        self.assertEqual(self._counts(run), (total, 0, 0, 0))
        paid, posted = run.move_ids[:2]
        (paid | posted).action_post()
        self.assertEqual(self._counts(run), (total - 2, 2, 0, 0))
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=paid.ids
        ).create({})._create_payments()
        self.assertEqual(self._counts(run), (total - 2, 2, 0, 1))
        posted.button_draft()
        self.assertEqual(self._counts(run), (total - 1, 1, 0, 1))

    def _clerk(self):
        return new_test_user(
            self.env,
            "clerk",
            "account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )

    def _counts(self, run):
        return run.drafted_count, run.posted_count, run.sent_count, run.paid_count

    def test_one_draft_that_is_refused_does_not_stop_the_others(self):
        run = self._run()
        refused, *others = run.move_ids
        refused.invoice_line_ids.unlink()
        action = run.action_post_all()
        self.assertEqual({move.state for move in others}, {"posted"})
        self.assertEqual(refused.state, "draft")
        self.assertIn(refused.partner_id.display_name, run.not_confirmed)
        self.assertIn(run.not_confirmed, action["params"]["message"])
        refused.unlink()
        with self.assertRaisesRegex(UserError, "no drafts left"):
            run.action_post_all()

    def test_many_drafts_are_confirmed_in_the_background_as_who_asked(self):
        clerk = self._clerk()
        run = self._run()
        with patch.object(invoice_run_confirm, "AT_ONCE", 2):
            message = run.with_user(clerk).action_post_all()["params"]["message"]
            self.assertIn(f"{len(run.move_ids) - 2} more", message)
            self.assertEqual(len(run.move_ids.filtered(lambda m: m.state == "posted")), 2)
            while run.to_confirm:
                run._confirm_batch()
        self.assertEqual(set(run.move_ids.mapped("state")), {"posted"})
        self.assertFalse(run.to_confirm)
        self.assertEqual(run.move_ids.write_uid, clerk)

    def test_post_all_is_odoo_s_own(self):
        run = self._run()
        later, *others = run.move_ids
        later.invoice_date = "2026-05-01"
        action = run.action_post_all()
        self.assertEqual({move.state for move in others}, {"posted"})
        self.assertEqual((later.state, action["res_model"]), ("draft", "validate.account.move"))
        wizard = self.env[action["res_model"]].browse(action["res_id"])
        wizard.force_post = True
        wizard.validate_move()
        self.assertEqual(self._counts(run)[:2], (0, len(run.move_ids)))
        self.assertEqual(set(self.ready.mapped("status")), {"invoiced"})
        with self.assertRaisesRegex(UserError, "no drafts left"):
            run.action_post_all()

    def test_sent_is_what_left(self):
        """Three invoices: a dead mail server, then one payer without an address, then all is well."""
        run = self._posted_run()
        without = run.move_ids.partner_id[0]
        without.email = False
        waiting = run.move_ids.filtered(lambda move: move.partner_id == without)
        clerk = self._clerk()
        self.assertEqual(self._sending(run), {"no_address": 1, "not_yet": 2})
        action = run.with_user(clerk).action_send_all()
        self.assertEqual(action["res_model"], "bookings.invoice.sending")
        wizard = self.env[action["res_model"]].with_user(clerk).browse(action["res_id"])
        self.assertEqual(wizard.line_ids.partner_id, without)
        with self.mail_server(alive=False):
            self._confirm_sending(wizard.action_send())
        self.assertEqual(self._sending(run), {"no_address": 1, "failed": 2})
        failed = run.move_ids - waiting
        self.assertTrue(all(failed.mapped("is_move_sent")), "Odoo says sent: what this is about")
        self.assertIn("refused", failed[0].bookings_sending_detail)
        self.assertIn("outgoing mail server", failed[0].bookings_sending_detail)
        self.assertEqual((run.sent_count, run.to_send_count), (0, 3))

        action = run.with_user(clerk).action_send_all()
        wizard = self.env[action["res_model"]].with_user(clerk).browse(action["res_id"])
        wizard.line_ids.email = "no address"
        with self.assertRaisesRegex(UserError, "not a valid email address"):
            wizard.action_send()
        wizard.line_ids.email = "payer@example.com"
        self.assertFalse(wizard.may_write)
        with self.assertRaisesRegex(AccessError, "not allowed to change contacts"):
            wizard.action_send()
        clerk.group_ids += self.env.ref("base.group_partner_manager")
        with self.mail_server():
            self._confirm_sending(wizard.action_send())
        self.assertEqual(without.email, "payer@example.com")
        self.assertEqual(self._sending(run), {"sent": 3})
        self.assertEqual(len(self.emails), 3)
        self.assertIn("payer@example.com", waiting.bookings_sending_detail)
        with self.assertRaisesRegex(UserError, "no posted invoice"):
            run.action_send_all()

    def test_send_all_is_odoo_s_own_and_in_the_background(self):
        run = self._run(self.ready[:3])
        with self.assertRaisesRegex(UserError, "no posted invoice"):
            run.action_send_all()
        run.action_post_all()
        run.move_ids.partner_id.email = "somebody@example.com"
        action = run.action_send_all()
        self.assertEqual(action["res_model"], "account.move.send.batch.wizard")
        self.assertEqual(action["context"]["active_ids"], run.move_ids.ids)
        self._confirm_sending(action, force_synchronous=False)
        self.assertEqual((self._sending(run), run.sending_progress), ({"queued": 3}, 0.0))
        cron = self.env.ref("account.ir_cron_account_move_send").sudo()
        self.assertIn("in the background", run.move_ids[0].bookings_sending_detail)
        cron.failure_count = 1
        self.env.invalidate_all()
        self.assertIn(f"{cron.name} failed", run.move_ids[0].bookings_sending_detail)
        with self.assertRaisesRegex(UserError, "no posted invoice"):
            run.action_send_all()
        # wherever an e-mail waits: the scheduled action has made it, the mail queue has it
        self.env["account.move.send"]._generate_and_send_invoices(run.move_ids[:2], from_cron=True)
        self.assertEqual(self._sending(run), {"queued": 3})
        self.assertEqual(
            set(run.move_ids[:2].mapped("bookings_sending_detail")), {"Waiting in the email queue"}
        )
        with self.mail_server():
            self.env["mail.mail"].search([("state", "=", "outgoing")]).send()
        self.assertEqual(self._sending(run), {"sent": 2, "queued": 1})
        self.assertAlmostEqual(run.sending_progress, 66.67, 1)

    def test_sent_manually_is_printed_and_a_bounce_is_not_sent(self):
        run = self._posted_run()
        manual = run.move_ids.partner_id[0]
        manual.write({"invoice_sending_method": "manual", "email": False})
        with self.mail_server():
            self._confirm_sending(run.action_send_all())
        self.assertEqual(self._sending(run), {"printed": 1, "sent": 2})
        sent = run.move_ids.filtered(lambda move: move.bookings_sending == "sent")
        sent[0].message_ids.notification_ids.sudo().write(
            {"notification_status": "bounce", "failure_type": "mail_bounce"}
        )
        self.assertEqual(self._sending(run), {"printed": 1, "sent": 1, "failed": 1})
        self.assertIn("Bounce", sent[0].bookings_sending_detail)
        if "snailmail.letter" not in self.env:
            return
        letter = self.env["snailmail.letter"].create(
            self.env["account.move.send"]._prepare_snailmail_letter_values(sent[0])
            | {"user_id": self.env.uid}
        )
        self.assertEqual(self._sending(run), {"printed": 1, "sent": 1, "queued": 1})
        letter.state = "sent"
        self.assertEqual(self._sending(run), {"printed": 1, "sent": 2})

    def test_an_invoice_changed_after_sending_is_to_be_sent_again(self):
        run = self._posted_run()
        with self.mail_server():
            self._confirm_sending(run.action_send_all())
        move = run.move_ids[0]
        move.button_draft()
        move.action_post()
        self.env["account.move.send"]._generate_and_send_invoices(move, sending_methods=["manual"])
        self.assertTrue(move.invoice_pdf_report_id)
        self.assertEqual(self._sending(run), {"sent": 2, "not_yet": 1})

    def test_why_documents_could_not_be_made_is_kept(self):
        run = self._posted_run()
        bad = run.move_ids[0]
        hook = "_hook_invoice_document_before_pdf_report_render"

        def refuse(_sender, invoice, data):
            if invoice == bad:
                data["error"] = {"error_title": "The format needs", "errors": ["a bank account"]}

        with self.mail_server(), patch.object(self.registry["account.move.send"], hook, refuse):
            self._confirm_sending(run.action_send_all(), force_synchronous=False)
            self.env["account.move.send"]._generate_and_send_invoices(run.move_ids, from_cron=True)
        self.assertEqual(self._sending(run), {"failed": 1, "sent": 2})
        self.assertIn("a bank account", bad.bookings_sending_detail)
        with self.mail_server():
            self.env["account.move.send"]._generate_and_send_invoices(bad)
        self.assertEqual(self._sending(run), {"sent": 3})

    def _posted_run(self):
        """A run of three posted invoices, all with an e-mail address."""
        run = self._run(self.ready)
        (run.move_ids[3:]).unlink()
        run.move_ids.partner_id.email = "somebody@example.com"
        run.action_post_all()
        self.assertEqual(len(run.move_ids.partner_id), 3)
        return run

    def _sending(self, run):
        """``{state: invoices}``, checked against what the run counts."""
        self.env.invalidate_all()  # messages and e-mails are no dependency
        count = Counter(run.move_ids.mapped("bookings_sending"))
        shown = (run.sent_count, run.queued_count, run.no_address_count, run.failed_count)
        self.assertEqual(shown, tuple(count[s] for s in ("sent", "queued", "no_address", "failed")))
        return dict(count)

    def _confirm_sending(self, action, force_synchronous=True):
        """Press *Send* in Odoo's own dialog."""
        wizard = self.env[action["res_model"]].with_context(**action["context"]).create({})
        wizard.action_send_and_print(force_synchronous=force_synchronous)

    @contextmanager
    def mail_server(self, alive=True):
        """E-mails go out, as far as the socket; a dead server refuses the connection."""
        with self.mock_smtplib_connection(), ExitStack() as stack:
            if not alive:
                refused = ConnectionRefusedError("Connection refused")
                stack.enter_context(patch("smtplib.SMTP", side_effect=refused))
                stack.enter_context(mute_logger("odoo.addons.mail.models.mail_mail"))
            yield

    def test_large_runs_are_queued_and_worked_off_in_batches(self):
        with (
            patch.object(booking_invoicing, "AT_ONCE", 3),
            patch.object(bookings_invoice_run, "BATCH", 4),
        ):
            self.ready.action_create_invoices()
        run = self.env["bookings.invoice.run"].search([], limit=1)
        self.assertEqual((run.state, run.total, len(run.move_ids)), ("queued", len(self.ready), 0))
        run._work_batch(4)
        self.assertEqual(run.state, "queued")
        self.assertEqual(len(run.move_ids), 4)
        self.assertTrue(0 < run.progress < 100)
        while run.state == "queued":
            run._work_batch(4)
        self.assertEqual(run.state, "done")
        self.assertEqual(run.move_ids.booking_ids, self.ready)
        self.assertEqual(set(self.ready.mapped("status")), {"drafted"})

    def test_invoice_carries_period_reference_and_salesperson(self):
        bookings = self.ready.filtered(lambda b: b.payer_id == self.ready[0].payer_id)
        bookings.payer_id.user_id = self.env.user
        bookings.reference = "PO 4711"
        move = self._run(bookings).move_ids
        days = [booking._last_day() for booking in bookings]
        self.assertEqual(
            (move.bookings_service_start, move.bookings_service_stop, move.delivery_date),
            (min(days), max(days), max(days)),
        )
        self.assertEqual((move.ref, move.invoice_user_id), ("PO 4711", self.env.user))

    def test_different_references_never_share_an_invoice(self):
        bookings = self.ready[:2]
        bookings.payer_id = bookings[0].payer_id
        bookings[0].reference = "A"
        bookings[1].reference = "B"
        self.assertEqual(len(self._run(bookings).move_ids), 2)

    def test_analytic_comes_from_service_else_staff_else_setup(self):
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        accounts = self.env["account.analytic.account"].create(
            [{"name": name, "plan_id": plan.id} for name in ("service", "setup")]
        )
        first = self.ready[0]
        second = self.ready.filtered(lambda b: b.service_id != first.service_id)[0]
        (first | second).staff_ids.analytic_distribution = False
        first.service_id.analytic_distribution = {str(accounts[0].id): 100}
        self.setup.analytic_distribution = {str(accounts[1].id): 100}
        self._run(first | second)
        self.assertEqual(first.invoice_line_ids.analytic_distribution, {str(accounts[0].id): 100})
        self.assertEqual(second.invoice_line_ids.analytic_distribution, {str(accounts[1].id): 100})

    def test_locked_period_stops_and_today_remedies(self):
        self.setup.invoice_date_policy = "last_service"
        self.company.sale_lock_date = "2026-02-28"
        locked = self.ready.filtered(lambda b: str(b._last_day()) <= "2026-02-28")
        run = self._run(locked)
        self.assertEqual(run.left_out_ids.booking_id, locked)
        self.assertEqual(set(locked.mapped("attention_reason")), {"lock_date"})
        locked.action_date_today()
        self.assertEqual(set(locked.mapped("status")), {"ready"})
        self.assertFalse(any(self._run(locked).move_ids.mapped("invoice_date")))

    def test_draft_follows_what_changed_since(self):
        booking = self.ready.filtered(lambda b: b.price_type == "fixedPrice")[0]
        move = self._run(booking).move_ids
        self.change(op="reprice", appointment=booking.appointment_id, price="123.00")
        self.sync()
        self.assertTrue(booking.changed_since_billing)
        booking.action_update_draft()
        self.assertEqual(booking.invoice_line_ids.move_id, move)
        self.assertAlmostEqual(booking.invoice_line_ids.price_subtotal, 123.0)
        self.assertEqual((booking.status, booking.changed_since_billing), ("drafted", False))
