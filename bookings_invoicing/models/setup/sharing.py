from odoo import api, fields, models
from odoo.tools import SQL

from ...billing.status import BILLED

OPEN = ("upcoming", "ready", "attention")


class BookingsSyncSetup(models.Model):
    """One business, one setup; companies share a business by services that only one of them bills.

    How it works: ``business_key`` names the business whatever the connection, by its mailbox address:
    no other has it in all of that cloud. The first company's setup takes every service; a second
    company's setup of the same business starts with none and takes what the first has let go. The
    database sees to it that no service is taken twice. An appointment whose service is changed goes
    over only when the one has let go of it.
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

    @api.depends("business_id", "connection_id.mode", "connection_id.cloud")
    def _compute_business_key(self):
        for setup in self:
            connection = setup.connection_id
            sandbox = connection.mode == "sandbox"
            place = f"sandbox:{connection.id}" if sandbox else connection.cloud
            setup.business_key = f"{place}/{(setup.business_id or '').strip().lower()}"

    @api.model_create_multi
    def create(self, vals_list):
        setups = super().create(vals_list)
        setups._note_sharing()
        return setups

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
                setups.sudo().filtered(lambda setup: not setup.shared).shared = True

    def _own_appointments(self, appointments):
        """Those appointments that this setup keeps: all, or where the business is shared those it
        bills. It lets go of the others, and takes back what it had let go.

        :param list[graph.Appointment] appointments:
        """
        self.ensure_one()
        if not self.shared:
            return appointments
        ids = [appointment.id for appointment in appointments]
        billed, elsewhere = self._holders(ids)
        taken = self._services_elsewhere()
        own, leaving = [], []
        for appointment in appointments:
            theirs = (appointment.service_id or appointment.service_name) in taken
            if appointment.id in billed or not (theirs or appointment.id in elsewhere):
                own.append(appointment)
            elif theirs:
                leaving.append(appointment.id)
        booking = self.env["bookings.booking"]
        booking.search(
            [("setup_id", "=", self.id), ("appointment_id", "in", leaving), ("status", "in", OPEN)]
        )._let_go()
        booking.search(
            [
                ("setup_id", "=", self.id),
                ("appointment_id", "in", [appointment.id for appointment in own]),
                ("let_go", "=", True),
            ]
        )._take_back()
        return own

    def _holders(self, appointment_ids):
        """Ids of the appointments that this setup has billed, and of those that another one bills or
        has not let go.
        """
        self.env["bookings.booking"].flush_model(["setup_id", "appointment_id", "status"])
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT appointment_id, setup_id = %(mine)s FROM bookings_booking
                    WHERE appointment_id = ANY(%(ids)s)
                      AND (setup_id = %(mine)s AND status = ANY(%(billed)s)
                           OR setup_id = ANY(%(others)s) AND status = ANY(%(held)s))""",
                mine=self.id,
                ids=list(appointment_ids),
                others=(self._sharing() - self).ids,
                billed=list(BILLED),
                held=[*BILLED, *OPEN],
            )
        )
        return {key for key, mine in rows if mine}, {key for key, mine in rows if not mine}

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
