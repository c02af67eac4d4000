from odoo import models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    _inherit = "account.move"

    def _check_bookings_free(self, new_state):
        # EXTENDS 'bookings_invoicing': an order may bill the booking meanwhile, too
        super()._check_bookings_free(new_state)
        for move in self.filtered(lambda m: m.move_type == "out_invoice" and m.state == "cancel"):
            for line in move.invoice_line_ids.filtered("booking_id"):
                other = line.booking_id._live_order_lines() - line.sudo().sale_line_ids
                if other:
                    raise UserError(
                        self.env._(
                            "%(booking)s is billed on %(other)s meanwhile. Cancel that first, then"
                            " this is possible for "
                            "%(invoice)s.",
                            booking=line.booking_id.display_name,
                            other=other.order_id[:1].display_name,
                            invoice=move.display_name,
                        )
                    )
