"""What a payer must have before an invoice: for businesses, above the limit, for an e-invoice."""

from decimal import Decimal

import pytest

from bookings_invoicing.billing.details import PayerLook, Policy, detail_stops

PERSON = PayerLook(address=("street",))
BUSINESS = PayerLook(business=True, address=("street",), vat=True)


@pytest.mark.parametrize(
    ("payer", "policy", "total", "stops"),
    [
        (PERSON, Policy(), "9999", {}),
        (PERSON, Policy(Decimal(250)), None, {}),
        (PERSON, Policy(Decimal(250)), "250.00", {}),
        (PERSON, Policy(Decimal(250)), "250.01", {"address": ("street",)}),
        (BUSINESS, Policy(), None, {"address": ("street",), "vat": ("vat",)}),
        (BUSINESS, Policy(business=False), "9999", {}),
        (BUSINESS, Policy(Decimal(250), False), "251", {"address": ("street",), "vat": ("vat",)}),
        (PayerLook(), Policy(Decimal(1)), "9999", {}),
        (PayerLook(e_invoice=("zip",)), Policy(business=False), None, {"e_invoice": ("zip",)}),
    ],
)
def test_stops(payer, policy, total, stops):
    assert detail_stops(payer, policy, total and Decimal(total)) == stops


def test_each_missing_field_once():
    payer = PayerLook(True, ("street", "country_id"), True, ("country_id", "zip"))
    assert payer.missing == ("street", "country_id", "vat", "zip")
