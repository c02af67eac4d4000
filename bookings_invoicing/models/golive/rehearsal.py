"""Rehearsal: bill a past month in memory and compare the result with the posted invoices.

How it works: the appointments of the month are read from Bookings and become bookings that are never saved. They use
the same rules for price, payer, and grouping as real ones. The posted amounts come from the invoice lines of the month.
Nothing is written.
"""

from collections import defaultdict
from datetime import timedelta, timezone

from odoo import models
from odoo.exceptions import UserError

from ... import graph
from ...billing import grouping, matching, money, period
from ...billing.rehearsal import Ours, Theirs, compare
from ...billing.status import BILLED
from ..base.graph_errors import tell
from ..booking import facts as booking_rules
from ..sync.reading import bookings_now

NEARBY = timedelta(days=45)
# Decisions of users on a stored booking, which also apply in the rehearsal
DECIDED = (
    "manual_price",
    "manual_quantity",
    "has_manual_price",
    "has_manual_quantity",
    "manual_unit",
    "attendance",
    "not_billable_decision",
    "reference",
)


class Rehearsal:
    """The rehearsal of one ``bookings.sync.setup``."""

    def __init__(self, setup):
        setup.ensure_one()
        self.setup = setup.with_company(setup.company_id)
        self.env = self.setup.env

    def compare(self, day):
        """Compare what would have been billed in the month of ``day`` with its posted invoices.

        :param datetime.date day: any day of the month
        :returns: ``(rows of billing.rehearsal, number of appointments read, number of rehearsed invoices)``
        :raises UserError: if Bookings cannot be read
        """
        first, last = period.month_start(day), period.month_end(day)
        appointments = self._appointments_between(first, last)
        bookings = self._bookings_in_memory(appointments)
        ours = self._ours(bookings)
        theirs = self._theirs(first, last, {one.payer for one in ours if one.known})
        unit = money.decimal_of(self.setup.currency_id.rounding)
        return compare(ours, theirs, unit), len(appointments), sum(one.invoices for one in ours)

    def _appointments_between(self, first, last):
        """Read the appointments with service dates from first to last from Bookings.

        :raises UserError: if Bookings cannot be read
        """
        try:
            return list(bookings_now(self.setup, first, last)[0].values())
        except graph.GraphError as error:
            raise UserError(tell(self.env, error)) from error

    # -- rehearsed amounts -------------------------------------------------

    def _bookings_in_memory(self, appointments):
        """Return ``[(booking, name of the attendee)]``: stored bookings if they are unchanged, else unsaved ones."""
        booking = self.env["bookings.booking"]
        kept = booking.with_context(active_test=False).search(
            [
                ("setup_id", "=", self.setup.id),
                ("appointment_id", "in", [a.id for a in appointments]),
            ]
        )
        kept = kept.grouped("appointment_id")
        people = self._people(appointments)
        found = []
        for appointment in appointments:
            rows = kept.get(appointment.id, booking)
            by_key = {row.attendee_key: row for row in rows}
            made = []
            for key, attendee in booking._attendee_keys(appointment, rows).items():
                payer = people.get(booking._person_id(attendee)) if attendee else None
                values = self._rehearsal_values(appointment, key, attendee, payer)
                made.append((values, by_key.get(key, booking)))
            if self.setup.group_price == "appointment" and len(made) > 1:
                self._share_in_memory([values for values, _kept in made])
            found += [rehearsed(booking, values, row) for values, row in made]
        return [(one, one.name) for one in found if not _not_billed_anyway(one)]

    def _rehearsal_values(self, appointment, key, attendee, payer):
        """Return the values of an unsaved booking, including those of computed fields, so that nothing is computed."""
        service = self.setup.service_ids.filtered(
            lambda one: one.remote_id == (appointment.service_id or appointment.service_name)
        )
        rule = self.setup._rule_for(appointment.label, self.setup._label_rules())
        payer = rule.payer_id if rule.outcome == "payer" else payer
        return {
            "setup_id": self.setup.id,
            "appointment_id": appointment.id,
            "attendee_key": key,
            "name": (attendee and (attendee.name or attendee.email)) or self.env._("No Attendee"),
            "service_id": service[:1].id,
            "partner_id": payer.id if payer else False,
            "payer_id": payer.id if payer else False,
            "label": appointment.label,
            "label_rule_id": rule.id,
            "attendance": "no_show" if rule.outcome == "no_show" else "unknown",
            "start": appointment.start.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0),
            "stop": appointment.end.astimezone(timezone.utc).replace(tzinfo=None, microsecond=0),
            "price_type": appointment.price_type,
            "price": float(appointment.price),
            "quantity": 1.0,
            "status": "ready",
        }

    def _share_in_memory(self, made):
        """Divide the price of an appointment among its attendees.

        :param list made: values of the attendees' unsaved bookings, changed in place
        """
        whole = self.env["bookings.booking"].new(made[0])._price(whole=True)
        if whole.outcome != "priced":
            return
        currency = self.setup.currency_id
        step = money.decimal_of(currency.rounding)
        shares = money.share_out(whole.amount, len(made), currency.decimal_places, step=step)
        for values, share in zip(made, shares, strict=True):
            values |= {
                "has_share": True,
                "share_amount": float(share),
                "share_total": float(whole.amount),
                "share_count": len(made),
            }

    def _people(self, appointments):
        """Return the payers of the attendees of these appointments, found by link or email address.

        :returns: ``{remote id of the attendee: partner}``
        """
        booking, customer = self.env["bookings.booking"], self.env["bookings.customer"]
        attendees = {
            booking._person_id(attendee): attendee
            for appointment in appointments
            for attendee in appointment.attendees
        }
        rows = customer.search(
            [("setup_id", "=", self.setup.id), ("remote_id", "in", list(attendees))]
        )
        linked = {row.remote_id: row for row in rows if row.partner_id}
        emails = [matching.normalize_email(attendee.email) for attendee in attendees.values()]
        by_email = customer._partners_by_email(self.setup.company_id, emails)
        people = {}
        for remote_id, attendee in attendees.items():
            row = linked.get(remote_id)
            if row:
                people[remote_id] = row.payer_id or booking_rules.invoice_partner(row.partner_id)
                continue
            email = matching.normalize_email(attendee.email)
            match = matching.match_partner(
                None,
                email,
                by_email.get(email, ()),
                self.setup.company_id.parent_ids.ids,
                name=attendee.name,
            )
            if match.kind == "one":
                people[remote_id] = booking_rules.invoice_partner(
                    self.env["res.partner"].browse(match.ids[0])
                )
        return people

    def _ours(self, bookings):
        """Return the rehearsed amounts of each payer as ``[Ours]``. Bookings without a price are counted separately."""
        lines, undecided, names, items, known = defaultdict(list), defaultdict(int), {}, [], set()
        asked = defaultdict(int)
        for number, (booking, name) in enumerate(bookings):
            payer = booking.payer_id.commercial_partner_id
            key = payer.id or f"?{name}"
            names[key] = payer.display_name or name
            if payer:
                known.add(key)
            priced = booking._price()
            if priced.outcome == "free":
                continue
            if priced.outcome == "ask":
                undecided[key] += 1
                continue
            asked[key] += booking.status not in BILLED and booking._asks_who_came() == "all"
            lines[key].append(
                (f"{booking.service_id.name or '?'}, {booking._local_text()}", priced.amount)
            )
            if payer:
                day = booking._last_day()
                items.append(
                    grouping.Item(number, booking._split(), booking.start, day, booking._grouping())
                )
        invoices = defaultdict(int)
        for group in grouping.group(items):
            payer = self.env["res.partner"].browse(group.split.payer)
            invoices[payer.commercial_partner_id.id] += 1
        return [
            Ours(
                key,
                names[key],
                tuple(lines[key]),
                undecided[key],
                invoices[key],
                key in known,
                asked[key],
            )
            for key in names
            if lines[key] or undecided[key]
        ]

    # -- posted amounts -------------------------------------------------

    def _theirs(self, first, last, payers):
        """Return the posted amounts of each payer as ``[Theirs]``.

        :param date first, last: invoice dates
        :param set payers: IDs of the rehearsed payers. Other payers are included if they are Bookings customers or were
            invoiced for products of services.
        """
        lines = self._posted_lines(first, last)
        products = self.setup.service_ids.product_id
        customers = self.env["bookings.customer"].search([("setup_id", "=", self.setup.id)])
        concerned = payers | set(customers.partner_id.commercial_partner_id.ids)
        concerned |= set(
            lines.filtered(
                lambda line: line.product_id in products
            ).partner_id.commercial_partner_id.ids
        )
        around = self._posted_lines(first - NEARBY, last + NEARBY) - lines
        nearby = around.grouped(lambda line: line.partner_id.commercial_partner_id.id)
        gross = self.setup.price_tax == "included"
        mine = lines.grouped(lambda line: line.partner_id.commercial_partner_id.id)
        found = []
        for payer in concerned:
            posted = mine.get(payer, lines.browse())
            partner = self.env["res.partner"].browse(payer)
            found.append(
                Theirs(
                    payer,
                    partner.display_name,
                    tuple(
                        (line.name or "", _amount(line, gross), line.product_id in products)
                        for line in posted
                    ),
                    sum((_amount(line, not gross) for line in posted), money.decimal_of(0.0)),
                    tuple(posted.move_id.sorted("name").mapped("name")),
                    tuple(
                        (move.name, sum(_amount(line, gross) for line in around_lines))
                        for move, around_lines in nearby.get(payer, lines.browse())
                        .grouped("move_id")
                        .items()
                    ),
                )
            )
        return found

    def _posted_lines(self, first, last):
        """Return product lines of posted invoices and credit notes with dates from first to last.

        Lines of other setups' bookings are not included.
        """
        lines = self.env["account.move.line"].search(
            [
                ("company_id", "=", self.setup.company_id.id),
                ("move_id.move_type", "in", ("out_invoice", "out_refund")),
                ("parent_state", "=", "posted"),
                ("display_type", "=", "product"),
                ("move_id.invoice_date", ">=", first),
                ("move_id.invoice_date", "<=", last),
                ("currency_id", "=", self.setup.currency_id.id),
            ],
            order="move_id, id",
        )
        return lines.filtered(
            lambda line: not line.booking_id or line.booking_id.setup_id == self.setup
        )


def rehearsed(model, values, kept):
    """Return the stored booking if it still matches Bookings, else an unsaved one with the users' decisions on it.

    :param dict values: values of the unsaved booking
    :param kept: the stored booking, or an empty recordset
    """
    same = ("start", "stop", "price_type", "price", "service_id")
    if (
        kept
        and kept.payer_id
        and all(kept[name] == _plain(values[name], kept[name]) for name in same)
    ):
        return kept
    if kept:
        for name in DECIDED:
            values[name] = kept[name]
        if kept.payer_id:
            values |= {"partner_id": kept.partner_id.id, "payer_id": kept.payer_id.id}
    booking = model.new(values)
    booking_rules.refresh_list_prices(booking)
    return booking


def _not_billed_anyway(booking):
    """Return whether label, attendance, or a user make it not billable, regardless of *Bill From*."""
    return bool(booking.not_billable_decision or booking_rules.rule_reason(booking))


def _plain(value, like):
    """Convert a value so that it can be compared with a field's value."""
    return like.browse(value or ()) if isinstance(like, models.BaseModel) else value


def _amount(line, gross):
    """Return the amount of the line, negative for credit notes."""
    amount = line._booking_gross() if gross else line.price_subtotal
    sign = -1 if line.move_id.move_type == "out_refund" else 1
    return sign * money.decimal_of(amount)
