"""Give the work of a scheduled action to a job, and notice jobs that nobody runs.

How to use: an override of the work calls :func:`hand_out` and does the work itself if that returns False. In the job,
the context has ``job_uuid``, so that the same override does the work.

How it works: one job per record, by its identity key. The work itself is claimed where it is done, so that a job that
runs late, twice, or beside a scheduled action finds nothing left to do.
"""

from datetime import timedelta

from odoo import fields
from odoo.addons.queue_job.job import STARTED, Job
from odoo.addons.queue_job.utils import must_run_without_delay

OPEN = ("wait_dependencies", "pending", "enqueued", STARTED)
# How long a job may wait for a job runner before the scheduled action does its work.
PATIENCE = timedelta(minutes=15)


def hand_out(record, method):
    """Make a job that calls ``method`` of this record, unless one is open.

    :returns: whether a job does the work. If not, because no job runner has taken the job for too long or its server ended,
        the caller must do it.
    """
    if record.env.context.get("job_uuid") or must_run_without_delay(record.env):
        return False
    key = f"{record._name}:{record.id}"
    job = (
        record.env["queue.job"]
        .sudo()
        .search([("identity_key", "=", key), ("state", "in", OPEN)], order="date_created", limit=1)
    )
    if job:
        return _will_be_done(job)
    model = record.env["ir.model"]._get(record._name).name
    delayed = record.with_delay(
        identity_key=key, description=f"{model}: {record.display_name}", max_retries=0
    )
    getattr(delayed, method)()
    return True


def _will_be_done(job):
    """Return whether a process works on this job, or will do so soon."""
    if job.state == STARTED:
        # A job that is being performed is locked. If it can be locked, the process has ended.
        return not Job.load(job.env, job.uuid).lock()
    now = fields.Datetime.now()
    if job.eta and job.eta > now:
        return False
    return now - (job.eta or job.date_created) < PATIENCE
