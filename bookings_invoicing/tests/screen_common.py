"""What a user sees of our screens: the buttons of our views, and the menus."""

from lxml import etree

PREFIX = "bookings_invoicing"


class Screens:
    """Buttons and menus as a role gets them from the server, what its groups hide left out."""

    def our_views(self):
        """Return the IDs, by model, of our views and of the views that ours extend."""
        data = (
            self.env["ir.model.data"]
            .sudo()
            .search([("model", "=", "ir.ui.view"), ("module", "=like", f"{PREFIX}%")])
        )
        views = self.env["ir.ui.view"].sudo().browse(data.mapped("res_id")).exists()
        roots = self.env["ir.ui.view"].sudo()
        for view in views:
            while view.inherit_id and view.mode != "primary":
                view = view.inherit_id
            roots |= view
        return roots.filtered(lambda view: view.type in ("form", "list", "kanban") and view.model)

    def buttons(self, view, user):
        """``{(model, type, name)}`` of the buttons in a view, embedded lists included, as a user gets them."""
        arch = self.env[view.model].with_user(user).get_view(view.id, view.type)["arch"]
        return set(self._buttons_below(etree.fromstring(arch), self.env[view.model]))

    def _buttons_below(self, node, model):
        for child in node:
            if child.tag in ("button", "a") and child.get("type") in ("object", "action"):
                yield model._name, child.get("type"), child.get("name")
            below = model
            if child.tag == "field" and len(child) and child.get("name") in model._fields:
                comodel = model._fields[child.get("name")].comodel_name
                below = self.env[comodel] if comodel else model
            yield from self._buttons_below(child, below)

    def is_ours(self, model, method):
        return any(
            method in vars(cls) and cls.__module__.startswith(f"odoo.addons.{PREFIX}")
            for cls in type(self.env[model]).mro()
        )

    def press(self, model, kind, name, record, user):
        """What a click does: the method, or the action that it opens.

        :raises AccessError: the user may not
        """
        record = record.with_user(user).with_company(user.company_id)
        if kind == "object":
            return getattr(record.with_context(active_ids=record.ids, active_model=model), name)()
        action = self.env["ir.actions.actions"].sudo().browse(int(name))
        action = self.env[action.type].browse(action.id)
        if action.type == "ir.actions.server":
            context = {"active_ids": record.ids, "active_id": record.id, "active_model": model}
            return action.with_user(user).with_context(**context).run()
        target = self.env[action.sudo().res_model].with_user(user)
        target.check_access("create" if target._transient else "read")
        return action.with_user(user)._get_action_dict()

    def menus(self, user):
        """External ids of ours that the user finds in the menus, each with everything above it."""
        visible = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
        found = set()
        for menu in self.env["ir.ui.menu"].sudo().search([("id", "in", list(visible))]):
            above = menu
            while above and above.id in visible:
                above = above.parent_id
            xmlid = menu.get_external_id()[menu.id]
            if not above and xmlid.startswith(PREFIX):
                found.add(xmlid.split(".")[1])
        return found
