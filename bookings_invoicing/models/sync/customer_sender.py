"""Writes customers to Bookings as their contacts in Odoo are now, and contacts that are new there."""

from ... import graph
from ...billing.both_ways import is_same
from ..base.safe_text import plain_name


class NotToSend(Exception):
    """Raised for rows that are not to be sent any more, with the reason for the user."""


class CustomerSender:
    """Sends the rows of one customer. Each step in the database is a transaction of its own."""

    def __init__(self, store, setup, client):
        self.store, self.setup, self.env = store, setup, setup.env
        self.gone = self.env._("The customer no longer exists in Bookings.")
        self._writer = graph.DirectoryWriter(client, setup.business_id)

    def send(self, rows):
        """Read the customer, merge it with its contact, write what differs, and read it again.

        :returns: what the values were in Bookings, and what they are now, as texts
        :raises NotToSend: if the contact is no longer kept the same
        :raises graph.GraphError: kind ``not_kept`` if Bookings did not take a value
        """
        customer_id, remote_id = self.store.durably(self._find, rows)
        created = {}
        if not customer_id:
            customer_id, remote_id, created = self._create(rows)
        before = self._writer.read_customer(remote_id)
        wanted = self.store.durably(self._merge, customer_id, before, True)
        if not wanted:
            return "", _shown(created, created)
        self._writer.write_customer(remote_id, wanted)
        after = self._writer.read_customer(remote_id)
        self.store.durably(self._merge, customer_id, after)
        for name, value in wanted.items():
            if is_same(name, after[name], before[name]) and not is_same(name, after[name], value):
                raise graph.ProtocolError(kind="not_kept")
        return _shown(before, wanted), _shown(after, wanted)

    def _find(self, rows):
        """Return the IDs of the customer of these rows, or None twice for a contact that is new in Bookings."""
        customers = self.env["bookings.customer"]
        row, partner = rows.customer_id[:1], rows.partner_id[:1]
        if partner and not row:
            mine = [("setup_id", "=", self.setup.id), ("partner_id", "=", partner.id)]
            row = customers.search([*mine, ("removed", "=", False)], limit=1)
            if not row:
                if not customers._partners_to_offer(self.setup, partner):
                    raise NotToSend(self.env._("The contact is no longer in the contact filter."))
                return None, None
        if not row._both_ways():
            raise NotToSend(self.env._("This customer is no longer kept the same on both sides."))
        return row.id, row.remote_id

    def _create(self, rows):
        """Create the contact as a customer in Bookings, or take the customer that has this email address there.

        :returns: ``(id of the row, ID in Bookings, created values)``
        """
        partner_id, values = self.store.durably(self._new_values, rows)
        known = dict(self._writer.find_customers(values["email"]))
        if known:
            remote_id = self.store.durably(self._free_one, [*known])
            row_id = self.store.durably(self._link, partner_id, remote_id, known[remote_id])
            return row_id, remote_id, {}
        remote_id = self._writer.create_customer(values)
        return self.store.durably(self._link, partner_id, remote_id, values), remote_id, values

    def _new_values(self, rows):
        partner = rows.partner_id[:1]
        values = partner._bookings_values() | {"address": partner._bookings_address(self.setup)}
        return partner.id, values

    def _free_one(self, remote_ids):
        """Return the first of these customers in Bookings that belongs to no other contact."""
        linked = self.env["bookings.customer"]._of(self.setup, remote_ids).filtered("partner_id")
        free = [one for one in remote_ids if one not in linked.mapped("remote_id")]
        if not free:
            raise NotToSend(
                self.env._(
                    "The customer with this email address in Bookings belongs to %s.",
                    linked[:1].partner_id.display_name,
                )
            )
        return free[0]

    def _link(self, partner_id, remote_id, values):
        """Link the contact with the row of a customer in Bookings. Return the ID of the row."""
        customers = self.env["bookings.customer"]
        row = customers._of(self.setup, [remote_id])
        if not row:
            found = customers._remote_values(self.setup, _record(remote_id, values))
            row = customers.create(found | {"setup_id": self.setup.id, "remote_id": remote_id})
        row._importing().write({"partner_id": partner_id, "match": "linked", "in_directory": True})
        return row.id

    def _merge(self, customer_id, values, sending=False):
        """Store the values that were just read, and merge them. Return what is to be written to Bookings.

        :param bool sending: whether the result is written at once
        """
        row = self.env["bookings.customer"].browse(customer_id)
        row._store_read(row._remote_values(self.setup, _record(row.remote_id, values)))
        return row._settle(sending=sending)


def _record(remote_id, values):
    address = graph.Address(**values["address"]) if any(values["address"].values()) else None
    return graph.Customer(
        remote_id, plain_name(values["name"]), values["email"], values["phone"], address
    )


def _shown(values, names):
    """Return these values as one line."""
    texts = (
        ", ".join(filter(None, value.values())) if isinstance(value, dict) else value
        for value in (values[name] for name in names)
    )
    return "; ".join(text or "–" for text in texts)
