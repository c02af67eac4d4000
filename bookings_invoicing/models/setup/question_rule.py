from odoo import fields, models

ANSWER_FIELDS = [
    ("company_name", "Company name"),
    ("vat", "Tax ID"),
    ("reference", "Purchase order reference"),
    ("billing_email", "Billing email"),
    ("gln", "GLN / EAN location number"),
    ("peppol", "Peppol address"),
    ("leitweg_id", "Leitweg-ID"),
]


class BookingsQuestionRule(models.Model):
    """Assigns a question of the booking form to an invoice field. Answers to other questions are not stored."""

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
        ANSWER_FIELDS, string="Answers", help="Leave empty to ignore answers to this question."
    )
