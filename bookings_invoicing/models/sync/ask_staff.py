from odoo import api, fields, models
from odoo.tools import email_normalize

from ...billing import period
from ..booking.staff_link import (
    LIFETIME,
    answers_of,
    for_staff,
    is_of_forgotten_person,
    language_of,
    link_of,
    question_of,
)

OPEN = ("upcoming", "ready", "attention")  # an appointment may have ended, but be billable later


class BookingsStaff(models.Model):
    """The evening message that asks staff who came.

    How it works: an hourly scheduled action asks each staff member of the setups whose hour has passed. The record that
    somebody was asked and the email are written in one transaction, so that a process that ends anywhere neither loses
    the message nor sends it twice.
    """

    _inherit = "bookings.staff"

    @api.model
    def _cron_ask(self):
        """Ask the staff of all setups. A failure is logged and does not stop the others."""
        commit, setups = self.env["ir.cron"]._commit_progress, self.env["bookings.sync.setup"]
        staff = self._due()
        left = commit(remaining=len(staff))
        for staff_id in staff.ids:
            if not left:
                break
            setups._alone(commit, self.browse(staff_id)._ask_who_came)
            left = commit(1)

    @api.model
    def _due(self):
        """Return the staff members to ask now, of connections that are in use in this database."""
        setups = self.env["bookings.sync.setup"].search(
            [("ask_staff", "=", True), ("paused", "=", False), ("connection_id.active", "=", True)]
        )
        setups = setups.filtered(lambda setup: not setup.connection_id.is_foreign_database)
        staff = self.search([("setup_id", "in", setups.ids), ("removed", "=", False)])
        now = fields.Datetime.now()
        return staff.filtered(lambda one: one._question_address() and one._is_due(now))

    def _language(self):
        return language_of(self.setup_id)

    def _question_address(self):
        """Return the email address for questions. Staff of a sandbox do not exist: the responsible user gets theirs."""
        setup = self.setup_id.sudo()
        is_sandbox = setup.connection_id.mode == "sandbox"
        return email_normalize((setup.user_id.email if is_sandbox else self.email) or "")

    def _is_due(self, now):
        """Return whether the hour of the setup has passed and nothing was asked on this day."""
        self.ensure_one()
        setup = self.setup_id
        local = period.local_time(now, setup.tz)
        asked = self.asked_until and period.local_day(self.asked_until, setup.tz)
        return local.hour >= setup._bounded("ask_staff_hour") and asked != local.date()

    def _ask_who_came(self):
        """Send this staff member the message of the day, unless another process sends it or has sent it."""
        self.ensure_one()
        staff = self.try_lock_for_update()
        staff.invalidate_recordset(["asked_until"])
        now = fields.Datetime.now()
        if not staff or not staff._is_due(now):
            return
        bookings = staff._to_ask(now)
        staff.sudo().asked_until = now
        if bookings:
            staff._send_question(bookings)

    def _to_ask(self, now):
        """Return the bookings of this staff member that have ended since the last message and whose attendance is unknown.

        They include earlier ones that were entered since, of the last seven days. The first message is about one day.
        """
        setup, oldest = self.setup_id, now - LIFETIME
        domain = [
            ("setup_id", "=", setup.id),
            ("staff_ids", "in", self.ids),
            ("status", "in", OPEN),
            ("attendance", "=", "unknown"),
            ("removed_on", "=", False),
            ("stop", "<=", now),
        ]
        if since := self.asked_until:
            domain += [
                ("stop", ">", oldest),
                "|",
                ("stop", ">", since),
                ("create_date", ">", since),
            ]
        else:
            today = period.local_day(now, setup.tz)
            domain.append(("stop", ">", period.start_of_day(today, setup.tz)))
        found = self.env["bookings.booking"].search(domain, order="start, id")
        return found.filtered(
            lambda booking: booking._asks_who_came() and not is_of_forgotten_person(booking)
        )

    def _send_question(self, bookings):
        """Queue the email with a link for each booking and answer."""
        self.ensure_one()
        bookings = for_staff(bookings)
        answers = answers_of(bookings.env)
        questions = []
        for booking in bookings:
            link = link_of(booking, self)
            links = [{"url": f"{link}?answer={key}", "label": label} for key, label in answers]
            questions.append(question_of(booking) | {"links": links})
        template = self.env.ref("bookings_invoicing.mail_template_who_came")
        template.sudo().with_context(bookings_questions=questions).send_mail(
            self.id, email_values={"email_to": self._question_address()}
        )
