import dataclasses
import hashlib
import re
import secrets
from datetime import UTC, timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import graph
from ..billing import matching

SALT = "bookings_invoicing.forgotten_salt"
OPEN = ("upcoming", "ready", "attention", "ordered", "drafted")
ADDRESS = re.compile(r"[^\s\"'<>,;:]+@[^\s\"'<>,;:]+")


class BookingsForgotten(models.Model):
    """Who was forgotten, as a hash: so that a later synchronisation knows whom to leave out.

    How it works: before anything of Bookings is taken over, :meth:`_hide` puts the pseudonym in place of people who
    were forgotten, in the customer list and in appointments that began before they were forgotten. Whoever books again
    later is a new customer.
    """

    _name = "bookings.forgotten"
    _description = "Forgotten Bookings Customer"

    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade", index=True)
    digest = fields.Char(required=True)
    pseudonym = fields.Char(required=True)
    name = fields.Char()
    forgotten_on = fields.Datetime(required=True, default=fields.Datetime.now)

    _digest_uniq = models.UniqueIndex(
        "(setup_id, digest, pseudonym)", "Somebody is forgotten once at a time."
    )

    @api.model
    def _digest(self, *identifiers):
        """Hashes of remote ids and e-mail addresses; empty ones are left out."""
        parameters = self.env["ir.config_parameter"].sudo()
        salt = parameters.get_param(SALT)
        if not salt:
            salt = secrets.token_hex(16)
            parameters.set_param(SALT, salt)
        return [
            hashlib.sha256(f"{salt}:{text}".encode()).hexdigest() for text in identifiers if text
        ]

    @api.model
    def _hide(self, setup, records):
        """The records of Bookings with pseudonyms in place of forgotten people.

        :param list records: of :mod:`..graph`, of any kind
        """
        if not any(isinstance(record, graph.Appointment | graph.Customer) for record in records):
            return records
        rows = self.sudo().search([("setup_id", "=", setup.id)], order="forgotten_on, id")
        if not rows:
            return records
        forgotten = rows.grouped("digest")
        return [self._hidden(record, forgotten) for record in records]

    def _hidden(self, record, forgotten):
        if isinstance(record, graph.Customer):
            row = self._row_of(forgotten, record.id, record.email)
            if not row:
                return record
            return dataclasses.replace(
                record, id=row.pseudonym, name=row.name, email="", phone="", address=None
            )
        start = record.start.astimezone(UTC).replace(tzinfo=None)
        rows = [
            self._row_of(forgotten, one.customer_id, one.email, start) for one in record.attendees
        ]
        if not any(rows):
            return record
        people = tuple(
            _pseudonymous(one, row) if row else one
            for one, row in zip(record.attendees, rows, strict=True)
        )
        return dataclasses.replace(
            record, attendees=people, place="", join_url="", service_notes="", customer_notes=""
        )

    def _row_of(self, forgotten, remote_id, email, start=None):
        for digest in self._digest(remote_id, matching.normalize_email(email)):
            rows = forgotten.get(digest, self)
            if start is None:
                found = rows[-1:]
            else:
                # who came back and was forgotten again has a pseudonym for each time
                found = rows.filtered(lambda row: start < row.forgotten_on)[:1]
            if found:
                return found
        return None

    @api.model
    def _hide_payload(self, setup, text):
        """What is kept of a record that could not be read: nothing, where it names somebody forgotten."""
        if not text or not self.sudo().search_count([("setup_id", "=", setup.id)], limit=1):
            return text
        named = [matching.normalize_email(address) for address in ADDRESS.findall(text)]
        named += re.findall(r'"(?:customerId|id)":\s*"([^"]+)"', text)
        digests = self._digest(*named)
        return (
            ""
            if self.sudo().search_count([("setup_id", "=", setup.id), ("digest", "in", digests)])
            else text
        )


class BookingsCustomer(models.Model):
    """Forgetting a customer: the bookings stay and count, the person is gone."""

    _inherit = "bookings.customer"

    is_forgotten = fields.Boolean(readonly=True, copy=False)

    def action_forget(self):
        """Put a pseudonym in place of these people, everywhere but on invoices, which the law keeps.

        :raises UserError: a booking of theirs is still to be billed
        """
        self.check_access("unlink")
        people = self._same_people().filtered(lambda customer: not customer.is_forgotten)
        bookings = self.env["bookings.booking"].with_context(active_test=False)
        open_ones = bookings.search([("customer_id", "in", people.ids), ("status", "in", OPEN)])
        if open_ones:
            raise UserError(
                self.env._(
                    "%(number)s bookings of %(names)s are still open. Bill them or mark them as not billable, and cancel "
                    "upcoming ones in Bookings; then these people can be forgotten.",
                    number=len(open_ones),
                    names=", ".join(open_ones.customer_id.mapped("name")),
                )
            )
        partners = people.partner_id
        people.sudo()._forget()
        message = self.env._("Forgotten here. Posted invoices keep what the law asks for.")
        if partners:
            message += " " + self.env._(
                "The contacts %s stay: archive or delete them, or use Privacy Lookup.",
                ", ".join(partners.mapped("display_name")),
            )
        return self.env["bookings.connection"]._notify(self.env._("Forgotten"), message, "success")

    def _match_partners(self, setup, asked=False):
        # a pseudonym is nobody's name: no contact is looked for or made for it
        return super(
            BookingsCustomer, self.filtered(lambda row: not row.is_forgotten)
        )._match_partners(setup, asked)

    def _same_people(self):
        """These rows, and those of the same people that came under another id or under none."""
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
        pseudonym = f"forgotten:{secrets.token_hex(8)}"
        name = self.env._("Forgotten customer %s", pseudonym[-6:])
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
        # what is known of the future is forgotten too; only what is booked afterwards is somebody new
        until = max(
            [
                fields.Datetime.now(),
                *(start + timedelta(seconds=1) for start in bookings.mapped("start")),
            ]
        )
        forgotten.create(
            [
                {
                    "setup_id": self.setup_id.id,
                    "digest": digest,
                    "pseudonym": pseudonym,
                    "name": name,
                    "forgotten_on": until,
                }
                for digest in forgotten._digest(*sorted(identifiers))
            ]
        )
        bookings._forget_people(pseudonym, name)
        self._scrub(bookings, words - {False, ""}, name)
        self.write(
            {
                "name": name,
                "remote_id": pseudonym,
                "remote_hash": False,
                "email": False,
                "email_normalized": False,
                "phone": False,
                "address": False,
                "partner_id": False,
                "payer_id": False,
                "match": "unknown",
                "is_forgotten": True,
            }
        )

    def _scrub(self, bookings, words, name):
        """Put the pseudonym in place of these words in what was written about the bookings."""
        texts = [
            (
                self.env["mail.message"],
                [("model", "=", bookings._name), ("res_id", "in", bookings.ids)],
                [
                    "subject",
                    "body",
                    "email_from",
                    "incoming_email_to",
                    "incoming_email_cc",
                    "outgoing_email_to",
                ],
            ),
            (
                self.env["mail.activity"],
                [("res_model", "=", bookings._name), ("res_id", "in", bookings.ids)],
                ["res_name", "summary", "note", "feedback"],
            ),
            (
                self.env["mail.tracking.value"],
                [
                    ("mail_message_id.model", "=", bookings._name),
                    ("mail_message_id.res_id", "in", bookings.ids),
                ],
                ["old_value_char", "new_value_char", "old_value_text", "new_value_text"],
            ),
            (
                self.env["bookings.invoice.run.left.out"],
                [("booking_id", "in", bookings.ids)],
                ["reason"],
            ),
            (
                self.env["bookings.sync.issue"],
                [("setup_id", "=", self.setup_id.id)],
                ["reason", "payload"],
            ),
            (bookings, [("id", "in", bookings.ids)], ["not_billable_note", "label"]),
        ]
        self.env["bookings.proposal"].sudo().search([("booking_id", "in", bookings.ids)]).unlink()
        longest_first = sorted(words, key=len, reverse=True)
        for model, domain, names in texts:
            for field in names:
                rows = (
                    model.sudo()
                    .with_context(active_test=False, tracking_disable=True)
                    .search([*domain, (field, "!=", False)])
                )
                for row in rows:
                    text = row[field]
                    if not any(word in text for word in longest_first):
                        continue
                    if field == "payload":
                        row[field] = False
                        continue
                    for word in longest_first:
                        text = text.replace(word, name)
                    row[field] = text


class BookingsBooking(models.Model):
    _inherit = "bookings.booking"

    def _forget_people(self, pseudonym, name):
        """Give these bookings the pseudonym: in the name, and in the key by which a later synchronisation finds them."""
        for _appointment, rows in self.grouped("appointment_id").items():
            for number, booking in enumerate(rows.sorted("id"), 1):
                key = f"c:{pseudonym}" if number == 1 else f"c:{pseudonym}#{number}"
                booking._for_import().write(
                    {
                        "name": name,
                        "attendee_key": key,
                        "remote_hash": False,
                        # What is billed keeps its payer otherwise; the invoice names the payer by law.
                        "payer_id": False,
                        "place": False,
                        "blockers": False,
                        "pending_values": False,
                        "late_changes": False,
                        "notes": False,
                        "reference": False,
                    }
                )


class BookingsSyncSetup(models.Model):
    _inherit = "bookings.sync.setup"

    retention_months = fields.Integer(
        string="Forget After (Months)",
        default=36,
        help="People none of whose bookings was ever on an invoice are forgotten so many months after the last one. "
        "0: never.",
    )

    _retention_not_negative = models.Constraint(
        "CHECK(retention_months >= 0)",
        "The months after which people are forgotten cannot be negative.",
    )

    @api.model
    def _forget_old(self, limit=1000):
        """Forget people whose bookings all ended long ago, are settled, and were never on an invoice."""
        now = fields.Datetime.now()
        for setup in (
            self.sudo().with_context(active_test=False).search([("retention_months", ">", 0)])
        ):
            before = now - relativedelta(months=setup.retention_months)
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
            customers = self.env["bookings.customer"].sudo().browse(row[0].id for row in ended)
            customers = customers._same_people()
            kept = booking._read_group(
                [
                    ("customer_id", "in", customers.ids),
                    "|",
                    "|",
                    ("stop", ">=", before),
                    ("status", "in", (*OPEN, "invoiced")),
                    ("billed_before", "=", True),
                ],
                ["customer_id"],
            )
            kept = customers.browse(row[0].id for row in kept)._same_people()
            (customers - kept)[:limit]._same_people()._forget()


def _pseudonymous(attendee, row):
    return dataclasses.replace(
        attendee,
        customer_id=row.pseudonym,
        name=row.name,
        email="",
        phone="",
        notes="",
        address=None,
        answers=(),
    )
