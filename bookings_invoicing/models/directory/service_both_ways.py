from collections import Counter

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import formatLang

from ...billing.matching import name_key
from ..base.imported import IMPORTING
from ..base.safe_text import plain_records

# Services that the setup bills and Bookings lists
LISTED = [("taken", "=", True), ("removed", "=", False)]


class BookingsService(models.Model):
    """Services that are kept the same as their products. For how it works, see :mod:`.kept_same`.

    Name, description, and fixed price go both ways. Odoo's products have no duration, so the one of Bookings is only read.
    """

    _inherit = "bookings.service"

    def _both_ways(self):
        """Return the rows that are kept the same as their products.

        Archived products, products with variants, and the fee product take no part. Neither do several services with one
        product, whose names and prices must not be mixed.
        """
        rows = self.filtered(
            lambda row: (
                row.setup_id._is_confirmed("service")
                and row.product_id
                and row.taken
                and not row.removed
            )
        )
        products = {
            setup: mine.product_id._bookings_single(setup) - mine._with_shared_link(LISTED)
            for setup, mine in rows._in_service_filter().grouped("setup_id").items()
        }
        return rows.filtered(lambda row: row.product_id in products.get(row.setup_id, ()))

    def _in_service_filter(self):
        """Return the rows that pass the filters of their setups; none if it is invalid, which the next sync reports."""
        kept = self.browse()
        for setup, mine in self.grouped("setup_id").items():
            try:
                kept |= setup._in_filter(mine, "service_filter")
            except ValidationError:
                continue
        return kept

    @api.model
    def _offered(self, setup, among=None):
        """Return the products that are ticked or in the setup's filter and have no row yet, and no service their name."""
        products = self.env["product.product"].sudo().with_context(active_test=False)
        ticked = Domain("bookings_offer", "=", True)
        if setup.product_filter:
            ticked |= setup._filter_domain("product_filter")
        templates = products.product_tmpl_id.search(
            ticked
            & Domain(products.product_tmpl_id._check_company_domain(setup.company_id))
            & Domain([("active", "=", True), ("sale_ok", "=", True), ("type", "=", "service")])
            & (Domain.TRUE if among is None else Domain("product_variant_ids", "in", among.ids)),
            order="id",
        )
        found = templates.product_variant_ids.sorted("id")._bookings_single(setup)
        rows = self.sudo().search([("setup_id", "=", setup.id), ("product_id", "!=", False)])
        taken = {name_key(row.name) for row in rows if not row.removed}
        found = (found - rows.product_id).with_context(lang=setup._language())
        return found.filtered(lambda one: name_key(one.name) not in taken)

    # -- values ------------------------------------------------------------------------------------

    def _product(self):
        """Return the product in the language of the business."""
        return self._of_company().product_id.with_context(lang=self.setup_id._language())

    def _of_company(self):
        """Return this row in its company, on which the currency of a product depends."""
        return self.sudo().with_company(self.setup_id.company_id)

    def _in_odoo(self):
        values = self._product()._bookings_values()
        price = self._of_company()._price_of_product()
        return values if price is None else values | {"price": price}

    def _in_bookings(self):
        self.ensure_one()
        return {
            "name": "" if self.name == self.remote_id else self.name,
            "description": self.description or "",
            "price": self.currency_id.round(self.price),
        }

    def _take(self, values):
        product = self._product().with_context(bookings_importing=IMPORTING)
        before = product._bookings_values() | {"price": product.list_price}
        written = {}
        if "name" in values:
            written["name"] = values["name"]
        if "description" in values:
            written["description_sale"] = values["description"] or False
        if "price" in values:
            written["list_price"] = self._of_company()._sales_price(values["price"])
        product.write(written)
        after = product._bookings_values() | {"price": product.list_price}
        names = [name for name in ("name", "price", "description") if name in values]
        product.product_tmpl_id._message_log(
            body=self.env._(
                "Changed in Bookings: %(old)s → %(new)s",
                old=", ".join(self._shown(name, before[name]) for name in names),
                new=", ".join(self._shown(name, after[name]) for name in names),
            )
        )

    def _to_send(self, names):
        values = self._in_odoo() if names else {}
        return {name: values[name] for name in names}

    def _shown(self, field, value):
        if field == "price":
            return formatLang(self.env, value, currency_obj=self.currency_id)
        return super()._shown(field, value)

    # -- before it begins --------------------------------------------------------------------------

    @api.model
    def _foresee(self, setup, records):
        """Return what would happen to these services, and to products to offer: ``[(outcome, name, values)]``.

        :param list records: all services in Bookings, as ``graph.Service``
        """
        rows = {row.remote_id: row for row in self._of(setup, [one.id for one in records])}
        offers = self._offered(setup)
        offered = {name_key(one.name): one for one in offers}
        elsewhere = setup._services_elsewhere() if setup.shared else ()
        fresh, met = {}, self.env["product.product"].sudo()
        for record in plain_records(records):
            row = rows.get(record.id, self)
            if not row.taken if row else record.id in elsewhere:
                continue  # another company bills it
            given = {name: row[name] for name in ("billing_rule", "no_tax")} if row else {}
            read = self.new(
                self._remote_values(setup, record)
                | given
                | {"setup_id": setup.id, "remote_id": record.id, "product_id": row.product_id.id}
            )
            if not read._in_service_filter():
                continue
            if not read.product_id and (product := offered.get(name_key(record.name))):
                met |= product
                read.product_id = product
            fresh[read] = row
        number = Counter(read.product_id for read in fresh)
        found = []
        for read, row in fresh.items():
            product = read.product_id.sudo()
            if not product:
                found.append(("create_here", read.name, ""))
            elif number[product] > 1:
                found.append(("left", read.name, product.display_name))
            elif product._bookings_single(setup):
                found += read._foresee_one(row.same)
        return found + [
            ("create_there", one.name, one.description_sale or "") for one in offers - met
        ]
