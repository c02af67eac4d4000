from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...billing import labels
from ...billing.fees import fee_of
from ...billing.status import NOT_BILLABLE_REASONS
from ..base.moments import BILLING_CHANGED
from .setup import FEE_KINDS


class BookingsLabelRule(models.Model):
    """How a label that staff set on an appointment in Bookings affects its billing."""

    _name = "bookings.label.rule"
    _description = "Bookings Label Rule"
    _order = "setup_id, sequence, id"
    _rec_name = "text"
    _inherit = ["bookings.own.links", "bookings.bounded"]
    _check_company_auto = True

    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10, bounds=(-(10**6), 10**6))
    text = fields.Char(
        string="Label", required=True, help="Not case-sensitive; spaces are ignored."
    )
    match = fields.Selection(
        [("exact", "Is"), ("contains", "Contains")], default="exact", required=True
    )
    outcome = fields.Selection(
        [
            ("not_billable", "Do not bill"),
            ("no_show", "No-Show"),
            ("free", "Free of charge"),
            ("fee", "Bill a fee instead"),
            ("payer", "Bill another contact"),
            ("attention", "Ask a user"),
        ],
        required=True,
    )
    reason = fields.Selection(list(NOT_BILLABLE_REASONS), default="label")
    fee_kind = fields.Selection(FEE_KINDS[1:], default="amount")
    fee_value = fields.Float(string="Fee", min_display_digits="Product Price", bounds=(0, 10**9))
    payer_id = fields.Many2one("res.partner", check_company=True, ondelete="restrict")
    note = fields.Char()

    @api.constrains("outcome", "fee_kind", "fee_value", "payer_id", "setup_id")
    def _check_outcome(self):
        for rule in self:
            try:
                rule._plain()
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "The label rule “%(label)s” needs a payer, or a fee between 0 and 100 percent.",
                        label=rule.text,
                    )
                ) from error
            if rule.outcome == "fee" and not rule.setup_id.fee_product_id:
                raise ValidationError(self.env._("Select the fee product on the sync setup first."))

    def _plain(self):
        """:rtype: bookings_invoicing.billing.labels.LabelRule"""
        self.ensure_one()
        return labels.LabelRule(
            self.text,
            self.outcome,
            match=self.match,
            reason=self.reason or "label",
            fee=fee_of(self.fee_kind, self.fee_value) if self.outcome == "fee" else None,
            payer=self.payer_id.id if self.outcome == "payer" else None,
            note=self.note or "",
        )

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules.setup_id._apply_label_rules()
        return rules

    def write(self, vals):
        result = super().write(vals)
        self.setup_id._apply_label_rules()
        return result

    def unlink(self):
        bookings = self.env["bookings.booking"].search([("label_rule_id", "in", self.ids)])
        result = super().unlink()
        BILLING_CHANGED(bookings)
        return result
