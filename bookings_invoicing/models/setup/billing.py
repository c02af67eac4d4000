from odoo import api, models
from odoo.exceptions import UserError, ValidationError

from ... import graph
from ...billing import labels, questions
from ...billing.fees import fee_of
from ...billing.status import BILLED
from ..base.graph_errors import tell
from ..base.moments import BILLING_CHANGED
from .journal import sales_journal
from .setup import TEMPLATE_FIELDS


class BookingsSyncSetup(models.Model):
    """Billing rules of a setup: blockers of all its invoices, labels, fees, and form questions."""

    _inherit = "bookings.sync.setup"

    def _billing_blockers(self):
        """Return the blockers of all invoices of this setup: ``{key: params}``."""
        self.ensure_one()
        journal = sales_journal(self)
        if not journal or not journal.active:
            return {"journal": {}}
        journal_currency = journal.currency_id
        if not self.currency_id.active or (
            journal_currency and journal_currency != self.currency_id
        ):
            return {
                "currency": {"currency": self.currency_id.name, "journal": journal.display_name}
            }
        return {}

    def _customer_defaults(self):
        """Return the values of a new customer that come from the template, read in the setup's company."""
        self.ensure_one()
        template = self.customer_template_id.with_company(self.company_id).sudo()
        values = {}
        for name in TEMPLATE_FIELDS:
            field = template._fields.get(name)
            if not template or field is None or not template[name]:
                continue
            values[name] = field.convert_to_write(template[name], template)
        return values

    # -- labels and fees ---------------------------------------------------------------------------------

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
                    fee_of(setup.no_show_fee_kind, setup.no_show_fee),
                    fee_of(setup.late_cancel_fee_kind, setup.late_cancel_fee),
                ]
            except ValueError as error:
                raise ValidationError(
                    self.env._("A fee cannot be negative or more than 100 percent of the price.")
                ) from error
            if any(fees) and not setup.fee_product_id:
                raise ValidationError(self.env._("Select the product for invoicing fees."))

    def _label_rules(self):
        """Return the label rules in order, as ``[(LabelRule, record)]``."""
        self.ensure_one()
        return [
            (rule._plain(), rule)
            for rule in self.label_rule_ids.sorted(lambda rule: (rule.sequence, rule.id))
        ]

    def _rule_for(self, label, rules):
        """Return the rule that applies to a label, or an empty recordset.

        :param rules: the result of :meth:`_label_rules`
        """
        met = labels.rule_for(label, [rule for rule, _record in rules])
        return next((record for rule, record in rules if rule is met), self.label_rule_ids.browse())

    def _apply_label_rules(self):
        """Apply changed rules to bookings that are not billed yet."""
        for setup in self:
            waiting = setup.env["bookings.booking"].search(
                [
                    ("setup_id", "=", setup.id),
                    ("status", "not in", BILLED),
                    "|",
                    ("label", "!=", False),
                    ("label_rule_id", "!=", False),
                ]
            )
            BILLING_CHANGED(waiting)

    # -- questions of the booking form -------------------------------------------------------------------

    def _question_rules(self):
        """:rtype: list[bookings_invoicing.billing.questions.QuestionRule]"""
        self.ensure_one()
        return [
            questions.QuestionRule(rule.field, rule.question_id or "", rule.question)
            for rule in self.question_rule_ids
            if rule.field
        ]

    def action_read_questions(self):
        """Read the questions of the business's booking form, so that the user can assign them to invoice fields.

        :raises UserError: if Bookings cannot be read
        """
        self.check_access("write")
        for setup in self:
            known = set(setup.question_rule_ids.mapped("question_id"))
            try:
                pages = list(setup._client().custom_questions(setup.business_id))
            except graph.GraphError as error:
                raise UserError(tell(self.env, error)) from error
            setup.question_rule_ids.check_access("create")
            setup.question_rule_ids.sudo().create(
                [
                    {
                        "setup_id": setup.id,
                        "question_id": one.id,
                        "question": one.question or one.id,
                    }
                    for page in pages
                    for one in page.records
                    if one.id not in known
                ]
            )
