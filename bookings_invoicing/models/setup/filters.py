from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

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
    """Which services and customers take part, and what was left unread while fewer did.

    A run reads no further back than the look-back: where a setup takes more than before, what is older
    was never kept. The next run then reads everything since *bill from*, as the first one did.
    """

    _inherit = "bookings.sync.setup"

    read_again = fields.Datetime(
        string="To Be Read Again",
        readonly=True,
        copy=False,
        help="Since then the next synchronisation is to read everything since Bill From.",
    )

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
                "%(field)s cannot be used: %(text)s. Choose its conditions again, or empty it to take all. Conditions "
                "look at fields of the record itself, not of others, and at most %(number)s of them are allowed.",
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
