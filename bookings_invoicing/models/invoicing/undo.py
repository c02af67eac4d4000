from odoo import fields, models


class Joining(frozenset):
    """Ids of the drafts that a run may add to, as value of the context key ``bookings_join``: no call can send it."""


class BookingsBooking(models.Model):
    """Putting bookings on a draft that is there already, where a person says so; it is never the default."""

    _inherit = "bookings.booking"

    def _draft_to_join(self, split, among=None):
        """A draft of the same payer, never confirmed, that agrees in all that separates invoices.

        :param bookings_invoicing.billing.grouping.Split split:
        :param among: ids of drafts; others are not looked at
        """
        domain = [
            ("move_type", "=", "out_invoice"),
            ("state", "=", "draft"),
            ("posted_before", "=", False),
            ("company_id", "=", split.company),
            ("partner_id", "=", split.payer),
            ("currency_id", "=", split.currency),
            ("journal_id", "=", split.journal),
            ("fiscal_position_id", "=", split.fiscal_position),
            ("partner_shipping_id", "=", split.delivery_address),
            ("ref", "=", split.reference or False),
        ]
        if among is not None:
            domain.append(("id", "in", among))
        return self.env["account.move"].search(domain, limit=1)

    def _draft(self, run, settings):
        wanted = settings.get("join")
        if not wanted:
            return super()._draft(run, settings)
        result = super(BookingsBooking, self.with_context(bookings_join=Joining(wanted)))._draft(
            run, settings
        )
        run.sudo().joined_line_ids |= self.sudo().invoice_line_ids.filtered(
            lambda line: line.booking_live and line.move_id.id in wanted
        )
        return result

    def _create_documents_invoice(self, groups):
        wanted = self.env.context.get("bookings_join")
        if type(wanted) is not Joining:
            return super()._create_documents_invoice(groups)
        joined, rest = self.env["account.move"], []
        for bookings, group in groups:
            # somebody who works on the draft at this moment keeps it: the bookings get one of their own
            draft = bookings._draft_to_join(group.split, list(wanted)).try_lock_for_update()
            if draft and draft.state == "draft":
                bookings._join(draft, group.split)
                joined |= draft
            else:
                rest.append((bookings, group))
        return joined | super()._create_documents_invoice(rest) if rest else joined

    def _join(self, draft, split):
        dates = (draft.invoice_line_ids.booking_id | self)._invoice_dates()
        dates.pop("invoice_date", None)  # the draft's own stays
        dates["delivery_date"] = max(filter(None, (draft.delivery_date, dates["delivery_date"])))
        draft.check_access("write")
        draft.sudo().with_context(skip_is_manually_modified=True).write(
            {"invoice_line_ids": self._prepare_lines(split), **dates}
        )
        self._note_billed()


class BookingsInvoiceRun(models.Model):
    _inherit = "bookings.invoice.run"

    joined_line_ids = fields.Many2many(
        "account.move.line",
        string="Lines Added to Drafts",
        readonly=True,
        help="Lines of this run on drafts that were there before",
    )

    def _undo_joined(self):
        """Take the untouched lines of this run off the drafts that were there before.

        :returns: ``(the drafts, how many lines went, names of lines that stay with the reason)``
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
            return self.env._("confirmed")
        if line._booking_edited():
            return self.env._("changed by hand")
        return ""
