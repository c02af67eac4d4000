from odoo import api, models

from ..models.flow_labels import name_nodes


class BookingsInvoicePreview(models.TransientModel):
    _inherit = "bookings.invoice.preview"

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        return (*key, self.env["bookings.booking"]._flows_in_use())

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        labels = self.env["bookings.booking"]._flow_labels()
        if labels:
            name_nodes(arch, "//form | //button[@name='action_create']", labels["create"])
            name_nodes(
                arch,
                "//field[@name='invoice_count'] | //page[@name='invoices']",
                labels["documents"],
            )
        return arch, view

    @api.model
    def _documents_label(self):
        labels = self.env["bookings.booking"]._flow_labels()
        return labels.get("create") or super()._documents_label()
