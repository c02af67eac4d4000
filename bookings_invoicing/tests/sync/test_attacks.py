from datetime import date, datetime, timedelta, timezone

from freezegun import freeze_time

from odoo.tests import tagged

from ..common import NOW, BookingsCase


@tagged("post_install", "-at_install")
class TestSyncAttacks(BookingsCase):
    """What Bookings and people do that nobody planned for: odd records, odd clocks, settings changed in the middle."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync()
        cls.group = next(s for s in cls.tenant.services if s.get("maximumAttendeesCount", 0) > 3)

    def _create(self, start, attendees, **more):
        """A new appointment, synchronized; returns its id."""
        change = self.change(
            op="create",
            service=self.group["id"],
            start=start,
            price="50.00",
            price_type="fixedPrice",
            attendees=attendees,
            **more,
        )
        self.sync()
        return change.change["appointment"]

    def _rows(self, appointment):
        found = self.env["bookings.booking"].with_context(active_test=False)
        return found.search([("appointment_id", "=", appointment)], order="id")

    def _attendees(self, appointment, *people):
        """Say who comes, as Graph does: without ids, and e-mails only where given."""
        self.change(
            op="corrupt",
            record=appointment,
            set={"customers": [{"name": name, "emailAddress": email} for name, email in people]},
        )
        self.assertEqual(self.sync().state, "done")

    def test_join_and_leave_without_id_and_e_mail(self):
        """Each person has one booking however the list is shuffled; who leaves is a tombstone; who returns is revived."""
        appointment = self._create("2026-03-11T09:00:00Z", [{"name": "Ann"}])
        self._attendees(appointment, ("Ann", None), ("Bob", None), ("Cid", None))
        ann, bob, cid = (
            self._rows(appointment).filtered(lambda row, name=name: row.name == name)
            for name in ("Ann", "Bob", "Cid")
        )
        self.assertEqual(self._rows(appointment), ann | bob | cid)
        self._attendees(appointment, ("Cid", None), ("Ann", None))
        self.assertTrue(bob.removed_on)
        self.assertFalse((ann + cid).filtered("removed_on"))
        self._attendees(appointment, ("Bob", None), ("Cid", None), ("Ann", None))
        self.assertEqual(self._rows(appointment), ann | bob | cid)
        self.assertFalse((ann + bob + cid).filtered("removed_on"))
        self.assertEqual((ann + bob + cid).mapped("name"), ["Ann", "Bob", "Cid"])

    def test_two_of_one_name_are_two(self):
        appointment = self._create("2026-03-11T09:00:00Z", [{"name": "Ann"}])
        self._attendees(appointment, ("Ann", None), ("Ann", None))
        self.assertEqual(len(self._rows(appointment)), 2)
        self._attendees(appointment, ("Ann", None))
        self.assertEqual(len(self._rows(appointment).filtered("removed_on")), 1)
        self._attendees(appointment, ("Ann", None), ("Ann", None))
        self.assertEqual(len(self._rows(appointment)), 2)
        self.assertFalse(self._rows(appointment).filtered("removed_on"))

    def test_family_with_one_e_mail(self):
        """The same e-mail under other names: bookings of their own, one customer to settle."""
        appointment = self._create("2026-03-11T09:00:00Z", [{"name": "Ann"}])
        mail = "home@family.example"
        self._attendees(
            appointment, ("Ann Lee", mail), ("Bob Lee", mail), ("Ann Lee", mail.upper())
        )
        rows = self._rows(appointment).filtered(lambda row: not row.removed_on)
        self.assertEqual(sorted(rows.mapped("name")), ["Ann Lee", "Ann Lee", "Bob Lee"])
        self.assertEqual(len(rows.partner_id), 1)
        before = rows.ids
        self._attendees(appointment, ("Bob Lee", mail), ("Ann Lee", mail), ("Ann Lee", mail))
        self.assertEqual(
            self._rows(appointment).filtered(lambda row: not row.removed_on).ids, before
        )

    def test_hostile_records(self):
        """Huge names, a negative price, a price of no bounds, an end before the start: none stops the others."""
        good = self._create("2026-03-11T09:00:00Z", [{"name": "Good"}])
        odd = {
            "huge": {"customers": [{"name": "N" * 100_000, "emailAddress": None}]},
            "negative": {"price": -5},
            "endless": {"price": 1e300},
            "backwards": {"endDateTime": {"dateTime": "2020-01-01T00:00:00Z", "timeZone": "UTC"}},
            "nobody": {"customers": [{}, {"name": "", "emailAddress": ""}]},
            "staff": {"staffMemberIds": ["unknown", None, 7]},
            "zone": {"startDateTime": {"dateTime": "2026-03-11T09:00:00", "timeZone": "Mars"}},
        }
        made = {}
        for name, values in odd.items():
            made[name] = self._create("2026-03-11T10:00:00Z", [{"name": name}])
            self.change(op="corrupt", record=made[name], set=values)
        self.change(op="reprice", appointment=good, price="61.00")
        run = self.sync()
        self.assertIn(run.state, ("done", "partial"), run.error)
        self.assertEqual(self._rows(good).price, 61)
        issues = self.env["bookings.sync.issue"].search([("setup_id", "=", self.setup.id)])
        aside = {name for name, key in made.items() if key in issues.mapped("remote_id")}
        self.assertLessEqual({"negative", "endless", "backwards", "zone"}, aside)
        self.assertTrue(all(issues.mapped("reason")))
        self.assertLess(len(self._rows(made["huge"])[-1:].name), 1000)
        for name in aside:
            row = self._rows(made[name])
            self.assertEqual((row.price, row.removed_on), (50, False), name)

    def test_clocks_change(self):
        """In the night when the clock goes back or forward an hour lasts an hour, and the day is the business's."""
        self.setup.tz = "Europe/Copenhagen"
        self.setup.look_back_days = 200
        for start, day in (
            ("2025-10-26T00:30:00Z", date(2025, 10, 26)),  # 02:30, the first time
            ("2025-10-26T01:30:00Z", date(2025, 10, 26)),  # 02:30, the second time
            ("2025-10-25T22:30:00Z", date(2025, 10, 26)),  # 00:30
        ):
            row = self._rows(self._create(start, [{"name": start}], minutes=60))
            self.assertEqual(row.start, datetime.fromisoformat(start).replace(tzinfo=None))
            self.assertEqual((row.duration, row._local(row.start).date()), (1, day))
        with freeze_time(datetime(2026, 3, 29, 12)):
            row = self._rows(self._create("2026-03-29T00:30:00Z", [{"name": "spring"}], minutes=60))
            self.assertEqual(row.duration, 1)
            self.assertEqual(row._local(row.stop).hour, 3)

    def test_business_changes_zone_and_currency(self):
        """Both are taken over; what is not billed is in the new currency, and nothing is created a second time."""
        rows = self.bookings()
        billed = self.bookings(status="ready")[:1]
        billed.action_create_invoices()
        move = billed.move_ids
        other = self.env.ref("base.JPY")
        other.active = True
        amount = billed.amount
        self.change(
            op="corrupt",
            record=self.setup.business_id,
            set={
                "defaultCurrencyIso": "JPY",
                "bookingPageSettings": {"businessTimeZone": "Tokyo Standard Time"},
            },
        )
        self.sync()
        self.assertEqual((self.setup.currency_id, self.setup.tz), (other, "Asia/Tokyo"))
        self.assertEqual(self.bookings(), rows)
        self.assertEqual(self.bookings(status="ready").currency_id, other)
        self.assertEqual(billed.status, "drafted")
        self.assertEqual(
            (billed.currency_id, billed.amount, move.currency_id),
            (self.company.currency_id, amount, self.company.currency_id),
        )
        move.unlink()
        billed._recheck_billing()
        self.assertEqual(billed.currency_id, other)

    def test_deleted_services_and_staff(self):
        """What they did stays, with its names; the rows are marked as gone, and come back."""
        booking = self.bookings(status="ready").filtered("staff_ids")[:1]
        service = booking.service_id
        amount = booking.amount
        self.change(op="delete_service", service=service.remote_id)
        self.change(op="corrupt", record=booking.staff_ids[:1].remote_id, set={"displayName": 7})
        self.assertIn(self.sync().state, ("done", "partial"))
        self.assertTrue(booking.staff_ids)
        self.assertEqual((booking.service_id, booking.amount), (service, amount))
        self.assertEqual(booking.status, "ready")
        self.assertEqual(self.setup.service_ids.filtered("removed"), service)

    def test_spanning_bill_from(self):
        """It is billed here when its service day is the one from which this setup bills, or a later one."""
        self.assertEqual(self.setup.tz, "Europe/Copenhagen")
        self.setup.bill_from = date(2026, 3, 10)
        for start, elsewhere in (
            ("2026-03-09T21:30:00Z", True),  # to 23:30 there
            ("2026-03-09T22:00:00Z", True),  # to midnight, which belongs to the day before
            ("2026-03-09T22:30:00Z", False),
        ):
            row = self._rows(self._create(start, [{"name": start}], minutes=60))
            self.assertEqual(row.not_billable_reason == "billed_elsewhere", elsewhere, start)

    def test_look_back_shortened_and_moved_out_of_the_window(self):
        """Unbilled bookings outside the window are looked at once a day: moved, repriced, gone, and back again."""

        def a_day_later():
            self.setup.sudo().last_look = NOW - timedelta(days=1)
            return self.sync()

        self.setup.write({"look_back_days": 2, "look_ahead_days": 1})
        early = NOW - timedelta(days=5)
        row = self.bookings(status="ready").filtered(
            lambda b: b.stop < early and b.price_type == "fixedPrice"
        )[:1]
        self.change(op="reprice", appointment=row.appointment_id, price="77.00")
        self.assertEqual(a_day_later().bookings_removed, 0)
        self.assertEqual(row.price, 77)
        near = self.bookings(status="ready").filtered(lambda b: b.stop > NOW - timedelta(days=1))[
            :1
        ]
        for start in ("2026-01-20T09:00:00Z", "2026-05-20T09:00:00Z"):
            self.change(op="move", appointment=near.appointment_id, start=start)
            self.assertEqual(a_day_later().bookings_removed, 0)
            self.assertEqual(near.start.replace(tzinfo=timezone.utc), datetime.fromisoformat(start))
            self.assertFalse(near.removed_on)
        self.assertEqual(near.status, "upcoming")
        self.change(op="delete", appointment=row.appointment_id)
        a_day_later()
        self.assertEqual((row.status, row.attention_reason), ("attention", "removed_after"))
        self.change(op="restore", appointment=row.appointment_id)
        self.setup.look_back_days = 80
        self.sync()
        self.assertEqual((row.status, row.removed_on), ("ready", False))
