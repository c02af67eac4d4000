from odoo import models


class BookingsResponsible(models.AbstractModel):
    """Mixin that chooses whom to notify about a failure: an active user who may open the record."""

    _name = "bookings.responsible"
    _description = "Responsible for Failures"

    def _responsible(self):
        """Return the users to notify: those who can act in the first candidate group that has any, else Administrator.

        :rtype: res.users
        """
        self.ensure_one()
        for users in self._responsible_candidates():
            able = users.filtered(self._can_act)
            if able:
                return able
        return self.env.ref("base.user_admin")

    def _responsible_candidates(self):
        """Return candidate groups in order of preference, as ``[res.users]``.

        By default: the responsible user, then billing administrators, then Odoo administrators.
        """
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
        """Schedule an activity for each responsible user, unless an active user already has one of this type.

        :param str kind: external id of the activity type
        :param note: description of what happened, as HTML
        :param values: further values of the activity: ``summary``, ``date_deadline``
        """
        self.ensure_one()
        if not self.activity_search([kind], additional_domain=[("user_id.active", "=", True)]):
            self.activity_unlink([kind])
            for user in self._responsible():
                self.activity_schedule(kind, user_id=user.id, note=note, **values)
