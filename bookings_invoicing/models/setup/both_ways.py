from odoo import api, fields, models
from odoo.exceptions import ValidationError


class BookingsBothWaysSettings(models.AbstractModel):
    """The settings of a sync setup that keeps customers the same on both sides.

    How it works: *Both Ways* is an import until somebody has seen what would happen and confirmed it. What was confirmed
    is stored with the filter that applied, so that a wider filter is confirmed again before it sends anybody.
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
    customers_wait = fields.Boolean(compute="_compute_customers_wait")

    @api.depends("customer_sync", "partner_filter")
    def _compute_customers_confirmed(self):
        for setup in self:
            if (
                setup.customer_sync != "both"
                or setup.customers_confirmed != setup._customers_scope()
            ):
                setup.customers_confirmed = False

    def _customers_scope(self):
        return f"[{self.partner_filter or ''}]"

    @api.depends("customer_sync", "customers_confirmed")
    def _compute_customers_wait(self):
        for setup in self:
            setup.customers_wait = setup.customer_sync == "both" and not setup.customers_confirmed

    @api.constrains("customer_sync")
    def _check_both_ways(self):
        for setup in self:
            if setup.customer_sync == "both" and not setup.connection_id.sudo().may_write:
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
        return (
            kind == "customer" and self.customer_sync == "both" and bool(self.customers_confirmed)
        )

    def action_both_ways(self):
        """Show what would happen if customers were kept the same on both sides.

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

    def _confirm_customers(self):
        """Keep customers the same on both sides from now on, beginning with the next synchronization."""
        self.ensure_one()
        setup = self.sudo()
        setup.write(
            {"customers_confirmed": setup._customers_scope(), "next_sync": fields.Datetime.now()}
        )
        self.env.ref("bookings_invoicing.ir_cron_sync").sudo()._trigger()
