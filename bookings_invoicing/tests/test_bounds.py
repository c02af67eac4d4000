from datetime import date, datetime
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from .role_common import GROUPS, RolesCase

LOGGERS = "odoo.addons.bookings_invoicing.models"
ABSURD = {
    "integer": (-(2**31), 2**31 - 1),
    "float": (-1e15, 1e15),
    "monetary": (-1e15, 1e15),
    "date": (date(1, 1, 1), date(9999, 12, 31)),
    "datetime": (datetime(1, 1, 1), datetime(9999, 12, 31)),
}
MAGIC = {"id", "create_date", "write_date"}


@tagged("post_install", "-at_install")
class TestBounds(RolesCase):
    """No number, no date and no deleted company does harm beyond its own record."""

    def _is_ours(self, model, field):
        return model._name.startswith("bookings.") or any(
            module.startswith("bookings_invoicing") for module in field._modules
        )

    def _can_be_written(self, model):
        access = self.env["ir.model.access"].search([("model_id.model", "=", model._name)])
        return any(access.mapped("perm_write")) or any(access.mapped("perm_create"))

    def _open_fields(self):
        """``[(model, field)]``: stored numbers and dates of ours that a person can set."""
        return [
            (model, field)
            for model in map(self.env.__getitem__, self.env.registry)
            if not model._abstract and self._can_be_written(model)
            for field in model._fields.values()
            if field.type in ABSURD
            and field.store
            and not (field.readonly or field.related or field.name in MAGIC)
            and self._is_ours(model, field)
        ]

    def test_every_number_and_date_has_bounds(self):
        """Written with absurd values: a sentence that names field and bounds, and nothing changes."""
        fields = self._open_fields()
        self.assertGreater(len(fields), 20)
        for model, field in fields:
            record = self.own[model._name].sudo()
            before = record[field.name]
            for value in ABSURD[field.type]:
                with self.subTest(model=model._name, field=field.name, value=value):
                    with (
                        self.assertRaisesRegex(ValidationError, "must be between"),
                        self.cr.savepoint(),
                    ):
                        record.write({field.name: value})
                    self.assertEqual(record[field.name], before)

    def test_a_new_record_has_bounds_too(self):
        with self.assertRaisesRegex(ValidationError, "Every must be between 1 and 10,000"):
            self._make_setup(business_id="x@example.com", interval_number=2**31 - 1)

    def test_typed_into_the_form_it_breaks_nothing(self):
        new = self.setup.new({"interval_number": 2**31 - 1, "interval_type": "days"})
        self.assertTrue(new.health)

    def test_what_is_stored_already_is_shown_written_and_mended_by_an_update(self):
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """UPDATE bookings_sync_setup
                      SET interval_number = %s, interval_type = 'days', bill_from = '0001-01-01' WHERE id = %s""",
                2**31 - 1,
                self.setup.id,
            )
        )
        self.setup.invalidate_recordset()
        self.assertTrue(self.setup.health)
        self.assertIn(self.setup.name, self.env["res.config.settings"].new({}).bookings_setups)
        self.setup.name = "Renamed"
        with mute_logger(f"{LOGGERS}.base.bounded"):
            self.setup._bring_within_bounds()
        self.setup.invalidate_recordset()
        self.assertEqual(
            (self.setup.interval_number, self.setup.bill_from), (10_000, date(2000, 1, 1))
        )

    def test_one_setup_that_fails_costs_the_others_nothing_at_night(self):
        """Retention, warnings of expiry, and what stands in the way of bookings."""
        customers = type(self.env["bookings.customer"])
        seen, kept = [], customers._forget_old_customers

        def forget(records, setup, before, limit):
            seen.append(setup.id)
            if setup == self.setup:
                raise ZeroDivisionError
            return kept(records, setup, before, limit)

        with patch.object(customers, "_forget_old_customers", forget), mute_logger(LOGGERS):
            with mute_logger(f"{LOGGERS}.sync.schedule"):
                self.env["bookings.connection"]._cron_daily()
        self.assertLessEqual({self.setup.id, self.foreign["bookings.sync.setup"].id}, set(seen))
        activity = self.setup.activity_ids.filtered("summary")
        self.assertIn("ZeroDivisionError", activity.note)

    def test_one_booking_that_fails_costs_the_others_nothing(self):
        """At night, and when the clock makes bookings billable."""
        bookings = type(self.env["bookings.booking"])
        ids = self.bookings(status="ready").ids
        bad, seen, kept = ids[1], set(), bookings._recheck_billing

        def refresh(rows):
            if bad in rows.ids:
                raise ZeroDivisionError
            seen.update(rows.ids)
            return kept(rows)

        for cron in ("ir_cron_refresh", "ir_cron_sync"):
            self.env.cr.execute(
                SQL("UPDATE bookings_booking SET status = 'upcoming' WHERE id = ANY(%s)", ids)
            )
            self.env.invalidate_all()
            seen.clear()
            with (
                patch.object(bookings, "_recheck_billing", refresh),
                mute_logger(f"{LOGGERS}.sync.schedule"),
                self.enter_registry_test_mode(),
            ):
                self.env.ref(f"bookings_invoicing.{cron}").method_direct_trigger()
            self.assertLessEqual(set(ids) - {bad}, seen, cron)

    # -- who is told ---------------------------------------------------------------------------------------

    def test_somebody_who_is_there_is_told(self):
        """The setup's responsible user, else the connection's, else the billing administrators of the company."""
        warning = "mail.mail_activity_data_warning"
        clerk, manager = self.users["user"], self.users["manager"]
        stranger = new_test_user(
            self.env,
            "stranger",
            GROUPS["manager"],
            company_ids=[self.foreign["res.company"].id],
            company_id=self.foreign["res.company"].id,
        )
        self.setup.user_id, self.connection.user_id = clerk, manager
        self.assertEqual(self.setup._responsible(), clerk)
        clerk.active = False
        self.assertEqual(self.setup._responsible(), manager)
        self.connection.user_id = stranger
        told = self.setup._responsible()
        self.assertIn(manager, told)
        self.assertNotIn(stranger, told)
        self.assertEqual(self.connection._responsible(), told)
        manager.active = False
        self.assertNotIn(manager, self.setup._responsible())
        self.assertTrue(self.setup._responsible().filtered("active"))
        with self.subTest("who left is not taken for somebody who was told"):
            manager.active = True
            self.setup.user_id = manager
            self.setup._tell_responsible(warning, "x")
            manager.active = False
            self.setup._tell_responsible(warning, "y")
            told = self.setup.activity_ids.user_id
            self.assertTrue(told)
            self.assertNotIn(manager, told)
        self.setup._tell_responsible(warning, "z")
        self.assertEqual(self.setup.activity_ids.user_id, told)

    # -- companies ----------------------------------------------------------------------------------------

    def test_a_deleted_company_leaves_nothing_to_everybody(self):
        """Its connection keeps it; its runs go with it. No link to a company is emptied."""
        company = self.env["res.company"].create({"name": "Short-lived"})
        connection = self.env["bookings.connection"].create(
            {"name": "Theirs", "mode": "sandbox", "company_id": company.id}
        )
        run = (
            self.env["bookings.invoice.run"]
            .sudo()
            .create({"state": "done", "company_id": company.id})
        )
        self.env.flush_all()
        with mute_logger("odoo.sql_db"), self.assertRaises(IntegrityError), self.cr.savepoint():
            company.unlink()
        connection.unlink()
        company.unlink()
        self.env.invalidate_all()
        self.assertFalse(run.exists())
        emptied = [
            f"{name}.{field.name}"
            for name, model in self.env.registry.items()
            if name.startswith("bookings.") and not model._abstract
            for field in model._fields.values()
            if field.type == "many2one" and field.comodel_name == "res.company" and field.store
            if not field.related and field.ondelete not in ("restrict", "cascade")
        ]
        self.assertEqual(emptied, [])
