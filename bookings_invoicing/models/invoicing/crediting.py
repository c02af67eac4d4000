from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class BookingsBooking(models.Model):
    """Credit notes of billed bookings, and new drafts with their current values."""

    _inherit = "bookings.booking"

    def action_prepare_credit(self):
        """Create a draft credit note for this booking's line. When it is posted, the booking becomes ready again."""
        self.ensure_one()
        self.check_access("write")
        return self._draft_credits()._bookings_action()

    def _draft_credits(self):
        """Create draft credit notes for these bookings' lines, one per invoice, or return those that exist already.

        When a credit note is posted, its bookings become ready.

        :rtype: account.move
        """
        for booking in self:
            booking._check_can_be_credited()
        prepared = self.filtered(lambda one: one.bill_again_id.state == "draft")
        credits = prepared.bill_again_id
        lines = (self - prepared).invoice_line_ids.filtered("booking_live")
        for move in lines.move_id:
            bookings = (lines & move.invoice_line_ids).booking_id
            values = {
                "ref": self.env._("Reversal of: %s", move.name),
                "invoice_date": fields.Date.context_today(self),
            }
            credit = move._reverse_moves([values])
            credit.invoice_line_ids.filtered(
                lambda line, kept=bookings: line.booking_id not in kept
            ).unlink()
            bookings.sudo().bill_again_id = credit
            credits |= credit
        return credits

    def _check_can_be_credited(self):
        """Check that the booking is on a posted invoice and not partly credited.

        :raises UserError: if it is not
        """
        self.ensure_one()
        line = self.invoice_line_ids.filtered("booking_live")
        if self.status != "invoiced" or not line:
            raise UserError(self.env._("%s is not on a posted invoice.", self.display_name))
        already = line.sudo()._booking_credit_lines().move_id - self.bill_again_id
        if already:
            raise UserError(
                self.env._(
                    "%(booking)s is already partly credited by %(refunds)s. Credit the rest on the invoice itself.",
                    booking=self.display_name,
                    refunds=", ".join(already.mapped("name")),
                )
            )

    def action_bill_again(self):
        """Show what would be credited and drafted again, and the difference."""
        self.check_access("write")
        for booking in self:
            booking._check_can_be_credited()
        again = self._if_free()
        lines = [Command.create(booking._bill_again_line(*again[booking.id])) for booking in self]
        wizard = self.env["bookings.bill.again"].create(
            {"booking_ids": [Command.set(self.ids)], "line_ids": lines}
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Credit and Bill Again"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }

    def _bill_again_line(self, amount, note):
        return {
            "booking_id": self.id,
            "invoice_name": self.invoice_line_ids.filtered("booking_live").move_id.name,
            "credited": -self.billed_amount,
            "again": amount,
            "note": note,
        }

    def _credit_and_bill_again(self):
        """Post credit notes for these bookings, as Odoo's "Reverse and Create Invoice" does, and draft the bookings again.

        :returns: ``(credit notes, bookings.invoice.run)``
        """
        credits = self._draft_credits()
        credits.action_post()
        return credits, self._invoice_all([("id", "in", self.ids)])

    def _if_free(self):
        """Return what would be billed if these bookings were on no invoice. The trial is rolled back.

        :returns: ``{booking id: (amount, reason why it cannot be drafted)}``
        """
        with self.env.cr.savepoint() as trial:
            free = self.sudo()
            free.invoice_line_ids.filtered("booking_live").booking_released = True
            free._recompute_status()
            free._recheck_billing()
            labels = dict(self._fields["status"]._description_selection(self.env))
            found = {
                booking.id: (booking.amount, "")
                if booking.status == "ready"
                else (0.0, booking.attention_detail or labels[booking.status])
                for booking in free
            }
            self.env.flush_all()
            trial.rollback()
        self.env.invalidate_all()
        return found
