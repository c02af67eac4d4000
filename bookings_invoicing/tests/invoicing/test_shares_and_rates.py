"""Shares of an appointment's price, currencies, and rates."""

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from .test_ledger import LedgerCase


@tagged("post_install", "-at_install")
class TestSharesAndRates(LedgerCase):
    def test_what_one_is_billed_less_is_nobody_elses_to_pay(self):
        group = self._group()
        self.setup.group_price = "appointment"
        shares = {one: one.share_amount for one in group}
        group[0].write({"price_unit": 1.0})
        self.invoice(group[0])
        group._recheck_billing()
        self.assertEqual(
            {one: one.share_amount for one in group[1:]}, {one: shares[one] for one in group[1:]}
        )

    def test_business_that_changes_its_currency_strands_nobody(self):
        group = self._group()
        self.setup.group_price = "appointment"
        self.invoice(group[0])
        other = self.env.ref("base.JPY")
        other.active = True
        self.setup.currency_id = other
        group._recheck_billing()
        self.assertEqual(group[1:].currency_id, other)
        self.assertNotEqual(group[0].currency_id, other)

    def test_rate_of_a_list_price_is_not_rounded_before_it_is_multiplied(self):
        """85.00 an hour and 8.1 %: eight hours are 735.08, not 8 x 91.89 = 735.12."""
        booking = self.ready.filtered("product_id.taxes_id")[0]
        booking.payer_id.country_id = False  # no fiscal position takes the tax off
        tax = booking.product_id.taxes_id._filter_taxes_by_company(self.company)[:1]
        tax.write({"amount_type": "percent", "amount": 8.1, "price_include_override": False})
        hour = self.env.ref("uom.product_uom_hour")
        booking.product_id.write(
            {"taxes_id": [Command.set(tax.ids)], "list_price": 85.0, "uom_id": hour.id}
        )
        booking.service_id.billing_rule = "pricelist"
        self.setup.price_tax = "included"
        booking._recheck_billing()
        booking.quantity = 8.0
        self.assertEqual(booking.amount, 735.08)
        self.assertEqual(self.invoice(booking).amount_total, 735.08)

    def test_customer_of_whom_only_the_name_is_known(self):
        booking = self.ready[0]
        booking.write({"partner_id": False, "payer_id": False})
        self.env.cr.execute(
            "UPDATE bookings_booking SET customer_id = NULL WHERE id = %s", [booking.id]
        )
        booking.invalidate_recordset()
        booking._recheck_billing()
        self.assertEqual(booking.attention_reason, "no_customer")
        booking.action_create_customer()
        self.assertEqual((booking.partner_id.name, booking.status), (booking.name, "ready"))
        with self.assertRaises(UserError):
            booking.action_prepare_credit()
