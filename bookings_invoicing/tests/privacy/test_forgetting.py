from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ... import graph
from ..common import NOW, BookingsCase
from ..connection.test_secrets import dumped


@tagged("post_install", "-at_install")
class TestPrivacy(BookingsCase):
    """Forgetting people, keeping what the law asks for."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync()

    def person(self, **facts):
        """A customer with settled bookings only, one of them on a posted invoice."""
        ready = self.bookings(status="ready", **facts)
        customer = next(
            booking.customer_id
            for booking in ready
            if booking.customer_id.email
            and booking.customer_id.remote_id
            and len(booking.customer_id.name) > 6
        )
        customer.booking_ids.filtered(lambda b: b.status == "ready")[:1].action_create_invoices()
        customer.booking_ids.move_ids.action_post()
        self.settle(customer)
        return customer

    def settle(self, customer):
        """Cancel what is upcoming, waive what is still to be billed."""
        bookings = customer._same_people().booking_ids
        for booking in bookings.filtered(lambda b: b.status == "upcoming"):
            self.change(op="cancel", appointment=booking.appointment_id)
        self.sync()
        bookings.filtered(lambda b: b.status in ("ready", "attention")).action_mark_not_billable(
            "waived"
        )

    def test_pseudonym_everywhere_and_the_invoice_stays(self):
        customer = self.person()
        name, email, partner, bookings = (
            customer.name,
            customer.email,
            customer.partner_id,
            customer.booking_ids,
        )
        move = bookings.move_ids
        lines, total = move.invoice_line_ids.mapped("name"), move.amount_total
        bookings[:1]._message_log(body=f"{name} <{email}> called", subject=f"Call of {name}")
        activity = bookings[:1].activity_schedule(
            "mail.mail_activity_data_todo", summary=f"Call {name}", note=f"<p>At {email}</p>"
        )
        done = bookings[:1].activity_schedule("mail.mail_activity_data_todo", summary=f"Ask {name}")
        done.action_done()
        bookings[:1].sudo().not_billable_note = f"Promised to {name}"
        bookings[:1].sudo().write(
            {"notes": f"{name} is afraid of needles", "reference": f"PO {name}"}
        )
        bookings[:1].sudo().late_changes = [
            {"field": "customer_id", "before": name, "after": email}
        ]
        self.env["bookings.proposal"].sudo().create(
            {"setup_id": self.setup.id, "booking_id": bookings[0].id, "partner_id": partner.id}
            | {"field": "vat", "current": "", "proposed": f"{name} {email}"}
        )
        issue = self._issue(reason=f"{name}: odd", payload=f'{{"name": "{name}"}}')
        answer = customer.action_forget()
        self.assertIn(partner.display_name, answer["params"]["message"])
        self.assertEqual(
            (move.state, move.amount_total, move.partner_id), ("posted", total, partner)
        )
        self.assertEqual(move.invoice_line_ids.mapped("name"), lines)
        self.assertEqual(move.invoice_line_ids.booking_id, bookings.filtered("invoice_line_ids"))
        self.assertFalse(bookings.filtered(lambda b: b.name == name))
        self.assertFalse(bookings.partner_id or bookings.payer_id)
        self.assertFalse(issue.payload)
        self.assertEqual(activity.summary, f"Call {customer.name}")
        self.assertNotIn(email, activity.note)
        written = self.env["mail.message"].search(
            [("model", "=", "bookings.booking"), ("res_id", "in", bookings.ids)]
        )
        self.assertIn(f"Call of {customer.name}", written.mapped("subject"))
        self.assertEqual(
            set(bookings.mapped("status")) - {"invoiced", "not_billable", "cancelled"}, set()
        )
        partner.write({"name": "Somebody", "email": False})
        self.env.flush_all()
        held = {table for table, _column in dumped(self.cr, name, email)}
        self.assertEqual({table for table in held if table.startswith("bookings_")}, set())
        self.assertNotIn("mail_activity", held)
        self.assertNotIn("mail_message", {t for t in held if self._mentions_bookings(t, name)})

    def _issue(self, **values):
        """A customer of Bookings that could not be read."""
        issues = self.env["bookings.sync.issue"].sudo()
        return issues.create({"setup_id": self.setup.id, "kind": "customer", **values})

    def _mentions_bookings(self, table, name):
        if table != "mail_message":
            return False
        return bool(
            self.env["mail.message"].search_count(
                [
                    ("model", "=like", "bookings.%"),
                    "|",
                    ("body", "ilike", name),
                    ("subject", "ilike", name),
                ]
            )
        )

    def test_later_synchronizations_bring_nothing_back(self):
        """Unchanged, changed, full, with the directory: the pseudonym stays and nothing is doubled."""
        customer = self.person()
        name, email = customer.name, customer.email
        customer.action_forget()
        number = self.env["bookings.booking"].search_count([])
        pseudonym = customer.name
        past = customer.booking_ids.sorted("start")[:1]
        self.change(op="label", appointment=past.appointment_id, label="VIP")
        for full in (False, True):
            self.setup._sync_run(full=full)
            self.env.flush_all()
            self.assertEqual(self.env["bookings.booking"].search_count([]), number)
            self.assertEqual(set(customer.booking_ids.mapped("name")), {pseudonym})
            self.assertFalse(
                self.env["bookings.customer"].search([("email_normalized", "=ilike", email)])
            )
            self.assertFalse(self.env["bookings.customer"].search([("name", "=", name)]))
        self.assertFalse(customer.partner_id or customer.email)

    def test_who_is_still_listed_is_written_once(self):
        """Bookings goes on listing who was forgotten: that is no change."""
        customer = self.person()
        customer.action_forget()
        self.sync()
        self.assertFalse(customer.removed)
        with patch.object(type(customer), "write") as write:
            runs = self.sync() | self.sync()
        self.assertEqual([run.counts["customer"]["updated"] for run in runs], [0, 0])
        write.assert_not_called()
        self.assertFalse(customer.removed)

    def test_who_books_again_is_a_new_customer(self):
        customer = self.person()
        remote_id = customer.remote_id
        customer.action_forget()
        self.change(
            op="create",
            service=self.tenant.services[0]["id"],
            start=(NOW + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            minutes=30,
            attendees=[remote_id],
        )
        self.sync()
        again = self.env["bookings.customer"].search([("remote_id", "=", remote_id)])
        self.assertEqual(len(again.booking_ids), 1)
        self.assertNotEqual(again, customer)

    def test_who_came_back_is_forgotten_again(self):
        """Each time has its pseudonym; a full synchronization afterwards doubles nothing."""
        customer = self.person()
        remote_id = customer.remote_id
        customer.action_forget()
        later = NOW + timedelta(days=3)
        self.change(
            op="create",
            service=self.tenant.services[0]["id"],
            start=later.strftime("%Y-%m-%dT%H:%M:%SZ"),
            minutes=30,
            attendees=[remote_id],
        )
        self.sync()
        again = self.env["bookings.customer"].search([("remote_id", "=", remote_id)])
        with patch.object(fields.Datetime, "now", staticmethod(lambda: NOW + timedelta(days=5))):
            self.setup._sync_run(full=True)
            again.booking_ids.action_mark_not_billable("waived")
            again.action_forget()
            number = self.env["bookings.booking"].search_count([])
            self.setup._sync_run(full=True)
        self.assertEqual(self.env["bookings.booking"].search_count([]), number)
        self.assertNotEqual(again.name, customer.name)
        self.assertEqual(set(again.booking_ids.mapped("name")), {again.name})

    def test_open_bookings_are_settled_first(self):
        customer = self.bookings(status="ready").customer_id[:1]
        with self.assertRaisesRegex(UserError, "still open"):
            customer.action_forget()

    def test_only_managers(self):
        customer = self.person()
        clerk = new_test_user(
            self.env, "clerk", "account.group_account_invoice", company_id=self.company.id
        )
        with self.assertRaises(AccessError):
            customer.with_user(clerk).action_forget()

    def test_unreadable_record_of_a_forgotten_person_is_not_kept(self):
        customer = self.person()
        remote_id, email = customer.remote_id, customer.email
        customer.action_forget()
        kept = self.env["bookings.forgotten"]._hide_payload
        self.assertEqual(kept(self.setup, f'{{"customerEmailAddress": "{email.upper()}"}}'), "")
        self.assertEqual(kept(self.setup, f'{{"customerId": "{remote_id}"}}'), "")
        other = '{"customerEmailAddress": "somebody.else@x.example"}'
        self.assertEqual(kept(self.setup, other), other)

    def test_retention(self):
        """Long ago and never on an invoice: forgotten. Invoiced once, recent, or open: kept."""
        invoiced = self.person()
        settled = (self.bookings(status="ready").customer_id - invoiced._same_people())[:1]
        self.settle(settled)
        open_one = (self.bookings(status="ready").customer_id - invoiced - settled)[:1]
        cron = self.env["bookings.connection"]
        self.setup.retention_months = 0
        with patch.object(fields.Datetime, "now", staticmethod(lambda: NOW + timedelta(days=800))):
            cron._cron_daily()
            self.assertFalse(settled.is_forgotten)
            self.setup.retention_months = 24
            cron._cron_daily()
        self.assertTrue(settled.is_forgotten)
        self.assertFalse(invoiced.is_forgotten or open_one.is_forgotten)

    def test_quarantined_payloads_go_after_thirty_days(self):
        issues = (
            self.env["bookings.sync.issue"]
            .sudo()
            .create(
                [
                    {
                        "setup_id": self.setup.id,
                        "kind": "appointment",
                        "reason": "odd",
                        "payload": "old",
                    },
                    {
                        "setup_id": self.setup.id,
                        "kind": "appointment",
                        "reason": "odd",
                        "payload": "new",
                    },
                ]
            )
        )
        self.env.flush_all()
        for issue, days in zip(issues, (31, 29), strict=True):
            self.cr.execute(
                "UPDATE bookings_sync_issue SET create_date = %s WHERE id = %s",
                (fields.Datetime.now() - timedelta(days=days), issue.id),
            )
        issues.invalidate_recordset()
        self.env["bookings.sync.issue"].sudo()._gc_payloads()
        self.assertEqual(issues.mapped("payload"), [False, "new"])
        self.assertTrue(all(issues.mapped("reason")))

    def test_privacy_lookup_would_find_them(self):
        """Odoo's Privacy Lookup reads stored e-mail columns and many2one to partners that do not cascade."""
        fields_of = self.env["bookings.customer"]._fields
        self.assertTrue(fields_of["email_normalized"].store)
        for model, name in (
            ("bookings.customer", "partner_id"),
            ("bookings.booking", "partner_id"),
        ):
            field = self.env[model]._fields[name]
            self.assertTrue(field.store and field.ondelete != "cascade")

    def test_hiding_leaves_other_records_alone(self):
        services = [graph.Service("s", "Service", 0, "free", None, "", 0, ())]
        self.assertIs(self.env["bookings.forgotten"]._hide(self.setup, services), services)
