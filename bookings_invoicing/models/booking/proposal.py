from odoo import fields, models
from odoo.exceptions import UserError

from ..setup.question_rule import ANSWER_FIELDS


class BookingsProposal(models.Model):
    """A value from Bookings that differs from Odoo or is invalid. A user accepts or dismisses it."""

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
    customer_id = fields.Many2one(
        "bookings.customer",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
        help="The customer whose value was changed in Odoo and in Bookings. Dismiss writes the value of Odoo to Bookings.",
    )
    service_id = fields.Many2one(
        "bookings.service",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
        help="The service whose value was changed in Odoo and in Bookings. Dismiss writes the value of Odoo to Bookings.",
    )
    field = fields.Selection(
        [
            *ANSWER_FIELDS,
            ("name", "Name"),
            ("email", "Email"),
            ("phone", "Phone"),
            ("address", "Address"),
            ("price", "Price"),
            ("description", "Description"),
        ],
        required=True,
        readonly=True,
    )
    current = fields.Char(readonly=True)
    proposed = fields.Char(required=True, readonly=True)
    why = fields.Char(readonly=True)
    contact_values = fields.Json(
        readonly=True, help="The proposed phone or address, by field of the contact."
    )
    state = fields.Selection(
        [("open", "To Check"), ("accepted", "Accepted"), ("dismissed", "Dismissed")],
        default="open",
        required=True,
    )

    def action_accept(self):
        """Write the proposed values to the contacts or bookings.

        :raises UserError: if a booking has no customer yet, or if no field can store the value
        """
        self.check_access("write")
        for proposal in self.filtered(lambda one: one.state == "open"):
            if row := proposal.customer_id or proposal.service_id:
                proposal.state = "accepted"
                row._decide(proposal.field, "bookings")
                continue
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
            # Odoo's Invoicing role may not change contacts. Our role may, but only these fields of customers.
            if proposal.contact_values:
                target.sudo()._bookings_take_contact(proposal.contact_values)
            else:
                target.sudo()._take_answer(proposal.field, proposal.proposed)
            proposal.state = "accepted"

    def action_dismiss(self):
        """Keep the values in Odoo. The same values are not proposed again.

        Where a value was changed in Bookings, too, the one in Odoo is written to Bookings.
        """
        self.check_access("write")
        waiting = self.filtered(lambda one: one.state == "open")
        self.state = "dismissed"
        for proposal in waiting:
            if row := proposal.customer_id or proposal.service_id:
                row._decide(proposal.field, "odoo")
