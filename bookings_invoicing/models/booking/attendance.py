from odoo import api, fields, models

from ...billing import labels
from ...billing.status import BILLED
from . import facts as booking_rules

ABSENT = {"no_show", "late_cancel"}
TYPED = {"price_unit", "quantity"}  # what a person may type of a price


class BookingsBooking(models.Model):
    """Labels as instructions, attendance, and the fees of those who did not come.

    How it works: the label's rule is looked up with the blockers and when rules change, and kept as ``label_rule_id``. Who
    came is said by a person, by a label, or by the time of a cancellation, in this order. ``fee_cause`` follows from both
    and decides price and product.
    """

    _inherit = "bookings.booking"

    label_rule_id = fields.Many2one(
        "bookings.label.rule",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    label_settled = fields.Boolean(
        string="Label Decided",
        readonly=True,
        copy=False,
        help="A person has decided what the label asks",
    )
    attendance_source = fields.Selection(
        [("hand", "By hand"), ("label", "Label"), ("cancellation", "Time of cancellation")],
        readonly=True,
        copy=False,
        string="Attendance Known by",
    )
    fee_cause = fields.Selection(
        [("no_show", "No-show"), ("late_cancel", "Late cancellation"), ("label", "Label")],
        string="Fee For",
        compute="_compute_fee_cause",
        store=True,
    )
    product_id = fields.Many2one(
        "product.product",
        related=None,
        compute="_compute_product_id",
        store=True,
        readonly=True,
        index=True,
    )

    @api.depends(
        "attendance",
        "label_rule_id.outcome",
        "setup_id.no_show_fee_kind",
        "setup_id.late_cancel_fee_kind",
    )
    def _compute_fee_cause(self):
        for booking in self:
            booking.fee_cause = booking_rules.fee_cause(booking)

    @api.depends("service_id.product_id", "fee_cause", "setup_id.fee_product_id")
    def _compute_product_id(self):
        for booking in self:
            booking.product_id = booking_rules.product(booking)

    def _billing_blockers(self):
        found = super()._billing_blockers()
        for booking in self.filtered(
            lambda one: one.label_rule_id.outcome == "attention" and not one.label_settled
        ):
            text = booking.label_rule_id.note or ""
            found.setdefault(booking.id, []).append(
                ["label", {"label": booking.label, "note": text}]
            )
        return found

    def _attention_text(self, key, params):
        if key == "label":
            return self.env._("The label “%(label)s” asks for a decision. %(note)s", **params)
        if key == "no_tax" and self.fee_cause:
            return self.env._(
                "%(product)s has no tax. Add one, or tick “Fees Without Tax” on the sync setup.",
                **params,
            )
        return super()._attention_text(key, params)

    # -- labels --------------------------------------------------------------------------------------

    def _refresh_billing(self):
        self._apply_label_rules()
        return super()._refresh_billing()

    def _apply_label_rules(self):
        """Look up the rule of each unbilled booking's label and let it say who came."""
        for setup, bookings in (
            self.sudo().filtered(lambda one: one.status not in BILLED).grouped("setup_id").items()
        ):
            rules = setup._label_rules()
            for booking in bookings:
                said = booking.label_rule_id or booking.attendance_source == "label"
                if (rules and booking.label) or said:
                    booking._take_label_rule(setup._rule_for(booking.label, rules))

    @api.model
    def _label_values(self, rule):
        """What its label's rule means for a booking about to be created."""
        if not rule:
            return {}
        values = {"label_rule_id": rule.id}
        if rule.outcome == "no_show":
            values |= {"attendance": "no_show", "attendance_source": "label"}
        return values

    def _take_label_rule(self, rule):
        self.ensure_one()
        values = {}
        if rule != self.label_rule_id:
            values |= {"label_rule_id": rule.id, "label_settled": False}
        if self.attendance_source != "hand":
            if rule.outcome == "no_show" and self.attendance != "no_show":
                values |= {"attendance": "no_show", "attendance_source": "label"}
            elif rule.outcome != "no_show" and self.attendance_source == "label":
                values |= {"attendance": "unknown", "attendance_source": False}
        if values:
            self._for_import().write(values)

    def action_settle_label(self):
        """Say that what the label asks has been decided."""
        self.check_access("write")
        self.sudo().label_settled = True
        self._refresh_billing()

    # -- attendance ----------------------------------------------------------------------------------

    def write(self, vals):
        # What is on a document stays as it was billed; somebody is told.
        told = self.filtered(lambda one: one._is_told_of(vals.get("attendance")))
        result = super().write(vals)
        if not TYPED.isdisjoint(vals):
            self._reprice()
        if "attendance" in vals:
            if "attendance_source" not in vals:
                self.sudo().attendance_source = "hand"
            told._for_import().changed_since_billing = True
        return result

    def _is_told_of(self, attendance):
        """Whether this attendance, if it is a new one, changes what a document bills."""
        return bool(
            attendance
            and self.status in BILLED
            and self.attendance != attendance
            and not ABSENT.isdisjoint((self.attendance, attendance))
        )

    def action_came(self):
        return self._attend("came")

    def action_no_show(self):
        return self._attend("no_show")

    def action_late_cancel(self):
        return self._attend("late_cancel")

    def _attend(self, attendance):
        self.check_access("write")
        self.attendance = attendance
        self._refresh_billing()
        return True

    def _remove(self, setup, digest=None):
        gone = self.filtered(lambda row: not row.removed_on)
        count = super()._remove(setup, digest)
        if setup.cancel_notice_hours:
            for booking in gone.filtered(lambda row: row.attendance_source != "hand"):
                timing = labels.cancellation_timing(
                    booking.start, booking.last_seen, booking.removed_on, setup.cancel_notice_hours
                )
                if timing == "late" and booking.removed_on < booking.start:
                    booking._for_import().write(
                        {"attendance": "late_cancel", "attendance_source": "cancellation"}
                    )
            gone._refresh_billing()
        return count

    def _take_over(self, values):
        if self.removed_on and self.attendance_source == "cancellation":
            values = values | {"attendance": "unknown", "attendance_source": False}
        return super()._take_over(values)

    # -- lines ---------------------------------------------------------------------------------------

    def _without_tax(self):
        return self.setup_id.fee_no_tax if self.fee_cause else super()._without_tax()

    def _line_text(self):
        text = super()._line_text()
        if not self.fee_cause:
            return text
        product = self.product_id.with_context(lang=self.payer_id.lang or self.env.lang)
        return f"{product.name}: {text}"
