import copy
import re
from datetime import timezone
from unittest.mock import patch

from odoo import models
from odoo.exceptions import UserError
from odoo.sql_db import Cursor
from odoo.tests import tagged
from odoo.tools import SQL

from ...models.base import bulk_insert
from ...models.base.remote_record import IMPORTING
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

    def test_a_new_booking_is_written_once(self):
        """A stored computed field that the import does not work out beforehand would need an UPDATE of each new row."""
        self.sync()
        known = self.bookings(status="ready", price_type="fixedPrice")[0]
        self.change(
            op="create",
            start=f"{known.start:%Y-%m-%dT23:%M:%SZ}",
            minutes=30,
            service=known.service_id.remote_id,
            price="60.00",
            price_type="fixedPrice",
            attendees=[{"name": "Nora Newcomer", "email": "nora@example.com"}],
        )
        statements, execute = [], Cursor.execute

        def noted(cr, query, *args, **options):
            statements.append(str(getattr(query, "code", query)).replace('"', ""))
            return execute(cr, query, *args, **options)

        with patch.object(Cursor, "execute", noted):
            self.sync()
        self.assertEqual(self.bookings(name="Nora Newcomer").status, "ready")
        written = [
            found[1]
            for text in statements
            if (found := re.match(r"\s*(INSERT INTO|UPDATE) bookings_booking\b", text))
        ]
        self.assertEqual(written, ["INSERT INTO"])

    def test_import_writes_the_rows_that_create_writes(self):
        """What is inserted at once equals what Odoo's own ``create`` writes: each row, in all columns of all tables."""
        self.env["ir.default"].set("bookings.booking", "reference", "PO 7")
        given, completed = [], bulk_insert.completed

        def noted(model, vals_list, prepare):
            given.extend(copy.deepcopy(vals_list))
            return completed(model, vals_list, prepare)

        with patch.object(bulk_insert, "completed", noted):
            self.sync()
        self.assertGreater(len(given), 50)
        self.assertTrue(any(vals["staff_ids"][0][2] for vals in given))
        odd = ("NULL", 'The "Loft" \\ {2}, back', " ", "", "a\tb\nc", False)
        for vals, place in zip(given, odd, strict=False):
            vals["place"] = place
        self.bookings().sudo().unlink()
        at_once = self._written_bookings(given)
        with (
            patch.object(bulk_insert, "completed", lambda _model, vals, prepare: prepare(vals)),
            patch.object(bulk_insert, "insert", models.BaseModel._create),
        ):
            one_by_one = self._written_bookings(given)
        self.assertEqual(len(one_by_one["bookings_booking"]), len(given))
        self.assertEqual({row["reference"] for row in one_by_one["bookings_booking"]}, {"PO 7"})
        self.assertGreater(len(one_by_one["bookings_booking_bookings_staff_rel"]), 50)
        self.assertEqual(at_once, one_by_one)

    def test_contacts_are_the_rows_that_create_writes(self):
        """Contacts of an import equal those of Odoo's own ``create``: each row, in all columns of all tables."""
        given, contacts = [], type(self.env["res.partner"])
        create_alike = contacts._bookings_create

        def noted(model, shared, vals_list):
            given.append((model, dict(shared), copy.deepcopy(vals_list)))
            return create_alike(model, shared, vals_list)

        self.setup.customer_template_id.user_id = self.env.user
        with patch.object(contacts, "_bookings_create", noted):
            self.sync()
        model, shared, vals_list = max(given, key=lambda call: len(call[2]))
        self.assertGreater(len(vals_list), 5)
        plain = model.with_context(bookings_importing=None)
        for common in (shared, {name: shared[name] for name in shared if name != "user_id"}):
            alike, one_by_one = (
                self._written("res_partner", function)
                for function in (
                    lambda common=common: model._bookings_create(common, vals_list),
                    lambda common=common: plain.create([common | vals for vals in vals_list]),
                )
            )
            self.assertEqual(len(one_by_one["res_partner"]), len(vals_list))
            self.assertEqual(alike, one_by_one)

    def test_contacts_of_an_import_stay_in_their_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        account = self.env["account.account"].create(
            {"name": "Debts", "code": "DEBT", "account_type": "asset_receivable"}
            | {"company_ids": other.ids}
        )
        model = self.env["res.partner"].with_company(self.setup.company_id)
        model = model.with_context(bookings_importing=IMPORTING)
        people = [{"name": "Ann"}, {"name": "Bob", "property_account_receivable_id": account.id}]
        with self.assertRaisesRegex(UserError, "Bob"):
            model._bookings_create({}, people)

    def _written_bookings(self, vals_list):
        people = self.env["bookings.customer"].browse(
            sorted({vals["customer_id"] for vals in vals_list} - {False})
        )

        def create():
            self.assertFalse(people.booking_ids)
            created = self.env["bookings.booking"]._for_import().create(copy.deepcopy(vals_list))
            self.assertEqual(people.booking_ids, created.filtered("customer_id").sorted())
            staff = [sorted(vals["staff_ids"][0][2]) for vals in vals_list]
            self.assertEqual([sorted(one.staff_ids.ids) for one in created], staff)
            return created

        return self._written("bookings_booking", create)

    def _written(self, made, create):
        """The rows of all tables that this function writes, ``{table: rows}``; nothing of it is kept.

        The records that it returns, rows of the table ``made``, are numbered in order of their IDs.
        """
        cr = self.env.cr
        with cr.savepoint() as trial:
            # A row that the trial writes tells its transaction ID; that of all that follows is not lower.
            cr.execute("UPDATE bookings_sync_setup SET id = id RETURNING xmin::text::bigint")
            mark = cr.fetchone()[0]
            created = create()
            self.env.flush_all()
            number = {booking_id: place for place, booking_id in enumerate(created.ids)}
            written = {}
            cr.execute(
                """SELECT c.relname, array_agg(a.attname) FILTER (WHERE f.oid IS NOT NULL)
                     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                     LEFT JOIN pg_constraint f ON f.conrelid = c.oid AND a.attnum = ANY(f.conkey) AND f.contype = 'f'
                                              AND f.confrelid = %s::regclass
                    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname""",
                [made],
            )
            for table, links in cr.fetchall():
                own = "id" if table == made else None
                cr.execute(
                    SQL(
                        "SELECT to_jsonb(t) FROM %s t WHERE t.xmin::text::bigint >= %s",
                        SQL.identifier(table),
                        mark,
                    )
                )
                rows = [row for (row,) in cr.fetchall()]
                for row in rows:
                    if not own:
                        row.pop("id", None)
                    for name in {own, *(links or ())} & row.keys():
                        row[name] = number.get(row[name], row[name])
                if rows:
                    written[table] = sorted(rows, key=str)
            trial.rollback()
        return written

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
