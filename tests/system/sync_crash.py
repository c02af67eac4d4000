"""A synchronisation of three pages as :class:`.crash.CrashSweep` kills it; the sandbox's account of its tenant judges."""

import datetime
import sys
import time
from collections import Counter

from .crash import CrashSweep

ANCHOR = datetime.date(2026, 3, 12)
SIZE, PAGE = 14, 5


class SyncSweep(CrashSweep):
    def _prepare(self, env):
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
        self.setup_id = setup.id
        env.cr.execute(
            "SELECT (SELECT max(id) FROM res_partner), (SELECT max(id) FROM product_template)"
        )
        self.partners, self.products = env.cr.fetchone()

    def reset(self):
        """Take back what a sync writes, in one transaction."""
        with self.cursor() as cr:
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

    def work(self, env):
        self._small_pages(env)
        setup = env["bookings.sync.setup"].browse(self.setup_id)
        run = setup._sync_run("script", commit=env.cr.commit)
        return {"state": run.state, "error": run.error or ""}

    def _small_pages(self, env):
        from odoo.addons.bookings_invoicing import sandbox
        from odoo.addons.bookings_invoicing.models import sync_job, sync_store

        sync_job.BATCH = sync_store.BATCH = PAGE
        tenant = self.tenant
        type(env["bookings.connection"])._session = lambda self: sandbox.sandbox_session(
            tenant, page_size=PAGE
        )

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
        with self.cursor() as cr:
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


SyncSweep.bugs = {
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


if __name__ == "__main__":
    sys.exit(SyncSweep.main())
