import dataclasses
import hashlib
import html
import re
import secrets
from datetime import timezone

from odoo import api, fields, models

from ... import graph
from ...billing import matching

PSEUDONYM = "forgotten:"
SALT = "bookings_invoicing.forgotten_salt"
ADDRESS = re.compile(r"[^\s\"'<>,;:]+@[^\s\"'<>,;:]+")


class BookingsForgotten(models.Model):
    """A hash that identifies an anonymized person, so that later synchronizations do not import the person again.

    How it works: before records from Bookings are imported, :meth:`_hide` replaces anonymized people with their
    pseudonyms, in the customer list and in appointments that began before the anonymization. A person who books again
    later is a new customer.
    """

    _name = "bookings.forgotten"
    _inherit = ["bookings.own.links"]
    _description = "Anonymized Bookings Customer"

    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade", index=True)
    digest = fields.Char(required=True)
    pseudonym = fields.Char(required=True)
    name = fields.Char()
    forgotten_on = fields.Datetime(required=True, default=fields.Datetime.now)

    _digest_uniq = models.UniqueIndex(
        "(setup_id, digest, pseudonym)", "This person has already been anonymized."
    )

    @api.model
    def _digest(self, *identifiers):
        """Return salted hashes of identifiers, without those of empty ones."""
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
        """Return records from Bookings with pseudonyms in place of anonymized people.

        :param list records: records of :mod:`..graph`, of any type
        """
        if not any(isinstance(record, graph.Appointment | graph.Customer) for record in records):
            return records
        if not self.sudo().search_count([("setup_id", "=", setup.id)], limit=1):
            return records
        known = {text for record in records for one in self._known_by(record) for text in one}
        rows = self.sudo().search(
            [("setup_id", "=", setup.id), ("digest", "in", self._digest(*known))],
            order="forgotten_on, id",
        )
        forgotten = rows.grouped("digest")
        return [self._hidden(record, forgotten) for record in records] if rows else records

    @api.model
    def _known_by(self, record):
        """Return the identifiers of each person of a record: ``[(text, ...)]``, in the order of attendees.

        They are the customer ID and email address, or, without both, the appointment ID with the name.
        """
        if isinstance(record, graph.Customer):
            return [(record.id, matching.normalize_email(record.email))]
        if not isinstance(record, graph.Appointment):
            return []
        return [
            (one.customer_id, matching.normalize_email(one.email))
            if _is_known(one)
            else (self._name_there(record.id, one.name or one.email),)
            for one in record.attendees
        ]

    @api.model
    def _name_there(self, appointment_id, name):
        key = matching.name_key(name)
        return f"{appointment_id}/{key}" if key else ""

    def _hidden(self, record, forgotten):
        known = self._known_by(record)
        if isinstance(record, graph.Customer):
            row = self._row_of(forgotten, known[0])
            if not row:
                return record
            return dataclasses.replace(
                record, id=row.pseudonym, name=row.name, email="", phone="", address=None
            )
        start = record.start.astimezone(timezone.utc).replace(tzinfo=None)
        rows = [self._row_of(forgotten, one, start) for one in known]
        if not any(rows):
            return record
        people = tuple(
            _pseudonymous(one, row) if row else one
            for one, row in zip(record.attendees, rows, strict=True)
        )
        return dataclasses.replace(
            record, attendees=people, place="", join_url="", service_notes="", customer_notes=""
        )

    def _row_of(self, forgotten, known, start=None):
        for digest in self._digest(*known):
            rows = forgotten.get(digest, self)
            if start is None:
                found = rows[-1:]
            else:
                # a person who was anonymized several times has one pseudonym each time
                found = rows.filtered(lambda row: start < row.forgotten_on)[:1]
            if found:
                return found
        return None

    @api.model
    def _remember(self, setup, identifiers, until):
        """Store hashes of a person's identifiers under a new pseudonym.

        :param datetime until: appointments that begin before this time (naive UTC) will be anonymized
        :returns: ``(pseudonym as a Bookings ID, pseudonym as a name)``
        """
        pseudonym = f"{PSEUDONYM}{secrets.token_hex(8)}"
        name = self.env._("Anonymized customer %s", pseudonym[-6:])
        self.create(
            [
                {
                    "setup_id": setup.id,
                    "digest": digest,
                    "pseudonym": pseudonym,
                    "name": name,
                    "forgotten_on": until,
                }
                for digest in self._digest(*sorted(identifiers))
            ]
        )
        return pseudonym, name

    @api.model
    def _forgotten_emails(self, setup, emails):
        """Return which of these email addresses belong to anonymized people."""
        digests = {email: self._digest(email) for email in emails if email}
        rows = self.sudo().search(
            [("setup_id", "=", setup.id), ("digest", "in", sum(digests.values(), []))]
        )
        found = set(rows.mapped("digest"))
        return {email for email, digest in digests.items() if not found.isdisjoint(digest)}

    @api.model
    def _hide_payload(self, setup, text):
        """Return the text to store for an unreadable record: empty if it names an anonymized person."""
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

    @api.model
    def _scrub(self, setup, bookings, words, name):
        """Replace a person's data with the pseudonym in texts about the bookings and in unreadable records.

        :param set words: names, addresses, and phone numbers to replace
        :param str name: the pseudonym
        """
        self.env["bookings.proposal"].sudo().search([("booking_id", "in", bookings.ids)]).unlink()
        # HTML fields contain &amp; and other entities
        words = words | {html.escape(word, quote=False) for word in words}
        longest_first = sorted(words, key=len, reverse=True)
        for model, domain, names in self._written_about(setup, bookings):
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

    @api.model
    def _written_about(self, setup, bookings):
        """Return where a person's name may occur: ``[(model, domain, fields)]``."""
        return [
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
                [("setup_id", "=", setup.id)],
                ["reason", "payload"],
            ),
            (bookings, [("id", "in", bookings.ids)], ["not_billable_note", "label"]),
        ]


def _is_known(attendee):
    """Return whether Bookings identifies the attendee by more than a name."""
    return bool(attendee.customer_id or matching.normalize_email(attendee.email))


def _pseudonymous(attendee, row):
    return dataclasses.replace(
        attendee,
        # an attendee without identification must not become a customer here
        customer_id=row.pseudonym if _is_known(attendee) else "",
        name=row.name,
        email="",
        phone="",
        notes="",
        address=None,
        answers=(),
    )
