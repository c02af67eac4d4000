from odoo import api, models
from odoo.tools import frozendict

PREVIEW = "bookings_invoicing.booking_action_preview"
SERVER_ACTIONS = {
    "bookings_invoicing.booking_action_create_invoices": "direct",
    "bookings_invoicing.booking_action_invoice_customer": "payer",
    "bookings_invoicing.booking_action_invoice_ready": "ready",
}


def name_nodes(arch, where, label):
    """Set the label of the nodes of a view that an XPath finds.

    :param arch: root node of the view
    :param str where: XPath
    """
    for node in arch.xpath(where):
        node.set("title" if node.get("title") else "string", label)


class BookingsBooking(models.Model):
    """Labels of buttons that create documents, by the billing flows of the selected companies."""

    _inherit = "bookings.booking"

    @api.model
    def _flows_in_use(self):
        """Return the billing flows of the setups in the selected companies, sorted."""
        setups = (
            self.env["bookings.sync.setup"]
            .sudo()
            ._read_group([("company_id", "in", self.env.companies.ids)], ["billing_flow"])
        )
        return tuple(sorted(flow for (flow,) in setups)) or ("invoice",)

    @api.model
    def _flow_labels(self):
        """Return the labels by purpose, or an empty dict if only draft invoices are created.

        :returns: ``{"create" | "direct" | "ready" | "payer" | "documents": text}``
        """
        flows = self._flows_in_use()
        if "sale" not in flows:
            return {}
        if len(flows) == 1:
            return {
                "create": self.env._("Create Orders"),
                "direct": self.env._("Order Selected Now"),
                "ready": self.env._("Create Orders for All Ready"),
                "payer": self.env._("Create Orders for Payer"),
                "documents": self.env._("Orders"),
            }
        return {
            "create": self.env._("Create Invoices and Orders"),
            "direct": self.env._("Create Selected Now"),
            "ready": self.env._("Create Invoices and Orders for All Ready"),
            "payer": self.env._("Create Invoices and Orders for Payer"),
            "documents": self.env._("Invoices and Orders"),
        }

    @api.model
    def _get_view_cache_key(self, view_id=None, view_type="form", **options):
        key = super()._get_view_cache_key(view_id, view_type, **options)
        return (*key, self._flows_in_use())

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        labels = self._flow_labels()
        if labels:
            preview = self.env["ir.model.data"]._xmlid_to_res_id(PREVIEW)
            name_nodes(arch, f"//header/button[@name='{preview}']", labels["create"])
            name_nodes(arch, "//button[@name='action_preview_payer']", labels["payer"])
        return arch, view


class IrActionsActions(models.Model):
    _inherit = "ir.actions.actions"

    def _get_bindings(self, model_name):
        # EXTENDS 'base': name the entries in the Actions menu of bookings by what they create
        bindings = super()._get_bindings(model_name)
        booking = self.env["bookings.booking"]
        labels = booking._flow_labels() if model_name == booking._name else {}
        if not labels:
            return bindings
        named = {
            self.env["ir.model.data"]._xmlid_to_res_id(xmlid): labels[key]
            for xmlid, key in SERVER_ACTIONS.items()
        }
        actions = tuple(
            frozendict(action, name=named.get(action["id"], action["name"]))
            for action in bindings.get("action", ())
        )
        return frozendict(bindings, action=actions)


class IrActionsActWindow(models.Model):
    _inherit = "ir.actions.act_window"

    def _get_action_dict(self):
        # EXTENDS 'base': name the preview by what it creates
        result = super()._get_action_dict()
        if self.id == self.env["ir.model.data"]._xmlid_to_res_id(PREVIEW):
            labels = self.env["bookings.booking"]._flow_labels()
            result["name"] = labels.get("create", result["name"])
        return result
