from itertools import chain, islice

from odoo import fields, models
from odoo.exceptions import UserError

from ..sandbox.ids import moment

MOST_LOOKED_AT = 2000  # appointments of a business, in which those with notes are searched
KEYS = ("customer", "service", "appointment")  # of sandbox changes


class BookingsSandboxRecord(models.TransientModel):
    """What a sandbox tenant holds now, as Microsoft Bookings would show it to staff: to see what Odoo has written."""

    _name = "bookings.sandbox.record"
    _inherit = "bookings.own.links"
    _description = "Record in the Sandbox's Bookings"
    _order = "written desc nulls last, id"

    connection_id = fields.Many2one(
        "bookings.connection", required=True, readonly=True, ondelete="cascade"
    )
    business = fields.Char(readonly=True)
    kind = fields.Selection(
        [("customer", "Customer"), ("service", "Service"), ("appointment", "Appointment")],
        string="What",
        readonly=True,
    )
    name = fields.Char(readonly=True)
    email = fields.Char(readonly=True)
    phone = fields.Char(readonly=True)
    address = fields.Char(readonly=True)
    price = fields.Char(readonly=True)
    minutes = fields.Integer(readonly=True, aggregator=None)
    start = fields.Datetime(readonly=True)
    notes = fields.Text(
        readonly=True, help="Description of a service, internal notes of an appointment."
    )
    remote_id = fields.Char(string="Bookings ID", readonly=True)
    written = fields.Datetime(
        string="Written on", readonly=True, help="When Odoo or a user last changed this record."
    )

    def _open(self, connection):
        """Return the action that lists what the sandbox of this connection holds now."""
        if connection.mode != "sandbox":
            raise UserError(self.env._("Only a sandbox can be looked into."))
        self.search([("create_uid", "=", self.env.uid)]).unlink()
        changes = connection.sudo().sandbox_change_ids
        written = {
            change.change[key]: change.create_date
            for change in changes
            for key in KEYS
            if key in change.change
        }
        self.create(
            [
                {
                    **values,
                    "connection_id": connection.id,
                    "written": written.get(values["remote_id"]),
                }
                for box in connection._sandbox_tenant().mailboxes
                for values in chain(_customers(box), _services(box), _appointments(box))
            ]
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Sandbox's Bookings"),
            "res_model": self._name,
            "view_mode": "list",
            "context": {"search_default_group_by_kind": True},
            "help": self.env._("The sandbox holds nothing."),
        }


def _customers(box):
    for key in box.customer_ids():
        person = box.person(key)
        where = (person.street, person.postcode, person.city, person.state, person.country)
        yield {
            "kind": "customer",
            "business": box.name,
            "remote_id": key,
            "name": person.name,
            "email": person.email,
            "phone": person.phone,
            "address": ", ".join(filter(None, where)),
        }


def _services(box):
    for key in box.service_ids:
        if plan := box.service_now(key):
            yield {
                "kind": "service",
                "business": box.name,
                "remote_id": key,
                "name": plan.name,
                "price": f"{plan.price} {box.currency}",
                "minutes": plan.minutes,
                "notes": plan.description,
            }


def _appointments(box):
    """The appointments with internal notes: those that were changed first."""
    changed = [visit for key in box.changed if (visit := box.live_visit(key))]
    others = (visit for _place, visit in islice(box.scan(), MOST_LOOKED_AT))
    found = {visit.id: visit for visit in chain(changed, others) if visit.staff_notes}
    for visit in found.values():
        yield {
            "kind": "appointment",
            "business": box.name,
            "remote_id": visit.id,
            "name": visit.service_name,
            "start": moment(visit.start).replace(tzinfo=None),
            "minutes": visit.minutes,
            "price": f"{visit.price} {box.currency}",
            "notes": visit.staff_notes,
        }
