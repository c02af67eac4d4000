from odoo import fields, models

SALE = [("sale", "Sales orders: quotation, order, invoice")]


class ResCompany(models.Model):
    _inherit = "res.company"

    bookings_billing_flow = fields.Selection(selection_add=SALE, ondelete={"sale": "set default"})


class BookingsSyncSetup(models.Model):
    _inherit = "bookings.sync.setup"

    billing_flow = fields.Selection(
        selection_add=SALE,
        ondelete={"sale": lambda setups: setups.write({"billing_flow": "invoice"})},
    )
    order_state = fields.Selection(
        [("sale", "Confirmed order"), ("draft", "Quotation")],
        string="Create as",
        default="sale",
        help="A confirmed order can be invoiced with Create Invoices immediately. A quotation must be confirmed "
        "first.",
    )
