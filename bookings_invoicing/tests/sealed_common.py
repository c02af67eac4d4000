import re
from contextlib import contextmanager
from pathlib import Path

from psycopg2 import Error as DatabaseError

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import new_test_user

OURS = "bookings_invoicing"
ADDONS = Path(__file__).parents[2]
MARK = "Zebra & Sons"
ORM, RPC = "ORM", "JSON-RPC"


class Refused(Exception):
    """A refusal of the server over JSON-RPC, with its full text."""


REFUSED = (AccessError, UserError, DatabaseError, ValueError, TypeError, Refused)
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


class SealedWorld:
    """Everything to attack, enumerated from the registry, and how: as a user, over the ORM and JSON-RPC."""

    frozen = False
    part = (
        1.0  # of the fields of all addons that are walked: a walk that passes by everything fails
    )

    @classmethod
    def is_walked(cls, _model):
        """Whether the walks include this model."""
        return True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        move = cls.own["account.move"]
        cls.own["account.move.line"] = move.invoice_line_ids[:1]
        cls.own["res.partner"] = move.partner_id
        cls.own["res.company"] = cls.company
        cls.own["product.product"] = cls.own["account.move.line"].product_id
        cls.own["product.template"] = cls.own["product.product"].product_tmpl_id
        if "sale.order" in cls.env:
            cls.own["sale.order"].order_line = [
                Command.create({"product_id": cls.own["product.product"].id})
            ]
            cls.own["sale.order.line"] = cls.own["sale.order"].order_line
        cls.env.flush_all()
        for model, record in cls.own.items():
            if not record.exists():  # a line of a plan that was worked out again meanwhile
                cls.own[model] = cls._filled(record.sudo(), cls.own)
        other = cls.foreign["res.company"]
        cls.foreign["res.partner"] = cls.env["res.partner"].create(
            {"name": f"{MARK} partner", "company_id": other.id}
        )
        cls.foreign["product.product"] = cls.env["product.product"].create(
            {"name": f"{MARK} product", "company_id": other.id}
        )
        for _name, field in (*cls.our_fields(own=True), *cls.our_fields(own=False)):
            comodel = cls.env.get(field.comodel_name)
            if comodel is not None and field.comodel_name not in cls.foreign:
                whose = "company_id" if "company_id" in comodel else "company_ids"
                if whose in comodel:
                    found = comodel.sudo().search([(whose, "=", other.id)], limit=1)
                    cls.foreign[field.comodel_name] = found
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

    def setUp(self):
        super().setUp()
        self.signed_in, self.known = None, {}

    # -- what there is -------------------------------------------------------------------------------

    @classmethod
    def our_fields(cls, *, own):
        """``(model, field)``: fields of our own models, or those that we add to others."""
        for name, model in sorted(cls.env.registry.items()):
            if model._abstract or name.startswith("bookings.") != own or not cls.is_walked(name):
                continue
            for field in cls.env[name]._fields.values():
                ours = (field._module or "").startswith(OURS)
                if ours and field.name not in models.MAGIC_COLUMNS:
                    yield name, field

    def fields_of(self, model):
        """Those of one model."""
        return [
            field
            for name, field in self.our_fields(own=model.startswith("bookings."))
            if name == model
        ]

    def sealed_of(self, model):
        """Return the names of the fields that no user writes."""
        return getattr(self.env[model], "_read_only_fields", frozenset)()

    def read_only_fields(self):
        """Yield ``(model, field)`` of the fields that no user writes, except in wizards."""
        for own in (True, False):
            for name, field in self.our_fields(own=own):
                kept = field.name in self.sealed_of(name)
                if (field.readonly or kept) and not self.env[name]._transient:
                    yield name, field

    def links(self):
        """Yield ``(model, field, record)``: every stored link of ours, and a foreign record that it must not reach."""
        manager = self.users["manager"]
        for own in (True, False):
            for name, field in self.our_fields(own=own):
                if field.type not in ("many2one", "many2many") or not field.store:
                    continue
                foreign = self.foreign.get(field.comodel_name)
                there = foreign and name in self.own and self.own[name].exists()
                if there and not foreign.with_user(manager).has_access("read"):
                    yield name, field, foreign

    def contexts(self):
        """Return contexts with all keys that our code reads, with values that JSON can express."""
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

    # -- what is sent --------------------------------------------------------------------------------

    def other_value(self, record, field):
        """Return a different value for the field, as JSON can send it."""
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

    def default_values(self, model, field):
        """Return values for a ``default_`` key of the field: a different one, and a record of another company."""
        if field not in self.known:
            self.known[field] = [*self._default_values(model, field)]
        return self.known[field]

    def _default_values(self, model, field):
        if field.type == "one2many":
            if field.comodel_name in self.own:
                lines = self.maker_values(field.comodel_name)
                lines.pop(field.inverse_name, None)
                yield [Command.create(lines)]
        elif field.type == "many2many":
            if field.comodel_name in self.own:
                yield [Command.set(self.own[field.comodel_name].ids)]
        else:
            yield self.other_value(self.own[model], field)
        foreign = self.foreign.get(field.comodel_name)
        if foreign and field.type in ("many2one", "many2many"):
            yield foreign[:1].id if field.type == "many2one" else [Command.set(foreign.ids)]

    def maker_values(self, model):
        """Return values for a new record: its required fields, as the existing record has them."""
        record = self.own[model].sudo()
        values = {
            "account.move": {"move_type": "out_invoice"},
            "account.move.line": {"move_id": self.own["account.move"].id, "name": "x"},
            "res.company": {"name": "Made"},
            "res.partner": {"name": "Made"},
            "product.template": {"name": "Made"},
            "bookings.sync.setup": {"business_id": "made@example.com"},
        }.get(model, {})
        if model.startswith("sale.order"):
            names = ("partner_id",) if model == "sale.order" else ("order_id", "product_id")
            values = {name: record[name].id for name in names}
        elif model == "bookings.sandbox.change":
            change = record.change | {"op": "restore"}
            values = {"connection_id": record.connection_id.id, "change": change}
        elif model.startswith("bookings."):
            for field in self.fields_of(model):
                sent = field.required and not (field.related or field.default or field.compute)
                if sent and field.name not in record._read_only_fields():
                    value = field.convert_to_write(record[field.name], record)
                    values.setdefault(field.name, value)
        return values

    # -- attempts ------------------------------------------------------------------------------------

    def call(self, way, role, model, method, args, context=None):
        """Return the answer to a call by a user with this role.

        :raises Exception: one of ``REFUSED``
        """
        kwargs = {"context": context or {}}
        if way == ORM:
            answer = call_kw(self.env[model].with_user(self.users[role]), method, args, kwargs)
            self.env.flush_all()
            return answer
        if self.signed_in != role:
            self.authenticate(*(None, None) if role == "public" else (f"role_{role}",) * 2)
            self.signed_in = role
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            json={"jsonrpc": "2.0", "method": "call", "params": params},
        )
        if "error" in answer.json():
            raise Refused(answer.text)
        return answer.json()["result"]

    @contextmanager
    def undone(self):
        """Roll back everything done in the block."""
        self.env.flush_all()
        with self.cr.savepoint() as savepoint:
            try:
                yield
            finally:
                savepoint.rollback()
                self.env.invalidate_all()

    def stored(self, record, field):
        self.env.flush_all()
        self.env.invalidate_all()
        value = record.sudo()[field.name]
        return value.ids if field.relational else value

    def written(self, way, role, record, field, value, context=None):
        """Return whether a user with this role changes the field by writing the value."""
        before = self.stored(record, field)
        with self.undone():
            try:
                vals = {field.name: value}
                self.call(way, role, record._name, "write", [record.ids, vals], context)
            except REFUSED:
                return False
            return self.stored(record, field) != before

    def made(self, way, role, model, vals=None, context=None):
        """Return the values of a record that a user with this role creates, or ``None`` if refused.

        :rtype: dict of values as JSON could write them; of lines only the number, of moments only the day
        """
        with self.undone():
            try:
                values = self.maker_values(model) | (vals or {})
                (made_id,) = self.call(way, role, model, "create", [[values]], context)
                self.env.invalidate_all()
                return self.held(self.env[model].sudo().browse(made_id))
            except REFUSED:
                return None

    def held(self, record):
        values = {}
        for field in self.fields_of(record._name):
            if field.store:
                value = record[field.name]
                if field.type == "one2many":
                    value = len(value)
                elif field.relational:
                    value = value.ids if field.type == "many2many" else value.id
                elif field.type == "datetime":
                    value = value and value.date()
                values[field.name] = value
        return values

    def refuses(self, *call):
        try:
            with self.undone():
                self.call(*call)
        except REFUSED:
            return True
        return False
