from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..base.graph_errors import problem_of

PAYLOAD_DAYS = 30
GC_BATCH = 1000


class BookingsSyncIssue(models.Model):
    """A record from Bookings that could not be imported, with the reason. All other records are imported.

    Each such record has one open issue, however many runs meet it. The issue is closed when the record is imported.
    """

    _name = "bookings.sync.issue"
    _inherit = ["bookings.own.links", "bookings.safe.export"]
    _description = "Unreadable Bookings Record"
    _order = "id desc"
    _rec_name = "remote_id"
    _check_company_auto = True

    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade", index=True)
    run_id = fields.Many2one(
        "bookings.sync.run", string="First Run", ondelete="set null", index=True
    )
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    kind = fields.Selection(
        [
            ("service", "Service"),
            ("staff", "Staff member"),
            ("customer", "Customer"),
            ("appointment", "Appointment"),
        ],
        required=True,
    )
    remote_id = fields.Char(string="Bookings ID")
    row_key = fields.Char(
        string="Row", readonly=True, help="Identifies rows that Bookings sent without an ID."
    )
    read_from = fields.Datetime(
        readonly=True, help="The period that was being read when Bookings sent a row without an ID."
    )
    read_until = fields.Datetime(readonly=True)
    reason = fields.Char(string="Noted Reason", required=True)
    problem = fields.Char(string="Reason", compute="_compute_problem")
    payload = fields.Text(
        groups="bookings_invoicing.group_manager",
        help="The record as sent by Bookings. It is deleted after 30 days.",
    )
    resolved = fields.Datetime(string="Resolved on", readonly=True)

    _open_uniq = models.UniqueIndex(
        "(setup_id, kind, remote_id) WHERE resolved IS NULL AND row_key IS NULL"
    )
    _open_row_uniq = models.UniqueIndex("(setup_id, kind, row_key) WHERE resolved IS NULL")

    @api.depends("reason")
    @api.depends_context("lang")
    def _compute_problem(self):
        for issue in self:
            issue.problem = problem_of(self.env, issue.reason)

    @api.depends("remote_id", "problem")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for issue in self:
            issue.display_name = issue.remote_id or issue.problem

    @api.model
    def _note(self, setup, run_id, issues, well, covered):
        """Create issues for the unreadable records of a run, and close issues of records that were imported.

        :param dict issues: values by ``(kind, remote id, row key)``
        :param set well: ``(kind, remote id)`` of the imported records
        :param dict covered: what was read completely: ``{kind: (from, until)}`` in naive UTC, or ``{kind: None}`` for a list
        """
        known = {
            (issue.kind, issue.remote_id or "", issue.row_key or ""): issue
            for issue in self.search([("setup_id", "=", setup.id), ("resolved", "=", False)])
        }
        through = self.concat(
            *(
                issue
                for key, issue in known.items()
                if key not in issues and (key[:2] in well or issue._is_read_clean(covered))
            )
        )
        through.write({"resolved": fields.Datetime.now(), "payload": False})
        for key, values in issues.items():
            issue = known.get(key)
            if issue and issue.reason != values["reason"]:
                issue.write({"reason": values["reason"], "payload": values["payload"]})
        self.create(
            [
                values | {"setup_id": setup.id, "run_id": run_id}
                for key, values in issues.items()
                if key not in known
            ]
        )

    def _is_read_clean(self, covered):
        """Return whether the run would have met this row without an ID again if Bookings still sent it."""
        self.ensure_one()
        if self.remote_id or self.kind not in covered:
            return False
        period = covered[self.kind]
        return not (period and self.read_from and self.read_until) or (
            period[0] <= self.read_from and self.read_until <= period[1]
        )

    def action_retry(self):
        """Read the records again: appointments by ID, all others with their whole list.

        Appointments without an ID are read with all appointments since *Bill From*.

        :raises AccessError: if the user may not synchronize
        """
        self.check_access("read")
        if not self.env.user.has_group("bookings_invoicing.group_user"):
            raise AccessError(
                self.env._("You need the role Microsoft Bookings / User to synchronize.")
            )
        for setup, issues in (
            self.filtered(lambda issue: not issue.resolved).grouped("setup_id").items()
        ):
            appointments = issues.filtered(lambda issue: issue.kind == "appointment")
            by_id = appointments.filtered("remote_id")
            if appointments - by_id:
                setup.action_full_sync()
            elif appointments != issues:
                setup.action_sync_now()
            if by_id:
                setup._retry_records(by_id.mapped("remote_id"))
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    @api.autovacuum
    def _gc_payloads(self):
        limit = fields.Datetime.now() - timedelta(days=PAYLOAD_DAYS)
        old = self.search([("create_date", "<", limit), ("payload", "!=", False)], limit=GC_BATCH)
        old.payload = False
        return len(old), len(old) == GC_BATCH

    @api.autovacuum
    def _gc_resolved(self):
        limit = fields.Datetime.now() - timedelta(days=PAYLOAD_DAYS)
        old = self.search([("resolved", "<", limit)], limit=GC_BATCH)
        old.unlink()
        return len(old), len(old) == GC_BATCH
