from odoo import fields, models
from odoo.exceptions import UserError

from ... import graph
from ...billing import questions
from ..base.graph_errors import tell

ANSWER_FIELDS = [
    ("company_name", "Company name"),
    ("vat", "Tax ID"),
    ("reference", "Purchase order reference"),
    ("billing_email", "Billing e-mail"),
    ("gln", "GLN / EAN location number"),
    ("peppol", "Peppol address"),
    ("leitweg_id", "Leitweg-ID"),
]


class BookingsQuestionRule(models.Model):
    """Which question of the booking form answers which invoice field; other answers are not kept."""

    _name = "bookings.question.rule"
    _inherit = ["bookings.own.links"]
    _description = "Bookings Form Question"
    _order = "setup_id, id"
    _rec_name = "question"
    _check_company_auto = True

    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    question_id = fields.Char(string="Bookings ID", readonly=True)
    question = fields.Char(required=True)
    field = fields.Selection(
        ANSWER_FIELDS, string="Answers", help="Empty: answers to this question are not kept."
    )


class BookingsSyncSetup(models.Model):
    _inherit = "bookings.sync.setup"

    question_rule_ids = fields.One2many(
        "bookings.question.rule", "setup_id", string="Form Questions", copy=True
    )
    keep_notes = fields.Boolean(help="Keep what customers write when they book.")

    def _question_rules(self):
        """:rtype: list[bookings_invoicing.billing.questions.QuestionRule]"""
        self.ensure_one()
        return [
            questions.QuestionRule(rule.field, rule.question_id or "", rule.question)
            for rule in self.question_rule_ids
            if rule.field
        ]

    def action_read_questions(self):
        """List the questions of the business's booking form, to say which of them matter."""
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
