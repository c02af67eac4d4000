import re
from pathlib import Path

from psycopg2 import Error as DatabaseError

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from .role_common import WITHOUT

OURS = "bookings_invoicing"
ADDONS = Path(__file__).parents[2]
MARK = "Zebra & Sons"
REFUSED = (AccessError, UserError, DatabaseError, ValueError)
READ_CONTEXT = re.compile(
    r"""context(?:\.get\(\s*|\[)["'](\w+)["']|["'](\w+)["']\s+(?:not\s+)?in\s+[\w.]*context"""
)
QUIET = (
    "odoo.addons.base.models.ir_model",
    "odoo.addons.base.models.ir_rule",
    "odoo.http",
    "odoo.models",
    "odoo.sql_db",
)


class SealedWalks:
    """Walks over every model and field that the installed addons of ours declare; no list of names is kept here.

    They run once without Sales and once with it, each in one class that is a ``RolesCase`` and an ``HttpCase``.
    """

    frozen = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        move = cls.own["account.move"]
        cls.own["account.move.line"] = move.invoice_line_ids[:1]
        cls.own["res.partner"] = move.partner_id
        cls.own["res.company"] = cls.company
        if "sale.order" in cls.env:
            product = cls.own["account.move.line"].product_id
            cls.own["sale.order"].order_line = [Command.create({"product_id": product.id})]
            cls.own["sale.order.line"] = cls.own["sale.order"].order_line
        other = cls.foreign["res.company"]
        cls.foreign["res.partner"] = cls.env["res.partner"].create(
            {"name": f"{MARK} partner", "company_id": other.id}
        )
        cls.foreign["product.product"] = cls.env["product.product"].create(
            {"name": f"{MARK} product", "company_id": other.id}
        )
        cls.foreign["account.journal"] = cls.env["account.journal"].search(
            [("company_id", "=", other.id), ("type", "=", "sale")], limit=1
        )
        for model in ("bookings.customer", "bookings.service", "bookings.sync.setup"):
            cls.foreign[model].sudo().name = f"{MARK} {model}"
        # Somebody who may see both companies still does not move records from one to the other.
        cls.users["both"] = new_test_user(
            cls.env,
            "role_both",
            "account.group_account_manager",
            company_id=cls.company.id,
            company_ids=[Command.set((cls.company | other).ids)],
        )
        cls.env.flush_all()

    # -- what there is -------------------------------------------------------------------------------

    def our_fields(self, *, own):
        """``(model, field)``: fields of our own models, or those that we add to others."""
        for name, model in sorted(self.env.registry.items()):
            if model._abstract or name.startswith("bookings.") != own:
                continue
            for field in self.env[name]._fields.values():
                ours = (field._module or "").startswith(OURS)
                if ours and field.name not in models.MAGIC_COLUMNS:
                    yield name, field

    def read_only_fields(self):
        """``(model, field)`` of what no person writes; wizards are their user's."""
        for own in (True, False):
            for name, field in self.our_fields(own=own):
                kept = field.name in getattr(self.env[name], "_read_only_fields", tuple)()
                if (field.readonly or kept) and not self.env[name]._transient:
                    yield name, field

    def contexts(self):
        """Each key that our code reads from the context, with values that JSON can make."""
        keys = set()
        for addon in ADDONS.glob(f"{OURS}*"):
            for folder in ("models", "wizards", "controllers"):
                for path in (addon / folder).rglob("*.py"):
                    for found in READ_CONTEXT.findall(path.read_text(encoding="utf-8")):
                        keys.update(filter(None, found))
        self.assertLessEqual({"bookings_importing", "bookings_join", "active_ids"}, keys)
        keys -= {"lang", "tz", "allowed_company_ids"}
        ids = self.foreign["bookings.booking"].ids
        return [dict.fromkeys(sorted(keys), value) for value in (True, 1, ids, "x")]

    def other_value(self, record, field):
        """A value that the field does not have."""
        old = record.sudo()[field.name]
        if field.type in ("one2many", "many2many"):
            return [Command.clear()]
        if field.type == "many2one":
            return False if old else self.env[field.comodel_name].sudo().search([], limit=1).id
        if field.type == "selection":
            return next((key for key in field.get_values(self.env) if key != old), False)
        if field.type == "boolean":
            return not old
        if field.type in ("date", "datetime"):
            return "2001-01-01"
        if field.type in ("integer", "float", "monetary"):
            return (old or 0) + 7
        return {"x": 1} if field.type == "json" else "x"

    def stored(self, record, field):
        self.env.flush_all()
        self.env.invalidate_all()
        value = record.sudo()[field.name]
        return value.ids if field.relational else value

    # -- read-only -----------------------------------------------------------------------------------

    def refused_or_same(self, role, record, field, value, context):
        """Whether writing the value changes nothing."""
        before = self.stored(record, field)
        try:
            with self.cr.savepoint():
                record.with_user(self.users[role]).with_context(**context).write(
                    {field.name: value}
                )
                self.env.flush_all()
        except REFUSED:
            self.env.invalidate_all()
            return True
        return self.stored(record, field) == before

    @mute_logger(*QUIET)
    def test_read_only_fields_are_written_by_nobody(self):
        contexts = self.contexts()
        walked = 0
        for number, (model, field) in enumerate(self.read_only_fields()):
            record = self.own[model]
            value = self.other_value(record, field)
            for role in ("user", "manager", "system"):
                context = contexts[number % len(contexts)]
                with self.subTest(model=model, field=field.name, role=role, context=context):
                    self.assertTrue(self.refused_or_same(role, record, field, value, {}))
                    self.assertTrue(self.refused_or_same(role, record, field, value, context))
                    walked += 1
        self.assertGreater(walked, 300)

    @mute_logger(*QUIET)
    def test_read_only_fields_over_rpc(self):
        for role in ("user", "manager"):
            self.authenticate(f"role_{role}", f"role_{role}")
            for model, field in self.read_only_fields():
                record = self.own[model]
                if not field.store:
                    continue
                before, value = self.stored(record, field), self.other_value(record, field)
                with self.subTest(model=model, field=field.name, role=role):
                    error = self.rpc(model, "write", [record.ids, {field.name: value}]).get("error")
                    if not error:
                        self.assertEqual(self.stored(record, field), before)

    @mute_logger(*QUIET)
    def test_no_default_fills_a_read_only_field(self):
        """Neither from the context nor as a default that the user has saved."""
        for model, field in self.read_only_fields():
            if field.type in ("one2many", "many2many"):
                continue
            record = self.env[model].with_user(self.users["user"])
            value = self.other_value(self.own[model], field)
            plain = record.sudo().default_get([field.name])
            with self.subTest(model=model, field=field.name):
                asked = record.with_context(**{f"default_{field.name}": value})
                found = asked.sudo().default_get([field.name])
                if field.type == "datetime" and plain:
                    self.assertNotEqual(found[field.name], value)
                else:
                    self.assertEqual(found, plain)

    @mute_logger(*QUIET)
    def test_runs_and_signatures_are_their_makers(self):
        """Whatever is sent along, nobody queues work or signs in the name of somebody else."""
        work = [self.foreign["bookings.booking"].ids]
        for role in ("user", "manager"):
            for context in ({}, *self.contexts()):
                context |= {
                    "default_user_id": self.env.uid,
                    "default_company_id": self.foreign["res.company"].id,
                    "default_todo": work,
                    "default_state": "signed",
                    "default_signed_uid": self.env.uid,
                }
                with self.subTest(role=role, context=context):
                    runs = self.env["bookings.invoice.run"].with_user(self.users[role])
                    with self.assertRaises(AccessError), self.cr.savepoint():
                        runs.with_context(**context).create({"state": "queued", "todo": work})
                    reports = self.env["bookings.completeness"].with_user(self.users[role])
                    report = reports.with_context(**context).create({"setup_id": self.setup.id})
                    self.assertEqual((report.state, report.signed_uid.id), ("draft", False))

    # -- links ---------------------------------------------------------------------------------------

    def links(self):
        """``(model, field, foreign record)`` of every stored link of ours to what belongs to a company."""
        for own in (True, False):
            for name, field in self.our_fields(own=own):
                if field.type not in ("many2one", "many2many") or not field.store:
                    continue
                foreign = self.foreign.get(field.comodel_name)
                if foreign and name in self.own and self.own[name].exists():
                    yield name, field, foreign

    @mute_logger(*QUIET)
    def test_no_link_is_moved_to_another_company(self):
        walked, contexts = 0, self.contexts()
        for model, field, foreign in self.links():
            record = self.own[model].exists()
            value = foreign.id if field.type == "many2one" else [Command.set(foreign.ids)]
            for role in ("user", "manager"):
                for context in ({}, contexts[walked % len(contexts)]):
                    with self.subTest(model=model, field=field.name, role=role, context=context):
                        self.assertTrue(self.refused_or_same(role, record, field, value, context))
                with self.subTest(model=model, field=field.name, role=role, way="onchange"):
                    self.assertNotIn(MARK, self.shown(role, record, field, value))
            walked += 1
        self.assertGreater(walked, 30)

    def shown(self, role, record, field, value):
        """What the form shows of a link that was sent, not written."""
        spec = {field.name: {"fields": {"display_name": {}}}}
        try:
            with self.cr.savepoint():
                user = record.with_user(self.users[role])
                texts = [user.onchange({field.name: value}, [field.name], spec)]
                texts.append(user.browse().onchange({field.name: value}, [field.name], spec))
        except REFUSED as error:
            self.env.invalidate_all()
            return str(error)
        return repr(texts)

    @mute_logger(*QUIET)
    def test_whose_a_record_is_stays(self):
        """Not even somebody of both companies moves it there; the buttons made for that do."""
        both = (self.company | self.foreign["res.company"]).ids
        walked = 0
        for model, field, foreign in self.links():
            whose = field.comodel_name in (
                "bookings.sync.setup",
                "bookings.connection",
                "res.company",
            )
            if field.type != "many2one" or not whose or self.env[model]._transient:
                continue
            record, context = self.own[model], {"allowed_company_ids": both}
            with self.subTest(model=model, field=field.name):
                self.assertTrue(self.refused_or_same("both", record, field, foreign.id, context))
            walked += 1
        self.assertGreater(walked, 10)

    # -- fields on models of Odoo's ------------------------------------------------------------------

    @mute_logger(*QUIET)
    def test_fields_on_odoos_models_are_for_our_roles(self):
        walked = 0
        for model, field in self.our_fields(own=False):
            self.assertTrue(field.groups, f"{model}.{field.name} is for everybody")
            for role in WITHOUT:
                record = self.env[model].with_user(self.users[role])
                for way, look in self.ways(record, field.name).items():
                    with self.subTest(model=model, field=field.name, role=role, way=way):
                        self.assertTrue(self.refuses(look), "it is shown")
                        walked += 1
                self.env.invalidate_all()
            for role in ("auditor", "user"):
                if self.env[model]._transient or f"group_{role}" not in field.groups:
                    continue
                with self.subTest(model=model, field=field.name, role=role):
                    if self.own[model].with_user(self.users[role]).has_access("read"):
                        self.own[model].with_user(self.users[role]).read([field.name])
        self.assertGreater(walked, 100)

    def refuses(self, look):
        try:
            with self.cr.savepoint():
                look()
        except REFUSED:
            return True
        return False

    def ways(self, record, name):
        """Ways to learn what a field says."""
        return {
            "read": lambda: record.search_read([], [name], limit=1),
            "search by": lambda: record.search([(name, "!=", False)], limit=1),
            "group by": lambda: record.formatted_read_group([], [name], ["__count"]),
            "sort by": lambda: record.search([], order=name, limit=1),
            "export": lambda: record.search([], limit=1).export_data([name]),
        }

    @mute_logger(*QUIET)
    def test_fields_on_odoos_models_over_rpc(self):
        for role in ("internal", "portal"):
            self.authenticate(f"role_{role}", f"role_{role}")
            for model, field in self.our_fields(own=False):
                for method, args in (
                    ("search_read", [[], [field.name]]),
                    ("search_read", [[(field.name, "!=", False)], ["id"]]),
                    ("search_read", [[], ["id"], 0, 1, field.name]),
                    ("formatted_read_group", [[], [field.name], ["__count"]]),
                ):
                    with self.subTest(role=role, model=model, field=field.name, args=args):
                        self.assertIn("error", self.rpc(model, method, args))

    def rpc(self, model, method, args):
        return self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            json={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {"model": model, "method": method, "args": args, "kwargs": {}},
            },
        ).json()

    def test_docs_show_who_sees_them(self):
        docs = ADDONS / "docs" / "roles.md"
        if not docs.exists():
            self.skipTest("the documentation is not part of an installed addon")
        text = docs.read_text(encoding="utf-8")
        shown = dict(re.findall(r"^\| `(\w[\w.]+\.\w+)` \| ([A-Z][\w, ]+) \|$", text, re.MULTILINE))
        names = {
            "bookings_invoicing.group_auditor": "Auditor",
            "bookings_invoicing.group_user": "User",
            "base.group_system": "Administrator",
        }
        for model, field in self.our_fields(own=False):
            if not self.env[model]._transient:
                seen_by = ", ".join(names[group] for group in field.groups.split(","))
                self.assertEqual(
                    shown.get(f"{model}.{field.name}"), seen_by, f"{model}.{field.name}"
                )

    def test_every_model_with_something_to_seal_is_sealed(self):
        sealed = set(self.env.registry.descendants(["bookings.own.links"], "_inherit"))
        for own in (True, False):
            for name, field in self.our_fields(own=own):
                if own or (field.readonly and not self.env[name]._transient):
                    self.assertIn(name, sealed, f"{name}.{field.name}")
