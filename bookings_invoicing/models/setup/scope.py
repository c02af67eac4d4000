from ast import literal_eval
from datetime import timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ... import graph
from ...billing import windows
from ...billing.status import BILLED
from ..base.graph_errors import tell

OPEN = ("upcoming", "ready", "attention")
FILTERS = {
    "service_filter": "bookings.service",
    "remote_customer_filter": "bookings.customer",
    "partner_filter": "res.partner",
    "product_filter": "product.template",
}
PLAIN = {"boolean", "char", "date", "datetime", "float", "integer", "selection", "text"}
# Links that a filter of contacts or products may use, by ID
LINKS = {
    "res.partner": {"country_id", "state_id", "category_id", "user_id", "parent_id"},
    "product.template": {"categ_id", "product_tag_ids"},
}
LINK_OPERATORS = {"=", "!=", "in", "not in"}
OPERATORS = {
    "=", "!=", "<", "<=", ">", ">=", "in", "not in", "like", "not like", "ilike", "not ilike", "=like", "=ilike",
}  # fmt: skip
TIME_TO_SET_UP = timedelta(hours=1)  # before the schedule of a new setup starts
MAX_LENGTH, MAX_TERMS, MAX_VALUES = 2000, 50, 200
UNUSABLE = (
    ValueError, TypeError, KeyError, AttributeError, SyntaxError, ArithmeticError, MemoryError, RecursionError,
)  # fmt: skip


class BookingsSyncSetup(models.Model):
    """The scope of a setup: its period, its filters, and the services it bills of a business shared with other companies.

    A run reads no further back than *Look Back*. If the scope grows, older records were never stored, so the next run
    reads everything since *Bill From*, as the first one did.

    A company has one setup per business. Companies can share a business; each service is billed by only one of them.

    How it works: ``business_key`` identifies a business by its mailbox address, which is unique within a cloud, whatever
    connection is used. The first company's setup bills all services. A second company's setup of the same business
    starts with none and bills those that the first one has cleared. A unique index prevents two setups from billing the
    same service. When the service of an appointment changes, the appointment moves to the other company only after the
    first one no longer has it.
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

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_bookings(self):
        bookings = self.env["bookings.booking"].sudo().with_context(active_test=False)
        for setup in self:
            if bookings.search_count([("setup_id", "=", setup.id)], limit=1):
                raise UserError(
                    self.env._("%s has bookings. Archive it instead of deleting it.", setup.name)
                )

    def _sharing(self):
        """Return all setups of the same businesses in all companies, including archived ones."""
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
        """Return which of these appointments this setup has billed, and which belong to setups of other companies.

        :param appointment_ids: Bookings IDs
        :returns: ``({IDs billed here}, {IDs billed or still open elsewhere})``
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
        """Return the Bookings IDs of services that this setup does not bill.

        They are not selected here, or another company bills them.
        """
        self.ensure_one()
        services = self.env["bookings.service"].sudo()
        others = self._sharing() - self
        elsewhere = services.search([("setup_id", "in", others.ids), ("taken", "=", True)])
        not_here = services.search([("setup_id", "=", self.id), ("taken", "=", False)])
        return set((elsewhere | not_here).mapped("remote_id"))

    def _lasting_key(self):
        """Return a key of the business that is the same in every database: the cloud and the mailbox address."""
        self.ensure_one()
        cloud = "sandbox" if self.connection_id.mode == "sandbox" else self.connection_id.cloud
        return f"{cloud}/{(self.business_id or '').strip().lower()}"

    # -- period --------------------------------------------------------------------------------------------

    def _period_to_read(self, now, everything):
        """Return start and end of the period that a synchronization reads, as aware datetimes in UTC.

        :param datetime now: naive UTC
        :param bool everything: whether to read everything since *Bill From*, and not only the look-back days
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
        """Return the setups for which this new *Bill From* date is earlier than before."""
        day = fields.Date.to_date(bill_from)
        return self.filtered(lambda setup: day and setup.bill_from and day < setup.bill_from)

    def _takes_more_than(self, before):
        """Return the setups whose changed filter includes more services than before.

        :param dict before: ``{setup: services before the change}``
        """
        return self.filtered(
            lambda setup: (
                setup in before
                and setup._in_filter(setup.service_ids, "service_filter") - before[setup]
            )
        )

    def _ask_to_look(self):
        """Let the next run check unbilled bookings outside the synchronized period, because the filter changed."""
        self.filtered("last_look").sudo().last_look = False

    def _services_so_far(self):
        """Return the services that the current filter includes, or none if the filter has become invalid."""
        try:
            return self._in_filter(self.service_ids, "service_filter")
        except (UserError, *UNUSABLE):
            return self.service_ids.browse()

    @api.constrains(*FILTERS)
    def _check_filters(self):
        for setup in self:
            for name, model in FILTERS.items():
                setup._filter_domain(name)
                own = [("setup_id", "=", setup.id)] if model.startswith("bookings.") else []
                rows = self.env[model].search(own, limit=1)
                try:
                    setup._in_filter(rows, name)
                except UNUSABLE as error:  # a value that cannot be compared with its field
                    raise setup._unusable_filter(name) from error

    def _check_filters_stored(self):
        """Check stored filters before a run uses them, because an older version may have allowed more.

        :raises ValidationError: if a filter is invalid
        """
        for name in FILTERS:
            self._filter_domain(name)

    def _filter_domain(self, filter_name):
        """Return the domain of a filter.

        A filter is data, never code, and may use only plain fields of the records themselves: a run evaluates it in
        superuser mode, so it must not reveal anything about other records.

        :raises ValidationError: if the filter contains anything else
        """
        text = self[filter_name]
        try:
            return Domain(self._conditions(FILTERS[filter_name], text)) if text else Domain.TRUE
        except UNUSABLE as error:
            raise self._unusable_filter(filter_name) from error

    def _conditions(self, model, text):
        """Parse the text of a filter and check each condition.

        :raises ValueError, SyntaxError, MemoryError, RecursionError: if it is not a list of allowed conditions
        """
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
        link = name in LINKS.get(model, ())
        kinds = int if link else str | int | float | bool | None
        if (
            not field.store
            or field.type not in PLAIN
            and not link
            or field.related
            or field.groups
            or operator not in (LINK_OPERATORS if link else OPERATORS)
            or len(values) > MAX_VALUES
            or not all(isinstance(one, kinds) for one in values)
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
        """Return the Bookings customers or services that pass a filter of this setup.

        :param str filter_name: name of the field with the filter
        :raises ValidationError: if the filter is invalid
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
        """Return the setup of a business in a company. If there is none, create it with values from Bookings.

        :raises UserError: if Bookings cannot be read
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
                "next_sync": fields.Datetime.now() + TIME_TO_SET_UP,
            }
        )
        setup._take_business(business)
        return setup.with_env(self.env)

    def _take_business(self, business):
        """Update currency, time zone, and language from Bookings.

        :param graph.Business business:
        """
        self.ensure_one()
        currency = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "=", business.currency)], limit=1)
        )
        code = (business.language or "?").replace("-", "_")
        languages = self.env["res.lang"].with_context(active_test=True)
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
