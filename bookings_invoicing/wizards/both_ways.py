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
    """What would happen if customers or services were kept the same on both sides. Nothing happens until it is confirmed."""

    _name = "bookings.both.ways"
    _inherit = "bookings.own.links"
    _description = "Both Ways"

    setup_id = fields.Many2one(
        "bookings.sync.setup", required=True, readonly=True, ondelete="cascade"
    )
    scope = fields.Json(readonly=True, help="The settings that were previewed.")
    when_both_changed = fields.Selection(related="setup_id.when_both_changed")
    create_there = fields.Integer(string="Create in Bookings", readonly=True)
    change_there = fields.Integer(string="Change in Bookings", readonly=True)
    create_here = fields.Integer(string="Create in Odoo", readonly=True)
    change_here = fields.Integer(string="Change in Odoo", readonly=True)
    conflict = fields.Integer(string="Different on Both Sides", readonly=True)
    left = fields.Integer(
        string="Left as They Are",
        readonly=True,
        help="Several customers or services in Bookings have the same contact or product in Odoo, such as a family with one "
        "email address.",
    )
    line_ids = fields.One2many(
        "bookings.both.ways.line", "wizard_id", string="Customers and Services"
    )

    def _read(self):
        """Read customers and services from Bookings, as far as they go both ways, and list what would happen.

        :raises UserError: if Bookings cannot be read
        """
        self.ensure_one()
        setup = self.setup_id
        scope, found = setup._both_ways_scope(), []
        for kind in scope:
            rows = self.env[f"bookings.{kind}"]
            found += [(kind, *line) for line in rows._foresee(setup.sudo(), self._records(kind))]
        numbers = dict.fromkeys(dict(OUTCOMES), 0)
        for _kind, outcome, _name, _detail in found:
            numbers[outcome] += 1
        self.write(
            {
                **numbers,
                "scope": scope,
                "line_ids": [
                    Command.clear(),
                    *(
                        Command.create(
                            {"kind": kind, "outcome": outcome, "name": name, "detail": detail}
                        )
                        for kind, outcome, name, detail in found
                    ),
                ],
            }
        )

    def _records(self, kind):
        """Return all customers or services in Bookings.

        :raises UserError: if Bookings cannot be read
        """
        setup = self.setup_id
        try:
            client = setup._client()
            pages = {"customer": client.customers, "service": client.services}[kind]
            return [record for page in pages(setup.business_id) for record in page.records]
        except graph.GraphError as error:
            raise UserError(tell(self.env, error)) from error

    def action_confirm(self):
        """Keep customers or services the same on both sides from now on.

        :raises UserError: if the settings have changed since they were previewed
        """
        self.ensure_one()
        setup = self.setup_id
        setup.check_access("write")
        scope = setup._both_ways_scope()
        if not scope or self.scope != scope:
            raise UserError(
                self.env._(
                    "The settings have changed. Open this preview again from the sync setup."
                )
            )
        setup._check_both_ways()
        for kind in scope:
            self.env[f"bookings.{kind}"]._read_all_again(setup)
        setup._confirm_both_ways()
        return {"type": "ir.actions.act_window_close"}


class BookingsBothWaysLine(models.TransientModel):
    _name = "bookings.both.ways.line"
    _inherit = ["bookings.own.links", "bookings.safe.export"]
    _description = "Customer or Service on Both Sides"
    _order = "kind, outcome, name, id"

    wizard_id = fields.Many2one("bookings.both.ways", required=True, ondelete="cascade", index=True)
    kind = fields.Selection(
        [("customer", "Customer"), ("service", "Service")],
        string="What",
        required=True,
        readonly=True,
    )
    outcome = fields.Selection(OUTCOMES, required=True, readonly=True)
    name = fields.Char(readonly=True)
    detail = fields.Char(string="Values", readonly=True)
