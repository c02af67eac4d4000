"""Sends the waiting rows of one Bookings business.

What: :class:`OutboxJob` writes to Bookings what ``bookings.outbox`` says, one subject after the other: the notes of an
appointment (here), or a customer or service (:mod:`.directory_sender`).

How to use: ``OutboxJob(setup, "cron", commit=...).send()``, after the synchronization of the setup.

How it works: under the claim of a synchronization, so that a mailbox has one writer, which does not read elsewhere
meanwhile. Read, compare, write only what differs, read again: whatever was sent before a process ended is found there
by the next one and not sent a second time. Nothing is held in the database while Microsoft is asked.
"""

import logging
from datetime import timedelta

from ... import graph
from ...billing.notes import remark_in, with_remark
from .directory_sender import CustomerSender, NotToSend, ServiceSender
from .job import SyncJob

_logger = logging.getLogger(__name__)
MOST = 100  # subjects in one go; other setups wait for their turn meanwhile


class OutboxJob(SyncJob):
    def send(self):
        """Send the due rows, and record failures on them."""
        with self._claim() as claimed:
            if not claimed:
                return
            outbox = self.env["bookings.outbox"]
            due = self.store.durably(outbox._due_subjects, self.setup, MOST)
            if due:
                self.client = self.setup._client()
                self.senders = {
                    "invoice": NotesSender(self.store, self.setup, self.client),
                    "customer": CustomerSender(self.store, self.setup, self.client),
                    "service": ServiceSender(self.store, self.setup, self.client),
                }
                went_on = all(
                    self._send_one(self.senders[kind], subject)
                    for subject in due
                    if (kind := subject.partition(":")[0]) in self.senders
                )
                if went_on and len(due) == MOST:
                    self.store.durably(outbox._send_soon)

    def _send_one(self, sender, subject):
        """Write what waits for a subject. Return whether to continue with the next one."""
        setup = self.setup
        rows = self.store.durably(self.env["bookings.outbox"]._waiting, setup, subject)
        try:
            before, after = sender.send(rows)
        except NotToSend as reason:
            self.store.durably(rows._note_dropped, str(reason))
            return True
        except graph.NotFound as error:
            if error.kind != "not_found":  # the business, not the record
                return self._note_problem(rows, error)
            self.store.durably(rows._note_dropped, sender.gone)
            return True
        except graph.GraphError as error:
            return self._note_problem(rows, error)
        except Exception as error:
            _logger.exception("Writing %s to Bookings failed", subject)
            if self._commit:
                self.store.rollback()
            self.store.durably(rows._note_refused, setup._in_words(error))
            return True
        self.store.durably(rows._note_sent, before, after)
        return True

    def _note_problem(self, rows, error):
        """Record an error. Return whether it concerns only this subject."""
        reason = str(error)
        if error.transient:
            wait = timedelta(seconds=error.retry_after or 0)
            self.store.durably(rows._pause_all, reason, wait)
            return False
        # an answer without words may be an outage, until it has come often enough
        sure = error.kind == "write_refused" and (error.status < 500 or rows._was_refused_last())
        if sure and self.store.durably(rows._note_past_refused, reason):
            return False
        self.store.durably(rows._note_refused, reason)
        if error.kind == "services_write_denied":  # everything else has a permission of its own
            del self.senders["service"]
            return True
        return not error.needs_admin


class NotesSender:
    """Writes the remark about invoices into the notes of an appointment."""

    def __init__(self, store, setup, client):
        self.store, self.gone = store, setup.env._("The appointment no longer exists in Bookings.")
        self._notes = graph.ServiceNotes(client, setup.business_id)

    def send(self, rows):
        """Write the remark unless the notes contain it already.

        :returns: the former remark and this one
        :raises graph.GraphError: kind ``not_kept`` if the notes do not contain it afterwards
        """
        appointment_id, remark = self.store.durably(rows._remark)
        before = self._notes.read(appointment_id)
        wanted = with_remark(before, remark)
        if wanted != before:
            self._notes.write(appointment_id, wanted)
            if remark_in(self._notes.read(appointment_id)) != remark:
                raise graph.ProtocolError(kind="not_kept")
        return remark_in(before), remark
