from contextlib import nullcontext
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import new_test_user, tagged

from ... import graph
from ...models.sync.outbox_job import OutboxJob
from ..common import NOW
from ..outbox_common import OutboxCase


@tagged("post_install", "-at_install")
class TestInvoiceInBookings(OutboxCase):
    """The invoice on the appointment: one remark in the internal notes, through the outbox, and nothing else."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup = cls._make_setup(connection_id=cls.live.id, write_invoice=True)
        cls.sync()
        cls.ready = cls.env["bookings.booking"].search(
            [("setup_id", "=", cls.setup.id), ("status", "=", "ready")], order="start, id"
        )

    def invoice(self, bookings):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)])
        self.assertFalse(run.left_out_ids, run.result)
        run.move_ids.action_post()
        return run.move_ids

    def notes(self, booking):
        """What the tenant holds."""
        visit = self.tenant.mailbox().live_visit(booking.appointment_id)
        return visit.staff_notes or ""

    def staff_writes(self, booking, notes):
        self.tenant.apply({"op": "notes", "appointment": booking.appointment_id, "notes": notes})

    def alone(self):
        """A booking that has its appointment for itself."""
        return next(
            one for one in self.ready if len(self.bookings(appointment_id=one.appointment_id)) == 1
        )

    def appointments(self, number):
        """Bookings of as many appointments."""
        return [rows[:1] for rows in self.ready.grouped("appointment_id").values()][:number]

    def test_it_follows_the_invoice_and_keeps_what_staff_wrote(self):
        """Confirmed, reset, cancelled: number, date and state; words of others stay to the letter."""
        booking = self.alone()
        staff = "Room 2\r\n<b>X-rays</b> & more  "
        self.staff_writes(booking, staff)
        move = self.invoice(booking)
        row = self.outbox.search([("booking_id", "=", booking.id)])
        self.assertEqual((row.state, row.value_from), ("waiting", False))
        self.assertEqual(row.value_to, f"Invoice {move.name} of 03/12/2026: posted")
        self.assertFalse(self.patches(), "nothing is sent in the transaction of the change")
        self.send()
        posted = f"{staff}\r\n[Odoo: {row.value_to}]"
        self.assertEqual((row.state, self.notes(booking)), ("sent", posted))
        for action, word in (("button_draft", "draft"), ("button_cancel", "canceled")):
            getattr(move, action)()
            self.send()
            self.assertEqual(self.notes(booking), posted.replace(": posted", f": {word}"))
        self.assertEqual(len(self.patches()), 3)
        self.assertEqual(set(self.outbox.search([]).mapped("state")), {"sent"})

    def test_it_follows_the_credit_note(self):
        booking = self.alone()
        move = self.invoice(booking)
        refund = move._reverse_moves([{"invoice_date": "2026-03-12"}])
        refund.action_post()
        self.send()
        self.assertIn(f"{move.name} of 03/12/2026: credited]", self.notes(booking))
        refund.button_draft()
        self.send()
        self.assertIn(": posted]", self.notes(booking))

    def test_it_is_taken_out_with_the_invoice(self):
        booking = self.alone()
        self.staff_writes(booking, "Room 2")
        move = self.invoice(booking)
        self.send()
        move.button_draft()
        move.with_context(force_delete=True).unlink()
        self.send()
        self.assertEqual(self.notes(booking), "Room 2")

    def test_it_tells_neither_amount_nor_payer_nor_name(self):
        """One remark for all attendees of a group appointment, each invoice once."""
        group = next(
            rows for rows in self.ready.grouped("appointment_id").values() if len(rows.payer_id) > 1
        )
        moves = self.invoice(group)
        self.assertGreater(len(moves), 1)
        self.send()
        text = self.notes(group[0])
        for move in moves:
            self.assertEqual(text.count(move.name), 1)
            self.assertNotIn(move.partner_id.name, text)
            self.assertNotIn(f"{move.amount_total:.2f}", text)
        self.assertEqual(text.count("[Odoo: "), 1)
        self.assertEqual(len(self.patches()), 1)

    def test_it_is_said_in_the_language_of_the_business(self):
        self.env["res.lang"]._activate_lang("da_DK")
        self.setup.language_id = self.env.ref("base.lang_da_DK")
        booking = self.alone()
        move = self.invoice(booking)
        self.send()
        self.assertIn(f"{move.name}", self.notes(booking))
        self.assertIn("12.03.2026", self.notes(booking))

    def test_what_is_there_is_not_sent_again(self):
        """Ten times sent and synchronized: one write, and no booking changes by it."""
        booking = self.alone()
        self.invoice(booking)
        self.send()
        row = self.outbox.search([])[:1]
        row.action_retry()  # what was sent stays sent
        self.assertEqual(row.state, "sent")
        row.sudo().state = "waiting"
        self.send()
        self.assertEqual((row.state, len(self.patches())), ("sent", 1))
        for _number in range(3):
            counts = self.sync().counts["appointment"]
            self.assertEqual((counts["unchanged"], counts.get("updated", 0)), (counts["seen"], 0))
            self.send()
        self.assertEqual(len(self.patches()), 1)

    def test_killed_anywhere_nothing_is_sent_twice_or_lost(self):
        """The process ends at each commit and each answer in turn; the next one finishes the work."""
        booking = self.alone()
        self.invoice(booking)
        self.env.flush_all()
        ended = 0
        for place in range(20):
            with self.cr.savepoint() as test:
                self.staff_writes(booking, "Room 2")
                self.app.faults.journal.clear()
                finished = self.killed_at(place)
                ended += not finished
                self.send()
                self.assertEqual(len(self.patches()), 1, place)
                self.assertIn(": posted]", self.notes(booking))
                self.assertEqual(self.outbox.search([]).mapped("state"), ["sent"])
                test.rollback()
                self.env.invalidate_all()
            if finished:
                break
        self.assertGreater(ended, 5)

    def test_off_means_off(self):
        """Without the option nothing waits; without the permission what waits goes on waiting."""
        booking = self.alone()
        self.live.sudo().may_write = False
        self.invoice(booking)
        row = self.outbox.search([])
        self.assertEqual(row.state, "waiting")
        self.send()
        self.assertEqual((row.state, self.patches()), ("waiting", []))
        self.setup.write_invoice = False
        with self.assertRaises(ValidationError) as refused:
            self.setup.write_invoice = True
        self.assertIn("allow writing on the connection", str(refused.exception))
        booking.move_ids.button_draft()
        self.assertEqual(self.outbox.search([]), row)
        self.live.sudo().may_write = True
        self.send()
        self.assertEqual(self.patches(), [])

    def test_another_tenant_is_not_permitted(self):
        self.live.tenant_id = "5a4db0c5-dead-4000-8000-000000000000"
        self.assertFalse(self.live.may_write)

    def test_past_appointments_refused_by_microsoft(self):
        """The setup says so, somebody is told once, and the synchronization is well."""
        first, second = self.appointments(2)
        self.invoice(first)
        self.invoice(second)
        with self.refusing():
            self.send()
            self.send()
            self.assertEqual(len(self.patches()), 1)
            self.assertIn("refused the change", self.setup.write_refused)
            self.assertEqual(len(self.setup.activity_ids), 1)
            self.assertEqual(self.sync().state, "done")
        self.assertFalse(self.setup.error_message)
        self.assertEqual(set(self.outbox.search([]).mapped("state")), {"waiting"})
        self.setup.action_write_again()
        self.send()
        self.assertEqual(set(self.outbox.search([]).mapped("state")), {"sent"})

    def test_a_refusal_stops_one_row_after_five(self):
        """Others go on; a person tries again, or drops it."""
        one, *others = self.appointments(3)
        self.invoice(others[0])
        self.send()
        self.invoice(one)
        row = self.outbox.search([("booking_id", "=", one.id)])
        self.invoice(others[1])
        now = NOW
        for number in range(1, 7):
            with (
                freeze_time(now),
                self.refusing(match=f"*{one.appointment_id}"),
            ):
                self.send()
            self.assertEqual(row.refusals, min(number, 5))
            now += timedelta(hours=7)
        self.assertEqual((row.state, row.next_try), ("failed", False))
        self.assertFalse(self.setup.write_refused)
        self.assertIn("refused the change", row.error)
        self.assertEqual(len(self.setup.activity_ids), 1)
        self.assertIn(": posted]", self.notes(others[1]))
        user = new_test_user(self.env, "clerk", "account.group_account_invoice")
        with self.assertRaises(AccessError):
            row.with_user(user).action_drop()
        row.action_retry()
        self.assertFalse(self.setup.activity_ids)
        self.send()
        self.assertEqual((row.state, row.tries), ("sent", 0))

    def test_what_passes_by_itself_waits_longer_each_time(self):
        self.invoice(self.alone())
        row, now = self.outbox.search([]), NOW
        for minutes in (10, 20, 40):
            with freeze_time(now), self.refusing(503):
                self.send()
                self.send()
            self.assertEqual(row.next_try, now + timedelta(minutes=minutes))
            now = row.next_try
        self.assertEqual((row.state, row.tries, row.refusals), ("waiting", 3, 0))
        self.assertEqual(len(self.patches()), 3)
        with freeze_time(now), self.refusing(429, headers={"Retry-After": "7200"}):
            self.send()
        self.assertEqual(row.next_try, now + timedelta(hours=2))
        with freeze_time(row.next_try):
            self.send()
        self.assertEqual(row.state, "sent")

    def test_a_removed_appointment_is_left_alone(self):
        booking = self.alone()
        self.invoice(booking)
        row = self.outbox.search([])
        change = {"op": "delete", "appointment": booking.appointment_id}
        self.tenant.apply(change)
        self.send()
        self.tenant.apply(change | {"op": "restore"})
        self.assertEqual((row.state, self.patches()), ("dropped", []))
        self.assertIn("no longer exists", row.error)

    def test_the_permission_is_missing_at_microsoft(self):
        """Test Connection says so and stays connected; a write stops for this time."""
        self.invoice(self.ready[:2])
        self.app.login.permissions = graph.permissions(False)
        self.addCleanup(setattr, self.app.login, "permissions", graph.permissions(True))
        answer = self.live.action_test()
        self.assertEqual(answer["params"]["type"], "warning")
        self.assertEqual((self.results()["writing"], self.live.state), ("failed", "connected"))
        self.send()
        rows = self.outbox.search([])
        self.assertEqual(sum(rows.mapped("refusals")), 1)
        self.assertIn(
            "BookingsAppointment.ReadWrite.All", "".join(filter(None, rows.mapped("error")))
        )

    def test_the_scheduled_action_sends_after_it_has_read(self):
        """In the sandbox, where what was written is there for all workers."""
        self.connection.sudo().may_write = True
        setup = self.sandboxed
        setup.write_invoice = True
        self.sync(setup)
        booking = self.env["bookings.booking"].search(
            [("setup_id", "=", setup.id), ("status", "=", "ready")], limit=1
        )
        move = self.invoice(booking)
        (self.env["bookings.sync.setup"].search([]) - setup).paused = True
        with patch.object(OutboxJob, "_claim", lambda _job: nullcontext(True)):
            self.env.ref("bookings_invoicing.ir_cron_sync").method_direct_trigger()
        self.assertEqual(self.outbox.search([]).state, "sent")
        change = self.connection.sandbox_change_ids.change
        self.assertIn(move.name, change["notes"])
        tenant = self.connection._sandbox_tenant()
        visit = tenant.mailbox(setup.business_id).live_visit(booking.appointment_id)
        self.assertEqual(visit.staff_notes, change["notes"])
