"""Recompute the quantities to invoice of orders of bookings, which now follow the booking's posted lines."""

from odoo import SUPERUSER_ID, api

NAMES = ("qty_invoiced", "qty_to_invoice", "untaxed_amount_to_invoice", "invoice_status")


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    lines = env["sale.order.line"].search([("booking_id", "!=", False)])
    for name in NAMES:
        env.add_to_compute(lines._fields[name], lines)
    env.flush_all()
