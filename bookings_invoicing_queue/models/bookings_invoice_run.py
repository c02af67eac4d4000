from datetime import timedelta

from odoo import fields, models
from odoo.addons.queue_job.exception import RetryableJobError

from .handing_out import PATIENCE, hand_out


class BookingsInvoiceRun(models.Model):
    """A large invoice run is a job."""

    _inherit = "bookings.invoice.run"

    def _work_on_schedule(self, commit):
        # EXTENDS 'bookings_invoicing': a job does it
        if not hand_out(self, "_work_as_job"):
            return super()._work_on_schedule(commit)
        # The scheduled action runs only every hour. It must look in time whether a job runner has taken the job.
        cron = self.env.ref("bookings_invoicing.ir_cron_invoice_runs").sudo()
        cron._trigger(at=fields.Datetime.now() + PATIENCE + timedelta(minutes=1))
        return commit()

    def _work_as_job(self):
        """Create or confirm the drafts that this run has left.

        :raises RetryableJobError: after a conflict with another transaction
        """
        run = self.exists()
        if run and not run._work_on_schedule(lambda: run.env.cr.commit() or True):
            raise RetryableJobError("Another transaction changed the same records.")
        return run.result
