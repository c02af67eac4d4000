from odoo import fields, models
from odoo.tools.safe_eval import safe_eval


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
        before = {
            setup: setup._in_filter(setup.service_ids, "service_filter")
            for setup in self
            if "service_filter" in vals
        }
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

    def _in_filter(self, records, filter_name):
        """Those of the Bookings customers or services that take part by the setup's filter."""
        self.ensure_one()
        text = self[filter_name]
        return records.filtered_domain(safe_eval(text)) if text and text != "[]" else records
