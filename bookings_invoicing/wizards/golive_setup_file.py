import base64

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .. import graph
from ..models.base.graph_errors import tell
from ..models.golive.product_proposals import best_named


class BookingsSetupFile(models.TransientModel):
    """Set up businesses from a file: select it, preview the changes, and apply it."""

    _name = "bookings.setup.file"
    _inherit = "bookings.own.links"
    _description = "Import of a Sync Setup"

    content = fields.Binary(string="File", attachment=False)
    filename = fields.Char()
    setup_ids = fields.Many2many(
        "bookings.sync.setup",
        string="Apply to",
        default=lambda self: self._default_setups(),
        help="Setups of the companies in the company selector.",
    )
    business_ids = fields.One2many(
        "bookings.setup.file.business", "wizard_id", string="Businesses Without a Setup"
    )
    unlisted = fields.Text(string="Not Listed", readonly=True)
    line_ids = fields.One2many(
        "bookings.setup.file.line", "wizard_id", readonly=True, string="Settings"
    )
    previewed = fields.Boolean(readonly=True)
    change_count = fields.Integer(compute="_compute_counts")
    problem_count = fields.Integer(compute="_compute_counts")

    @api.model
    def _default_setups(self):
        if self.env.context.get("active_model") == "bookings.sync.setup":
            return self.env.context.get("active_ids")
        return False

    @api.model
    def action_open(self):
        """Open the wizard with all businesses that have no setup yet."""
        self.check_access("create")
        wizard = self.create({"setup_ids": False})
        wizard._list_businesses()
        return wizard._open()

    def _list_businesses(self):
        """List the businesses without a setup, and assign each to the company with a similar name, if there is one."""
        setups = self.env["bookings.sync.setup"].with_context(active_test=False)
        connections = self.env["bookings.connection"].search([("state", "!=", "draft")])
        connections = connections._filtered_access("write")
        rows, unlisted = [], []
        for connection in connections:
            known = setups.search([("connection_id", "=", connection.id)]).mapped("business_id")
            known = {business_id.casefold() for business_id in known}
            try:
                businesses = connection._businesses()
            except graph.GraphError as error:
                unlisted.append(f"{connection.name}: {tell(self.env, error)}")
                continue
            for business in businesses:
                if business.id.casefold() not in known:
                    name = business.name or business.id
                    company, _why = best_named(name, connection.company_id or self.env.companies)
                    rows.append(
                        {"connection_id": connection.id, "business_id": business.id}
                        | {"name": name, "company_id": company.id}
                    )
        self.business_ids = [Command.create(row) for row in rows]
        self.unlisted = "\n".join(unlisted)

    @api.depends("line_ids")
    def _compute_counts(self):
        for wizard in self:
            problems = wizard.line_ids.filtered("problem")
            wizard.problem_count = len(problems)
            wizard.change_count = len(wizard.line_ids - problems)

    def _data(self):
        self.ensure_one()
        if not self.content:
            raise UserError(self.env._("Select a file first."))
        return self.setup_ids._read_file(base64.b64decode(self.content))

    def action_preview(self):
        """Create setups for the businesses with a company, and list what applying the file would change."""
        self.check_access("write")
        self.ensure_one()
        data = self._data()
        for business in self.business_ids.filtered("company_id"):
            self.setup_ids |= business._make_setup()
        if not self.setup_ids:
            raise UserError(
                self.env._(
                    "Select the setups to apply the file to, or assign a company to a business."
                )
            )
        self.setup_ids.check_access("write")
        changes = [(one.id, change) for one in self.setup_ids for change in one._file_changes(data)]
        self.line_ids = [
            Command.clear(),
            *(
                Command.create({"setup_id": setup_id, **change._asdict()})
                for setup_id, change in sorted(changes, key=lambda pair: bool(pair[1].problem))
            ),
        ]
        self.previewed = True
        return self._open()

    def action_apply(self):
        """Apply the file. Values with a problem remain unchanged and are listed."""
        self.check_access("write")
        self.ensure_one()
        data = self._data()
        refused = {
            f"{setup.name}: {change.field}: {change.problem}"
            for setup in self.setup_ids
            for change in setup._apply_file(data)
            if change.problem
        }
        left = [change for setup in self.setup_ids for change in setup._file_changes(data)]
        message = (
            "\n".join(
                [
                    self.env._(
                        "Applied. %s items need your attention.", max(len(left), len(refused))
                    ),
                    *sorted(refused)[:5],
                ]
            )
            if left or refused
            else self.env._("Applied: all settings match the file.")
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "className": "text-prewrap",
                "type": "warning" if left or refused else "success",
                "sticky": bool(refused),
                "next": self._board(),
            },
        }

    def _board(self):
        """Return the action that opens the health board of these setups."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.setup_health_action"
        )
        return {**action, "domain": [("id", "in", self.setup_ids.ids)], "target": "main"}

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import from File"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }


class BookingsSetupFileBusiness(models.TransientModel):
    """A business for which to create a setup."""

    _name = "bookings.setup.file.business"
    _inherit = "bookings.own.links"
    _description = "Business in a Setup Import"

    wizard_id = fields.Many2one(
        "bookings.setup.file", required=True, ondelete="cascade", index=True
    )
    connection_id = fields.Many2one(
        "bookings.connection",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env["bookings.connection"].search([], limit=1),
    )
    business_id = fields.Char(
        string="Address", required=True, help="The mailbox address of the business."
    )
    name = fields.Char(string="Business", readonly=True)
    company_id = fields.Many2one(
        "res.company",
        ondelete="cascade",
        help="The company that gets the setup. Leave empty to create none.",
    )

    def _make_setup(self):
        """Create the setup of this business in its company, read its services, and delete this row.

        :raises UserError: if the company is not selected or Bookings cannot be read
        """
        if self.company_id not in self.env.companies:
            raise UserError(
                self.env._("Select %s in the company selector first.", self.company_id.name)
            )
        setup = self.env["bookings.sync.setup"]._of_business(
            self.connection_id, self.business_id.strip(), self.company_id
        )
        setup._read_services()
        self.unlink()
        return setup


class BookingsSetupFileLine(models.TransientModel):
    """A difference between a setup and the file."""

    _name = "bookings.setup.file.line"
    _inherit = "bookings.own.links"
    _description = "Difference Between a Setup and a File"

    wizard_id = fields.Many2one(
        "bookings.setup.file", required=True, ondelete="cascade", index=True
    )
    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade")
    place = fields.Char(string="Where")
    field = fields.Text(string="What")
    now = fields.Text(string="Current Value")
    file = fields.Text(string="Value in the File")
    problem = fields.Text(string="Cannot Be Applied")
