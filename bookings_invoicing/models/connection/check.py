from odoo import fields, models

from ... import graph
from ..base.graph_errors import Told, told
from ..base.next_step import NextStep

PERMISSION = "Bookings.Read.All"


class BookingsConnectionCheck(models.Model):
    """One step of the last connection test, with its result and, if it failed, the remedy."""

    _name = "bookings.connection.check"
    _inherit = ["bookings.own.links"]
    _description = "Connection Test Step"
    _order = "id"

    connection_id = fields.Many2one(
        "bookings.connection", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="connection_id.company_id", store=True, index=True)
    step = fields.Selection(
        [
            ("settings", "Settings"),
            ("token", "Sign-in"),
            ("permission", "Permission"),
            ("writing", "Writing"),
            ("service_writing", "Writing Services"),
            ("businesses", "List of businesses"),
            ("business", "Business"),
            ("services", "Services"),
            ("customers", "Customers"),
            ("calendar", "Calendar"),
        ],
        required=True,
        readonly=True,
    )
    result = fields.Selection(
        [("ok", "Works"), ("failed", "Failed"), ("skipped", "Not tried")],
        required=True,
        readonly=True,
    )
    message = Told(required=True, readonly=True)


class BookingsConnection(models.Model):
    """The connection test, and the next step to set up a connection."""

    _inherit = "bookings.connection"

    check_ids = fields.One2many(
        "bookings.connection.check", "connection_id", string="Last Test", readonly=True
    )
    permission_name = fields.Char(string="Permission", compute="_compute_permission_name")
    check_date = fields.Datetime(string="Tested on", readonly=True, copy=False)

    def _compute_permission_name(self):
        self.permission_name = PERMISSION

    def action_test(self):
        """Test every step that a synchronization needs, and store the results on the connection.

        :returns: a notification with all results, or only with what failed
        """
        self.ensure_one()
        self.check_access("write")
        try:
            checks = self._client().check(
                self.sudo().setup_ids[:1].business_id or None, self._writes_services()
            )
        except graph.GraphError as error:
            checks = [graph.Check("settings", False, error.kind, {"error": error})]
        self.sudo().write(
            {
                "check_date": fields.Datetime.now(),
                "check_ids": [
                    fields.Command.clear(),
                    *(
                        fields.Command.create(
                            {"step": one.step, "result": _result(one), "message": one.message}
                        )
                        for one in checks
                    ),
                ],
            }
        )
        # a missing permission to write does not stop reading
        writing = ("writing", "service_writing")
        failed = next((one for one in checks if not (one.ok or one.step in writing)), None)
        if failed:
            self._mark_attention(failed.message)
            text = told(self.env, failed.message)
            return self._notify(self.env._("Not connected"), text, "danger")
        self._mark_connected()
        steps = dict(self.check_ids._fields["step"]._description_selection(self.env))
        lines = [
            f"{'✓' if one.ok else '✗'} {steps[one.step]}: {told(self.env, one.message)}"
            for one in checks
        ]
        text = "\n".join(["", *lines])  # below the title
        kind = "success" if all(check.ok for check in checks) else "warning"
        return self._notify(self.env._("Connected"), text, kind)

    def _forget_test(self):
        """Delete what the last test found: it does not apply to a changed app, secret, or sign-in."""
        self.sudo().write(
            {
                "state": "draft",
                "error_message": False,
                "error_date": False,
                "check_date": False,
                "check_ids": [fields.Command.clear()],
            }
        )

    def _next_step(self):
        if self.is_foreign_database:
            return NextStep(
                self.env._(
                    "This database is a copy. Open the connection and decide whether it may synchronize."
                )
            )
        if self.mode == "live":
            if not (self.tenant_id and self.client_id and self.has_secret):
                return NextStep(
                    self.env._(
                        "Register the app in Microsoft Entra and enter the tenant ID, client ID, and secret."
                    )
                )
            if self.auth_method == "delegated" and not self.is_signed_in:
                return NextStep(
                    self.env._("Sign in with Microsoft as the user whose calendars will be read."),
                    self.env._("Sign in with Microsoft"),
                    "action_sign_in",
                )
        if self.state == "attention":
            error = told(self.env, self.error_message)
            return NextStep(error, self.env._("Test Connection"), "action_test")
        if self.state == "draft":
            return NextStep(
                self.env._("Test the connection."), self.env._("Test Connection"), "action_test"
            )
        if not self.sudo().setup_ids:
            return NextStep(
                self.env._("Find the Bookings businesses of your organization and select one."),
                self.env._("Find Businesses"),
                "action_find_businesses",
            )
        return None


def _result(check):
    return "ok" if check.ok else "skipped" if check.kind == "skipped" else "failed"
