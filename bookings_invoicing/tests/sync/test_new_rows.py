import copy
import re
from unittest.mock import patch

from odoo import models
from odoo.exceptions import UserError
from odoo.sql_db import Cursor
from odoo.tests import tagged
from odoo.tools import SQL

from ...models.base import bulk_insert
from ...models.base.imported import IMPORTING
from ..common import BookingsCase


@tagged("post_install", "-at_install")
class TestNewRows(BookingsCase):
    """The rows that an import inserts at once are those of Odoo's own ``create``, and take no more than they must."""

    def test_a_new_booking_is_written_once(self):
        """A stored computed field that the import does not work out beforehand would need an UPDATE of each new row."""
        self.sync()
        known = self.bookings(status="ready", price_type="fixedPrice")[0]
        self.change(
            op="create",
            start=f"{known.start:%Y-%m-%dT23:%M:%SZ}",
            minutes=30,
            service=known.service_id.remote_id,
            price="60.00",
            price_type="fixedPrice",
            attendees=[{"name": "Nora Newcomer", "email": "nora@example.com"}],
        )
        statements, execute = [], Cursor.execute

        def noted(cr, query, *args, **options):
            statements.append(str(getattr(query, "code", query)).replace('"', ""))
            return execute(cr, query, *args, **options)

        with patch.object(Cursor, "execute", noted):
            self.sync()
        self.assertEqual(self.bookings(name="Nora Newcomer").status, "ready")
        written = [
            found[1]
            for text in statements
            if (found := re.match(r"\s*(INSERT INTO|UPDATE) bookings_booking\b", text))
        ]
        self.assertEqual(written, ["INSERT INTO"])

    def test_import_writes_the_rows_that_create_writes(self):
        """What is inserted at once equals what Odoo's own ``create`` writes: each row, in all columns of all tables."""
        self.env["ir.default"].set("bookings.booking", "reference", "PO 7")
        given = self._given_by_a_sync()["bookings.booking"]
        self.assertGreater(len(given), 50)
        self.assertTrue(any(vals["staff_ids"][0][2] for vals in given))
        odd = ("NULL", 'The "Loft" \\ {2}, back', " ", "", "a\tb\nc", False)
        for vals, place in zip(given, odd, strict=False):
            vals["place"] = place
        self.bookings().sudo().unlink()
        at_once, one_by_one = self._both_ways_to_create(lambda: self._written_bookings(given))
        self.assertEqual(len(one_by_one["bookings_booking"]), len(given))
        self.assertEqual({row["reference"] for row in one_by_one["bookings_booking"]}, {"PO 7"})
        self.assertGreater(len(one_by_one["bookings_booking_bookings_staff_rel"]), 50)
        self.assertEqual(at_once, one_by_one)

    def test_plans_made_for_small_tables_are_not_kept(self):
        """The check of a foreign key does not read a whole table for each row, however its plan was made earlier."""
        cr = self.env.cr

        def plan_only(allowed, avoided):
            cr.execute(f"SET LOCAL enable_{allowed} = on")
            cr.execute(f"SET LOCAL enable_{avoided} = off")

        def scans():
            cr.execute(
                "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'res_partner'"
            )
            return cr.fetchone()[0]

        cr.execute("SET LOCAL enable_bitmapscan = off")
        cr.execute("DISCARD PLANS")
        plan_only("seqscan", "indexscan")
        self.sync()
        count = len(self.bookings())
        self.assertGreater(scans(), count)
        plan_only("indexscan", "seqscan")
        self.bookings().sudo().unlink()
        before = scans()
        self.sync(full=True)
        self.assertEqual(len(self.bookings()), count)
        self.assertLess(scans() - before, count / 2)

    def test_services_staff_and_customers_are_the_rows_that_create_writes(self):
        self.env["ir.default"].set("bookings.customer", "match", "unknown")
        given = self._given_by_a_sync()
        for name in ("bookings.customer", "bookings.service", "bookings.staff"):
            with self.subTest(name):
                model, table = self.env[name].sudo(), name.replace(".", "_")
                model = model.with_context(bookings_importing=IMPORTING)
                vals_list = [
                    vals | {"remote_id": f"{place} new"} for place, vals in enumerate(given[name])
                ]
                at_once, one_by_one = self._both_ways_to_create(
                    lambda model=model, table=table, vals_list=vals_list: self._written(
                        table, lambda: model.create(copy.deepcopy(vals_list))
                    )
                )
                self.assertGreater(len(one_by_one[table]), 2)
                self.assertEqual(at_once, one_by_one)
                self.assertEqual({row["company_id"] for row in at_once[table]}, {self.company.id})

    def _given_by_a_sync(self):
        """Return the values that a first sync gives to ``create``, ``{model: values}``."""
        given, completed = {}, bulk_insert.completed

        def noted(model, vals_list, prepare):
            given.setdefault(model._name, []).extend(copy.deepcopy(vals_list))
            return completed(model, vals_list, prepare)

        with patch.object(bulk_insert, "completed", noted):
            self.sync()
        return given

    @staticmethod
    def _both_ways_to_create(create):
        """Call this once as it is and once with Odoo's own ``create``, and return both results."""
        at_once = create()
        with (
            patch.object(bulk_insert, "completed", lambda _model, vals, prepare: prepare(vals)),
            patch.object(bulk_insert, "insert", models.BaseModel._create),
        ):
            return at_once, create()

    def test_contacts_are_the_rows_that_create_writes(self):
        """Contacts of an import equal those of Odoo's own ``create``: each row, in all columns of all tables."""
        given, contacts = [], type(self.env["res.partner"])
        create_alike = contacts._bookings_create

        def noted(model, shared, vals_list):
            given.append((model, dict(shared), copy.deepcopy(vals_list)))
            return create_alike(model, shared, vals_list)

        tags = self.env["res.partner.category"].create([{"name": "Massage"}, {"name": "Yoga"}])
        term = self.env["account.payment.term"].create({"name": "15 days"})
        self.setup.customer_template_id.write(
            {"user_id": self.env.user.id, "category_id": tags.ids, "invoice_edi_format": "ubl_bis3"}
            | {"property_payment_term_id": term.id, "credit_limit": 500}
        )
        properties = self.env["properties.base.definition"]._get_definition_for_property_field(
            "res.partner", "properties"
        )
        properties.properties_definition = [
            {"name": "a1b2", "type": "char", "string": "Diet", "default": "none"}
        ]
        parent = self.env["res.partner"].create({"name": "Lodge", "is_company": True})
        odd = {
            "comment": "<p>Likes <b>tea</b><script>alert(1)</script></p>",
            "properties": [{"name": "a1b2", "type": "char", "string": "Diet", "value": "vegan"}],
            "website": "example.com",
        }
        with patch.object(contacts, "_bookings_create", noted):
            self.sync()
        model, shared, vals_list = max(given, key=lambda call: len(call[2]))
        self.assertGreater(len(vals_list), 5)
        plain = model.with_context(bookings_importing=None)
        self.assertLess({"property_payment_term_id", "category_id"}, shared.keys())
        without = {name: shared[name] for name in shared if name != "user_id"}
        for common in (shared, without, shared | odd, shared | {"parent_id": parent.id}):
            alike, one_by_one = (
                self._written("res_partner", function)
                for function in (
                    lambda common=common: model._bookings_create(common, vals_list),
                    lambda common=common: plain.create([common | vals for vals in vals_list]),
                )
            )
            self.assertGreaterEqual(len(one_by_one["res_partner"]), len(vals_list))
            self.assertIn("a1b2", one_by_one["res_partner"][0]["properties"])
            self.assertEqual(alike, one_by_one)

    def test_people_of_whom_only_the_same_name_is_known(self):
        """Two walk-ins with the same name and nothing else are two contacts."""
        model = self.env["res.partner"].with_context(bookings_importing=IMPORTING)
        name = "Walk-in"
        twins = model._bookings_create({}, [{"name": name}, {"name": name}])
        self.assertEqual(twins.mapped("name"), [name, name])
        self.assertEqual(twins.commercial_partner_id, twins)

    def test_contacts_of_an_import_stay_in_their_company(self):
        other = self.env["res.company"].create({"name": "Other"})
        account = self.env["account.account"].create(
            {"name": "Debts", "code": "DEBT", "account_type": "asset_receivable"}
            | {"company_ids": other.ids}
        )
        model = self.env["res.partner"].with_company(self.setup.company_id)
        model = model.with_context(bookings_importing=IMPORTING)
        people = [{"name": "Ann"}, {"name": "Bob", "property_account_receivable_id": account.id}]
        with self.assertRaisesRegex(UserError, "Bob"):
            model._bookings_create({}, people)

    def test_rows_of_an_import_stay_in_their_company(self):
        self.sync()
        other = self.env["res.company"].create({"name": "Other"})
        stranger = self.env["res.partner"].create({"name": "Ann", "company_id": other.id})
        row = self.env["bookings.customer"].search([("setup_id", "=", self.setup.id)], limit=1)
        with self.assertRaisesRegex(UserError, "Ann"):
            row._importing().write({"partner_id": stranger.id})

    def _written_bookings(self, vals_list):
        people = self.env["bookings.customer"].browse(
            sorted({vals["customer_id"] for vals in vals_list} - {False})
        )

        def create():
            self.assertFalse(people.booking_ids)
            created = self.env["bookings.booking"]._for_import().create(copy.deepcopy(vals_list))
            self.assertEqual(people.booking_ids, created.filtered("customer_id").sorted())
            staff = [sorted(vals["staff_ids"][0][2]) for vals in vals_list]
            self.assertEqual([sorted(one.staff_ids.ids) for one in created], staff)
            return created

        return self._written("bookings_booking", create)

    def _written(self, made, create):
        """The rows of all tables that this function writes, ``{table: rows}``; nothing of it is kept.

        The records that it returns, rows of the table ``made``, are numbered in their order, and others of it follow.
        """
        cr = self.env.cr
        with cr.savepoint() as trial:
            # A row that the trial writes tells its transaction ID; that of all that follows is not lower.
            cr.execute("UPDATE bookings_sync_setup SET id = id RETURNING xmin::text::bigint")
            mark = cr.fetchone()[0]
            created = create()
            self.env.flush_all()
            cr.execute(
                SQL(
                    "SELECT id FROM %s WHERE xmin::text::bigint >= %s ORDER BY id",
                    SQL.identifier(made),
                    mark,
                )
            )
            new = dict.fromkeys([*created.ids, *(row_id for (row_id,) in cr.fetchall())])
            number = {row_id: place for place, row_id in enumerate(new)}
            written = {}
            cr.execute(
                """SELECT c.relname, array_agg(a.attname) FILTER (WHERE f.oid IS NOT NULL)
                     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                     LEFT JOIN pg_constraint f ON f.conrelid = c.oid AND a.attnum = ANY(f.conkey) AND f.contype = 'f'
                                              AND f.confrelid = %s::regclass
                    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY c.relname""",
                [made],
            )
            for table, links in cr.fetchall():
                own = "id" if table == made else None
                cr.execute(
                    SQL(
                        "SELECT to_jsonb(t) FROM %s t WHERE t.xmin::text::bigint >= %s",
                        SQL.identifier(table),
                        mark,
                    )
                )
                rows = [row for (row,) in cr.fetchall()]
                for row in rows:
                    if not own:
                        row.pop("id", None)
                    for name in {own, *(links or ())} & row.keys():
                        row[name] = number.get(row[name], row[name])
                if rows:
                    written[table] = sorted(rows, key=str)
            trial.rollback()
        return written
