from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import formatLang, plaintext2html

from . import linked_rows

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
    "date_today",
)
# Fields that the notification and the note in the chatter name.
TOLD = ("attendance", "partner_id", "payer_id", "quantity", "price_unit", "amount", "status")
TRACKED = {"attendance", "status"}  # the chatter and the form already show them


class BookingsChange(models.TransientModel):
    """One change that a user made with a click or in a row: it is shown in a notification, noted in the chatter, and can
    be undone.

    Usage: ``before = decisions(bookings)``, make the change, ``return changed(bookings, before)``. ``write`` of the
    booking records what a user entered in a list or form, and the view fetches it with :meth:`latest`.

    Only server code creates and writes these records, because *Undo* writes fields that no user may write.
    """

    _name = "bookings.change"
    _inherit = ["bookings.own.links"]
    _description = "Booking Change"

    booking_ids = fields.Many2many(
        "bookings.booking", readonly=True, context={"active_test": False}
    )
    before = fields.Json(readonly=True)
    after = fields.Json(readonly=True)
    rows = fields.Json(
        readonly=True,
        help="The changed customers and services of Bookings, with their values before and after.",
    )
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
            if decisions(bookings) != change.after or not linked_rows.are_as_left(
                self.env, change.rows
            ):
                raise UserError(
                    self.env._(
                        "The bookings were changed again in the meantime. Nothing was undone."
                    )
                )
            linked_rows.write_back(self.env, change.rows)
            for booking in bookings.sudo():
                write_back(booking, change.before[str(booking.id)])
            bookings._reprice()
            bookings._recheck_billing()
            note_change(bookings, change.after)
            linked_rows.delete_created(self.env, change.rows)
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

    def _notification(self, text=""):
        """Return the client action that shows the change with its buttons.

        :param str text: what a user should read first
        """
        self.ensure_one()
        buttons = [{"name": self.env._("Undo"), "method": "action_undo"}]
        rows = self.rows or {}
        texts = [*rows.get("texts", ()), *change_texts(self.booking_ids, self.before)]
        if text:
            texts.insert(0, text)
        if alike := len(self._alike()):
            label = self.env._("Use for %s More Bookings", alike)
            buttons.insert(0, {"name": label, "method": "action_same_price"})
        return {
            "type": "ir.actions.client",
            "tag": "bookings_changed",
            "params": {
                "title": rows.get("title") or self._title(),
                "message": "; ".join(dict.fromkeys(texts)),
                "buttons": [{"model": self._name, "id": self.id, **one} for one in buttons],
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _title(self):
        if len(self.booking_ids) == 1:
            return self.booking_ids.display_name
        return self.env._("%s bookings", len(self.booking_ids))

    def _alike(self):
        """Return the bookings that could get the price that was entered."""
        booking = self.booking_ids
        facts = self.before.get(str(booking.id)) if len(booking) == 1 else None
        if not facts or facts["told"]["price_unit"] == booking.price_unit:
            return booking.browse()
        return booking._without_price_alike()


def decisions(bookings):
    """Return the decisions about these bookings and the values that follow, as JSON by booking ID."""
    return {str(booking.id): _decisions_of(booking) for booking in bookings.sudo()}


def _decisions_of(booking):
    return {
        "values": {name: _plain(booking, name) for name in DECISIONS},
        "told": {name: _plain(booking, name) for name in TOLD},
        "released": list(booking.invoice_line_ids.filtered("booking_released").ids),
    }


def _plain(booking, name):
    value = booking._fields[name].convert_to_write(booking[name], booking)
    return fields.Datetime.to_string(value) if booking._fields[name].type == "datetime" else value


def write_back(booking, facts):
    """Restore decisions.

    :param dict facts: value of :func:`decisions` before the change
    """
    released = booking.invoice_line_ids.filtered("booking_released")
    (released - released.browse(facts["released"])).booking_released = False
    old = facts["values"]
    booking.write({name: old[name] for name in DECISIONS if _plain(booking, name) != old[name]})
    # writing the attendance of a billed booking has set it
    booking.changed_since_billing = old["changed_since_billing"]


def changed(bookings, before, rows=None, text=""):
    """Record what has changed, and notify the user.

    :param dict before: result of :func:`decisions` before the change
    :param dict rows: what has changed on customers or services, as :class:`.linked_rows.RowChange` returns it
    :param str text: what a user should read first
    :returns: a client action, or False if no user is involved
    """
    change = note_undoable(bookings, before, rows, told=True)
    if change:
        return change._notification(text)
    return False if bookings.env.su else _nothing_changed(bookings)


def _nothing_changed(bookings):
    """Return the notification for a click that does not apply to these bookings: every button gets an answer."""
    return {
        "type": "ir.actions.client",
        "tag": "display_notification",
        "params": {
            "message": bookings.env._("Nothing to change for these bookings."),
            "type": "info",
            "next": {"type": "ir.actions.act_window_close"},
        },
    }


def note_undoable(bookings, before, rows=None, *, told=False):
    """Record a change so that it can be undone, and note it in the chatter.

    :rtype: bookings.change
    """
    changes = bookings.env["bookings.change"]
    if bookings.env.su:
        return changes
    after = decisions(bookings)
    if after == before and not rows:
        return changes
    note_change(bookings, before)
    values = {"before": before, "after": after, "rows": rows, "told": told}
    return changes.sudo().create({**values, "booking_ids": bookings.ids}).sudo(False)


def note_change(bookings, before):
    """Note in the chatter of each booking what has changed."""
    bodies = {}
    for booking in bookings:
        if texts := change_texts(booking, before, TRACKED):
            bodies[booking.id] = plaintext2html("\n".join(texts))
    if bodies:
        bookings.browse(bodies)._message_log_batch(bodies)


def change_texts(bookings, before, left_out=()):
    """Return the values before and after, one text for each field. For several bookings: total amounts and statuses.

    :param dict before: result of :func:`decisions` before the change
    """
    if len(bookings) == 1:
        old = before[str(bookings.id)]["told"]
        return [
            f"{_label(booking, name)}: {_readable(booking, name, old[name])} → {_readable(booking, name, booking[name])}"
            for booking in bookings
            for name in TOLD
            if name not in left_out and old[name] != _plain(booking, name)
        ]
    texts = []
    for currency, part in bookings.grouped("currency_id").items():
        old = sum(before[str(booking.id)]["told"]["amount"] for booking in part)
        new = sum(part.mapped("amount"))
        if currency.compare_amounts(old, new):
            one = part[:1]
            texts.append(
                f"{_label(bookings, 'amount')}: {_readable(one, 'amount', old)} → {_readable(one, 'amount', new)}"
            )
    texts += [
        f"{_readable(part[:1], 'status', status)}: {len(part)}"
        for status, part in bookings.grouped("status").items()
    ]
    return texts


def _label(bookings, name):
    return bookings._fields[name]._description_string(bookings.env)


def _readable(booking, name, value):
    """Return a value of this booking in readable form."""
    field = booking._fields[name]
    if field.type == "many2one":
        record = value if isinstance(value, models.BaseModel) else booking[name].browse(value)
        return record.sudo().display_name or "–"
    if field.type == "selection":
        return dict(field._description_selection(booking.env)).get(value, value)
    if name in ("amount", "price_unit"):
        return formatLang(booking.env, value, currency_obj=booking.currency_id)
    return formatLang(booking.env, value, dp="Product Unit")
