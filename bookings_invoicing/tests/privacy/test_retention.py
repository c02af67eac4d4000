from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from ..common import NOW, BookingsCase

LATER = NOW + timedelta(days=800)


@tagged("post_install", "-at_install")
class TestPrivacyRetention(BookingsCase):
    """What is forgotten by the clock, and stays forgotten."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync()
        cls.setup.retention_months = 24

    def _night(self, now=LATER):
        with patch.object(fields.Datetime, "now", staticmethod(lambda: now)):
            self.env["bookings.connection"]._cron_daily()

    def _only_a_name(self, *names, days_ago=20):
        """The bookings of an appointment whose attendees have neither id nor e-mail address."""
        service = self.setup.service_ids.filtered(lambda one: one.max_attendees > 2)[:1]
        start = (NOW - timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
        change = self.change(
            op="create",
            service=service.remote_id,
            start=start,
            price="60.00",
            price_type="fixedPrice",
        )
        people = [
            {"@odata.type": "#microsoft.graph.bookingCustomerInformation", "name": name}
            | {"customerId": None, "emailAddress": None, "phone": "", "notes": None}
            for name in names
        ]
        appointment = change.change["appointment"]
        self.change(op="corrupt", record=appointment, set={"customers": people})
        self.sync()
        found = self.bookings(appointment_id=appointment)
        self.assertFalse(found.customer_id)
        self.assertEqual(found.sorted("id").mapped("name"), list(names))
        return found

    def test_who_is_only_a_name_is_forgotten(self):
        """Name, key, place and notes go, and no later synchronization brings them back or doubles the booking."""
        visit = self._only_a_name("Tom & Ann Lee", "Cy Young")
        other = visit.filtered(lambda one: one.name == "Cy Young")
        visit -= other
        other.partner_id = self.env["res.partner"].create({"name": "Payer"})
        other.action_create_invoices()
        other.move_ids.action_post()
        visit.sudo().write({"place": "At the Lees'", "notes": "Tom & Ann Lee bring the dog"})
        visit._message_log(body="Tom & Ann Lee called")
        self._night()
        self.assertEqual(visit.name, "Tom & Ann Lee", "it waits to be billed")
        visit.action_mark_not_billable("waived")
        self._night(NOW + timedelta(days=600))
        self.assertEqual(visit.name, "Tom & Ann Lee", "it is not old enough")
        self._night()
        pseudonym = visit.name
        self.assertIn("Anonymized customer", pseudonym)
        self.assertFalse(visit.place or visit.notes or visit.partner_id)
        self.assertNotIn("ann", visit.attendee_key)
        self.assertNotIn("Lee", "".join(map(str, visit.message_ids.mapped("body"))))
        self.assertEqual(other.name, "Cy Young", "it was on an invoice")
        self._night()
        self.assertEqual(visit.name, pseudonym, "once")
        number, people = self._number(), self.env["bookings.customer"].search_count([])
        for full in (True, False, True):
            self.sync(full=full)
            self.assertEqual((visit.name, visit.status), (pseudonym, "not_billable"))
            self.assertFalse(visit.removed_on or visit.customer_id or visit.place)
            self.change(op="label", appointment=visit.appointment_id, label=f"VIP {full}")
        self.assertEqual(visit.label, "VIP False", "what really changes is taken over")
        self.assertEqual(other.name, "Cy Young")
        self.assertEqual(
            (self._number(), self.env["bookings.customer"].search_count([])), (number, people)
        )

    def _number(self):
        return self.env["bookings.booking"].with_context(active_test=False).search_count([])

    def test_namesakes_of_one_appointment_are_forgotten_together(self):
        """Bookings cannot tell them apart: as long as one is kept, so is the other."""
        visits = self._only_a_name("Ann Lee", "Ann Lee")
        visits[0].action_mark_not_billable("waived")
        self._night()
        self.assertEqual(set(visits.mapped("name")), {"Ann Lee"})
        visits[1].action_mark_not_billable("waived")
        self._night()
        self.assertEqual(len(set(visits.mapped("name")) - {"Ann Lee"}), 1)
        number = self._number()
        self.sync(full=True)
        self.assertEqual(self._number(), number)
        self.assertFalse(visits.filtered("removed_on"))

    def _listed_once(self, *names, **facts):
        """Rows of people who were in the customer list and never booked."""
        return (
            self.env["bookings.customer"]
            .sudo()
            .create(
                [
                    {"setup_id": self.setup.id, "remote_id": name, "name": name, "removed": True}
                    | {"email": f"{name}@x.example", "email_normalized": f"{name}@x.example"}
                    | {"remote_hash": "x", "in_directory": True, **facts}
                    for name in names
                ]
            )
        )

    def test_who_never_booked_and_is_listed_no_more_is_forgotten(self):
        gone, recent, booked = self._listed_once("gone", "recent", "booked")
        listed = self.env["bookings.customer"].search([("booking_ids", "=", False)])
        listed = listed.filtered(lambda one: not one.removed)
        self.assertTrue(listed)
        visit = self.bookings(status="ready")[:1]
        visit.sudo().customer_id = booked
        visit.sudo().action_archive()
        self._untouched_since(NOW, gone | listed | booked)
        self._untouched_since(LATER - timedelta(days=100), recent)
        self._night()
        self.assertTrue(gone.is_forgotten)
        self.assertFalse("gone" in f"{gone.name} {gone.email} {gone.remote_id}")
        for row in (recent, booked, *listed):
            self.assertFalse(row.is_forgotten, row.name)

    def test_who_is_listed_under_another_id_is_kept(self):
        """Bookings makes a customer anew now and then: the old row is of somebody who is still listed."""
        email = {"email": "same@x.example", "email_normalized": "same@x.example"}
        old = self._listed_once("old", **email)
        new = self._listed_once("new", **email, removed=False)
        self._untouched_since(NOW, old | new)
        self._night()
        self.assertFalse(old.is_forgotten or new.is_forgotten)
        new.sudo().removed = True
        self._untouched_since(NOW, old | new)
        self._night()
        self.assertTrue(old.is_forgotten and new.is_forgotten)

    def _untouched_since(self, moment, rows):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE bookings_customer SET write_date = %s WHERE id = ANY(%s)", [moment, rows.ids]
        )
        rows.invalidate_recordset()
