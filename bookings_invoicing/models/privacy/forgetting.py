from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import UserError

OPEN = ("upcoming", "ready", "attention", "ordered", "drafted")


class BookingsCustomer(models.Model):
    """The anonymization of a customer. The bookings remain and still count."""

    _inherit = "bookings.customer"

    def action_forget(self):
        """Replace these people with pseudonyms everywhere except on invoices, which must be kept by law.

        :raises UserError: if one of their bookings is still open
        """
        self.check_access("unlink")
        people = self._same_people().filtered(lambda customer: not customer.is_forgotten)
        bookings = self.env["bookings.booking"].with_context(active_test=False)
        open_ones = bookings.search([("customer_id", "in", people.ids), ("status", "in", OPEN)])
        if open_ones:
            raise UserError(
                self.env._(
                    "%(number)s bookings of %(names)s are still open. Bill them or mark them as not billable, "
                    "and cancel upcoming ones in Bookings. Then you can anonymize these customers.",
                    number=len(open_ones),
                    names=", ".join(open_ones.customer_id.mapped("name")),
                )
            )
        partners = people.partner_id
        people.sudo()._forget()
        message = self.env._(
            "The customer has been anonymized. Posted invoices are kept as required by law."
        )
        if partners:
            message += " " + self.env._(
                "The contacts %s are kept. Archive or delete them, or use Privacy Lookup.",
                ", ".join(partners.mapped("display_name")),
            )
        return self.env["bookings.connection"]._notify(self.env._("Anonymized"), message, "success")

    def _same_people(self):
        """Return these rows and the rows of the same people with another Bookings ID."""
        return self | self.search(
            [
                ("setup_id", "in", self.setup_id.ids),
                ("email_normalized", "in", self.mapped("email_normalized")),
            ]
        ).filtered("email_normalized")

    def _forget(self):
        named = set()
        for customer in self.sorted(lambda customer: not customer.remote_id.startswith("e:")):
            remote_id, email = customer.remote_id.removeprefix("e:"), customer.email_normalized
            identifiers = {remote_id} | ({email} if email and email not in named else set())
            named |= identifiers
            customer._forget_one(remote_id, identifiers)

    def _forget_one(self, remote_id, identifiers):
        self.ensure_one()
        words = {
            self.name,
            self.email,
            self.email_normalized,
            self.phone,
            self.partner_id.name,
            remote_id,
        }
        forgotten = self.env["bookings.forgotten"]
        bookings = (
            self.env["bookings.booking"]
            .with_context(active_test=False)
            .search([("customer_id", "=", self.id)])
        )
        # known future bookings are anonymized, too; a later one counts as a new customer
        until = max(
            [
                fields.Datetime.now(),
                *(start + timedelta(seconds=1) for start in bookings.mapped("start")),
            ]
        )
        pseudonym, name = forgotten._remember(self.setup_id, identifiers, until)
        forget_people(bookings, pseudonym, name)
        forgotten._scrub(self.setup_id, bookings, words - {False, ""}, name)
        self.env["bookings.proposal"].sudo().search(
            [
                ("setup_id", "=", self.setup_id.id),
                ("partner_id", "in", self.partner_id.ids),
                ("field", "in", ("name", "email", "phone", "address")),
            ]
        ).unlink()
        self.env["bookings.outbox"]._forget(self)
        self.sudo().write(
            {
                "name": name,
                "remote_id": pseudonym,
                "remote_hash": False,
                "email": False,
                "email_normalized": False,
                "phone": False,
                "address": False,
                "same": False,
                "sending": False,
                "partner_id": False,
                "payer_id": False,
                "match": "unknown",
                "is_forgotten": True,
            }
        )


def forget_people(bookings, pseudonym, name):
    """Put the pseudonym on these bookings: in the name, and in the key by which later synchronizations find them.

    :param str pseudonym: Bookings ID of the anonymized customer
    :param str name: the name to display
    """
    for _appointment, rows in bookings.grouped("appointment_id").items():
        for number, booking in enumerate(rows.sorted("id"), 1):
            key = f"c:{pseudonym}" if number == 1 else f"c:{pseudonym}#{number}"
            booking._for_import().write(
                {
                    "name": name,
                    "attendee_key": key,
                    "remote_hash": False,
                    # Billed bookings would keep their payer otherwise. By law, only the invoice names the payer.
                    "partner_id": False,
                    "payer_id": False,
                    "place": False,
                    "blockers": False,
                    "pending_values": False,
                    "late_changes": False,
                    "notes": False,
                    "reference": False,
                }
            )
