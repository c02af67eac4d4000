from odoo import api, fields, models

from ...billing import money
from ...billing.status import BILLED
from .pricing import UNBILLED


class BookingsBooking(models.Model):
    """Group appointments whose price is for all: each attendee's booking carries its share, to the cent.

    What somebody was billed stays his share, also after he left; the others share what is left of the total.
    """

    _inherit = "bookings.booking"

    has_share = fields.Boolean(string="Shares the Price", readonly=True, copy=False)
    share_amount = fields.Float(string="Share of the Price", readonly=True, copy=False, digits=0)
    share_total = fields.Float(string="Price Shared", readonly=True, copy=False, digits=0)
    share_count = fields.Integer(string="Attendees Sharing", readonly=True, copy=False)

    def _share_again(self):
        """Share out again what these bookings share."""
        shared = self.filtered(lambda b: b.has_share and b.setup_id.group_price == "appointment")
        for setup, bookings in shared.grouped("setup_id").items():
            self._share_out(setup, bookings.mapped("appointment_id"))

    @api.model
    def _share_out(self, setup, appointment_ids):
        rows = self.search(
            [("setup_id", "=", setup.id), ("appointment_id", "in", appointment_ids)], order="id"
        )
        for bookings in rows.grouped("appointment_id").values():
            bookings._share_appointment()

    def _share_appointment(self):
        """Share the price of one appointment out among those who are still on it."""
        there = self.filtered(lambda booking: not booking.removed_on)
        billed = self.filtered(lambda booking: booking.status in BILLED)
        if len(there | billed) < 2 and not any(there.mapped("has_share")):
            return
        first = (there - billed or there)[:1]
        currency = first.currency_id
        whole = first._price(whole=True) if there else None
        if whole is None or whole.outcome != "priced":
            return
        shares = money.share_by_key(
            whole.amount,
            there.ids,
            currency.decimal_places,
            fixed={
                one.id: money.decimal_of(one.share_amount if one.has_share else one.amount)
                for one in billed
                if one.currency_id == currency
            },
            step=money.decimal_of(currency.rounding),
        )
        for booking in there - billed:
            values = {
                "has_share": True,
                "share_amount": float(shares[booking.id]),
                "share_total": float(whole.amount),
                "share_count": len(there | billed),
            }
            if any(booking[name] != value for name, value in values.items()):
                booking._for_import().write(values)


class BookingsSyncSetup(models.Model):
    _inherit = "bookings.sync.setup"

    group_price = fields.Selection(
        [("attendee", "Each attendee"), ("appointment", "The whole appointment")],
        string="Price Is For",
        default="attendee",
        required=True,
        help="Of appointments with several attendees: each pays the price, or they share it.",
    )

    def _price_groups_anew(self):
        """Let unbilled bookings of groups follow whom the price is for."""
        bookings = self.env["bookings.booking"].search(
            [("setup_id", "=", self.id), ("status", "in", UNBILLED)]
        )
        if self.group_price == "appointment":
            bookings._share_out(self, bookings.mapped("appointment_id"))
        else:
            bookings.filtered("has_share")._for_import().write({"has_share": False})
