"""Drafts of bookings are what a plain ``account.move.create`` of equal invoices makes.

The same invoices are made from bookings and by ``create(vals_list)`` in its default context, each time undone. Every
stored field of moves, lines, analytic lines, messages, tracking values and followers is compared, by introspection: what
is left out is named here, with the reason.
"""

from datetime import timedelta
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from .test_ledger import LedgerCase

LEFT_OUT = {
    "account.move": {
        "bookings_service_start": "only bookings give it",
        "bookings_service_stop": "only bookings give it",
    },
    "account.move.line": {
        "booking_id": "only bookings give it",
        "booking_live": "follows from the booking",
        "booking_released": "follows from the booking",
        "booking_tax_included": "follows from the booking",
        "booking_written": "what the line of a booking was when it was written",
    },
    "account.analytic.line": {},
    "mail.message": {"message_id": "drawn by lot for each message"},
    "mail.tracking.value": {},
    "mail.followers": {},
}
OF_EVERY_MAKING = {
    "id": "counted by the database; what is new is compared by its rank",
    "create_date": "the time of the making",
    "write_date": "the time of the making",
}
# Given by bookings beside the lines, though Odoo finds the same: see _prepare_lines.
GIVEN_AHEAD = ("balance", "amount_currency", "tax_tag_ids")
# What nobody types and Odoo does not fill in.
NOT_TYPED = {
    "delivery_date": "the last day of service",
}


@tagged("post_install", "-at_install")
class TestEquality(LedgerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Odoo's tests switch chatter and tracking off by context; here they are what is looked at.
        cls.env = cls.env(context={"allowed_company_ids": cls.company.ids})
        cls.setup.price_tax = "excluded"
        cls.some = cls.ready[:12].with_env(cls.env)
        cls.some[:4].payer_id = cls.some[0].payer_id
        cls.some[4:6].payer_id = cls.some[4].payer_id

    # -- the ways ----------------------------------------------------------------------------------

    def _ours(self):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.some.ids)])
        self.assertFalse(run.left_out_ids, run.result)
        return run.move_ids.sorted("id")

    def _plain(self):
        """The same invoices without what only bookings give."""
        return self.env["account.move"].create(self._values())

    def _values(self):
        own = {*LEFT_OUT["account.move"], *LEFT_OUT["account.move.line"], *GIVEN_AHEAD}

        def foreign(values):
            return {name: value for name, value in values.items() if name not in own}

        found = []
        for bookings, group in self.some._grouped({}):
            values = foreign(bookings._prepare_invoice(group))
            values["invoice_line_ids"] = [
                Command.create(foreign(line)) for _create, _id, line in values["invoice_line_ids"]
            ]
            found.append(values)
        return found

    def _typed(self):
        """No more than a person types: who, what, how much."""
        typed = ("product_id", "name", "quantity", "price_unit")
        return self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": values["partner_id"],
                    "invoice_line_ids": [
                        Command.create({name: line[name] for name in typed})
                        for _create, _id, line in values["invoice_line_ids"]
                    ],
                }
                for values in self._values()
            ]
        )

    # -- what they made ----------------------------------------------------------------------------

    def _made(self, way):
        """``{(stage, model): [{stored field: value} of each new record]}``, drafted and confirmed; nothing is kept."""
        self.env.flush_all()
        self.env.invalidate_all()
        with self.env.cr.savepoint() as trial:
            self._newest = {model: self._last_id(model) for model in LEFT_OUT}
            moves = way()
            made = self._snapshot("drafted", moves)
            moves.action_post()
            made |= self._snapshot("confirmed", moves)
            trial.rollback()
        self.env.invalidate_all()
        return made

    def _snapshot(self, stage, moves):
        self.env.flush_all()
        self.env.cr.flush()  # as at the end of a transaction: tracking values are written then
        self.env.invalidate_all()
        return {
            (stage, model): [self._stored_values(record) for record in self._new(model, moves)]
            for model in LEFT_OUT
        }

    def _last_id(self, model):
        """The last id given, also to what was undone since."""
        sequence = f"{self.env[model]._table}_id_seq"
        self.env.cr.execute(f"SELECT last_value - (NOT is_called)::int FROM {sequence}")
        return self.env.cr.fetchone()[0]

    def _new(self, model, moves):
        """New records of a model that belong to the moves, in the order of the database."""
        records = self.env[model].sudo()
        if model == "account.move":
            return moves.sudo()
        if model == "account.move.line":
            return moves.sudo().line_ids.sorted("id")
        if model == "account.analytic.line":
            return moves.sudo().line_ids.analytic_line_ids.sorted("id")
        domain = [("id", ">", self._newest[model])]
        if model == "mail.message":
            domain += [("model", "=", "account.move"), ("res_id", "in", moves.ids)]
        elif model == "mail.followers":
            domain += [("res_model", "=", "account.move"), ("res_id", "in", moves.ids)]
        else:
            domain += [("mail_message_id", "in", self._new("mail.message", moves).ids)]
        return records.search(domain, order="id")

    def _stored_values(self, record):
        left_out = {*LEFT_OUT[record._name], *OF_EVERY_MAKING}
        return {
            name: self._value(record, field)
            for name, field in record._fields.items()
            if field.store and name not in left_out
        }

    def _value(self, record, field):
        value = record[field.name]
        if field.type == "many2one_reference":
            return self._ranked(record[field.model_field], [value])
        if field.relational:
            return self._ranked(field.comodel_name, value.ids)
        return value

    def _ranked(self, model, ids):
        """Ids as they are, those of new records counted from the newest before."""
        newest = self._newest.get(model)
        if newest is None:
            return sorted(ids)
        return sorted(f"new {one - newest}" if one > newest else str(one) for one in ids)

    def _assert_equal(self, ours, plain, left_out=()):
        for key, records in ours.items():
            self.assertEqual(len(records), len(plain[key]), key)
            for number, (mine, theirs) in enumerate(zip(records, plain[key], strict=True)):
                differing = {
                    name: (mine[name], theirs[name])
                    for name in mine
                    if mine[name] != theirs[name] and name not in left_out
                }
                self.assertFalse(differing, f"{key} {number}")

    def _compare(self):
        self._assert_equal(self._made(self._ours), self._made(self._plain))

    # -- the cases ---------------------------------------------------------------------------------

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

    def test_another_line_of_a_run_needs_no_query(self):
        """What Odoo looks up for a line of an equal product and payer is looked up once a run."""
        self.some.payer_id = self.some[0].payer_id
        self._analytic_rules()

        def queries(bookings):
            self.env.flush_all()
            self.env.invalidate_all()
            with self.env.cr.savepoint() as trial:
                before = self.env.cr.sql_log_count
                self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)])
                self.env.flush_all()
                count = self.env.cr.sql_log_count - before
                trial.rollback()
            return count

        one_product = self.some.filtered(lambda b: b.product_id == self.some[0].product_id)
        self.assertGreater(len(one_product), 2)
        queries(one_product)  # what the server keeps is known
        self.assertEqual(queries(one_product), queries(one_product[:2]))

    def test_analytic_and_no_tax_on_purpose(self):
        self._analytic_rules()
        plan = self.env["account.analytic.plan"].create({"name": "Plan"})
        account = self.env["account.analytic.account"].create({"name": "Rooms", "plan_id": plan.id})
        self.setup.analytic_distribution = {str(account.id): 100}
        self.some[0].service_id.no_tax = True
        self._compare()
