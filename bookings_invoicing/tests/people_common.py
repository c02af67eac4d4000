from odoo import fields
from odoo.tests import new_test_user

from .. import graph
from .common import BookingsCase

PORT = {"street": "Quay 1", "city": "Aarhus", "postalCode": "8000", "countryOrRegion": "Danmark"}
TOWN = dict(zip(PORT, ("High Street 5", "Leeds", "LS1", "England"), strict=True))


class PeopleCase(BookingsCase):
    """Somebody books, or is in the list of customers, as Bookings would say it now."""

    class JOB:
        def __init__(self, setup):
            self.setup = setup

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync()
        domain = [
            ("setup_id", "=", cls.setup.id),
            ("status", "=", "ready"),
            ("customer_id", "!=", False),
        ]
        cls.template = cls.env["bookings.booking"].search(domain, limit=1)
        cls.clerk = new_test_user(
            cls.env,
            "people_clerk",
            "account.group_account_invoice",
            company_id=cls.company.id,
            company_ids=[fields.Command.set(cls.company.ids)],
        )

    def person(self, **facts):
        return {
            "customerId": "new-1",
            "name": "Nora New",
            "emailAddress": "nora@new.example",
            "phone": "+45 11 11 11 11",
            "location": {"displayName": "", "address": PORT},
        } | facts

    def booked(self, **facts):
        """The attendee books, as Bookings would say it now; the booking."""
        raw = {
            "id": "AAMk-new",
            "serviceId": self.template.service_id.remote_id,
            "serviceName": self.template.service_id.name,
            "startDateTime": {"dateTime": "2026-03-02T09:00:00Z", "timeZone": "UTC"},
            "endDateTime": {"dateTime": "2026-03-02T10:00:00Z", "timeZone": "UTC"},
            "priceType": "fixedPrice",
            "price": 80,
            "customers": [self.person(**facts)],
        }
        bookings = self.env["bookings.booking"]
        bookings.sudo()._import_page(self.JOB(self.setup.sudo()), [graph.Appointment.parse(raw)])
        return bookings.search(
            [("setup_id", "=", self.setup.id), ("appointment_id", "=", raw["id"])]
        )

    def listed(self, remote_id, **facts):
        raw = {
            "id": remote_id,
            "displayName": "Nora New",
            "emailAddress": "nora@new.example",
            "addresses": [PORT],
            "phones": [{"number": "+45 22 22 22 22"}],
        } | facts
        self.env["bookings.customer"].sudo()._import_page(
            self.JOB(self.setup.sudo()), [graph.Customer.parse(raw)]
        )

    def proposals(self, partner, **facts):
        domain = [(name, "=", value) for name, value in facts.items()]
        return self.env["bookings.proposal"].search([("partner_id", "=", partner.id), *domain])
