from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang, plaintext2html

# Fields that hold a user's decisions about a booking. *Undo* writes them back.
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
# Fields that the notification and the note in the chatter name.
TOLD = ("attendance", "partner_id", "payer_id", "quantity", "price_unit", "amount", "status")
TRACKED = {"attendance", "status"}  # the chatter and the form already show them


class BookingsChange(models.TransientModel):
    """One change that a user made with a click or in a row: it is shown in a notification, noted in the chatter, and can
    be undone.

    Usage: ``before = bookings._decisions()``, make the change, ``return bookings._changed(before)``. ``write`` of the
    booking records what a user entered in a list or form, and the view fetches it with :meth:`latest`.

    Only server code creates and writes these records, because *Undo* writes fields that no user may write.
    """

    _name = "bookings.change"
    _inherit = ["bookings.own.links"]
    _description = "Booking Change"

    booking_ids = fields.Many2many("bookings.booking", readonly=True)
    before = fields.Json(readonly=True)
    after = fields.Json(readonly=True)
    told = fields.Boolean(readonly=True)

    @api.model
    def latest(self):
        """Return the notification of the user's last saved change, or False. Views call this after each save."""
        self.check_access("read")
        change = self.search([("create_uid", "=", self.env.uid)], order="id desc", limit=1)
        if not change or change.told:
            return False
        change.sudo().told = True
        return change._notification()

    def action_undo(self):
        """Restore the previous decisions.

        :raises UserError: if the bookings have been changed since
        """
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
        """Use the price of this booking for all bookings of its service whose price is missing."""
        self.check_access("read")
        return self.booking_ids.action_same_price()

    def _notification(self):
        """Return the client action that shows the change with its buttons."""
        self.ensure_one()
        buttons = [{"name": self.env._("Undo"), "method": "action_undo"}]
        if alike := len(self._alike()):
            text = self.env._("Use for %s More Bookings of This Service", alike)
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
        """Return the bookings that could get the price that was entered."""
        booking = self.booking_ids
        facts = self.before.get(str(booking.id)) if len(booking) == 1 else None
        if not facts or facts["told"]["price_unit"] == booking.price_unit:
            return booking.browse()
        return booking._without_price_alike()


class BookingsBooking(models.Model):
    """Changes that users make to bookings, with the values before and after."""

    _inherit = "bookings.booking"

    def _decisions(self):
        """Return the decisions about these bookings and the values that follow, as JSON by booking ID."""
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
        """Restore decisions.

        :param dict facts: result of :meth:`_decisions_of_one` before the change
        """
        released = self.invoice_line_ids.filtered("booking_released")
        (released - released.browse(facts["released"])).booking_released = False
        old = facts["values"]
        self.write({name: old[name] for name in DECISIONS if self._plain_value(name) != old[name]})
        # writing the attendance of a billed booking has set it
        self.changed_since_billing = old["changed_since_billing"]

    def _changed(self, before):
        """Record what has changed, and notify the user.

        :param dict before: result of :meth:`_decisions` before the change
        :returns: a client action, or False if nothing has changed or no user is involved
        """
        change = self._note_undoable(before, told=True)
        return change._notification() if change else False

    def _note_undoable(self, before, *, told=False):
        """Record a change so that it can be undone, and note it in the chatter.

        :rtype: bookings.change
        """
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
        """Return the values before and after, one text for each field. For several bookings: total amounts and statuses.

        :param dict before: result of :meth:`_decisions` before the change
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
        """Return a value of this booking in readable form."""
        field = self._fields[name]
        if field.type == "many2one":
            record = value if isinstance(value, models.BaseModel) else self[name].browse(value)
            return record.sudo().display_name or "–"
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        if name in ("amount", "price_unit"):
            return formatLang(self.env, value, currency_obj=self.currency_id)
        return formatLang(self.env, value, dp="Product Unit")

    # -- prices for several bookings -------------------------------------------------------------------------

    def action_take_price(self):
        """Use the price from Bookings as it is, although it is only a starting price."""
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
        """Use the price of this booking for all bookings of its service whose price is missing."""
        self.ensure_one()
        self.check_access("write")
        others = self._without_price_alike()
        if not others:
            raise UserError(
                self.env._("No other booking of %s needs a price.", self.service_id.name)
            )
        before = others._decisions()
        for booking in others:
            booking._keep_by_hand("price", self.price_unit, self.price_unit_of)
        others._reprice()
        others._recheck_billing()
        return others._changed(before)

    def _without_price_alike(self):
        """Return the unbilled bookings of the same service and currency whose price is missing."""
        return self.search(
            [
                ("service_id", "=", self.service_id.id),
                ("currency_id", "=", self.currency_id.id),
                ("price_outcome", "=", "ask"),
                ("id", "not in", self.ids),
                *self._uninvoiced_domain(),
            ]
        )
