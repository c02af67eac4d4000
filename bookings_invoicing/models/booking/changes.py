from odoo import api, fields, models
from odoo.tools import format_datetime

from ...billing import questions, sentences
from ...billing.status import BILLED
from ..base.moments import SERVICES_TAKEN
from ..setup.scope import OPEN

# Fields that affect the invoice. If they change late or after billing, users are told.
BILLED_FACTS = ("start", "stop", "price", "price_type", "service_id", "customer_id")


class BookingsBooking(models.Model):
    """How bookings follow changes in Bookings: unbilled ones are updated, billed ones flagged."""

    _inherit = "bookings.booking"

    @api.depends("setup_id.currency_id")
    def _compute_currency_id(self):
        for booking in self:
            # billed bookings keep the currency of their document
            if not booking.currency_id or booking.status not in BILLED:
                booking.currency_id = booking.setup_id.currency_id

    def _update_from_bookings(self, values):
        """Update an unbilled booking with values from Bookings; flag a billed one and store old and new values.

        :returns: the booking if something was written, else an empty recordset
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
            if self.pending_values:  # replaced by these newer values
                changed |= {"pending_values": False, "changed_since_billing": False}
            if facts and self.stop < fields.Datetime.now():
                changed["late_changes"] = self._late_change({name: changed[name] for name in facts})
        if changed:
            self._for_import().write(changed)
        return self if changed else self.browse()

    def _label_decides(self, label):
        """Return whether a different rule applies to this label than when the booking was billed."""
        return self.setup_id._rule_for(label, self.setup_id._label_rules()) != self.label_rule_id

    def _pending(self, name, value):
        """Return ``[old value to show, new value to show, value to write once the booking is not billed]``."""
        raw = fields.Datetime.to_string(value) if self._fields[name].type == "datetime" else value
        return [self._shown(name, self[name]), self._shown(name, value), raw]

    def _take_pending(self):
        """Apply changes in Bookings that were held back while these bookings were billed."""
        for booking in self.filtered("pending_values"):
            values = {name: raw for name, (_old, _new, raw) in booking.pending_values.items()}
            booking.sudo().write(values | {"pending_values": False})
            booking._apply_label_rules()

    @api.depends("pending_values", "changed_since_billing", "attendance", "removed_on")
    @api.depends_context("lang")
    def _compute_pending_text(self):
        labels = {name: field._description_string(self.env) for name, field in self._fields.items()}
        attendances = dict(self._fields["attendance"]._description_selection(self.env))
        for booking in self:
            texts = [
                f"{labels[name]}: {booking._to_read(name, old)} → {booking._to_read(name, new)}"
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
        """Return a value as it is stored to be shown: a price as a number, anything else as text."""
        field = self._fields[name]
        if field.type == "many2one":
            return (
                self.env[field.comodel_name].browse(value).display_name
                if isinstance(value, int)
                else value.display_name
            )
        if name == "price" and value and self.currency_id:
            return value
        return str(value or "–")

    def _to_read(self, name, shown):
        """Return a stored old or new value in readable form: times in the business's time zone, labels of selections,
        prices in the user's language.
        """
        field = self._fields[name]
        if field.type == "float" and not isinstance(shown, str):
            return self.currency_id.format(shown)
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(shown, shown)
        if field.type == "datetime" and shown[:1].isdigit():
            return format_datetime(self.env, shown, tz=self.setup_id.tz)
        return shown

    def _late_change(self, changed):
        """Return the stored late changes plus these.

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
    @api.depends_context("lang")
    def _compute_late_changes_text(self):
        for booking in self:
            booking.late_changes_text = "\n".join(
                self.env._(
                    "%(when)s: %(field)s changed from %(old)s to %(new)s",
                    when=format_datetime(self.env, change["on"], tz=booking.setup_id.tz),
                    field=self._fields[change["field"]]._description_string(self.env),
                    old=booking._to_read(change["field"], change["old"]),
                    new=booking._to_read(change["field"], change["new"]),
                )
                for change in booking.late_changes or ()
                if change["field"] in self._fields
            )

    # -- answers of the booking form: they fill empty fields or create proposals, and never overwrite ----

    def _take_all_answers(self, setup, keyed):
        """Store the attendees' answers to form questions, or propose them.

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
        """Fill empty fields with answers, and propose answers that differ from a filled field.

        :param answered: ``(field, text as typed)`` of mapped questions
        """
        self.ensure_one()
        partner = self.partner_id
        known = {}
        for field, text in answered:
            known.setdefault(field, []).append((field, text))
        # Odoo derives other fields from a tax ID, so the current values are read before each field.
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
        """Store an answer. If a user must decide instead, return a key of the sentences."""
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

    # -- services billed by another company -------------------------------------------------------------

    @api.model
    def _own_appointments(self, setup, appointments):
        """Return the appointments that a setup bills: all, unless it shares the business with another company.

        Open bookings of the other appointments are left to the other company. Bookings that were left to it before, but
        are billed here now, are taken back.

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
        """Mark these bookings as *billed elsewhere*, because another company bills their service."""
        if self:
            self.sudo().action_mark_not_billable(
                "billed_elsewhere", self.env._("The service is billed by another company.")
            )
            self.sudo().let_go = True

    def _take_back(self):
        """Make bookings billable here again unless another company has billed them or still has them open."""
        for setup, bookings in self.sudo().grouped("setup_id").items():
            elsewhere = setup._holders(bookings.mapped("appointment_id"))[1]
            free = bookings.filtered(lambda one, held=elsewhere: one.appointment_id not in held)
            free.let_go = False
            free.filtered("not_billable_decision").action_put_back()


@SERVICES_TAKEN.step
def _follow_services(services):
    """Take back the bookings of services that are now billed here, and leave those of the others."""
    services = services.with_context(active_test=False)  # archived ones would be held here, too
    taken = services.filtered("taken")
    taken.booking_ids.filtered("let_go")._take_back()
    left = (services - taken).booking_ids
    left.filtered(lambda booking: booking.status in OPEN)._let_go()
