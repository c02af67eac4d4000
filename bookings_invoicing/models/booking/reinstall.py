from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.sql import table_exists

TABLE = "billed_appointments"  # without the addon's prefix, because it remains after uninstallation
BATCH = 5000


class BookingsBilledBefore(models.AbstractModel):
    """Prevents billing bookings again after the addon was uninstalled and reinstalled.

    How it works: uninstalling drops the addon's tables and the links of invoice lines. Before that, :meth:`_remember`
    stores a fingerprint of each billed appointment and attendee, with the invoice, in a table that belongs to no model.
    A new installation looks up each new booking in it and marks a match as *billed elsewhere*. A fingerprint is a salted
    hash, so it reveals no names. The salt is a system parameter, which also remains.
    """

    _name = "bookings.billed.before"
    _description = "Bookings Billed by an Earlier Installation"

    @api.model
    def _remember(self):
        """Store the fingerprints of all billed bookings. The uninstall hook calls this."""
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """CREATE TABLE IF NOT EXISTS %s (
                       fingerprint varchar PRIMARY KEY,
                       res_model varchar NOT NULL,
                       res_id integer NOT NULL,
                       number varchar)""",
                SQL.identifier(TABLE),
            )
        )
        businesses = {
            setup.id: setup._lasting_key()
            for setup in self.env["bookings.sync.setup"]
            .sudo()
            .with_context(active_test=False)
            .search([])
        }
        rows = [
            (fingerprint, *document)
            for setup_id, appointment, key, remote_id, *document in self._billed_rows()
            for fingerprint in self._fingerprints(
                businesses[setup_id], appointment, self._who_was(appointment, key, remote_id)
            )
        ]
        for index in range(0, len(rows), BATCH):
            self.env.cr.execute(
                SQL(
                    """INSERT INTO %s (fingerprint, res_model, res_id, number) VALUES %s
                       ON CONFLICT (fingerprint) DO UPDATE SET (res_model, res_id, number)
                          = (EXCLUDED.res_model, EXCLUDED.res_id, EXCLUDED.number)""",
                    SQL.identifier(TABLE),
                    SQL(", ").join(
                        SQL("%s", row)
                        for row in dict(
                            (row[0], row) for row in rows[index : index + BATCH]
                        ).values()
                    ),
                )
            )

    @api.model
    def _billed_rows(self):
        """Return the billed bookings with their documents, including drafts. Other billing flows add theirs.

        :returns: ``[(setup id, appointment id, attendee key, Bookings ID of the customer, model, id, number)]``
        """
        return self.env.execute_query(
            SQL(
                """SELECT DISTINCT ON (b.id) b.setup_id, b.appointment_id, b.attendee_key, c.remote_id,
                          'account.move', m.id, m.name
                     FROM bookings_booking b
                     JOIN account_move_line l ON l.booking_id = b.id
                     JOIN account_move m ON m.id = l.move_id
                     LEFT JOIN bookings_customer c ON c.id = b.customer_id
                    WHERE m.move_type = 'out_invoice' AND m.state != 'cancel'
                    ORDER BY b.id, l.booking_live DESC NULLS LAST, l.id DESC"""
            )
        )

    @api.model
    def _who_was(self, appointment_id, key, remote_id):
        """Return digests of all keys under which a new installation may store the attendee of a booking."""
        forgotten = self.env["bookings.forgotten"].sudo()
        kind, _colon, rest = key.partition(":")
        name, number = rest.rpartition("#")[::2] if "#" in rest else (rest, "")
        if rest.startswith("forgotten:"):
            found = forgotten.search([("pseudonym", "=", name)]).mapped("digest")
        else:
            found = [self._attendee_digest(appointment_id, kind, name)]
            if remote_id and not remote_id.startswith("e:") and kind != "c":
                found.append(self._attendee_digest(appointment_id, "c", remote_id))
        return [f"{digest}#{number}" for digest in found]

    @api.model
    def _attendee_digest(self, appointment_id, kind, name):
        """Return the digest of an attendee as in :class:`..directory.forgotten.BookingsForgotten`.

        It is made of the ID or email address, or else of the appointment and the name.
        """
        forgotten = self.env["bookings.forgotten"]
        known = name if kind in ("c", "e") else forgotten._name_there(appointment_id, name)
        return (forgotten._digest(known) or ["-"])[0]

    @api.model
    def _fingerprints(self, business, appointment_id, people):
        return self.env["bookings.forgotten"]._digest(
            *(f"{business}/{appointment_id}/{person}" for person in people)
        )

    @api.model
    def _mark(self, setup, vals_list):
        """Mark new bookings that an earlier installation billed as *billed elsewhere*, with the invoice number.

        Bookings whose document was deleted or canceled since then are not marked.

        :param list vals_list: values of the new bookings, changed in place
        """
        if not (vals_list and table_exists(self.env.cr, TABLE)):
            return
        business, wanted = setup._lasting_key(), {}
        for vals in vals_list:
            people = self._who_was(vals["appointment_id"], vals["attendee_key"], None)
            for one in self._fingerprints(business, vals["appointment_id"], people):
                wanted[one] = vals
        rows = self.env.execute_query(
            SQL(
                "SELECT fingerprint, res_model, res_id FROM %s WHERE fingerprint = ANY(%s)",
                SQL.identifier(TABLE),
                list(wanted),
            )
        )
        for fingerprint, model, res_id in rows:
            if model not in self.env:
                continue
            document = self.env[model].sudo().browse(res_id).exists()
            if document and document.state != "cancel":
                note = self.env._(
                    "Billed on %s before the addon was uninstalled and reinstalled.",
                    document.name or document.display_name,
                )
                wanted[fingerprint].update(self._billed_elsewhere(note))

    @api.model
    def _billed_elsewhere(self, note):
        """Return the values that mark a booking as *billed elsewhere* with this note."""
        return {
            "not_billable_decision": "billed_elsewhere",
            "not_billable_note": note,
            "not_billable_uid": self.env.uid,
            "not_billable_date": fields.Datetime.now(),
        }
