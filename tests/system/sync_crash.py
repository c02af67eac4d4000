"""A synchronization of three pages as :class:`.crash.CrashSweep` kills it; the sandbox's account of its tenant judges."""

import sys
from collections import Counter

from .crash import CrashSweep
from .sync_bugs import BUGS
from .sync_world import make_setup

SIZE, PAGE = 14, 5


class SyncSweep(CrashSweep):
    bugs = BUGS

    def _prepare(self, env):
        setup = make_setup(env, size=SIZE)
        self.tenant = setup.connection_id._sandbox_tenant()
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
        from odoo.addons.bookings_invoicing.models.sync import batch_store as sync_store
        from odoo.addons.bookings_invoicing.models.sync import job as sync_job

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


if __name__ == "__main__":
    sys.exit(SyncSweep.main())
