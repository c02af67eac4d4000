from odoo import api, fields, models
from odoo.exceptions import UserError


class AccountMove(models.Model):
    _inherit = "account.move"

    booking_ids = fields.One2many("bookings.booking", compute="_compute_booking_ids")
    booking_count = fields.Integer(compute="_compute_booking_ids")
    bookings_service_start = fields.Date(
        string="Service From", copy=False, readonly=True, help="First day of service on this invoice"
    )

    @api.depends("invoice_line_ids.booking_id")
    def _compute_booking_ids(self):
        found = dict(
            self.env["account.move.line"]._read_group(
                [("move_id", "in", self.ids), ("booking_id", "!=", False)],
                ["move_id"],
                ["booking_id:recordset"],
            )
        )
        for move in self:
            move.booking_ids = found.get(move, self.env["bookings.booking"])
            move.booking_count = len(move.booking_ids)

    def copy_data(self, default=None):
        # EXTENDS 'account': a debit note is made with the business fields too, but bills no booking again
        if (default or {}).get("debit_origin_id"):
            self = self.with_context(bookings_unlinked_copy=True)  # noqa: PLW0642
        return super().copy_data(default)

    def button_draft(self):
        # EXTENDS 'account'
        self._check_bookings_free("draft")
        return super().button_draft()

    def button_cancel(self):
        # EXTENDS 'account'
        self._check_bookings_free("cancel")
        return super().button_cancel()

    def _check_bookings_free(self, new_state):
        """Refuse to revive an invoice line whose booking is billed elsewhere meanwhile, and name that invoice."""
        for move in self:
            reviving = (move.move_type == "out_invoice" and move.state == "cancel" and new_state == "draft") or (
                move.move_type == "out_refund" and move.state == "posted"
            )
            bookings = move.invoice_line_ids.booking_id if reviving else ()
            for booking in bookings:
                live = booking.invoice_line_ids.filtered("booking_live").move_id - move.reversed_entry_id
                if live:
                    raise UserError(
                        self.env._(
                            "%(booking)s is billed on %(other)s meanwhile. Remove it there first, then this is possible "
                            "for %(invoice)s.",
                            booking=booking.display_name,
                            other=live[:1].display_name,
                            invoice=move.display_name,
                        )
                    )

    def action_view_bookings(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("bookings_invoicing.booking_action_all")
        return {**action, "domain": [("id", "in", self.booking_ids.ids)], "context": {}}

    def _bookings_action(self):
        """Open the one invoice, or the list of them."""
        action = self.env["ir.actions.act_window"]._for_xml_id("account.action_move_out_invoice_type")
        if len(self) == 1:
            return {**action, "views": [(False, "form")], "res_id": self.id}
        return {**action, "domain": [("id", "in", self.ids)], "context": {"default_move_type": "out_invoice"}}
