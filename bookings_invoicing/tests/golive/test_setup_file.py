import base64
import json

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ..common import BookingsCase

SECRET = "canary-secret-7f3a"


@tagged("post_install", "-at_install")
class TestSetupFile(BookingsCase):
    """A setup goes to another company by a file: same mappings, same rules, nothing secret."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.setup.write({"service_sync": "off", "service_template_id": False})
        cls.setup._read_services()
        cls.product = cls.env["product.product"].create(
            {"name": "Consultation", "type": "service", "default_code": "CONS"}
        )
        cls.setup.write(
            {
                "grouping": "customer_month",
                "line_template": "{service}, {date}",
                "interval_number": 4,
                "price_tax": "included",
                "journal_id": cls.company_data["default_journal_sale"].id,
            }
        )
        first, second = cls.setup.service_ids[:2]
        first.write({"product_id": cls.product.id, "billing_rule": "hourly", "rule_price": 90.0})
        second.write({"rounding": "up", "rounding_minutes": "30", "ask_attendance": "all"})
        cls.other_data = cls.setup_other_company()
        cls.other = cls.other_data["company"]
        cls.env.user.company_ids += cls.other
        cls.connection.company_id = False

    def _target(self):
        second = self.connection.copy({"name": "Second tenant", "sandbox_anchor": self.anchor})
        target = self._make_setup(
            name="Target",
            connection_id=second.id,
            company_id=self.other.id,
            customer_sync="off",
            service_sync="off",
            customer_template_id=False,
            service_template_id=False,
        )
        target._read_services()
        return target

    def _file(self):
        return json.loads(json.dumps(self.setup._to_file()))

    def test_round_trip_changes_nothing(self):
        self.assertEqual(self.setup._file_changes(self._file()), [])

    def test_applied_to_another_company_and_applied_twice(self):
        target, data = self._target(), self._file()
        self.assertTrue(target._file_changes(data))
        target._apply_file(data)
        self.assertEqual(target._file_changes(data), [])
        self.assertEqual((target.grouping, target.interval_number), ("customer_month", 4))
        self.assertEqual(target.line_template, "{service}, {date}")
        self.assertEqual(target.journal_id, self.other_data["default_journal_sale"])
        mapped = target.service_ids.filtered("product_id")
        self.assertEqual((mapped.product_id, mapped.rule_price), (self.product, 90.0))
        self.assertEqual(target.service_ids.filtered("ask_attendance").rounding, "up")
        self.assertEqual(target.company_id, self.other)
        before = target._to_file()
        target._apply_file(data)
        self.assertEqual(target._to_file(), before)

    def test_a_text_in_several_languages(self):
        """What is shown are the texts that differ; a plain text, typed into the file, applies to every language."""
        self.env["res.lang"]._activate_lang("da_DK")
        setup, data = self.setup, self._file()
        data["settings"]["line_template"]["en_US"] = "{service} on {date}"
        (change,) = setup._file_changes(data)
        self.assertEqual((change.now, change.file), ("{service}, {date}", "{service} on {date}"))
        setup._apply_file(data)
        self.assertEqual(setup.with_context(lang="da_DK").line_template, "{service}, {date}")
        data["settings"]["line_template"] = "{service}: {date}"
        setup._apply_file(data)
        self.assertEqual(setup.with_context(lang="da_DK").line_template, "{service}: {date}")
        self.assertEqual(setup._file_changes(data), [])

    def test_the_file_holds_neither_secret_nor_person(self):
        self.connection.sudo().write(
            {"mode": "live", "tenant_id": "tenant-77", "client_id": "client-88"}
        )
        self.connection.sudo().client_secret = SECRET
        text = json.dumps(self.setup._to_file())
        for word in (SECRET, "tenant-77", "client-88", self.env.user.name, "client_secret"):
            self.assertNotIn(word, text)

    def test_rules_go_along(self):
        rules = self.setup.label_rule_ids
        for sequence, (text, outcome) in enumerate((("Free", "free"), ("Ask me", "attention"))):
            rules.create(
                {
                    "setup_id": self.setup.id,
                    "sequence": sequence,
                    "text": text,
                    "outcome": outcome,
                }
            )
        target, data = self._target(), self._file()
        self.assertEqual(self.setup._file_changes(data), [])
        target._apply_file(data)
        self.assertEqual(target._file_changes(data), [])
        self.assertEqual(target.label_rule_ids.mapped("text"), ["Free", "Ask me"])
        kept = target.label_rule_ids
        target._apply_file(data)
        self.assertEqual(target.label_rule_ids, kept)

    def test_what_a_rule_of_odoo_forbids_stays_as_it_is(self):
        """A fee needs its product, which this company lacks: it is left, the rest is applied."""
        fee = self.env["product.product"].create({"name": "Fee", "company_id": self.company.id})
        self.setup.write(
            {"no_show_fee_kind": "amount", "no_show_fee": 20.0, "fee_product_id": fee.id}
        )
        target, data = self._target(), self._file()
        target._apply_file(data)
        self.assertNotEqual(target.no_show_fee_kind, "amount")
        self.assertEqual(target.grouping, "customer_month")
        self.assertTrue(target._file_changes(data))
        self.assertEqual(target.service_ids.product_id, self.product)

    def test_rule_that_odoo_refuses_stops_no_other_setting(self):
        self.setup.label_rule_ids.create(
            {"setup_id": self.setup.id, "text": "Fee", "outcome": "free"}
        )
        target, data = self._target(), self._file()
        fee = {"outcome": "fee", "fee_kind": "amount", "fee_value": 9.0}
        for wrong in (fee, {"text": False}):
            data["rules"]["label_rule_ids"][0] |= wrong
            with mute_logger("odoo.sql_db"):
                changes = target._apply_file(data)
            self.assertTrue([change.problem for change in changes if change.problem])
            self.assertFalse(target.label_rule_ids)
            self.assertEqual(target.grouping, "customer_month")

    def test_filters_that_nothing_can_be_done_with_are_refused(self):
        """From a file they are named and left, typed they are refused; good ones and none are taken."""
        target, data = self._target(), self._file()
        for wrong in (
            *("oops", "5", "[('name', '=')]", "[('no_such_field', '=', 1)]", "[('name'"),
            # code, and questions about what is not the record's own
            *("[('name', '=', 9**9)]", "[('name', '=', [x for x in 'ab'])]", "{'a': 1}"),
            *(
                "[('setup_id.user_id.login', 'like', 'a')]",
                "[('setup_id', 'any', [('id', '>', 0)])]",
            ),
            *(
                "[('create_uid', '=', 1)]",
                "[('display_name', 'like', 'a')]",
                "[('name', 'parent_of', 1)]",
            ),
            *("[" * 900, str([("name", "=", "x" * 2000)]), str([("name", "=", "")] * 101)),
            str([("name", "in", list(range(201)))]),
        ):
            for name in ("service_filter", "remote_customer_filter"):
                with self.subTest(name=name, wrong=wrong):
                    data["settings"][name] = wrong
                    changes = target._apply_file(data)
                    refused = [c for c in changes if "Select its conditions" in c.problem]
                    self.assertEqual(len(refused), 1, changes)
                    self.assertIn(wrong[:100], refused[0].problem)
                    self.assertFalse(target[name])
                    self.assertEqual(target.grouping, "customer_month")
                    with self.assertRaises(ValidationError), Form(target) as form:
                        form[name] = wrong
                    data["settings"][name] = False
        for good in ("[('name', 'ilike', 'a')]", "[]", "", False):
            for name in ("service_filter", "remote_customer_filter"):
                with self.subTest(name=name, good=good), Form(target) as form:
                    form[name] = good
        self.assertEqual(self.sync(target).state, "done")

    def test_a_filter_that_a_missing_field_broke_can_be_corrected(self):
        self.env.cr.execute(
            "UPDATE bookings_sync_setup SET service_filter = %s WHERE id = %s",
            ["[('gone_with_its_addon', '=', 1)]", self.setup.id],
        )
        self.setup.invalidate_recordset()
        self.setup.service_filter = False
        self.assertTrue(self.setup.read_again)

    def test_a_filter_from_before_that_is_not_allowed_any_more_is_told_on_the_setup(self):
        """Nothing is removed by it, nobody is created by it, and its owner can take it out."""
        self.sync()
        unbilled = self.bookings().filtered(lambda one: one.status in ("ready", "attention"))
        manager = new_test_user(
            self.env,
            "filter-manager",
            "account.group_account_manager",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        for name in ("service_filter", "remote_customer_filter"):
            self.env.flush_all()
            self.env.cr.execute(
                SQL(
                    "UPDATE bookings_sync_setup SET %s = %s WHERE id = %s",
                    SQL.identifier(name),
                    "[('setup_id.user_id.totp_secret', '=like', 'A%')]",
                    self.setup.id,
                )
            )
            self.setup.invalidate_recordset()
            with self.assertRaisesRegex(ValidationError, "cannot be used") as stopped:
                self.setup._sync_run()
            # what the scheduled action does with it
            self.setup._note_stopped(stopped.exception, self.env["bookings.sync.run"])
            self.assertIn("cannot be used", self.setup.error_message)
            self.assertTrue(self.setup.activity_ids)
            self.assertLessEqual(set(unbilled.mapped("status")), {"ready", "attention"})
            self.setup._look_again(unbilled)
            self.setup.with_user(manager)[name] = False
            self.assertIn(self.sync().state, ("done", "partial"))
            self.assertFalse(self.setup.error_message)

    def test_a_template_that_is_missing_costs_only_the_import(self):
        target, data = self._target(), self._file()
        data["settings"]["customer_template_id"] = {"name": "Nobody here is called so"}
        target._apply_file(data)
        self.assertEqual((target.customer_sync, target.grouping), ("off", "customer_month"))
        self.assertEqual(target.price_tax, "included")

    def test_a_connection_that_is_not_a_managers_own_hides_no_other(self):
        manager = new_test_user(
            self.env,
            "file-manager",
            "account.group_account_manager,bookings_invoicing.group_manager",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.connection.action_test()
        wizard = self.env["bookings.setup.file"].with_user(manager)
        action = wizard.action_open()
        self.assertFalse(wizard.browse(action["res_id"]).business_ids, "shared ones are not hers")

    def test_what_is_missing_is_named_and_the_rest_applied(self):
        target, data = self._target(), self._file()
        self.product.write({"company_id": self.company.id})
        changes = target._file_changes(data)
        problems = [change for change in changes if change.problem]
        self.assertEqual(len(problems), 1)
        self.assertIn("CONS", problems[0].problem)
        target._apply_file(data)
        self.assertEqual(target.grouping, "customer_month")
        self.assertEqual(target._file_changes(data), problems)
        self.env["res.lang"]._activate_lang("da_DK")
        told = [change.problem for change in target.with_context(lang="da_DK")._file_changes(data)]
        self.assertNotIn("does not exist", told[0])

    def test_a_reference_that_fits_several_is_not_guessed(self):
        target, data = self._target(), self._file()
        self.env["product.product"].create(
            {"name": "Twin", "type": "service", "default_code": "CONS"}
        )
        self.assertIn("Several", [c.problem for c in target._file_changes(data) if c.problem][0])

    def test_another_business_is_mapped_by_the_service_s_name(self):
        target, data = self._target(), self._file()
        for row in data["services"]:
            row["remote_id"] = "other-" + row["remote_id"]
        target._apply_file(data)
        self.assertEqual(target.service_ids.product_id, self.product)

    def test_files_that_are_none(self):
        wrong = (
            b"",
            b"[]",
            b"{}",
            b'{"format": "bookings_invoicing.setup"}',
            b"\xff\xfe",
            b'{"format": "bookings_invoicing.setup", "settings": {}, "services": [1]}',
            b'{"format": "bookings_invoicing.setup", "settings": {}, "version": 99}',
            b"[" * 100_000,
            b" " * (2**20 + 1),
        )
        for text in wrong:
            with self.subTest(text=text[:40]), self.assertRaises(UserError):
                self.setup._read_file(text)

    def test_wrong_values_are_named_not_written(self):
        data = self._file()
        data["settings"] |= {
            "grouping": "by_moon",
            "interval_number": "4",
            "journal_id": 7,
            "sync_appointments": "yes",
            "connection_id": 1,
            "company_id": 1,
            "price_tax": ["included"],
        }
        changes = self.setup._file_changes(data)
        self.assertEqual(len(changes), 5)
        self.assertTrue(all(change.problem for change in changes))
        self.setup._apply_file(data)
        self.assertEqual(self.setup.grouping, "customer_month")

    def test_wizard_makes_a_setup_from_a_file(self):
        second = self.connection.copy({"name": "Second tenant", "sandbox_anchor": self.anchor})
        self.setup.service_ids[0].billing_rule = "free"
        data = self._file()
        data["settings"]["journal_id"] = {"code": "gone"}  # among the first
        content = base64.b64encode(json.dumps(data).encode())
        wizard = (
            self.env["bookings.setup.file"]
            .with_company(self.other)
            .create(
                {
                    "content": content,
                    "business_ids": [
                        Command.create(
                            {
                                "connection_id": second.id,
                                "business_id": self.tenant.business_id,
                                "company_id": self.other.id,
                            }
                        )
                    ],
                }
            )
        )
        wizard.action_preview()
        target = wizard.setup_ids
        self.assertEqual(target.company_id, self.other)
        self.assertTrue(wizard.change_count)
        shown = wizard.line_ids.mapped("file")
        self.assertIn("One per customer and month", shown)
        self.assertFalse({"customer_month", "included", "True", "False"}.intersection(shown))
        problems = [bool(line.problem) for line in wizard.line_ids]
        self.assertEqual(problems, sorted(problems), "what cannot be applied comes last")
        self.assertNotIn(self.other.name, target.display_name)
        both = target.with_context(allowed_company_ids=(self.other | self.company).ids)
        self.assertEqual(both.display_name, f"{target.name} ({self.other.name})")
        self.assertNotEqual(target.grouping, "customer_month")
        wizard.action_apply()
        self.assertEqual(target.grouping, "customer_month")
        wizard.action_preview()
        self.assertFalse(wizard.line_ids.filtered(lambda line: not line.problem))

    def test_export_button_and_rights(self):
        action = self.setup.action_export_file()
        wizard = self.env["bookings.setup.file"].search([], order="id desc", limit=1)
        self.assertIn(f"/{wizard.id}/", action["url"])
        self.assertEqual(json.loads(base64.b64decode(wizard.content)), self._file())
        clerk = new_test_user(
            self.env,
            "file-clerk",
            "account.group_account_invoice",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        with self.assertRaises(AccessError):
            self.setup.with_user(clerk).action_export_file()
