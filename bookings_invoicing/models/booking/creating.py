from odoo import models

from ..base.moments import BILLING_CHANGED
from .linked_rows import RowChange
from .undo import changed, decisions, note_undoable


class BookingsDecidingRows(models.AbstractModel):
    """Mixin for customers and services of Bookings. What a user changes on them changes bookings: it is told, and can be
    undone.
    """

    _name = "bookings.deciding.rows"
    _description = "Rows That Decide About Bookings"

    def web_save(self, vals, specification, next_id=None):
        return self._noting(super().web_save, vals, specification, next_id)

    def web_save_multi(self, vals_list, specification):
        return self._noting(super().web_save_multi, vals_list, specification)

    def _noting(self, save, *args):
        """Save what a user entered, and record it for the notification that the view fetches."""
        waiting = self._waiting_bookings()
        before, change = decisions(waiting), RowChange(self)
        saved = save(*args)
        note_undoable(waiting, before, change.facts())
        return saved

    def _waiting_bookings(self):
        return self.booking_ids.filtered(lambda booking: booking.status in ("ready", "attention"))


class BookingsCustomer(models.Model):
    _name = "bookings.customer"
    _inherit = ["bookings.customer", "bookings.deciding.rows"]

    def action_create_partner(self):
        """Create contacts for these rows from the setup's template, or link a contact that exists by now."""
        self.check_access("write")
        return self._create_contacts(self.env["bookings.booking"])

    def _create_contacts(self, bookings):
        """Create contacts for these rows and for the attendees of these bookings, which have no row."""
        unknown = self.filtered(lambda row: not row.partner_id)
        waiting = unknown._waiting_bookings() | bookings
        before, change = decisions(waiting), RowChange(unknown)
        created = _create_own_contacts(bookings)
        for setup, rows in unknown.grouped("setup_id").items():
            rows._lock_people(setup)
            created |= rows._match_partners(setup, asked=True)
        BILLING_CHANGED(unknown.booking_ids)
        return changed(waiting, before, change.facts(created))

    def _choose(self, partner):
        """Link these rows to the contact that a user selected."""
        self.check_access("write")
        waiting = self._waiting_bookings()
        before, change = decisions(waiting), RowChange(self)
        self.partner_id = partner
        return changed(waiting, before, change.facts())


class BookingsService(models.Model):
    _name = "bookings.service"
    _inherit = ["bookings.service", "bookings.deciding.rows"]

    def action_create_product(self):
        """Create products for these services from the setup's template."""
        self.check_access("write")
        waiting = self._waiting_bookings()
        before, change = decisions(waiting), RowChange(self)
        missing = self.filtered(lambda service: not service.product_id)
        # Odoo's Invoicing role may not create products. Our role may, but only for services and from the template.
        for service in missing.sudo():
            service._make_product({})
        return changed(waiting, before, change.facts(missing.product_id))


def _create_own_contacts(bookings):
    """Create a contact per booking of an attendee who is not a customer in Bookings."""
    created = bookings.env["res.partner"]
    for booking in bookings:
        setup = booking.setup_id
        values = setup._customer_defaults() | {"name": booking.name}
        values["company_id"] = setup.company_id.id
        partner = created.sudo().with_company(setup.company_id).create(values)
        booking.sudo().partner_id = partner
        created |= partner.sudo(False)
    return created
