from datetime import UTC

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import SQL

from ..billing import matching
from ..billing.fingerprint import content_hash
from ..billing.status import BILLED

# Facts that decide what is billed: where they change late or after billing, a person is told.
BILLED_FACTS = ("start", "stop", "price", "price_type", "service_id", "customer_id")


class BookingsBooking(models.Model):
    """Taking over appointments: one booking per attendee, written only where something changed."""

    _inherit = "bookings.booking"

    @api.model
    def _import_page(self, job, appointments):
        """Create and update the bookings of a batch of appointments.

        :param SyncJob job:
        :param list[graph.Appointment] appointments:
        :returns: counts: seen, created, updated, unchanged, removed, partners_created
        """
        setup = job.setup
        latest = {appointment.id: appointment for appointment in setup._own_appointments(appointments)}
        digests = {remote_id: content_hash(_content(record)) for remote_id, record in latest.items()}
        stored = self._stored(setup, list(latest))
        changed = [
            record
            for remote_id, record in latest.items()
            if remote_id not in stored
            or any(digest != digests[remote_id] for digest, _gone in stored[remote_id])
            or all(gone for _digest, gone in stored[remote_id])
        ]
        counts = {"seen": len(appointments), "unchanged": len(latest) - len(changed)}
        if changed:
            for name, number in self._import_changed(setup, changed, digests).items():
                counts[name] = counts.get(name, 0) + number
        return counts

    @api.model
    def _stored(self, setup, appointment_ids):
        """What is kept of these appointments: ``{appointment id: [(hash, gone) per booking]}``, in one query."""
        self.flush_model(["setup_id", "appointment_id", "remote_hash", "removed_on"])
        rows = self.env.execute_query(
            SQL(
                """SELECT appointment_id, remote_hash, removed_on IS NOT NULL
                     FROM bookings_booking WHERE setup_id = %s AND appointment_id = ANY(%s)""",
                setup.id,
                appointment_ids,
            )
        )
        stored = {}
        for appointment_id, digest, gone in rows:
            stored.setdefault(appointment_id, []).append((digest, gone))
        return stored

    @api.model
    def _import_changed(self, setup, appointments, digests):
        existing = self.with_context(active_test=False).search(
            [("setup_id", "=", setup.id), ("appointment_id", "in", [a.id for a in appointments])]
        )
        by_appointment = existing.grouped("appointment_id")
        keyed = {
            appointment.id: self._attendee_keys(appointment, by_appointment.get(appointment.id, self.browse()))
            for appointment in appointments
        }
        lookups = self._lookups(setup, appointments, keyed)
        counts = {"created": 0, "updated": 0, "removed": 0, "partners_created": lookups.pop("partners_created")}
        to_create, touched = [], self.browse()
        for appointment in appointments:
            rows = {row.attendee_key: row for row in by_appointment.get(appointment.id, ())}
            for key, attendee in keyed[appointment.id].items():
                values = self._remote_values(setup, appointment, key, attendee, lookups)
                values["remote_hash"] = digests[appointment.id]
                if key in rows:
                    touched |= rows[key]._take_over(values)
                    counts["updated"] += 1
                else:
                    to_create.append(values)
            left = [row.id for key, row in rows.items() if key not in keyed[appointment.id]]
            counts["removed"] += self.browse(left)._remove(setup, digests[appointment.id])
        created = self._for_import().create(to_create)
        counts["created"] = len(created)
        (created.with_env(self.env) | touched)._refresh_billing()
        return counts

    @api.model
    def _for_import(self):
        return self.with_context(mail_create_nolog=True, mail_create_nosubscribe=True, tracking_disable=True)

    def _attendee_keys(self, appointment, existing):
        """``{attendee key: graph.Attendee or None}``; the key ``-`` stands for an appointment without attendees."""
        keys = matching.assign_keys(
            [matching.Identity(a.customer_id, a.email, a.name) for a in appointment.attendees],
            [booking._known_attendee() for booking in existing],
        )
        return dict(zip(keys, appointment.attendees or (None,), strict=True))

    def _known_attendee(self):
        self.ensure_one()
        customer = self.customer_id
        remote_id = customer.remote_id or ""
        nameless = self.attendee_key.partition("#")[0] in (matching.NO_ATTENDEE, "n:")
        return matching.Known(
            self.attendee_key,
            matching.Identity(
                "" if remote_id.startswith("e:") else remote_id,
                customer.email or "",
                "" if nameless else self.name,
            ),
            gone=bool(self.removed_on),
        )

    @api.model
    def _lookups(self, setup, appointments, keyed):
        """The rows that the bookings of these appointments point to, made where they are missing."""
        services = self.env["bookings.service"]._named(
            setup, {a.service_id or a.service_name: a.service_name for a in appointments}
        )
        staff = self.env["bookings.staff"]._of(setup, list({s for a in appointments for s in a.staff_ids}))
        people = {}
        for attendees in keyed.values():
            for attendee in attendees.values():
                remote_id = attendee and self._person_id(attendee)
                if remote_id:
                    people[remote_id] = attendee
        customers = self.env["bookings.customer"]._of_attendees(setup, people)
        rows = self.env["bookings.customer"].concat(*customers.values())
        created = rows._match_partners(setup)
        return {
            "services": services,
            "staff": {row.remote_id: row.id for row in staff},
            "customers": customers,
            "partners_created": created,
        }

    @api.model
    def _person_id(self, attendee):
        """Under which remote id a person is remembered: Bookings' own, else the e-mail; without both, under none."""
        email = matching.normalize_email(attendee.email)
        return attendee.customer_id or (f"e:{email}" if email else "")

    @api.model
    def _remote_values(self, setup, appointment, key, attendee, lookups):
        service = lookups["services"][appointment.service_id or appointment.service_name]
        customer = lookups["customers"].get(self._person_id(attendee)) if attendee else None
        return {
            "setup_id": setup.id,
            "appointment_id": appointment.id,
            "attendee_key": key,
            "name": (attendee and (attendee.name or attendee.email)) or self.env._("Nobody named"),
            "customer_id": customer.id if customer else False,
            "service_id": service.id,
            "staff_ids": [
                Command.set([lookups["staff"][s] for s in appointment.staff_ids if s in lookups["staff"]])
            ],
            "label": appointment.label,
            "is_online": appointment.online,
            "place": appointment.place,
            "start": appointment.start.astimezone(UTC).replace(tzinfo=None, microsecond=0),
            "stop": appointment.end.astimezone(UTC).replace(tzinfo=None, microsecond=0),
            "price_type": appointment.price_type,
            "price": float(appointment.price),
            "removed_on": False,
        }

    def _take_over(self, values):
        """Let an unbilled booking follow Bookings; flag a billed one, with before and after.

        :returns: the booking, where something was written
        """
        self.ensure_one()
        self_silent = self._for_import()
        changed = {name: value for name, value in values.items() if self._differs(name, value)}
        facts = [name for name in BILLED_FACTS if name in changed]
        if self.status in BILLED and facts:
            pending = {name: self._pending(name, changed.pop(name)) for name in facts}
            changed |= {"pending_values": (self.pending_values or {}) | pending, "changed_since_billing": True}
        elif facts and self.stop < fields.Datetime.now():
            self._note_late_change({name: changed[name] for name in facts})
        self_silent.write(changed)
        return self if changed else self.browse()

    def _pending(self, name, value):
        """Before, after (both as shown), and what to write once the booking is free again."""
        raw = fields.Datetime.to_string(value) if self._fields[name].type == "datetime" else value
        return [self._shown(name, self[name]), self._shown(name, value), raw]

    def _take_pending(self):
        """Let bookings that are on no invoice any more follow what Bookings said meanwhile."""
        for booking in self.filtered("pending_values"):
            values = {name: raw for name, (_old, _new, raw) in booking.pending_values.items()}
            booking.write(values | {"pending_values": False, "changed_since_billing": False})

    def _differs(self, name, value):
        field = self._fields[name]
        if field.type == "many2many":
            return set(self[name].ids) != set(value[0][2])
        if field.type == "many2one":
            return self[name].id != value
        if field.type == "float":
            return abs(self[name] - value) > 1e-9
        return (self[name] or False) != (value or False)

    def _shown(self, name, value):
        field = self._fields[name]
        if field.type == "many2one":
            return self.env[field.comodel_name].browse(value).display_name if isinstance(value, int) else value.display_name
        return str(value)

    def _note_late_change(self, changed):
        """Keep old and new value of what changed after the appointment took place."""
        lines = [
            self.env._(
                "%(field)s: %(old)s → %(new)s",
                field=self._fields[name]._description_string(self.env),
                old=self._shown(name, self[name]),
                new=self._shown(name, value),
            )
            for name, value in changed.items()
        ]
        self._message_log(
            body=self.env._("Changed in Bookings after it took place. %s", "; ".join(lines))
        )

    # -- what is gone ----------------------------------------------------------------------------------

    @api.model
    def _known_in_window(self, setup, start, end):
        """Ids of the appointments that this window should have shown: kept, not gone, overlapping it."""
        return self._appointment_ids(
            setup,
            SQL(
                "stop > %s AND start < %s AND status != 'cancelled' AND removed_on IS NULL",
                start.replace(tzinfo=None),
                end.replace(tzinfo=None),
            ),
        )

    @api.model
    def _unbilled_outside(self, setup, start, end):
        """Ids of the unbilled appointments outside the window: they are asked for by id in every run."""
        return self._appointment_ids(
            setup,
            SQL(
                "(stop <= %s OR start >= %s) AND status IN ('upcoming', 'ready', 'attention') AND removed_on IS NULL",
                start.replace(tzinfo=None),
                end.replace(tzinfo=None),
            ),
        )

    @api.model
    def _known_count(self, setup):
        return self.search_count([("setup_id", "=", setup.id), ("removed_on", "=", False)])

    @api.model
    def _appointment_ids(self, setup, condition):
        self.flush_model(["setup_id", "start", "stop", "status", "removed_on", "appointment_id"])
        rows = self.env.execute_query(
            SQL(
                "SELECT DISTINCT appointment_id FROM bookings_booking WHERE setup_id = %s AND %s",
                setup.id,
                condition,
            )
        )
        return {appointment_id for (appointment_id,) in rows}

    @api.model
    def _mark_removed(self, setup, appointment_ids):
        """Keep bookings of appointments that are gone as tombstones, with the time they were last seen."""
        rows = self.with_context(active_test=False).search(
            [
                ("setup_id", "=", setup.id),
                ("appointment_id", "in", list(appointment_ids)),
                ("removed_on", "=", False),
            ]
        )
        return {"removed": rows._remove(setup)}

    def _remove(self, setup, digest=None):
        rows = self.filtered(lambda row: not row.removed_on)
        values = {
            "removed_on": fields.Datetime.now(),
            "last_seen": setup.last_appointment_sync or rows[:1].create_date,
        }
        if digest:
            values["remote_hash"] = digest
        rows._for_import().write(values)
        billed = rows.filtered(lambda row: row.status in BILLED)
        billed._for_import().changed_since_billing = True
        rows._refresh_billing()
        return len(rows)


def _content(appointment):
    """What of an appointment matters here: a change of anything else is no change.

    :param graph.Appointment appointment:
    """
    return {
        "service": (appointment.service_id, appointment.service_name),
        "when": (appointment.start, appointment.end),
        "price": (appointment.price_type, appointment.price),
        "people": [(a.customer_id, a.name, a.email, a.phone) for a in appointment.attendees],
        "staff": appointment.staff_ids,
        "more": (appointment.label, appointment.online, appointment.place),
    }
