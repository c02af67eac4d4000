import re
from itertools import cycle

from odoo.fields import Command
from odoo.tools import mute_logger

from .role_common import ROLES, WITHOUT
from .sealed_common import ADDONS, MARK, ORM, QUIET, REFUSED, RPC, SealedWorld

BOOKING = "bookings.booking"
WHOSE = ("bookings.sync.setup", "bookings.connection", "res.company")


class SealedWalks(SealedWorld):
    """Walks over every model and field that the installed addons of ours declare; no list of names is kept here.

    They run once without Sales, and once with it over the models that the glue extends, each in one class that is a
    ``RolesCase`` and an ``HttpCase``. A walk names what it finds open, so that a test can plant a hole and see it found.
    """

    # -- read-only -----------------------------------------------------------------------------------

    def turns(self):
        """Contexts in turn: none, and one with all of our keys."""
        return cycle([one for context in self.contexts() for one in ({}, context)])

    def read_only_written(self, way, roles=("user",), only=None):
        """Yield read-only fields that a user can write, with or without a context."""
        turns, walked = self.turns(), 0
        for role in roles:
            next(turns)
            for model, field in self.read_only_fields():
                if only and model != only:
                    continue
                record, sent, walked = self.own[model], next(turns), walked + 1
                value = self.other_value(record, field)
                if self.written(way, role, record, field, value, sent):
                    yield f"{role} writes {model}.{field.name} over {way} with {sent}"
        self.assertGreater(walked, 0 if only else 300 * self.part)

    @mute_logger(*QUIET)
    def test_read_only_fields_are_written_by_nobody(self):
        self.assertEqual([*self.read_only_written(ORM, ("user", "manager", "system"))], [])

    @mute_logger(*QUIET)
    def test_read_only_fields_over_rpc(self):
        self.assertEqual([*self.read_only_written(RPC, ("user", "manager"))], [])

    @mute_logger(*QUIET)
    def test_no_default_fills_a_read_only_field(self):
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

    # -- keys of the context -------------------------------------------------------------------------

    def makers(self, only=None):
        """``(role, model)``: who makes records of which model that has fields of ours.

        Companies are left out: only administrators make them, and each takes a second.
        """
        names = {name for own in (True, False) for name, _field in self.our_fields(own=own)}
        names.discard("res.company")
        for role in ("user", "manager", "system"):
            for model in sorted(names & self.own.keys() if not only else {only}):
                if self.env[model].with_user(self.users[role]).has_access("create"):
                    yield role, model

    def weakest_makers(self, only=None):
        """The same with the one of least rights for each model."""
        weakest = {}
        for role, model in self.makers(only):
            weakest.setdefault(model, role)
        return [(role, model) for model, role in weakest.items()]

    def plain(self, role, model):
        """What a record holds that somebody of this role makes without a word in the context."""
        if (role, model) not in self.known:
            self.known[role, model] = self.made(ORM, role, model)
            self.assertIsNotNone(self.known[role, model], f"{role} cannot make a {model}")
        return self.known[role, model]

    def beyond(self, way, role, model, context):
        """Fields of a record made with this context that hold what its maker cannot write into them."""
        got, plain = self.made(way, role, model, context=context), self.plain(role, model)
        if got is None or got == plain:
            return []
        vals, sealed = {}, self.sealed_of(model)
        for name in got:
            if got[name] != plain[name] and name not in sealed:
                kind = self.env[model]._fields[name].type
                value = [Command.set(got[name])] if kind == "many2many" else got[name]
                vals[name] = context.get(f"default_{name}") if kind == "one2many" else value
        allowed = self.made(ORM, role, model, vals) or {}
        return [
            name for name in got if got[name] not in (plain[name], allowed.get(name, plain[name]))
        ]

    def defaults_taken(self, only=None):
        """Yield fields that a ``default_`` key fills with values that its sender may not write."""
        filled = 0
        for role, model in self.weakest_makers(only):
            self.plain(role, model)
            for field in self.fields_of(model):
                for value in self.default_values(model, field):
                    found = self.beyond(ORM, role, model, {f"default_{field.name}": value})
                    filled += 1
                    if found:
                        yield f"{role} fills {found} of {model} by default_{field.name}={value}"
        self.assertGreater(filled, 0 if only else 300 * self.part)

    def batched_contexts(self, model):
        """The same for few calls: all read-only fields at once, all foreign links one by one, all keys of ours."""
        fields, sealed = self.fields_of(model), self.sealed_of(model)
        yield {
            f"default_{field.name}": value
            for field in fields
            # lines are refused for reasons of their own, which would hide the others
            if field.name in sealed and field.type != "one2many"
            for value in self.default_values(model, field)[:1]
        }
        for field in fields:
            if field.name not in sealed and field.comodel_name in self.foreign:
                for value in self.default_values(model, field)[1:]:
                    yield {f"default_{field.name}": value}
        yield from self.contexts()

    def contexts_obeyed(self, way, only=None):
        """Yield fields that a context fills with values that its sender may not write."""
        makers = self.makers if way == ORM else self.weakest_makers
        for role, model in makers(only):
            for context in self.batched_contexts(model):
                if found := self.beyond(way, role, model, context):
                    yield f"{role} fills {found} of {model} over {way} by {context}"

    @mute_logger(*QUIET)
    def test_no_default_brings_more_than_its_sender_may_write(self):
        self.assertEqual([*self.defaults_taken()], [])

    @mute_logger(*QUIET)
    def test_no_key_of_the_context_brings_more(self):
        for way in (ORM, RPC):
            self.assertEqual([*self.contexts_obeyed(way)], [])

    @mute_logger(*QUIET)
    def test_no_key_of_the_context_lets_others_make_records(self):
        """Who may not make a record makes none with all keys at once."""
        walked = 0
        for role in (*ROLES, *WITHOUT):
            for model in sorted({name for name, _field in self.our_fields(own=True)}):
                if self.env[model].with_user(self.users[role]).has_access("create"):
                    continue
                defaults = {
                    f"default_{field.name}": value
                    for field in self.fields_of(model)
                    for value in self.default_values(model, field)
                }
                context = self.contexts()[walked % 4] | defaults
                for way in (ORM, RPC):
                    walked += 1
                    with self.subTest(role=role, model=model, way=way):
                        self.assertIsNone(self.made(way, role, model, context=context))
        self.assertGreater(walked, 200 * self.part)

    # -- links ---------------------------------------------------------------------------------------

    def links_crossed(self, way, only=None):
        """Links that lead to a record of another company by ``write``, ``create`` or ``onchange``."""
        walked, created, turns = 0, 0, self.turns()
        for role in ("user", "manager"):
            next(turns)
            for model, field, foreign in self.links():
                if only and model != only:
                    continue
                record, walked = self.own[model], walked + 1
                value = foreign[:1].id if field.type == "many2one" else [Command.set(foreign.ids)]
                name = f"{role} {{}} {model}.{field.name} over {way}"
                sent = next(turns)
                if self.written(way, role, record, field, value, sent):
                    yield name.format("moves")
                if self.env[model].with_user(self.users[role]).has_access("create"):
                    made = self.made(way, role, model, {field.name: value}, sent)
                    if made and made[field.name] in (foreign[:1].id, foreign.ids):
                        yield name.format("creates with")
                    created += 1
                if MARK in self.shown(way, role, record, field, value):
                    yield name.format("is shown")
        if not only:
            self.assertGreater(walked, 60 * self.part)
            self.assertGreater(created, 20 * self.part)

    def shown(self, way, role, record, field, value):
        """Return what a form shows in our fields after a link was sent but not saved, or the refusal."""
        texts, spec = [], self.spec(role, record._name)
        for ids in (record.ids, []):
            try:
                with self.undone():
                    args = [ids, {field.name: value}, [field.name], spec]
                    texts.append(self.call(way, role, record._name, "onchange", args))
            except REFUSED as error:
                texts.append(str(error))
        return repr(texts)

    def spec(self, role, model):
        """What a form asks for that shows names and texts of ours."""
        if (role, model, "spec") not in self.known:
            seen = self.env[model].with_user(self.users[role]).fields_get()
            self.known[role, model, "spec"] = {
                field.name: {"fields": {"display_name": {}}} if field.relational else {}
                for field in self.fields_of(model)
                if field.name in seen and field.type in ("many2one", "many2many", "char", "text")
            }
        return self.known[role, model, "spec"]

    @mute_logger(*QUIET)
    def test_no_link_leads_to_another_company(self):
        for way in (ORM, RPC):
            self.assertEqual([*self.links_crossed(way)], [])

    def moved(self, way, only=None):
        """Yield fields that say whose a record is and that a user of both companies can change."""
        both, walked = (self.company | self.foreign["res.company"]).ids, 0
        for model, field, foreign in self.links():
            whose = field.type == "many2one" and field.comodel_name in WHOSE
            if not whose or self.env[model]._transient or only and model != only:
                continue
            context, walked = {"allowed_company_ids": both}, walked + 1
            if self.written(way, "both", self.own[model], field, foreign.id, context):
                yield f"{model}.{field.name} is moved over {way}"
        self.assertGreater(walked, 0 if only else 10 * self.part)

    @mute_logger(*QUIET)
    def test_whose_a_record_is_stays(self):
        """Not even somebody of both companies moves it there; the buttons made for that do."""
        for way in (ORM, RPC):
            self.assertEqual([*self.moved(way)], [])

    # -- fields on models of Odoo's ------------------------------------------------------------------

    def fields_shown(self, way, roles=("portal",), only=None):
        """Yield our fields on Odoo's models that a user without a role learns something about."""
        for role in roles:
            for model, field in self.our_fields(own=False):
                name = field.name
                for method, args in (
                    ("search_read", [[], [name], 0, 1]),
                    ("search_read", [[(name, "!=", False)], ["id"], 0, 1]),
                    ("search_read", [[], ["id"], 0, 1, name]),
                    ("formatted_read_group", [[], [name], ["__count"]]),
                    ("export_data", [[], [name]]),
                ):
                    if only and model != only:
                        continue
                    if not self.refuses(way, role, model, method, args):
                        yield f"{role} learns {model}.{name} by {method}{args} over {way}"

    @mute_logger(*QUIET)
    def test_fields_on_odoos_models_are_for_our_roles(self):
        for model, field in self.our_fields(own=False):
            self.assertTrue(field.groups, f"{model}.{field.name} is for everybody")
            for role in ("auditor", "user"):
                if self.env[model]._transient or f"group_{role}" not in field.groups:
                    continue
                with self.subTest(model=model, field=field.name, role=role):
                    if self.own[model].with_user(self.users[role]).has_access("read"):
                        self.own[model].with_user(self.users[role]).read([field.name])
        self.assertEqual([*self.fields_shown(ORM, WITHOUT)], [])
        self.assertEqual([*self.fields_shown(RPC, ("internal", "portal"))], [])

    # -- what is written down ------------------------------------------------------------------------

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
