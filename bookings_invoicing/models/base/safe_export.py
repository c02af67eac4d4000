from odoo import models

from .safe_text import safe_cell


class BookingsSafeExport(models.AbstractModel):
    """Exports of our models, to CSV and to XLSX, hold texts and no formulas."""

    _name = "bookings.safe.export"
    _description = "Export Without Formulas"

    def export_data(self, fields_to_export):
        result = super().export_data(fields_to_export)
        result["datas"] = [[safe_cell(value) for value in row] for row in result["datas"]]
        return result


class BookingsBooking(models.Model):
    _name = "bookings.booking"
    _inherit = ["bookings.booking", "bookings.safe.export"]


class BookingsCustomer(models.Model):
    _name = "bookings.customer"
    _inherit = ["bookings.customer", "bookings.safe.export"]


class BookingsService(models.Model):
    _name = "bookings.service"
    _inherit = ["bookings.service", "bookings.safe.export"]


class BookingsStaff(models.Model):
    _name = "bookings.staff"
    _inherit = ["bookings.staff", "bookings.safe.export"]


class BookingsSyncIssue(models.Model):
    _name = "bookings.sync.issue"
    _inherit = ["bookings.sync.issue", "bookings.safe.export"]


class BookingsInvoiceRunLeftOut(models.Model):
    _name = "bookings.invoice.run.left.out"
    _inherit = ["bookings.invoice.run.left.out", "bookings.safe.export"]
