from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import float_round, formatLang

from ...billing.matching import name_key
from ..base.imported import IMPORTING
from ..base.moments import BILLING_CHANGED, SERVICES_TAKEN
from ..base.units import hour_id, list_unit

PRICE_TYPES = [
    ("fixedPrice", "Fixed price"),
    ("startingAt", "Starting at"),
    ("hourly", "Hourly"),
    ("free", "Free"),
    ("priceVaries", "Price varies"),
    ("callUs", "Call us"),
    ("notSet", "Not set"),
    ("undefined", "Undefined"),
    ("unknown", "Unknown"),
]
BILLING_RULES = [
    ("bookings", "As in Bookings"),
    ("fixed", "Fixed price"),
    ("hourly", "Hourly"),
    ("pricelist", "Product pricelist"),
    ("free", "Free"),
    ("ask", "Ask each time"),
]

# Fields whose change calls for another merge, if the setup keeps services the same on both sides
BOTH_WAYS = {
    "name", "price", "price_type", "description", "product_id", "billing_rule", "no_tax", "taken", "removed",
}  # fmt: skip


class BookingsService(models.Model):
    """A service of the business and its billing rules in Odoo."""

    _name = "bookings.service"
    _description = "Bookings Service"
    _inherit = ["bookings.mirror", "bookings.kept.same", "bookings.bounded", "bookings.safe.export"]
    _order = "name, id"
    _kind, _link_name = "service", "product_id"

    name = fields.Char(required=True)
    price = fields.Float(min_display_digits="Product Price", readonly=True)
    price_type = fields.Selection(PRICE_TYPES, readonly=True, default="undefined")
    duration = fields.Float(help="The usual duration in hours.", readonly=True)
    description = fields.Text(readonly=True, help="What customers read when they book.")
    max_attendees = fields.Integer(readonly=True)
    currency_id = fields.Many2one(related="setup_id.currency_id")
    product_id = fields.Many2one(
        "product.product",
        check_company=True,
        domain="[('sale_ok', '=', True)]",
        index="btree_not_null",
        ondelete="restrict",
    )
    billing_rule = fields.Selection(BILLING_RULES, default="bookings", required=True)
    rule_price = fields.Float(
        min_display_digits="Product Price",
        bounds=(0, 10**9),
        help="Price or hourly rate for this rule. 0 = price in Bookings.",
    )
    rounding = fields.Selection(
        [("none", "Exact"), ("up", "Up"), ("nearest", "Nearest")], default="none", required=True
    )
    rounding_minutes = fields.Selection(
        [(minutes, f"{minutes} min") for minutes in ("5", "6", "10", "15", "30", "60")],
        default="15",
    )
    minimum_minutes = fields.Integer(bounds=(0, 44_640))
    no_tax = fields.Boolean(
        string="Intentionally Tax-Free",
        help="Bookings of this service are invoiced without tax.",
    )
    ask_attendance = fields.Selection(
        [("automatic", "Stops automatic drafts"), ("all", "Stops all drafts")],
        string="Ask Who Came",
        help="What happens while it is unknown whether the attendee came. Stops automatic drafts: the booking is "
        "highlighted in the preview and can be billed by users. Stops all drafts: the booking needs attention until "
        "somebody selects Attended, No-Show, or Late Cancellation. Leave empty to use the setting of the sync setup.",
    )
    analytic_distribution = fields.Json()
    analytic_precision = fields.Integer(
        store=False,
        default=lambda self: self.env["decimal.precision"].precision_get("Percentage Analytic"),
    )
    booking_ids = fields.One2many("bookings.booking", "service_id", string="Bookings")

    # The company that bills the service of a shared business
    taken = fields.Boolean(
        string="Billed Here",
        default=True,
        copy=False,
        help="This setup bills the bookings of this service. Clear it to leave the service to another company.",
    )
    business_key = fields.Char(related="setup_id.business_key", store=True)
    setup_shared = fields.Boolean(related="setup_id.shared", string="Shared Business")

    _taken_uniq = models.UniqueIndex(
        "(business_key, remote_id) WHERE taken",
        "Another company bills this service. Clear “Billed Here” there first.",
    )

    def _remote_values(self, setup, record):
        """:param graph.Service record:"""
        return {
            "name": record.name or record.id,
            "price": float(record.price),
            "price_type": record.price_type,
            "duration": record.duration.total_seconds() / 3600 if record.duration else 0.0,
            "description": record.description or False,
            "max_attendees": record.max_attendees,
        }

    @api.model
    def _unfinished(self, setup, remote_ids):
        """Return the services without a product, because the import may have been turned on after they were read, and
        those that have never been merged with their products.
        """
        if not setup._imports("service"):
            return self.browse()
        services = self._of(setup, remote_ids)
        return services.filtered(
            lambda service: (
                service.taken
                and not (
                    service.product_id and (service.same or not setup._is_confirmed("service"))
                )
            )
        )

    def _after_import(self, job):
        counts = self._make_products(job.setup)
        self.filtered(lambda service: not service.same)._both_ways()._merge()
        return counts

    @api.model
    def _make_products(self, setup):
        """Create a product from the service template for each service without one that passes the setup's filter.

        With *Both Ways*, a service that is also new in Odoo, by its name, gets that product.

        :returns: ``{"products_created": number}``, or an empty dict if the setup does not import services
        """
        if not setup._imports("service"):
            return {}
        services = setup._in_filter(
            self.filtered(lambda service: not service.product_id), "service_filter"
        )
        template = setup.service_template_id
        offered = {name_key(one.name): one for one in self._to_offer(setup)}
        made = 0
        for service in services:
            if product := offered.pop(name_key(service.name), None):
                service.product_id = product
            else:
                service._make_product({"company_id": template.company_id.id, "active": True})
                made += 1
        return {"products_created": made}

    @api.model
    def _find_or_create(self, setup, named):
        """Return the services with these IDs. A service that Bookings no longer lists is created from its name.

        :param dict named: ``{remote id: name}``
        :returns: ``{remote id: service}``
        """
        known = {service.remote_id: service for service in self._of(setup, list(named))}
        missing = self.sudo().create(
            [
                {
                    "setup_id": setup.id,
                    "remote_id": remote_id,
                    "name": name or remote_id,
                    "removed": True,
                }
                for remote_id, name in named.items()
                if remote_id not in known
            ]
        )
        return known | {service.remote_id: service for service in missing.with_env(self.env)}

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")
        setups = self.env["bookings.sync.setup"].browse({vals["setup_id"] for vals in vals_list})
        elsewhere = {
            setup.id: setup._services_elsewhere() for setup in setups if setup.sudo().shared
        }
        for vals in vals_list:
            if vals.get("remote_id") in elsewhere.get(vals["setup_id"], ()):
                vals["taken"] = False
        return super().create(vals_list)

    def write(self, vals):
        if vals.get("taken"):
            self._check_not_taken()
        changed = self.filtered(lambda service: service.taken != vals.get("taken", service.taken))
        linked = {row: row.product_id for row in self if "product_id" in vals}
        result = super().write(vals)
        if not vals.keys().isdisjoint(self._billing_fields()):
            BILLING_CHANGED(self.booking_ids)
        SERVICES_TAKEN(changed)
        changed.filtered("taken").setup_id.sudo()._ask_to_read_again()
        self._forget_same(linked)
        importing = self._is_import()
        if not (importing or BOTH_WAYS.isdisjoint(vals)):
            self._both_ways()._merge()
        return result

    def _check_not_taken(self):
        """:raises UserError: if another company bills one of these services"""
        for service in self.filtered(lambda service: not service.taken):
            if service.remote_id in service._taken_by_others():
                raise UserError(
                    self.env._(
                        "Another company bills %s. Clear “Billed Here” on that company's services first.",
                        service.display_name,
                    )
                )

    def _taken_by_others(self):
        self.ensure_one()
        others = self.setup_id._sharing() - self.setup_id
        return set(
            self.sudo()
            .search([("setup_id", "in", others.ids), ("taken", "=", True)])
            .mapped("remote_id")
        )

    def _billing_fields(self):
        return {
            "product_id", "billing_rule", "rule_price", "rounding", "rounding_minutes", "minimum_minutes", "no_tax",
            "ask_attendance",
        }  # fmt: skip

    @api.constrains("rounding", "rounding_minutes")
    def _check_rounding(self):
        for service in self:
            if service.rounding != "none" and not service.rounding_minutes:
                raise ValidationError(self.env._("Select the rounding step in minutes."))

    def _make_product(self, values):
        """Create the product of this service, from the setup's template if there is one, with the price in Bookings.

        If that price cannot be a sales price of the product, the product gets a message with the reason instead.
        """
        self.ensure_one()
        template = self.setup_id.service_template_id
        values = {"name": self.name, "type": "service", "list_price": 0.0, **values}
        if self.setup_id._is_confirmed("service"):
            values["description_sale"] = self.description
        piece = self.env.ref("uom.product_uom_unit")
        if self._is_hourly() and template.uom_id in (piece, piece.browse()):
            values["uom_id"] = self.env.ref("uom.product_uom_hour").id
        if template:
            made = template.with_context(bookings_importing=IMPORTING).copy(values)
            product = made.product_variant_id
        else:
            products = self.env["product.product"].with_context(bookings_importing=IMPORTING)
            product = products.create(values)
        self._importing().product_id = product
        if self.price:
            if why := self._why_no_sales_price():
                product.product_tmpl_id.message_post(body=why)
            else:
                product.list_price = self._sales_price(self.price)
        self._both_ways()._merge()

    def _is_hourly(self):
        """Return whether the price in Bookings is per hour and not per appointment."""
        return "hourly" in (self.price_type, self.billing_rule)

    def _why_no_sales_price(self):
        """Return why the price in Bookings cannot be a sales price of the product, or "" if it can."""
        product, company = self.product_id, self.setup_id.company_id
        # Without a rate, Odoo would use 1.
        converts = self.currency_id == product.currency_id or all(
            _has_rate(one, company) for one in (self.currency_id, product.currency_id)
        )
        unit = list_unit(product.uom_id, hour_id(self.env))[0]
        if converts and unit == ("hour" if self._is_hourly() else "unit"):
            return ""
        price = formatLang(self.env, self.price, currency_obj=self.currency_id)
        if not converts:
            return self.env._(
                "The price in Bookings is %(price)s. There is no exchange rate to %(currency)s, so no sales "
                "price was set.",
                price=price,
                currency=product.currency_id.name,
            )
        values = {"price": price, "unit": product.uom_id.display_name}
        if self._is_hourly():
            return self.env._(
                "The price in Bookings is %(price)s per hour. The product is sold by “%(unit)s”, so no sales "
                "price was set.",
                **values,
            )
        return self.env._(
            "The price in Bookings is %(price)s per appointment. The product is sold by “%(unit)s”, so no sales "
            "price was set.",
            **values,
        )

    def _sales_price(self, price):
        """Convert a price in Bookings to a sales price of the product: to its currency, tax basis, and unit."""
        setup, product = self.setup_id, self.product_id
        company = setup.company_id
        if self.currency_id != product.currency_id:
            today = fields.Date.context_today(self)
            price = self.currency_id._convert(
                price, product.currency_id, company, today, round=False
            )
        taxes = product.taxes_id._filter_taxes_by_company(company)
        if taxes and not self.no_tax:
            price = taxes._bookings_line_price(price, setup.price_tax == "included", product)
        size = list_unit(product.uom_id, hour_id(self.env))[1]
        return float_round(price * float(size), precision_digits=8)

    def _price_of_product(self):
        """Convert the sales price of the product to a price in Bookings. Inverse of :meth:`_sales_price`.

        :returns: the price in the smallest unit of the currency, or None if it has no equal in Bookings: the price there is
            no fixed price, a billing rule of Odoo applies, the currency is another one, whose rate changes every day, or
            the way back gives another price
        """
        setup, product = self.setup_id, self.product_id
        if (
            (self.price_type, self.billing_rule) != ("fixedPrice", "bookings")
            or self.currency_id != product.currency_id
            or self._why_no_sales_price()
        ):
            return None
        size = list_unit(product.uom_id, hour_id(self.env))[1]
        price = product.list_price / float(size)
        taxes = product.taxes_id._filter_taxes_by_company(setup.company_id)
        if taxes and not self.no_tax:
            price = taxes._bookings_agreed_price(price, setup.price_tax == "included", product)
        price = self.currency_id.round(price)
        back = self._sales_price(price)
        same = not product.currency_id.compare_amounts(back, product.list_price)
        return price if same else None


def _has_rate(currency, company):
    """Return whether Odoo has an exchange rate of the currency for the company."""
    if currency == company.currency_id:
        return True
    rates = currency.sudo().rate_ids
    return bool(rates.filtered(lambda rate: rate.company_id.id in (False, company.root_id.id)))
