from odoo import api, fields, models
from odoo.addons.bookings_invoicing.models.base.readable_links import ROLES
from odoo.exceptions import UserError
from odoo.tools import groupby


class SaleOrder(models.Model):
    _name = "sale.order"
    _inherit = ["sale.order", "bookings.own.links"]

    booking_ids = fields.One2many(
        "bookings.booking",
        compute="_compute_booking_ids",
        groups=ROLES,
        context={"active_test": False},
    )
    booking_count = fields.Integer(compute="_compute_booking_ids", groups=ROLES)

    @api.depends("order_line.booking_id")
    def _compute_booking_ids(self):
        for order in self:
            order.booking_ids = order.order_line.booking_id
            order.booking_count = len(order.booking_ids)

    def action_view_bookings(self):
        self.check_access("read")
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_all"
        )
        domain, context = [("id", "in", self.booking_ids.ids)], {"active_test": False}
        return {**action, "domain": domain, "context": context}

    def write(self, vals):
        # EXTENDS 'sale': bookings that a canceled order frees are updated immediately
        if "state" not in vals:
            return super().write(vals)
        bookings = self.sudo().order_line.booking_id
        result = super().write(vals)
        bookings._settle_free()
        return result

    def unlink(self):
        # EXTENDS 'sale': the database deletes the lines without calling their unlink
        bookings, runs = self.sudo().order_line.booking_id, self._bookings_runs()
        result = super().unlink()
        bookings._settle_free()
        runs._count_bookings()
        return result

    def _bookings_runs(self):
        return self.env["bookings.invoice.run"].sudo().search([("order_ids", "in", self.ids)])

    def _action_confirm(self):
        # EXTENDS 'sale': completed bookings count as delivered
        result = super()._action_confirm()
        for line in self.sudo().order_line.filtered("booking_live"):
            line.qty_delivered = line.product_uom_qty
        return result

    def action_draft(self):
        # EXTENDS 'sale'
        self.filtered(lambda order: order.state == "cancel")._check_bookings_free()
        return super().action_draft()

    def _check_bookings_free(self):
        """:raises UserError: if a booking of these canceled orders has been billed elsewhere, with the document"""
        for order in self.sudo():
            for line in order.order_line.filtered(
                lambda line: line.booking_id and not line.booking_released
            ):
                other = line.booking_id._billed_on() - line.invoice_lines.move_id
                others = line.booking_id.order_line_ids.filtered("booking_live").order_id - order
                if other or others:
                    raise UserError(
                        self.env._(
                            "%(booking)s has since been billed on %(other)s. Remove it from there before you "
                            "reopen %(order)s.",
                            booking=line.booking_id.display_name,
                            other=(other or others)[:1].display_name,
                            order=order.display_name,
                        )
                    )

    def _create_invoices(self, grouped=False, final=False, date=None):
        # EXTENDS 'sale': orders of bookings with different journals or purchase order references never
        # share an invoice
        parts = [
            self.browse(order.id for order in orders)
            for _key, orders in groupby(self, lambda order: order._booking_split())
        ]
        if len(parts) < 2:
            moves = super()._create_invoices(grouped=grouped, final=final, date=date)
        else:
            moves = self.env["account.move"]
            quiet = self.with_context(raise_if_nothing_to_invoice=False)
            for part in parts:
                moves |= super(SaleOrder, part.with_env(quiet.env))._create_invoices(
                    grouped=grouped, final=final, date=date
                )
            if not moves and self.env.context.get("raise_if_nothing_to_invoice", True):
                raise UserError(self._nothing_to_invoice_error_message())
        moves._finish_booking_invoices()
        return moves

    def _booking_split(self):
        """Return the values beyond Odoo's own keys that always separate invoices of bookings; None for other orders."""
        self.ensure_one()
        return (
            (self.journal_id.id, self.client_order_ref or "") if self.sudo().booking_ids else None
        )

    def _bookings_action(self):
        """Return the action that opens the order, or the list of several."""
        action = self.env["ir.actions.act_window"]._for_xml_id("sale.action_orders")
        if len(self) == 1:
            return {**action, "views": [(False, "form")], "res_id": self.id}
        return {**action, "domain": [("id", "in", self.ids)], "context": {}}
