"""Staff are asked in the evening who came, and answer on a page without a login."""

import re
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.http import root
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.misc import hash_sign

from ...controllers import who_came
from ...models.booking.staff_link import PATH, SCOPE, for_staff, link_of, question_of
from ...models.sync.ask_staff import BookingsStaff
from ..common import NOW
from ..invoicing.test_ledger import LedgerCase

LOGGER = "odoo.addons.bookings_invoicing.models.sync.schedule"


class AskCase(LedgerCase):
    """Two appointments of today, one of Grace and one of Grace and Tomasz, of services that ask who came."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        staff = cls.env["bookings.staff"].search([("setup_id", "=", cls.setup.id)])
        cls.grace = staff.filtered(lambda one: one.name.startswith("Grace"))
        cls.tomasz = staff.filtered(lambda one: one.name.startswith("Tomasz"))
        cls.first, cls.second = cls.ready[:2]
        for number, booking in enumerate((cls.first, cls.second)):
            start = NOW - timedelta(hours=4 - number)
            booking._for_import().write({"start": start, "stop": start + timedelta(minutes=45)})
        cls.first.sudo().staff_ids = cls.grace
        cls.second.sudo().staff_ids = cls.grace | cls.tomasz
        (cls.first | cls.second).service_id.ask_attendance = "all"
        cls.first.sudo().write({"name": "Anna Berg", "label": "Knee"})
        cls.second.sudo().write({"name": "svend.holm@example.com"})
        cls.entered(cls.ready, NOW - timedelta(days=2))
        # it is 13:00 where the business is
        cls.setup.write({"ask_staff": True, "ask_staff_hour": 13, "tz": "Europe/Copenhagen"})
        cls.setup.user_id = new_test_user(
            cls.env, "office", "account.group_account_manager", email="office@clinic.example"
        )
        (staff - cls.grace - cls.tomasz).sudo().removed = True

    @classmethod
    def entered(cls, bookings, moment):
        """Let bookings be known since this moment; the frozen clock is not the database's."""
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE bookings_booking SET create_date = %s WHERE id IN %s", (moment, bookings._ids)
        )
        bookings.invalidate_recordset(["create_date"])

    def run_cron(self):
        with self.enter_registry_test_mode():
            self.env.ref("bookings_invoicing.ir_cron_ask_staff").method_direct_trigger()
        self.env.invalidate_all()

    def mails(self):
        return self.env["mail.mail"].search([("model", "=", "bookings.staff")], order="id")

    def mail_of(self, staff):
        return self.mails().filtered(lambda mail: mail.res_id == staff.id)


@tagged("post_install", "-at_install")
class TestAskStaff(AskCase):
    def test_one_message_a_day_to_each(self):
        self.run_cron()
        self.assertEqual(len(self.mails()), 2)
        body = self.mail_of(self.grace).body_html
        self.assertEqual(body.count(f"{PATH}/"), 6)
        self.assertEqual(self.mail_of(self.tomasz).body_html.count(f"{PATH}/"), 3)
        self.assertIn("Hello Grace", body)
        self.assertIn(self.first.service_id.name, body)
        self.assertIn("09:00", body, "the time of the business")
        self.run_cron()
        with freeze_time(NOW + timedelta(hours=3)):
            self.run_cron()
        self.assertEqual(len(self.mails()), 2)

    def test_no_more_about_the_customer_than_the_first_name(self):
        self.run_cron()
        body = self.mail_of(self.grace).body_html
        self.assertIn("Anna", body)
        for told in ("Berg", "Knee", "svend", "holm", "example.com", self.first.payer_id.name):
            self.assertNotIn(told, body)
        self.setup.ask_staff_initials = True
        self.assertEqual(question_of(for_staff(self.first))["name"], "A. B.")
        self.assertEqual(question_of(for_staff(self.second))["name"], "S.")

    def test_off_by_default_and_not_before_its_hour(self):
        self.assertFalse(self.setup.copy_data()[0].get("asked_until"))
        self.assertFalse(
            self.env["bookings.sync.setup"].default_get(["ask_staff"]).get("ask_staff")
        )
        self.setup.ask_staff_hour = 14
        self.run_cron()
        self.assertFalse(self.mails())
        for switch in ({"ask_staff": False}, {"paused": True}, {"active": False}):
            with self.subTest(switch), self.cr.savepoint() as point:
                self.setup.write({"ask_staff_hour": 13} | switch)
                self.run_cron()
                self.assertFalse(self.mails())
                point.rollback()
                self.env.invalidate_all()

    def test_only_what_is_asked_and_unknown(self):
        self.second.action_no_show()
        self.run_cron()
        self.assertEqual(self.mail_of(self.grace).body_html.count(f"{PATH}/"), 3)
        self.assertFalse(self.mail_of(self.tomasz), "nothing to ask")

    def test_what_ends_later_and_what_was_missed_comes_with_the_next_message(self):
        late = self.ready[2]
        late._for_import().write(
            {"start": NOW, "stop": NOW + timedelta(hours=2), "staff_ids": self.tomasz.ids}
        )
        late.service_id.ask_attendance = "automatic"
        self.run_cron()
        self.assertEqual(self.mail_of(self.tomasz).body_html.count(f"{PATH}/"), 3)
        forgotten = self.ready[3]  # entered in Bookings after the message
        start = NOW - timedelta(hours=6)
        forgotten._for_import().write(
            {"start": start, "stop": start + timedelta(hours=1), "staff_ids": self.tomasz.ids}
        )
        forgotten.service_id.ask_attendance = "automatic"
        self.entered(forgotten, NOW + timedelta(minutes=5))
        with freeze_time(NOW + timedelta(days=3)):  # nothing ran for two days
            self.run_cron()
            last = self.mail_of(self.tomasz)[-1]
            self.assertEqual(last.body_html.count(f"{PATH}/"), 6)
            for booking in (late, forgotten):
                self.assertIn(for_staff(booking)._local_text(), last.body_html)

    @mute_logger(LOGGER)
    def test_a_process_that_ends_loses_nothing_and_sends_nothing_twice(self):
        """It ends after the email was queued and before the commit: neither is kept, and the others are asked."""
        send = BookingsStaff._send_question

        def killed(staff, bookings):
            send(staff, bookings)
            staff.env.flush_all()
            if staff == self.grace:
                raise RuntimeError("killed")

        with patch.object(BookingsStaff, "_send_question", killed):
            self.run_cron()
        self.assertFalse(self.grace.asked_until)
        self.assertFalse(self.mail_of(self.grace))
        self.assertEqual(len(self.mail_of(self.tomasz)), 1)
        self.run_cron()
        self.assertEqual([len(self.mail_of(one)) for one in (self.grace, self.tomasz)], [1, 1])

    def test_staff_of_a_sandbox_are_the_responsible_user(self):
        self.run_cron()
        self.assertEqual(set(self.mails().mapped("email_to")), {"office@clinic.example"})
        self.connection.sudo().mode = "live"
        self.assertEqual(self.grace._question_address(), "grace.okonkwo@harbourclinic.example")
        self.grace.email = "no address"
        self.assertFalse(self.grace._question_address())

    def test_in_the_language_of_the_business(self):
        self.env["res.lang"]._activate_lang("da_DK")
        self.setup.language_id = self.env["res.lang"]._lang_get("da_DK")
        template = self.env.ref("bookings_invoicing.mail_template_who_came")
        template.with_context(lang="da_DK").subject = "Hvem kom?"
        self.run_cron()
        self.assertEqual(self.mail_of(self.grace).subject, "Hvem kom?")
        self.assertIn("12. mar.", self.mail_of(self.grace).body_html)


@tagged("post_install", "-at_install")
class TestWhoCamePage(AskCase, HttpCase):
    def setUp(self):
        super().setUp()
        self.link = self._link(self.first, self.grace)
        self.csrf = self._csrf(self._link(self.second, self.grace))

    def _link(self, booking, staff):
        return "/" + link_of(booking, staff).split("/", 3)[3]

    def _signed(self, *values):
        return f"{PATH}/{hash_sign(self.env(su=True), SCOPE, list(values))}"

    def _csrf(self, link):
        page = self.url_open(link).text
        return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]

    def press(self, link, answer):
        """Press a button of the page, and return the page that follows."""
        return self.url_open(link, data={"answer": answer, "csrf_token": self.csrf})

    def test_an_expired_session_in_the_browser_does_not_matter(self):
        user = new_test_user(self.env, "has_a_browser", groups="base.group_user")
        session = self.authenticate(user.login, user.login)
        session.session_token = "of an older password"
        root.session_store.save(session)
        self.csrf = self._csrf(self.link)
        page = self.press(self.link, "came")
        self.assertEqual(page.status_code, 200)
        self.assertRegex(page.text, r"Recorded:\s*<strong>Attended")

    def refused(self, link, status, text):
        """The page and each of its buttons are refused, and the page says why."""
        for answer in (self.url_open(link), self.press(link, "no_show")):
            self.assertEqual(answer.status_code, status)
            self.assertIn(text, answer.text)
            self.assertNotIn("<form", answer.text)
        self.first.invalidate_recordset()
        self.assertEqual(self.first.attendance, "unknown")

    def test_a_link_shows_and_only_its_button_records(self):
        for link in (self.link, f"{self.link}?answer=no_show"):
            page = self.url_open(link)
            self.assertEqual(page.status_code, 200)
            self.assertTrue(page.text.startswith("<!DOCTYPE html>"))
            self.assertIn("Anna", page.text)
            self.assertNotIn("Berg", page.text)
            self.assertEqual(page.headers["Referrer-Policy"], "no-referrer")
            self.assertEqual(page.headers["Cache-Control"], "no-store")
        self.assertRegex(page.text, r'value="no_show"[^>]*class="primary"')
        self.url_open(self.link, method="HEAD")
        with mute_logger("odoo.http"):
            unsure = self.url_open(self.link, data={"answer": "came"})
        self.assertEqual(unsure.status_code, 400, "CSRF")
        self.assertEqual((self.first.attendance, self.first.status), ("unknown", "attention"))

        page = self.press(self.link, "came")
        self.assertEqual(page.status_code, 200)
        self.assertRegex(page.text, r"Recorded:\s*<strong>Attended")
        self.first.invalidate_recordset()
        self.assertEqual((self.first.attendance, self.first.status), ("came", "ready"))
        self.assertEqual(self.first.attendance_source, "staff")
        self.assertEqual(self.second.attendance, "unknown")
        self.env.cr.precommit.run()
        self.assertIn("Grace Okonkwo (staff member): Attended", self.first.message_ids[0].body)

        self.press(self.link, "no_show")  # a correction
        self.first.invalidate_recordset()
        self.assertEqual((self.first.attendance, self.first.status), ("no_show", "not_billable"))
        self.press(self.link, "waived")
        self.assertEqual(self.first.attendance, "no_show")

    def test_what_is_billed_is_flagged_not_changed(self):
        self.first.action_came()
        self.first.sudo().attendance_source = "staff"
        move = self.invoice(self.first)
        before = move.invoice_line_ids.mapped("price_subtotal")
        page = self.press(self.link, "no_show")
        self.assertIn("already billed", page.text)
        self.first.invalidate_recordset()
        self.assertEqual((self.first.status, self.first.changed_since_billing), ("invoiced", True))
        self.assertIn("No-Show", self.first.pending_text)
        self.assertEqual(move.invoice_line_ids.mapped("price_subtotal"), before)

    def test_a_decision_of_the_office_stays(self):
        self.press(self.link, "came")
        self.first.invalidate_recordset()
        self.first.action_no_show()
        page = self.url_open(self.link)
        self.assertIn("already recorded", page.text)
        self.assertNotIn("<form", page.text)
        refused = self.press(self.link, "came")
        self.assertEqual(refused.status_code, 403)
        self.assertEqual(self.first.attendance, "no_show")

    def test_labels_do_not_change_what_staff_said(self):
        self.press(self.link, "came")
        self.first.invalidate_recordset()
        self.setup.label_rule_ids.create(
            {"setup_id": self.setup.id, "text": "Knee", "outcome": "no_show"}
        )
        self.first._recheck_billing()
        self.assertEqual(self.first.attendance, "came")

    def test_guessed_and_changed_links(self):
        token = self.link.rpartition("/")[2]
        changed = token[:-1] + ("A" if token[-1] != "A" else "B")
        for guess in ("x", "AQ", "%01", "a" * 2000, token[:40], changed, "é", f"{token}x"):
            with self.subTest(guess):
                self.refused(f"{PATH}/{guess}", 404, "This link is not valid")
        other_scope = hash_sign(
            self.env(su=True), "other", [self.grace.id, self.first.id, "2026-03-20 00:00:00"]
        )
        self.refused(f"{PATH}/{other_scope}", 404, "This link is not valid")

    def test_expired(self):
        with freeze_time(NOW + timedelta(days=7)):
            self.csrf = self._csrf(self._link(self.second, self.grace))
            self.refused(self.link, 410, "Links are valid for 7 days")

    def test_another_booking_staff_member_or_company(self):
        self.refused(self._link(self.first, self.tomasz), 403, "not yours any more")
        company = self.setup_other_company(name="Elsewhere")["company"]
        setup = self._make_setup(
            company_id=company.id, business_id="x@other.example", customer_sync="off", service_sync="off",
            customer_template_id=False, service_template_id=False,
            connection_id=self.connection.copy({"name": "Other", "company_id": company.id}).id,
        )  # fmt: skip
        stranger = self.grace.sudo().copy({"setup_id": setup.id, "remote_id": "stranger"})
        self.refused(self._link(self.first, stranger), 404, "This link is not valid")
        later = fields.Datetime.to_string(NOW + timedelta(days=1))
        self.refused(self._signed(self.grace.id, 0, later), 404, "This link is not valid")

    def test_gone_and_switched_off(self):
        future = {"start": NOW + timedelta(days=1), "stop": NOW + timedelta(days=1, hours=1)}
        for status, text, record, values in (
            (410, "no longer here", self.setup, {"active": False}),
            (410, "no longer here", self.first, {"removed_on": NOW}),
            (410, "no longer here", self.first, {"attendee_key": "c:forgotten:0a"}),
            (410, "no longer here", self.first.customer_id, {"is_forgotten": True}),
            (403, "no longer asks", self.setup, {"ask_staff": False}),
            (403, "not yours any more", self.grace, {"removed": True}),
            (403, "has not ended yet", self.first, future),
        ):
            with self.subTest(values):
                before = {name: record[name] for name in values}
                record._for_import().write(values) if record == self.first else record.sudo().write(
                    values
                )
                self.refused(self.link, status, text)
                record._for_import().write(before) if record == self.first else record.sudo().write(
                    before
                )
        self.assertEqual(self.url_open(self.link).status_code, 200)

    def test_too_many_requests(self):
        with patch.object(who_came, "MOST_OF_LINK", 3):
            answers = [self.url_open(self.link).status_code for _n in range(4)]
            self.assertEqual(answers, [200, 200, 200, 429])
            self.assertEqual(self.url_open(self._link(self.second, self.grace)).status_code, 200)
        with patch.object(who_came, "MOST_OF_ADDRESS", 7):
            self.assertEqual(self.url_open(f"{PATH}/guess").status_code, 404)
            self.assertEqual(self.url_open(f"{PATH}/guess").status_code, 429)
            with freeze_time(NOW + timedelta(minutes=11)):
                self.assertEqual(self.url_open(f"{PATH}/guess").status_code, 404)
        stored = self.env["bookings.rate.limit"].sudo().search([])
        self.assertNotIn("127.0.0.1", "".join(stored.mapped("key")))
        with freeze_time(NOW + timedelta(days=2)):
            stored._gc()
        self.assertFalse(stored.exists())
