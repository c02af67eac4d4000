import copy

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged

from ..both_ways_common import BothWaysCase
from ..common import NOW


@tagged("post_install", "-at_install")
class TestCustomersBothWays(BothWaysCase):
    """Customers that are the same in Odoo and in Bookings."""

    # -- changed ---------------------------------------------------------------------------------

    def test_changed_here(self):
        """Only what differs is written, and everything else of the customer stays."""
        row, partner = self.customer()
        before = self.there(row)
        partner.phone = "+45 11 22 33 44"
        waiting = self.outbox.search([])
        self.assertEqual((waiting.state, waiting.about), ("waiting", row.display_name))
        self.assertFalse(self.writes(), "nothing is sent in the transaction of the change")
        self.send()
        self.assertEqual(self.there(row), before | {"phone": "+45 11 22 33 44"})
        self.assertEqual((row.phone, row.same["phone"]), ("+45 11 22 33 44", "+45 11 22 33 44"))
        self.assertEqual((waiting.state, waiting.value_to), ("sent", "+45 11 22 33 44"))
        self.assertEqual(waiting.value_from, before["phone"])
        self.assertEqual(len(self.patches()), 1)
        self.quiet()

    def test_an_address_goes_there_in_words(self):
        row, partner = self.customer()
        germany = self.env.ref("base.de")
        partner.write({"street": "Am Kai 3", "street2": "Hof", "zip": "20457", "city": "Hamburg"})
        partner.write({"state_id": False, "country_id": germany.id})
        self.send()
        address = self.there(row)["address"]
        self.assertEqual(address["street"], "Am Kai 3, Hof")
        self.assertEqual((address["postal_code"], address["country"]), ("20457", "Germany"))
        self.quiet()
        self.assertEqual((partner.street, partner.street2), ("Am Kai 3", "Hof"))

    def test_changed_there(self):
        row, partner = self.customer()
        self.edit(
            row,
            displayName="Ada Changed",
            emailAddress="ada@example.com",
            phones=[{"number": "+45 55", "type": "mobile"}],
            addresses=[{"street": "Kaj 1", "postalCode": "5000", "city": "Odense", "countryOrRegion": "Danmark"}],
        )  # fmt: skip
        self.both()
        self.assertEqual(
            (partner.name, partner.email, partner.phone),
            ("Ada Changed", "ada@example.com", "+45 55"),
        )
        self.assertEqual((partner.street, partner.country_id.code), ("Kaj 1", "DK"))
        self.assertFalse(self.writes())
        self.quiet()

    def test_removed_there(self):
        """An empty value follows like any other, but a name never does."""
        row, partner = self.customer()
        name = partner.name
        self.edit(row, phones=[], addresses=[])
        self.both()
        self.assertFalse(partner.phone or partner.street)
        partner.write({"email": False})
        self.send()
        self.assertEqual(self.there(row)["email"], "")
        self.assertEqual((partner.name, self.there(row)["name"]), (name, name))

    def test_changed_on_both_sides_in_different_fields(self):
        row, partner = self.customer()
        partner.phone = "+45 99"
        self.edit(row, displayName="Ada There")
        self.both()
        self.assertEqual((partner.name, partner.phone), ("Ada There", "+45 99"))
        self.assertEqual(
            (self.there(row)["name"], self.there(row)["phone"]), ("Ada There", "+45 99")
        )
        self.quiet()

    def test_changed_on_both_sides(self):
        """Settled as the setup says."""
        row, partner = self.customer()
        for number, (side, phone) in enumerate(
            (("odoo", "+45 1{}"), ("bookings", "+45 2{}")), start=1
        ):
            self.setup.when_both_changed = side
            partner.phone = f"+45 1{number}"
            self.edit(row, phones=[{"number": f"+45 2{number}", "type": "mobile"}])
            self.both()
            wanted = phone.format(number)
            self.assertEqual((partner.phone, self.there(row)["phone"]), (wanted, wanted))
            self.quiet()

    def test_ask(self):
        """Both sides stay until a user decides; each of the two decisions is carried out."""
        self.setup.when_both_changed = "ask"
        row, partner = self.customer()
        proposals = self.env["bookings.proposal"]
        for number, action in enumerate(("action_accept", "action_dismiss"), start=1):
            here, there = f"+45 1{number}", f"+45 2{number}"
            partner.phone = here
            self.edit(row, phones=[{"number": there, "type": "mobile"}])
            for _turn in range(2):
                self.both()
            proposal = proposals.search([("customer_id", "=", row.id), ("state", "=", "open")])
            self.assertEqual((proposal.current, proposal.proposed), (here, there))
            self.assertEqual((partner.phone, self.there(row)["phone"]), (here, there))
            getattr(proposal.with_user(self.clerk(number)), action)()
            self.send()
            wanted = there if action == "action_accept" else here
            self.assertEqual((partner.phone, self.there(row)["phone"]), (wanted, wanted))
            self.quiet()

    def test_who_left_is_not_decided(self):
        self.setup.when_both_changed = "ask"
        row, partner = self.customer()
        partner.phone = "+45 1"
        self.edit(row, phones=[{"number": "+45 2", "type": "mobile"}])
        self.both()
        proposal = self.env["bookings.proposal"].search([("customer_id", "=", row.id)])
        self.setup.customer_sync = "import"
        with self.assertRaises(UserError):
            proposal.action_accept()
        proposal.action_dismiss()
        self.assertEqual((proposal.state, partner.phone), ("dismissed", "+45 1"))

    def test_an_address_shared_with_a_company_is_asked(self):
        row, partner = self.customer()
        company = self.env["res.partner"].create(
            {"name": "Firm", "is_company": True, "street": "Main Street 1", "city": "Aarhus"}
        )
        partner.parent_id = company
        self.send()
        self.edit(row, addresses=[{"street": "Elsewhere 2", "city": "Vejle"}])
        self.both()
        self.assertEqual(company.street, "Main Street 1")
        proposal = self.env["bookings.proposal"].search([("customer_id", "=", row.id)])
        self.assertEqual(proposal.field, "address")
        company.street = "Main Street 9"
        self.assertTrue(
            self.outbox.search([("customer_id", "=", row.id), ("state", "=", "waiting")])
        )

    # -- created -----------------------------------------------------------------------------------

    def test_created_here(self):
        """In the filter: created once, linked, and followed from then on."""
        partner = self.person(phone="+45 7", city="Odense")
        self.env["res.partner"].create({"name": "Not Tagged", "email": "no@example.com"})
        self.assertEqual(self.outbox.search([]).partner_id, partner)
        self.both()
        row = self.env["bookings.customer"].search([("partner_id", "=", partner.id)])
        self.assertEqual(self.there(row)["name"], "Nora New")
        self.assertEqual(self.there(row)["address"]["city"], "Odense")
        self.assertEqual(len(self.writes("POST")), 1)
        sent = self.outbox.search([])
        self.assertEqual(sent.value_to, "Nora New; nora@example.com; +45 7; Odense")
        self.quiet()
        partner.phone = "+45 8"
        self.send()
        self.assertEqual(self.there(row)["phone"], "+45 8")

    def test_a_contact_that_is_tagged_later(self):
        """The synchronization finds it, whatever brought it into the filter."""
        partner = self.person(category_id=False)
        self.assertFalse(self.outbox.search([]))
        partner.category_id = self.tag
        self.both()
        self.assertTrue(self.env["bookings.customer"].search([("partner_id", "=", partner.id)]))

    def test_created_here_and_there_already(self):
        """Whoever has that email address in Bookings is linked, not created again."""
        self.tenant.apply(
            {
                "op": "new_customer",
                "values": {"displayName": "Nora N.", "emailAddress": "NORA@example.com"},
            }
        )
        partner = self.person(phone="+45 7")
        self.send()
        row = self.env["bookings.customer"].search([("partner_id", "=", partner.id)])
        self.assertEqual(self.there(row)["phone"], "+45 7")
        self.assertFalse(self.writes("POST"))
        self.both()
        self.assertEqual(self.there(row)["name"], partner.name)
        self.quiet()

    def test_created_there(self):
        self.tenant.apply(
            {
                "op": "new_customer",
                "values": {
                    "displayName": "Tom There",
                    "emailAddress": "tom@example.com",
                    "phones": [{"number": "+45 6", "type": "mobile"}],
                },
            }
        )
        self.both()
        partner = self.env["res.partner"].search([("email", "=", "tom@example.com")])
        self.assertEqual((partner.name, partner.phone), ("Tom There", "+45 6"))
        self.assertFalse(self.writes())
        self.quiet()

    def test_who_is_never_sent(self):
        """Companies, contacts of users, archived contacts, and people who were anonymized."""
        user = new_test_user(self.env, "colleague", "base.group_user")
        user.partner_id.category_id = self.tag
        self.person(name="Firm", email="firm@example.com", is_company=True)
        self.person(name="Gone", email="gone@example.com", active=False)
        self.person(name="No Address", email=False)
        forgotten = self.env["bookings.forgotten"].sudo()
        forgotten._remember(self.setup, {"nora@example.com"}, NOW)
        self.person()
        self.both()
        row, partner = self.customer()
        partner.is_company = True
        partner.phone = "+45 5"
        self.send()
        self.assertFalse(self.writes())
        self.assertFalse(self.outbox.search([]))
        login = self.customer(1)[1]
        new_test_user(self.env, "patient", "base.group_portal", partner_id=login.id)
        email = login.email
        self.edit(self.customer(1)[0], emailAddress="thief@example.com")
        self.both()
        self.assertEqual(login.email, email, "nobody signs in with what a stranger typed")

    def test_a_family_with_one_email_address(self):
        """Several customers with one contact: no name or phone of one reaches another."""
        family = next(rows for rows in self.rows.grouped("partner_id").values() if len(rows) > 1)
        before = [self.there(row) for row in family]
        partner = family.partner_id
        partner.write({"name": "Somebody Else", "phone": "+45 1"})
        self.person(email=partner.email)
        self.edit(family[0], displayName="Ada There")
        self.both()
        self.assertEqual(self.there(family[1]), before[1])
        self.assertEqual(partner.name, "Somebody Else")
        self.assertFalse(self.writes() or self.outbox.search([]))
        self.env["bookings.both.ways"].create({"setup_id": self.setup.id})._read()
        line = self.env["bookings.both.ways.line"].search([("name", "=", "Ada There")])
        self.assertEqual(line.outcome, "left")

    # -- faults ------------------------------------------------------------------------------------

    def test_killed_anywhere_nothing_is_created_twice_or_lost(self):
        _row, partner = self.customer()
        partner.phone = "+45 12"
        new = self.person()
        self.env.flush_all()
        ended, mailbox = 0, self.tenant.mailbox()
        kept = copy.deepcopy(self.facts(mailbox))
        for place in range(60):
            with self.cr.savepoint() as test:
                vars(mailbox).update(copy.deepcopy(kept))
                self.app.faults.journal.clear()
                finished = self.killed_at(place)
                ended += not finished
                self.both()
                self.assertEqual([one[0] for one in self.writes()], ["PATCH", "POST"], place)
                row = self.env["bookings.customer"].search([("partner_id", "=", new.id)])
                self.assertEqual(self.there(row)["name"], "Nora New")
                self.assertEqual(set(self.outbox.search([]).mapped("state")), {"sent"})
                test.rollback()
                self.env.invalidate_all()
            if finished:
                break
        self.assertGreater(ended, 10)

    def test_a_refusal_stops_one_customer(self):
        (row, partner), (other_row, other) = self.customer(0), self.customer(1)
        (partner | other).write({"phone": "+45 77"})
        with self.refusing(match=f"*/customers/{row.remote_id}"):
            self.send()
        states = {one.customer_id: one.refusals for one in self.outbox.search([])}
        self.assertEqual(states, {row: 1, other_row: 0})
        self.assertEqual(self.there(other_row)["phone"], "+45 77")

    def test_a_customer_removed_there(self):
        row, partner = self.customer()
        self.tenant.apply({"op": "delete_customer", "customer": row.remote_id})
        partner.phone = "+45 77"
        self.send()
        waiting = self.outbox.search([])
        self.assertEqual((waiting.state, self.writes()), ("dropped", []))
        self.assertIn("no longer exists", waiting.error)
