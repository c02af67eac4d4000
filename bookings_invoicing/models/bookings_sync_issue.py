from datetime import timedelta

from odoo import api, fields, models

PAYLOAD_DAYS = 30


class BookingsSyncIssue(models.Model):
    """A record of Bookings that could not be taken over, with the reason; its siblings went on."""

    _name = "bookings.sync.issue"
    _description = "Bookings Record Set Aside"
    _order = "id desc"
    _rec_name = "remote_id"
    _check_company_auto = True

    setup_id = fields.Many2one("bookings.sync.setup", required=True, ondelete="cascade", index=True)
    run_id = fields.Many2one("bookings.sync.run", ondelete="cascade", index=True)
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    kind = fields.Selection(
        [
            ("service", "Service"),
            ("staff", "Staff member"),
            ("customer", "Customer"),
            ("appointment", "Appointment"),
        ],
        required=True,
    )
    remote_id = fields.Char(string="Bookings ID")
    reason = fields.Char(required=True)
    payload = fields.Text(groups="bookings_invoicing.group_manager")

    @api.autovacuum
    def _gc_payloads(self):
        limit = fields.Datetime.now() - timedelta(days=PAYLOAD_DAYS)
        self.search([("create_date", "<", limit), ("payload", "!=", False)], limit=1000).payload = False
