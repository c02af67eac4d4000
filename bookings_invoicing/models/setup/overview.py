from odoo import api, models
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

from ...billing.status import ATTENTION_REASONS, BILLED

# Statuses that each row of the overview counts. One more row counts bookings that changed since billing.
ROWS = {
    "ready": ("ready",),
    "attention": ("attention",),
    "drafted": tuple(status for status in BILLED if status != "invoiced"),
    "upcoming": ("upcoming",),
}
CHANGED = Domain("changed_since_billing", "=", True)


class BookingsSyncSetup(models.Model):
    """The accountant's overview: open work of each setup, with its amounts and next steps."""

    _inherit = "bookings.sync.setup"

    @api.depends_context("lang")
    def _compute_overview(self):
        """Compute counts and amounts of each row, with two grouped queries for all setups.

        ``{row: {"count": 3, "text": "3 ready", "amount": "$ 120.00", "detail": "Price Missing: 2"}}``. Rows without
        bookings are left out.
        """
        found = {setup: {} for setup in self}
        reasons = {setup: {} for setup in self}
        rows = {status: row for row, statuses in ROWS.items() for status in statuses}
        mine = Domain("setup_id", "in", self.ids)
        bookings = self.env["bookings.booking"]
        for setup, status, reason, count, amount in bookings._read_group(
            mine & Domain("status", "in", list(rows)),
            ["setup_id", "status", "attention_reason"],
            ["__count", "amount:sum"],
        ):
            self._add_to_row(found[setup], rows[status], count, amount)
            if reason:
                reasons[setup][reason] = count
        for setup, count, amount in bookings._read_group(
            mine & CHANGED, ["setup_id"], ["__count", "amount:sum"]
        ):
            self._add_to_row(found[setup], "changed", count, amount)
        labels = dict(bookings._fields["attention_reason"]._description_selection(self.env))
        for setup in self:
            overview = {row: setup._row_texts(row, *sums) for row, sums in found[setup].items()}
            if "attention" in overview:
                overview["attention"]["detail"] = ", ".join(
                    f"{labels[reason]}: {reasons[setup][reason]}"
                    for reason, _label in ATTENTION_REASONS
                    if reason in reasons[setup]
                )
            setup.overview = overview

    @staticmethod
    def _add_to_row(found, row, count, amount):
        before = found.get(row, (0, 0.0))
        found[row] = (before[0] + count, before[1] + amount)

    def _row_texts(self, row, count, amount):
        texts = {
            "ready": self.env._("%s ready", count),
            "attention": self.env._("%s need attention", count),
            "changed": self.env._("%s changed since billing", count),
            "drafted": self.env._("%s on drafts", count),
            "upcoming": self.env._("%s not yet ended", count),
        }
        return {"count": count, "text": texts[row], "amount": self.currency_id.format(amount)}

    def action_open_ready(self):
        return self._open_bookings(Domain("status", "in", ROWS["ready"]))

    def action_open_attention(self):
        """Open the bookings that need attention, grouped by reason."""
        action = self._open_bookings(Domain("status", "in", ROWS["attention"]))
        return {**action, "context": {**action["context"], "search_default_group_reason": 1}}

    def action_open_changed(self):
        action = self._open_bookings(CHANGED)
        return {**action, "context": {**action["context"], "bookings_changed": True}}

    def action_open_upcoming(self):
        return self._open_bookings(Domain("status", "in", ROWS["upcoming"]))

    def action_open_on_drafts(self):
        return self._open_bookings(Domain("status", "in", ROWS["drafted"]))

    def action_open_drafts(self):
        """Open the draft invoices of this setup, or its bookings if they are only on orders."""
        self.check_access("read")
        lines = self.env["account.move.line"].search(
            [
                ("booking_id.setup_id", "in", self.ids),
                ("booking_live", "=", True),
                ("parent_state", "=", "draft"),
            ]
        )
        if not lines:
            return self.action_open_on_drafts()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        context = {"default_move_type": "out_invoice"}
        return {**action, "domain": [("id", "in", lines.move_id.ids)], "context": context}

    def _open_bookings(self, which):
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_all"
        )
        domain = Domain("setup_id", "in", self.ids) & which
        context = safe_eval(action["context"] or "{}")
        return {**action, "domain": list(domain), "context": context, "name": self[:1].name}
