from odoo import api, fields, models


class BookingsInvoiceRun(models.Model):
    _inherit = "bookings.invoice.run"

    order_ids = fields.Many2many("sale.order", string="Orders", readonly=True)

    @api.depends("order_ids")
    def _compute_result(self):
        return super()._compute_result()

    def _take(self, documents):
        if documents._name == "sale.order":
            self.order_ids |= documents
            return
        super()._take(documents)

    def _billed_bookings(self):
        return super()._billed_bookings() | self.sudo().order_ids.order_line.booking_id

    def _documents_text(self):
        if not self.order_ids:
            return super()._documents_text()
        orders = self.env._("%s orders", len(self.order_ids))
        return f"{super()._documents_text()}, {orders}" if self.move_ids else orders

    def _documents_action(self):
        if self.order_ids and not self.move_ids:
            return self.order_ids._bookings_action()
        return super()._documents_action()

    def _has_documents(self):
        return super()._has_documents() or bool(self.order_ids)

    def action_view_orders(self):
        self.ensure_one()
        return self.order_ids._bookings_action()
