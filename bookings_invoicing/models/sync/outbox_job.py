"""Sends the waiting rows of one Bookings business.

What: :class:`OutboxJob` writes to Bookings what ``bookings.outbox`` says, one appointment after the other.

How to use: ``OutboxJob(setup, "cron", commit=...).send()``, after the synchronization of the setup.

How it works: under the claim of a synchronization, so that a mailbox has one writer, which does not read elsewhere
meanwhile. Read, compare, write only what differs, read again: whatever was sent before a process ended is found there
by the next one and not sent a second time. Nothing is held in the database while Microsoft is asked.
"""

import logging
from datetime import timedelta

from ... import graph
from ...billing.notes import remark_in, with_remark
from ..base.graph_errors import tell
from .job import SyncJob

_logger = logging.getLogger(__name__)
MOST = 100  # appointments in one go; other setups wait for their turn meanwhile


class OutboxJob(SyncJob):
    def send(self):
        """Send the due rows, and record failures on them."""
        with self._claim() as claimed:
            if not claimed:
                return
            outbox = self.env["bookings.outbox"]
            due = self.store.durably(outbox._due_appointments, self.setup, MOST)
            if due:
                self.client = self.setup._client()
                service_notes = graph.ServiceNotes(self.client, self.setup.business_id)
                went_on = all(self._send_one(service_notes, one) for one in due)
                if went_on and len(due) == MOST:
                    self.store.durably(outbox._send_soon)

    def _send_one(self, service_notes, appointment_id):
        """Update the notes of an appointment. Return whether to continue with the next one."""
        outbox, setup = self.env["bookings.outbox"], self.setup
        rows, remark = self.store.durably(outbox._waiting, setup, appointment_id)
        try:
            before = _bring_up_to_date(service_notes, appointment_id, remark)
        except graph.NotFound as error:
            if error.kind != "not_found":  # the business, not the appointment
                return self._note_problem(rows, error)
            self.store.durably(rows._note_gone)
            return True
        except graph.GraphError as error:
            return self._note_problem(rows, error)
        except Exception as error:
            _logger.exception("Writing to appointment %r failed", appointment_id)
            self.store.durably(rows._note_refused, setup._in_words(error))
            return True
        self.store.durably(rows._note_sent, before, remark)
        return True

    def _note_problem(self, rows, error):
        """Record an error. Return whether it concerns only this appointment."""
        reason = tell(self.env, error)
        if error.transient:
            wait = timedelta(seconds=error.retry_after or 0)
            self.store.durably(rows._pause_all, reason, wait)
            return False
        # an answer without words may be an outage, until it has come often enough
        sure = error.kind == "write_refused" and (error.status < 500 or rows._was_refused_last())
        if sure and self.store.durably(rows._note_past_refused, reason):
            return False
        self.store.durably(rows._note_refused, reason)
        return not error.needs_admin


def _bring_up_to_date(service_notes, appointment_id, remark):
    """Write the remark unless the notes contain it already.

    :returns: the former remark
    :raises graph.GraphError: kind ``not_kept`` if the notes do not contain it afterwards
    """
    before = service_notes.read(appointment_id)
    wanted = with_remark(before, remark)
    if wanted != before:
        service_notes.write(appointment_id, wanted)
        if remark_in(service_notes.read(appointment_id)) != remark:
            raise graph.ProtocolError(kind="not_kept")
    return remark_in(before)
