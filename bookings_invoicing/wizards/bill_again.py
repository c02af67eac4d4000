from odoo import api, fields, models

from ..models.base.titles import titled
from ..models.invoicing.crediting import credit_and_bill_again, draft_credits


class BookingsBillAgain(models.TransientModel):
    """The amounts to be credited and drafted again, and their difference."""

    _name = "bookings.bill.again"
    _inherit = ["bookings.own.links"]
    _description = "Credit and Bill Again"

    booking_ids = fields.Many2many(
        "bookings.booking", readonly=True, string="Bookings", context={"active_test": False}
    )
    line_ids = fields.One2many("bookings.bill.again.line", "wizard_id", readonly=True)
    totals = fields.Char(compute="_compute_totals", string="Total")

    @api.depends("line_ids")
    def _compute_totals(self):
        for wizard in self:
            wizard.totals = "; ".join(
                self.env._(
                    "credit notes %(credited)s, new drafts %(again)s, difference %(difference)s",
                    credited=currency.format(sum(lines.mapped("credited"))),
                    again=currency.format(sum(lines.mapped("again"))),
                    difference=currency.format(sum(lines.mapped("difference"))),
                )
                for currency, lines in wizard.line_ids.grouped("currency_id").items()
            )

    def action_confirm(self):
        """Post the credit notes, draft the bookings again, and open both."""
        self.ensure_one()
        self.booking_ids.check_access("write")
        self.env["bookings.booking"]._check_may_invoice()
        credits, run = credit_and_bill_again(self.booking_ids)
        documents = (credits | run.move_ids)._bookings_action()
        opened = titled(documents, self.env._("Credit Notes and New Drafts"))
        if not run.left_out_ids:
            return opened
        message = {**run._message(), "next": opened}
        return {"type": "ir.actions.client", "tag": "display_notification", "params": message}

    def action_prepare(self):
        """Create draft credit notes only. The bookings become ready when they are posted."""
        self.ensure_one()
        self.booking_ids.check_access("write")
        return draft_credits(self.booking_ids)._bookings_action()


class BookingsBillAgainLine(models.TransientModel):
    """A booking with its credited and new amount."""

    _name = "bookings.bill.again.line"
    _inherit = "bookings.own.links"
    _description = "Booking to Credit and Bill Again"

    wizard_id = fields.Many2one(
        "bookings.bill.again", required=True, ondelete="cascade", index=True
    )
    booking_id = fields.Many2one("bookings.booking")
    currency_id = fields.Many2one(related="booking_id.currency_id")
    invoice_name = fields.Char(string="Invoice")
    credited = fields.Monetary(string="Credit Note", readonly=True)
    again = fields.Monetary(string="New Draft", readonly=True)
    difference = fields.Monetary(compute="_compute_difference")
    note = fields.Text(string="Not Drafted Because")

    @api.depends("credited", "again")
    def _compute_difference(self):
        for line in self:
            line.difference = line.credited + line.again
