from odoo.tests import tagged

from .people_common import TOWN, PeopleCase


@tagged("post_install", "-at_install")
class TestPeopleChanges(PeopleCase):
    """What changes in Bookings later reaches the contact, or is asked about."""

    def test_contact_follows_what_came_from_bookings(self):
        partner = self.booked().partner_id
        self.booked(phone="+45 33 33 33 33", location={"address": TOWN})
        self.assertEqual((partner.phone, partner.street), ("+45 33 33 33 33", "High Street 5"))
        self.assertEqual((partner.city, partner.country_id.code), ("Leeds", "GB"))
        self.assertIn("Quay 1", "".join(partner.message_ids.mapped("body")))
        self.assertFalse(self.proposals(partner))

    def test_list_changes_too(self):
        partner = self.booked().partner_id
        self.listed("new-1", addresses=[TOWN])
        self.assertEqual((partner.street, partner.phone), ("High Street 5", "+45 22 22 22 22"))

    def test_what_a_person_wrote_is_asked_about(self):
        partner = self.booked().partner_id
        partner.write({"phone": "+45 99 99 99 99", "street": "Harbour 9"})
        self.booked(phone="+45 33 33 33 33", location={"address": TOWN})
        self.assertEqual((partner.phone, partner.street), ("+45 99 99 99 99", "Harbour 9"))
        proposals = self.proposals(partner)
        self.assertEqual(set(proposals.mapped("field")), {"phone", "address"})
        address = proposals.filtered(lambda one: one.field == "address")
        self.assertIn("High Street 5, LS1 Leeds", address.proposed)
        address.with_user(self.clerk).action_accept()
        self.assertEqual(
            (partner.street, partner.zip, partner.country_id.code), ("High Street 5", "LS1", "GB")
        )
        self.assertEqual(partner.message_ids[:1].author_id, self.clerk.partner_id)
        self.booked(phone="+45 44 44 44 44", location={"address": TOWN})
        self.assertEqual(
            self.proposals(partner, state="open").proposed, "+45 44 44 44 44", "what was said last"
        )

    def test_what_bookings_no_longer_says_stays(self):
        partner = self.booked().partner_id
        self.booked(phone=None, location=None)
        self.assertEqual((partner.phone, partner.street), ("+45 11 11 11 11", "Quay 1"))

    def test_same_number_otherwise_written(self):
        partner = self.booked().partner_id
        partner.phone = "+45 11111111"
        self.booked(phone="+45 33 33 33 33")
        self.assertEqual(partner.phone, "+45 33 33 33 33")

    def test_address_of_a_company_is_not_changed(self):
        partner = self.booked().partner_id
        partner.parent_id = self.env["res.partner"].create(
            {
                "name": "Firm",
                "is_company": True,
                "street": "Quay 1",
                "city": "Aarhus",
                "zip": "8000",
            }
        )
        self.booked(location={"address": TOWN})
        self.assertEqual((partner.street, partner.parent_id.street), ("Quay 1", "Quay 1"))
        self.assertEqual(self.proposals(partner).field, "address")

    def test_forgotten_with_the_person(self):
        booking = self.booked()
        partner = booking.partner_id
        partner.phone = "+45 99 99 99 99"
        self.booked(phone="+45 33 33 33 33")
        self.assertTrue(self.proposals(partner))
        booking.action_mark_not_billable("other")
        booking.customer_id.action_forget()
        self.assertFalse(self.proposals(partner))
