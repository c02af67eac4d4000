from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import BookingsCase


@tagged("post_install", "-at_install")
class TestSetupHealth(BookingsCase):
    def test_figures_are_those_of_the_bookings(self):
        self.assertEqual(self.setup.last_sync_age, "never")
        self.setup.write({"customer_sync": "off", "service_sync": "off"})
        self.sync()
        self.setup.invalidate_recordset()
        bookings = self.bookings()
        waiting = bookings.filtered(lambda b: b.status in ("ready", "attention", "upcoming"))
        self.assertEqual(
            self.setup.unmapped_service_count,
            len(self.setup.service_ids.filtered(lambda s: not s.product_id and not s.removed)),
        )
        self.assertGreater(self.setup.unmapped_service_count, 0)
        strangers = waiting.filtered(lambda b: not b.partner_id).customer_id
        self.assertEqual(self.setup.unknown_customer_count, len(strangers))
        self.assertGreater(self.setup.unknown_customer_count, 0)
        unbilled = bookings.filtered(lambda b: b.status in ("ready", "attention"))
        self.assertAlmostEqual(self.setup.unbilled_amount, sum(unbilled.mapped("amount")), 2)
        self.assertEqual(self.setup.last_sync_age, "0 min")

    def test_age_in_words(self):
        now = fields.Datetime.now()
        for ago, text in (
            (timedelta(minutes=119), "119 min"),
            (timedelta(hours=47), "47 h"),
            (timedelta(days=9), "9 days"),
        ):
            self.assertEqual(self.setup._age_text(now - ago, now), text)

    def test_secret_expiry_is_counted_in_days(self):
        self.connection.secret_expiry = fields.Date.today() + timedelta(days=7)
        self.assertEqual(self.setup.secret_days_left, 7)

    def test_board_over_all_companies_costs_the_same_for_one_and_for_many(self):
        other = self.setup_other_company()["company"]
        self.env.user.company_ids += other
        self.connection.company_id = False
        setups = self.setup
        for number in range(4):
            setups |= self._make_setup(
                name=f"Business {number}",
                business_id=f"b{number}@harbourclinic.example",
                company_id=other.id if number % 2 else self.company.id,
            )
        names = ["company_id", "last_sync_age", "unmapped_service_count", "unbilled_amount"]
        setups.read(names)

        def queries(records):
            records.invalidate_recordset()
            before = self.cr.sql_log_count
            records.read(names)
            return self.cr.sql_log_count - before

        self.assertLessEqual(queries(setups), queries(setups[:1]) + 1)
        board = self.env["bookings.sync.setup"].with_context(
            allowed_company_ids=(self.company | other).ids
        )
        self.assertEqual(board.search([("id", "in", setups.ids)]).company_id, self.company | other)
