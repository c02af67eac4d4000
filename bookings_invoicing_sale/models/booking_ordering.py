from odoo import api, models
from odoo.addons.bookings_invoicing.models.invoicing import billed_line
from odoo.fields import Command
from odoo.tools import SQL


class BookingsBooking(models.Model):
    """Create sales orders from ready bookings, with the same locks and grouping as draft invoices."""

    _inherit = "bookings.booking"

    def _create_documents_sale(self, groups):
        """Create sales orders of ready bookings.

        Orders are created in superuser mode. The company chose this flow, so users who may create draft invoices may
        create orders.

        :param groups: ``[(bookings in order of time, bookings_invoicing.billing.grouping.Group)]``
        :rtype: sale.order
        """
        orders = (
            self.env["sale.order"]
            .sudo()
            .with_context(mail_create_nosubscribe=True)
            .create([bookings._prepare_order(group) for bookings, group in groups])
        )
        confirmed = self.env["sale.order"].sudo()
        for order, (bookings, _group) in zip(orders, groups, strict=True):
            # If one of several setups creates quotations, the order is not confirmed.
            if "draft" not in bookings.setup_id.mapped("order_state"):
                confirmed |= order
        confirmed.action_confirm()
        return orders.sudo(False)

    def _prepare_order(self, group):
        """Return the values of the order of these bookings, which form one group and are in order of time.

        :param bookings_invoicing.billing.grouping.Group group:
        """
        split = group.split
        return {
            "company_id": split.company,
            "partner_id": split.payer,
            "partner_invoice_id": split.payer,
            "partner_shipping_id": split.delivery_address,
            "fiscal_position_id": split.fiscal_position,
            "journal_id": split.journal,
            "pricelist_id": self._order_pricelist().id,
            "client_order_ref": split.reference or False,
            "origin": ", ".join(sorted(set(self.setup_id.mapped("name")))),
            "require_signature": False,
            "require_payment": False,
            "order_line": [Command.create(booking._prepare_order_line(split)) for booking in self],
        }

    def _prepare_order_line(self, split):
        """Return the values of the booking's order line, converted from those of its invoice line."""
        values = self._prepare_invoice_line(split)
        values["product_uom_qty"] = values.pop("quantity")
        for name in self._line_dates():
            values.pop(name)
        # Odoo treats a price that differs from technical_price_unit as manual and does not change it.
        values["technical_price_unit"] = -1.0
        values["discount"] = values.get("discount", 0.0)
        return values

    # -- changes in Bookings -----------------------------------------------------------

    def action_update_draft(self):
        # EXTENDS 'bookings_invoicing': also update orders that are not invoiced yet
        ordered = self.filtered(lambda booking: booking.status == "ordered")
        if ordered:
            ordered.check_access("write")
        for booking in ordered:
            booking._reorder()
        return super(BookingsBooking, self - ordered).action_update_draft()

    def _redraft(self, move, line):
        # EXTENDS 'bookings_invoicing': update the order line first, then the draft from it
        order_line = line.sudo().sale_line_ids[:1]
        if not order_line:
            return super()._redraft(move, line)
        edits = self._edits(line)
        move = move.with_context(skip_is_manually_modified=True)
        line.with_context(skip_is_manually_modified=True).unlink()
        if self._reorder():
            values = order_line._prepare_invoice_line()
            self._put_on_draft(move, values, edits)
        elif not move.invoice_line_ids:
            move.unlink()
        return None

    def _reorder(self):
        """Update the order line with the changes in Bookings, or remove the booking from it if that is impossible.

        :returns: whether the booking is still on its order
        """
        line = self._live_order_lines()
        written, kept, text = self._edits(line)
        line.booking_released = True
        self._recompute_status()
        self._recheck_billing()
        order = line.order_id
        if self.status != "ready" or order.locked or not self._fits_order(order):
            line._let_booking_go()
            return False
        values = self._prepare_order_line(self._split())
        if line.product_id.id != values["product_id"]:
            line.qty_delivered = 0.0  # Odoo does not allow changing the product of a delivered line
        delivered = values["product_uom_qty"] if line.state == "sale" else line.qty_delivered
        values = billed_line.with_kept(values, kept)
        line.write(values | {"booking_released": False, "qty_delivered": delivered})
        billed_line.note_written(line, written, kept)
        self._tell_edits(order, text)
        return True

    def _fits_order(self, order):
        """Return whether the order still has the payer, currency, and purchase order reference of this booking."""
        return (order.partner_id, order.currency_id, order.client_order_ref or "") == (
            self.payer_id,
            self.currency_id,
            self.reference or "",
        )

    def _order_pricelist(self):
        """Return the pricelist of an order, which determines its currency.

        It is empty for the company's currency, else one in the currency of the bookings, created if necessary.
        """
        currency, company = self[:1].currency_id, self[:1].company_id
        pricelists = self.env["product.pricelist"].sudo().with_company(company)
        if currency == company.currency_id:
            return pricelists
        payers = self[:1].payer_id.with_company(company).property_product_pricelist.sudo()
        if payers.currency_id == currency:
            return payers
        domain = [
            *pricelists._check_company_domain(company),
            ("currency_id", "=", currency.id),
        ]
        return pricelists.search(domain, limit=1) or pricelists.create(
            {
                "name": self.env._("Bookings (%s)", currency.name),
                "currency_id": currency.id,
                "company_id": company.id,
            }
        )


class BookingsBilledBefore(models.AbstractModel):
    _inherit = "bookings.billed.before"

    @api.model
    def _billed_rows(self):
        # invoices come last, because they take precedence over orders
        ordered = self.env.execute_query(
            SQL(
                """SELECT b.setup_id, b.appointment_id, b.attendee_key, c.remote_id, 'sale.order', o.id, o.name
                     FROM bookings_booking b
                     JOIN sale_order_line l ON l.booking_id = b.id
                     JOIN sale_order o ON o.id = l.order_id
                     LEFT JOIN bookings_customer c ON c.id = b.customer_id
                    WHERE l.booking_live"""
            )
        )
        return ordered + super()._billed_rows()

    @api.model
    def _leave_to_orders(self):
        """Mark bookings that only an order bills as *billed elsewhere*, with its number.

        Uninstalling this addon removes the link. The order remains and is invoiced in Sales.
        """
        bookings = self.env["bookings.booking"].sudo().with_context(active_test=False)
        lines = bookings.search([("status", "=", "ordered")])._live_order_lines()
        for order, ordered in lines.grouped("order_id").items():
            note = self.env._("Ordered on %s, which is invoiced in Sales.", order.name)
            ordered.booking_id.write(self._billed_elsewhere(note))
