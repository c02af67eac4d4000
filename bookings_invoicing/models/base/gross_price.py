from odoo import models
from odoo.tools import float_compare


class AccountTax(models.Model):
    _inherit = "account.tax"

    def _bookings_agreed_line(
        self, quantity, price_unit, amount, included, currency, company, product
    ):
        """Return quantity, unit price, and tax data for an invoice line whose total is the agreed amount to the cent.

        Odoo's tax engine converts the unit price to the basis of these taxes, without rounding. Not every gross amount
        has a rounded net price (19 % on 0.86 gives 1.02, on 0.87 gives 1.04; no net price gives 1.03). If the engine's
        rounding could miss the amount, the line also carries the engine's *manual* amounts (``extra_tax_data``), as
        Odoo's global discounts and down payments do. Odoo drops them when a user changes the line.

        :param recordset self: the taxes of the line, mapped by the fiscal position
        :param float quantity, price_unit: the priced quantity and price, on the basis ``included``
        :param float amount: the agreed amount, on the same basis
        :param bool included: whether price and amount include taxes
        :returns: values for ``account.move.line``
        """
        taxes = self._flatten_taxes_and_sort_them()[0]
        fits = taxes._bookings_fit(included)
        is_exact = float_compare(quantity * price_unit, amount, precision_digits=8) == 0
        per_line = company.tax_calculation_rounding_method == "round_per_line"
        # With global rounding, Odoo rounds the net amount and each tax separately, so several taxes may miss the total.
        hits = is_exact and not (included and len(taxes) > 1)
        if fits and (hits or per_line):
            return {"quantity": quantity, "price_unit": price_unit}
        if not taxes:
            return {"quantity": 1.0, "price_unit": amount}
        if not fits:
            price_unit = taxes._bookings_line_price(price_unit, included, product)
        values = {"quantity": quantity, "price_unit": price_unit}
        values["extra_tax_data"] = taxes._bookings_manual_amounts(
            values, amount, included, currency, product
        )
        return values

    def _bookings_withheld(self):
        """Return the withholding taxes: the customer retains them, and they are not part of any price."""
        return self._flatten_taxes_and_sort_them()[0].filtered(lambda tax: tax.amount < 0.0)

    def _bookings_fit(self, included):
        """Return whether an invoice line with these taxes can use a price on this basis without conversion."""
        withheld = self._bookings_withheld()
        return all(
            tax.price_include == (included and tax not in withheld)
            for tax in self._flatten_taxes_and_sort_them()[0]
        )

    def _bookings_line_price(self, price, included, product):
        """Convert a price with or without taxes to the price of a line or product with these taxes.

        The result contains the taxes that Odoo includes in prices, and no others. It is not rounded. Inverse of
        :meth:`_bookings_agreed_price`.
        """
        net = self._bookings_parts(price, included, product)["total_excluded"]
        details = self._get_tax_details(
            net,
            1.0,
            rounding_method="round_globally",
            product=product,
            special_mode="total_excluded",
        )
        return net + sum(
            row["tax_amount"] for row in details["taxes_data"] if row["tax"].price_include
        )

    def _bookings_agreed_price(self, price_unit, included, product):
        """Convert the price of a line or product with these taxes to the basis of Bookings: with or without taxes.

        :param bool included: whether Bookings prices include taxes
        """
        details = self._get_tax_details(
            price_unit, 1.0, rounding_method="round_globally", product=product
        )
        withheld = self._bookings_withheld()
        return details["total_excluded"] + sum(
            row["tax_amount"]
            for row in details["taxes_data"]
            if included and row["tax"] not in withheld
        )

    def _bookings_parts(self, price, included, product, quantity=1.0, rounding=None):
        """Split a price into net amount and taxes with Odoo's tax engine, without withholding taxes.

        :returns: the dict of ``_get_tax_details``
        """
        withheld = self._bookings_withheld()
        return self._get_tax_details(
            price,
            quantity,
            precision_rounding=rounding or 0.01,
            rounding_method="round_per_line" if rounding else "round_globally",
            product=product,
            special_mode="total_included" if included else "total_excluded",
            filter_tax_function=lambda tax: tax not in withheld,
        )

    def _bookings_manual_amounts(self, values, amount, included, currency, product):
        quantity = values["quantity"]
        agreed = self._bookings_parts(
            amount / quantity if quantity else 0.0, included, product, quantity, currency.rounding
        )
        withheld = self._bookings_withheld()
        rows = agreed["taxes_data"]
        if withheld:
            whole = self._get_tax_details(
                agreed["total_excluded"],
                1.0,
                precision_rounding=currency.rounding,
                product=product,
                special_mode="total_excluded",
            )
            rows += [row for row in whole["taxes_data"] if row["tax"] in withheld]
        return {
            "currency_id": currency.id,
            "price_unit": values["price_unit"],
            "quantity": quantity,
            "discount": 0.0,
            "manual_total_excluded_currency": currency.round(agreed["total_excluded"]),
            "manual_tax_amounts": {
                str(row["tax"].id): {
                    "tax_amount_currency": currency.round(row["tax_amount"]),
                    "base_amount_currency": currency.round(row["base_amount"]),
                }
                for row in rows
                if not row["is_reverse_charge"]
            },
        }
