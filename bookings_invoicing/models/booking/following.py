from odoo import api, fields, models
from odoo.tools import SQL, format_datetime

from ...billing import questions, sentences, windows
from ...billing.status import BILLED
from ..base.moments import SERVICES_TAKEN
from ..setup.scope import OPEN

# Facts that decide what is billed: where they change late or after billing, a person is told.
BILLED_FACTS = ("start", "stop", "price", "price_type", "service_id", "customer_id")


class BookingsBooking(models.Model):
    """How a booking follows Bookings: unbilled ones change, billed ones are flagged, what is gone stays as a tombstone."""

    _inherit = "bookings.booking"

    @api.depends("setup_id.currency_id")
    def _compute_currency_id(self):
        for booking in self:
            # what is on a document stays in the document's currency, whatever the business changes to
            if not booking.currency_id or booking.status not in BILLED:
                booking.currency_id = booking.setup_id.currency_id

    def _update_from_bookings(self, values):
        """Let an unbilled booking follow Bookings; flag a billed one, with before and after.

        :returns: the booking, where something was written
        """
        self.ensure_one()
        if self.removed_on and self.attendance_source == "cancellation":
            values = values | {"attendance": "unknown", "attendance_source": False}
        changed = {name: value for name, value in values.items() if self._differs(name, value)}
        facts = [name for name in BILLED_FACTS if name in changed]
        if self.status in BILLED:
            if "label" in changed and self._label_decides(changed["label"]):
                facts.append("label")
            pending = {name: self._pending(name, changed.pop(name)) for name in facts}
            if pending != (self.pending_values or {}):
                changed |= {
                    "pending_values": pending or False,
                    "changed_since_billing": bool(pending),
                }
            elif self.removed_on and not pending:
                changed["changed_since_billing"] = False
        else:
            if self.pending_values:  # what is said now is newer
                changed |= {"pending_values": False, "changed_since_billing": False}
            if facts and self.stop < fields.Datetime.now():
                changed["late_changes"] = self._late_change({name: changed[name] for name in facts})
        if changed:
            self._for_import().write(changed)
        return self if changed else self.browse()

    def _label_decides(self, label):
        """Whether another rule meets this label than the one that counted when it was billed."""
        return self.setup_id._rule_for(label, self.setup_id._label_rules()) != self.label_rule_id

    def _pending(self, name, value):
        """Before, after (both as shown), and what to write once the booking is free again."""
        raw = fields.Datetime.to_string(value) if self._fields[name].type == "datetime" else value
        return [self._shown(name, self[name]), self._shown(name, value), raw]

    def _take_pending(self):
        """Let bookings that are on no invoice any more follow what Bookings said meanwhile."""
        for booking in self.filtered("pending_values"):
            values = {name: raw for name, (_old, _new, raw) in booking.pending_values.items()}
            booking.sudo().write(values | {"pending_values": False})
            booking._apply_label_rules()

    @api.depends("pending_values", "changed_since_billing", "attendance", "removed_on")
    def _compute_pending_text(self):
        labels = {name: field._description_string(self.env) for name, field in self._fields.items()}
        attendances = dict(self._fields["attendance"]._description_selection(self.env))
        for booking in self:
            texts = [
                f"{labels[name]}: {old} → {new}"
                for name, (old, new, _raw) in (booking.pending_values or {}).items()
                if name in labels
            ]
            if booking.changed_since_billing and booking.removed_on:
                gone = format_datetime(self.env, booking.removed_on, tz=booking.setup_id.tz)
                texts.append(f"{labels['removed_on']}: {gone}")
            elif booking.changed_since_billing and not texts:
                texts.append(f"{labels['attendance']}: {attendances[booking.attendance]}")
            booking.pending_text = "\n".join(texts)

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
            return (
                self.env[field.comodel_name].browse(value).display_name
                if isinstance(value, int)
                else value.display_name
            )
        if name == "price" and value and self.currency_id:
            return self.currency_id.format(value)
        return str(value or "–")

    def _late_change(self, changed):
        """The late changes kept so far and these.

        :param dict changed: new values by field name
        """
        when = fields.Datetime.to_string(fields.Datetime.now())
        run = self.env["bookings.sync.run"].search(
            [("setup_id", "=", self.setup_id.id)], limit=1, order="id desc"
        )
        return [
            *(self.late_changes or ()),
            *(
                {
                    "field": name,
                    "old": self._shown(name, self[name]),
                    "new": self._shown(name, value),
                    "on": when,
                    "run": run.id if run.state == "running" else False,
                }
                for name, value in changed.items()
            ),
        ]

    @api.depends("late_changes")
    @api.depends_context("lang", "tz")
    def _compute_late_changes_text(self):
        for booking in self:
            booking.late_changes_text = "\n".join(
                self.env._(
                    "%(when)s: %(field)s changed from %(old)s to %(new)s",
                    when=format_datetime(self.env, change["on"], tz=booking.setup_id.tz),
                    field=self._fields[change["field"]]._description_string(self.env),
                    old=change["old"],
                    new=change["new"],
                )
                for change in booking.late_changes or ()
                if change["field"] in self._fields
            )

    # -- answers of the booking form: they fill an empty field or raise a proposal, never overwrite ------

    def _take_all_answers(self, setup, keyed):
        """Take the answers of the attendees of these bookings.

        :param dict keyed: ``{appointment id: {attendee key: graph.Attendee}}``
        """
        rules = setup._question_rules()
        if not rules:
            return
        for booking in self:
            attendee = keyed.get(booking.appointment_id, {}).get(booking.attendee_key)
            if attendee and attendee.answers:
                booking._take_answers(questions.mapped_answers(attendee.answers, rules))

    def _take_answers(self, answered):
        """:param answered: ``(field, text)`` as typed, of mapped questions only"""
        self.ensure_one()
        partner = self.partner_id
        known = {}
        for field, text in answered:
            known.setdefault(field, []).append((field, text))
        # From a tax ID Odoo derives others of the fields: what is held is looked at before each one.
        for field in sorted(known, key=lambda field: field != "vat"):
            target = self._for_import() if field == "reference" else partner
            plan = questions.plan_filling(target._answer_values() if target else {}, known[field])
            proposals = list(plan.proposals)
            for value in plan.fill.values():
                if why := target._fill(field, value) if target else "answer_no_customer":
                    explanation = sentences.Explanation(why)
                    proposals.append(questions.Proposal(field, "", value, explanation))
            for proposal in proposals:
                self._propose(partner, proposal)

    def _answer_values(self):
        return {"reference": self.reference or ""}

    def _fill(self, field, value):
        """Take an answer; a key of the sentences where that is for a person to decide."""
        return "answer_billed" if self.status in BILLED else self._take_answer(field, value)

    def _take_answer(self, _field, value):
        self.reference = value

    def _propose(self, partner, proposal):
        values = {"field": proposal.field, "proposed": proposal.proposed}
        subject = (
            [("booking_id", "=", self.id)]
            if proposal.field == "reference" or not partner
            else [("partner_id", "=", partner.id)]
        )
        proposals = self.env["bookings.proposal"]
        if not proposals.search_count(
            [*subject, *((name, "=", value) for name, value in values.items())], limit=1
        ):
            why = sentences.render(proposal.why, lambda text: self.env._(text))
            proposals.create(
                values
                | {"setup_id": self.setup_id.id, "booking_id": self.id, "partner_id": partner.id}
                | {"current": proposal.current, "why": why}
            )

    # -- what is gone ----------------------------------------------------------------------------------

    @api.model
    def _may_be_gone(self, missing, known):
        """Whether what is missing at once is few enough to be taken for gone; else a person decides.

        :param int missing: appointments that Bookings does not show any more
        :param int known: appointments that it should have shown
        """
        return windows.Threshold().allows(missing, known)

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
        """Ids of the unbilled appointments outside the window: each is looked at once a day."""
        return self._appointment_ids(
            setup,
            SQL(
                "(stop <= %s OR start >= %s) AND status IN ('upcoming', 'ready', 'attention') AND removed_on IS NULL",
                start.replace(tzinfo=None),
                end.replace(tzinfo=None),
            ),
        )

    @api.model
    def _starts(self, setup, appointment_ids):
        """``{appointment id: its start}`` of those that are kept."""
        self.flush_model(["setup_id", "appointment_id", "start"])
        return dict(
            self.env.execute_query(
                SQL(
                    """SELECT appointment_id, min(start) FROM bookings_booking
                        WHERE setup_id = %s AND appointment_id = ANY(%s) GROUP BY appointment_id""",
                    setup.id,
                    list(appointment_ids),
                )
            )
        )

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
    def _mark_appointments_removed(self, setup, appointment_ids):
        """Keep bookings of appointments that are gone as tombstones, with the time they were last seen."""
        rows = self.with_context(active_test=False).search(
            [
                ("setup_id", "=", setup.id),
                ("appointment_id", "in", list(appointment_ids)),
                ("removed_on", "=", False),
            ]
        )
        return {"removed": rows._mark_removed(setup)}

    def _mark_removed(self, setup, digest=None):
        """Mark bookings that are gone, and let everything follow that: shares, attendance, what is billed.

        :param digest: of their appointment as Bookings has it now, where it still has it
        :returns: how many were not marked before
        """
        gone = self.filtered(lambda row: not row.removed_on)
        gone._note_gone(setup, digest)
        if gone and setup.group_price == "appointment":
            self._share_out(setup, self.mapped("appointment_id"))
        if setup.cancel_notice_hours:
            gone._note_late_cancellation(setup.cancel_notice_hours)
            gone._recheck_billing()
        return len(gone)

    def _note_gone(self, setup, digest):
        values = {
            "removed_on": fields.Datetime.now(),
            "removed_settled": False,
            "last_seen": setup.last_appointment_sync or self[:1].create_date,
        }
        if digest:
            values["remote_hash"] = digest
        self._for_import().write(values)
        billed = self.filtered(lambda row: row.status in BILLED)
        billed._for_import().changed_since_billing = True
        self._recheck_billing()

    # -- what another company bills ---------------------------------------------------------------------

    @api.model
    def _own_appointments(self, setup, appointments):
        """Those appointments that a setup keeps: all, or where the business is shared those it bills.

        It lets go of the others, and takes back what it had let go.

        :param list[graph.Appointment] appointments:
        """
        if not setup.shared:
            return appointments
        ids = [appointment.id for appointment in appointments]
        billed, elsewhere = setup._holders(ids)
        taken = setup._services_elsewhere()
        own, leaving = [], []
        for appointment in appointments:
            theirs = (appointment.service_id or appointment.service_name) in taken
            if appointment.id in billed or not (theirs or appointment.id in elsewhere):
                own.append(appointment)
            elif theirs:
                leaving.append(appointment.id)
        self.search(
            [("setup_id", "=", setup.id), ("appointment_id", "in", leaving), ("status", "in", OPEN)]
        )._let_go()
        self.search(
            [
                ("setup_id", "=", setup.id),
                ("appointment_id", "in", [appointment.id for appointment in own]),
                ("let_go", "=", True),
            ]
        )._take_back()
        return own

    def _let_go(self):
        """What another company bills from now on is not billed here."""
        if self:
            self.sudo().action_mark_not_billable(
                "billed_elsewhere", self.env._("The service is billed by another company.")
            )
            self.sudo().let_go = True

    def _take_back(self):
        """Bill here again what was let go and is billed nowhere else."""
        for setup, bookings in self.sudo().grouped("setup_id").items():
            elsewhere = setup._holders(bookings.mapped("appointment_id"))[1]
            free = bookings.filtered(lambda one, held=elsewhere: one.appointment_id not in held)
            free.let_go = False
            free.filtered("not_billable_decision").action_put_back()


@SERVICES_TAKEN.step
def _follow_services(services):
    """Bill what is billed here now, and leave the rest to the other company."""
    taken = services.filtered("taken")
    taken.booking_ids.filtered("let_go")._take_back()
    left = (services - taken).booking_ids
    left.filtered(lambda booking: booking.status in OPEN)._let_go()
