"""Hourly services: from one minute to ten hours, the booking's amount is its line's."""

import os
from decimal import ROUND_HALF_UP, Decimal

from odoo.tests import tagged

from ...billing import price
from ..common import BookingsCase

STEP = 1 if os.environ.get("BOOKINGS_TEST_LONG") else 7


@tagged("post_install", "-at_install")
class TestHours(BookingsCase):
    def test_every_minute_at_awkward_rates(self):
        """By the engine that computes invoice lines, without making 600 invoices."""
        engine = self.env["account.tax"]
        company, currency = self.company, self.env.ref("base.EUR")
        tax = self.company_data["default_tax_sale"]
        tax.price_include_override = "tax_excluded"
        product = self.service_template.product_variant_id
        for method in ("round_per_line", "round_globally"):
            company.tax_calculation_rounding_method = method
            for rate in ("60.00", "37.77", "0.05", "199.95"):
                total, lines = Decimal(0), []
                for minutes in range(1, 601, STEP):
                    priced = price.price_booking("hourly", Decimal(rate), minutes)
                    exact = (Decimal(rate) * minutes / 60).quantize(Decimal("0.01"), ROUND_HALF_UP)
                    self.assertEqual(priced.amount, exact, (rate, minutes))
                    values = tax._bookings_agreed_line(
                        float(priced.quantity),
                        float(priced.price_unit),
                        float(priced.amount),
                        False,
                        currency,
                        company,
                        product,
                    )
                    line = engine._prepare_base_line_for_taxes_computation(
                        {"extra_tax_data": values.get("extra_tax_data")},
                        price_unit=values["price_unit"],
                        quantity=values["quantity"],
                        tax_ids=tax,
                        currency_id=currency,
                    )
                    engine._add_tax_details_in_base_lines([line], company)
                    engine._round_base_lines_tax_details([line], company)
                    net = line["tax_details"]["total_excluded_currency"]
                    self.assertEqual(round(Decimal(net), 2), exact, (method, rate, minutes))
                    total += exact
                    lines.append(line)
                engine._round_base_lines_tax_details(lines, company)
                net = sum(
                    line["tax_details"]["total_excluded_currency"]
                    + line["tax_details"]["delta_total_excluded_currency"]
                    for line in lines
                )
                self.assertEqual(round(Decimal(net), 2), total, (method, rate))
