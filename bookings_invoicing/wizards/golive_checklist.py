from odoo import api, fields, models
from odoo.fields import Command

from ..models.golive.checklist import PRESETS
from ..models.golive.product_proposals import product_proposals
from ..models.golive.templates import make_templates


class BookingsChecklist(models.TransientModel):
    """The steps before the first invoice of a setup, with their states."""

    _name = "bookings.checklist"
    _inherit = "bookings.own.links"
    _description = "Checklist of a Sync Setup"

    setup_id = fields.Many2one(
        "bookings.sync.setup", required=True, readonly=True, ondelete="cascade"
    )
    line_ids = fields.One2many(
        "bookings.checklist.line", "checklist_id", readonly=True, string="Steps"
    )
    preset = fields.Selection(
        [
            ("as_they_come", "One draft per customer, dated when confirmed"),
            ("monthly", "One invoice per customer and month, dated at its end"),
            ("per_visit", "One invoice per booking, dated on its day"),
        ],
        string="How to bill",
    )
    can_sync = fields.Boolean(readonly=True, help="All steps are done.")
    synced = fields.Boolean(readonly=True, help="The setup was synchronized before.")

    @api.model_create_multi
    def create(self, vals_list):
        checklists = super().create(vals_list)
        checklists._fill()
        return checklists

    def _fill(self):
        for checklist in self:
            setup = checklist.setup_id
            steps = setup._checklist()
            checklist.line_ids = [
                Command.clear(),
                *(
                    Command.create(
                        {
                            "step": step.key,
                            "name": step.name,
                            "state": "done" if step.done else "todo",
                            "text": step.text,
                            "confirmable": step.confirm and not step.done,
                            "makes_templates": step.templates,
                        }
                    )
                    for step in steps
                ),
            ]
            checklist.can_sync = all(step.done for step in steps)
            checklist.synced = bool(setup._last_good())
            chosen = [
                key
                for key, values in PRESETS.items()
                if all(setup[name] == value for name, value in values.items())
            ]
            checklist.preset = chosen[0] if chosen else False

    def action_use_preset(self):
        """Apply the selected preset."""
        self.check_access("write")
        self.ensure_one()
        self.setup_id._apply_preset(self.preset)
        return self._open()

    def action_sync(self):
        """Synchronize and open the bookings that can be invoiced."""
        self.check_access("write")
        self.ensure_one()
        return self.setup_id._first_sync()

    def _open(self):
        self.ensure_one()
        self._fill()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Checklist: %s", self.setup_id.name),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }


class BookingsChecklistLine(models.TransientModel):
    _name = "bookings.checklist.line"
    _inherit = "bookings.own.links"
    _description = "Step of a Checklist"

    checklist_id = fields.Many2one(
        "bookings.checklist", required=True, ondelete="cascade", index=True
    )
    step = fields.Char(string="Key", required=True)
    name = fields.Char(string="Step", required=True)
    state = fields.Selection([("done", "Done"), ("todo", "To do")], required=True)
    text = fields.Text(string="Status")
    confirmable = fields.Boolean(string="Can Be Confirmed")
    makes_templates = fields.Boolean(string="Can Create Templates")

    def action_do(self):
        """Open the screen for this step."""
        self.check_access("write")
        self.ensure_one()
        setup = self.checklist_id.setup_id
        setup.check_access("write")
        step = next(step for step in setup._checklist() if step.key == self.step)
        return getattr(setup, step.action)()

    def action_make_templates(self):
        """Create the templates that are missing and import with them."""
        self.check_access("write")
        self.ensure_one()
        make_templates(self.checklist_id.setup_id)
        return self.checklist_id._open()

    def action_confirm(self):
        """Confirm this step."""
        self.check_access("write")
        self.ensure_one()
        if self.confirmable:
            self.checklist_id.setup_id._confirm_step(self.step)
        return self.checklist_id._open()


class BookingsServiceProposal(models.TransientModel):
    """Products proposed for services by their names. Users can change some before they accept all."""

    _name = "bookings.service.proposal"
    _inherit = "bookings.own.links"
    _description = "Products for Services"

    setup_id = fields.Many2one(
        "bookings.sync.setup", required=True, readonly=True, ondelete="cascade"
    )
    line_ids = fields.One2many("bookings.service.proposal.line", "proposal_id")
    make_missing = fields.Boolean(
        string="Create products for the remaining services",
        compute="_compute_make_missing",
        store=True,
        readonly=False,
        help="The products are created from the service template, if there is one.",
    )
    missing_count = fields.Integer(compute="_compute_missing_count")

    @api.depends("setup_id")
    def _compute_make_missing(self):
        for proposal in self:
            proposal.make_missing = bool(proposal.setup_id.service_template_id)

    @api.model_create_multi
    def create(self, vals_list):
        proposals = super().create(vals_list)
        for proposal in proposals.filtered(lambda p: not p.line_ids):
            proposal.line_ids = [
                Command.create({"service_id": service.id, "product_id": product.id, "match": match})
                for service, product, match in product_proposals(proposal.setup_id)
            ]
        return proposals

    @api.depends("line_ids.product_id")
    def _compute_missing_count(self):
        for proposal in self:
            proposal.missing_count = len(
                proposal.line_ids.filtered(lambda line: not line.product_id)
            )

    def action_accept_all(self):
        """Set the proposed products on the services, and create products for the others if requested."""
        self.check_access("write")
        self.ensure_one()
        self.setup_id.check_access("write")
        chosen = self.line_ids.filtered("product_id")
        for line in chosen:
            line.service_id.product_id = line.product_id
        if self.make_missing:
            (self.line_ids - chosen).service_id.action_create_product()
        return self.setup_id.action_checklist()

    def _open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Products for Services"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }


class BookingsServiceProposalLine(models.TransientModel):
    _name = "bookings.service.proposal.line"
    _inherit = "bookings.own.links"
    _description = "Product for a Service"

    proposal_id = fields.Many2one(
        "bookings.service.proposal", required=True, ondelete="cascade", index=True
    )
    service_id = fields.Many2one(
        "bookings.service", required=True, readonly=True, ondelete="cascade"
    )
    product_id = fields.Many2one(
        "product.product", domain="[('sale_ok', '=', True)]", ondelete="cascade"
    )
    match = fields.Selection(
        [("same", "Same name"), ("similar", "Similar name"), ("none", "No proposal")],
        readonly=True,
        default="none",
    )
