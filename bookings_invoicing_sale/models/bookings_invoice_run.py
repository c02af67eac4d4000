from odoo import api, fields, models


class BookingsInvoiceRun(models.Model):
    _inherit = "bookings.invoice.run"

    order_ids = fields.Many2many("sale.order", string="Orders", readonly=True)

    @api.depends("order_ids")
    def _compute_result(self):
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

    def action_undo(self):
        # EXTENDS 'bookings_invoicing': also remove unchanged orders
        self.ensure_one()
        self._check_may_bill()
        ordered, drafted = len(self.order_ids), bool(self.move_ids)
        kept = self._undo_orders()
        action = super().action_undo()
        params = action["params"]
        if ordered:
            count = ordered - len(kept)
            text = (
                self.env._("1 order removed")
                if count == 1
                else self.env._("%s orders removed", count)
            )
            params["title"] = ", ".join([params["title"], text] if drafted else [text])
        if kept:
            self.sudo().state = "partial"
            params["message"] = "\n".join(filter(None, (params.get("message"), *kept)))
            params.update(type="warning", sticky=True)
        return action

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
