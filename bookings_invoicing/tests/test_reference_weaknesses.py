"""What hurts in the reference product and has no test of its own elsewhere; see docs/business-central.md."""

import logging
import random

from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import email_normalize

from ..billing.matching import normalize_email
from .common import NOW, BookingsCase

TABLE = '(FROM|JOIN|INTO|UPDATE) "?%s'


@tagged("post_install", "-at_install")
class TestReferenceWeaknesses(BookingsCase):
    def test_with_the_import_of_services_off_the_list_still_fills(self):
        self.setup.service_sync = "off"
        self.sync()
        waiting = self.bookings(attention_reason="no_product")
        self.assertTrue(waiting)
        service = waiting.filtered(lambda one: one.price_type == "fixedPrice").service_id[:1]
        service.product_id = self.product_a
        ready = waiting.filtered(lambda one: one.service_id == service)
        self.assertEqual(set(ready.mapped("status")), {"ready"})

    def test_a_service_that_changes_in_bookings_leaves_its_product_alone(self):
        self.sync()
        service = self.bookings().service_id[:1]
        product = service.product_id
        product.write({"uom_id": self.env.ref("uom.product_uom_hour").id, "list_price": 77.0})
        kept = ("name", "uom_id", "list_price", "taxes_id", "type")
        before = [product[name] for name in kept]
        self.change(op="rename", service=service.remote_id, name="Renamed")
        self.change(op="service_price", service=service.remote_id, price="999.00")
        self.sync()
        self.assertEqual((service.name, service.price), ("Renamed", 999.0))
        self.assertEqual(service.product_id, product)
        self.assertEqual([product[name] for name in kept], before)

    def test_nobody_becomes_a_customer_twice(self):
        self.assertGreater(self.sync().partners_created, 5)
        before = self.env["res.partner"].search_count([])
        again = self.setup._sync_run(full=True)
        self.assertEqual((again.state, again.partners_created), ("done", 0))
        self.assertEqual(self.env["res.partner"].search_count([]), before)

    def test_any_number_of_customers_is_looked_up_at_once(self):
        known = self.env["res.partner"].create({"name": "Known", "email": "K.N@Example.com"})
        emails = [f"somebody{number}@example.com" for number in range(20_000)]
        found = self.env["bookings.customer"]._partners_by_email(
            self.company, [*emails, "k.n@example.com"]
        )
        self.assertEqual([one.id for one in found["k.n@example.com"]], known.ids)

    def test_addresses_are_those_of_odoo_or_none(self):
        """Whatever is typed: what we call the address is what Odoo finds its contact by, and most are found."""
        signs = " \t\n\u00a0\u3000\x00\x7f,;<>\"'()[].:\\%@@"
        parts = [*signs, "a", "B", "\u0130", "\u00df", "ann.lee", "@x.org", "@X.Org", "Ann <a@b.c>"]
        blanks = ("", " ", "\u00a0", "\u2009\u00a0", "\u3000 ")
        rng, found = random.Random(7), 0
        for _case in range(10_000):
            text = "".join(rng.choices(parts, k=rng.randint(1, 8)))
            ours = normalize_email(text)
            if ours:
                found += 1
                self.assertEqual(ours, email_normalize(" ".join(text.split())), repr(text))
                self.assertEqual(ours, normalize_email(ours), repr(text))
                pasted = rng.choice(blanks) + ours + rng.choice(blanks)
                stored = email_normalize(pasted, strict=False)
                self.assertEqual(ours, normalize_email(stored), repr(pasted))
        self.assertGreater(found, 1000)

    def test_nothing_is_imported_without_a_template(self):
        for values in ({"customer_template_id": False}, {"service_template_id": False}):
            with self.assertRaisesRegex(ValidationError, "template"):
                self.setup.write(values)
            self.setup.invalidate_recordset()

    def test_a_change_during_a_run_is_read_by_the_next_one(self):
        """The mark up to which was read is when the run began, not when it ended."""
        with freeze_time(NOW, auto_tick_seconds=5):
            run = self.sync()
        self.assertLess(run.started, run.finished)
        self.assertEqual(self.setup.last_appointment_sync, run.started)

    def test_invoices_without_bookings_ask_nothing_of_bookings(self):
        logger = logging.getLogger("odoo.sql_db")
        with self.assertLogs(logger, level="DEBUG") as logged:
            move = self.env["account.move"].create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.partner_a.id,
                    "invoice_line_ids": [
                        (0, 0, {"product_id": self.product_a.id, "price_unit": 10.0})
                    ],
                }
            )
            move.action_post()
            move.button_draft()
            move.button_cancel()
            self.env.flush_all()
        text = "\n".join(logged.output)
        self.assertRegex(text, TABLE % "account_move_line")
        self.assertNotRegex(text, TABLE % "bookings_")
