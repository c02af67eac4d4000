"""A synchronisation of three pages, killed at every chosen point and then run again: nothing lost, nothing twice.

Run as ``python -m tests.system.sync_crash DATABASE [--every N] [--bugs NAME ...]`` in the environment of ./dev, on a
database with the addon. The last line of stdout is one JSON object: for each bug, or "none", ``points``, ``violations`` and
``statements``.

How it works: the registry is loaded once; each trial forks, the child counts its SQL statements and commits and sends
itself SIGKILL at the given one. A second child then synchronises in peace. After the kill and after the second run SQL
compares the tables with the sandbox's own account of its tenant. Between trials the tables that a sync writes are put
back as they were. A *bug* is a deliberate mistake in the engine, put in by the children of both runs; the sweep must
find it.
"""

import argparse
import contextlib
import datetime
import json
import os
import signal
import sys
import time
from collections import Counter

ANCHOR = datetime.date(2026, 3, 12)
SIZE, PAGE = 14, 5


class Sweep:
    def __init__(self, database, bug=None):
        import odoo.modules.registry
        import odoo.sql_db
        from odoo.tools import config

        config.parse_config(["-d", database, "--log-level=critical"], setup_logging=True)
        self.database, self.bug, self.sql_db = database, bug, odoo.sql_db
        self.registry = odoo.modules.registry.Registry(database)
        self.setup_id = self._prepare()
        with self._cursor() as cr:
            cr.execute("SELECT max(id) FROM res_partner")
            self.partners = cr.fetchone()[0]
            cr.execute("SELECT max(id) FROM product_template")
            self.products = cr.fetchone()[0]

    # -- the database --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _cursor(self):
        connection = self.sql_db.db_connect(self.database)
        with connection.cursor() as cr:
            yield cr

    def _prepare(self):
        import odoo.api

        with self.registry.cursor() as cr:
            env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
            connection = env["bookings.connection"].create(
                {"name": "Crash", "mode": "sandbox", "sandbox_anchor": ANCHOR, "sandbox_size": SIZE}
                | {"company_id": env.company.id}
            )
            self.tenant = connection._sandbox_tenant()
            person = env["res.partner"].create({"name": "Template"})
            product = env["product.template"].create({"name": "Template", "type": "service"})
            setup = env["bookings.sync.setup"].create(
                {
                    "name": "Crash",
                    "connection_id": connection.id,
                    "business_id": self.tenant.business_id,
                    "customer_sync": "import",
                    "customer_template_id": person.id,
                    "service_sync": "import",
                    "service_template_id": product.id,
                    "look_back_days": 1000,
                    "look_ahead_days": 60,
                }
            )
            return setup.id

    def reset(self):
        """Take back what a sync writes, in one transaction."""
        with self._cursor() as cr:
            cr.execute("SET LOCAL session_replication_role = replica")
            for table in ("booking", "customer", "service", "staff", "sync_run", "sync_issue"):
                cr.execute(f"DELETE FROM bookings_{table}")
            cr.execute("DELETE FROM bookings_booking_bookings_staff_rel")
            cr.execute("DELETE FROM res_partner WHERE id > %s", [self.partners])
            cr.execute("DELETE FROM product_product WHERE product_tmpl_id > %s", [self.products])
            cr.execute("DELETE FROM product_template WHERE id > %s", [self.products])
            cr.execute(
                """UPDATE bookings_sync_setup SET last_appointment_sync = NULL, last_customer_sync = NULL,
                          last_service_sync = NULL, error_message = NULL"""
            )

    # -- one trial -----------------------------------------------------------------------------------

    def child(self, point=None):
        """Synchronise in a child that dies at ``point``: ("statement", n), ("before", n) or ("after", n) a commit.

        :returns: ``{"statements", "commits", "state"}``, or ``None`` where it died
        """
        self.sql_db.close_all()
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            code = 1
            try:
                os.close(reading)
                answer = self._synchronise(point)
                os.write(writing, json.dumps(answer).encode())
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        os.waitpid(pid, 0)
        self._wait_for_backends()
        return json.loads(text) if text else None

    def _wait_for_backends(self):
        """A killed client's server process ends its statement first; its locks go with it."""
        deadline = time.monotonic() + 60
        with self._cursor() as cr:
            while time.monotonic() < deadline:
                cr.execute(
                    """SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid != pg_backend_pid() AND backend_type = 'client backend'"""
                )
                if not cr.fetchone()[0]:
                    return
                cr.rollback()
        raise RuntimeError("a killed client's server process does not end")

    def _synchronise(self, point):
        import odoo.api

        counts = self._count_and_die(point)
        with self.registry.cursor() as cr:
            env = odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
            self._small_pages(env)
            if self.bug:
                BUGS[self.bug](env)
            setup = env["bookings.sync.setup"].browse(self.setup_id)
            run = setup._sync_run("script", commit=cr.commit)
            return counts | {"state": run.state, "error": run.error or ""}

    def _count_and_die(self, point):
        counts = {"statements": 0, "commits": 0}
        cursor = self.sql_db.Cursor
        execute, commit = cursor.execute, cursor.commit

        def die_at(kind, number):
            if point == (kind, number):
                os.kill(os.getpid(), signal.SIGKILL)

        def counted_execute(self, *args, **named):
            result = execute(self, *args, **named)
            counts["statements"] += 1
            die_at("statement", counts["statements"])
            return result

        def counted_commit(self):
            counts["commits"] += 1
            number = counts["commits"]
            die_at("before", number)
            commit(self)
            die_at("after", number)

        cursor.execute, cursor.commit = counted_execute, counted_commit
        return counts

    def _small_pages(self, env):
        from odoo.addons.bookings_invoicing import sandbox
        from odoo.addons.bookings_invoicing.models import sync_job, sync_store

        sync_job.BATCH = sync_store.BATCH = PAGE
        tenant = self.tenant
        type(env["bookings.connection"])._session = lambda self: sandbox.sandbox_session(
            tenant, page_size=PAGE
        )

    # -- the oracle ----------------------------------------------------------------------------------

    def violations(self, done):
        """What is wrong in the tables, in words; ``done``: after a run that came to its end."""
        wanted = Counter(
            (
                row["appointment"],
                str(row["start"])[:16],
                f"{row['price']:.2f}",
                row["customer_id"] or "",
            )
            for row in self.tenant.expected_bookings()
        )
        with self._cursor() as cr:
            cr.execute(
                """SELECT b.appointment_id, to_char(b.start, 'YYYY-MM-DD HH24:MI'), b.price, coalesce(c.remote_id, ''),
                          b.removed_on IS NOT NULL
                     FROM bookings_booking b LEFT JOIN bookings_customer c ON c.id = b.customer_id"""
            )
            rows = cr.fetchall()
            found = Counter(
                (appointment, start, f"{price:.2f}", "" if customer.startswith("e:") else customer)
                for appointment, start, price, customer, gone in rows
            )
            cr.execute(
                "SELECT count(*), count(DISTINCT partner_id), count(partner_id) FROM bookings_customer"
            )
            _customers, linked, _links = cr.fetchone()
            cr.execute("SELECT count(*) FROM res_partner WHERE id > %s", [self.partners])
            partners = cr.fetchone()[0]
            cr.execute(
                "SELECT last_appointment_sync IS NOT NULL FROM bookings_sync_setup WHERE id = %s",
                [self.setup_id],
            )
            complete = cr.fetchone()[0]
        wrong = []
        if found - wanted:
            wrong.append(f"twice or wrong: {len(list((found - wanted).elements()))}")
        if any(gone for *_facts, gone in rows):
            wrong.append("marked as gone though it is there")
        if (done or complete) and wanted - found:
            wrong.append(f"lost: {len(list((wanted - found).elements()))}")
        if partners != linked:
            wrong.append(f"{partners} partners for {linked} people")
        return wrong

    def trial(self, point):
        """Kill at the point, look; run again, look. Returns what is wrong."""
        self.reset()
        answer = self.child(point)
        if answer is not None:
            return []
        wrong = [f"after the kill: {text}" for text in self.violations(done=False)]
        again = self.child()
        if again is None or again["state"] != "done":
            return [*wrong, f"the next run ended {again}"]
        return [*wrong, *(f"after the next run: {text}" for text in self.violations(done=True))]

    def run(self, every, first_only=False):
        """All points: around each commit, and every so many statements."""
        self.reset()
        try:
            whole = self.child()
            wrong = {}
            if not whole or whole["state"] != "done":
                wrong["in peace"] = [str(whole)]
            elif found := self.violations(done=True):
                wrong["in peace"] = found
            return self._points(whole or {"commits": 0, "statements": 0}, every, wrong, first_only)
        finally:
            self.reset()

    def _points(self, whole, every, wrong, first_only):
        points = [(kind, n) for n in range(1, whole["commits"] + 1) for kind in ("before", "after")]
        points += [("statement", n) for n in range(1, whole["statements"] + 1, every)]
        tried = 0
        for point in points:
            if first_only and wrong:
                break
            tried += 1
            if found := self.trial(point):
                wrong[f"{point[0]} {point[1]}"] = found
        return {"points": tried, "statements": whole["statements"], "violations": wrong}


# -- seeded bugs: each is a mistake that somebody could make -----------------------------------------


def cursor_before_data(env):
    """The time of the last sync is written before the appointments are."""
    from odoo.addons.bookings_invoicing.models.sync_job import SyncJob

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
    from odoo.addons.bookings_invoicing.models.sync_store import BatchStore

    BatchStore._by_halves = lambda self, kind, records, keep: (dict(keep(self, records)), [])


def hash_before_content(env):
    """The hash of an appointment is stored and committed before its attendees are complete."""
    bookings = type(env["bookings.booking"])
    kept = bookings._import_changed

    def early(self, setup, appointments, digests):
        for one in appointments:
            kept(self, setup, [one], digests)
            values = self.search([("appointment_id", "=", one.id)])
            price = values[:1].price
            values.price = 0.01
            self.env.cr.commit()
            values.price = price
        return {}

    bookings._import_changed = early
    _without_savepoints()


def forgotten_rows(env):
    """The cache is thrown away at a commit before it was written."""
    from odoo.addons.bookings_invoicing.models.sync_store import BatchStore

    def durably(self, work, *args):
        result = work(*args)
        self.env.cr.execute("SELECT 1")
        self.env.invalidate_all(flush=False)
        self.env.cr.commit()
        return result

    BatchStore.durably = durably


def search_then_create(env):
    """Nothing is looked for before it is created, and nothing in the database refuses the second one."""
    env.cr.execute("DROP INDEX IF EXISTS bookings_booking__attendee_uniq")
    bookings = type(env["bookings.booking"])
    bookings._stored = lambda self, setup, ids: {}
    kept = bookings._import_changed

    def blind(self, setup, appointments, digests):
        nothing = bookings._attendee_keys
        bookings._attendee_keys = lambda self, appointment, existing: {
            f"{key}{time.monotonic()}": value
            for key, value in nothing(self, appointment, self.browse()).items()
        }
        bookings._remove = lambda self, setup, digest=None: 0
        return kept(self, setup, appointments, digests)

    bookings._import_changed = blind


def absence_concluded_early(env):
    """What the first page does not show counts as gone."""
    from odoo.addons.bookings_invoicing.models.sync_job import SyncJob

    kept = SyncJob._fetch

    def hasty(self, source):
        for item in kept(self, source):
            yield item
            if getattr(item, "window", None):
                booking = self.env["bookings.booking"]
                seen = {one.id for one in item.records}
                self._remove(booking._known_in_window(self.setup, *item.window) - seen)

    SyncJob._fetch = hasty


BUGS = {
    function.__name__: function
    for function in (
        cursor_before_data,
        partners_committed_early,
        hash_before_content,
        forgotten_rows,
        search_then_create,
        absence_concluded_early,
    )
}


def main(argv=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--bugs", nargs="*", choices=sorted(BUGS), default=())
    options = parser.parse_args(argv)
    sweep = Sweep(options.database)
    result = {}
    for bug in options.bugs or (None,):
        sweep.bug = bug
        result[bug or "none"] = sweep.run(options.every, first_only=bool(bug))
    print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
