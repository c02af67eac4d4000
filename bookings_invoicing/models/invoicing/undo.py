from odoo import fields, models


class BookingsInvoiceRun(models.Model):
    _inherit = "bookings.invoice.run"

    joined_line_ids = fields.Many2many(
        "account.move.line",
        string="Lines Added to Drafts",
        readonly=True,
        help="Lines that this run added to existing drafts.",
    )

    def _undo_joined(self):
        """Remove the unchanged lines that this run added to existing drafts.

        :returns: ``(drafts, number of removed lines, [name of a kept line with the reason])``
        """
        lines = self.joined_line_ids.exists()
        drafts, kept = lines.move_id, []
        for line in lines:
            reason = self._joined_reason(line)
            if reason:
                kept.append(
                    f"{line.move_id.display_name}, {line.booking_id.display_name}: {reason}"
                )
                lines -= line
        count = len(lines)
        lines.with_context(skip_is_manually_modified=True).unlink()
        return drafts, count, kept

    def _joined_reason(self, line):
        if line.parent_state != "draft" or line.move_id.posted_before:
            return self.env._("posted")
        if line._booking_edited():
            return self.env._("changed manually")
        return ""
