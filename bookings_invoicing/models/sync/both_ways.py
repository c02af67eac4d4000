from odoo import api, models
from odoo.fields import Domain

from ..base.moments import CONTACTS_CHANGED, TO_WRITE


class BookingsOutbox(models.Model):
    """Customers to write to Bookings, because their contacts were created or changed in Odoo."""

    _inherit = "bookings.outbox"

    @api.model
    def _note_contacts(self, partners):
        """Add rows for contacts that changed: for their customers in Bookings, and for those who should become one."""
        setups = (
            self.env["bookings.sync.setup"].sudo().search([("customers_confirmed", "!=", False)])
        )
        if not setups:
            return
        customers = self.env["bookings.customer"].sudo()
        partners = partners.sudo()
        # Odoo passes an address on to the contacts of a company
        linked = customers.search(
            [
                ("setup_id", "in", setups.ids),
                ("partner_id", "in", (partners | partners.child_ids).ids),
            ]
        )
        self._note_customers(linked)
        for setup in setups:
            self._note_offered(setup, partners)

    @api.model
    def _note_offered(self, setup, among=None):
        """Add a row for each contact that should become a customer in Bookings and has none yet.

        :param among: contacts to choose from; all without it
        """
        partners = self.env["bookings.customer"]._partners_to_offer(setup, among)
        if not partners:
            return
        mine = Domain([("setup_id", "=", setup.id), ("partner_id", "in", partners.ids)])
        waiting = self.sudo().search(
            mine
            & (Domain("state", "in", ("waiting", "failed")) | Domain("dropped_uid", "!=", False))
        )
        self._add(
            {"setup_id": setup.id, "kind": "customer", "partner_id": partner.id}
            for partner in partners - waiting.partner_id
        )

    @api.model
    def _note_customers(self, customers):
        """Add rows for customers who are kept the same as their contacts."""
        self._add(
            {"setup_id": row.setup_id.id, "kind": "customer", "customer_id": row.id}
            for row in customers._both_ways()
        )

    @api.model
    def _add(self, rows):
        if self.sudo().create([*rows]):
            self._send_soon()

    @api.model
    def _forget(self, customers):
        """Remove the values of anonymized customers, and do not send what waits."""
        rows = self.sudo().search(
            [
                ("setup_id", "in", customers.setup_id.ids),
                "|",
                ("customer_id", "in", customers.ids),
                ("partner_id", "in", customers.partner_id.ids),
            ]
        )
        rows._note_dropped(False)
        rows.write({"value_from": False, "value_to": False, "partner_id": False})


@CONTACTS_CHANGED.step
def _write_down_contacts(partners):
    partners.env["bookings.outbox"]._note_contacts(partners)


@TO_WRITE.step
def _write_down_customers(customers):
    customers.env["bookings.outbox"]._note_customers(customers)
