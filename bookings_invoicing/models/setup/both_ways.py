from odoo import api, fields, models
from odoo.exceptions import ValidationError


class BookingsBothWaysSettings(models.AbstractModel):
    """The settings of a sync setup that keeps customers or services the same on both sides.

    How it works: *Both Ways* is an import until somebody has seen what would happen and confirmed it. What was confirmed
    is stored with the settings that applied, so that a wider filter is confirmed again before it sends anything. For
    services, this includes whether prices contain taxes: otherwise a change of it would change all prices in Bookings.
    """

    _name = "bookings.both.ways.settings"
    _description = "Settings for Both Ways"

    when_both_changed = fields.Selection(
        [("odoo", "Odoo wins"), ("bookings", "Bookings wins"), ("ask", "Ask")],
        default="odoo",
        required=True,
        help="What happens to a value that was changed in Odoo and in Bookings since the last synchronization. Ask: both "
        "sides stay as they are, and the values appear under Answers to Check.",
    )
    partner_filter = fields.Char(
        string="Contact Filter",
        help="The contacts to create as customers in Bookings: persons with an email address who match these conditions. "
        "Leave empty to create none. Companies and contacts of users are never sent.",
    )
    customers_confirmed = fields.Char(
        compute="_compute_customers_confirmed",
        store=True,
        string="Confirmed Customers",
        help="The contact filter for which Both Ways was confirmed, in brackets.",
    )
    customers_wait = fields.Boolean(compute="_compute_both_ways_wait")
    product_filter = fields.Char(
        help="The products to create as services in Bookings, besides those with “Offer in Bookings”: services on sale that "
        "match these conditions. Leave empty for no others."
    )
    services_confirmed = fields.Char(
        compute="_compute_services_confirmed",
        store=True,
        string="Confirmed Services",
        help="The settings for which Both Ways was confirmed: the product filter, in brackets, and the taxes in prices.",
    )
    services_wait = fields.Boolean(compute="_compute_both_ways_wait")

    @api.depends("customer_sync", "partner_filter")
    def _compute_customers_confirmed(self):
        for setup in self:
            if setup.customers_confirmed != setup._both_ways_scope().get("customer"):
                setup.customers_confirmed = False

    @api.depends("service_sync", "product_filter", "price_tax")
    def _compute_services_confirmed(self):
        for setup in self:
            if setup.services_confirmed != setup._both_ways_scope().get("service"):
                setup.services_confirmed = False

    def _both_ways_scope(self):
        """Return the settings that a confirmation applies to, ``{kind: text}`` for each kind that goes both ways."""
        scope = {
            "customer": f"[{self.partner_filter or ''}]",
            "service": f"[{self.product_filter or ''}] {self.price_tax}",
        }
        return {kind: text for kind, text in scope.items() if self[f"{kind}_sync"] == "both"}

    @api.depends("customer_sync", "customers_confirmed", "service_sync", "services_confirmed")
    def _compute_both_ways_wait(self):
        for setup in self:
            kinds = setup._both_ways_scope()
            for kind in ("customer", "service"):
                setup[f"{kind}s_wait"] = kind in kinds and not setup[f"{kind}s_confirmed"]

    @api.constrains("customer_sync", "service_sync")
    def _check_both_ways(self):
        for setup in self:
            if setup._both_ways_scope() and not setup.connection_id.sudo().may_write:
                raise ValidationError(
                    self.env._(
                        "An administrator must allow writing on the connection first. Then you can turn on Both Ways."
                    )
                )

    def _imports(self, kind):
        """Return whether customers or services are imported, which Both Ways does as well.

        :param str kind: ``customer`` or ``service``
        """
        return self[f"{kind}_sync"] in ("import", "both")

    def _is_confirmed(self, kind):
        """Return whether customers or services are kept the same on both sides."""
        return self[f"{kind}_sync"] == "both" and bool(self[f"{kind}s_confirmed"])

    def _language(self):
        """Return the language of what is written to Bookings."""
        return self.language_id.code or self.company_id.partner_id.lang

    def action_both_ways(self):
        """Show what would happen if customers or services were kept the same on both sides.

        :raises UserError: if Bookings cannot be read
        """
        self.ensure_one()
        self.check_access("write")
        wizard = self.env["bookings.both.ways"].create({"setup_id": self.id})
        wizard._read()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Both Ways: Preview"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }

    def _confirm_both_ways(self):
        """Keep customers or services the same on both sides from now on, beginning with the next synchronization."""
        self.ensure_one()
        setup = self.sudo()
        confirmed = {f"{kind}s_confirmed": text for kind, text in setup._both_ways_scope().items()}
        setup.write(confirmed | {"next_sync": fields.Datetime.now()})
        self.env.ref("bookings_invoicing.ir_cron_sync").sudo()._trigger()
