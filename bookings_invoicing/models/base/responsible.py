from odoo import models


class BookingsResponsible(models.AbstractModel):
    """Who is told when something fails: a person who is there and may open the record."""

    _name = "bookings.responsible"
    _description = "Responsible for Failures"

    def _responsible(self):
        """The first of those chosen who can act; else the billing administrators of the company, else those of Odoo.

        :rtype: res.users
        """
        self.ensure_one()
        for users in self._responsible_candidates():
            able = users.filtered(self._can_act)
            if able:
                return able
        return self.env.ref("base.user_admin")

    def _responsible_candidates(self):
        """Users to be told, from the first choice to the last: ``[res.users]``."""
        managers = self.env.ref("bookings_invoicing.group_manager").sudo().all_user_ids
        administrators = self.env.ref("base.group_system").sudo().all_user_ids
        return [self.sudo().user_id, managers, administrators]

    def _can_act(self, user):
        company = self.sudo().company_id
        return (
            user.active
            and not user.share
            and (not company or company in user.company_ids)
            and self.with_user(user)
            .with_context(allowed_company_ids=(company or user.company_id).ids)
            .has_access("read")
        )

    def _tell_responsible(self, kind, note, **values):
        """One activity for whoever is responsible, unless somebody active has been told already.

        :param str kind: external id of the type of activity
        :param note: what happened, as HTML
        :param values: more of the activity: ``summary``, ``date_deadline``
        """
        self.ensure_one()
        if not self.activity_search([kind], additional_domain=[("user_id.active", "=", True)]):
            self.activity_unlink([kind])
            for user in self._responsible():
                self.activity_schedule(kind, user_id=user.id, note=note, **values)
