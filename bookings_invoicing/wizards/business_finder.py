from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .. import graph
from ..models.base.graph_errors import tell
from ..models.golive.templates import make_templates

LISTED = 500  # maximum number of businesses that Graph lists


class BookingsBusinessFinder(models.TransientModel):
    """Choose a Bookings business of a connection to create or open its sync setup."""

    _name = "bookings.business.finder"
    _inherit = "bookings.own.links"
    _description = "Find a Bookings Business"

    connection_id = fields.Many2one("bookings.connection", required=True, readonly=True)
    query = fields.Char(
        string="Search",
        help="Microsoft lists at most 500 businesses. Search by part of the name.",
    )
    address = fields.Char(help="The mailbox address of the business, if it is not in the list.")
    line_ids = fields.One2many("bookings.business.finder.line", "finder_id", string="Businesses")
    import_missing = fields.Boolean(
        string="Create missing customers and products",
        default=True,
        help="Turns on both imports of a new setup. They use the templates of the company's other setups, or new ones. "
        "You can change or turn off both on the setup.",
    )
    is_complete = fields.Boolean(string="All Listed", readonly=True, default=True)

    def _open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bookings Businesses"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_search(self):
        self.ensure_one()
        self._list_businesses()
        return self._open()

    def _list_businesses(self):
        """List the businesses that Microsoft finds. If an organization has too many, the user must search.

        :raises UserError: if Bookings cannot be read
        """
        try:
            businesses = self.connection_id._businesses(self.query or "")
        except graph.GraphError as error:
            if error.kind != "too_many_businesses":
                raise UserError(tell(self.env, error)) from error
            businesses, self.is_complete = [], False
        else:
            self.is_complete = len(businesses) < LISTED
        self.line_ids = [
            Command.clear(),
            *(Command.create({"business_id": b.id, "name": b.name or b.id}) for b in businesses),
        ]

    def action_use_address(self):
        self.ensure_one()
        self.connection_id.check_access("write")
        if not (self.address or "").strip():
            raise UserError(self.env._("Enter the mailbox address of the business first."))
        return self._use(self.address.strip())

    def _use(self, business_id):
        """Open the setup of this business in the current company, after creating it and fetching its services."""
        setup = self.env["bookings.sync.setup"]._of_business(
            self.connection_id, business_id, self.env.company
        )
        if not setup.service_ids:
            setup._read_services()
            if self.import_missing and not setup._last_good():
                make_templates(setup)
        return {
            "type": "ir.actions.act_window",
            "res_model": "bookings.sync.setup",
            "res_id": setup.id,
            "view_mode": "form",
        }


class BookingsBusinessFinderLine(models.TransientModel):
    _name = "bookings.business.finder.line"
    _inherit = "bookings.own.links"
    _description = "Bookings Business"

    finder_id = fields.Many2one(
        "bookings.business.finder", required=True, ondelete="cascade", index=True
    )
    business_id = fields.Char(string="Address", required=True)
    name = fields.Char(required=True)

    def action_use(self):
        self.ensure_one()
        return self.finder_id._use(self.business_id)
