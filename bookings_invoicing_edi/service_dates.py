"""Write service dates into the XML of an e-invoice, without Odoo.

Odoo's exporters write the dates of the invoice, or none. These functions add the actual delivery date (BT-72), the
invoicing period (BT-73, BT-74), and the period of each line (BT-134, BT-135) of EN 16931 to the finished document. They
change the finished document because the code that creates it changes within Odoo 19, while the standards that order its
elements do not.
"""

from datetime import date

from lxml import etree

CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
RAM = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
UDT = "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100"

Days = tuple[date, date]

# Elements before the date in a UBL Delivery.
_DELIVERY_HEAD = ("ID", "Quantity", "MinimumQuantity", "MaximumQuantity")
# Elements after the delivery event, and after the period, in a CII document and its lines.
_AFTER_EVENT = (
    "DespatchAdviceReferencedDocument",
    "ReceivingAdviceReferencedDocument",
    "DeliveryNoteReferencedDocument",
)
_AFTER_PERIOD = (
    "SpecifiedTradeAllowanceCharge",
    "SpecifiedLogisticsServiceCharge",
    "SpecifiedTradePaymentTerms",
    "SpecifiedTradeSettlementHeaderMonetarySummation",
    "SpecifiedTradeSettlementLineMonetarySummation",
)


def into_ubl(
    tree: etree._Element,
    period: Days,
    delivered: date,
    lines: list[Days | None],
    with_lines: bool = True,
) -> None:
    """Write service dates into a UBL invoice or credit note.

    :param period: first and last date
    :param delivered: the actual delivery date
    :param lines: first and last date of each line in the order of the document; None leaves a line unchanged
    :param with_lines: False for UBL 2.0, whose lines have no period
    """
    _ubl_period(tree, period)
    for delivery in tree.findall(f"{{{CAC}}}Delivery")[:1]:
        _ubl_delivered(delivery, delivered)
    if with_lines:
        found = tree.findall(f"{{{CAC}}}InvoiceLine") or tree.findall(f"{{{CAC}}}CreditNoteLine")
        for line, days in zip(found, lines, strict=False):
            if days:
                _ubl_period(line, days)


def into_cii(tree: etree._Element, period: Days, delivered: date, lines: list[Days | None]) -> None:
    """Write service dates into a Cross Industry Invoice. See :func:`into_ubl` for the parameters."""
    for settlement in tree.iterfind(f".//{{{RAM}}}ApplicableHeaderTradeSettlement"):
        _cii_period(settlement, period)
    for delivery in tree.iterfind(f".//{{{RAM}}}ApplicableHeaderTradeDelivery"):
        _cii_delivered(delivery, delivered)
    found = tree.findall(f".//{{{RAM}}}SpecifiedLineTradeSettlement")
    for settlement, days in zip(found, lines, strict=False):
        if days:
            _cii_period(settlement, days)


def _ubl_period(parent, days):
    """Set the InvoicePeriod, which comes before all other aggregates in documents and in lines."""
    period = parent.find(f"{{{CAC}}}InvoicePeriod")
    if period is None:
        period = etree.Element(f"{{{CAC}}}InvoicePeriod")
        simple = [child for child in parent if etree.QName(child).namespace == CBC]
        parent.insert(parent.index(simple[-1]) + 1 if simple else 0, period)
    for name in ("StartDate", "StartTime", "EndDate", "EndTime"):
        for old in period.findall(f"{{{CBC}}}{name}"):
            period.remove(old)
    for place, (name, day) in enumerate(zip(("StartDate", "EndDate"), days, strict=True)):
        node = etree.Element(f"{{{CBC}}}{name}")
        node.text = day.isoformat()
        period.insert(place, node)


def _ubl_delivered(delivery, day):
    node = delivery.find(f"{{{CBC}}}ActualDeliveryDate")
    if node is None:
        node = etree.Element(f"{{{CBC}}}ActualDeliveryDate")
        head = [child for child in delivery if etree.QName(child).localname in _DELIVERY_HEAD]
        delivery.insert(len(head), node)
    node.text = day.isoformat()


def _cii_period(settlement, days):
    period = _cii_part(settlement, "BillingSpecifiedPeriod", _AFTER_PERIOD)
    for old in list(period):
        period.remove(old)
    for name, day in zip(("StartDateTime", "EndDateTime"), days, strict=True):
        _cii_day(etree.SubElement(period, f"{{{RAM}}}{name}"), day)


def _cii_delivered(delivery, day):
    event = _cii_part(delivery, "ActualDeliverySupplyChainEvent", _AFTER_EVENT)
    for old in list(event):
        event.remove(old)
    _cii_day(etree.SubElement(event, f"{{{RAM}}}OccurrenceDateTime"), day)


def _cii_part(parent, name, followers):
    """Return the child with this name. If it is missing, create it before the first of its followers."""
    node = parent.find(f"{{{RAM}}}{name}")
    if node is None:
        node = etree.Element(f"{{{RAM}}}{name}")
        after = [child for child in parent if etree.QName(child).localname in followers]
        parent.insert(parent.index(after[0]) if after else len(parent), node)
    return node


def _cii_day(parent, day):
    # 102 is the format YYYYMMDD of UN/CEFACT's code list 2379.
    node = etree.SubElement(parent, f"{{{UDT}}}DateTimeString", format="102")
    node.text = f"{day:%Y%m%d}"
