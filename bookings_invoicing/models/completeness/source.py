from collections import Counter

from odoo import fields, models
from odoo.tools import format_datetime

from ... import graph
from ...billing import period
from ..base.graph_errors import problem_of, tell
from ..sync.reading import bookings_now
from .row import name_of

LISTED = 20  # maximum number of differences listed


class BookingsCompleteness(models.Model):
    """The comparison of a report with a fresh count in Bookings itself, not with Odoo's copy of the data."""

    _inherit = "bookings.completeness"

    source_state = fields.Selection(
        [
            ("agrees", "Agrees"),
            ("differs", "Differs"),
            ("unreached", "Bookings not reached"),
        ],
        string="Matches Bookings?",
        readonly=True,
        copy=False,
        help="Whether Bookings listed exactly these bookings when the report was calculated.",
    )
    source_count = fields.Integer(
        string="In Bookings Now",
        readonly=True,
        copy=False,
        help="Number of attendees in Bookings for this period when the report was calculated.",
    )
    source_asked = fields.Datetime(string="Compared on", readonly=True, copy=False)
    source_text = fields.Text(string="Differences from Bookings", readonly=True, copy=False)

    def _ask_bookings(self):
        """Count the period in Bookings through the connection, and return the values of the ``source_*`` fields."""
        self.ensure_one()
        values = {"source_asked": fields.Datetime.now(), "source_count": 0, "source_text": False}
        setup = self.setup_id
        try:
            there, unreadable = bookings_now(setup, self.date_from, self.date_to)
        except graph.GraphError as error:
            last = setup.last_appointment_sync
            text = self.env._(
                "Bookings could not be reached: %(why)s The figures are from the last synchronization (%(when)s).",
                why=tell(self.env, error),
                when=format_datetime(self.env, last, tz=setup.tz) if last else self.env._("none"),
            )
            return values | {"source_state": "unreached", "source_text": text}
        kept = self._bookings().filtered(lambda booking: not booking.removed_on)
        there = self._to_be_kept(there, kept)
        texts = self._source_differences(there, unreadable, kept)
        shown = texts[:LISTED]
        if len(texts) > LISTED:
            shown.append(self.env._("… and %s more", len(texts) - LISTED))
        return values | {
            "source_state": "differs" if texts else "agrees",
            "source_count": sum(len(one.attendees) or 1 for one in there.values()),
            "source_text": "\n".join(shown) or False,
        }

    def _to_be_kept(self, there, kept):
        """Return the appointments that a synchronization stores: not before *Bill From* and not beyond the look-ahead.

        :param dict there: ``{appointment id: graph.Appointment}``
        :param kept: stored bookings, whose appointments are always included
        """
        setup = self.setup_id
        ahead = fields.Date.add(setup._today(), days=setup.look_ahead_days)
        here = set(kept.mapped("appointment_id"))
        return {
            remote_id: one
            for remote_id, one in there.items()
            if remote_id in here
            or setup.bill_from <= period.service_day(one.start, one.end, setup.tz) <= ahead
        }

    def _source_differences(self, there, unreadable, kept):
        """Return one sentence for each appointment with a different number of bookings in Bookings and in Odoo.

        :param there: ``{appointment id: graph.Appointment}``
        :param unreadable: ``{appointment id, or a placeholder without one: graph.Malformed}``
        :param kept: stored bookings that are not removed
        """
        by_appointment = kept.grouped("appointment_id")
        here = Counter(kept.mapped("appointment_id"))
        texts = []
        for remote_id in sorted({*there, *here} - {*unreadable}):
            number = len(there[remote_id].attendees) or 1 if remote_id in there else 0
            if number != here[remote_id]:
                name = (
                    name_of(by_appointment[remote_id][0])
                    if here[remote_id]
                    else self._appointment_name(there[remote_id])
                )
                texts.append(
                    self.env._(
                        "%(appointment)s: %(there)s in Bookings, %(here)s in Odoo",
                        appointment=name,
                        there=number,
                        here=here[remote_id],
                    )
                )
        texts += [
            self.env._(
                "An appointment in Bookings is unreadable: %s", problem_of(self.env, bad.reason)
            )
            for remote_id, bad in unreadable.items()
            if not here[remote_id]
        ]
        return texts

    def _appointment_name(self, appointment):
        start = period.local_time(appointment.start, self.setup_id.tz)
        return f"{start:%Y-%m-%d %H:%M} {appointment.service_name}"
