from collections import Counter

from odoo import models
from odoo.fields import Domain

from ..setup.journal import sales_journal


class AccountJournal(models.Model):
    _inherit = "account.journal"

    def _fill_sale_purchase_dashboard_data(self, dashboard_data):
        # EXTENDS 'account': show "N Uninvoiced Bookings" on the card of the journal that their invoices would use
        super()._fill_sale_purchase_dashboard_data(dashboard_data)
        sales = self.filtered(lambda journal: journal.type == "sale")
        booking = self.env["bookings.booking"]
        if not sales or not booking.has_access("read"):
            return
        for company, journals in sales.grouped("company_id").items():
            totals = {}
            for setup, currency, count, amount in booking._read_group(
                [*booking._uninvoiced_domain(), ("company_id", "child_of", company.id)],
                ["setup_id", "currency_id"],
                ["__count", "amount:sum"],
            ):
                journal = sales_journal(setup.sudo())
                before = totals.setdefault(journal, {})
                number, money = before.get(currency, (0, 0.0))
                before[currency] = (number + count, money + amount)
            changed = Counter()
            for setup, count in booking._read_group(
                [("changed_since_billing", "=", True), ("company_id", "child_of", company.id)],
                ["setup_id"],
                ["__count"],
            ):
                changed[sales_journal(setup.sudo())] += count
            for journal in journals:
                found = totals.get(journal, {})
                count = sum(number for number, _money in found.values())
                dashboard_data[journal.id].update(
                    {
                        "changed_bookings": changed[journal],
                        "changed_bookings_text": self.env._(
                            "%s Changed Since Billing", changed[journal]
                        ),
                        "uninvoiced_bookings": count,
                        "uninvoiced_bookings_text": self.env._("1 Uninvoiced Booking")
                        if count == 1
                        else self.env._("%s Uninvoiced Bookings", count),
                        "uninvoiced_bookings_sum": " + ".join(
                            currency.format(money) for currency, (_number, money) in found.items()
                        ),
                    }
                )

    def _bookings_domain(self):
        """Return the domain of bookings whose invoices would use this journal."""
        self.ensure_one()
        setups = self.env["bookings.sync.setup"].sudo()
        setups = setups.search([("company_id", "child_of", self.company_id.id)])
        return Domain("setup_id", "in", setups.filtered(lambda one: sales_journal(one) == self).ids)

    def action_open_uninvoiced_bookings(self):
        self.env["bookings.booking"].check_access("read")
        return self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_uninvoiced"
        )

    def action_open_changed_bookings(self):
        self.env["bookings.booking"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_all"
        )
        return {**action, "context": {"search_default_changed": 1}}
