from psycopg2 import Error as DatabaseError

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from .role_common import RolesCase
from .test_roles import QUIET, Methods

MARK = "Zebra & Sons"
# Texts of the other company that nobody here may get to see.
MARKED = {
    "bookings.booking": ("name", "label", "place"),
    "bookings.customer": ("name",),
    "bookings.service": ("name",),
    "bookings.staff": ("name",),
    "bookings.sync.setup": ("name",),
    "bookings.connection": ("name",),
    "bookings.sync.issue": ("reason",),
    "bookings.label.rule": ("text",),
    "bookings.question.rule": ("question",),
    "bookings.proposal": ("proposed",),
}


@tagged("post_install", "-at_install")
class TestCompanyAttacks(Methods, RolesCase):
    """A manager of one company links whatever can be linked to records of another one and then reads and presses all
    there is: nothing of the other company is seen, and nothing of it changes.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.flush_all()
        for model, names in MARKED.items():
            table = cls.env[model]._table
            column = "setup_id" if "setup_id" in cls.env[model] else "id"
            for name in names:
                cls.env.cr.execute(
                    f"UPDATE {table} SET {name} = %s WHERE {column} = %s",
                    (
                        f"{MARK} {name}",
                        cls.foreign["bookings.sync.setup" if column == "setup_id" else model].id,
                    ),
                )
        cls.env.invalidate_all()
        cls.theirs = cls.env["bookings.booking"].search(
            [
                ("setup_id", "=", cls.foreign["bookings.sync.setup"].id),
                ("customer_id", "!=", False),
            ]
        )
        company = cls.foreign["res.company"]
        cls.theirs.customer_id.partner_id = cls.env["res.partner"].create(
            {"name": f"{MARK} partner", "company_id": company.id}
        )
        cls.foreign["bookings.sync.setup"].currency_id.active = True
        cls.theirs.service_id.no_tax = True
        cls.theirs._recheck_billing()

    def links(self):
        """``(model, field)``: links to records of ours that a manager may fill when creating a record."""
        for name, model in sorted(self.env.registry.items()):
            if not name.startswith("bookings.") or model._abstract:
                continue
            if not self.env[name].with_user(self.users["manager"]).has_access("create"):
                continue
            for field in self.env[name]._fields.values():
                # Odoo's own check of companies names what it refuses here: the connection.
                if (name, field.name) == ("bookings.sync.setup", "connection_id"):
                    continue
                if field.comodel_name in self.foreign and field.store:
                    yield name, field

    def foreign_rows(self):
        """Everything of the other company as text, to see whether it changed."""
        self.env.flush_all()
        seen = {}
        for model in sorted(MARKED):
            self.cr.execute(
                f"SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM {self.env[model]._table} t"
                " WHERE company_id = %s",
                [self.foreign["res.company"].id],
            )
            seen[model] = self.cr.fetchone()
        self.cr.execute(
            "SELECT count(*) FROM account_move WHERE company_id = %s",
            [self.foreign["res.company"].id],
        )
        return seen, self.cr.fetchone()

    @mute_logger(*QUIET, "odoo.sql_db")
    def test_links_to_another_company(self):
        tried, refused = 0, 0
        for model, field in self.links():
            foreign = self.foreign[field.comodel_name]
            if field.comodel_name == "bookings.booking":
                foreign = self.theirs[:5]
            ids = foreign.ids if field.type != "many2one" else foreign[:1].id
            value = ids if field.type == "many2one" else [Command.set(ids)]
            tried += 1
            with self.subTest(model=model, field=field.name), self.cr.savepoint() as savepoint:
                try:
                    shown = self._attack(model, {field.name: value})
                except (AccessError, UserError, DatabaseError) as error:
                    refused += 1
                    shown = str(error)
                self.assertNotIn(MARK, shown)
                savepoint.rollback()
                self.env.invalidate_all()
        self.assertGreater(tried, 10)
        self.assertGreater(refused, 0)

    def _attack(self, name, values):
        """Create, read, call everything, read again; what was shown of it."""
        model = self.env[name].with_user(self.users["manager"])
        known = {**self.own, "bookings.booking": self.own["bookings.booking"]}
        for field in model._fields.values():
            if field.name in values or not field.required or not field.store or field.related:
                continue
            if field.type == "many2one" and field.comodel_name in known and not field.default:
                values[field.name] = known[field.comodel_name].id
            elif field.type in ("char", "text") and not field.default and not field.compute:
                values[field.name] = "x"
        record = model.create(values)
        record.env.flush_all()
        record.env.invalidate_all()
        shown = [record.read()]
        for field in record._fields.values():
            if field.type in ("one2many", "many2many") and field.comodel_name.startswith(
                "bookings."
            ):
                try:
                    shown.append(record[field.name].read())
                except AccessError:
                    continue
        before = self.foreign_rows()
        for method in sorted(method for model_name, method in self.methods() if model_name == name):
            try:
                with self.cr.savepoint():
                    shown.append(getattr(record, method)(*self.arguments(name, method)))
                    shown.append(record.read())
            except (AccessError, UserError, DatabaseError, ValueError, TypeError) as error:
                self.env.invalidate_all()
                shown.append(str(error))
        self.assertEqual(self.foreign_rows(), before)
        return repr(shown)

    def test_every_wizard_checks_what_it_links_to(self):
        guarded = set(self.env.registry.descendants(["bookings.own.links"], "_inherit"))
        wizards = {
            name
            for name, model in self.env.registry.items()
            if name.startswith("bookings.") and model._transient
        }
        self.assertGreater(len(wizards), 10)
        self.assertLessEqual(wizards, guarded)

    @mute_logger(*QUIET)
    def test_wizards_opened_on_records_of_another_company(self):
        """The ids of a list's selection come from the client, too."""
        manager = self.users["manager"]
        for wizard in ("bookings.invoice.preview", "bookings.not.billable"):
            opened = (
                self.env[wizard]
                .with_user(manager)
                .with_context(
                    active_model="bookings.booking",
                    active_ids=self.theirs.ids,
                    active_id=self.theirs[0].id,
                )
            )
            values = {"reason": "waived"} if "reason" in opened else {}
            before = self.foreign_rows()
            with self.subTest(wizard), self.assertRaises(AccessError), self.cr.savepoint():
                made = opened.create(values)
                self.assertNotIn(MARK, repr(made.read()))
                made.action_apply()
            self.env.invalidate_all()
            self.assertEqual(self.foreign_rows(), before)

    @mute_logger(*QUIET)
    def test_a_run_over_both_companies(self):
        """Who sees one company only sees nothing of the other's part, and can neither undo nor post it."""
        mine = self.bookings(status="ready")[:2]
        theirs = self.theirs.filtered(lambda b: b.status == "ready")[:2]
        self.assertTrue(mine and theirs)
        self.env.user.company_ids += self.foreign["res.company"]
        both = self.env["bookings.booking"].with_context(
            allowed_company_ids=self.env.user.company_ids.ids
        )
        run = both._invoice_all([("id", "in", (mine | theirs).ids)])
        self.assertEqual(run.move_ids.company_id, (mine | theirs).company_id)
        seen = run.with_user(self.users["manager"]).with_context(
            allowed_company_ids=self.company.ids
        )
        before = self.foreign_rows()
        self.env.invalidate_all()  # another request has nothing of the run's own in its cache
        shown = []
        for method in ("read", "action_undo", "action_post_all", "action_send_all"):
            try:
                with self.cr.savepoint():
                    shown.append(getattr(seen, method)())
            except (AccessError, UserError) as error:
                shown.append(str(error))
            self.env.invalidate_all()
        self.assertNotIn(MARK, repr(shown))
        self.assertNotIn("kr", repr(shown), "amounts in the other company's currency")
        self.assertEqual(self.foreign_rows(), before)
        their_moves = theirs.sudo().invoice_line_ids.move_id
        self.assertEqual(set(their_moves.mapped("state")), {"draft"})
        for name in filter(
            None, their_moves.mapped("name") + their_moves.partner_id.mapped("name")
        ):
            self.assertNotIn(repr(name), repr(shown))

    @mute_logger(*QUIET)
    def test_methods_on_records_of_another_company(self):
        """Whatever is public, called with ids of the other company: an error without its texts, and no change."""
        manager, called = self.users["manager"], 0
        foreign = {**self.foreign, "bookings.booking": self.theirs[:1]}
        for model, method in sorted(self.methods()):
            if model not in foreign or getattr(
                getattr(self.env.registry[model], method), "_api_model", False
            ):
                continue
            record = foreign[model].with_user(manager)
            before, called = self.foreign_rows(), called + 1
            with self.subTest(model=model, method=method), self.cr.savepoint() as savepoint:
                try:
                    shown = repr(getattr(record, method)(*self.arguments(model, method)))
                except (AccessError, UserError, DatabaseError) as error:
                    shown = str(error)
                self.assertNotIn(MARK, shown)
                self.assertEqual(self.foreign_rows(), before)
                savepoint.rollback()
                self.env.invalidate_all()
        self.assertGreater(called, 30)
