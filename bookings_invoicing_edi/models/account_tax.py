from odoo import models

from .booking_e_invoice import KEY, NEEDS_REASON

CATEGORY, REASON = "ubl_cii_tax_category_code", "ubl_cii_tax_exemption_reason_code"
TAX_FIELDS = {CATEGORY, REASON, "amount", "amount_type"}


class AccountTax(models.Model):
    _inherit = "account.tax"

    def _e_invoice_lacks(self):
        """Return the missing fields that an e-invoice requires to state why this tax is 0; none for all other taxes."""
        self.ensure_one()
        if self.amount_type != "percent" or self.amount:
            return ()
        if not self[CATEGORY]:
            return (CATEGORY, REASON)
        return (REASON,) if self[CATEGORY] in NEEDS_REASON and not self[REASON] else ()

    def write(self, vals):
        # Bookings may have waited for the tax to be completed.
        result = super().write(vals)
        if not TAX_FIELDS.isdisjoint(vals):
            waiting = (
                self.env["bookings.booking"]
                .sudo()
                .search(
                    [
                        ("company_id", "child_of", self.company_id.ids),
                        ("status", "=", "attention"),
                        ("attention_reason", "=", KEY),
                    ]
                )
            )
            waiting._recheck_billing()
        return result
