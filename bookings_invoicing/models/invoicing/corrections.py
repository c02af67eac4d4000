from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import plaintext2html

from ...billing import grouping
from . import billed_line

# The calendar in the web app, as Microsoft's own guides link it; it opens with the business that was looked at last.
WEB = {
    "global": "https://outlook.office.com/bookings/calendar",
    "gcc_high": "https://outlook.office365.us/bookings/calendar",
    "dod": "https://outlook-dod.office365.us/bookings/calendar",
}


class BookingsBooking(models.Model):
    """What a person does about a booking after it was billed, or about what keeps it from that."""

    _inherit = "bookings.booking"

    bill_again_id = fields.Many2one(
        "account.move",
        string="Prepared Credit Note",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="Once it is confirmed, the booking is ready again",
    )

    removed_settled = fields.Boolean(
        string="Billed Though Removed",
        readonly=True,
        copy=False,
        help="A person has decided to bill it though it was removed from Bookings after it took place",
    )

    # the dashboard counts the few that changed among all that were billed
    _changed_idx = models.Index("(setup_id) WHERE changed_since_billing IS TRUE")

    def action_create_customer(self):
        """Create the customers of these bookings from the templates of their setups."""
        self.check_access("write")
        self.customer_id.action_create_partner()
        named = self.filtered(lambda one: not (one.customer_id or one.partner_id or one.unnamed))
        for (
            booking
        ) in named:  # who gave neither address nor id is nobody but the attendee of this booking
            setup = booking.setup_id
            values = setup._customer_defaults() | {"name": booking.name}
            values["company_id"] = setup.company_id.id
            partners = self.env["res.partner"].sudo().with_company(setup.company_id)
            booking.partner_id = partners.create(values).sudo(False)
        return True

    def action_date_today(self):
        """Let invoices of these bookings be dated when they are confirmed: their own day is in a locked period."""
        self.check_access("write")
        self.write({"date_today": True})
        self._refresh_billing()
        return True

    def action_open_in_bookings(self):
        """Open the calendar of Microsoft Bookings; neither Graph nor the web app has an address of a single appointment."""
        self.ensure_one()
        connection = self.setup_id.connection_id.sudo()
        if connection.mode == "sandbox":
            raise UserError(self.env._("The sandbox has no page of its own."))
        return {
            "type": "ir.actions.act_url",
            "target": "new",
            "url": WEB.get(connection.cloud, WEB["global"]),
        }

    def action_update_draft(self):
        """Let the lines on drafts follow what changed in Bookings since."""
        self.check_access("write")
        for booking in self:
            line = booking.invoice_line_ids.filtered("booking_live")
            if booking.status != "drafted" or not line:
                raise UserError(self.env._("%s is on no draft.", booking.display_name))
            booking._redraft(line.move_id, line)
        return True

    def action_leave_as_billed(self):
        """Say that the invoice stays as it is, whatever changed in Bookings since."""
        self.check_access("write")
        for booking in self.filtered("changed_since_billing"):
            texts = (self.env._("Left as billed."), booking.pending_text)
            booking.message_post(body=plaintext2html("\n".join(filter(None, texts))))
        self.sudo().changed_since_billing = False
        return True

    def _redraft(self, move, line):
        """Take the line off its draft and, if the booking can still be billed on it, put it there anew."""
        before = grouping.Split(
            move.company_id.id,
            move.partner_id.id,
            move.currency_id.id,
            move.journal_id.id,
            move.fiscal_position_id.id,
            move.partner_shipping_id.id,
            move.ref or "",
        )
        edits = self._edits(line)
        move = move.with_context(skip_is_manually_modified=True)
        runs = self.env["bookings.invoice.run"].sudo().search([("joined_line_ids", "in", line.ids)])
        line.with_context(skip_is_manually_modified=True).unlink()
        self._pass_by_clock_again()
        self._refresh_billing()
        if self.status == "ready" and grouping.can_join(before, self._split()):
            values = self._prepare_invoice_line(self._split())
            runs.joined_line_ids |= self._put_on_draft(move, values, edits).sudo()
        elif not move.invoice_line_ids:
            move.unlink()

    def _edits(self, line):
        """What a person changed on this line of the booking, see :mod:`.billed_line`.

        :param line: ``account.move.line`` or ``sale.order.line``
        :returns: what it was when it was written, values to keep, and what is to be said
        """
        # Of a line made before this was noted: what would be prepared today.
        written = line.sudo().booking_written or {
            "name": billed_line.text_digest(self._line_text()),
            "discount": 0.0,
            "tax_ids": sorted(self._line_taxes(self._split()).ids),
        }
        kept = billed_line.changed(line, written, billed_line.KEPT)
        replaced = billed_line.changed(line, written, billed_line.REPLACED)

        def label(name):
            return line._fields[name]._description_string(self.env)

        text = self._edits_text(
            [label(name) for name in kept], {label(name): replaced[name] for name in replaced}
        )
        return written, kept, text

    def _edits_text(self, kept, replaced):
        """What is said about changes by hand when a line follows its booking; empty where there were none.

        :param kept: labels
        :param dict replaced: values by label
        """
        texts = []
        if kept:
            texts.append(self.env._("Kept as changed by hand: %s.", ", ".join(kept)))
        if replaced:
            values = (f"{label} {value}" for label, value in replaced.items())
            texts.append(
                self.env._("Replaced by what the booking says now: %s.", ", ".join(values))
            )
        if not texts:
            return ""
        return " ".join([f"{self.display_name}:", *texts])

    def _put_on_draft(self, move, values, edits):
        """Put the booking on the draft anew, with what a person had changed on its line before.

        :param dict values: of the invoice line
        :param edits: from :meth:`_edits`, of the line that was there
        """
        written, kept, text = edits
        values = billed_line.with_kept(values, kept)
        move.check_access("write")
        move.sudo().write({"invoice_line_ids": [Command.create(values)]})
        line = move.invoice_line_ids.filtered(lambda one: one.booking_id == self)
        billed_line.note_written(line, written, kept)
        move._bookings_date_again()
        self._tell_edits(move, text)
        return line

    def _tell_edits(self, document, text):
        """Say it on booking and document, and to who pressed the button."""
        if not text:
            return
        self.message_post(body=text)
        document.message_post(body=text)
        self.env.user._bus_send(
            "simple_notification",
            {
                "title": document.display_name,
                "message": text,
                "type": "warning",
                "sticky": True,
            },
        )

    def _to_bill_again(self):
        """Whether the credit note that was prepared for it is what credits it."""
        self.ensure_one()
        return self.sudo().bill_again_id.state == "posted"

    def action_prepare_credit(self):
        """Draft a credit note of this booking's line; once confirmed, the booking is ready for a new draft."""
        self.ensure_one()
        self.check_access("write")
        line = self.invoice_line_ids.filtered("booking_live")
        if self.status != "invoiced" or not line:
            raise UserError(self.env._("%s is on no confirmed invoice.", self.display_name))
        if self.bill_again_id.state == "draft":
            return self.bill_again_id._bookings_action()
        if already := line.sudo()._booking_credit_lines().move_id:
            raise UserError(
                self.env._(
                    "%(booking)s: part of it is credited already by %(refunds)s. Credit the rest on the invoice itself.",
                    booking=self.display_name,
                    refunds=", ".join(already.mapped("name")),
                )
            )
        move = line.move_id
        credit = move._reverse_moves(
            [
                {
                    "ref": self.env._("Reversal of: %s", move.name),
                    "invoice_date": fields.Date.context_today(self),
                }
            ]
        )
        credit.invoice_line_ids.filtered(lambda other: other.booking_id != self).unlink()
        self.sudo().bill_again_id = credit
        return credit._bookings_action()
