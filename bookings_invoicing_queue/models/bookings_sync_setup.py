from odoo import fields, models
from odoo.addons.queue_job.exception import RetryableJobError

from .handing_out import hand_out


class BookingsSyncSetup(models.Model):
    """A due synchronization is a job."""

    _inherit = "bookings.sync.setup"

    def _sync_on_schedule(self, commit, queued):
        # EXTENDS 'bookings_invoicing': a job does it
        if hand_out(self, "_sync_as_job"):
            return None
        return super()._sync_on_schedule(commit, queued)

    def _cron_sync_beside(self):
        # OVERRIDES 'bookings_invoicing': jobs run in parallel already, and two actions at once could make a job twice
        return None

    def _sync_as_job(self):
        """Process the queued runs of this setup, or synchronize it if it is due.

        :raises RetryableJobError: after a temporary failure of Microsoft, with the time until the retry
        """
        setup = self.exists()
        if not setup:
            return None
        commit = self.env.cr.commit
        runs = self.env["bookings.sync.run"]
        queued = runs.search([("setup_id", "=", setup.id), ("state", "=", "queued")], order="id")
        for run_id in queued.ids or [None]:
            setup._sync_alone(commit, runs.browse(run_id or ()))
        wait = setup.retry_at and (setup.retry_at - fields.Datetime.now()).total_seconds()
        if wait and wait > 0:
            raise RetryableJobError(setup.waiting_reason, seconds=round(wait), ignore_retry=True)
        return setup.run_ids[:1].summary
