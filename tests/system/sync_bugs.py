"""Mistakes that somebody could make in the sync engine, each put in by a function of the running process only.

None of them does any harm while nobody is killed; the crash sweep has to find every one (``sync_crash``).
"""

import contextlib


def cursor_before_data(env):
    """The time of the last sync is written before the appointments are."""
    from odoo.addons.bookings_invoicing.models.sync.job import SyncJob

    kept = SyncJob._appointments

    def early(self):
        self.store.durably(self.setup.write, {"last_appointment_sync": self.started})
        return kept(self)

    SyncJob._appointments = early


def partners_committed_early(env):
    """New partners are made durable before the rows that point to them."""
    customers = type(env["bookings.customer"])
    kept = customers._importing

    def early(self):
        self.env.cr.commit()
        return kept(self)

    customers._importing = early
    _without_savepoints()


def _without_savepoints():
    from odoo.addons.bookings_invoicing.models.sync.batch_store import BatchStore

    BatchStore._write = lambda self, kind, records, keep: (dict(keep(self, records)), [])


def hash_before_content(env):
    """The digests of a batch are made durable before all of what they stand for."""
    bookings = type(env["bookings.booking"])
    kept = bookings._import_changed

    def early(self, setup, appointments, digests):
        counts = kept(self, setup, appointments, digests)
        rows = self.search([("appointment_id", "in", [one.id for one in appointments])])
        prices = {row: row.price for row in rows}
        rows.price = 0.01
        self.env.flush_all()
        self.env.cr.commit()
        for row, price in prices.items():
            row.price = price
        return counts

    bookings._import_changed = early
    _without_savepoints()


def first_sync_looks_for_nothing(env):
    """Before a sync has come to its end nothing can be there, so appointments are created unseen."""
    from odoo.addons.bookings_invoicing.models.booking import in_window

    bookings = type(env["bookings.booking"])
    stored, look_up, search = bookings._stored, in_window.look_up, bookings.search

    def look_up_later(env, setup, start, end):
        found = look_up(env, setup, start, end)
        return found if setup.last_appointment_sync else found._replace(hashes={})

    def stored_later(self, setup, appointment_ids):
        return stored(self, setup, appointment_ids) if setup.last_appointment_sync else {}

    def search_later(self, *args, **named):
        found = search(self, *args, **named)
        return found.filtered("setup_id.last_appointment_sync")

    in_window.look_up, bookings._stored, bookings.search = look_up_later, stored_later, search_later


def flag_instead_of_lock(env):
    """A run that is noted as running keeps others out, whether its process lives or not."""
    from odoo.addons.bookings_invoicing.models.sync.job import SyncJob

    @contextlib.contextmanager
    def claim(self):
        domain = [("setup_id", "=", self.setup.id), ("state", "=", "running")]
        yield not self.env["bookings.sync.run"].search_count(domain)

    SyncJob._claim = claim


def further_attendees_later(env):
    """Who comes besides the first attendee is written in a transaction of its own, under the same digest."""
    bookings = type(env["bookings.booking"])
    kept = bookings.create

    def create(self, vals_list):
        first = {values["appointment_id"]: values for values in reversed(vals_list)}
        made = kept(self, list(first.values()))
        self.env.flush_all()
        self.env.cr.commit()
        return made | kept(self, [one for one in vals_list if one not in first.values()])

    bookings.create = create
    _without_savepoints()


BUGS = {
    function.__name__: function
    for function in (
        cursor_before_data,
        partners_committed_early,
        hash_before_content,
        first_sync_looks_for_nothing,
        flag_instead_of_lock,
        further_attendees_later,
    )
}
