import base64
import json
from types import SimpleNamespace

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from .. import graph


class BookingsSetupFile(models.TransientModel):
    """Set up businesses from a file: choose it, look at what would change, apply."""

    _name = "bookings.setup.file"
    _inherit = "bookings.own.links"
    _description = "Sync Setup From a File"

    content = fields.Binary(string="File", attachment=False)
    filename = fields.Char()
    setup_ids = fields.Many2many(
        "bookings.sync.setup",
        string="Apply to",
        default=lambda self: self._default_setups(),
        help="Setups of any company that you have switched on.",
    )
    connection_id = fields.Many2one("bookings.connection", string="New setup on")
    business_address = fields.Char(help="The mailbox address of the business in Microsoft Bookings")
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

    @api.depends("line_ids")
    def _compute_counts(self):
        for wizard in self:
            problems = wizard.line_ids.filtered("problem")
            wizard.problem_count = len(problems)
            wizard.change_count = len(wizard.line_ids - problems)

    def _data(self):
        self.ensure_one()
        if not self.content:
            raise UserError(self.env._("Choose a file first."))
        return self.setup_ids._read_file(base64.b64decode(self.content))

    def action_preview(self):
        """Make the new setup where one is wanted, and list what applying the file would change in
        each.
        """
        self.check_access("write")
        self.ensure_one()
        data = self._data()
        if self.connection_id and (self.business_address or "").strip():
            self._make_setup()
        if not self.setup_ids:
            raise UserError(
                self.env._(
                    "Choose the setups to apply the file to, or a connection and a business."
                )
            )
        self.setup_ids.check_access("write")
        self.line_ids = [
            Command.clear(),
            *(
                Command.create({"setup_id": setup.id, **change._asdict()})
                for setup in self.setup_ids
                for change in setup._file_changes(data)
            ),
        ]
        self.previewed = True
        return self._open()

    def _make_setup(self):
        finder = self.env["bookings.business.finder"].create(
            {"connection_id": self.connection_id.id}
        )
        action = finder._use(self.business_address.strip())
        setup = self.env["bookings.sync.setup"].browse(action["res_id"])
        setup._read_services()
        self.write(
            {
                "setup_ids": [Command.link(setup.id)],
                "connection_id": False,
                "business_address": False,
            }
        )

    def action_apply(self):
        """Apply the file; what has a problem stays as it is and is listed."""
        self.check_access("write")
        self.ensure_one()
        data = self._data()
        for setup in self.setup_ids:
            setup._apply_file(data)
        left = [(setup, change) for setup in self.setup_ids for change in setup._file_changes(data)]
        message = (
            self.env._("Applied. %s points are left for you: see the list.", len(left))
            if left
            else self.env._("Applied: everything is as the file says.")
        )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "message": message,
                "type": "warning" if left else "success",
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

    def _open(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("From a File"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }


class BookingsSetupFileLine(models.TransientModel):
    """One difference between a setup and the file."""

    _name = "bookings.setup.file.line"
    _inherit = "bookings.own.links"
    _description = "Difference Between a Setup and a File"

    wizard_id = fields.Many2one(
        "bookings.setup.file", required=True, ondelete="cascade", index=True
    )
    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade")
    place = fields.Char(string="Where")
    field = fields.Char(string="What")
    now = fields.Char(string="As It Is")
    file = fields.Char(string="In the File")
    problem = fields.Char(string="Cannot Be Applied")


class BookingsSyncSetup(models.Model):
    _inherit = "bookings.sync.setup"

    def action_export_file(self):
        """Download this setup as a JSON file, without secrets."""
        self.check_access("write")
        self.ensure_one()
        text = json.dumps(self._to_file(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        wizard = self.env["bookings.setup.file"].create(
            {
                "content": base64.b64encode(text.encode()),
                "filename": f"bookings-setup-{self.id}.json",
                "setup_ids": False,
            }
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{wizard._name}/{wizard.id}/content/{wizard.filename}"
            "?download=true",
            "target": "download",
        }

    def _read_services(self):
        """Fetch the services of the business, so that they can be mapped before the first
        synchronisation.
        """
        self.ensure_one()
        try:
            pages = list(self._client().services(self.business_id))
        except graph.GraphError as error:
            raise UserError(str(error)) from error
        job = SimpleNamespace(setup=self)
        for page in pages:
            self.env["bookings.service"].sudo()._import_page(job, list(page.records))
