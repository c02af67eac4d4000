"""Writes customers and services to Bookings as their contacts and products in Odoo are now, and those that are new there."""

from ... import graph
from ...billing.both_ways import is_same
from ..base.safe_text import plain_records


class NotToSend(Exception):
    """Raised for rows that are not to be sent any more, with the reason for the user."""


class DirectorySender:
    """Sends the rows of one customer or service. Each step in the database is a transaction of its own."""

    model = ""

    def __init__(self, store, setup, client):
        self.store, self.setup, self.env = store, setup, setup.env
        self._writer = graph.DirectoryWriter(client, setup.business_id)
        self.known = self.env[self.model]
        self.link = self.known._link_name

    def send(self, rows):
        """Read the record in Bookings, merge it with the one in Odoo, write what differs, and read it again.

        :returns: what the values were in Bookings, and what they are now, as texts
        :raises NotToSend: if it is no longer kept the same
        :raises graph.GraphError: kind ``not_kept`` if Bookings did not take a value
        """
        row_id, remote_id = self.store.durably(self._find, rows)
        created = {}
        if not row_id:
            row_id, remote_id, created = self._create(rows)
            self.store.durably(self._check, row_id)
        before, wanted = self._merge(row_id, remote_id, sending=True)
        if not wanted:
            return "", self._text(created, created)
        self.write(remote_id, wanted)
        after, _left = self._merge(row_id, remote_id)
        for name, value in wanted.items():
            if is_same(name, after[name], before[name]) and not is_same(name, after[name], value):
                raise graph.ProtocolError(kind="not_kept")
        return self._text(before, wanted), self._text(after, wanted)

    def _find(self, rows):
        """Return the ID of the row of these rows, and the ID in Bookings; None twice for what is new in Bookings."""
        row, record = rows[f"{self.known._kind}_id"][:1], rows[self.link][:1]
        if record and not row:
            mine = [("setup_id", "=", self.setup.id), (self.link, "=", record.id)]
            row = self.known.search([*mine, ("removed", "=", False)], limit=1)
            if not row:
                if not self.known._to_offer(self.setup, record):
                    raise NotToSend(self.not_offered())
                return None, None
        self._check(row.id)
        return row.id, row.remote_id

    def _check(self, row_id):
        """:raises NotToSend: if this row is not kept the same"""
        if not self.known.browse(row_id)._both_ways():
            raise NotToSend(self.not_kept())

    def _create(self, rows):
        """Create it in Bookings, or take the one that is there already and belongs to nobody else.

        :returns: ``(id of the row, ID in Bookings, created values)``
        """
        record_id, values = self.store.durably(self._new_values, rows)
        found = dict(self.find(values))
        if found:
            remote_id = self.store.durably(self._free_one, [*found])
            row_id = self.store.durably(self._link, record_id, remote_id, found[remote_id])
            return row_id, remote_id, {}
        remote_id = self.create(values)
        return self.store.durably(self._link, record_id, remote_id, values), remote_id, values

    def _free_one(self, remote_ids):
        """Return the first of these records in Bookings that belongs to nothing else in Odoo."""
        linked = self.known._of(self.setup, remote_ids).filtered(self.link)
        free = [one for one in remote_ids if one not in linked.mapped("remote_id")]
        if not free:
            raise NotToSend(self.taken(linked[:1][self.link].display_name))
        return free[0]

    def _link(self, record_id, remote_id, values):
        """Link the contact or product with the row of the record in Bookings. Return the ID of the row."""
        row = self.known._of(self.setup, [remote_id])
        if not row:
            found = {"setup_id": self.setup.id, "remote_id": remote_id, "name": values["name"]}
            row = self.known._importing().create(found)
        row._importing().write({self.link: record_id, **self.linked})
        return row.id

    def _merge(self, row_id, remote_id, sending=False):
        """Read the record, and merge it. Return its values, and what is to be written to Bookings.

        :param bool sending: whether the result is written at once
        """
        record = self.read(remote_id)
        return graph.values_of(record), self.store.durably(self._settle, row_id, record, sending)

    def _settle(self, row_id, record, sending):
        row = self.known.browse(row_id)
        row._store_read(*plain_records([record]))
        return row._settle(sending=sending)

    @staticmethod
    def _text(values, names):
        """Return these values as one line."""
        texts = (
            ", ".join(filter(None, value.values()))
            if isinstance(value, dict)
            else (f"{float(value):.2f}" if name == "price" else value or "")
            for name, value in ((name, values[name]) for name in names)
        )
        return "; ".join(" ".join(text.split()) or "–" for text in texts)


class CustomerSender(DirectorySender):
    model, linked = "bookings.customer", {"match": "linked", "in_directory": True}

    def __init__(self, store, setup, client):
        super().__init__(store, setup, client)
        self.gone = self.env._("The customer no longer exists in Bookings.")
        self.read, self.write = self._writer.customer, self._writer.write_customer
        self.create = self._writer.create_customer

    def find(self, values):
        return self._writer.find_customers(values["email"])

    def _new_values(self, rows):
        partner = rows.partner_id[:1]
        values = partner._bookings_values() | {"address": partner._bookings_address(self.setup)}
        return partner.id, values

    def not_offered(self):
        return self.env._("The contact is no longer in the contact filter.")

    def not_kept(self):
        return self.env._("This customer is no longer kept the same on both sides.")

    def taken(self, name):
        return self.env._("The customer with this email address in Bookings belongs to %s.", name)


class ServiceSender(DirectorySender):
    model, linked = "bookings.service", {}

    def __init__(self, store, setup, client):
        super().__init__(store, setup, client)
        self.gone = self.env._("The service no longer exists in Bookings.")
        self.read, self.write = self._writer.service, self._writer.write_service
        self.create = self._writer.create_service

    def find(self, values):
        return self._writer.find_services(values["name"])

    def _new_values(self, rows):
        product = rows.product_id[:1]
        fixed = {"price_type": "fixedPrice", "billing_rule": "bookings"}
        service = self.known.new(fixed | {"setup_id": self.setup.id, "product_id": product.id})
        return product.id, service._in_odoo()

    def not_offered(self):
        return self.env._(
            "The product is no longer offered in Bookings, or another product has the service with its name."
        )

    def not_kept(self):
        return self.env._("This service is no longer kept the same on both sides.")

    def taken(self, name):
        return self.env._("The service with this name in Bookings belongs to %s.", name)
