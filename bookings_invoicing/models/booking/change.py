from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang, plaintext2html

# What a person decides about a booking, and what an Undo writes back.
DECISIONS = (
    "partner_id",
    "payer_id",
    "payer_hand_id",
    "attendance",
    "attendance_source",
    "label_settled",
    "removed_settled",
    "manual_price",
    "manual_quantity",
    "has_manual_price",
    "has_manual_quantity",
    "manual_unit",
    "manual_uid",
    "manual_date",
    "not_billable_decision",
    "not_billable_note",
    "not_billable_uid",
    "not_billable_date",
    "changed_since_billing",
)
# What follows from it, as the notification and the chatter say it.
TOLD = ("attendance", "partner_id", "payer_id", "quantity", "price_unit", "amount", "status")
TRACKED = {"attendance", "status"}  # the chatter has it already, or shows it beside the note


class BookingsChange(models.TransientModel):
    """What one click, or one row that was typed, has changed: it is told at once, noted in the chatter, and can be undone.

    How to use: ``before = bookings._decisions()``, change something, ``return bookings._changed(before)``. What a person
    typed in a list or form is noted by ``write`` of the booking, and the view asks for it (:meth:`latest`).

    Nobody creates or writes these but our own code: an Undo writes fields that no person may write.
    """

    _name = "bookings.change"
    _description = "Change of Bookings"

    booking_ids = fields.Many2many("bookings.booking", readonly=True)
    before = fields.Json(readonly=True)
    after = fields.Json(readonly=True)
    told = fields.Boolean(readonly=True)

    @api.model
    def latest(self):
        """The notification of what the user has just saved, or False: a view asks after each save."""
        self.check_access("read")
        change = self.search([("create_uid", "=", self.env.uid)], order="id desc", limit=1)
        if not change or change.told:
            return False
        change.sudo().told = True
        return change._notification()

    def action_undo(self):
        """Write back what was there before; refused where something has changed since."""
        self.check_access("read")
        self.booking_ids.check_access("write")
        for change in self:
            bookings = change.booking_ids
            if bookings._decisions() != change.after:
                raise UserError(
                    self.env._(
                        "The bookings were changed again in the meantime. Nothing was undone."
                    )
                )
            for booking in bookings.sudo():
                booking._write_back(change.before[str(booking.id)])
            bookings._reprice()
            bookings._recheck_billing()
            bookings._note_change(change.after)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": self.env._("Undone."),
                "type": "success",
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_same_price(self):
        """Bill the price of this booking for all of its service whose price is missing."""
        self.check_access("read")
        return self.booking_ids.action_same_price()

    def _notification(self):
        """The client action that tells of it, with its buttons."""
        self.ensure_one()
        buttons = [{"name": self.env._("Undo"), "method": "action_undo"}]
        if alike := len(self._alike()):
            text = self.env._("Same Price for All %s Without One of This Service", alike)
            buttons.insert(0, {"name": text, "method": "action_same_price"})
        return {
            "type": "ir.actions.client",
            "tag": "bookings_changed",
            "params": {
                "title": self.booking_ids.display_name
                if len(self.booking_ids) == 1
                else self.env._("%s bookings", len(self.booking_ids)),
                "message": "; ".join(self.booking_ids._change_texts(self.before)),
                "buttons": [{"model": self._name, "id": self.id, **one} for one in buttons],
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _alike(self):
        """Bookings that could get the price that was typed here."""
        booking = self.booking_ids
        facts = self.before.get(str(booking.id)) if len(booking) == 1 else None
        if not facts or facts["told"]["price_unit"] == booking.price_unit:
            return booking.browse()
        return booking._without_price_alike()


class BookingsBooking(models.Model):
    """What a person changed about bookings, told with before and after."""

    _inherit = "bookings.booking"

    def _decisions(self):
        """What was decided about these bookings and what follows from it, as JSON by booking id."""
        return {str(booking.id): booking._decisions_of_one() for booking in self.sudo()}

    def _decisions_of_one(self):
        return {
            "values": {name: self._plain_value(name) for name in DECISIONS},
            "told": {name: self._plain_value(name) for name in TOLD},
            "released": list(self.invoice_line_ids.filtered("booking_released").ids),
        }

    def _plain_value(self, name):
        value = self._fields[name].convert_to_write(self[name], self)
        return fields.Datetime.to_string(value) if self._fields[name].type == "datetime" else value

    def _write_back(self, facts):
        """:param dict facts: what :meth:`_decisions_of_one` said before"""
        released = self.invoice_line_ids.filtered("booking_released")
        (released - released.browse(facts["released"])).booking_released = False
        old = facts["values"]
        self.write({name: old[name] for name in DECISIONS if self._plain_value(name) != old[name]})
        # the attendance of what is billed has set it
        self.changed_since_billing = old["changed_since_billing"]

    def _changed(self, before):
        """Note what has changed since, and tell who did it.

        :param dict before: what :meth:`_decisions` said
        :returns: a client action, or False where nothing has changed or nobody looks
        """
        change = self._note_undoable(before, told=True)
        return change._notification() if change else False

    def _note_undoable(self, before, *, told=False):
        """Keep a change so that it can be undone, and note it in the chatter; nothing where nothing changed."""
        changes = self.env["bookings.change"]
        if self.env.su:
            return changes
        after = self._decisions()
        if after == before:
            return changes
        self._note_change(before)
        values = {"before": before, "after": after, "told": told}
        return changes.sudo().create({**values, "booking_ids": self.ids}).sudo(False)

    def _note_change(self, before):
        bodies = {}
        for booking in self:
            if texts := booking._change_texts(before, TRACKED):
                bodies[booking.id] = plaintext2html("\n".join(texts))
        if bodies:
            self.browse(bodies)._message_log_batch(bodies)

    def _change_texts(self, before, left_out=()):
        """Before and after, a text for each field; of several bookings the sum of their amounts and their states.

        :param dict before: what :meth:`_decisions` said
        """
        if len(self) == 1:
            old = before[str(self.id)]["told"]
            return [
                f"{self._told_label(name)}: {self._told(name, old[name])} → {self._told(name, self[name])}"
                for name in TOLD
                if name not in left_out and old[name] != self._plain_value(name)
            ]
        texts = []
        for currency, bookings in self.grouped("currency_id").items():
            old = sum(before[str(booking.id)]["told"]["amount"] for booking in bookings)
            new = sum(bookings.mapped("amount"))
            if currency.compare_amounts(old, new):
                one = bookings[:1]
                texts.append(
                    f"{self._told_label('amount')}: {one._told('amount', old)} → {one._told('amount', new)}"
                )
        texts += [
            f"{self[:1]._told('status', status)}: {len(bookings)}"
            for status, bookings in self.grouped("status").items()
        ]
        return texts

    def _told_label(self, name):
        return self._fields[name]._description_string(self.env)

    def _told(self, name, value):
        """A value of this booking as a person reads it."""
        field = self._fields[name]
        if field.type == "many2one":
            record = value if isinstance(value, models.BaseModel) else self[name].browse(value)
            return record.sudo().display_name or "–"
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        if name in ("amount", "price_unit"):
            return formatLang(self.env, value, currency_obj=self.currency_id)
        return formatLang(self.env, value, dp="Product Unit")

    # -- the price that Bookings names, and one price for a whole service -----------------------------------

    def action_take_price(self):
        """Bill what Bookings names as it is, though it only says where the price starts."""
        self.check_access("write")
        named = self.filtered(lambda one: one.price_outcome == "ask" and one.price)
        if not named:
            raise UserError(
                self.env._("Microsoft Bookings has no price for these bookings. Enter it.")
            )
        before = named._decisions()
        for booking in named:
            booking._keep_by_hand("price", booking.price)
        named._reprice()
        named._recheck_billing()
        return named._changed(before)

    def action_same_price(self):
        """Bill the price of this booking for all of its service whose price is missing."""
        self.ensure_one()
        self.check_access("write")
        others = self._without_price_alike()
        if not others:
            raise UserError(
                self.env._("The price of no other booking of %s is missing.", self.service_id.name)
            )
        before = others._decisions()
        for booking in others:
            booking._keep_by_hand("price", self.price_unit, self.price_unit_of)
        others._reprice()
        others._recheck_billing()
        return others._changed(before)

    def _without_price_alike(self):
        """Unbilled bookings of the same service, in the same currency, whose price is missing."""
        return self.search(
            [
                ("service_id", "=", self.service_id.id),
                ("currency_id", "=", self.currency_id.id),
                ("price_outcome", "=", "ask"),
                ("id", "not in", self.ids),
                *self._uninvoiced_domain(),
            ]
        )
