"""The analytic distribution of invoice lines, and Odoo's distribution models, looked up once for all invoices of a run.

Odoo searches these models again for each line: its own memory of equal lines never finds one, because the search changes
the key.
"""

from odoo import models


class RulesMemory:
    """What the distribution models said in one run: value of the context key ``bookings_rules``. No RPC call can send it."""

    def __init__(self, rules):
        self._exist = bool(rules.search_count([], limit=1))
        self._found = {}

    def applicable(self, search, values):
        """Return the distribution models for these values, in Odoo's order.

        :param search: Odoo's function for them
        :param dict values: what is known about the line
        """
        if not self._exist:
            return None
        key = tuple(
            (name, tuple(value) if isinstance(value, list) else value)
            for name, value in sorted(values.items())
        )
        if key not in self._found:
            self._found[key] = search(values).ids
        return self._found[key]


class AccountAnalyticDistributionModel(models.Model):
    _inherit = "account.analytic.distribution.model"

    def _get_applicable_models(self, vals):
        # EXTENDS 'account'
        memory = self.env.context.get("bookings_rules")
        if type(memory) is not RulesMemory:
            return super()._get_applicable_models(vals)
        return self.browse(memory.applicable(super()._get_applicable_models, vals))


def line_analytic(booking, split):
    """Return the analytic distribution of the service of a booking, else of a staff member, else of the setup.

    Odoo's distribution models add accounts of other plans, as on its own lines. Each plan is used only once.
    """
    own = (
        booking.service_id.analytic_distribution
        or next(
            (
                staff.analytic_distribution
                for staff in booking.staff_ids
                if staff.analytic_distribution
            ),
            None,
        )
        or booking.setup_id.analytic_distribution
    )
    if not own:
        return None
    payer = booking.payer_id.commercial_partner_id  # the partner of Odoo's lines
    used = {int(number) for key in own for number in key.split(",") if number.strip()}
    accounts = booking.env["account.analytic.account"].sudo().browse(used).exists()
    position = booking.env["account.fiscal.position"].browse(split.fiscal_position)
    income = booking.product_id.product_tmpl_id.get_product_accounts(fiscal_pos=position)["income"]
    # Odoo looks for them as superuser, too: the lines are the same whoever bills
    rules = booking.env["account.analytic.distribution.model"].sudo()
    by_rules = rules._get_distribution(
        {
            "account_prefix": income.code,
            "related_root_plan_ids": accounts.root_plan_id,
            "product_id": booking.product_id.id,
            "product_categ_id": booking.product_id.categ_id.id,
            "partner_id": payer.id,
            "partner_category_id": payer.category_id.ids,
            "company_id": booking.company_id.id,
        }
    )
    return {**(by_rules or {}), **own}
