import inspect
from datetime import date, timedelta
from functools import partial

from odoo import SUPERUSER_ID, fields
from odoo.addons.base.models.ir_autovacuum import is_autovacuum
from odoo.tests import tagged

from ...models.sync.reading import bookings_now
from ..common import NOW, BookingsCase

UNBILLED = ("upcoming", "ready", "attention")


@tagged("post_install", "-at_install")
class TestSyncRules(BookingsCase):
    """Labels as instructions, attendance, fees, late changes, holds and records set aside."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fee_product = cls.env["product.product"].create({"name": "Fee", "type": "service"})
        cls.setup.fee_product_id = cls.fee_product
        cls.sync()

    def _ready(self):
        return self.bookings(status="ready").filtered(
            lambda b: b.price and b.price_type == "fixedPrice"
        )[:1]

    def _label(self, booking, text, **rule):
        self.env["bookings.label.rule"].create({"setup_id": self.setup.id, "text": text, **rule})
        self.change(op="label", appointment=booking.appointment_id, label=text)
        self.sync()

    def test_another_business_archives_this_one_with_its_bookings(self):
        """Its mappings stay its own: the next business knows nothing of them."""
        bookings, services = self.bookings(), self.setup.service_ids
        finder = self.env["bookings.business.finder"].browse(
            self.setup.action_change_business()["res_id"]
        )
        finder.import_missing = False
        self.assertFalse(self.setup.active)
        self.assertEqual(set(bookings.mapped("active")), {False})
        self.assertFalse(self.bookings())
        finder.line_ids.filtered(
            lambda line: line.business_id == self.tenant.businesses[1]["id"]
        ).action_use()
        other = self.env["bookings.sync.setup"].search(
            [("business_id", "=", self.tenant.businesses[1]["id"])]
        )
        other.write({"customer_template_id": self.customer_template.id, "customer_sync": "import"})
        self.sync(other)
        self.assertFalse(self.bookings())
        self.assertFalse(other.service_ids & services)
        self.assertFalse(other.service_ids.product_id)
        self.assertLessEqual(
            self.env["bookings.booking"].search([("setup_id", "=", other.id)]).service_id,
            other.service_ids,
        )

    def test_customer_chosen_by_hand_settles_all_bookings_of_the_person(self):
        customer = self.bookings(status="ready").customer_id.filtered(
            lambda one: len(one.booking_ids.filtered(lambda b: b.status == "ready")) > 1
        )[0]
        theirs = customer.booking_ids.filtered(lambda one: one.status == "ready")
        partner, customer.partner_id = customer.partner_id, False
        self.assertEqual(set(theirs.mapped("attention_reason")), {"no_customer"})
        customer.partner_id = partner
        self.assertEqual(set(theirs.mapped("status")), {"ready"})
        self.sync()
        self.assertEqual(customer.match, "linked")

    def test_label_says_not_to_bill(self):
        booking = self._ready()
        self._label(booking, "Staff training", outcome="not_billable", reason="waived")
        self.assertEqual((booking.status, booking.not_billable_reason), ("not_billable", "waived"))
        self.change(op="label", appointment=booking.appointment_id, label=None)
        self.sync()
        self.assertEqual(booking.status, "ready")

    def test_label_says_no_show_with_fee(self):
        """A no-show is billed at half the price with the fee product; a person who says *came* is right."""
        booking = self._ready()
        price = booking.amount
        self.setup.write({"no_show_fee_kind": "percent", "no_show_fee": 50})
        self._label(booking, "NO show", outcome="no_show")
        self.assertEqual((booking.attendance, booking.attendance_source), ("no_show", "label"))
        self.assertEqual(booking.product_id, self.fee_product)
        self.assertAlmostEqual(booking.amount, round(price / 2, 2))
        booking.action_came()
        self.assertAlmostEqual(booking.amount, price)
        self.sync()
        self.assertEqual(booking.attendance, "came")

    def test_no_show_without_fee_is_not_billed(self):
        booking = self._ready()
        booking.action_no_show()
        self.assertEqual((booking.status, booking.not_billable_reason), ("not_billable", "no_show"))

    def test_created_customer_makes_the_booking_ready(self):
        """Created from the booking: every booking of the person is looked at again, its reason is gone."""
        booking = self._ready()
        visits = booking.customer_id.booking_ids.filtered(lambda b: b.status in UNBILLED)
        before = booking.partner_id
        visits.write({"partner_id": False, "payer_id": False})
        booking.customer_id.sudo().write({"partner_id": False, "match": "none"})
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "no_customer"))
        before.email = False
        booking.action_create_customer()
        self.assertEqual(booking.status, "ready")
        self.assertNotIn(booking.partner_id, (before, self.env["res.partner"]))
        self.assertFalse(visits.filtered(lambda b: b.attention_reason == "no_customer"))

    def test_customer_who_is_there_meanwhile_is_linked_not_made_again(self):
        """By the button, and by the night for whom nobody pressed it."""
        booking = self._ready()
        known = booking.partner_id
        others = self.env["res.partner"].search_count([])
        visits = booking.customer_id.booking_ids.filtered(lambda b: b.status in UNBILLED)
        by_night = partial(self.setup._look_again, visits)
        for again in (booking.action_create_customer, by_night):
            visits.write({"partner_id": False, "payer_id": False})
            booking.customer_id.sudo().write({"partner_id": False, "match": "none"})
            self.assertEqual(booking.attention_reason, "no_customer")
            again()
            self.assertEqual((booking.status, booking.partner_id), ("ready", known))
        self.assertEqual(self.env["res.partner"].search_count([]), others)

    def test_service_that_takes_part_no_more_is_let_go(self):
        booking = self._ready()
        service = booking.service_id
        self.setup.service_filter = f"[('name', '!=', {service.name!r})]"
        self.sync()
        self.assertNotIn(booking.status, ("ready", "upcoming"))
        self.assertTrue(self.bookings(status="ready"))

    def test_label_asks_and_a_person_settles_it(self):
        booking = self._ready()
        self._label(booking, "Ask Ann", outcome="attention", note="Ann knows")
        self.assertEqual((booking.status, booking.attention_reason), ("attention", "label"))
        self.assertIn("Ann knows", booking.attention_detail)
        booking.action_settle_label()
        self.assertEqual(booking.status, "ready")

    def test_label_names_the_payer(self):
        booking = self._ready()
        payer = self.env["res.partner"].create({"name": "Contoso"})
        self._label(booking, "Bill Contoso", outcome="payer", payer_id=payer.id)
        self.assertEqual(booking.payer_id, payer)

    def test_late_cancellation_is_charged(self):
        self.setup.write(
            {
                "cancel_notice_hours": 24 * 60,
                "late_cancel_fee_kind": "amount",
                "late_cancel_fee": 25,
            }
        )
        self.setup.sudo().last_appointment_sync = NOW - timedelta(minutes=5)
        booking = self.bookings(status="upcoming").filtered(lambda b: b.start > NOW)[:1]
        self.change(op="cancel", appointment=booking.appointment_id)
        self.sync()
        self.assertEqual((booking.attendance, booking.fee_cause), ("late_cancel", "late_cancel"))
        self.assertEqual((booking.amount, booking.status), (25, "upcoming"))

    def test_changed_after_it_took_place_is_kept_and_shown(self):
        booking = self._ready()
        self.change(op="reprice", appointment=booking.appointment_id, price="12.34")
        self.sync()
        self.assertEqual(booking.price, 12.34)
        change = booking.late_changes[0]
        self.assertEqual((change["field"], change["new"]), ("price", 12.34))
        self.assertIn(booking.currency_id.format(12.34), booking.late_changes_text)

    def test_many_gone_at_once_wait_for_a_person(self):
        """More than twenty missing at once: none is marked, the run is held; confirmed, they are."""
        ids = sorted(set(self.bookings().mapped("appointment_id")))[:30]
        for appointment in ids:
            self.change(op="delete", appointment=appointment)
        run = self.sync()
        self.assertEqual(run.state, "held")
        self.assertFalse(self.bookings().filtered("removed_on"))
        self.assertEqual(self.setup.health, "attention")
        self.setup.action_confirm_removals()
        gone = self.bookings().filtered("removed_on")
        self.assertEqual(set(gone.mapped("appointment_id")), set(ids))
        self.assertEqual((self.setup.held_missing, self.setup.error_message), (0, False))

    def test_many_gone_outside_the_windows_wait_too(self):
        """Unbilled bookings that no window covers are looked at once a day: a few gone are marked, many are held."""
        self.setup.look_back_days = 1
        self.setup.sudo().last_look = NOW - timedelta(hours=23)
        self.assertFalse(self.sync().bookings_removed)
        early = NOW - timedelta(days=2)
        old = self.bookings().filtered(lambda b: b.stop < early and b.status in UNBILLED)
        ids = sorted(set(old.mapped("appointment_id")))
        self.assertGreater(len(ids), 25)
        self.change(op="delete", appointment=ids[0])
        self.assertEqual(self.sync().state, "done")
        self.assertFalse(self.bookings().filtered("removed_on"), "the next run is early enough")
        self.setup.sudo().last_look = NOW - timedelta(hours=23, seconds=1)
        self.assertEqual(self.sync().state, "done")
        self.assertEqual(
            set(self.bookings().filtered("removed_on").mapped("appointment_id")), {ids[0]}
        )
        for appointment in ids[1:25]:
            self.change(op="delete", appointment=appointment)
        self.setup.sudo().last_look = NOW - timedelta(days=1)
        run = self.sync()
        self.assertEqual((run.state, self.setup.held_missing), ("held", 24))
        self.assertEqual(
            len(set(self.bookings().filtered("removed_on").mapped("appointment_id"))), 1
        )
        self.assertIn("24 appointments", self.setup.error_message)
        self.setup.action_confirm_removals()
        gone = self.bookings().filtered("removed_on")
        self.assertEqual(set(gone.mapped("appointment_id")), set(ids[:25]))
        self.assertFalse(self.setup.hold_confirmed, "the next many are asked about again")

    def test_payloads_and_runs_are_kept_for_a_time(self):
        """After 30 days what Bookings sent goes, and what is resolved; after 90 days the runs. Vacuumed as Odoo does."""
        vacuum = self.env(user=SUPERUSER_ID)
        issues = vacuum["bookings.sync.issue"].create(
            [
                {"setup_id": self.setup.id, "kind": "staff", "reason": "x", "payload": "{}"}
                | {"remote_id": name}
                for name in ("open", "resolved", "fresh")
            ]
        )
        issues[1].resolved = NOW - timedelta(days=31)
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE bookings_sync_issue
                  SET create_date = %s - interval '1 day' * CASE remote_id WHEN 'fresh' THEN 29 ELSE 31 END
                WHERE id = ANY(%s)""",
            [NOW, issues.ids],
        )
        runs = vacuum["bookings.sync.run"].create(
            [
                {"setup_id": self.setup.id, "trigger": "cron", "state": "done"}
                | {"started": NOW - timedelta(days=days)}
                for days in (91, 89)
            ]
        )
        self.env.invalidate_all()
        for model in ("bookings.sync.issue", "bookings.sync.run"):
            methods = [
                name
                for name, method in inspect.getmembers(type(vacuum[model]), is_autovacuum)
                if name.startswith("_gc")
            ]
            self.assertTrue(methods)
            for name in methods:
                done, more = getattr(vacuum[model], name)()
                self.assertEqual((done > 0, more), (True, False), name)
        left = issues.exists()
        self.assertEqual(left.mapped("remote_id"), ["open", "fresh"])
        self.assertEqual(left.mapped("payload"), [False, "{}"])
        self.assertEqual(runs.exists(), runs[1])

    def test_a_bad_record_costs_only_itself(self):
        """It is set aside once, however often it comes, and closed when it comes through."""
        booking = self._ready()
        self.change(op="corrupt", record=booking.appointment_id, set={"price": "abc"})
        before = len(self.bookings())
        runs = self.sync() | self.sync()
        issue = self.env["bookings.sync.issue"].search([("setup_id", "=", self.setup.id)])
        self.assertEqual((len(issue), issue.remote_id), (1, booking.appointment_id))
        self.assertEqual(runs.mapped("state"), ["partial", "partial"])
        self.assertEqual(len(self.bookings()), before)
        self.assertFalse(booking.removed_on)
        self.change(op="corrupt", record=booking.appointment_id, set={"price": 70})
        issue.action_retry()
        self.assertTrue(issue.resolved)

    def test_records_without_an_id(self):
        """Each has a row of its own, is never asked for by id, harms nobody, and is closed once it comes with its id."""
        issues = self.env["bookings.sync.issue"]
        mine = [("setup_id", "=", self.setup.id), ("resolved", "=", False)]
        legacy = issues.sudo().create(
            {"setup_id": self.setup.id, "kind": "appointment", "reason": "id: is missing"}
        )
        ids = sorted(set(self.bookings(status="ready").mapped("appointment_id")))[:4]
        service = self.setup.service_ids[0]
        for appointment, bad in zip(ids, (None, "", "x" * 300, 7), strict=True):
            self.change(op="corrupt", record=appointment, set={"id": bad})
        self.change(op="corrupt", record=service.remote_id, set={"id": None})
        for _time in range(2):
            self.assertEqual(self.sync().state, "partial")
            rows = issues.search(mine)
            nameless = rows.filtered(lambda row: not row.remote_id)
            self.assertEqual(
                set((rows - nameless).mapped("remote_id")), set(ids), "asked for by id"
            )
            self.assertEqual(len(nameless), 5)
        _read, unreadable = bookings_now(self.setup, date(2025, 12, 1), date(2026, 3, 31))
        self.assertEqual(len(unreadable), 4, "completeness counts each of them")
        self.assertTrue(legacy.resolved, "one row for all of them, as they were kept before")
        self.assertEqual(len(set(nameless.mapped("row_key"))), 5)
        self.assertFalse(service.removed, "a row without its id may be any of them")
        self.assertFalse(self.bookings().filtered("removed_on"))
        nameless.action_retry()
        self.assertEqual(issues.search(mine), rows)
        self.assertTrue(all(row.display_name for row in rows))
        for record in (*ids, service.remote_id):
            self.change(op="corrupt", record=record, set={"id": record})
        self.sync()
        self.assertFalse(issues.search(mine))

    def test_records_without_an_id_outside_of_what_was_read_stay(self):
        """A row closes only where what was read clean holds all of the time in which it came."""
        issues = self.env["bookings.sync.issue"].sudo()
        day = timedelta(days=1)
        base = {"setup_id": self.setup.id, "kind": "appointment", "reason": "id: is missing"}
        inside, early, late, with_id = issues.create(
            [
                base | {"row_key": "a", "read_from": NOW, "read_until": NOW + day},
                base | {"row_key": "b", "read_from": NOW - day, "read_until": NOW + day},
                base | {"row_key": "c", "read_from": NOW, "read_until": NOW + 2 * day},
                base | {"remote_id": "d", "read_from": NOW, "read_until": NOW + day},
            ]
        )
        issues._note(self.setup, False, {}, set(), {"customer": None})
        self.assertFalse((inside | early | late | with_id).filtered("resolved"))
        issues._note(self.setup, False, {}, set(), {"appointment": (NOW, NOW + day)})
        self.assertEqual((inside | early | late | with_id).filtered("resolved"), inside)

    def test_services_outside_the_filter_are_not_taken_over(self):
        other = self._make_setup(
            name="Side",
            business_id=self.tenant.mailboxes[1].id,
            service_filter="[('name', '=', 'no such service')]",
        )
        run = self.sync(other)
        self.assertTrue(run.counts["appointment"]["skipped"])
        self.assertFalse(self.env["bookings.booking"].search([("setup_id", "=", other.id)]))

    def test_next_run_is_in_step(self):
        self.setup.write({"interval_number": 30, "interval_type": "minutes"})
        self.setup.next_sync = NOW - timedelta(minutes=10)
        self.sync()
        self.assertEqual(self.setup.next_sync, NOW + timedelta(minutes=20))

    def test_ten_unchanged_syncs_write_nothing(self):
        """Of all tables of the database, a sync of an unchanged tenant adds its line of history, and no more."""
        self.sync()
        before = self._written()
        for _time in range(10):
            self.sync()
        changed = {
            table: tuple(new - old for new, old in zip(rows, before[table], strict=True))
            for table, rows in self._written().items()
            if rows != before[table]
        }
        self.assertGreater(len(before), 100, "all tables are looked at")
        self.assertEqual(changed.pop("bookings_sync_run"), (10, 0, 0))
        self.assertEqual(changed, {})
        counts = self.setup.run_ids[:1].counts
        self.assertEqual({kind for kind, found in counts.items() if found["seen"]}, set(counts))
        for kind, found in counts.items():
            self.assertEqual((kind, found["unchanged"]), (kind, found["seen"]))

    def _written(self):
        """``{table: (inserted, updated, deleted)}`` of this transaction, for every table of the database."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT schemaname || '.' || relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables"
        )
        return {
            name.removeprefix("public."): tuple(numbers)
            for name, *numbers in self.env.cr.fetchall()
        }

    def test_group_price_is_shared_out(self):
        """Shares of an appointment's price add up to it, to the cent."""
        self.setup.group_price = "appointment"
        people = [{"name": name, "email": f"{name}@x.example"} for name in ("ann", "bob", "cid")]
        service = next(s for s in self.tenant.services if s.get("maximumAttendeesCount", 0) > 2)
        start = fields.Datetime.to_string(NOW - timedelta(days=1)).replace(" ", "T") + "Z"
        change = self.change(
            op="create",
            service=service["id"],
            start=start,
            price="100.00",
            price_type="fixedPrice",
            attendees=people,
        )
        self.sync()
        shares = self.bookings(appointment_id=change.change["appointment"])
        self.assertEqual(sorted(shares.mapped("amount")), [33.33, 33.33, 33.34])
