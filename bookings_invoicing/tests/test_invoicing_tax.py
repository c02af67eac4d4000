"""Gross is gross: what was agreed comes out to the cent, whatever the taxes, their basis and the rounding method."""

import os
from datetime import timedelta
from decimal import Decimal

from odoo.tests import tagged

from .common import BookingsCase

RATES = (7.7, 8.1, 19.0, 25.0)
LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))
PRICES = [Decimal(step) / 2 for step in range(1, 401)]


@tagged("post_install", "-at_install")
class TestGrossIsGross(BookingsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.taxes = {
            (rate, basis): cls.env["account.tax"].create(
                {
                    "name": f"{rate} {basis}",
                    "amount": rate,
                    "type_tax_use": "sale",
                    "price_include_override": basis,
                    "company_id": cls.company.id,
                }
            )
            for rate in RATES
            for basis in ("tax_included", "tax_excluded")
        }
        cls.currency = cls.env.ref("base.EUR")
        cls.product = cls.service_template.product_variant_id

    def _lines(self, tax, price, included, many):
        """Base lines of an invoice of equal lines, as the tax engine gets them."""
        values = tax._bookings_agreed_line(
            1.0, float(price), float(price), included, self.currency, self.company, self.product
        )
        engine = self.env["account.tax"]
        found = [
            engine._prepare_base_line_for_taxes_computation(
                {"extra_tax_data": values.get("extra_tax_data")},
                price_unit=values["price_unit"],
                quantity=values["quantity"],
                tax_ids=tax,
                currency_id=self.currency,
            )
            for _number in range(many)
        ]
        engine._add_tax_details_in_base_lines(found, self.company)
        engine._round_base_lines_tax_details(found, self.company)
        return found

    def _agreed(self, lines, included):
        """What the lines come to on the basis that was agreed."""
        net = sum(
            line["tax_details"]["total_excluded_currency"]
            + line["tax_details"]["delta_total_excluded_currency"]
            for line in lines
        )
        tax = sum(
            row["tax_amount_currency"]
            for line in lines
            for row in line["tax_details"]["taxes_data"]
        )
        return round(Decimal(net + (tax if included else 0.0)), 2)

    def test_every_price_on_one_line_and_on_twelve(self):
        """0.50 to 200.00 by 0.50; by default every price on one line, and every ninth on twelve."""
        misses = []
        for (rate, basis), tax in self.taxes.items():
            for method in ("round_per_line", "round_globally"):
                self.company.tax_calculation_rounding_method = method
                for included in (True, False):
                    for number, price in enumerate(PRICES):
                        for many in (1, 12):
                            if (
                                not LONG
                                and (many == 12 or method == "round_globally")
                                and number % 9
                            ):
                                continue
                            total = self._agreed(self._lines(tax, price, included, many), included)
                            if total != price * many:
                                misses.append((rate, basis, method, included, price, many, total))
        self.assertEqual(misses, [])

    def test_unit_price_alone_would_miss(self):
        """The manual amounts are needed: by the unit price alone 19 % misses some gross prices."""
        tax = self.taxes[19.0, "tax_excluded"]
        self.company.tax_calculation_rounding_method = "round_per_line"
        engine = self.env["account.tax"]
        misses = 0
        for price in PRICES:
            line = engine._prepare_base_line_for_taxes_computation(
                {},
                price_unit=tax._bookings_adapted_price(
                    float(price), "total_included", self.product
                ),
                quantity=1.0,
                tax_ids=tax,
                currency_id=self.currency,
            )
            engine._add_tax_details_in_base_lines([line], self.company)
            engine._round_base_lines_tax_details([line], self.company)
            misses += self._agreed([line], True) != price
        self.assertGreater(misses, 10)

    def test_odd_cents_at_twenty_percent(self):
        """A price whose net and tax both end in half a cent."""
        tax = self.taxes[25.0, "tax_excluded"].copy({"amount": 20.0})
        for method in ("round_per_line", "round_globally"):
            self.company.tax_calculation_rounding_method = method
            self.assertEqual(
                self._agreed(self._lines(tax, Decimal("19.95"), True, 1), True), Decimal("19.95")
            )


@tagged("post_install", "-at_install")
class TestInvoiceTotals(BookingsCase):
    """The same through bookings and real invoices."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync()
        cls.ready = cls.env["bookings.booking"].search(
            [("status", "=", "ready")], order="start, id"
        )[:12]
        cls.ready.payer_id = cls.ready[0].payer_id
        cls.tax = cls.env["account.tax"].create(
            {"name": "19", "amount": 19.0, "type_tax_use": "sale", "company_id": cls.company.id}
        )
        cls.ready.product_id.taxes_id = cls.tax

    def _invoice(self, prices, included, basis, method):
        self.company.tax_calculation_rounding_method = method
        self.setup.price_tax = "included" if included else "excluded"
        self.tax.price_include_override = basis
        bookings = self.ready[: len(prices)]
        for booking, price in zip(bookings, prices, strict=True):
            booking.write({"price_unit": price, "quantity": 1.0})
        run = self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)])
        self.assertEqual(len(run.move_ids), 1, run.result)
        return run.move_ids

    def test_invoices_come_to_what_was_agreed(self):
        prices = [0.5, 1.03, 12.5, 19.95, 33.33, 50.5, 75.0, 99.99, 101.5, 133.0, 177.77, 200.0]
        for included in (True, False):
            for basis in ("tax_included", "tax_excluded"):
                for method in ("round_per_line", "round_globally"):
                    with self.subTest(included=included, basis=basis, method=method):
                        move = self._invoice(prices, included, basis, method)
                        total = move.amount_total if included else move.amount_untaxed
                        self.assertAlmostEqual(total, sum(prices), 2)
                        for line in move.invoice_line_ids:
                            self.assertAlmostEqual(
                                line._booking_amount(), line.booking_id.amount, 2
                            )
                        move.action_post()
                        self.assertAlmostEqual(
                            move.amount_total if included else move.amount_untaxed, sum(prices), 2
                        )
                        self._free(move)

    def test_credit_note_gives_back_the_same(self):
        move = self._invoice([1.03, 19.95, 33.33], True, "tax_excluded", "round_per_line")
        move.action_post()
        refund = move._reverse_moves([{}], cancel=True)
        self.assertAlmostEqual(refund.amount_total, 54.31, 2)
        self.assertEqual(set(move.booking_ids.mapped("attention_reason")), {"credited"})

    def test_hours_come_out_as_their_booking(self):
        """Some lengths of time at an awkward rate: the line is what the booking says, and says why."""
        self.company.tax_calculation_rounding_method = "round_globally"
        bookings = self.ready
        for number, booking in enumerate(bookings):
            minutes = 1 + number * 13
            booking.write(
                {
                    "price_type": "hourly",
                    "price": 37.77,
                    "stop": booking.start + timedelta(minutes=minutes),
                }
            )
        bookings._refresh_billing()
        wanted = sum(round(Decimal(str(b.amount)), 2) for b in bookings)
        self.setup.price_tax = "excluded"
        self.tax.price_include_override = "tax_excluded"
        run = self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)])
        self.assertFalse(run.left_out_ids.mapped("reason"))
        for line in run.move_ids.invoice_line_ids:
            self.assertAlmostEqual(line.price_subtotal, line.booking_id.amount, 2)
        self.assertEqual(round(Decimal(run.move_ids.amount_untaxed), 2), wanted)

    def _free(self, move):
        move.button_draft()
        move.button_cancel()
