from odoo import api, fields, models
from odoo.tools.sql import column_exists, create_column


class SaleOrderLine(models.Model):
    """An order line may bill a booking, and a booking may be billed by one living order line."""

    _inherit = "sale.order.line"

    booking_id = fields.Many2one(
        "bookings.booking",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
    )
    booking_released = fields.Boolean(
        copy=False,
        readonly=True,
        help="The booking was marked not billable; this line bills it no more",
    )
    booking_live = fields.Boolean(
        compute="_compute_booking_live",
        store=True,
        help="This line bills its booking: its order is not cancelled",
    )

    _booking_live_uniq = models.UniqueIndex(
        "(booking_id) WHERE booking_live",
        "A booking can be on one order only. Cancel the other order first.",
    )

    def _auto_init(self):
        # No line of before has a booking: where the column is there, Odoo works nothing out for all of them.
        if not column_exists(self.env.cr, self._table, "booking_live"):
            create_column(self.env.cr, self._table, "booking_live", "boolean")
        return super()._auto_init()

    @api.depends("booking_id", "booking_released", "state")
    def _compute_booking_live(self):
        for line in self:
            line.booking_live = bool(
                line.booking_id and line.state != "cancel" and not line.booking_released
            )

    def _prepare_invoice_line(self, **optional_values):
        # EXTENDS 'sale': the invoice line bills the booking of the order line, unless another
        # invoice line does
        values = super()._prepare_invoice_line(**optional_values)
        booking = self.sudo().booking_id
        if booking:
            values["name"] = self.name
            values |= booking._line_dates()
            # What is taken back is linked when it has become a credit note: see
            # sale.order._create_invoices
            billed = booking.invoice_line_ids.filtered("booking_live")
            if self.booking_live and not billed and values["quantity"] > 0:
                values["booking_id"] = booking.id
                if booking.currency_id.compare_amounts(booking._amount_to_bill(), booking.amount):
                    # Part of it is billed already: only the rest is.
                    rest = booking._prepare_invoice_line(booking._split())
                    names = ("quantity", "price_unit", "extra_tax_data")
                    values |= {name: rest[name] for name in names if name in rest}
        return values

    def _let_booking_go(self):
        """Bill these bookings no more: lines of quotations go, those of orders are emptied."""
        lines = self.sudo()
        quoted = lines.filtered(lambda line: line.state in ("draft", "sent"))
        orders = quoted.order_id
        quoted.unlink()
        empty = orders.filtered(lambda order: not order.order_line)
        empty._action_cancel()
        left = lines.exists().filtered(lambda line: line.state == "sale")
        left.booking_released = True
        locked = left.order_id.filtered("locked")
        locked.locked = False  # what is not billed any more must not stay to be invoiced
        for line in left:
            line.qty_delivered = line.product_uom_qty = min(line.qty_invoiced, line.product_uom_qty)
        locked.locked = True
