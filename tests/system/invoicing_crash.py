"""Invoicing runs as :class:`.crash.CrashSweep` kills them: one while a person waits, one queued for Odoo's cron.

The account that must come out is made by SQL: each booking on one line of its own amount or still waiting where somebody
will find it, each draft on one run, each run's figures those of its drafts.
"""

import sys

from benchmarks.invoicing import World

from .crash import CrashSweep

# Customers billed while the person waits, customers of the queued run, bookings of each.
AT_ONCE, QUEUED, EACH = 1, 2, 2

TABLES = (
    "bookings_invoice_run",
    "account_move",
    "mail_message",
    "mail_followers",
    "mail_notification",
    "bus_bus",
    "ir_cron_trigger",
    "ir_cron_progress",
)

# Each query finds what must not be; the words say what that is.
WRONG = {
    "billed twice": """
        SELECT booking_id FROM account_move_line WHERE booking_id IS NOT NULL GROUP BY booking_id HAVING count(*) > 1""",
    "a line of another amount than its booking": """
        SELECT l.id FROM account_move_line l JOIN bookings_booking b ON b.id = l.booking_id
         WHERE l.price_subtotal != b.amount OR NOT l.booking_live""",
    "a booking that says drafted without a line, or the other way round": """
        SELECT b.id FROM bookings_booking b LEFT JOIN account_move_line l ON l.booking_id = b.id
         WHERE (b.status, b.billed_before) IS DISTINCT FROM
               (CASE WHEN l.id IS NULL THEN 'ready' ELSE 'drafted' END, l.id IS NOT NULL)""",
    "a draft that does not add up": """
        SELECT m.id FROM account_move m LEFT JOIN account_move_line l ON l.move_id = m.id WHERE m.id > %(moves)s
      GROUP BY m.id HAVING sum(l.balance) IS DISTINCT FROM 0
            OR m.amount_untaxed IS DISTINCT FROM sum(l.price_subtotal) FILTER (WHERE l.booking_id IS NOT NULL)""",
    "a draft that is on no run, or on two": """
        SELECT m.id FROM account_move m LEFT JOIN account_move_bookings_invoice_run_rel r ON r.account_move_id = m.id
         WHERE m.id > %(moves)s GROUP BY m.id HAVING count(r.bookings_invoice_run_id) != 1""",
    "a draft without its one message": """
        SELECT m.id FROM account_move m LEFT JOIN mail_message n ON n.model = 'account.move' AND n.res_id = m.id
         WHERE m.id > %(moves)s GROUP BY m.id HAVING count(n.id) != 1""",
    "a run that says another number than it drafted": """
        SELECT r.id FROM bookings_invoice_run r
    LEFT JOIN account_move_bookings_invoice_run_rel x ON x.bookings_invoice_run_id = r.id
    LEFT JOIN account_move_line l ON l.move_id = x.account_move_id
      GROUP BY r.id HAVING count(DISTINCT l.booking_id) != coalesce(r.booking_count, 0)""",
    "a run that nobody will end": """
        SELECT r.id FROM bookings_invoice_run r WHERE r.state NOT IN ('queued', 'done', 'partial')
            OR r.state = 'queued' AND NOT EXISTS (SELECT 1 FROM ir_cron_trigger WHERE cron_id = %(cron)s)""",
    "a booking that its queued run has forgotten": """
        SELECT r.id FROM bookings_invoice_run r WHERE r.state = 'queued' AND r.total != coalesce(r.booking_count, 0)
             + (SELECT count(*) FROM jsonb_array_elements(r.todo) d, jsonb_array_elements(d))""",
}
UNDONE = {
    "lost": "SELECT id FROM bookings_booking WHERE status != 'drafted'",
    "a run that did not end": "SELECT id FROM bookings_invoice_run WHERE state NOT IN ('done', 'partial')",
}


class InvoicingSweep(CrashSweep):
    def _prepare(self, env):
        world = World(env, AT_ONCE + QUEUED, EACH)
        ids = world.bookings.ids
        self.small, self.large = ids[: AT_ONCE * EACH], ids[AT_ONCE * EACH :]
        self.cron_id = env.ref("bookings_invoicing.ir_cron_invoice_runs").id
        self.kept = {}
        for table in TABLES:
            env.cr.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
            self.kept[table] = env.cr.fetchone()[0]

    def reset(self):
        """Take back what runs write; the cron's next hour is far, so that only its trigger wakes it."""
        with self.cursor() as cr:
            for table in TABLES:
                cr.execute(f"DELETE FROM {table} WHERE id > %s", [self.kept[table]])
            cr.execute("UPDATE bookings_booking SET status = 'ready', billed_before = FALSE")
            cr.execute(
                "UPDATE ir_cron SET nextcall = now() + interval '1 year', failure_count = 0 WHERE id = %s",
                [self.cron_id],
            )

    def work(self, env):
        """A person clicks for a few, clicks for many, and the cron works off what was queued."""
        from odoo.addons.bookings_invoicing.models.invoicing import drafting as booking_invoicing
        from odoo.addons.bookings_invoicing.models.invoicing import run as bookings_invoice_run

        booking_invoicing.AT_ONCE = AT_ONCE
        bookings_invoice_run.BookingsInvoiceRun._work_batch.__defaults__ = (1,)
        for ids in (self.small, self.large):
            env["bookings.booking"].browse(ids).action_create_invoices()
            env.cr.commit()
        with self.cursor() as cron_cursor:
            env["ir.cron"]._process_jobs_loop(cron_cursor, job_ids=[self.cron_id])
        return {"state": "done"}

    def violations(self, done):
        facts = {"moves": self.kept["account_move"], "cron": self.cron_id}
        wrong = []
        with self.cursor() as cr:
            for words, query in (WRONG | UNDONE if done else WRONG).items():
                cr.execute(query, facts)
                if rows := cr.fetchall():
                    wrong.append(f"{words}: {len(rows)}")
        return wrong


# -- seeded bugs: each is a mistake that somebody could make -----------------------------------------


def drafts_before_their_run(env):
    """Drafts are made durable before the run that made them knows them."""
    run = type(env["bookings.invoice.run"])
    kept = run._record_documents

    def early(self, documents):
        self.env.cr.commit()
        return kept(self, documents)

    run._record_documents = early
    _without_savepoints(env)


def _without_savepoints(env):
    def straight(self, groups):
        if groups:
            self._record_documents(groups[0][0]._create_documents(groups))

    type(env["bookings.invoice.run"])._draft_groups = straight


def claimed_by_a_mark(env):
    """Bookings are marked as drafted, durably, before they are."""
    bookings = type(env["bookings.booking"])
    kept = bookings._create_documents

    def early(self, groups):
        ids = [one for rows, _group in groups for one in rows.ids]
        self.env.cr.execute(
            "UPDATE bookings_booking SET status = 'drafted' WHERE id = ANY(%s)", [ids]
        )
        self.env.cr.commit()
        return kept(self, groups)

    bookings._create_documents = early
    _without_savepoints(env)


def forgotten_before_done(env):
    """A queued run strikes a batch off its list before it is drafted."""
    run = type(env["bookings.invoice.run"])
    kept = run._work_batch

    def early(self, size=1):
        todo = self.todo
        self.todo = todo[size:]
        self.env.cr.commit()
        self.todo = todo
        return kept(self, size)

    run._work_batch = early


def struck_off_late(env):
    """A batch is durable before it is struck off the list; nothing looks again and nothing in the database refuses."""
    env.cr.execute("DROP INDEX IF EXISTS account_move_line__booking_live_uniq")
    bookings = type(env["bookings.booking"])
    bookings._billable = lambda self, run: self
    kept = bookings._invoice_into

    def early(self, run, settings):
        kept(self, run, settings)
        if run.state == "queued":
            self.env.cr.commit()

    bookings._invoice_into = early


def nobody_wakes_the_cron(env):
    """A queued run is durable before the scheduled action is called."""
    crons = type(env["ir.cron"])
    kept = crons._trigger

    def late(self, at=None):
        self.env.cr.commit()
        return kept(self, at)

    crons._trigger = late


InvoicingSweep.bugs = {
    function.__name__: function
    for function in (
        drafts_before_their_run,
        claimed_by_a_mark,
        forgotten_before_done,
        struck_off_late,
        nobody_wakes_the_cron,
    )
}


if __name__ == "__main__":
    sys.exit(InvoicingSweep.main())
