from odoo import api, fields, models
from odoo.addons.bookings_invoicing.models.base.readable_links import ROLES
from odoo.addons.bookings_invoicing.models.invoicing import billed_line
from odoo.tools import float_round
from odoo.tools.sql import column_exists, create_column


class SaleOrderLine(models.Model):
    """Order lines that bill bookings. At most one live order line bills each booking."""

    _name = "sale.order.line"
    _inherit = ["sale.order.line", "bookings.own.links"]

    booking_id = fields.Many2one(
        "bookings.booking",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        groups=ROLES,
    )
    booking_released = fields.Boolean(
        copy=False,
        readonly=True,
        groups=ROLES,
        help="The booking was marked as not billable, so this line no longer bills it.",
    )
    booking_live = fields.Boolean(
        compute="_compute_booking_live",
        store=True,
        groups=ROLES,
        help="This line bills its booking: its order is not canceled.",
    )

    booking_written = fields.Json(
        compute="_compute_booking_written",
        store=True,
        copy=False,
        groups="base.group_system",
        help="The line as it was created. Differences are manual changes.",
    )

    _booking_live_uniq = models.UniqueIndex(
        "(booking_id) WHERE booking_live",
        "A booking can be on one order only. Cancel the other order first.",
    )

    def _auto_init(self):
        # Existing lines have no booking. Creating the columns here keeps Odoo from computing them for all lines.
        for name, kind in (("booking_live", "boolean"), ("booking_written", "jsonb")):
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, kind)
        return super()._auto_init()

    @api.depends("booking_id")
    def _compute_booking_written(self):
        for line in self.filtered(lambda line: line.booking_id and not line.booking_written):
            line.booking_written = billed_line.facts(line)

    @api.depends("booking_id", "booking_released", "state")
    def _compute_booking_live(self):
        for line in self:
            line.booking_live = bool(
                line.booking_id and line.state != "cancel" and not line.booking_released
            )

    def unlink(self):
        # EXTENDS 'sale': bookings that this frees are updated immediately
        bookings, runs = self.sudo().booking_id, self.order_id._bookings_runs()
        result = super().unlink()
        bookings._settle_free()
        runs._count_bookings()
        return result

    # -- invoiced and remaining quantities, from the posted lines of the booking --------------------

    @api.depends("booking_id", "invoice_lines.price_subtotal")
    def _compute_qty_invoiced(self):
        return super()._compute_qty_invoiced()

    def _prepare_qty_invoiced(self):
        # EXTENDS 'sale': a part that was credited or billed again counts as the hours that its amount equals,
        # even if its line has quantity 1
        quantities = super()._prepare_qty_invoiced()
        for line in self.filtered(lambda line: line.sudo().booking_id):
            quantities[line] = line._booking_quantity_invoiced()
        return quantities

    def _booking_quantity_invoiced(self):
        """Return the quantity of the booking on its invoices less credit notes, including drafts, as Odoo does.

        The first invoice, or the first one after a full credit, determines the value of one hour or unit. Later lines
        count by their amounts.
        """
        quantity = amount = worth = 0.0
        lines = self._get_invoice_lines().filtered(lambda line: line.parent_state != "cancel")
        for line in lines.sorted("id"):
            sign = -1 if line.move_id.move_type == "out_refund" else 1
            own = line.product_uom_id._compute_quantity(line.quantity, self.product_uom_id)
            if sign > 0 and line.currency_id.compare_amounts(amount, 0.0) <= 0:
                quantity, worth = own, line.price_subtotal / own if own else 0.0
            else:
                quantity += sign * (line.price_subtotal / worth if worth else own)
            amount += sign * line.price_subtotal
        return float_round(quantity, precision_digits=self._unit_digits())

    @api.depends("booking_live", "booking_id.status")
    def _compute_qty_to_invoice(self):
        # EXTENDS 'sale': a credited part is to invoice again only if a user chose to bill it again; a
        # discount is not
        result = super()._compute_qty_to_invoice()
        live = self.filtered(lambda line: line.sudo().booking_live)
        for line in live.filtered(lambda line: line.qty_to_invoice > 0):
            line.qty_to_invoice = line._booking_quantity_left()
        return result

    def _booking_quantity_left(self):
        """Return the quantity to invoice: all, the part that is billed again, or nothing.

        A quantity that a user added to the order beyond the booking is returned as Odoo computes it.
        """
        booking = self.sudo().booking_id
        if booking.status != "ordered":
            invoiced = self.qty_to_invoice + self.qty_invoiced
            return max(0.0, invoiced - max(self.qty_invoiced, booking.quantity))
        amount = booking._amount_to_bill()
        if booking.currency_id.compare_amounts(amount, booking.amount) == 0:
            return self.qty_to_invoice
        digits = self._unit_digits()
        part = float_round(self.product_uom_qty * amount / booking.amount, precision_digits=digits)
        return max(part, 10.0**-digits)

    def _unit_digits(self):
        return self.env["decimal.precision"].precision_get("Product Unit")

    @api.depends("qty_to_invoice", "invoice_lines.parent_state", "invoice_lines.price_subtotal")
    def _compute_untaxed_amount_to_invoice(self):
        # EXTENDS 'sale'
        result = super()._compute_untaxed_amount_to_invoice()
        for line in self.filtered(lambda line: line.sudo().booking_live):
            line.untaxed_amount_to_invoice = line._booking_amount_left("price_subtotal")
        return result

    @api.depends("qty_to_invoice", "invoice_lines.parent_state", "invoice_lines.price_total")
    def _compute_amount_to_invoice(self):
        # EXTENDS 'sale'
        result = super()._compute_amount_to_invoice()
        for line in self.filtered(lambda line: line.sudo().booking_live):
            line.amount_to_invoice = line._booking_amount_left("price_total")
        return result

    def _booking_amount_left(self, total):
        """Return the amount to invoice plus that of drafts, which Odoo does not count as invoiced.

        :param str total: the field of the lines with the amount
        """
        drafts = self.invoice_lines.filtered(lambda line: line.parent_state == "draft")
        left = sum(
            -line[total] if line.move_id.move_type == "out_refund" else line[total]
            for line in drafts
        )
        if self.product_uom_qty:
            left += self[total] / self.product_uom_qty * self.qty_to_invoice
        return self.currency_id.round(left)

    def _prepare_invoice_line(self, **optional_values):
        # EXTENDS 'sale': the invoice line bills the booking of the order line unless another invoice
        # line does
        values = super()._prepare_invoice_line(**optional_values)
        booking = self.sudo().booking_id
        if booking:
            values["name"] = self.name
            values |= booking._line_dates()
            # Negative quantities are linked after they have become a credit note: see
            # account.move._credit_bookings
            billed = booking.invoice_line_ids.filtered("booking_live")
            if self.sudo().booking_live and not billed and values["quantity"] > 0:
                values["booking_id"] = booking.id
                if booking.currency_id.compare_amounts(booking._amount_to_bill(), booking.amount):
                    # Part of it is billed already, so this line bills only the rest.
                    rest = booking._prepare_invoice_line(booking._split())
                    names = ("quantity", "price_unit", "product_uom_id")
                    values |= {name: rest[name] for name in names}
                    values |= {"extra_tax_data": rest.get("extra_tax_data"), "discount": 0.0}
        return values

    def _let_booking_go(self):
        """Stop billing the bookings of these lines: delete lines of quotations, and reduce those of orders."""
        lines = self.sudo()
        quoted = lines.filtered(lambda line: line.state in ("draft", "sent"))
        orders = quoted.order_id
        quoted.unlink()
        empty = orders.filtered(lambda order: not order.order_line)
        empty._action_cancel()
        left = lines.exists().filtered(lambda line: line.state == "sale")
        left.booking_released = True
        locked = left.order_id.filtered("locked")
        locked.locked = False  # the quantity must change, or it would remain to be invoiced
        for line in left:
            line.qty_delivered = line.product_uom_qty = min(line.qty_invoiced, line.product_uom_qty)
        locked.locked = True
