from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..billing.status import BILLED


class BookingsSyncSetup(models.Model):
    """One business, one setup; companies share a business by services that only one of them bills.

    How it works: ``business_key`` names the business whatever the connection. The first company's
    setup takes every service; a second company's setup of the same business starts with none and
    takes what the first has let go. The database sees to it that no service is taken twice.
    """

    _inherit = "bookings.sync.setup"

    business_key = fields.Char(
        compute="_compute_business_key", store=True, compute_sudo=True, index=True
    )
    shared = fields.Boolean(
        string="Business Is Shared",
        readonly=True,
        copy=False,
        help="Other companies bill services of this business, too: tick on the services what this "
        "one bills.",
    )

    _business_key_uniq = models.UniqueIndex(
        "(business_key, company_id)",
        "This business already has a sync setup in this company. It may be archived.",
    )

    @api.depends("business_id", "connection_id.mode", "connection_id.tenant_id")
    def _compute_business_key(self):
        for setup in self:
            connection = setup.connection_id
            tenant = (connection.tenant_id or "").strip().lower()
            if connection.mode == "sandbox" or not tenant:
                tenant = f"{connection.mode}:{connection.id}"
            setup.business_key = f"{tenant}/{(setup.business_id or '').strip().lower()}"

    @api.model_create_multi
    def create(self, vals_list):
        setups = super().create(vals_list)
        setups._note_sharing()
        return setups

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint({"business_id", "connection_id"}):
            self._note_sharing()
        return result

    def _sharing(self):
        """All setups of these setups' businesses, in every company, archived ones included."""
        return (
            self.sudo()
            .with_context(active_test=False)
            .search([("business_key", "in", self.mapped("business_key"))])
        )

    def _note_sharing(self):
        for key, setups in self._sharing().grouped("business_key").items():
            if key and len(setups) > 1:
                setups.filtered(lambda setup: not setup.shared).shared = True

    def _own_appointments(self, appointments):
        """Those appointments that this setup keeps: all, or where the business is shared those it
        bills.

        :param list[graph.Appointment] appointments:
        """
        self.ensure_one()
        if not self.shared:
            return appointments
        ids = [appointment.id for appointment in appointments]
        others = self._sharing() - self
        self.env["bookings.booking"].flush_model(["setup_id", "appointment_id", "status"])
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT appointment_id, setup_id = %(mine)s FROM bookings_booking
                    WHERE appointment_id = ANY(%(ids)s)
                      AND (setup_id = %(mine)s OR setup_id = ANY(%(others)s) AND status =
                      ANY(%(billed)s))""",
                mine=self.id,
                ids=ids,
                others=others.ids,
                billed=list(BILLED),
            )
        )
        kept = {remote_id for remote_id, mine in rows if mine}
        billed = {remote_id for remote_id, mine in rows if not mine}
        taken = self._services_elsewhere()
        return [
            appointment
            for appointment in appointments
            if appointment.id in kept
            or (
                appointment.id not in billed
                and (appointment.service_id or appointment.service_name) not in taken
            )
        ]

    def _services_elsewhere(self):
        """Remote ids of the services that this setup does not bill: not ticked here, or ticked by
        another company.
        """
        self.ensure_one()
        services = self.env["bookings.service"].sudo()
        others = self._sharing() - self
        elsewhere = services.search([("setup_id", "in", others.ids), ("taken", "=", True)])
        not_here = services.search([("setup_id", "=", self.id), ("taken", "=", False)])
        return set((elsewhere | not_here).mapped("remote_id"))


class BookingsService(models.Model):
    _inherit = "bookings.service"

    taken = fields.Boolean(
        string="Billed Here",
        default=True,
        copy=False,
        help="Bookings of this service are billed by this setup. Untick to leave it to another "
        "company.",
    )
    business_key = fields.Char(related="setup_id.business_key", store=True)
    setup_shared = fields.Boolean(related="setup_id.shared", string="Shared Business")

    _taken_uniq = models.UniqueIndex(
        "(business_key, remote_id) WHERE taken",
        "Another company bills this service. Untick it there first.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        self.check_access("create")
        setups = self.env["bookings.sync.setup"].browse({vals["setup_id"] for vals in vals_list})
        elsewhere = {
            setup.id: setup._services_elsewhere() for setup in setups if setup.sudo().shared
        }
        for vals in vals_list:
            if vals.get("remote_id") in elsewhere.get(vals["setup_id"], ()):
                vals["taken"] = False
        return super().create(vals_list)

    def write(self, vals):
        if vals.get("taken"):
            for service in self.filtered(lambda service: not service.taken):
                if service.remote_id in service._taken_by_others():
                    raise UserError(
                        self.env._(
                            "Another company bills %s. Untick it on that company's services first.",
                            service.display_name,
                        )
                    )
        let_go = self.filtered("taken") if "taken" in vals and not vals["taken"] else self.browse()
        result = super().write(vals)
        let_go._let_go()
        return result

    def _taken_by_others(self):
        self.ensure_one()
        others = self.setup_id._sharing() - self.setup_id
        return set(
            self.sudo()
            .search([("setup_id", "in", others.ids), ("taken", "=", True)])
            .mapped("remote_id")
        )

    def _let_go(self):
        """What another company bills from now on is not billed here; what is billed already stays
        billed here.
        """
        open_ones = self.booking_ids.filtered(
            lambda booking: booking.status in ("upcoming", "ready", "attention")
        )
        if open_ones:
            open_ones.sudo().action_mark_not_billable(
                "billed_elsewhere", self.env._("Its service is billed by another company.")
            )
