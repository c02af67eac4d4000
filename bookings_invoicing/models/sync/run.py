from datetime import timedelta

from odoo import api, fields, models

from ..base.dates import moment_text
from ..base.graph_errors import Told, told

KEEP_DAYS = 90
GC_BATCH = 1000


class BookingsSyncRun(models.Model):
    """One synchronization of a setup, with its counts and its error. Runs form the history of the setup."""

    _name = "bookings.sync.run"
    _inherit = ["bookings.own.links"]
    _description = "Bookings Synchronization Run"
    _order = "started desc, id desc"
    _check_company_auto = True

    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(
        related="setup_id.company_id", store=True, precompute=True, index=True
    )
    trigger = fields.Selection(
        [("cron", "Schedule"), ("button", "User"), ("script", "Script")], required=True
    )
    user_id = fields.Many2one("res.users", string="Started by")
    started = fields.Datetime(required=True)
    finished = fields.Datetime()
    seconds = fields.Float(digits=(16, 1))
    state = fields.Selection(
        [
            ("queued", "Queued"),
            ("running", "Running"),
            ("done", "Done"),
            ("partial", "Done with Issues"),
            ("failed", "Failed"),
            ("held", "Held"),
        ],
        required=True,
    )
    full = fields.Boolean(
        readonly=True, help="Reads everything since the date from which the setup bills."
    )
    counts = fields.Json(default=dict)
    requests = fields.Integer(help="Number of requests sent to Microsoft Graph.")
    error = Told()
    issue_ids = fields.One2many("bookings.sync.issue", "run_id", string="Unreadable Records")
    bookings_seen = fields.Integer(compute="_compute_numbers")
    bookings_created = fields.Integer(compute="_compute_numbers")
    bookings_updated = fields.Integer(compute="_compute_numbers")
    bookings_removed = fields.Integer(compute="_compute_numbers")
    partners_created = fields.Integer(string="Customers Created", compute="_compute_numbers")
    quarantined = fields.Integer(string="Unreadable", compute="_compute_numbers")
    summary = fields.Char(compute="_compute_numbers")

    @api.depends("counts", "state", "error")
    @api.depends_context("lang")
    def _compute_numbers(self):
        for run in self:
            counts = run.counts or {}
            appointment = counts.get("appointment", {})
            run.bookings_seen = appointment.get("seen", 0)
            run.bookings_created = appointment.get("created", 0)
            run.bookings_updated = appointment.get("updated", 0)
            run.bookings_removed = appointment.get("removed", 0)
            run.partners_created = sum(c.get("partners_created", 0) for c in counts.values())
            run.quarantined = sum(c.get("quarantined", 0) for c in counts.values())
            run.summary = run._summary()

    def _summary(self):
        self.ensure_one()
        if self.state == "failed":
            return told(self.env, self.error)
        if self.state == "queued":
            return self.env._(
                "This is taking a while and continues in the background. You will be notified when it is done."
            )
        if self.state == "running":
            return self.env._(
                "A synchronization is already running. Appointments read so far: %s",
                self.bookings_seen,
            )
        text = self.env._(
            "Appointments read: %(seen)s. Bookings: %(created)s new, %(updated)s changed, %(removed)s removed. "
            "Customers created: %(customers)s.",
            seen=self.bookings_seen,
            created=self.bookings_created,
            updated=self.bookings_updated,
            removed=self.bookings_removed,
            customers=self.partners_created,
        )
        if self.quarantined:
            text += " " + self.env._("Unreadable records: %s.", self.quarantined)
        return text

    @api.depends("setup_id", "started")
    @api.depends_context("lang", "tz")
    def _compute_display_name(self):
        for run in self:
            name = run.setup_id.name
            run.display_name = (
                f"{name} {moment_text(self.env, run.started)}" if run.started else name
            )

    @api.model
    def _close_interrupted(self, setup, own_id, now):
        """Close runs that an ended process left running. The caller holds the lock of the setup.

        :param own_id: ID of the run that continues, or None
        """
        left = self.search(
            [("setup_id", "=", setup.id), ("state", "=", "running"), ("id", "!=", own_id)]
        )
        if left:
            left.write(
                {
                    "state": "failed",
                    "finished": now,
                    "error": self.env._(
                        "The synchronization was interrupted. Data imported so far has been kept."
                    ),
                }
            )

    @api.model
    def _waiting_of_user(self, setup, full):
        """Return the user's run that is already waiting for the scheduled action, or an empty recordset."""
        return self.search(
            [
                ("setup_id", "=", setup.id),
                ("state", "=", "queued"),
                ("user_id", "=", self.env.uid),
                ("full", "=", full),
            ],
            limit=1,
        )

    def _notify_requester(self):
        """Notify the user who started a queued run of its result."""
        self.ensure_one()
        if self.trigger == "button" and self.state not in ("queued", "running") and self.user_id:
            self.user_id._bus_send(
                "simple_notification",
                {
                    "title": self.setup_id.name,
                    "message": self.summary or "",
                    "type": "danger" if self.state in ("failed", "held") else "success",
                },
            )

    def _notify(self):
        """Return the notification with the results of these runs, as the response to a button."""
        bad = self.filtered(lambda run: run.state in ("failed", "held"))
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Synchronization failed")
                if bad
                else self.env._("Synchronized"),
                "message": "\n".join(run.summary or "" for run in self),
                "className": "text-prewrap",
                "type": "danger" if bad else "success",
                "sticky": bool(bad),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.autovacuum
    def _gc_runs(self):
        limit = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        old = self.search([("started", "<", limit)], limit=GC_BATCH)
        old.unlink()
        return len(old), len(old) == GC_BATCH
