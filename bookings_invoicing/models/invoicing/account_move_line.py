from odoo import api, fields, models
from odoo.tools import float_compare
from odoo.tools.sql import column_exists, create_column

from ..base.moments import INVOICES_CHANGED
from ..base.readable_links import ROLES, OwnValue
from . import billed_line, line_handover

# Value of the context key ``bookings_unlinked_copy``: copied lines bill no booking. No RPC call can send it.
UNLINKED = object()


class AccountMoveLine(models.Model):
    """Invoice lines that bill bookings. The billed amount of a booking is its posted invoice lines less credit lines."""

    _name = "account.move.line"
    _inherit = ["account.move.line", "bookings.own.links"]

    booking_id = fields.Many2one(
        "bookings.booking",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        groups=ROLES,
    )
    booking_released = fields.Boolean(
        copy=False,
        readonly=True,
        groups=ROLES,
        help="The line was credited, and a user released the booking to be billed again.",
    )
    booking_live = fields.Boolean(
        compute="_compute_booking_live",
        store=True,
        groups=ROLES,
        copy=False,
        help="This line bills its booking: its invoice is neither canceled nor fully credited.",
    )

    booking_tax_included = fields.Boolean(
        compute="_compute_booking_tax_included",
        store=True,
        readonly=False,  # credit notes copy it; _read_only_fields keeps users from writing it
        groups=ROLES,
        copy=False,
        help="The price of the booking included taxes when this line was created.",
    )

    booking_written = fields.Json(
        compute="_compute_booking_written",
        store=True,
        copy=False,
        groups="base.group_system",
        help="The line as it was created. Differences are manual changes.",
    )

    _booking_live_uniq = models.UniqueIndex(
        "(booking_id) WHERE booking_live",
        "A booking can only be on one invoice. Remove it from the other invoice, or cancel or credit that "
        "invoice first.",
    )

    def _auto_init(self):
        # Existing lines have no booking. Creating the columns here keeps Odoo from computing them for all lines.
        for name, kind in (
            ("booking_live", "boolean"),
            ("booking_tax_included", "boolean"),
            ("booking_written", "jsonb"),
        ):
            if not column_exists(self.env.cr, self._table, name):
                create_column(self.env.cr, self._table, name, kind)
        return super()._auto_init()

    @api.model
    def _read_only_fields(self):
        return super()._read_only_fields() | {"booking_tax_included"}

    @api.depends("booking_id")
    def _compute_booking_tax_included(self):
        # Stored once, because a later change of the setup does not apply to existing lines.
        for line in self.filtered("booking_id"):
            line.booking_tax_included = line.booking_id.setup_id.price_tax == "included"

    @api.depends("booking_id")
    def _compute_booking_written(self):
        # Only on creation, because later changes are compared with it.
        for line in self.filtered(lambda line: line.booking_id and not line.booking_written):
            line.booking_written = billed_line.facts(line)

    @api.depends(
        "booking_id",
        "booking_released",
        "parent_state",
        "move_id.move_type",
        "booking_id.invoice_line_ids.parent_state",
        "booking_id.invoice_line_ids.price_subtotal",
    )
    def _compute_booking_live(self):
        for line in self:
            live = bool(
                line.booking_id
                and line.move_id.move_type == "out_invoice"
                and line.parent_state != "cancel"
                and not line.booking_released
                and not line._booking_credited_to_zero()
            )
            # Assign only changes. Otherwise, all lines without a booking would be written, too.
            if line.booking_live != live:
                line.booking_live = live

    def _booking_amount(self):
        """Return the amount of the line on the basis of its booking's price: with or without taxes."""
        self.ensure_one()
        return self._booking_gross() if self.booking_tax_included else self.price_subtotal

    def _booking_gross(self):
        """Return the line's total with taxes, but without withholding taxes, which are not part of a price."""
        self.ensure_one()
        withheld = self.tax_ids._bookings_withheld()
        if not withheld:
            return self.price_total
        engine, company = self.env["account.tax"], self.company_id
        base_line = self.move_id._prepare_product_base_line_for_taxes_computation(self)
        engine._add_tax_details_in_base_line(base_line, company)
        engine._round_base_lines_tax_details([base_line], company)
        rows = base_line["tax_details"]["taxes_data"]
        kept_back = sum(row["tax_amount_currency"] for row in rows if row["tax"] in withheld)
        return self.currency_id.round(self.price_total - kept_back)

    def _booking_edited(self):
        """Return whether a user changed the amount of this draft line since it was created.

        A difference that comes from Odoo's rounding of several taxes does not count.
        """
        self.ensure_one()
        booking = self.booking_id
        agreed = booking._amount_to_bill(self)
        if self.currency_id.compare_amounts(self._booking_amount(), agreed) == 0:
            return False
        split = booking._split()
        values = booking._prepare_invoice_line(split)
        return (
            bool(self.discount)
            or self.tax_ids != booking._line_taxes(split)
            or any(
                float_compare(self[name], values[name], precision_digits=6)
                for name in ("quantity", "price_unit")
            )
        )

    def _booking_billed(self):
        """Return the amount of the posted invoice lines less the posted credit lines among these."""
        return sum(
            line._booking_amount() * (-1 if line.move_id.move_type == "out_refund" else 1)
            for line in self
            if line.parent_state == "posted"
        )

    def _booking_credited(self):
        """Return the amount that was credited and not billed again.

        It is the posted credit lines less the posted invoice lines after the first one.
        """
        posted = self.filtered(lambda line: line.parent_state == "posted").sorted("id")
        invoiced = posted.filtered(lambda line: line.move_id.move_type == "out_invoice")
        return -(posted - invoiced[:1])._booking_billed()

    def _booking_credit_lines(self):
        """Return the posted credit note lines that credit this invoice line."""
        self.ensure_one()
        return self.booking_id.invoice_line_ids.filtered(
            lambda line: (
                line.move_id.move_type == "out_refund"
                and line.parent_state == "posted"
                and line.move_id.reversed_entry_id == self.move_id
            )
        )

    def _booking_credited_to_zero(self):
        self.ensure_one()
        if self.parent_state != "posted":
            return False
        credits = self._booking_credit_lines()
        left = self.price_subtotal - sum(credits.mapped("price_subtotal"))
        return bool(credits) and self.currency_id.compare_amounts(left, 0.0) <= 0

    def unlink(self):
        # EXTENDS 'account': if the line was copied to another draft before, the booking moves there; otherwise it is
        # updated immediately
        lines = self.sudo().filtered("booking_id")
        bookings, moves = lines.booking_id, lines.move_id
        left = line_handover.describe(lines)
        lines.filtered("move_id.posted_before").booking_id.posted_invoice_deleted = True
        result = super().unlink()
        if not lines:
            return result
        line_handover.hand_over(self.env, left)
        moves._bookings_follow_period()
        moves._bookings_count_again()
        bookings._settle_free()
        INVOICES_CHANGED(bookings)
        return result

    def _copy_data_extend_business_fields(self, values):
        # EXTENDS 'account': a credit note credits the booking, and the new draft of "Reverse and Create Invoice" bills a
        # booking that the credit note freed. No other copy with business fields bills it again.
        super()._copy_data_extend_business_fields(values)
        line = self.sudo()
        unlinked = self.env.context.get("bookings_unlinked_copy") is UNLINKED
        if not line.booking_id or unlinked:
            return
        is_credit = "move_reverse_cancel" in self.env.context
        if is_credit or not line.booking_id.invoice_line_ids.filtered("booking_live"):
            values["booking_id"] = OwnValue(line.booking_id.id)
            values["booking_tax_included"] = OwnValue(line.booking_tax_included)
