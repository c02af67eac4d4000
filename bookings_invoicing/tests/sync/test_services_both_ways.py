import copy
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ... import graph
from ..both_ways_common import ServicesCase, confirm

TEXT = "Bring a towel."


@tagged("post_install", "-at_install")
class TestServicesBothWays(ServicesCase):
    """Services that are the same in Odoo and in Bookings."""

    # -- changed ---------------------------------------------------------------------------------

    def test_changed_here(self):
        """Only what differs is written, and everything else of the service stays."""
        row, product = self.service()
        before = self.there(row)
        product.write({"list_price": 52.5, "description_sale": TEXT})
        waiting = self.outbox.search([])
        self.assertEqual(set(waiting.mapped("about")), {row.display_name})
        self.assertFalse(self.writes(), "nothing is sent in the transaction of the change")
        self.send()
        there = self.there(row)
        self.assertEqual(float(there.pop("price")), 52.5)
        self.assertEqual(there.pop("description"), TEXT)
        self.assertEqual(there.items() - before.items(), set())
        self.assertEqual((row.price, row.description, row.price_type), (52.5, TEXT, "fixedPrice"))
        self.assertEqual(set(waiting.mapped("state")), {"sent"})
        self.assertIn("52.5", waiting[:1].value_to)
        self.assertEqual(len(self.patches()), 1)
        self.quiet()

    def test_changed_there(self):
        """Name, price, and description follow here, and the duration on the row of the service."""
        row, product = self.service()
        values = {"displayName": "Second visit", "defaultPrice": 44.5, "description": TEXT}
        self.edit(row, **values, defaultDuration="PT45M")
        self.both()
        self.assertEqual(
            (product.name, product.list_price, product.description_sale),
            ("Second visit", 44.5, TEXT),
        )
        self.assertEqual(row.duration, 0.75)
        self.assertIn("Second visit", product.product_tmpl_id.message_ids[:1].body)
        self.assertFalse(self.writes())
        self.quiet()

    def test_changed_on_both_sides(self):
        """What only one side changed goes across; the rest is settled as the setup says."""
        row, product = self.service()
        for number, side in enumerate(("odoo", "bookings"), start=1):
            self.setup.when_both_changed = side
            product.write({"list_price": 10.0 + number, "description_sale": f"Text {number}"})
            self.edit(row, defaultPrice=20.0 + number, displayName=f"Visit {number}")
            self.both()
            wanted = (10.0 if side == "odoo" else 20.0) + number
            self.assertEqual((product.list_price, float(self.there(row)["price"])), (wanted,) * 2)
            self.assertEqual(product.name, f"Visit {number}")
            self.assertEqual(self.there(row)["description"], f"Text {number}")
            self.quiet()

    def test_ask(self):
        """Both sides stay until a user decides; each of the two decisions is carried out."""
        self.setup.when_both_changed = "ask"
        row, product = self.service()
        user = new_test_user(self.env, "clerk", "account.group_account_invoice")
        user.write({"company_ids": self.company.ids, "company_id": self.company.id})
        for number, action in enumerate(("action_accept", "action_dismiss"), start=1):
            here, there = 10.0 + number, 20.0 + number
            product.list_price = here
            self.edit(row, defaultPrice=there)
            for _turn in range(2):
                self.both()
            proposal = self.env["bookings.proposal"].search(
                [("service_id", "=", row.id), ("state", "=", "open")]
            )
            self.assertEqual(proposal.field, "price")
            self.assertIn(f"{there:.2f}", proposal.proposed)
            self.assertEqual((product.list_price, float(self.there(row)["price"])), (here, there))
            getattr(proposal.with_user(user), action)()
            self.send()
            wanted = there if action == "action_accept" else here
            self.assertEqual((product.list_price, float(self.there(row)["price"])), (wanted,) * 2)
            self.quiet()

    # -- prices ------------------------------------------------------------------------------------

    def test_a_price_with_and_without_tax(self):
        """What Bookings shows is the price on the basis of the setup, to the cent, both ways."""
        row, product = self.service()
        net = self.env["account.tax"].create(
            {"name": "25 %", "amount": 25.0, "company_id": self.company.id, "price_include_override": "tax_excluded"}
        )  # fmt: skip
        self.setup.price_tax = "included"
        confirm(self.setup)
        product.taxes_id = [Command.set(net.ids)]
        product.list_price = 40.0
        self.both()
        self.assertEqual(float(self.there(row)["price"]), 50.0)
        self.edit(row, defaultPrice=41.8)
        self.both()
        self.assertAlmostEqual(product.list_price, 33.44, 6)
        self.quiet()

    def test_a_price_without_an_equal_in_bookings_stays(self):
        """No net price to the cent results in this gross price; nothing near it is sent."""
        row, product = self.service()
        gross = self.env["account.tax"].create(
            {"name": "25 % in", "amount": 25.0, "company_id": self.company.id, "price_include_override": "tax_included"}
        )  # fmt: skip
        self.setup.price_tax = "excluded"
        confirm(self.setup)
        product.write({"taxes_id": [Command.set(gross.ids)], "list_price": 50.0})
        self.both()
        self.assertEqual(float(self.there(row)["price"]), 40.0)
        product.write({"list_price": 10.02, "description_sale": TEXT})
        self.both()
        self.assertEqual(float(self.there(row)["price"]), 40.0)
        self.assertEqual(self.there(row)["description"], TEXT)
        self.quiet()

    def test_prices_with_a_rule_of_odoo_stay(self):
        """A rule that only Odoo has, a price that is no fixed one, or another currency: neither side changes."""
        row, product = self.service()
        hourly, other = self.service("Sports massage")
        for rule in ("pricelist", "fixed", "hourly", "free", "ask"):
            row.billing_rule = rule
            product.list_price += 1.0
            self.send()
        before = other.list_price
        other.list_price += 5.0
        self.edit(hourly, defaultPrice=80.0)
        self.both()
        self.assertFalse(self.writes())
        self.assertEqual(other.list_price, before + 5.0)
        row.billing_rule = "bookings"
        self.send()
        self.assertEqual(float(self.there(row)["price"]), product.list_price)

    def test_another_currency_stays(self):
        row, product = self.service()
        price = self.there(row)["price"]
        currency = self.env["res.currency"].with_context(active_test=False).search(
            [("id", "!=", self.setup.currency_id.id)], limit=1
        )  # fmt: skip
        currency.active = True
        self.setup.currency_id = currency
        product.write({"list_price": 99.0, "description_sale": TEXT})
        self.send()
        self.assertEqual((self.there(row)["price"], self.there(row)["description"]), (price, TEXT))

    # -- created -----------------------------------------------------------------------------------

    def test_ticked_or_in_the_filter(self):
        """Created once, linked, and followed from then on; others are not."""
        ticked = self.offer(
            name="Taping", categ_id=False, bookings_offer=True, description_sale=TEXT
        )
        filtered = self.offer()
        self.offer(name="Not Offered", categ_id=False)
        self.offer(name="Goods", type="consu")
        self.offer(name="Gone", active=False)
        self.offer(name="Not for Sale", sale_ok=False)
        self.both()
        made = self.env["bookings.service"].search([("product_id", "in", (ticked + filtered).ids)])
        self.assertEqual(len(self.writes("POST")), 2)
        self.assertEqual(set(made.mapped("name")), {"Taping", "Cupping"})
        there = self.there(made.filtered(lambda one: one.product_id == ticked))
        self.assertEqual((float(there["price"]), there["description"]), (30.0, TEXT))
        self.assertEqual(set(made.mapped("price_type")), {"fixedPrice"})
        self.rows |= made
        self.quiet()
        filtered.list_price = 35.0
        self.send()
        (cupping,) = self.named("Cupping")
        self.assertEqual(cupping["defaultPrice"], 35.0)

    def test_variants_and_several_services_of_one_product(self):
        """Names and prices of several services never meet in one product."""
        row, product = self.service()
        other, _own = self.service("Ergonomics class")
        other.product_id = product
        product.name = "Anything"
        self.edit(row, displayName="Visit there")
        color = self.env["product.attribute"].create(
            {"name": "Color", "value_ids": [Command.create({"name": one}) for one in "ab"]}
        )
        line = {"attribute_id": color.id, "value_ids": [Command.set(color.value_ids.ids)]}
        self.env["product.template"].create(
            {
                "name": "Tape",
                "type": "service",
                "categ_id": self.category.id,
                "attribute_line_ids": [Command.create(line)],
            }
        )
        self.both()
        self.assertEqual(product.name, "Anything")
        self.assertFalse(self.writes())
        wizard = self.env["bookings.both.ways"].create({"setup_id": self.setup.id})
        wizard._read()
        left = wizard.line_ids.filtered(lambda line: line.outcome == "left")
        self.assertEqual(set(left.mapped("name")), {"Visit there", "Ergonomics class"})

    def test_services_of_others_and_outside_the_filter(self):
        """A service that another company bills, and one outside the service filter, change on no side."""
        row, product = self.service()
        other_row, other = self.service("Ergonomics class")
        row.taken = False
        self.setup.service_filter = f"[('name', '!=', {other_row.name!r})]"
        names = product.name, other.name
        (product + other).write({"list_price": 11.0})
        self.edit(row, displayName="Visit there")
        self.edit(other_row, description=TEXT)
        self.both()
        self.assertFalse(self.writes() or self.outbox.search([]))
        self.assertEqual((product.name, other.name), names)
        self.assertNotEqual(other.description_sale, TEXT)

    def test_one_product_of_two_businesses(self):
        """What changes in one business goes on to the other one."""
        row, product = self.service()
        second = self.setup.copy({"business_id": "second@harbourclinic.example"})
        second.sudo().services_confirmed = self.setup.services_confirmed
        twin = row.sudo().copy({"setup_id": second.id, "remote_id": "twin"})
        self.edit(row, displayName="Visit there")
        self.both()
        self.assertEqual(product.name, "Visit there")
        self.assertEqual(self.outbox.search([]).service_id, twin)

    def test_two_products_with_one_name(self):
        """The second one is told why, and waits for its own name."""
        self.offer()
        second = self.offer()
        for _turn in range(3):
            self.both()
        self.assertEqual(len(self.named("Cupping")), 1)
        told = self.outbox.search([("product_id", "=", second.id)])
        self.assertEqual(told.mapped("state"), ["dropped"])
        self.assertIn("another product", told.error)
        second.name = "Cupping, long"
        self.both()
        self.assertEqual(len(self.named("Cupping, long")), 1)

    def test_killed_anywhere_nothing_is_created_twice_or_lost(self):
        row, product = self.service()
        product.list_price = 12.0
        new = self.offer()
        self.env["bookings.outbox"]._note_all_offered(self.setup)
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
                self.assertEqual(sorted(one[0] for one in self.writes()), ["PATCH", "POST"], place)
                made = self.env["bookings.service"].search([("product_id", "=", new.id)])
                self.assertEqual(len(made), 1)
                self.assertEqual(float(self.there(made)["price"]), 30.0)
                self.assertEqual(float(self.there(row)["price"]), 12.0)
                self.assertEqual(set(self.outbox.search([]).mapped("state")), {"sent"})
                test.rollback()
                self.env.invalidate_all()
            if finished:
                break
        self.assertGreater(ended, 10)

    # -- switched ----------------------------------------------------------------------------------

    def test_nothing_happens_before_it_is_confirmed(self):
        """A preview of services only; another filter or tax basis is confirmed again."""
        setup = self.setup
        for mode in ("import", "both"):
            setup.service_sync = mode
            self.assertFalse(setup.services_confirmed)
        self.assertTrue(setup.services_wait)
        row, product = self.service()
        product.list_price = 12.0
        other_row, other = self.service("Ergonomics class")
        self.edit(other_row, description=TEXT)
        self.offer(list_price=30.0)
        self.both()
        self.assertFalse(self.outbox.search([]))
        wizard = confirm(setup)
        self.assertEqual(set(wizard.line_ids.mapped("kind")), {"service"})
        found = {one.outcome: (one.name, one.detail) for one in wizard.line_ids}
        self.assertEqual(found["create_there"][0], "Cupping")
        self.assertIn("12.00", found["change_there"][1])
        self.assertIn(TEXT, found["change_here"][1])
        self.assertEqual(
            [wizard[one] for one in ("create_there", "change_there", "change_here")], [1] * 3
        )
        self.both()
        self.assertEqual(other.description_sale, TEXT)
        self.assertEqual(float(self.there(row)["price"]), 12.0)
        self.assertEqual(len(self.named("Cupping")), 1)
        setup.product_filter = "[('name', '!=', False)]"
        self.assertFalse(setup.services_confirmed)
        confirm(setup)
        setup.price_tax = "included" if setup.price_tax == "excluded" else "excluded"
        self.assertFalse(setup.services_confirmed)

    def test_who_may_and_what_a_filter_may_say(self):
        self.setup.service_sync = "import"
        self.live.sudo().may_write = False
        with self.assertRaises(ValidationError):
            self.setup.service_sync = "both"
        for text in ("[('create_uid.login', '=', 'admin')]", "[('seller_ids', '=', 1)]"):
            with self.assertRaises(ValidationError):
                self.setup.product_filter = text
        wizard = self.env["bookings.both.ways"].create({"setup_id": self.setup.id})
        wizard._read()
        with self.assertRaises(UserError):
            wizard.action_confirm()

    def test_the_permission_is_missing_at_microsoft(self):
        """Test Connection says so and stays connected; the row says which permission to grant."""
        self.app.login.permissions = graph.permissions(True)
        self.addCleanup(
            setattr, self.app.login, "permissions", graph.permissions(True, services=True)
        )
        self.assertEqual(self.live.action_test()["params"]["type"], "warning")
        results = {one.step: one.result for one in self.live.check_ids}
        self.assertEqual((results["writing"], results["service_writing"]), ("ok", "failed"))
        self.assertEqual(self.live.state, "connected")
        _row, product = self.service()
        product.list_price = 12.0
        self.send()
        first = self.outbox.search([])
        self.assertIn("Bookings.ReadWrite.All", first.error)
        self.setup.write_invoice = True
        self.service("Ergonomics class")[1].list_price = 12.0
        first.sudo().next_try = False
        notes = self.outbox.sudo().create({"setup_id": self.setup.id, "appointment_id": "none"})
        self.send()
        self.assertEqual(notes.state, "dropped", "invoices and customers go on")
        services = self.outbox.search([("kind", "=", "service")])
        self.assertEqual(sorted(services.mapped("refusals")), [0, 2])

    def test_a_change_of_a_product_costs_one_query_where_nothing_goes_both_ways(self):
        product = self.offer()
        self.setup.service_sync = "import"
        self.env.flush_all()
        with patch.object(type(self.outbox), "_note_products"):
            before = self.cr.sql_log_count
            product.list_price = 1.0
            self.env.flush_all()
            plain = self.cr.sql_log_count - before
        before = self.cr.sql_log_count
        product.list_price = 2.0
        self.env.flush_all()
        self.assertLessEqual(self.cr.sql_log_count - before, plain + 1)
