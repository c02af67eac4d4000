from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...billing.both_ways import is_same, merge
from ...billing.digest import content_hash
from ..base.moments import TO_WRITE
from ..base.remote_record import UNREAD


class BookingsKeptSame(models.AbstractModel):
    """Mixin of customers and services: rows that are kept the same in Odoo and in Bookings.

    How it works: ``same`` stores what was last the same on both sides, so that a merge shows which side has changed. It
    runs whenever the row was read: values of Bookings go to the contact or product at once, and those of the contact or
    product to the outbox.
    """

    _name = "bookings.kept.same"
    _description = "Kept the Same in Odoo and in Bookings"

    _kind = ""  # "customer" or "service", as in the names of the settings
    _link_name = ""  # the field with the contact or product

    same = fields.Json(
        readonly=True, copy=False, help="What was last the same in Odoo and in Bookings."
    )
    sending = fields.Json(
        readonly=True,
        copy=False,
        help="What Odoo is writing to Bookings, until it has been read again.",
    )

    # -- hooks ---------------------------------------------------------------------------------------

    def _both_ways(self):
        """Return the rows that are kept the same as their contacts or products."""
        raise NotImplementedError

    def _in_odoo(self):
        """Return the values of the contact or product, to compare with :meth:`_in_bookings`."""
        raise NotImplementedError

    def _in_bookings(self):
        """Return the values of this row, to compare with :meth:`_in_odoo`."""
        raise NotImplementedError

    def _take(self, values):
        """Write values of :meth:`_in_bookings` to the contact or product, without passing them on."""
        raise NotImplementedError

    def _to_send(self, names):
        """Return the values of these fields as Bookings should hold them."""
        raise NotImplementedError

    def _never_taken(self, names):
        """Return which of these fields are only changed in Odoo if a user decides so."""
        return set()

    @api.model
    def _offered(self, setup, among=None):
        """Return the contacts or products that should be in Bookings and have no row yet.

        :param among: records to choose from; all without it
        :raises ValidationError: if the filter of the setup is invalid
        """
        raise NotImplementedError

    # -- which ones ------------------------------------------------------------------------------------

    @api.model
    def _to_offer(self, setup, among=None):
        """Return what :meth:`_offered` returns, or nothing before it is confirmed or if the filter is invalid."""
        nothing = self.env[self._fields[self._link_name].comodel_name].sudo()
        if not setup._is_confirmed(self._kind):
            return nothing
        try:
            return self._offered(setup, among)
        except (
            ValidationError
        ):  # the next synchronization reports the filter; records can be saved all the same
            return nothing

    def _with_shared_link(self, listed):
        """Return the contacts or products of these rows that belong to several rows in the lists of Bookings.

        :param list listed: domain of the rows that Bookings lists
        """
        records = self[self._link_name]
        groups = self.sudo()._read_group(
            [("setup_id", "in", self.setup_id.ids), *listed, (self._link_name, "in", records.ids)],
            ["setup_id", self._link_name],
            having=[("__count", ">", 1)],
        )
        return records.browse(record.id for _setup, record in groups)

    # -- merging -----------------------------------------------------------------------------------

    def _merge(self):
        """Merge these rows with Odoo, and let the outbox write to Bookings what differs there."""
        TO_WRITE(self.filtered(lambda row: row._settle()))

    def _settle(self, decided=None, sending=False):
        """Merge this row with its contact or product: write there, note conflicts, and note what is the same.

        :param str decided: field that a user has decided
        :param bool sending: whether the result is written to Bookings at once
        :returns: the values to write to Bookings
        """
        self.ensure_one()
        there = self._in_bookings()
        last = (self.same or {}) | self._arrived(there)
        found = merge(last, self._in_odoo(), there, self.setup_id.when_both_changed)
        for field in self._never_taken(found.to_odoo.keys() - {decided}):
            found.conflicts[field] = self._in_odoo()[field], found.to_odoo.pop(field)
        if found.to_odoo:
            self._take(found.to_odoo)
            others = [(self._link_name, "=", self[self._link_name].id), ("id", "!=", self.id)]
            TO_WRITE(self.sudo().search(others)._both_ways())
        noted = {
            "same": last | found.same | found.to_odoo,
            "sending": found.to_bookings if sending and found.to_bookings else False,
        }
        if noted != {name: self[name] for name in noted}:
            self.sudo().write(noted)
        self._note_conflicts(found.conflicts)
        return self._to_send(found.to_bookings)

    def _arrived(self, there):
        """Return what Odoo has written to Bookings and could not note, because no answer came or the process ended."""
        sent = self.sending or {}
        return {
            name: value
            for name, value in sent.items()
            if name in there and is_same(name, there[name], value)
        }

    def _forget_same(self, linked):
        """Forget what was the same if the row has another contact or product now: it says nothing about that one.

        :param dict linked: ``{row: earlier contact or product}``
        """
        link = self._link_name
        relinked = self.sudo().filtered(
            lambda row: row.same and linked.get(row, row[link]) != row[link]
        )
        relinked.same = relinked.sending = False

    def _decide(self, field, side):
        """Settle a conflict as a user decided.

        :param str side: the side whose value is taken: ``odoo`` or ``bookings``
        :raises UserError: if the value of Bookings can no longer be taken
        """
        both = self._both_ways()
        if side == "bookings" and both != self:
            raise UserError(
                self.env._(
                    "%s is no longer kept the same in Odoo and in Bookings. Enter the value in Odoo, or keep the one "
                    "of Odoo.",
                    self.display_name,
                )
            )
        for row in both:
            other = row._in_bookings() if side == "odoo" else row._in_odoo()
            row.sudo().same = (row.same or {}) | {field: other.get(field, "")}
            if row._settle(decided=field):
                TO_WRITE(row)

    def _note_conflicts(self, conflicts):
        """Propose the values that differ on both sides to a user, in place of earlier proposals for this row.

        :param dict conflicts: as in :class:`..billing.both_ways.Merge`
        """
        proposals = self.env["bookings.proposal"].sudo()
        mine = f"{self._kind}_id"
        waiting = proposals.search([(mine, "=", self.id), ("state", "=", "open")])
        kept = proposals
        for field, values in conflicts.items():
            here, there = (self._shown(field, value) for value in values)
            known = waiting.filtered(
                lambda one, facts=(field, here, there): (
                    (one.field, one.current, one.proposed) == facts
                )
            )
            kept |= known or proposals.create(
                {
                    "setup_id": self.setup_id.id,
                    mine: self.id,
                    "partner_id": self.partner_id.id if self._kind == "customer" else False,
                    "field": field,
                    "current": here,
                    "proposed": there,
                    "why": self.env._("Changed in Odoo and in Bookings."),
                }
            )
        (waiting - kept).state = "dismissed"

    # -- before it begins --------------------------------------------------------------------------

    def _foresee_one(self, same):
        """Return what a merge of this row would do: ``[(outcome, name, values)]``.

        :param dict same: what was last the same on both sides
        """
        here, there = self._in_odoo(), self._in_bookings()
        met = merge(same, here, there, "ask")
        changes = {
            "change_there": {name: (there[name], value) for name, value in met.to_bookings.items()},
            "change_here": {name: (here[name], value) for name, value in met.to_odoo.items()},
            "conflict": met.conflicts,
        }
        return [
            (
                outcome,
                here["name"] or self.name,
                self._changes_text(values, "≠" if outcome == "conflict" else "→"),
            )
            for outcome, values in changes.items()
            if values
        ]

    def _changes_text(self, values, sign):
        """:param dict values: ``{field: (value, other value)}``; for conflicts, the one in Odoo comes first"""
        return "; ".join(
            f"{self._fields[name]._description_string(self.env)}: "
            f"{self._shown(name, one)} {sign} {self._shown(name, other)}"
            for name, (one, other) in values.items()
        )

    def _shown(self, _field, value):
        """Return a value as one line."""
        if not isinstance(value, dict):
            return " ".join(value.split()) or "–" if isinstance(value, str) else str(value or "–")
        town = " ".join(filter(None, (value["postal_code"], value["city"])))
        parts = value["street"], town, value["state"], value["country"]
        return ", ".join(filter(None, parts)) or "–"

    @api.model
    def _read_all_again(self, setup):
        """Let the next synchronization merge all rows of the setup, even if they have not changed in Bookings."""
        listed = self.sudo().search([("setup_id", "=", setup.id), ("remote_hash", "!=", False)])
        listed.write({"remote_hash": UNREAD})

    # -- reading -----------------------------------------------------------------------------------

    def _store_read(self, record):
        """Store a record that was just read from Bookings, without passing it on.

        :param record: ``graph.Customer`` or ``graph.Service``
        """
        values = self._remote_values(self.setup_id, record)
        self._importing().write(values | {"remote_hash": content_hash(values), "removed": False})
