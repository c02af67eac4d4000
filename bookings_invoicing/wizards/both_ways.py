from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .. import graph
from ..models.base.graph_errors import tell

OUTCOMES = [
    ("create_there", "Create in Bookings"),
    ("change_there", "Change in Bookings"),
    ("create_here", "Create in Odoo"),
    ("change_here", "Change in Odoo"),
    ("conflict", "Different on both sides"),
    ("left", "Left as it is"),
]


class BookingsBothWays(models.TransientModel):
    """What would happen if customers were kept the same on both sides. Nothing happens until it is confirmed."""

    _name = "bookings.both.ways"
    _inherit = "bookings.own.links"
    _description = "Both Ways"

    setup_id = fields.Many2one(
        "bookings.sync.setup", required=True, readonly=True, ondelete="cascade"
    )
    scope = fields.Char(readonly=True, help="The settings that were previewed.")
    when_both_changed = fields.Selection(related="setup_id.when_both_changed")
    create_there = fields.Integer(string="Create in Bookings", readonly=True)
    change_there = fields.Integer(string="Change in Bookings", readonly=True)
    create_here = fields.Integer(string="Create in Odoo", readonly=True)
    change_here = fields.Integer(string="Change in Odoo", readonly=True)
    conflict = fields.Integer(string="Different on Both Sides", readonly=True)
    left = fields.Integer(
        string="Left as They Are",
        readonly=True,
        help="Several customers in Bookings have the same contact in Odoo, such as a family with one email address.",
    )
    line_ids = fields.One2many("bookings.both.ways.line", "wizard_id", string="Customers")

    def _read(self):
        """Read the customers from Bookings, and list what would happen.

        :raises UserError: if Bookings cannot be read
        """
        self.ensure_one()
        setup = self.setup_id
        try:
            pages = setup._client().customers(setup.business_id)
            records = [record for page in pages for record in page.records]
        except graph.GraphError as error:
            raise UserError(tell(self.env, error)) from error
        found = self.env["bookings.customer"]._foresee(setup.sudo(), records)
        numbers = dict.fromkeys(dict(OUTCOMES), 0)
        for outcome, _name, _detail in found:
            numbers[outcome] += 1
        self.write(
            {
                **numbers,
                "scope": setup._customers_scope(),
                "line_ids": [
                    Command.clear(),
                    *(
                        Command.create({"outcome": outcome, "name": name, "detail": detail})
                        for outcome, name, detail in found
                    ),
                ],
            }
        )

    def action_confirm(self):
        """Keep customers the same on both sides from now on.

        :raises UserError: if the settings have changed since they were previewed
        """
        self.ensure_one()
        setup = self.setup_id
        setup.check_access("write")
        if setup.customer_sync != "both" or self.scope != setup._customers_scope():
            raise UserError(
                self.env._(
                    "The settings have changed. Open this preview again from the sync setup."
                )
            )
        setup._check_both_ways()
        self.env["bookings.customer"]._read_all_again(setup)
        setup._confirm_customers()
        return {"type": "ir.actions.act_window_close"}


class BookingsBothWaysLine(models.TransientModel):
    _name = "bookings.both.ways.line"
    _inherit = ["bookings.own.links", "bookings.safe.export"]
    _description = "Customer on Both Sides"
    _order = "outcome, name, id"

    wizard_id = fields.Many2one("bookings.both.ways", required=True, ondelete="cascade", index=True)
    outcome = fields.Selection(OUTCOMES, required=True, readonly=True)
    name = fields.Char(string="Customer", readonly=True)
    detail = fields.Char(string="Values", readonly=True)
