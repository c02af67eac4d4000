"""A synchronization that also writes to Bookings, as :class:`.crash.CrashSweep` kills it.

A remark about an invoice, a contact and a product that were changed here, a contact and a product that are new in Bookings,
and a customer that was changed there. The sandbox stores what it was sent in transactions of its own, which play the part of
Microsoft and are the account: nothing arrives twice, nothing is missing in the end, and nothing is noted as written that did
not arrive.
"""

import sys
from collections import Counter

from .crash import CrashSweep
from .sync_world import SIZE, make_setup

TABLES = (
    *(
        "res_partner",
        "product_template",
        "bookings_customer",
        "bookings_service",
        "bookings_booking",
        "bookings_outbox",
        "bookings_proposal",
    ),
    *("bookings_sandbox_change", "bookings_sync_setup", "bookings_sync_run", "bookings_sync_issue"),
    *("mail_message", "mail_activity", "ir_cron_trigger"),
)
PHONE, EMAIL, REMARK = "+45 11223344", "nora@example.com", "Invoice X: posted"
SERVICE = "Cupping"


def _fixed_remarks():
    from odoo.addons.bookings_invoicing.models.sync.outbox import BookingsOutbox

    BookingsOutbox._remarks = lambda _self, _setup, ids: dict.fromkeys(ids, REMARK)


class OutboxSweep(CrashSweep):
    def _prepare(self, env):
        _fixed_remarks()
        setup = make_setup(env, size=SIZE)
        setup.connection_id.may_write = True
        tag = env["res.partner.category"].create({"name": "In Bookings"})
        setup.write(
            {
                "customer_sync": "both",
                "service_sync": "both",
                "partner_filter": f"[('category_id', '=', {tag.id})]",
                "write_invoice": True,
            }
        )
        setup._sync_run()
        action = setup.action_both_ways()
        env[action["res_model"]].browse(action["res_id"]).action_confirm()
        setup._sync_run()
        env["bookings.outbox"]._send_all(env.cr.commit)
        rows = env["bookings.customer"].search(
            [("setup_id", "=", setup.id), ("partner_id", "!=", False)], order="id"
        )
        rows = [one for one in rows.grouped("partner_id").values() if len(one) == 1]
        rows[0].partner_id.phone = PHONE
        fixed = [("setup_id", "=", setup.id), ("price_type", "=", "fixedPrice")]
        service = env["bookings.service"].search(fixed, limit=1)
        service.product_id.list_price += 1
        env["product.template"].create(
            {"name": SERVICE, "type": "service", "list_price": 30.0, "bookings_offer": True}
        )
        self.new = (
            env["res.partner"]
            .create({"name": "Nora New", "email": EMAIL, "category_id": tag.ids})
            .id
        )
        tenant = setup.connection_id._sandbox_tenant()
        values = {"phones": [{"number": "+45 99"}]}
        change = {"op": "edit_customer", "customer": rows[1].remote_id, "values": values}
        env["bookings.sandbox.change"].create(
            {"connection_id": setup.connection_id.id, "change": tenant.apply(change)}
        )
        bookings = env["bookings.booking"].search([("setup_id", "=", setup.id)], order="id")
        appointments = [*bookings.grouped("appointment_id")][:1]
        env["bookings.outbox"]._note_invoices(
            bookings.filtered(lambda one: one.appointment_id in appointments)
        )
        setup.sync_appointments = False  # the sweep of the synchronization has them
        self.setup_id, self.edited_there = setup.id, rows[1].partner_id.id
        self.wanted = Counter(
            [("notes", key) for key in appointments]
            + [("edit_customer", rows[0].remote_id), ("new_customer", EMAIL)]
            + [("edit_service", service.remote_id), ("new_service", SERVICE)]
        )
        env.flush_all()
        env.cr.execute("SELECT max(id) FROM bookings_sandbox_change")
        (self.last_change,) = env.cr.fetchone()
        env.cr.execute("DELETE FROM bookings_outbox WHERE state != 'waiting'")
        for table in TABLES:
            env.cr.execute(f"CREATE TABLE kept_{table} AS TABLE {table}")

    def reset(self):
        """Put the tables back as they were before the work."""
        with self.cursor() as cr:
            cr.execute("SET LOCAL session_replication_role = replica")
            for table in TABLES:
                cr.execute(f"DELETE FROM {table}")
                cr.execute(f"INSERT INTO {table} TABLE kept_{table}")

    def work(self, env):
        """What the scheduled action does."""
        _fixed_remarks()
        setup = env["bookings.sync.setup"].browse(self.setup_id)
        run = setup._sync_run("script", commit=env.cr.commit)
        env["bookings.outbox"]._send_all(env.cr.commit)
        return {"state": run.state, "error": run.error or ""}

    def violations(self, done):
        with self.cursor() as cr:
            cr.execute(
                "SELECT change FROM bookings_sandbox_change WHERE id > %s", [self.last_change]
            )
            arrived = Counter(_subject(change) for (change,) in cr.fetchall())
            cr.execute("SELECT state, count(*) FROM bookings_outbox GROUP BY state")
            states = dict(cr.fetchall())
            cr.execute(
                """SELECT (SELECT count(*) FROM bookings_customer WHERE partner_id = %s),
                          (SELECT phone FROM res_partner WHERE id = %s)""",
                [self.new, self.edited_there],
            )
            links, phone = cr.fetchone()
        wrong = []
        if twice := arrived - self.wanted:
            wrong.append(f"twice, or not asked for: {sorted(twice)}")
        if states.get("sent", 0) > 0 and not arrived:
            wrong.append("noted as written before it was")
        if links > 1:
            wrong.append(f"{links} customers for one contact")
        if done:
            if lost := self.wanted - arrived:
                wrong.append(f"lost: {sorted(lost)}")
            if set(states) != {"sent"}:
                wrong.append(f"not at an end: {states}")
            if (links, phone) != (1, "+45 99"):
                wrong.append(f"not taken over: {links} links, phone {phone}")
        return wrong


def _subject(change):
    """What was written, without the values."""
    where = change.get("appointment") or change.get("customer") or change.get("service")
    if change["op"] == "new_customer":
        where = change["values"]["emailAddress"]
    if change["op"] == "new_service":
        where = change["values"]["displayName"]
    return change["op"], where


# -- seeded bugs: each is a mistake that somebody could make -----------------------------------------


def noted_before_it_is_sent(env):
    """Rows are written down as sent first, so that they are never sent twice."""
    from odoo.addons.bookings_invoicing.models.sync.outbox_job import OutboxJob

    kept = OutboxJob._send_one

    def early(self, sender, subject):
        send = sender.send

        def noted_first(rows):
            self.store.durably(rows.write, {"state": "sent"})
            return send(rows)

        sender.send = noted_first
        try:
            return kept(self, sender, subject)
        finally:
            sender.send = send

    OutboxJob._send_one = early


def customers_written_without_comparing(env):
    """The phone number is written whether it is there or not."""
    from odoo.addons.bookings_invoicing.models.sync.directory_sender import CustomerSender

    kept = CustomerSender._merge

    def always(self, row_id, remote_id, sending=False):
        values, wanted = kept(self, row_id, remote_id, sending)
        return values, wanted or ({"phone": PHONE} if values["phone"] == PHONE else {})

    CustomerSender._merge = always


def notes_written_without_comparing(env):
    """The remark is written whether it is there or not."""
    from odoo.addons.bookings_invoicing.models.sync import outbox_job

    kept = outbox_job.with_remark
    outbox_job.with_remark = lambda notes, remark: kept(notes, remark) + " "


OutboxSweep.bugs = {
    function.__name__: function
    for function in (
        noted_before_it_is_sent,
        customers_written_without_comparing,
        notes_written_without_comparing,
    )
}

if __name__ == "__main__":
    sys.exit(OutboxSweep.main())
