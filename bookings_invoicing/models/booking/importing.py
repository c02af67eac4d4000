from datetime import timezone

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import SQL

from ...billing import matching
from . import facts as booking_rules
from . import removals, row_digest


class BookingsBooking(models.Model):
    """The import of appointments: one booking per attendee, written only if something changed."""

    _inherit = "bookings.booking"

    @api.model
    def _import_page(self, job, appointments):
        """Create and update the bookings of a batch of appointments.

        :param job: an object with the ``setup`` of the appointments
        :param list[graph.Appointment] appointments:
        :returns: counts: seen, created, updated, unchanged, removed, skipped, partners_created
        """
        setup = job.setup
        questions, salt = setup._question_rules(), row_digest.salt(setup)
        options = booking_rules.Remembered(setup)
        latest = {
            appointment.id: appointment
            for appointment in self._own_appointments(setup, appointments)
        }
        digests = {
            remote_id: row_digest.digest(record, options, questions, salt)
            for remote_id, record in latest.items()
        }
        stored = self._stored(setup, list(latest))
        changed = [
            record
            for remote_id, record in latest.items()
            if remote_id not in stored
            or any(
                not row_digest.same(digest, digests[remote_id])
                for digest, _gone in stored[remote_id]
            )
            or all(gone for _digest, gone in stored[remote_id])
        ]
        counts = {"seen": len(latest), "unchanged": len(latest) - len(changed)}
        self._seal_again(setup, latest, stored, digests, {record.id for record in changed})
        if changed:
            counts |= self._import_changed(setup, changed, digests)
        return counts

    @api.model
    def _seal_again(self, setup, latest, stored, digests, changed):
        """Update the digests of appointments whose raw form changed but not their content, so that later runs skip them.

        Appointments that were read by ID have no digest and keep the stored one.
        """
        resealed = {
            remote_id: digests[remote_id]
            for remote_id, record in latest.items()
            if remote_id not in changed
            and record.digest
            and any(kept != digests[remote_id] for kept, _gone in stored[remote_id])
        }
        if resealed:
            self.env.execute_query(
                SQL(
                    """UPDATE bookings_booking SET remote_hash = sealed.hash
                         FROM unnest(%s, %s) AS sealed(appointment, hash)
                        WHERE setup_id = %s AND appointment_id = sealed.appointment
                          AND remote_hash IS DISTINCT FROM sealed.hash
                    RETURNING bookings_booking.id""",
                    list(resealed),
                    list(resealed.values()),
                    setup.id,
                )
            )
            self.invalidate_model(["remote_hash"])

    @api.model
    def _stored(self, setup, appointment_ids):
        """Return ``{appointment id: [(hash, removed) per booking]}`` of stored appointments, in one query."""
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
        appointments, services, elsewhere = self._of_our_services(setup, appointments)
        keyed = {
            appointment.id: self._attendee_keys(
                appointment, by_appointment.get(appointment.id, self.browse())
            )
            for appointment in appointments
        }
        lookups = self._lookups(setup, appointments, keyed)
        counts = {"created": 0, "updated": 0, "removed": 0, "skipped": len(elsewhere)}
        counts["partners_created"] = lookups.pop("partners_created")
        lookups["services"] = services
        to_create, touched = [], self.browse()
        for appointment in appointments:
            rows = {row.attendee_key: row for row in by_appointment.get(appointment.id, ())}
            shared = self._appointment_values(setup, appointment, lookups)
            shared["remote_hash"] = digests[appointment.id]
            for key, attendee in keyed[appointment.id].items():
                values = shared | self._attendee_values(setup, key, attendee, lookups)
                if key in rows:
                    touched |= rows[key]._update_from_bookings(values)
                    counts["updated"] += 1
                else:
                    to_create.append(values)
            left = [row.id for key, row in rows.items() if key not in keyed[appointment.id]]
            if left:
                counts["removed"] += removals.mark_removed(
                    self.browse(left), setup, digests[appointment.id]
                )
        for appointment in elsewhere:
            stored = by_appointment.get(appointment.id, self.browse())
            counts["removed"] += removals.mark_removed(stored, setup, digests[appointment.id])
        created = self._create_worked_out(setup, to_create).with_env(self.env)
        counts["created"] = len(created)
        keyed = {a.id: keyed[a.id] for a in appointments}
        (created | touched)._take_all_answers(setup, keyed)
        if setup.group_price == "appointment":
            self._share_out(setup, list(keyed))
        if setup._question_rules():
            touched |= created  # answers may have changed who pays
        touched._recheck_billing()
        (created - touched)._recheck_blockers()
        return counts

    @api.model
    def _of_our_services(self, setup, appointments):
        """Split appointments by the setup's service filter.

        :returns: ``([included appointments], {remote id: service id}, [other appointments])``
        """
        services = self.env["bookings.service"]._find_or_create(
            setup, {a.service_id or a.service_name: a.service_name for a in appointments}
        )
        everything = self.env["bookings.service"].concat(*services.values())
        ours = set(setup._in_filter(everything, "service_filter")._ids)
        taken, elsewhere = [], []
        for appointment in appointments:
            service = services[appointment.service_id or appointment.service_name]
            (taken if service.id in ours else elsewhere).append(appointment)
        return taken, {key: row.id for key, row in services.items()}, elsewhere

    @api.model
    def _create_worked_out(self, setup, vals_list):
        """Create bookings together with their computed fields, so that each is written only once."""
        terms = booking_rules.BatchFacts(self.env, fields.Datetime.now())
        rules, by_label = setup._label_rules(), {}
        self.env["bookings.billed.before"]._mark(setup, vals_list)
        remembered = booking_rules.Remembered
        services = self.env["bookings.service"].browse({vals["service_id"] for vals in vals_list})
        services = {service.id: remembered(service) for service in services}
        nobody = self.env["bookings.customer"]
        customers = nobody.browse({vals["customer_id"] for vals in vals_list} - {False})
        customers = {row.id: remembered(row) for row in customers} | {False: remembered(nobody)}
        shared = {"setup_id": remembered(setup), "currency_id": remembered(setup.currency_id)}
        for vals in vals_list:
            label = vals["label"]
            if label not in by_label:
                rule = setup._rule_for(label, rules)
                by_label[label] = remembered(rule), self._label_values(rule)
            rule, label_values = by_label[label]
            vals |= {"attendance": "unknown"} | label_values
            links = shared | {
                "service_id": services[vals["service_id"]],
                "customer_id": customers[vals["customer_id"]],
                "label_rule_id": rule,
            }
            vals |= booking_rules.computed_values(booking_rules.NewBooking(**vals | links), terms)
        return self._for_import().create(vals_list)

    @api.model
    def _for_import(self):
        return self._importing().with_context(
            mail_create_nolog=True, mail_create_nosubscribe=True, tracking_disable=True
        )

    def _check_company(self, fnames=None):
        # The import links only to rows of its own setup and to partners that it searched in its company.
        return None if self._is_import() else super()._check_company(fnames)

    def _attendee_keys(self, appointment, existing):
        """Return ``{attendee key: graph.Attendee}`` of an appointment, or ``{"-": None}`` if it has no attendees.

        :param existing: stored bookings of the appointment
        """
        keys = matching.assign_keys(
            [matching.Identity(a.customer_id, a.email, a.name) for a in appointment.attendees],
            [booking._known_attendee() for booking in existing],
        )
        return dict(zip(keys, appointment.attendees or (None,), strict=True))

    def _known_attendee(self):
        self.ensure_one()
        customer = self.customer_id
        remote_id = customer.remote_id or ""
        return matching.Known(
            self.attendee_key,
            matching.Identity(
                "" if remote_id.startswith("e:") else remote_id,
                customer.email or "",
                "" if self.unnamed else self.name,
            ),
            gone=bool(self.removed_on),
        )

    @api.model
    def _lookups(self, setup, appointments, keyed):
        """Return the staff members and customers of these appointments, and create missing customers.

        :returns: dict of ``staff`` and ``customers`` (``{remote id: row id}``) and ``partners_created`` (a number)
        """
        staff = self.env["bookings.staff"]._of(
            setup, list({s for a in appointments for s in a.staff_ids})
        )
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
            "staff": {row.remote_id: row.id for row in staff},
            "customers": {remote_id: row.id for remote_id, row in customers.items()},
            "partners_created": len(created),
        }

    @api.model
    def _person_id(self, attendee):
        """Return the remote ID for an attendee: the customer ID, else the email address, else an empty string."""
        if attendee.customer_id:
            return attendee.customer_id
        email = matching.normalize_email(attendee.email)
        return f"e:{email}" if email else ""

    @api.model
    def _appointment_values(self, setup, appointment, lookups):
        """Return the field values that are the same for all bookings of an appointment.

        :param graph.Appointment appointment:
        """
        staff = lookups["staff"]
        return {
            "setup_id": setup.id,
            "appointment_id": appointment.id,
            "service_id": lookups["services"][appointment.service_id or appointment.service_name],
            "staff_ids": [Command.set([staff[s] for s in appointment.staff_ids if s in staff])],
            "label": appointment.label,
            "is_online": appointment.online,
            "place": appointment.place,
            "start": appointment.start.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0),
            "stop": appointment.end.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0),
            "price_type": appointment.price_type,
            "price": float(appointment.price),
            "removed_on": False,
        }

    @api.model
    def _attendee_values(self, setup, key, attendee, lookups):
        """Return the field values that are specific to one attendee's booking.

        :param graph.Attendee attendee: None if the appointment has no attendees
        """
        name = attendee and (attendee.name or attendee.email)
        values = {
            "attendee_key": key,
            "name": name or self.env._("No Attendee"),
            "unnamed": not name,
            "customer_id": (attendee and lookups["customers"].get(self._person_id(attendee)))
            or False,
        }
        if setup.keep_notes:
            values["notes"] = attendee.notes if attendee else False
        return values
