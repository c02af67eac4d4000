"""Store the records of a synchronization in batches.

:class:`BatchStore` passes records to the models in batches, commits each batch, and retries it after a serialization
failure. On any other failure, it bisects the batch to find the records that Odoo refuses. These become a
``bookings.sync.issue``, and all others are stored.

How it works: counts and issues of a batch are added to the run only after the batch is written, so that a retry counts
nothing twice. Before a batch is written, the people in it who have no contact yet are locked by their email address:
setups of one company that are synchronized at the same time see the contacts that the others create.
"""

import dataclasses
import functools
import logging
import random
import time
from contextlib import contextmanager

from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ... import graph
from ...billing.matching import normalize_email
from ..base.bisect import by_halves
from ..base.safe_text import plain_records
from ..directory import people_lock

_logger = logging.getLogger(__name__)

BATCH = 3500  # records that are written and committed together
TRIES = 5
LONGEST_PAUSE = 8  # seconds
PAYLOAD_BYTES = 20_000
REASON_LENGTH = 500


class BatchStore:
    """Stores records, and collects their counts and issues.

    :param commit: function that commits written batches; None for a single transaction
    :param on_written: function to call after each batch
    """

    def __init__(self, env, setup, commit, on_written=None, sleep=time.sleep):
        self.env = env
        self.setup = setup
        self.counts = {}
        self.issues = {}
        self._alike = {}
        self.well = set()
        self._commit = commit
        self._on_written = on_written
        self._sleep = sleep

    def keep(self, kind, page, keep):
        """Store the records of a page.

        :param str kind: kind of ``bookings.sync.issue``
        :param graph.Page page:
        :param keep: ``keep(store, records)`` writes records and returns counts by name
        :returns: set of IDs as stored, with pseudonyms for anonymized customers
        :raises HandOver: if a single transaction would have to wait for another process
        """
        forgotten = self.env["bookings.forgotten"]
        for bad in page.malformed:
            payload = forgotten._hide_payload(self.setup, bad.payload)
            self._set_aside(kind, bad.remote_id, bad.reason, payload, bad)
        records = forgotten._hide(self.setup, plain_records(page.records))
        for index in range(0, len(records), BATCH):
            batch = records[index : index + BATCH]
            with self._new_people_locked(batch):
                counts, issues = self.durably(self._write, kind, batch, keep)
            self.count(kind, counts)
            for record, reason in issues:
                self._set_aside(kind, record.id, reason, repr(_without_words(record)))
            refused = {record.id for record, _reason in issues}
            self.well.update((kind, record.id) for record in batch if record.id not in refused)
            if self._on_written:
                self._on_written()
        return {record.id for record in records} | {bad.remote_id for bad in page.malformed}

    def pass_over(self, kind, remote_ids):
        """Count unchanged records."""
        self.count(kind, {"seen": len(remote_ids), "unchanged": len(remote_ids)})
        self.well.update((kind, remote_id) for remote_id in remote_ids)

    def durably(self, work, *args):
        """Call ``work``, flush, and commit. After a serialization failure, start again, up to TRIES times.

        :returns: the result of ``work``
        """
        for attempt in range(1, TRIES + 1):
            try:
                result = work(*args)
                self.env.flush_all()
                self.commit()
                return result
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                if not self._commit or attempt == TRIES:
                    raise
                self.rollback()
                self._sleep(random.uniform(0, min(2**attempt, LONGEST_PAUSE)))
        return None

    @contextmanager
    def _new_people_locked(self, records):
        """Lock people who may become contacts. With commits, no transaction is open while others are waited for."""
        emails, company = self._new_emails(records), self.setup.company_id
        if emails and self._commit:
            keys = people_lock.keys_of(company, emails)
            self.commit()
            with people_lock.waited_for(self.env, keys):
                yield
            return
        if emails:
            people_lock.take(self.env, company, emails)
        yield

    def _new_emails(self, records):
        """Return the normalized email addresses of people in these records for whom a contact may be created."""
        if not self.setup._imports("customer"):
            return set()
        people = [
            one
            for record in records
            if not isinstance(record, graph.StaffMember)
            for one in getattr(record, "attendees", (record,))
        ]
        emails = {normalize_email(getattr(one, "email", "")) for one in people} - {"", None}
        customers = self.env["bookings.customer"].search_fetch(
            [
                ("setup_id", "=", self.setup.id),
                ("partner_id", "!=", False),
                ("email_normalized", "in", list(emails)),
            ],
            ["email_normalized"],
        )
        return emails - set(customers.mapped("email_normalized"))

    def commit(self):
        """Commit and empty the cache, so that memory does not grow with the number of records."""
        if self._commit:
            self._commit()
            self.env.invalidate_all(flush=False)

    def rollback(self):
        self.env.cr.rollback()
        self.env.transaction.reset()

    def _write(self, kind, records, keep):
        """Write records and return ``(counts, [(refused record, reason)])``."""
        # PostgreSQL keeps the plan of each foreign key check for the whole connection. One that was made while a table
        # was small reads all of it for each row, also when earlier batches have filled it.
        self.env.cr.execute("DISCARD PLANS")
        issues = []

        def failed(record, error):
            _logger.info("Bookings %s %r was refused: %s", kind, record[0].id, error)
            issues.append((record[0], str(error)[:REASON_LENGTH]))

        written = by_halves(self.env, records, lambda part: dict(keep(self, part)), failed)
        return functools.reduce(_sum, written, {}), issues

    def count(self, kind, counts):
        self.counts[kind] = _sum(self.counts.get(kind, {}), counts)

    def _set_aside(self, kind, remote_id, reason, payload, bad=None):
        """Record an unreadable record.

        :param graph.Malformed bad: the row as sent, which identifies rows without an ID
        """
        row_key = "" if remote_id else self._row_key(kind, bad.digest)
        window = (bad and not remote_id and bad.window) or (None, None)
        self.issues[kind, remote_id, row_key] = {
            "kind": kind,
            "remote_id": remote_id,
            "row_key": row_key or False,
            "read_from": window[0] and window[0].replace(tzinfo=None),
            "read_until": window[1] and window[1].replace(tzinfo=None),
            "reason": reason,
            "payload": (payload or "")[:PAYLOAD_BYTES],
        }
        self.count(kind, {"seen": 1, "quarantined": 1})

    def _row_key(self, kind, digest):
        """Return a key that identifies a row without an ID across runs: its digest, numbered among equal rows."""
        number = self._alike[kind, digest] = self._alike.get((kind, digest), 0) + 1
        return f"{digest}/{number}"


def joined(pages):
    """Join the pages of a list, so that batches are large even if pages are small."""
    records, malformed = [], []
    for page in pages:
        records += page.records
        malformed += page.malformed
        if len(records) >= BATCH:
            yield graph.Page(tuple(records), tuple(malformed))
            records, malformed = [], []
    if records or malformed:
        yield graph.Page(tuple(records), tuple(malformed))


def _without_words(record):
    """Return the record without notes and answers, which are stored only if a setup allows it."""
    if not isinstance(record, graph.Appointment):
        return record
    people = tuple(dataclasses.replace(one, notes="", answers=()) for one in record.attendees)
    return dataclasses.replace(record, attendees=people, customer_notes="", service_notes="")


def _sum(counts, more):
    return counts | {name: counts.get(name, 0) + number for name, number in more.items()}
