"""Drafts of bookings are what a plain ``account.move.create`` makes: see :mod:`.equality_case` for what is compared."""

from datetime import timedelta
from unittest.mock import patch

from odoo.tests import new_test_user, tagged

from .equality_case import NOT_TYPED, EqualityCase


@tagged("post_install", "-at_install")
class TestEquality(EqualityCase):
    def test_another_draft_of_a_run_needs_no_more_queries(self):
        """What the drafts of a run hold is read for all of them at once, not for each."""
        model, queries = type(self.some), []
        prepare = model._prepare_invoice

        def counted(bookings, group):
            before = self.env.cr.sql_log_count
            values = prepare(bookings, group)
            queries.append(self.env.cr.sql_log_count - before)
            return values

        self._values()  # languages and the like, which the server keeps, are known
        self.env.flush_all()
        self.env.invalidate_all()
        # Odoo reads each tax by itself, however many lines it is on.
        shares = self.some.product_id.taxes_id.invoice_repartition_line_ids
        self.assertTrue(shares.mapped("factor") and not shares.tag_ids)
        with patch.object(model, "_prepare_invoice", counted):
            self._ours()
        self.assertGreater(len(queries), 5)
        self.assertEqual(sum(queries[1:]), 0, queries)

    def test_the_comparison_sees_a_difference(self):
        """Thousands of values are compared, and one that differs is found."""
        ours = self._made(self._ours)
        self.assertGreater(sum(len(record) for made in ours.values() for record in made), 2000)
        self.assertTrue(ours["drafted", "mail.message"] and ours["drafted", "mail.followers"])
        self.assertTrue(ours["confirmed", "mail.tracking.value"])
        self.some[0].price_unit += 1
        with self.assertRaises(AssertionError):
            self._assert_equal(ours, self._made(self._ours))

    def test_typed_by_hand(self):
        """What a person gets who types the same: nothing of an invoice is other than usual."""
        self._assert_equal(self._made(self._ours), self._made(self._typed), NOT_TYPED)

    def test_net_prices(self):
        self._compare()

    def test_gross_prices_on_taxes_that_exclude_them(self):
        self.setup.price_tax = "included"
        self.company_data["default_tax_sale"].amount = 19.0
        self._compare()

    def test_rounded_globally_in_a_language_of_the_payer(self):
        self.setup.price_tax = "included"
        self.company_data["default_tax_sale"].amount = 7.7
        self.company.tax_calculation_rounding_method = "round_globally"
        self.env["res.lang"]._activate_lang("fr_FR")
        self.some.payer_id.lang = "fr_FR"
        self._compare()

    def test_tags_of_taxes_and_products_for_the_tax_report(self):
        tags = self.env["account.account.tag"].create(
            [{"name": f"+{n}", "applicability": "taxes"} for n in range(3)]
        )
        base, tax = self.company_data["default_tax_sale"].invoice_repartition_line_ids
        base.tag_ids, tax.tag_ids = tags[0], tags[1]
        self.some[0].product_id.account_tag_ids = tags[2]
        self._compare()
        lines = type(self.env["account.move.line"])
        with patch.object(lines, "write", autospec=True, side_effect=lines.write) as write:
            self._ours()
        written = [call.args[1] for call in write.call_args_list]
        self.assertFalse([values for values in written if "tax_tag_ids" in values], "given ahead")

    def test_hours(self):
        for number, booking in enumerate(self.some):
            booking.sudo().write({"price_type": "hourly", "price": 37.77})
            booking.sudo().write({"stop": booking.start + timedelta(minutes=1 + 13 * number)})
        self._compare()

    def test_foreign_currency_and_its_rate(self):
        currency = self.setup_other_currency("HRK", rounding=0.001)
        self.setup.currency_id = currency
        self.assertEqual(self.some.currency_id, currency)
        self._compare()

    def test_terms_rounding_position_salesperson_reference_and_date(self):
        payers = self.some.payer_id
        payers[0].property_payment_term_id = self.pay_terms_b
        payers[1].write(
            {"user_id": self.env.user.id, "property_account_position_id": self.fiscal_pos_a.id}
        )
        self.some[0].reference = "PO 4711"
        self.setup.write(
            {
                "invoice_date_policy": "last_service",
                "invoice_cash_rounding_id": self.env["account.cash.rounding"]
                .create(
                    {
                        "name": "0.05",
                        "rounding": 0.05,
                        "strategy": "add_invoice_line",
                        "profit_account_id": self.company_data["default_account_revenue"].id,
                        "loss_account_id": self.company_data["default_account_expense"].id,
                    }
                )
                .id,
            }
        )
        self._compare()

    def test_early_discount_and_discount_account(self):
        income, expense = (
            self.company_data[f"default_account_{kind}"] for kind in ("revenue", "expense")
        )
        self.company.account_discount_expense_allocation_id = expense
        self.company.account_journal_early_pay_discount_loss_account_id = expense
        self.company.account_journal_early_pay_discount_gain_account_id = income
        self.some.payer_id.property_payment_term_id = self.env["account.payment.term"].create(
            {
                "name": "2 % in a week",
                "early_discount": True,
                "early_pay_discount_computation": "mixed",
                "discount_days": 7,
                "discount_percentage": 2,
            }
        )
        self._compare()

    def test_position_with_a_foreign_vat(self):
        country = self.env.ref("base.de")
        position = self.env["account.fiscal.position"].create(
            {"name": "DE", "country_id": country.id, "foreign_vat": "DE123456788"}
        )
        self.env["account.tax.group"].create({"name": "DE", "country_id": country.id})
        tax = self.env["account.tax"].create(
            {"name": "19 % DE", "amount": 19, "country_id": country.id}
        )
        tax.write(
            {
                "fiscal_position_ids": position.ids,
                "original_tax_ids": self.company_data["default_tax_sale"].ids,
            }
        )
        self.some[:6].payer_id.property_account_position_id = position
        self._compare()

    def _while_created(self, act):
        """Patch Odoo so that an addon does something with every second draft while it is created."""
        lines, seen = type(self.env["account.move.line"]), set()
        create = lines.create

        def acting(records, vals_list):
            made = create(records, vals_list)
            for move in made.move_id[::2]:
                if move.id not in seen:
                    seen.add(move.id)
                    act(move)
            return made

        return patch.object(lines, "create", acting)

    def test_who_follows_new_invoices_is_notified(self):
        """A follower of "Invoice Created" gets a message in the inbox, another one by email."""
        people = [
            new_test_user(
                self.env(context={}),
                f"follower {kind}",
                "base.group_user",
                notification_type=kind,
                company_id=self.company.id,
                company_ids=self.company.ids,
            )
            for kind in ("inbox", "email")
        ]
        partners = [user.partner_id.id for user in people]
        created = self.env.ref("account.mt_invoice_created").ids
        with self._while_created(lambda move: move.message_subscribe(partners, created)):
            self._compare()
            made = self._made(self._ours)
        kinds = {row["notification_type"] for row in made["drafted", "mail.notification"]}
        self.assertEqual(kinds, {"inbox", "email"})

    def test_message_before_the_first_one(self):
        """An addon may post on the drafts while they are created: their first messages answer that."""
        with self._while_created(lambda move: move.message_post(body="From an addon")):
            self._compare()
            parents = [
                row["parent_id"] for row in self._made(self._ours)["drafted", "mail.message"]
            ]
        self.assertTrue(any(parents) and not all(parents))

    def _while_posted(self, act):
        """Patch Odoo so that an addon does something after each message, before Odoo looks up whom to notify of it."""
        moves = type(self.env["account.move"])
        hook = moves._message_post_after_hook

        def acting(move, message, values):
            result = hook(move, message, values)
            act(move, message)
            return result

        return patch.object(moves, "_message_post_after_hook", acting)

    def _colleague(self):
        return new_test_user(
            self.env(context={}),
            "colleague",
            "base.group_user",
            notification_type="inbox",
            company_id=self.company.id,
            company_ids=self.company.ids,
        ).partner_id

    def test_addon_that_adds_followers_when_a_draft_gets_its_message(self):
        colleague, created = self._colleague(), self.env.ref("account.mt_invoice_created")
        others = self.env.ref("mail.mt_note")

        def subscribe(move, message):
            if message.subtype_id == created:
                move.message_subscribe(colleague.ids, others.ids)
                follower = move.message_follower_ids.filtered(lambda f: f.partner_id == colleague)
                follower.subtype_ids = created

        with self._while_posted(subscribe):
            self._compare()
            made = self._made(self._ours)
        self.assertEqual(
            len(made["drafted", "mail.notification"]), len(made["drafted", "account.move"])
        )

    def test_addon_that_removes_followers_when_a_draft_gets_its_message(self):
        colleague, created = self._colleague(), self.env.ref("account.mt_invoice_created").ids
        with (
            self._while_created(lambda move: move.message_subscribe(colleague.ids, created)),
            self._while_posted(lambda move, _message: move.message_unsubscribe(colleague.ids)),
        ):
            self._compare()
            self.assertFalse(self._made(self._ours)["drafted", "mail.notification"])

    def test_addon_that_logs_on_all_drafts_when_one_gets_its_message(self):
        posted = []

        def log(move, _message):
            if not posted:
                posted.append(move.id)
                for one in move.browse(move._prefetch_ids):
                    one._message_log(body="From an addon")

        with self._while_posted(log):
            ours = self._made(self._ours)
            posted.clear()
            self._assert_equal(ours, self._made(self._plain))
        parents = [row["parent_id"] for row in ours["drafted", "mail.message"]]
        self.assertEqual(sum(map(bool, parents)), len(ours["drafted", "account.move"]) - 1)

    def test_addon_that_assigns_the_drafts(self):
        """Who is assigned is told so of each draft."""
        colleague = self._colleague()
        moves = type(self.env["account.move"])

        def followers(_move, values, subtypes):
            template = "mail.message_user_assigned"
            return [(colleague.id, subtypes, template)] if "partner_id" in values else []

        with patch.object(moves, "_message_auto_subscribe_followers", followers):
            self._compare()
            made = self._made(self._ours)
        self.assertEqual(
            len(made["drafted", "mail.notification"]), len(made["drafted", "account.move"])
        )

    def test_addon_that_creates_other_documents_beside_the_drafts(self):
        """The first message of an entry is not that of an invoice."""
        moves, entry = type(self.env["account.move"]), {"move_type": "entry"}
        create, beside = moves.create, []

        def creating(records, vals_list):
            made = create(records, [*vals_list, entry])
            beside.append(made[-1])
            return made[:-1]

        def subtypes(way):
            with patch.object(moves, "create", creating), self.env.cr.savepoint() as trial:
                way()
                found = beside.pop().message_ids.mapped("subtype_id.id")
                trial.rollback()
            self.env.invalidate_all()
            return found

        self.assertEqual(subtypes(self._ours), subtypes(self._plain))

    def test_another_draft_needs_at_most_two_queries(self):
        """Of each draft only its first message is written by itself, and its recipients are looked up."""
        self.some.product_id.taxes_id = False
        payers = self.some.payer_id
        one_each = self.some.browse(
            self.some.filtered(lambda b, p=payer: b.payer_id == p)[0].id for payer in payers
        )
        self.assertGreater(len(one_each), 5)
        self._queries_of_a_run(one_each)  # what the server keeps is known
        more = self._queries_of_a_run(one_each) - self._queries_of_a_run(one_each[:3])
        self.assertLessEqual(more, 2 * (len(one_each) - 3))

    def _analytic_rules(self):
        """Distribution models of a plan of their own: for one product and payer, for one product, for an account."""
        plan = self.env["account.analytic.plan"].create({"name": "Rules"})
        accounts = self.env["account.analytic.account"].create(
            [{"name": f"Rule {number}", "plan_id": plan.id} for number in range(3)]
        )
        first, income = self.some[0], self.company_data["default_account_revenue"]
        for_whom = (
            {"account_prefix": income.code[:2]},
            {"product_id": self.some.product_id[-1].id},
            {"product_id": first.product_id.id, "partner_id": first.payer_id.id},  # first of all
        )
        return self.env["account.analytic.distribution.model"].create(
            [
                {**values, "analytic_distribution": {str(account.id): 100}}
                for values, account in zip(for_whom, accounts, strict=True)
            ]
        )

    def test_analytic_rules_of_odoo(self):
        self._analytic_rules()
        self._compare()
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.some.ids)])
        found = run.move_ids.invoice_line_ids.mapped("analytic_distribution")
        self.assertGreater(len({str(one) for one in found}), 1, "rules differ by line")

    def test_analytic_rules_that_the_user_may_not_see(self):
        """Odoo applies them on its own lines, whoever creates the invoice."""
        models = self._analytic_rules()
        rules = {key for one in models for key in one.analytic_distribution}
        self.env["ir.rule"].create(
            {
                "name": "Nobody",
                "model_id": self.env["ir.model"]._get_id(models._name),
                "domain_force": "[(0, '=', 1)]",
            }
        )
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        account = self.env["account.analytic.account"].create({"name": "Rooms", "plan_id": plan.id})
        self.some[0].service_id.analytic_distribution = {str(account.id): 100}
        clerk = new_test_user(
            self.env(context={}),
            "clerk",
            "bookings_invoicing.group_user,account.group_account_invoice",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        run = self.some.with_user(clerk)._invoice_all([("id", "in", self.some.ids)])
        self.assertFalse(run.left_out_ids, run.result)
        found = run.move_ids.invoice_line_ids
        for line in found.sudo():
            self.assertTrue(rules & set(line.analytic_distribution or ()), line.name)

    def test_another_line_of_a_run_needs_no_query(self):
        """What Odoo looks up for a line of an equal product and payer is looked up once a run."""
        self.some.payer_id = self.some[0].payer_id
        self._analytic_rules()

        one_product = self.some.filtered(lambda b: b.product_id == self.some[0].product_id)
        self.assertGreater(len(one_product), 2)
        self._queries_of_a_run(one_product)  # what the server keeps is known
        self.assertEqual(
            self._queries_of_a_run(one_product), self._queries_of_a_run(one_product[:2])
        )

    def _queries_of_a_run(self, bookings):
        self.env.flush_all()
        self.env.invalidate_all()
        with self.env.cr.savepoint() as trial:
            before = self.env.cr.sql_log_count
            self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)])
            self.env.flush_all()
            count = self.env.cr.sql_log_count - before
            trial.rollback()
        return count

    def test_analytic_and_no_tax_on_purpose(self):
        self._analytic_rules()
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        account = self.env["account.analytic.account"].create({"name": "Rooms", "plan_id": plan.id})
        self.setup.analytic_distribution = {str(account.id): 100}
        self.some[0].service_id.no_tax = True
        self._compare()
