from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date, plaintext2html

from ...billing import notes
from ..base.graph_errors import Told, told
from ..base.moments import INVOICES_CHANGED
from .outbox_job import OutboxJob

ACTIVITY = "bookings_invoicing.mail_activity_outbox"
MOST_REFUSALS = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=10), timedelta(hours=6)
KEEP_DAYS = 90
GC_BATCH = 1000
# What the setup must say, by kind of row
ASKED = {
    "invoice": [("setup_id.write_invoice", "=", True), ("setup_id.write_refused", "=", False)],
    "customer": [("setup_id.customers_confirmed", "!=", False)],
    "service": [("setup_id.services_confirmed", "!=", False)],
}
SENDING = [
    ("state", "=", "waiting"),
    ("setup_id.paused", "=", False),
    ("setup_id.active", "=", True),
    ("setup_id.connection_id.active", "=", True),
    ("setup_id.connection_id.may_write", "=", True),
]


class BookingsOutbox(models.Model):
    """A change to write to Bookings. It is recorded in the transaction of the change and sent after it.

    How it works: a change only adds rows, so that it never waits for a row that is just being sent. What is sent is
    worked out when it is sent (:mod:`.outbox_job`), from how things are then; all waiting rows with the same subject, such
    as an appointment, are done with that. So a row may come twice or too often, but never be missing.
    """

    _name = "bookings.outbox"
    _inherit = ["bookings.own.links", "bookings.safe.export"]
    _description = "Change to Write to Bookings"
    _order = "id desc"
    _check_company_auto = True

    setup_id = fields.Many2one(
        "bookings.sync.setup", required=True, readonly=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(
        related="setup_id.company_id", store=True, precompute=True, index=True
    )
    kind = fields.Selection(
        [("invoice", "Invoice"), ("customer", "Customer"), ("service", "Service")],
        string="What",
        required=True,
        readonly=True,
        default="invoice",
    )
    subject = fields.Char(
        compute="_compute_subject",
        store=True,
        precompute=True,
        index=True,
        help="Rows with the same subject are written together.",
    )
    booking_id = fields.Many2one("bookings.booking", readonly=True, ondelete="cascade", index=True)
    appointment_id = fields.Char(
        string="Bookings ID", readonly=True, index=True, help="The appointment."
    )
    customer_id = fields.Many2one(
        "bookings.customer",
        string="Bookings Customer",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
        help="The contact to create as a customer in Bookings.",
    )
    service_id = fields.Many2one(
        "bookings.service",
        string="Bookings Service",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
    )
    product_id = fields.Many2one(
        "product.product",
        readonly=True,
        ondelete="cascade",
        index="btree_not_null",
        help="The product to create as a service in Bookings.",
    )
    about = fields.Char(string="For", compute="_compute_about")
    value_from = fields.Char(
        string="From",
        readonly=True,
        help="What was in Bookings before: the remark of Odoo, or the values.",
    )
    value_to = fields.Char(
        string="To", readonly=True, help="What Odoo writes. Everything else stays as it is."
    )
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("sent", "Written"),
            ("failed", "Refused"),
            ("dropped", "Dropped"),
        ],
        default="waiting",
        required=True,
        readonly=True,
        index=True,
    )
    tries = fields.Integer(readonly=True, help="Number of attempts that failed.")
    refusals = fields.Integer(
        readonly=True, help="Number of attempts that Microsoft refused. After five, Odoo stops."
    )
    next_try = fields.Datetime(readonly=True)
    error = Told(readonly=True)
    sent = fields.Datetime(string="Written on", readonly=True)
    dropped_uid = fields.Many2one("res.users", string="Dropped by", readonly=True)

    @api.depends("kind", "appointment_id", "customer_id", "partner_id", "service_id", "product_id")
    def _compute_subject(self):
        for row in self:
            known = row.customer_id or row.service_id
            key = row.appointment_id or known.id or f"new:{(row.partner_id or row.product_id).id}"
            row.subject = f"{row.kind}:{key}"

    @api.depends("booking_id", "customer_id", "partner_id", "service_id", "product_id")
    def _compute_about(self):
        for row in self:
            what = row.booking_id or row.customer_id or row.service_id
            what = what or row.partner_id or row.product_id
            row.about = what.sudo().display_name or False

    @api.depends("about", "kind")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for row in self:
            row.display_name = f"{kinds[row.kind]}: {row.about or ''}"

    # -- what is written down ------------------------------------------------------------------------

    @api.model
    def _note_invoices(self, bookings):
        """Add rows for bookings whose invoices have changed, if their setups write invoices to Bookings."""
        bookings = bookings.sudo().exists().filtered("setup_id.write_invoice")
        made = self.browse()
        for setup, rows in bookings.grouped("setup_id").items():
            by_appointment = rows.grouped("appointment_id")
            known = self._last_values(setup, [*by_appointment])
            made |= self.sudo().create(
                [
                    {
                        "setup_id": setup.id,
                        "booking_id": by_appointment[appointment_id][:1].id,
                        "appointment_id": appointment_id,
                        "value_from": known.get(appointment_id),
                        "value_to": remark,
                    }
                    for appointment_id, remark in self._remarks(setup, [*by_appointment]).items()
                    if remark or appointment_id in known
                ]
            )
        if made:
            self._send_soon()

    @api.model
    def _last_values(self, setup, appointment_ids):
        """Return the last value to write, by appointment ID."""
        rows = self.sudo().search(
            [("setup_id", "=", setup.id), ("appointment_id", "in", appointment_ids)], order="id"
        )
        return {row.appointment_id: row.value_to for row in rows}

    @api.model
    def _remarks(self, setup, appointment_ids):
        """Return the remarks about the invoices of these appointments, in the language of the business.

        Number, date, and state only: neither who pays nor how much.

        :returns: ``{appointment id: text}``, empty where there is nothing to tell
        """
        outbox = self.sudo().with_context(active_test=False, lang=setup._language())
        bookings = outbox.env["bookings.booking"].search(
            [
                ("setup_id", "=", setup.id),
                ("appointment_id", "in", appointment_ids),
                ("removed_on", "=", False),
            ],
            order="id",
        )
        found = dict.fromkeys(appointment_ids, "")
        for appointment_id, rows in bookings.grouped("appointment_id").items():
            found[appointment_id] = notes.remark_of(
                [text for booking in rows if (text := outbox._told(booking))]
            )
        return found

    @api.model
    def _told(self, booking):
        """Return the text about the last invoice of a booking that was posted at least once."""
        lines = booking.invoice_line_ids.filtered(
            lambda line: line.move_id.move_type == "out_invoice" and line.move_id.posted_before
        )
        line = lines.sorted("id")[-1:]
        if not line:
            return ""
        return self.env._(
            "Invoice %(number)s of %(date)s: %(state)s",
            number=line.move_id.name,
            date=format_date(self.env, line.move_id.invoice_date),
            state=self._state_told(line),
        )

    @api.model
    def _state_told(self, line):
        if line.parent_state == "cancel":
            return self.env._("canceled")
        if line.parent_state == "draft":
            return self.env._("draft")
        if line._booking_credited_to_zero():
            return self.env._("credited")
        if line._booking_credit_lines():
            return self.env._("partly credited")
        return self.env._("posted")

    # -- what is sent --------------------------------------------------------------------------------

    @api.model
    def _send_soon(self):
        self.env.ref("bookings_invoicing.ir_cron_sync").sudo()._trigger()

    @api.model
    def _due_domain(self):
        now, domain = fields.Datetime.now(), Domain(SENDING)
        for name in ("next_try", "setup_id.retry_at"):
            domain &= Domain(name, "=", False) | Domain(name, "<=", now)
        return domain & Domain.OR(
            Domain("kind", "=", kind) & Domain(asked) for kind, asked in ASKED.items()
        )

    @api.model
    def _send_all(self, commit):
        """Send the due rows of each setup. A failure does not stop the other setups."""
        setups = self.env["bookings.sync.setup"]
        for setup_id in self.sudo().search(self._due_domain()).setup_id.ids:
            setup = setups.browse(setup_id)._for_sync()
            setups._alone(commit, OutboxJob(setup, "cron", commit=commit).send)

    @api.model
    def _due_subjects(self, setup, limit):
        """Return the subjects of due rows, the oldest rows first."""
        rows = self.search(Domain("setup_id", "=", setup.id) & self._due_domain(), order="id")
        return [*dict.fromkeys(rows.mapped("subject"))][:limit]

    @api.model
    def _waiting(self, setup, subject):
        """Return the waiting rows of a subject."""
        waiting = [("subject", "=", subject), ("state", "=", "waiting")]
        return self.search([("setup_id", "=", setup.id), *waiting], order="id")

    def _remark(self):
        """Return the ID of the appointment of these rows, and the remark to write there."""
        appointment_id = self[:1].appointment_id
        return appointment_id, self._remarks(self.setup_id, [appointment_id])[appointment_id]

    def _still_waiting(self):
        return self.exists().filtered(lambda row: row.state == "waiting")

    def _note_sent(self, before, after):
        """:param before, after: texts of what was in Bookings and what is there now"""
        self._still_waiting().write(
            {
                "state": "sent",
                "sent": fields.Datetime.now(),
                "value_from": before,
                "value_to": after,
                "error": False,
                "next_try": False,
            }
        )

    def _note_dropped(self, reason):
        self._still_waiting().write({"state": "dropped", "error": reason, "next_try": False})

    def _note_waiting(self, reason, wait):
        """Record why these rows could not be sent yet. The pause grows with each attempt.

        :param timedelta wait: the pause that Microsoft requests
        """
        for row in self._still_waiting():
            pause = min(FIRST_PAUSE * 2 ** min(row.tries, 10), LONGEST_PAUSE)
            row.write(
                {
                    "tries": row.tries + 1,
                    "error": reason,
                    "next_try": fields.Datetime.now() + max(wait, pause),
                }
            )

    def _pause_all(self, reason, wait):
        """Record a temporary failure of Microsoft, and let all other rows of the setup wait as long."""
        self._note_waiting(reason, wait)
        until = max(self.mapped(lambda row: row.next_try or fields.Datetime.now()))
        others = self.search(Domain("setup_id", "in", self.setup_id.ids) & self._due_domain())
        others.next_try = until

    def _note_refused(self, reason):
        """Count a refusal. After the last one, stop the row and notify the responsible user once."""
        rows = self._still_waiting()
        rows._note_waiting(reason, timedelta())
        for row in rows:
            row.refusals += 1
        stopped = rows.filtered(lambda row: row.refusals >= MOST_REFUSALS)
        stopped.write({"state": "failed", "next_try": False})
        for setup in stopped.setup_id:
            setup._tell_responsible(
                ACTIVITY,
                plaintext2html(told(self.env, reason)),
                summary=self.env._("Bookings refuses a change from Odoo"),
            )

    def _note_past_refused(self, reason):
        """Stop writing for a setup if Microsoft refuses changes of past appointments, and notify the responsible user once.

        :returns: whether this is the case: this appointment has ended, and no past appointment was ever changed
        """
        now = fields.Datetime.now()
        rows = self._still_waiting().filtered(lambda row: row.kind == "invoice")
        setup = rows.setup_id
        written = self.search(
            [("setup_id", "in", setup.ids), ("state", "=", "sent"), ("kind", "=", "invoice")],
            limit=GC_BATCH,
        )
        if not rows or rows.booking_id[:1].stop > now or any(map(_changed_past, written)):
            return False
        rows.write({"error": reason})
        setup.write_refused = reason
        setup._tell_responsible(
            ACTIVITY,
            plaintext2html(told(self.env, reason)),
            summary=self.env._("Bookings accepts no changes of past appointments"),
        )
        return True

    def _was_refused_last(self):
        """Return whether one more refusal stops one of these rows."""
        return any(row.refusals >= MOST_REFUSALS - 1 for row in self)

    # -- buttons -------------------------------------------------------------------------------------

    def action_retry(self):
        """Send these rows again, as if they were new."""
        self.check_access("write")
        rows = self.sudo().filtered(lambda row: row.state in ("waiting", "failed"))
        rows.write({"state": "waiting", "tries": 0, "refusals": 0, "next_try": False})
        rows._settle_activities()
        self._send_soon()

    def action_drop(self):
        """Drop these rows without writing them to Bookings."""
        self.check_access("write")
        rows = self.sudo().filtered(lambda row: row.state in ("waiting", "failed"))
        rows.write({"state": "dropped", "next_try": False, "dropped_uid": self.env.uid})
        rows._settle_activities()

    def _settle_activities(self):
        """Remove the activity from setups without refused rows."""
        for setup in self.setup_id:
            if not self.search_count(
                [("setup_id", "=", setup.id), ("state", "=", "failed")], limit=1
            ):
                setup.activity_unlink([ACTIVITY])

    @api.autovacuum
    def _gc_done(self):
        limit = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        domain = [("state", "in", ("sent", "dropped")), ("create_date", "<", limit)]
        old = self.search(domain, limit=GC_BATCH)
        old.unlink()
        return len(old), len(old) == GC_BATCH


def _changed_past(row):
    """Return whether a past appointment was changed."""
    return row.value_from != row.value_to and row.booking_id.stop <= row.sent


@INVOICES_CHANGED.step
def _write_down_invoices(bookings):
    bookings.env["bookings.outbox"]._note_invoices(bookings)
