from odoo import api, fields, models

from ..base.readable_links import ROLES


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["res.partner", "bookings.own.links"]

    booking_ids = fields.One2many("bookings.booking", "partner_id", groups=ROLES)
    booking_count = fields.Integer(compute="_compute_booking_count", groups=ROLES)

    @api.depends("booking_ids")
    def _compute_booking_count(self):
        counts = {}
        booking = self.env["bookings.booking"]
        for name in ("partner_id", "payer_id"):
            for partner, bookings in booking._read_group(
                [(name, "in", self.ids)], [name], ["id:recordset"]
            ):
                counts.setdefault(partner, set()).update(bookings.ids)
        for partner in self:
            partner.booking_count = len(counts.get(partner, ()))

    def action_view_bookings(self):
        self.ensure_one()
        self.env["bookings.booking"].check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_all"
        )
        return {
            **action,
            "domain": ["|", ("partner_id", "=", self.id), ("payer_id", "=", self.id)],
            "context": {},
        }
