import logging

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import plaintext2html

from ...billing import matching
from ..base.moments import EVERY_DAY
from ..directory.forgotten import PSEUDONYM
from .forgetting import OPEN, forget_people

_logger = logging.getLogger(__name__)
WARNING = "mail.mail_activity_data_warning"
UNSETTLED = (*OPEN, "invoiced")


class BookingsCustomer(models.Model):
    """The automatic anonymization of customers whose bookings ended long ago, or who never booked and are not listed."""

    _inherit = "bookings.customer"

    @api.model
    def _forget_old_or_tell(self, setup):
        """Anonymize the customers whose retention period has ended. A failure is reported to the responsible users."""
        try:
            with self.env.cr.savepoint():
                self._forget_old(setup)
                self.env.flush_all()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            _logger.exception("Retention of setup %s failed", setup.id)
            self.env.invalidate_all(flush=False)
            setup._tell_responsible(
                WARNING,
                plaintext2html(str(error) or type(error).__name__),
                summary=self.env._("Automatic retention failed"),
            )

    @api.model
    def _forget_old(self, setup, limit=1000):
        before = fields.Datetime.now() - relativedelta(months=setup.retention_months)
        self._forget_old_customers(setup, before, limit)
        self._forget_old_names(setup, before, limit)

    @api.model
    def _forget_old_customers(self, setup, before, limit):
        """Anonymize people all of whose bookings ended before this time, are closed, and were never on an invoice.

        :param datetime before: naive UTC
        :param int limit: maximum number of customers
        """
        booking = self.env["bookings.booking"].sudo().with_context(active_test=False)
        ended = booking._read_group(
            [
                ("setup_id", "=", setup.id),
                ("customer_id", "!=", False),
                ("customer_id.is_forgotten", "=", False),
            ],
            ["customer_id"],
            having=[("stop:max", "<", before)],
        )
        customers = self.sudo().browse(row[0].id for row in ended)
        customers = (customers | self._never_booked(setup, before))._same_people()
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

    @api.model
    def _never_booked(self, setup, before):
        """Return rows without a booking, unchanged since this time, of people whom Bookings no longer lists."""
        rows = (
            self.sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("setup_id", "=", setup.id),
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

    @api.model
    def _forget_old_names(self, setup, before, limit):
        """Anonymize attendees of whom only the name is known, in each booking, because they belong to no customer."""
        old = (
            self.env["bookings.booking"]
            .sudo()
            .with_context(active_test=False)
            .search(
                [
                    ("setup_id", "=", setup.id),
                    ("customer_id", "=", False),
                    ("unnamed", "=", False),
                    ("stop", "<", before),
                    ("status", "not in", UNSETTLED),
                    ("billed_before", "=", False),
                    ("attendee_key", "not =like", f"c:{PSEUDONYM}%"),
                ]
            )
        )
        for namesakes in _namesakes(old)[:limit]:
            if namesakes <= old:
                _forget_name(namesakes)


def _namesakes(bookings):
    """Return the bookings that have only a name, as one recordset per appointment and name.

    Bookings cannot distinguish attendees of an appointment with the same name.
    """
    there = bookings.search(
        [
            ("setup_id", "in", bookings.setup_id.ids),
            ("appointment_id", "in", bookings.mapped("appointment_id")),
            ("customer_id", "=", False),
        ]
    )
    groups = there.grouped(lambda one: (one.appointment_id, matching.name_key(one.name)))
    return [rows for rows in groups.values() if rows & bookings]


def _forget_name(bookings):
    """Replace the name in these bookings, which are of one appointment and have the same name, with a pseudonym."""
    forgotten, setup = bookings.env["bookings.forgotten"], bookings.setup_id
    words = {*bookings.mapped("name"), *bookings.partner_id.mapped("name")} - {False, ""}
    there = {forgotten._name_there(one.appointment_id, one.name) for one in bookings}
    pseudonym, name = forgotten._remember(setup, there, fields.Datetime.now())
    forget_people(bookings, pseudonym, name)
    forgotten._scrub(setup, bookings, words, name)


@EVERY_DAY.step
def _forget_who_is_long_gone(connections):
    setups = connections.env["bookings.sync.setup"].sudo().with_context(active_test=False)
    for setup in setups.search([("retention_months", ">", 0)]):
        setup.env["bookings.customer"]._forget_old_or_tell(setup)
