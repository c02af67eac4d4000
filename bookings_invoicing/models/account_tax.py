from odoo import models
from odoo.tools import float_compare


class AccountTax(models.Model):
    _inherit = "account.tax"

    def _bookings_agreed_line(
        self, quantity, price_unit, amount, included, currency, company, product
    ):
        """Quantity, unit price and tax data of an invoice line that comes out as an agreed amount, to the cent.

        The unit price is on the basis of these taxes, adapted by Odoo's tax engine and not rounded. Rounding alone
        cannot hit every gross amount (19 % on 0.86 makes 1.02, on 0.87 makes 1.04: no net price makes 1.03), so where the
        engine's own rounding might miss, the line also carries the engine's *manual* amounts (``extra_tax_data``, as
        Odoo's own global discounts and down payments do). They lapse by themselves when somebody changes the line.

        :param recordset self: the taxes of the line, mapped by the fiscal position
        :param float quantity, price_unit: as priced, on the basis ``included``
        :param float amount: what was agreed, on the same basis
        :param bool included: whether the price includes taxes
        :returns: values of ``account.move.line``
        """
        taxes = self._flatten_taxes_and_sort_them()[0]
        fits = all(tax.price_include == included for tax in taxes)
        is_exact = float_compare(quantity * price_unit, amount, precision_digits=8) == 0
        per_line = company.tax_calculation_rounding_method == "round_per_line"
        if fits and (is_exact or per_line):
            return {"quantity": quantity, "price_unit": price_unit}
        if not taxes:
            return {"quantity": 1.0, "price_unit": amount}
        mode = "total_included" if included else "total_excluded"
        if not fits:
            price_unit = taxes._bookings_adapted_price(price_unit, mode, product)
        values = {"quantity": quantity, "price_unit": price_unit}
        if included or not is_exact:
            values["extra_tax_data"] = taxes._bookings_manual_amounts(
                values, amount, mode, currency, product
            )
        return values

    def _bookings_adapted_price(self, price_unit, mode, product):
        """The price on the basis of the taxes: with those that are included in prices, without the others."""
        details = self._get_tax_details(
            price_unit, 1.0, rounding_method="round_globally", product=product, special_mode=mode
        )
        return details["total_excluded"] + sum(
            row["tax_amount"] for row in details["taxes_data"] if row["tax"].price_include
        )

    def _bookings_manual_amounts(self, values, amount, mode, currency, product):
        quantity = values["quantity"]
        details = self._get_tax_details(
            amount / quantity if quantity else 0.0,
            quantity,
            precision_rounding=currency.rounding,
            rounding_method="round_per_line",
            product=product,
            special_mode=mode,
        )
        return {
            "currency_id": currency.id,
            "price_unit": values["price_unit"],
            "quantity": quantity,
            "discount": 0.0,
            "manual_total_excluded_currency": currency.round(details["total_excluded"]),
            "manual_tax_amounts": {
                str(row["tax"].id): {
                    "tax_amount_currency": currency.round(row["tax_amount"]),
                    "base_amount_currency": currency.round(row["base_amount"]),
                }
                for row in details["taxes_data"]
                if not row["is_reverse_charge"]
            },
        }
