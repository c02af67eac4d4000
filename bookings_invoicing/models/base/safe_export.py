from odoo import models

from .safe_text import safe_cell


class BookingsSafeExport(models.AbstractModel):
    """Mixin that keeps formulas out of CSV and XLSX exports of our models."""

    _name = "bookings.safe.export"
    _description = "Export Without Formulas"

    def export_data(self, fields_to_export):
        result = super().export_data(fields_to_export)
        result["datas"] = [[safe_cell(value) for value in row] for row in result["datas"]]
        return result
