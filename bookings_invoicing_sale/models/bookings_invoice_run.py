from odoo import api, fields, models


class BookingsInvoiceRun(models.Model):
    _inherit = "bookings.invoice.run"

    order_ids = fields.Many2many("sale.order", string="Orders", readonly=True)
    order_count = fields.Integer(string="Number of Orders", compute="_compute_result")

    @api.depends("order_ids")
    def _compute_result(self):
        for run in self:
            run.order_count = len(run.order_ids)
        return super()._compute_result()

    def _record_documents(self, documents):
        if documents._name == "sale.order":
            self.sudo().order_ids |= documents.sudo()
            return
        super()._record_documents(documents)

    def _billed_bookings(self):
        return super()._billed_bookings() | self.sudo().order_ids.order_line.booking_id

    def _documents_text(self):
        if not self.order_ids:
            return super()._documents_text()
        number = len(self.order_ids)
        orders = self.env._("1 order") if number == 1 else self.env._("%s orders", number)
        return f"{super()._documents_text()}, {orders}" if self.move_ids else orders

    def _documents_action(self):
        if self.order_ids and not self.move_ids:
            return self.order_ids._bookings_action()
        return super()._documents_action()

    def _has_documents(self):
        return super()._has_documents() or bool(self.order_ids)

    def _remove_documents(self):
        # EXTENDS 'bookings_invoicing': also remove unchanged orders
        ordered = len(self.order_ids)
        kept_orders = self._undo_orders()
        texts, kept = super()._remove_documents()
        if count := ordered - len(kept_orders):
            texts.append(
                self.env._("1 order removed")
                if count == 1
                else self.env._("%s orders removed", count)
            )
        return texts, kept + kept_orders

    def _undo_orders(self):
        """Remove the orders that were neither invoiced nor changed.

        :returns: list of sentences about the others
        """
        kept = []
        for order in self.sudo().order_ids:
            if order.invoice_ids or order.locked:
                kept.append(self.env._("%s is invoiced or locked.", order.display_name))
            elif any(
                not line.booking_id or line.write_date > line.create_date
                for line in order.order_line
            ):
                kept.append(self.env._("%s was changed manually.", order.display_name))
            else:
                order._action_cancel()
                order.unlink()
        return kept

    def action_view_orders(self):
        self.check_access("read")
        self.ensure_one()
        return self.order_ids._bookings_action()
