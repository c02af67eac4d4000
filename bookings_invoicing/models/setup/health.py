from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_datetime, plaintext2html

from ... import graph
from ..base.graph_errors import told
from . import overview

DAY = 86400
LATE_AT_LEAST = timedelta(hours=1)
LOOK_EVERY = timedelta(days=1)
SHORT_PAUSE = timedelta(minutes=10)  # before the retry after a temporary failure
ERROR_LENGTH = 500
ACTIVITY = "bookings_invoicing.mail_activity_sync"
START = "bookings-start"  # path of the server action that opens the first step


class BookingsSyncSetup(models.Model):
    """The health of a setup: late or failing synchronization, open points, the health board, and notifications."""

    _inherit = "bookings.sync.setup"

    @api.depends("last_appointment_sync")
    @api.depends_context("lang")
    def _compute_last_sync_age(self):
        now = fields.Datetime.now()
        for setup in self:
            setup.last_sync_age = setup._age_text(setup.last_appointment_sync, now)

    def _age_text(self, moment, now):
        if not moment:
            return self.env._("never")
        seconds = max((now - moment).total_seconds(), 0)
        if seconds < 2 * 3600:
            return self.env._("%s min", int(seconds // 60))
        if seconds < 2 * DAY:
            return self.env._("%s h", int(seconds // 3600))
        return self.env._("%s days", int(seconds // DAY))

    @api.depends("secret_expiry")
    def _compute_secret_days_left(self):
        today = fields.Date.context_today(self)
        for setup in self:
            expiry = setup.secret_expiry
            setup.secret_days_left = (expiry - today).days if expiry else 9999

    def _compute_open_points(self):
        """Count the open points of all setups on the board, with three grouped queries."""
        services = self.env["bookings.service"]._read_group(
            [
                ("setup_id", "in", self.ids),
                ("product_id", "=", False),
                ("taken", "=", True),
                ("removed", "=", False),
            ],
            ["setup_id"],
            ["__count"],
        )
        customers = self.env["bookings.booking"]._read_group(
            [
                ("setup_id", "in", self.ids),
                ("status", "in", ("ready", "attention", "upcoming")),
                ("customer_id", "!=", False),
                ("partner_id", "=", False),
            ],
            ["setup_id"],
            ["customer_id:count_distinct"],
        )
        amounts = self.env["bookings.booking"]._read_group(
            [("setup_id", "in", self.ids), ("status", "in", ("ready", "attention"))],
            ["setup_id", "currency_id"],
            ["amount:sum"],
        )
        services, customers, money = dict(services), dict(customers), {}
        for setup, currency, amount in amounts:
            money.setdefault(setup, {})[currency] = amount
        for setup in self:
            setup.unmapped_service_count = services.get(setup, 0)
            setup.unknown_customer_count = customers.get(setup, 0)
            setup.unbilled_text = overview.money_text(money.get(setup, {setup.currency_id: 0.0}))

    @api.model
    def _health_report(self):
        """Return the health of all setups of all companies for monitors, without names of customers or error texts.

        :returns: dict of ``status`` (ok, late, or attention, whichever is worst), ``setups`` (number of setups with a
            schedule), ``late`` and ``attention`` (lists of setups with ID, name, and last successful synchronization),
            ``oldest_sync`` (UTC) and ``oldest_sync_seconds`` of the setup that has waited longest (None if one was never
            read), ``secret_days_left`` of the secret that expires first (None if none has an expiry date)
        """
        setups = self.search([("paused", "=", False), ("connection_id.active", "=", True)])
        late = setups.filtered(lambda setup: setup._is_late())
        attention = setups.filtered(lambda setup: setup.health == "attention")
        moments = [setup._last_good() for setup in setups]
        oldest = min(moments) if moments and all(moments) else None
        expiries = setups.connection_id.filtered("secret_expiry").mapped("secret_days_left")
        return {
            "status": "late" if late else "attention" if attention else "ok",
            "setups": len(setups),
            "late": [setup._health_line() for setup in late],
            "attention": [setup._health_line() for setup in attention],
            "oldest_sync": oldest and f"{oldest.isoformat()}Z",
            "oldest_sync_seconds": oldest and int((fields.Datetime.now() - oldest).total_seconds()),
            "secret_days_left": min(expiries, default=None),
        }

    def _health_line(self):
        last = self._last_good()
        return {
            "id": self.id,
            "name": self.name,
            "last_sync": last and f"{last.isoformat()}Z" or None,
        }

    # -- the accountant's overview ---------------------------------------------------------------------

    @api.depends_context("lang")
    def _compute_overview(self):
        overviews = overview.overview_of(self)
        for setup in self:
            setup.overview = overviews[setup]

    def action_open_ready(self):
        return overview.open_bookings(self, Domain("status", "in", overview.ROWS["ready"]))

    def action_open_attention(self):
        """Open the bookings that need attention, grouped by reason."""
        action = overview.open_bookings(self, Domain("status", "in", overview.ROWS["attention"]))
        return {**action, "context": {**action["context"], "search_default_group_reason": 1}}

    def action_open_changed(self):
        action = overview.open_bookings(self, overview.CHANGED)
        return {**action, "context": {**action["context"], "bookings_changed": True}}

    def action_open_upcoming(self):
        return overview.open_bookings(self, Domain("status", "in", overview.ROWS["upcoming"]))

    def action_open_on_drafts(self):
        return overview.open_bookings(self, Domain("status", "in", overview.ROWS["drafted"]))

    def action_open_drafts(self):
        """Open the draft invoices of this setup, or its bookings if they are only on orders."""
        self.check_access("read")
        lines = self.env["account.move.line"].search(
            [
                ("booking_id.setup_id", "in", self.ids),
                ("booking_live", "=", True),
                ("parent_state", "=", "draft"),
            ]
        )
        if not lines:
            return self.action_open_on_drafts()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account.action_move_out_invoice_type"
        )
        context = {"default_move_type": "out_invoice"}
        return {**action, "domain": [("id", "in", lines.move_id.ids)], "context": context}

    # -- late and failing ------------------------------------------------------------------------------

    @api.depends(
        "error_message",
        "last_appointment_sync",
        "interval_number",
        "interval_type",
        "connection_id.state",
    )
    def _compute_health(self):
        for setup in self:
            if setup.error_message or setup.connection_id.state == "attention":
                setup.health = "attention"
            else:
                setup.health = "late" if setup._is_late() else "ok"

    def _is_late(self):
        """Return whether the last successful synchronization is older than two intervals (at least one hour).

        A paused setup is never late.
        """
        self.ensure_one()
        now = fields.Datetime.now()
        last = self._last_good() or self.create_date or now
        return not self.paused and now - last > max(2 * self._interval(), LATE_AT_LEAST)

    def _last_good(self):
        return self.last_appointment_sync if self.sync_appointments else self.last_service_sync

    @api.depends(
        "waiting_reason",
        "retry_at",
        "next_sync",
        "last_appointment_sync",
        "last_service_sync",
        "interval_number",
        "interval_type",
        "paused",
    )
    @api.depends_context("lang", "tz")
    def _compute_waiting_text(self):
        for setup in self:
            setup.waiting_text = setup._waiting_sentence()

    @api.depends(
        "error_message", "waiting_text", "connection_id.state", "connection_id.error_message"
    )
    @api.depends_context("lang", "tz")
    def _compute_trouble_text(self):
        for setup in self:
            connection = setup.connection_id
            broken = connection.state == "attention" and connection.error_message
            trouble = told(setup.env, setup.error_message or broken)
            setup.trouble_text = trouble or setup.waiting_text

    def _waiting_sentence(self):
        """Return why the setup is not synchronized at the moment and when Odoo will retry, or False if all is well."""
        if self.waiting_reason:
            return self.env._(
                "Waiting for Microsoft. %(reason)s Next retry: %(time)s.",
                reason=told(self.env, self.waiting_reason),
                time=self._shown_time(self.retry_at or self.next_sync),
            )
        if not self.error_message and self._is_late():
            return self.env._(
                "Nothing has been read since %(last)s. Next retry: %(time)s. If this time has passed, check that "
                "Odoo's scheduled actions are running.",
                last=self._shown_time(self._last_good()),
                time=self._shown_time(self.next_sync),
            )
        return False

    def _shown_time(self, moment):
        if not moment:
            return self.env._("never")
        return format_datetime(self.env, moment, dt_format="short")

    def _is_due_to_look(self, now):
        """Return whether to check unbilled bookings outside the synchronized period, which is due at least daily."""
        self.ensure_one()
        return not self.last_look or now + self._interval() > self.last_look + LOOK_EVERY

    def _interval(self):
        self.ensure_one()
        return timedelta(**{self.interval_type: self._bounded("interval_number")})

    def _note_success(self):
        self.ensure_one()
        troubles = ("error_message", "error_date", "retry_at", "waiting_reason", "late_since")
        if any(self[name] for name in troubles):
            self.sudo().write(dict.fromkeys(troubles, False))
        self.activity_unlink([ACTIVITY])

    def _note_waiting(self, error):
        """Record a temporary failure and schedule the retry, not before the time that Microsoft asks for.

        :param graph.GraphError error:
        """
        self.ensure_one()
        reason, wait = str(error), timedelta(seconds=error.retry_after or 0)
        until = fields.Datetime.now() + max(wait, min(SHORT_PAUSE, self._interval()))
        self.sudo().write({"waiting_reason": reason, "retry_at": until, "next_sync": until})
        self.env.ref("bookings_invoicing.ir_cron_sync").sudo()._trigger(at=until)

    def _in_words(self, error):
        """Return the error that ended a synchronization as a sentence to store: see :class:`..base.graph_errors.Told`.

        :param Exception error:
        """
        if isinstance(error, (graph.GraphError, UserError)):
            return str(error)
        return self.env._(
            "An unexpected error ended the synchronization. See the server log for details. %(kind)s: %(error)s",
            kind=type(error).__name__,
            error=str(error)[:ERROR_LENGTH],
        )

    def _note_failure(self, message):
        """Record a failure on the setup and notify the responsible users with an activity."""
        self.ensure_one()
        if self.error_message != message or self.retry_at:
            self.sudo().write(
                {
                    "error_message": message,
                    "error_date": fields.Datetime.now(),
                    "retry_at": False,
                    "waiting_reason": False,
                }
            )
        self._tell_responsible(ACTIVITY, plaintext2html(told(self.env, message)))

    def action_write_again(self):
        """Try once more to write to appointments that have ended."""
        self.check_access("write")
        self.sudo().write_refused = False
        self.env.ref("bookings_invoicing.ir_cron_sync").sudo()._trigger()

    def _responsible_candidates(self):
        first, *others = super()._responsible_candidates()
        return [first, self.sudo().connection_id.user_id, *others]

    # -- first steps ---------------------------------------------------------------------------------

    @api.model
    def _first_step(self, companies):
        """Return what these companies have to do next to set up the addon, whatever the rights of the user.

        :returns: ``(sentence, record on which it is done)``; the record is empty if a connection must be created first,
            the sentence is empty if nothing is left to do
        """
        own = [("company_id", "in", [*companies.ids, False])]
        connections = self.env["bookings.connection"].sudo().search(own)
        setups = self.sudo().search(own)
        if not connections:
            text = self.env._(
                "Connect to Microsoft 365, or try everything with the sample data of a sandbox first."
            )
            return text, connections
        for connection in connections:
            if connection.next_step and (not setups or connection in setups.connection_id):
                return f"{connection.name}: {connection.next_step}", connection
        for setup in setups:
            if step := setup.trouble_text or setup.next_step:
                return f"{setup.name}: {step}", setup
        return "", setups

    @api.model
    def _open_first_step(self):
        """Return the action that opens the record of the first step, or the uninvoiced bookings if nothing is left."""
        text, record = self._first_step(self.env.companies)
        if not text:
            return self.env["ir.actions.act_window"]._for_xml_id(
                "bookings_invoicing.booking_action_uninvoiced"
            )
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    @api.model
    def get_empty_list_help(self, help_message):
        # OVERRIDE: a business can only be selected if there is a connection
        return self._first_step_help() or super().get_empty_list_help(help_message)

    @api.model
    def _first_step_help(self):
        """Return the help of an empty list: the next setup step with a button, or whom to ask for it.

        Odoo reads actions in superuser mode, but the button depends on the rights of the user.
        """
        companies = self.env.companies
        if self.search_count(
            [("company_id", "in", companies.ids), ("last_appointment_sync", "!=", False)], limit=1
        ):
            return ""
        text, record = self._first_step(companies)
        if record:
            title = self.env._("Microsoft Bookings is not set up yet")
            label = self.env._("Continue")
        else:
            title = self.env._("Microsoft Bookings is not connected yet")
            label = self.env._("Connect to Microsoft 365")
        if self.env["bookings.connection"].sudo(False).has_access("create"):
            remedy = Markup('<p>%s</p><a class="btn btn-primary" href="/odoo/%s">%s</a>') % (
                text,
                START,
                label,
            )
        else:
            remedy = Markup("<p>%s</p>") % self._whom_to_ask()
        return Markup('<p class="o_view_nocontent_smiling_face">%s</p>%s') % (title, remedy)

    @api.model
    def _whom_to_ask(self):
        group = self.env.ref("bookings_invoicing.group_manager").sudo()
        people = group.all_user_ids.filtered(
            lambda user: (
                self.env.company in user.company_ids and user.active and user != self.env.user
            )
        )
        if not people:
            return self.env._("Ask your administrator to set it up.")
        return self.env._(
            "Ask %s to set it up.", ", ".join(people.sorted("name")[:3].mapped("name"))
        )
