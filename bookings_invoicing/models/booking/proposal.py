from odoo import fields, models
from odoo.exceptions import UserError

from ..setup.question_rule import ANSWER_FIELDS


class BookingsProposal(models.Model):
    """What a customer said in Bookings that differs from what Odoo holds, or cannot be right: a person decides."""

    _name = "bookings.proposal"
    _inherit = ["bookings.own.links"]
    _description = "Bookings Proposal"
    _order = "id desc"
    _rec_name = "proposed"
    _check_company_auto = True

    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    booking_id = fields.Many2one("bookings.booking", ondelete="cascade", index="btree_not_null")
    partner_id = fields.Many2one("res.partner", ondelete="cascade", index="btree_not_null")
    field = fields.Selection(
        [*ANSWER_FIELDS, ("phone", "Phone"), ("address", "Address")], required=True, readonly=True
    )
    current = fields.Char(readonly=True)
    proposed = fields.Char(required=True, readonly=True)
    why = fields.Char(readonly=True)
    contact_values = fields.Json(
        readonly=True, help="The proposed phone or address, by field of the contact."
    )
    state = fields.Selection(
        [("open", "Open"), ("accepted", "Accepted"), ("dismissed", "Dismissed")],
        default="open",
        required=True,
    )

    def action_accept(self):
        """Write the answer into its field."""
        self.check_access("write")
        for proposal in self.filtered(lambda one: one.state == "open"):
            booking = proposal.booking_id
            target = (
                booking
                if proposal.field == "reference"
                else proposal.partner_id or booking.partner_id
            )
            if not target:
                raise UserError(
                    self.env._("Select the customer of %s first.", booking.display_name)
                )
            # Odoo's Invoicing role may not change contacts; ours may accept these fields of its customers.
            if proposal.contact_values:
                target.sudo()._bookings_take_contact(proposal.contact_values)
            else:
                target.sudo()._take_answer(proposal.field, proposal.proposed)
            proposal.state = "accepted"

    def action_dismiss(self):
        """Keep what Odoo holds; the same answer is not proposed again."""
        self.check_access("write")
        self.state = "dismissed"
