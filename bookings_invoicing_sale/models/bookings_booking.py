from odoo import api, fields, models
from odoo.exceptions import UserError


class BookingsBooking(models.Model):
    """Bookings on sales orders: the status follows order and invoice, and is ready again after a cancellation."""

    _inherit = "bookings.booking"

    status = fields.Selection(
        selection_add=[("ordered", "Ordered"), ("drafted",)],
        ondelete={
            "ordered": lambda bookings: bookings.write(
                {"status": "not_billable", "billed_before": True}
            )
        },
    )
    order_line_ids = fields.One2many(
        "sale.order.line", "booking_id", string="Order Lines", readonly=True
    )
    order_ids = fields.Many2many("sale.order", string="Orders", compute="_compute_orders")
    order_count = fields.Integer(string="Number of Orders", compute="_compute_orders")
    billing_flow = fields.Selection(related="setup_id.billing_flow")

    @api.depends("order_line_ids.order_id")
    def _compute_orders(self):
        for booking in self:
            booking.order_ids = booking.order_line_ids.order_id
            booking.order_count = len(booking.order_ids)

    @api.depends("order_line_ids.booking_live", "order_line_ids.state")
    def _compute_status(self):
        return super()._compute_status()

    @api.model
    def _line_status(self):
        return {**super()._line_status(), "ordered": "ordered"}

    def _live_line_state(self):
        state = super()._live_line_state()
        # Odoo would invoice the order line again after a credit note. Here, a user decides that; until
        # then, the booking is *credited*.
        wanted = self._to_bill_again() or not self._credited_lines()
        if not state and wanted and self._live_order_lines():
            return "ordered"
        return state

    def _live_order_lines(self):
        return self.sudo().order_line_ids.filtered("booking_live")

    def _was_on_document(self):
        return super()._was_on_document() or bool(self.sudo().order_line_ids)

    def _billed_on(self):
        """Return the invoices that currently bill these bookings."""
        return self.sudo().invoice_line_ids.filtered("booking_live").move_id

    def action_mark_not_billable(self, reason, note=None):
        result = super().action_mark_not_billable(reason, note)
        self._live_order_lines()._let_booking_go()
        return result

    def _payers_with_down_payment(self):
        # EXTENDS 'bookings_invoicing': an invoiced down payment that is not deducted yet
        lines = (
            self.env["sale.order.line"]
            .sudo()
            .search(
                [
                    ("is_downpayment", "=", True),
                    ("display_type", "=", False),
                    ("state", "=", "sale"),
                    ("qty_invoiced", ">", 0),
                    ("company_id", "in", self.company_id.ids),
                    (
                        "order_id.partner_invoice_id.commercial_partner_id",
                        "in",
                        self.payer_id.commercial_partner_id.ids,
                    ),
                ]
            )
        )
        found = {
            (line.company_id, line.order_id.partner_invoice_id.commercial_partner_id)
            for line in lines
        }
        return found | super()._payers_with_down_payment()

    def action_view_orders(self):
        self.check_access("read")
        self.ensure_one()
        return self.order_ids._bookings_action()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_ordered(self):
        if self.sudo().order_line_ids:
            raise UserError(
                self.env._(
                    "These bookings are on an order. Archive the sync setup instead of deleting "
                    "them."
                )
            )
