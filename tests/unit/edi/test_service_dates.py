"""Days of service land where the standards want them, whatever the exporter wrote before."""

from datetime import date

import pytest
from lxml import etree

from devtools.graph_server import plain_package

dates = plain_package("service_dates", "bookings_invoicing_edi")

PERIOD = date(2026, 10, 2), date(2026, 10, 30)
DAY = date(2026, 10, 2), date(2026, 10, 2)
UBL = f'xmlns="urn:x" xmlns:cac="{dates.CAC}" xmlns:cbc="{dates.CBC}"'
CII = f'xmlns:ram="{dates.RAM}" xmlns:udt="{dates.UDT}"'


def short(node):
    """Local names and texts of a document, as nested text."""
    name = etree.QName(node).localname
    inner = " ".join(short(child) for child in node) or node.text or ""
    return f"{name}({inner.strip()})"


def ubl(text, lines, **options):
    tree = etree.fromstring(f"<Invoice {UBL}>{text}</Invoice>")
    dates.into_ubl(tree, PERIOD, PERIOD[1], lines, **options)
    return short(tree)


def cii(text, lines=()):
    tree = etree.fromstring(f"<Invoice {CII}>{text}</Invoice>")
    dates.into_cii(tree, PERIOD, PERIOD[1], list(lines))
    return short(tree)


def test_a_period_comes_before_every_other_aggregate():
    assert ubl("<cbc:ID>1</cbc:ID><cac:OrderReference/>", []) == (
        "Invoice(ID(1) InvoicePeriod(StartDate(2026-10-02) EndDate(2026-10-30)) OrderReference())"
    )


def test_a_period_that_is_there_keeps_what_is_no_date():
    old = "<cbc:StartDate>2026-11-20</cbc:StartDate><cbc:DescriptionCode>35</cbc:DescriptionCode>"
    assert ubl(f"<cac:InvoicePeriod>{old}</cac:InvoicePeriod>", []) == (
        "Invoice(InvoicePeriod(StartDate(2026-10-02) EndDate(2026-10-30) DescriptionCode(35)))"
    )


@pytest.mark.parametrize(
    "before", ["", "<cbc:ActualDeliveryDate>2026-11-20</cbc:ActualDeliveryDate>"]
)
def test_the_day_of_delivery(before):
    text = f"<cac:Delivery><cbc:ID>7</cbc:ID>{before}<cac:DeliveryLocation/></cac:Delivery>"
    delivery = "Delivery(ID(7) ActualDeliveryDate(2026-10-30) DeliveryLocation())"
    assert delivery in ubl(text, [])


@pytest.mark.parametrize("name", ["InvoiceLine", "CreditNoteLine"])
def test_only_lines_with_days_get_a_period(name):
    lines = f"<cac:{name}><cbc:ID>1</cbc:ID><cac:Item/></cac:{name}>" * 2
    found = ubl(lines, [None, DAY])
    assert f"{name}(ID(1) Item())" in found
    assert f"{name}(ID(1) InvoicePeriod(StartDate(2026-10-02) EndDate(2026-10-02)) Item())" in found
    assert found.count("InvoicePeriod") == 2
    assert ubl(lines, [None, DAY], with_lines=False).count("InvoicePeriod") == 1


@pytest.mark.parametrize(
    "before",
    ["", "<ram:BillingSpecifiedPeriod><ram:StartDateTime/></ram:BillingSpecifiedPeriod>"],
    ids=["none", "the invoice's own dates"],
)
def test_cii(before):
    header = "<ram:ApplicableTradeTax/>" + before + "<ram:SpecifiedTradePaymentTerms/>"
    found = cii(
        f"<ram:SpecifiedLineTradeSettlement><ram:ApplicableTradeTax/>"
        "<ram:SpecifiedTradeSettlementLineMonetarySummation/></ram:SpecifiedLineTradeSettlement>"
        "<ram:ApplicableHeaderTradeDelivery><ram:ShipToTradeParty/></ram:ApplicableHeaderTradeDelivery>"
        f"<ram:ApplicableHeaderTradeSettlement>{header}</ram:ApplicableHeaderTradeSettlement>",
        [DAY],
    )

    def period(start, stop):
        return (
            f"BillingSpecifiedPeriod(StartDateTime(DateTimeString({start})) "
            f"EndDateTime(DateTimeString({stop})))"
        )

    assert found == (
        f"Invoice(SpecifiedLineTradeSettlement(ApplicableTradeTax() {period(20261002, 20261002)} "
        "SpecifiedTradeSettlementLineMonetarySummation()) "
        "ApplicableHeaderTradeDelivery(ShipToTradeParty() "
        "ActualDeliverySupplyChainEvent(OccurrenceDateTime(DateTimeString(20261030)))) "
        f"ApplicableHeaderTradeSettlement(ApplicableTradeTax() {period(20261002, 20261030)} "
        "SpecifiedTradePaymentTerms()))"
    )
