from ast import literal_eval
from datetime import timezone

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ... import graph
from ...billing import windows
from ...billing.status import BILLED
from ..base.graph_errors import tell

OPEN = ("upcoming", "ready", "attention")
FILTERS = {"service_filter": "bookings.service", "remote_customer_filter": "bookings.customer"}
PLAIN = {"boolean", "char", "date", "datetime", "float", "integer", "selection", "text"}
OPERATORS = {
    "=", "!=", "<", "<=", ">", ">=", "in", "not in", "like", "not like", "ilike", "not ilike", "=like", "=ilike",
}  # fmt: skip
MAX_LENGTH, MAX_TERMS, MAX_VALUES = 2000, 50, 200
UNUSABLE = (
    ValueError, TypeError, KeyError, AttributeError, SyntaxError, ArithmeticError, MemoryError, RecursionError,
)  # fmt: skip


class BookingsSyncSetup(models.Model):
    """What of a business this setup takes: its filters, and what it shares with other companies.

    A run reads no further back than the look-back: where a setup takes more than before, what is older was never kept. The
    next run then reads everything since *bill from*, as the first one did.

    One business, one setup; companies share a business by services that only one of them bills.

    How it works: ``business_key`` names the business whatever the connection, by its mailbox address:
    no other has it in all of that cloud. The first company's setup takes every service; a second
    company's setup of the same business starts with none and takes what the first has let go. The
    database sees to it that no service is taken twice. An appointment whose service is changed goes
    over only when the one has let go of it.
    """

    _inherit = "bookings.sync.setup"

    @api.depends("business_id", "connection_id.mode", "connection_id.cloud")
    def _compute_business_key(self):
        for setup in self:
            connection = setup.connection_id
            sandbox = connection.mode == "sandbox"
            place = f"sandbox:{connection.id}" if sandbox else connection.cloud
            setup.business_key = f"{place}/{(setup.business_id or '').strip().lower()}"

    @api.model_create_multi
    def create(self, vals_list):
        setups = super().create(vals_list)
        setups._note_sharing()
        return setups

    def _sharing(self):
        """All setups of these setups' businesses, in every company, archived ones included."""
        return (
            self.sudo()
            .with_context(active_test=False)
            .search([("business_key", "in", self.mapped("business_key"))])
        )

    def _note_sharing(self):
        for key, setups in self._sharing().grouped("business_key").items():
            if key and len(setups) > 1:
                setups.sudo().filtered(lambda setup: not setup.shared).shared = True

    def _holders(self, appointment_ids):
        """Ids of the appointments that this setup has billed, and of those that another one bills or
        has not let go.
        """
        self.env["bookings.booking"].flush_model(["setup_id", "appointment_id", "status"])
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT appointment_id, setup_id = %(mine)s FROM bookings_booking
                    WHERE appointment_id = ANY(%(ids)s)
                      AND (setup_id = %(mine)s AND status = ANY(%(billed)s)
                           OR setup_id = ANY(%(others)s) AND status = ANY(%(held)s))""",
                mine=self.id,
                ids=list(appointment_ids),
                others=(self._sharing() - self).ids,
                billed=list(BILLED),
                held=[*BILLED, *OPEN],
            )
        )
        return {key for key, mine in rows if mine}, {key for key, mine in rows if not mine}

    def _services_elsewhere(self):
        """Remote ids of the services that this setup does not bill: not ticked here, or ticked by
        another company.
        """
        self.ensure_one()
        services = self.env["bookings.service"].sudo()
        others = self._sharing() - self
        elsewhere = services.search([("setup_id", "in", others.ids), ("taken", "=", True)])
        not_here = services.search([("setup_id", "=", self.id), ("taken", "=", False)])
        return set((elsewhere | not_here).mapped("remote_id"))

    def _lasting_key(self):
        """Names the business as any installation would: the mailbox in its cloud, without ids of this database."""
        self.ensure_one()
        cloud = "sandbox" if self.connection_id.mode == "sandbox" else self.connection_id.cloud
        return f"{cloud}/{(self.business_id or '').strip().lower()}"

    # -- time ----------------------------------------------------------------------------------------------

    def _period_to_read(self, now, everything):
        """From and to of the appointments that a synchronization reads: aware datetimes in UTC.

        :param bool everything: since *bill from*, not only the look-back
        """
        planned = windows.plan_windows(
            now,
            self.look_back_days,
            self.look_ahead_days,
            self.tz,
            bill_from=self.bill_from if everything else None,
            last_sync=self.last_appointment_sync or None,
        )
        start, end = planned[0][0], planned[-1][1]
        return start.replace(tzinfo=timezone.utc), end.replace(tzinfo=timezone.utc)

    # -- filters -----------------------------------------------------------------------------------------

    def _ask_to_read_again(self):
        if self:
            self.sudo().write({"read_again": fields.Datetime.now()})

    def _takes_earlier(self, bill_from):
        """Those that take more of the past by this new *bill from*."""
        day = fields.Date.to_date(bill_from)
        return self.filtered(lambda setup: day and setup.bill_from and day < setup.bill_from)

    def _takes_more_than(self, before):
        """Those that take more services than before their filter changed.

        :param dict before: services by setup
        """
        return self.filtered(
            lambda setup: (
                setup in before
                and setup._in_filter(setup.service_ids, "service_filter") - before[setup]
            )
        )

    def _ask_to_look(self):
        """The next run looks at the unbilled bookings outside the time that is read: what counts there has changed."""
        self.filtered("last_look").sudo().last_look = False

    def _services_so_far(self):
        """The services that take part before the filter changes; none where it cannot be used any more."""
        try:
            return self._in_filter(self.service_ids, "service_filter")
        except (UserError, *UNUSABLE):
            return self.service_ids.browse()

    @api.constrains(*FILTERS)
    def _check_filters(self):
        for setup in self:
            for name, model in FILTERS.items():
                setup._filter_domain(name)
                rows = self.env[model].search([("setup_id", "=", setup.id)], limit=1)
                try:
                    setup._in_filter(rows, name)
                except UNUSABLE as error:  # a value that its field cannot be compared with
                    raise setup._unusable_filter(name) from error

    def _check_filters_stored(self):
        """Say that a filter from before is not allowed any more, before anything is read by it.

        :raises ValidationError:
        """
        for name in FILTERS:
            self._filter_domain(name)

    def _filter_domain(self, filter_name):
        """The conditions of a filter. They are data, never code, and look at the records' own plain fields only: what a
        run evaluates with all rights must not answer questions about anything else.

        :raises ValidationError: it is something else
        """
        text = self[filter_name]
        try:
            return Domain(self._conditions(FILTERS[filter_name], text)) if text else Domain.TRUE
        except UNUSABLE as error:
            raise self._unusable_filter(filter_name) from error

    def _conditions(self, model, text):
        """:raises ValueError, SyntaxError, MemoryError, RecursionError: not a list of conditions that are allowed"""
        conditions = literal_eval(text.strip()) if len(text) <= MAX_LENGTH else None
        if not isinstance(conditions, list) or len(conditions) > 2 * MAX_TERMS:
            raise ValueError("not a list of conditions, or too many")
        for condition in conditions:
            if condition not in ("&", "|", "!"):
                self._check_condition(model, *condition)
        domain = Domain(conditions)
        domain.validate(self.env[model])
        return domain

    def _check_condition(self, model, name, operator, value):
        field = self.env[model]._fields[name]
        values = value if isinstance(value, list | tuple) else [value]
        if (
            not field.store
            or field.type not in PLAIN
            or field.related
            or field.groups
            or operator not in OPERATORS
            or len(values) > MAX_VALUES
            or not all(isinstance(one, str | int | float | bool | None) for one in values)
        ):
            raise ValueError(f"not a condition on a field of its own: {name}")

    def _unusable_filter(self, name):
        return ValidationError(
            self.env._(
                "%(field)s cannot be used: %(text)s. Select its conditions again, or clear it to include all "
                "records. At most %(number)s conditions are allowed, and only on fields of the record itself.",
                field=self._fields[name]._description_string(self.env),
                text=(self[name] or "")[:MAX_LENGTH],
                number=MAX_TERMS,
            )
        )

    def _in_filter(self, records, filter_name):
        """Those of the Bookings customers or services that take part by the setup's filter.

        :raises ValidationError: the filter cannot be used
        """
        self.ensure_one()
        domain = self._filter_domain(filter_name)
        return records if domain.is_true() else records.filtered_domain(domain)

    # -- reading the business ----------------------------------------------------------------------

    def _client(self):
        self.ensure_one()
        return self.connection_id.sudo()._client()

    @api.model
    def _of_business(self, connection, business_id, company):
        """The setup of a business in a company, or a new one filled from what Bookings says of it.

        :raises UserError: Bookings cannot be read
        """
        connection.check_access("write")
        setups = self.with_context(active_test=False)
        same = business_id.strip().casefold()
        setup = setups.search(
            [("connection_id", "=", connection.id), ("company_id", "=", company.id)]
        ).filtered(lambda setup: setup.business_id.strip().casefold() == same)
        if setup:
            setup.action_unarchive()
            return setup
        try:
            business = connection.sudo()._client().business(business_id)
        except graph.GraphError as error:
            raise UserError(tell(self.env, error)) from error
        setup = setups.with_company(company).create(
            {
                "name": business.name,
                "business_id": business.id,
                "connection_id": connection.id,
                "company_id": company.id,
            }
        )
        setup._take_business(business)
        return setup.with_env(self.env)

    def _take_business(self, business):
        """Take currency, time zone and language from the business as Bookings describes it.

        :param graph.Business business:
        """
        self.ensure_one()
        currency = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", business.currency)], limit=1)
        )
        code = (business.language or "?").replace("-", "_")
        languages = self.env["res.lang"]
        language = languages.search([("code", "=", code)]) or languages.search(
            [("code", "=like", code.split("_")[0] + "%")], limit=1
        )
        values = {
            "currency_id": currency.id or self.currency_id.id,
            "tz": business.time_zone or self.tz,
            "language_id": language.id or self.language_id.id,
        }
        changed = {
            name: value
            for name, value in values.items()
            if value != (self[name].id if self._fields[name].type == "many2one" else self[name])
        }
        if changed:
            self.write(changed)
