from lxml import etree

from odoo import models
from odoo.tools import cleanup_xml_node

from .. import service_dates

# UBL formats that follow EN 16931, formats derived from them, and the Danish ones. Other countries' reports to their
# tax authorities also use UBL, but with different rules for periods.
WITH_PERIOD = ("ubl_bis3", "oioubl_201", "oioubl_21")


class AccountEdiCommon(models.AbstractModel):
    _inherit = "account.edi.common"

    def _with_bookings_dates(self, content, invoice, write, **options):
        """Add the service dates of the invoice's bookings to the exported document.

        :param bytes content: the document; it is returned unchanged if no line has a booking
        :param write: :func:`..service_dates.into_ubl` or :func:`..service_dates.into_cii`
        :rtype: bytes
        """
        dates = invoice._bookings_service_dates()
        if not dates:
            return content
        tree = etree.fromstring(content)
        write(tree, *dates, **options)
        return etree.tostring(cleanup_xml_node(tree), xml_declaration=True, encoding="UTF-8")


class AccountEdiXmlCii(models.AbstractModel):
    _inherit = "account.edi.xml.cii"

    def _export_invoice(self, invoice):
        # EXTENDS 'account_edi_ubl_cii'
        content, errors = super()._export_invoice(invoice)
        return self._with_bookings_dates(content, invoice, service_dates.into_cii), errors


class AccountEdiXmlUbl20(models.AbstractModel):
    _inherit = "account.edi.xml.ubl_20"

    def _export_invoice(self, invoice):
        # EXTENDS 'account_edi_ubl_cii'
        content, errors = super()._export_invoice(invoice)
        if not self._has_service_period():
            return content, errors
        has_lines = not isinstance(self, self.env.registry.get("account.edi.xml.oioubl_201", ()))
        dated = self._with_bookings_dates(
            content, invoice, service_dates.into_ubl, with_lines=has_lines
        )
        return dated, errors

    def _has_service_period(self):
        return any(
            isinstance(self, self.env.registry.get(f"account.edi.xml.{name}", ()))
            for name in WITH_PERIOD
        )
