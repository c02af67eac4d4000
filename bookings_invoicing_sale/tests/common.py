from odoo.addons.bookings_invoicing.tests.common import BookingsCase


class OrderCase(BookingsCase):
    """A setup that bills by sale orders, its bookings synchronized, products invoiced by what was
    delivered.
    """

    order_state = "sale"
    invoice_policy = "delivery"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref("sales_team.group_sale_manager")
        cls.connection.sandbox_size = 50
        cls.service_template.invoice_policy = cls.invoice_policy
        cls.setup.write({"billing_flow": "sale", "order_state": cls.order_state})
        cls.sync()
        cls.ready = cls.env["bookings.booking"].search(
            [("status", "=", "ready")], order="start, id"
        )

    def invoice(self, orders):
        """Invoices by Odoo's own Create Invoices."""
        wizard = (
            self.env["sale.advance.payment.inv"]
            .with_context(active_model="sale.order", active_ids=orders.ids)
            .create({"advance_payment_method": "delivered"})
        )
        before = orders.invoice_ids
        wizard.create_invoices()
        return orders.invoice_ids - before

    def credit(self, move):
        """A posted credit note over the whole invoice."""
        wizard = self.env["account.move.reversal"].create(
            {"move_ids": move.ids, "journal_id": move.journal_id.id, "reason": "test"}
        )
        wizard.refund_moves()
        refund = move.reversal_move_ids
        refund.action_post()
        return refund
