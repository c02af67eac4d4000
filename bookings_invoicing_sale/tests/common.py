from odoo.addons.bookings_invoicing.tests.common import BookingsCase


class OrderCase(BookingsCase):
    """Test case with a synchronized setup that bills with sales orders, and products invoiced on delivered quantities."""

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
        """Invoice orders with Odoo's own *Create Invoices*, and return the invoices."""
        wizard = (
            self.env["sale.advance.payment.inv"]
            .with_context(active_model="sale.order", active_ids=orders.ids)
            .create({"advance_payment_method": "delivered"})
        )
        before = orders.invoice_ids
        wizard.create_invoices()
        return orders.invoice_ids - before

    def credit(self, move):
        """Return a posted credit note for the whole invoice."""
        wizard = self.env["account.move.reversal"].create(
            {"move_ids": move.ids, "journal_id": move.journal_id.id, "reason": "test"}
        )
        wizard.refund_moves()
        refund = move.reversal_move_ids
        refund.action_post()
        return refund
