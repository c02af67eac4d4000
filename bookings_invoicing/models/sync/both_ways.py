from odoo import api, models
from odoo.fields import Domain

from ..base.moments import CONTACTS_CHANGED, PRODUCTS_CHANGED, TO_WRITE


class BookingsOutbox(models.Model):
    """Customers and services to write to Bookings, because their contacts or products were created or changed in Odoo."""

    _inherit = "bookings.outbox"

    @api.model
    def _note_contacts(self, partners):
        """Add rows for contacts that changed: for their customers in Bookings, and for those who should become one."""
        if setups := self._confirmed("customer"):
            partners = partners.sudo()
            # Odoo passes an address on to the contacts of a company
            self._note_changed(setups, "customer", partners | partners.child_ids)

    @api.model
    def _note_products(self, templates):
        """Add rows for products that changed: for their services in Bookings, and for those that should become one."""
        if setups := self._confirmed("service"):
            self._note_changed(setups, "service", templates.sudo().product_variant_ids)

    @api.model
    def _confirmed(self, kind):
        """Return the setups that keep customers or services the same on both sides."""
        setups = self.env["bookings.sync.setup"].sudo()
        return setups.search([(f"{kind}s_confirmed", "!=", False)])

    @api.model
    def _note_changed(self, setups, kind, records):
        """Add rows for contacts or products that changed in Odoo.

        :param str kind: ``customer`` or ``service``
        """
        rows = self.env[f"bookings.{kind}"].sudo()
        mine = [("setup_id", "in", setups.ids), (rows._link_name, "in", records.ids)]
        self._note_rows(rows.search(mine))
        for setup in setups:
            self._note_offered(setup, kind, records)

    @api.model
    def _note_all_offered(self, setup):
        for kind in ("customer", "service"):
            self._note_offered(setup, kind)

    @api.model
    def _note_offered(self, setup, kind, among=None):
        """Add a row for each contact or product that should be in Bookings and is not there yet.

        :param str kind: ``customer`` or ``service``
        :param among: contacts or products to choose from; all without it
        """
        rows = self.env[f"bookings.{kind}"]
        link, offered = rows._link_name, rows._to_offer(setup, among)
        if not offered:
            return
        mine = Domain([("setup_id", "=", setup.id), (link, "in", offered.ids)])
        waiting = self.sudo().search(
            mine
            & (Domain("state", "in", ("waiting", "failed")) | Domain("dropped_uid", "!=", False))
        )
        self._add(
            {"setup_id": setup.id, "kind": kind, link: record.id}
            for record in offered - waiting[link]
        )

    @api.model
    def _note_rows(self, rows):
        """Add rows for customers or services that are kept the same as their contacts or products."""
        self._add(
            {"setup_id": row.setup_id.id, "kind": row._kind, f"{row._kind}_id": row.id}
            for row in rows._both_ways()
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


@PRODUCTS_CHANGED.step
def _write_down_products(templates):
    templates.env["bookings.outbox"]._note_products(templates)


@TO_WRITE.step
def _write_down(rows):
    rows.env["bookings.outbox"]._note_rows(rows)
