import re

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..base.moments import INVOICES_CHANGED
from ..base.readable_links import ROLES
from . import line_handover
from .account_move_line import UNLINKED

END_OF_ROWS = re.compile(r"<tr>\s*<td[^>]*>\s*</td>\s*</tr>|</table>")


class AccountMove(models.Model):
    _name = "account.move"
    _inherit = ["account.move", "bookings.own.links"]

    booking_ids = fields.One2many(
        "bookings.booking",
        compute="_compute_booking_ids",
        groups=ROLES,
        context={"active_test": False},
    )
    booking_count = fields.Integer(compute="_compute_booking_ids", groups=ROLES)
    bookings_service_start = fields.Date(
        string="Service From",
        copy=False,
        readonly=True,
        groups=ROLES,
        help="The first date of service on this invoice.",
    )
    bookings_service_stop = fields.Date(
        string="Service To",
        copy=False,
        readonly=True,
        groups=ROLES,
        help="The last date of service on this invoice.",
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

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS 'account': a new draft may contain copies of lines that leave their drafts in this transaction
        moves = super().create(vals_list)
        line_handover.note_made(moves)
        return moves

    def copy_data(self, default=None):
        # EXTENDS 'account': debit notes copy business fields, too, but must not bill bookings again
        if (default or {}).get("debit_origin_id"):
            self = self.with_context(bookings_unlinked_copy=UNLINKED)  # noqa: PLW0642
        return super().copy_data(default)

    def button_draft(self):
        # EXTENDS 'account'
        self._check_bookings_free("draft")
        result = super().button_draft()
        self._bookings_keep_sending_error(False)
        INVOICES_CHANGED(self.sudo().invoice_line_ids.booking_id)
        return result

    def button_cancel(self):
        # EXTENDS 'account'
        self._check_bookings_free("cancel")
        lines = self.sudo().line_ids.filtered("booking_id")  # Odoo reads line_ids here, too
        left = line_handover.describe(lines)
        result = super().button_cancel()
        line_handover.hand_over(self.env, left)
        lines.booking_id._settle_free()
        INVOICES_CHANGED(lines.booking_id)
        return result

    def _post(self, soft=True):
        # EXTENDS 'account': bookings that a credit note frees are updated immediately
        posted = super()._post(soft)
        credits = posted.filtered(lambda move: move.move_type == "out_refund")
        credits.sudo().invoice_line_ids.booking_id._settle_free()
        INVOICES_CHANGED(posted.sudo().invoice_line_ids.booking_id)
        return posted

    def _check_bookings_free(self, new_state):
        """Refuse a change of state after which a booking would be billed twice, because it has been billed elsewhere.

        This can happen when a canceled invoice, a credit note, or an invoice with a released credited part is reset to
        draft. If the booking is not billed elsewhere, its released line bills it again.

        :param str new_state: ``draft`` or ``cancel``
        :raises UserError: with the other invoice
        """
        self.check_access("write")
        for move in self.sudo():
            lines = move._booking_lines_counting_again(new_state)
            for line in lines:
                booking = line.booking_id
                live = booking.invoice_line_ids.filtered("booking_live") - lines
                if not live and move._bookings_too_much(line):
                    live = booking.invoice_line_ids.filtered(
                        lambda other, line=line: other != line and other.parent_state == "posted"
                    )
                if live:
                    raise UserError(
                        self.env._(
                            "%(booking)s has since been invoiced on %(other)s. Remove it from there before you "
                            "reopen this invoice.",
                            booking=booking.display_name,
                            other=live.move_id[:1].display_name,
                        )
                    )
            released = lines.filtered("booking_released")
            if released:
                released.booking_released = False

    def _bookings_too_much(self, line):
        """Return whether undoing this credit note would bill the booking of a line for more than its price."""
        self.ensure_one()
        if self.move_type != "out_refund":
            return False
        booking = line.booking_id
        mine = self.invoice_line_ids.filtered(lambda own: own.booking_id == booking)
        drafts = booking.invoice_line_ids.filtered(
            lambda other: other.booking_live and other.parent_state == "draft"
        )
        after = (booking.invoice_line_ids - mine)._booking_billed() + sum(
            draft._booking_amount() for draft in drafts
        )
        limit = max(booking.amount, line._booking_amount())
        return booking.currency_id.compare_amounts(after, limit) > 0

    def _booking_lines_counting_again(self, new_state):
        """Return the invoice lines that would bill their bookings again after this change of state."""
        self.ensure_one()
        lines = self.env["account.move.line"]
        if self.move_type == "out_invoice":
            if self.state == "cancel" and new_state == "draft":
                return self.line_ids.filtered("booking_id")
            if self.state == "posted":
                return self.line_ids.filtered(
                    lambda line: line.booking_id and not line.booking_live
                )
        if self.move_type == "out_refund" and self.state == "posted":
            bookings = self.invoice_line_ids.booking_id
            return bookings and self.reversed_entry_id.invoice_line_ids.filtered(
                lambda line: line.booking_id in bookings
            )
        return lines

    def _bookings_date_again(self):
        """Update the dates of this draft from its bookings."""
        self.check_access("write")
        self.sudo().write(self.invoice_line_ids.booking_id._invoice_dates())

    def _bookings_follow_period(self):
        """Update the period of service of these drafts to their remaining bookings.

        Users who remove a line need no role in bookings for this. The invoice date remains, and so does a delivery date
        that a user entered.
        """
        if self.env.context.get("dynamic_unlink"):
            return  # Odoo deletes the lines together with their invoice
        drafts = self.sudo().filtered(
            lambda move: move.state == "draft" and move.bookings_service_stop
        )
        for move in drafts.with_context(skip_is_manually_modified=True):
            dates = move.invoice_line_ids.booking_id._service_dates()
            if move.delivery_date != move.bookings_service_stop:
                del dates["delivery_date"]
            if changed := {name: day for name, day in dates.items() if move[name] != day}:
                move.write(changed)

    def _bookings_count_again(self):
        """Update the number of bookings of the runs that created these invoices, when lines of them are deleted."""
        runs = self.env["bookings.invoice.run"].sudo().search([("move_ids", "in", self.ids)])
        runs._count_bookings()

    def _bookings_undo_reason(self, run):
        """Return why removing the drafts of a run must keep this invoice, or "" if it can be removed."""
        self.ensure_one()
        if self.state == "posted":
            return self.env._("posted")
        if self.posted_before or self.name and self.name != "/":
            return self.env._("was posted before")
        if self.state == "cancel":
            return self.env._("canceled")
        if "review_ids" in self._fields and self.review_ids:  # OCA's tier validation
            return self.env._("under review, or approved")
        if self.is_manually_modified or self._bookings_changed_by_hand():
            return self.env._("changed manually")
        if run.sudo().search_count([("id", "!=", run.id), ("move_ids", "in", self.ids)], limit=1):
            return self.env._("another run added lines")
        return ""

    def _bookings_changed_by_hand(self):
        """Return whether a user added lines or changed amounts since the draft was created."""
        lines = self.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        return any(not line.booking_id or line._booking_edited() for line in lines)

    def action_view_bookings(self):
        self.ensure_one()
        self.env["bookings.booking"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_all"
        )
        domain, context = [("id", "in", self.booking_ids.ids)], {"active_test": False}
        return {**action, "domain": domain, "context": context}

    def _bookings_in_block(self, block):
        """Return the information block of a layout such as DIN 5008 with the service period below the invoice's dates.

        :param Markup block: a table, in which an empty row may separate the invoice from its customer
        """
        self.ensure_one()
        if not (self.bookings_service_start and self.bookings_service_stop):
            return block
        row = Markup("<tr><td>%s</td> <td>%s – %s</td></tr>") % (
            self.env._("Service period"),
            format_date(self.env, self.bookings_service_start),
            format_date(self.env, self.bookings_service_stop),
        )
        return Markup(END_OF_ROWS.sub(lambda end: row + Markup(end[0]), str(block), count=1))

    def _bookings_action(self):
        """Return the action that opens the invoice, or the list of several."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        if len(self) == 1:
            return {**action, "views": [(False, "form")], "res_id": self.id}
        return {
            **action,
            "domain": [("id", "in", self.ids)],
            "context": {"default_move_type": "out_invoice"},
        }
