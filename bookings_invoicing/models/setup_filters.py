from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

FILTERS = {"service_filter": "bookings.service", "remote_customer_filter": "bookings.customer"}
UNUSABLE = (ValueError, TypeError, KeyError, AttributeError, SyntaxError, ArithmeticError)


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

    def write(self, vals):
        day = fields.Date.to_date(vals.get("bill_from"))
        earlier = self.filtered(lambda setup: day and setup.bill_from and day < setup.bill_from)
        before = {setup: setup._services_so_far() for setup in self if "service_filter" in vals}
        result = super().write(vals)
        wider = self.filtered(
            lambda setup: (
                setup in before
                and setup._in_filter(setup.service_ids, "service_filter") - before[setup]
            )
        )
        (earlier | wider)._ask_to_read_again()
        return result

    def _ask_to_read_again(self):
        if self:
            self.write({"read_again": fields.Datetime.now()})

    def _services_so_far(self):
        """The services that take part before the filter changes; none where it cannot be used any more."""
        try:
            return self._in_filter(self.service_ids, "service_filter")
        except UNUSABLE:
            return self.service_ids.browse()

    @api.constrains(*FILTERS)
    def _check_filters(self):
        for setup in self:
            for name, model in FILTERS.items():
                rows = self.env[model].search([("setup_id", "=", setup.id)], limit=1)
                try:
                    setup._filter_domain(name).validate(rows)
                    setup._in_filter(rows, name)
                except UNUSABLE as error:
                    raise ValidationError(
                        self.env._(
                            "%(field)s cannot be used: %(text)s. Choose its conditions again, or empty it to take all.",
                            field=self._fields[name]._description_string(self.env),
                            text=setup[name],
                        )
                    ) from error

    def _filter_domain(self, filter_name):
        text = self[filter_name]
        return Domain(safe_eval(text)) if text else Domain.TRUE

    def _in_filter(self, records, filter_name):
        """Those of the Bookings customers or services that take part by the setup's filter."""
        self.ensure_one()
        domain = self._filter_domain(filter_name)
        return records if domain.is_true() else records.filtered_domain(domain)
