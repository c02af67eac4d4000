from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...billing import labels
from ...billing.status import BILLED, NOT_BILLABLE_REASONS

FEE_KINDS = [("none", "No fee"), ("amount", "Amount"), ("percent", "Per cent of the price")]


class BookingsLabelRule(models.Model):
    """What a label that staff stamp on an appointment in Bookings means for its invoice."""

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
        string="Label", required=True, help="Upper and lower case and spaces do not count."
    )
    match = fields.Selection(
        [("exact", "Is"), ("contains", "Contains")], default="exact", required=True
    )
    outcome = fields.Selection(
        [
            ("not_billable", "Do not bill"),
            ("no_show", "No-show"),
            ("free", "Free of charge"),
            ("fee", "Bill a fee instead"),
            ("payer", "Bill somebody else"),
            ("attention", "Ask a person"),
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
                        "The label rule “%(label)s” needs its payer, or a fee between nothing and 100 per cent.",
                        label=rule.text,
                    )
                ) from error
            if rule.outcome == "fee" and not rule.setup_id.fee_product_id:
                raise ValidationError(self.env._("Choose the fee product on the sync setup first."))

    def _plain(self):
        """:rtype: bookings_invoicing.billing.labels.LabelRule"""
        self.ensure_one()
        return labels.LabelRule(
            self.text,
            self.outcome,
            match=self.match,
            reason=self.reason or "label",
            fee=labels.fee_of(self.fee_kind, self.fee_value) if self.outcome == "fee" else None,
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
        bookings._refresh_billing()
        return result


class BookingsSyncSetup(models.Model):
    _inherit = "bookings.sync.setup"

    label_rule_ids = fields.One2many(
        "bookings.label.rule", "setup_id", string="Label Rules", copy=True
    )
    no_show_fee_kind = fields.Selection(
        FEE_KINDS, string="No-Show Fee", default="none", required=True
    )
    no_show_fee = fields.Float(
        string="Amount of the No-Show Fee",
        min_display_digits="Product Price",
        bounds=(0, 10**9),
    )
    late_cancel_fee_kind = fields.Selection(
        FEE_KINDS, string="Late Cancellation Fee", default="none", required=True
    )
    late_cancel_fee = fields.Float(
        string="Amount of the Late Cancellation Fee",
        min_display_digits="Product Price",
        bounds=(0, 10**9),
    )
    cancel_notice_hours = fields.Float(
        string="Cancel Until (Hours)",
        bounds=(0, 8784),
        help="Cancelled later than so many hours before it begins is late. 0: never late.",
    )
    fee_product_id = fields.Many2one(
        "product.product",
        check_company=True,
        ondelete="restrict",
        help="Fees are invoiced with this product, its account and its taxes.",
    )
    fee_no_tax = fields.Boolean(
        string="Fees Without Tax",
        help="Tick where fees are invoiced without tax on purpose.",
    )

    @api.constrains(
        "no_show_fee_kind",
        "no_show_fee",
        "late_cancel_fee_kind",
        "late_cancel_fee",
        "fee_product_id",
    )
    def _check_fees(self):
        for setup in self:
            try:
                fees = [
                    labels.fee_of(setup.no_show_fee_kind, setup.no_show_fee),
                    labels.fee_of(setup.late_cancel_fee_kind, setup.late_cancel_fee),
                ]
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "A fee cannot be negative, and not more than 100 per cent of the price."
                    )
                ) from error
            if any(fees) and not setup.fee_product_id:
                raise ValidationError(
                    self.env._("Choose the product with which fees are invoiced.")
                )

    def _label_rules(self):
        """``[(LabelRule, record)]`` in order; one that is not usable (its payer is gone) meets nothing."""
        self.ensure_one()
        return [
            (rule._plain(), rule)
            for rule in self.label_rule_ids.sorted(lambda rule: (rule.sequence, rule.id))
        ]

    def _rule_for(self, label, rules):
        """The rule that a label meets, or none.

        :param rules: as ``_label_rules`` gives them
        """
        met = labels.rule_for(label, [rule for rule, _record in rules])
        return next((record for rule, record in rules if rule is met), self.label_rule_ids.browse())

    def _apply_label_rules(self):
        """Let changed rules count for what is not billed yet."""
        for setup in self:
            setup.env["bookings.booking"].search(
                [
                    ("setup_id", "=", setup.id),
                    ("status", "not in", BILLED),
                    "|",
                    ("label", "!=", False),
                    ("label_rule_id", "!=", False),
                ]
            )._refresh_billing()
