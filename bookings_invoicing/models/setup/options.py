from odoo import api, fields, models

from ..base.readable_links import ROLES
from .setup import check_line_template


class BookingsSyncSetup(models.Model):
    """What a setup gives to its invoices besides date, text and grouping."""

    _inherit = "bookings.sync.setup"

    invoice_cash_rounding_id = fields.Many2one("account.cash.rounding", string="Cash Rounding")
    analytic_distribution = fields.Json()
    analytic_precision = fields.Integer(
        store=False,
        default=lambda self: self.env["decimal.precision"].precision_get("Percentage Analytic"),
    )
    ask_attendance = fields.Boolean(
        string="Ask Who Came",
        help="A booking of which nobody has said whether the attendee came is pointed out in the preview, and left to a "
        "person by automatic drafts. It can be billed all the same.",
    )
    auto_draft = fields.Selection(
        [("daily", "Every night"), ("weekly", "Every week"), ("monthly", "Every month")],
        string="Automatic Drafts",
        tracking=True,
        help="Empty: off. Drafts are created by the clock, never confirmed. Left for a person: whatever was billed before, "
        "first-time payers, amounts over the limit, and anything with a hint.",
    )
    auto_draft_limit = fields.Monetary(
        string="Limit of Automatic Drafts",
        bounds=(0, 10**12),
        help="Invoices above it wait for a person; 0: no limit.",
    )
    auto_drafted_on = fields.Date(string="Last Automatic Drafts", readonly=True, copy=False)


class ResPartner(models.Model):
    _inherit = "res.partner"

    bookings_grouping = fields.Selection(
        [
            ("customer", "One invoice"),
            ("customer_month", "One per month"),
            ("customer_week", "One per week"),
            ("booking", "One per booking"),
        ],
        string="Bookings: Grouping",
        groups=ROLES,
        help="How this payer's bookings are grouped on invoices; empty: as the sync setup says.",
    )
    bookings_line_template = fields.Char(
        string="Bookings: Line Text",
        groups=ROLES,
        help="Text of this payer's invoice lines; empty: that of the sync setup, without names where somebody else "
        "came. Words in braces are filled in, as on the sync setup.",
    )

    @api.constrains("bookings_line_template")
    def _check_bookings_line_template(self):
        for partner in self.filtered("bookings_line_template"):
            check_line_template(self.env, partner.bookings_line_template)
