from datetime import timezone
from unittest.mock import patch

from odoo.tests import tagged

from ...models.sync.job import LOCK_SPACE
from ..common import ANCHOR, NOW, BookingsCase


@tagged("post_install", "-at_install")
class TestSync(BookingsCase):
    def test_bookings_equal_the_tenant(self):
        """After the first sync there is one booking per attendee of each appointment, and no other."""
        self.sync()
        until = NOW.replace(tzinfo=timezone.utc)
        expected = [row for row in self.tenant.expected_bookings() if row["end"] <= until]
        found = self.bookings().filtered(lambda booking: booking.stop <= NOW)
        self.assertCountEqual(
            [
                (b.appointment_id, b.start.replace(tzinfo=timezone.utc), round(b.price, 2))
                for b in found
            ],
            [(row["appointment"], row["start"], round(float(row["price"]), 2)) for row in expected],
        )

    def test_statuses_follow_the_clock_and_the_price(self):
        self.sync()
        for booking in self.bookings():
            if booking.price_type == "free":
                self.assertEqual(
                    (booking.status, booking.not_billable_reason), ("not_billable", "free")
                )
            elif booking.stop > NOW:
                self.assertEqual(booking.status, "upcoming")
            elif booking.price_type in ("fixedPrice", "hourly"):
                self.assertIn(booking.status, ("ready", "attention"))
            else:
                self.assertEqual(
                    (booking.status, booking.attention_reason), ("attention", "price_to_decide")
                )

    def test_customers_come_from_the_template(self):
        """Each person with a booking is one partner with the template's payment term; nobody else is created."""
        before = self.env["res.partner"].search_count([])
        run = self.sync()
        partners = self.bookings().partner_id
        self.assertEqual(self.env["res.partner"].search_count([]) - before, len(partners))
        self.assertEqual(run.partners_created, len(partners))
        self.assertEqual(
            partners.property_payment_term_id, self.env.ref("account.account_payment_term_30days")
        )
        emails = [email for email in partners.mapped("email_normalized") if email]
        self.assertEqual(len(emails), len(set(emails)))

    def test_what_an_import_works_out_is_what_the_fields_compute(self):
        """Bookings are inserted with values worked out beforehand; recomputing every stored field changes none."""
        fee_product = self.env["product.product"].create({"name": "Fee", "type": "service"})
        payer = self.env["res.partner"].create({"name": "Insurer"})
        self.setup.write(
            {"fee_product_id": fee_product.id, "no_show_fee_kind": "percent", "no_show_fee": 50}
        )
        ended = [
            row["appointment"]
            for row in self.tenant.expected_bookings()
            if row["end"] <= NOW.replace(tzinfo=timezone.utc)
        ]
        rules = ("no_show", "free", "not_billable", "fee", "payer", "attention")
        for outcome, appointment in zip(rules, dict.fromkeys(ended), strict=False):
            self.env["bookings.label.rule"].create(
                {"setup_id": self.setup.id, "text": outcome, "outcome": outcome, "fee_value": 7.0}
                | ({"payer_id": payer.id} if outcome == "payer" else {})
            )
            self.change(op="label", appointment=appointment, label=outcome)
        self.sync()
        bookings = self.bookings()
        self.assertEqual(len(bookings.label_rule_id), len(rules))
        stored = [f for f in bookings._fields.values() if f.compute and f.store]
        self.assertGreater(len(stored), 15)
        before = bookings.read([field.name for field in stored], load=False)
        for field in stored:
            self.env.add_to_compute(field, bookings)
        self.env.flush_all()
        self.env.invalidate_all()
        after = bookings.read([field.name for field in stored], load=False)
        self.assertEqual(after, before)
        self.assertFalse(bookings.filtered(lambda one: one.has_manual_price or one.manual_uid))

    def test_full_sync_reads_again_what_was_sent_before(self):
        """A plain sync passes over what is sent as it was; a full one compares what it says."""
        self.sync()
        one = self.bookings(status="ready")[:1]
        bookings = self.bookings(appointment_id=one.appointment_id)
        place, kept = one.place, one.remote_hash
        bookings.sudo().write({"place": "Lost", "remote_hash": "0" * 32 + kept[32:]})
        self.sync()
        self.assertEqual(bookings.mapped("place"), ["Lost"] * len(bookings))
        self.sync(full=True)
        self.assertEqual({(b.place, b.remote_hash) for b in bookings}, {(place, kept)})

    def test_what_a_button_writes_is_claimed_until_it_is_kept(self):
        """No other process begins before the button's transaction has ended."""
        self.sync()
        self.env.cr.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() "
            "AND classid::bigint = %s AND objid::bigint = %s",
            [LOCK_SPACE, self.setup.id],
        )
        self.assertTrue(self.env.cr.fetchone())

    def test_what_another_process_did_is_not_done_again_on_schedule(self):
        """It may have done so after this one listed the due setups and before it claimed this one."""

        def on_schedule(queued):
            self.setup._sync_alone(lambda *_args, **_named: self.env.flush_all(), queued)
            return self.setup.run_ids.mapped("state")

        runs = self.env["bookings.sync.run"].sudo()
        queued = runs.create(
            {"setup_id": self.setup.id, "trigger": "button", "started": NOW, "state": "queued"}
        )
        nothing = queued.browse()
        self.setup.next_sync = NOW
        self.assertEqual(on_schedule(queued), ["done"])
        self.assertGreater(self.setup.next_sync, NOW)
        self.assertEqual(on_schedule(queued), ["done"])
        self.assertEqual(on_schedule(nothing), ["done"])
        self.setup.next_sync = NOW
        self.assertEqual(on_schedule(nothing), ["done", "done"])

    def test_scheduled_actions_take_turns(self):
        """One that ends because its time is up goes on when the others had their turn; each does a part of the setups."""
        self.setup.next_sync = NOW
        left = [60, 0]
        commit = patch.object(
            type(self.env["ir.cron"]), "_commit_progress", lambda *_args, **_named: left[0]
        )
        cron = self.env.ref("bookings_invoicing.ir_cron_sync_2")
        triggers = self.env["ir.cron.trigger"].sudo()
        waiting = triggers.search_count([("cron_id", "=", cron.id)])
        setups = self.env["bookings.sync.setup"].sudo()
        beside = setups.with_context(cron_id=cron.id)._cron_sync_beside
        with commit:
            beside()
            self.assertEqual(len(self.setup.run_ids), 1)
            self.setup.next_sync = NOW
            left.pop(0)
            beside()
        self.assertEqual(len(self.setup.run_ids), 1)
        self.assertEqual(triggers.search_count([("cron_id", "=", cron.id)]), waiting + 1)

    def test_unchanged_tenant_is_not_written(self):
        self.sync()
        self.env.flush_all()
        self.env.cr.execute("SELECT id, xmin FROM bookings_booking ORDER BY id")
        before = self.env.cr.fetchall()
        counts = self.sync().counts["appointment"]
        self.env.flush_all()
        self.env.cr.execute("SELECT id, xmin FROM bookings_booking ORDER BY id")
        self.assertEqual(self.env.cr.fetchall(), before)
        self.assertEqual(counts["unchanged"], counts["seen"])

    def test_ended_before_bill_from_counts_as_billed_elsewhere(self):
        self.setup.bill_from = ANCHOR
        self.setup.look_back_days = 60
        self.sync()
        old = self.bookings().filtered(lambda b: b.stop < NOW and b._local(b.stop).date() < ANCHOR)
        self.assertTrue(old)
        self.assertEqual(set(old.mapped("status")), {"not_billable"})
        self.assertEqual(set(old.mapped("not_billable_reason")), {"billed_elsewhere"})

    def test_moved_appointment_moves_its_booking(self):
        self.sync()
        booking = self.bookings(status="upcoming")[:1]
        self.change(op="move", appointment=booking.appointment_id, start="2026-03-20T09:00:00Z")
        self.sync()
        self.assertEqual(str(booking.start), "2026-03-20 09:00:00")

    def test_gone_before_it_began_is_cancelled(self):
        self.sync()
        booking = self.bookings(status="upcoming").filtered(lambda b: b.start > NOW)[:1]
        self.change(op="cancel", appointment=booking.appointment_id)
        self.sync()
        self.assertEqual(booking.status, "cancelled")
        self.change(op="restore", appointment=booking.appointment_id)
        self.sync()
        self.assertEqual(booking.status, "upcoming")

    def test_gone_after_it_took_place_needs_somebody(self):
        self.sync()
        booking = self.bookings(status="ready")[:1]
        self.change(op="delete", appointment=booking.appointment_id)
        self.sync()
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "removed_after"))
        self.assertIn("last seen", booking.attention_detail)
