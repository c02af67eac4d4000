from odoo import api, models

from ...billing.status import BILLED
from . import facts as booking_rules
from . import fees
from .undo import changed, decisions

ABSENT = {"no_show", "late_cancel"}


class BookingsBooking(models.Model):
    """Labels, attendance, and the fees for attendees who did not attend.

    How it works: the rule of a booking's label is stored as ``label_rule_id``. It is updated with the blockers and when
    rules change. Attendance is set by a user, by the staff member, by a label, or by the time of a cancellation, in this
    order of precedence.
    ``fee_cause`` follows from both and determines price and product.
    """

    _inherit = "bookings.booking"

    @api.depends(
        "attendance",
        "label_rule_id.outcome",
        "setup_id.no_show_fee_kind",
        "setup_id.late_cancel_fee_kind",
    )
    def _compute_fee_cause(self):
        for booking in self:
            booking.fee_cause = fees.cause(booking)

    @api.depends("service_id.product_id", "fee_cause", "setup_id.fee_product_id")
    def _compute_product_id(self):
        for booking in self:
            booking.product_id = booking_rules.product(booking)

    # -- labels --------------------------------------------------------------------------------------

    def _apply_label_rules(self):
        """Update the label rule of each unbilled booking, and the attendance that follows from it."""
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
        """Return the values of a new booking that follow from the rule of its label."""
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
        if self.attendance_source not in fees.TOLD:
            if rule.outcome == "no_show" and self.attendance != "no_show":
                values |= {"attendance": "no_show", "attendance_source": "label"}
            elif rule.outcome != "no_show" and self.attendance_source == "label":
                values |= {"attendance": "unknown", "attendance_source": False}
        if values:
            self._for_import().write(values)

    def action_settle_label(self):
        """Record that a user has decided on the label."""
        self.check_access("write")
        before = decisions(self)
        self.sudo().label_settled = True
        self._recheck_billing()
        return changed(self, before)

    # -- attendance ----------------------------------------------------------------------------------

    def _asks_who_came(self):
        """Return which drafts wait until the attendance of this booking is known: ``all``, ``automatic``, or False.

        The setting of the service comes before that of the setup. If a label decides on a fee, nobody is asked.
        """
        self.ensure_one()
        if self.attendance != "unknown" or self.fee_cause:
            return False
        return self.service_id.ask_attendance or (self.setup_id.ask_attendance and "automatic")

    def _is_told_of(self, attendance):
        """Return whether setting this attendance would change what an existing document should bill."""
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
        before = decisions(self)
        self.sudo().write({"attendance": attendance, "attendance_source": "hand"})
        return changed(self, before)
