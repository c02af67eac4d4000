from odoo.exceptions import UserError
from odoo.tests import tagged

from .people_common import TOWN, PeopleCase


@tagged("post_install", "-at_install")
class TestPeopleChanges(PeopleCase):
    """What changes later: in Bookings, it reaches the contact or is asked about; by a click, it can be undone."""

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

    # -- by a click --------------------------------------------------------------------------------

    def undo(self, told):
        change = self.env["bookings.change"].browse(told["params"]["buttons"][-1]["id"])
        return change.with_user(self.clerk).action_undo()

    def test_created_customer_is_told_and_undone(self):
        """With a row of Bookings, and for an attendee who is only a name; the contact goes unless something uses it."""
        tag, other = self.env["res.partner.category"].create([{"name": "New"}, {"name": "Other"}])
        template = self.env["res.partner"].create({"name": "Template", "category_id": tag.ids})
        self.setup.write({"customer_sync": "off", "customer_template_id": template.id})
        for facts in ({}, {"customerId": None, "emailAddress": None, "name": "Nora Name"}):
            booking = (
                self.booked(**facts).filtered(lambda one: not one.customer_id) or self.booked()
            )
            create = booking.with_user(self.clerk).action_create_customer
            told, partner = create(), booking.partner_id
            self.assertEqual((told["tag"], booking.status), ("bookings_changed", "ready"))
            self.assertIn(f"Created: {partner.name}", told["params"]["message"])
            self.assertEqual(partner.category_id, tag)
            other.partner_ids = partner
            with (
                self.assertRaisesRegex(UserError, "was changed in the meantime"),
                self.cr.savepoint(),
            ):
                self.undo(told)
            other.partner_ids = False
            self.undo(told)
            self.assertFalse(partner.exists())
            self.assertEqual(
                (booking.partner_id.id, booking.attention_reason), (False, "no_customer")
            )
            self.assertEqual(booking.customer_id.match or "none", "none")
            told, partner = create(), booking.partner_id
            self.assertTrue(partner)
            booking.action_create_invoices()
            with self.assertRaisesRegex(UserError, "changed again"), self.cr.savepoint():
                self.undo(told)
            booking.move_ids.unlink()
            child = self.env["res.partner"].create({"name": "Child", "parent_id": partner.id})
            with (
                self.assertRaisesRegex(UserError, "already used elsewhere .Contact"),
                self.cr.savepoint(),
            ):
                self.undo(told)
            self.assertEqual(booking.partner_id, partner)
            child.unlink()
            self.undo(told)
            self.assertFalse(partner.exists())

    def test_linked_customer_and_new_product_are_told_and_undone(self):
        self.setup.customer_sync = "off"
        booking = self.booked()
        row, known = booking.customer_id, self.env["res.partner"].create({"name": "Known"})
        changes = self.env["bookings.change"].with_user(self.clerk)
        choose = known.with_user(self.clerk).with_context(bookings_customer_id=row.id)
        for link in (
            choose.action_bookings_choose,
            lambda: (
                row.with_user(self.clerk).web_save({"partner_id": known.id}, {})
                and changes.latest()
            ),
        ):
            told = link()
            self.assertIn("→ Known", told["params"]["message"])
            self.assertEqual((booking.partner_id, row.match), (known, "linked"))
            self.undo(told)
            self.assertEqual(
                (booking.partner_id.id, row.partner_id.id, row.match), (False, False, "none")
            )
            self.assertTrue(known.exists())
        row.with_user(self.clerk).web_save({"partner_id": known.id}, {})
        row.with_user(self.clerk).web_save({"partner_id": False}, {})
        self.assertEqual((row.match, booking.attention_reason), ("none", "no_customer"))
        service = self.template.service_id.with_user(self.clerk)
        service.product_id = False
        self.assertEqual(self.template.attention_reason, "no_product")
        told, product = service.action_create_product(), service.product_id
        self.assertEqual(self.template.status, "ready")
        self.undo(told)
        self.assertFalse(product.exists())
        self.assertEqual(self.template.attention_reason, "no_product")
        told = service.action_create_product()
        before, product = self.template.amount, service.product_id
        service.web_save({"billing_rule": "fixed", "rule_price": 7.0}, {})
        told = changes.latest()
        self.assertEqual(self.template.amount, 7.0)
        self.assertIn("7", told["params"]["message"])
        self.undo(told)
        self.assertEqual((self.template.amount, service.product_id), (before, product))
