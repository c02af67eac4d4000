import logging

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import plaintext2html

from ...billing import matching
from .forgetting import OPEN, PSEUDONYM

_logger = logging.getLogger(__name__)
WARNING = "mail.mail_activity_data_warning"
UNSETTLED = (*OPEN, "invoiced")


class BookingsSyncSetup(models.Model):
    """Who is forgotten by the clock: whose bookings all ended long ago, or who never booked and is listed no more."""

    _inherit = "bookings.sync.setup"

    retention_months = fields.Integer(
        string="Forget After (Months)",
        default=36,
        bounds=(0, 1200),
        help="People none of whose bookings was ever on an invoice are forgotten so many months after the last one. "
        "0: never.",
    )

    def _forget_old_or_tell(self):
        """Forget whom this setup need not know any more; a failure costs only this setup, and somebody is told."""
        try:
            with self.env.cr.savepoint():
                self._forget_old()
                self.env.flush_all()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            _logger.exception("Retention of setup %s failed", self.id)
            self.env.invalidate_all(flush=False)
            self._tell_responsible(
                WARNING,
                plaintext2html(str(error) or type(error).__name__),
                summary=self.env._("Automatic retention failed"),
            )

    def _forget_old(self, limit=1000):
        self.ensure_one()
        before = fields.Datetime.now() - relativedelta(months=self.retention_months)
        self._forget_old_customers(before, limit)
        self._forget_old_names(before, limit)

    def _forget_old_customers(self, before, limit):
        """Forget people whose bookings all ended before then, are settled, and were never on an invoice."""
        booking = self.env["bookings.booking"].sudo().with_context(active_test=False)
        ended = booking._read_group(
            [
                ("setup_id", "=", self.id),
                ("customer_id", "!=", False),
                ("customer_id.is_forgotten", "=", False),
            ],
            ["customer_id"],
            having=[("stop:max", "<", before)],
        )
        customers = self.env["bookings.customer"].sudo().browse(row[0].id for row in ended)
        customers = (customers | self._never_booked(before))._same_people()
        kept = booking._read_group(
            [
                ("customer_id", "in", customers.ids),
                "|",
                "|",
                ("stop", ">=", before),
                ("status", "in", UNSETTLED),
                ("billed_before", "=", True),
            ],
            ["customer_id"],
        )
        kept = customers.browse(row[0].id for row in kept)._same_people()
        (customers - kept)[:limit]._same_people()._forget()

    def _never_booked(self, before):
        """Rows without a booking, of people whom Bookings lists no more, that nobody has touched since then."""
        rows = (
            self.env["bookings.customer"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("setup_id", "=", self.id),
                    ("is_forgotten", "=", False),
                    ("booking_ids", "=", False),
                    ("write_date", "<", before),
                    "|",
                    ("removed", "=", True),
                    ("in_directory", "=", False),
                ]
            )
        )
        listed = rows._same_people().filtered(lambda row: row.in_directory and not row.removed)
        return rows - listed._same_people()

    def _forget_old_names(self, before, limit):
        """Forget the names of attendees who are nothing but a name, booking by booking: nobody knows whose they are."""
        old = (
            self.env["bookings.booking"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("setup_id", "=", self.id),
                    ("customer_id", "=", False),
                    ("unnamed", "=", False),
                    ("stop", "<", before),
                    ("status", "not in", UNSETTLED),
                    ("billed_before", "=", False),
                    ("attendee_key", "not =like", f"c:{PSEUDONYM}%"),
                ]
            )
        )
        for namesakes in old._namesakes()[:limit]:
            if namesakes <= old:
                namesakes._forget_name()


class BookingsBooking(models.Model):
    _inherit = "bookings.booking"

    def _namesakes(self):
        """For each appointment and name, its bookings that have nothing but that name: Bookings cannot tell them apart."""
        there = self.search(
            [
                ("setup_id", "in", self.setup_id.ids),
                ("appointment_id", "in", self.mapped("appointment_id")),
                ("customer_id", "=", False),
            ]
        )
        groups = there.grouped(lambda one: (one.appointment_id, matching.name_key(one.name)))
        return [rows for rows in groups.values() if rows & self]

    def _forget_name(self):
        """Put a pseudonym in place of the one name of these bookings of one appointment."""
        forgotten, setup = self.env["bookings.forgotten"], self.setup_id
        words = {*self.mapped("name"), *self.partner_id.mapped("name")} - {False, ""}
        there = {forgotten._name_there(one.appointment_id, one.name) for one in self}
        pseudonym, name = forgotten._remember(setup, there, fields.Datetime.now())
        self._forget_people(pseudonym, name)
        forgotten._scrub(setup, self, words, name)
