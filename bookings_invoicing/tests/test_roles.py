import inspect
import json
import re
from pathlib import Path
from unittest.mock import patch

from lxml import etree
from psycopg2 import Error as DatabaseError

from odoo.exceptions import AccessDenied, AccessError, MissingError, UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .. import graph
from ..models.sync.outbox_job import OutboxJob
from ..sandbox.adapter import GRAPH_URL, LOGIN_URL, SandboxAdapter
from .role_common import HARMLESS, MATRIX, OPERATIONS, ROLES, WITHOUT, RolesCase
from .screen_common import Screens

DOCS = Path(__file__).parents[2] / "docs" / "roles.md"
QUIET = (
    "odoo.addons.base.models.ir_model",
    "odoo.addons.base.models.ir_rule",
    "odoo.http",
    "odoo.models",
)


@tagged("post_install", "-at_install")
class TestRoleMatrix(RolesCase):
    """Model x role x create, read, write, delete x own or other company."""

    def test_every_model_is_in_the_matrix(self):
        self.assertEqual(
            self.persistent_models(), set(MATRIX), "add the model to MATRIX and to docs/roles.md"
        )

    def test_docs_show_the_same(self):
        if not DOCS.exists():
            self.skipTest("the documentation is not part of an installed addon")
        rows = re.findall(
            r"^\| `(bookings\.[a-z.]+)` \|(.*)\|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE
        )
        shown = {
            name: tuple(cell.strip(" –-") for cell in cells.split("|")) for name, cells in rows
        }
        self.assertEqual(shown, MATRIX)

    @mute_logger(*QUIET)
    def test_over_the_orm(self):
        for model, rights in MATRIX.items():
            for role in (*ROLES, *WITHOUT):
                allowed = dict(zip(ROLES, rights, strict=True)).get(role, "")
                for letter, operation in OPERATIONS.items():
                    own = self.own[model].with_user(self.users[role])
                    foreign = self.foreign[model].with_user(self.users[role])
                    with self.subTest(model=model, role=role, operation=operation):
                        self.assertEqual(own.has_access(operation), letter in allowed)
                        self.assertFalse(foreign.has_access(operation), "of another company")

    @mute_logger(*QUIET)
    def test_shared_connections_are_the_administrators(self):
        shared = self.own["bookings.connection"]
        shared.company_id = False
        self.assertTrue(shared.with_user(self.users["manager"]).has_access("read"))
        self.assertFalse(shared.with_user(self.users["manager"]).has_access("write"))
        self.assertTrue(shared.with_user(self.users["system"]).has_access("write"))
        with self.assertRaises(AccessError):
            shared.create({"name": "Mine", "company_id": self.company.id}).with_user(
                self.users["manager"]
            ).company_id = False

    def test_roles_come_with_those_of_accounting(self):
        """An accountant needs no extra click."""
        for group, ours in (
            ("account.group_account_invoice", "bookings_invoicing.group_user"),
            ("account.group_account_manager", "bookings_invoicing.group_manager"),
            ("account.group_account_readonly", "bookings_invoicing.group_auditor"),
        ):
            self.assertIn(self.env.ref(ours), self.env.ref(group).all_implied_ids)


class Methods:
    """The public methods of our models, and how to call them."""

    def methods(self):
        """``{(model, method)}``: defined in our packages, callable over RPC."""
        found = set()
        for name, model in self.env.registry.items():
            if model._abstract:
                continue
            for cls in model.mro():
                if not cls.__module__.startswith("odoo.addons.bookings_invoicing"):
                    continue
                if cls.__module__.endswith(".readable_links"):
                    continue  # the ORM's own methods: the matrix and test_sealed.py see to them
                for method, function in vars(cls).items():
                    if inspect.isfunction(function) and not method.startswith("_"):
                        if not getattr(getattr(model, method), "_api_private", False):
                            found.add((name, method))
        return found

    def arguments(self, model, method):
        """Arguments that fill the required parameters with something plausible."""
        given = {
            "vals": {"ref": "x"} if model == "account.move" else {},
            "vals_list": [{}],
            "reason": "waived",
            "values": {},
            "default": None,
            "fields_list": ["id"],
            "fields": ["id"],
        }
        parameters = inspect.signature(
            getattr(self.env.registry[model], method)
        ).parameters.values()
        return [
            given.get(parameter.name)
            for parameter in parameters
            if parameter.name != "self"
            and parameter.default is parameter.empty
            and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        ]

    def record(self, model):
        """A record to call it on."""
        if model in self.own:
            return self.own[model]
        return self.env[model].sudo().search([], limit=1)

    def written(self):
        """How many rows this transaction has inserted, changed or deleted in tables that matter, so far."""
        self.env.flush_all()
        self.cr.execute(
            """SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables
                WHERE relname LIKE 'bookings%' OR relname IN ('account_move', 'account_move_line', 'res_partner',
                      'product_template', 'res_company', 'ir_module_module', 'ir_config_parameter')"""
        )
        return self.cr.fetchone()[0]


# What the docs send each role to, day by day. What is set up once is the manager's, under Configuration.
DAILY = set(
    """menu_overview menu_uninvoiced menu_bookings menu_completeness menu_invoice_run menu_proposal menu_service
    menu_customer menu_sync_issue menu_outbox menu_sync_run menu_setup_health""".split()
)
CONFIGURATION = set(
    "menu_connection menu_sync_setup menu_staff menu_setup_file menu_billing_flow".split()
)


@tagged("post_install", "-at_install")
class TestMethodRights(Screens, Methods, RolesCase):
    """Every public method checks for itself who calls it."""

    def let_in(self, calls):
        """What an employee without a role, a portal user or a visitor gets done, or is refused without a word."""
        for role in WITHOUT:
            for model, method in calls:
                record, before = self.record(model).with_user(self.users[role]), self.written()
                try:
                    with self.cr.savepoint():
                        getattr(record, method)(*self.arguments(model, method))
                except (AccessError, AccessDenied, MissingError) as error:
                    refused = bool(str(error))
                except UserError:
                    refused = method == "export_data"  # Odoo's own words for the same
                else:
                    refused = (model, method) in HARMLESS
                if not refused or self.written() != before:
                    yield f"{role} calls {model}.{method}"

    @mute_logger(*QUIET)
    def test_without_rights(self):
        """Every method checks who calls it, and one that does not is found."""
        calls = sorted(self.methods())
        self.assertGreater(len(calls), 30)
        self.assertEqual([*self.let_in(calls)], [])
        ours = next(
            cls
            for cls in self.env.registry["bookings.booking"].mro()
            if cls.__module__.startswith("odoo.addons.bookings_invoicing.models.booking")
        )

        def action_planted(self):
            return True

        with patch.object(ours, "action_planted", action_planted, create=True):
            planted = self.methods() - {*calls}
            self.assertEqual(planted, {("bookings.booking", "action_planted")})
            self.assertEqual(len([*self.let_in(planted)]), len(WITHOUT))

    @mute_logger(*QUIET)
    def test_auditors_change_nothing(self):
        """Whatever an auditor calls, openers included, no row changes."""
        for model, method in sorted(self.methods()):
            record = self.record(model).with_user(self.users["auditor"])
            with self.subTest(model=model, method=method):
                before = self.written()
                try:
                    with self.cr.savepoint():
                        getattr(record, method)(*self.arguments(model, method))
                except (UserError, ValueError, TypeError, DatabaseError):
                    self.env.invalidate_all()
                self.assertEqual(self.written(), before)

    @mute_logger(*QUIET, "odoo.sql_db", "odoo.addons.bookings_invoicing.models.sync.schedule")
    def test_without_the_permission_every_action_only_reads(self):
        """Only GETs, batches of GETs, and sign-ins reach the wire, whatever is called and whatever waits to be written."""
        connection, sent = self.connection.sudo(), []
        connection.may_write = True
        self.setup.write_invoice = True
        self.own["account.move"].action_post()
        self.assertTrue(self.env["bookings.outbox"].search([("setup_id", "=", self.setup.id)]))
        connection.may_write = False
        send = SandboxAdapter.send

        def record(adapter, request, **kwargs):
            sent.append(request)
            return send(adapter, request, **kwargs)

        with patch.object(SandboxAdapter, "send", record):
            for model, method in sorted(self.methods()):
                record_of = self.record(model).with_user(self.users["manager"])
                self.tried(record_of, method, self.arguments(model, method))
            setups = self.env["bookings.sync.setup"]
            self.tried(OutboxJob(self.setup._for_sync(), "cron"), "send")
            for cron in ("_cron_sync", "_cron_refresh", "_cron_auto_draft"):
                self.tried(setups, cron)
            service_notes = graph.ServiceNotes(connection._client(), self.setup.business_id)
            with self.assertRaises(graph.SecurityError):
                service_notes.write(self.own["bookings.booking"].appointment_id, "x")
            self.assertFalse([one for one in sent if not self.is_read(one)])
            self.assertGreater(len(sent), 50)
            connection.may_write = True
            with (
                self.enter_registry_test_mode()
            ):  # the sandbox keeps what is written with its own cursor
                OutboxJob(self.setup._for_sync(), "cron").send()
        self.assertEqual([one.method for one in sent if not self.is_read(one)], ["PATCH"])

    def tried(self, record, method, args=()):
        """Call it and take back what it did; returns what it raised, for plausible arguments may make no sense."""
        with self.cr.savepoint() as savepoint:
            try:
                getattr(record, method)(*args)
                return None
            except Exception as error:  # noqa: BLE001
                return error
            finally:
                savepoint.rollback()
                self.env.invalidate_all()

    def is_read(self, request):
        """Whether a request that leaves is one that reads, told by its bytes alone."""
        if request.url.startswith(LOGIN_URL):
            return "/oauth2/v2.0/token" in request.url or request.method == "GET"
        if request.method == "POST" and request.url == f"{GRAPH_URL}/$batch":
            return {item["method"] for item in json.loads(request.body)["requests"]} == {"GET"}
        return request.method == "GET"

    def test_rows_of_embedded_lists_open_a_readable_form_or_nothing(self):
        """Without a form of ours, Odoo would open one with all fields, and let users change it."""
        views = self.our_views().filtered(lambda view: view.type == "form")
        with_form = set(views.mapped("model"))
        for view in views:
            arch = etree.fromstring(self.env[view.model].get_view(view.id, "form")["arch"])
            for rows in arch.xpath(
                "//field/list[not(@no_open) and not(@editable) and not(../form)]"
            ):
                field = self.env[view.model]._fields[rows.getparent().get("name")]
                if field.comodel_name.startswith("bookings."):
                    with self.subTest(view=view.xml_id, field=field.name):
                        self.assertIn(field.comodel_name, with_form)

    @mute_logger(*QUIET)
    def test_every_button_works_for_whom_it_is_shown(self):
        """Exactly Odoo's Invoicing role, exactly its Administrator, its auditor: a button that is shown refuses nobody."""
        pressed = set()
        for role in ("auditor", "user", "manager"):
            for view in self.our_views():
                if not self.env[view.model].with_user(self.users[role]).has_access("read"):
                    continue
                for model, kind, name in sorted(self.buttons(view, self.users[role])):
                    record = self.record(model)
                    if (role, model, name) in pressed or (
                        not view.model.startswith("bookings.")
                        and (kind == "action" or not self.is_ours(model, name))
                    ):
                        continue
                    pressed.add((role, model, name))
                    with self.subTest(role=role, view=view.xml_id, button=name, model=model):
                        try:
                            with self.cr.savepoint():
                                self.press(model, kind, name, record, self.users[role])
                        except UserError as error:
                            # any other says in words that it is not for this record
                            self.assertNotIsInstance(error, AccessError, "shown, but refused")
                        self.env.invalidate_all()
        for role, least in (("auditor", 5), ("user", 40), ("manager", 70)):
            self.assertGreater(sum(who == role for who, *_button in pressed), least, role)

    def test_records_of_every_menu_are_cards_on_a_phone(self):
        for name in [*DAILY, "menu_staff"]:
            with self.subTest(name):
                action = self.env.ref(f"bookings_invoicing.{name}").action
                if action._name == "ir.actions.act_window":
                    self.assertIn("kanban", action.view_mode.split(","))

    def test_every_menu_of_the_docs_is_there(self):
        for role, wanted in (
            ("auditor", DAILY),
            ("user", DAILY),
            ("manager", DAILY | CONFIGURATION),
        ):
            with self.subTest(role=role):
                self.assertFalse(wanted - self.menus(self.users[role]))
        self.assertFalse(CONFIGURATION & self.menus(self.users["user"]))


@tagged("post_install", "-at_install")
class TestRolesOverRpc(Methods, RolesCase, HttpCase):
    """The matrix and the methods once more from outside, over JSON-RPC."""

    frozen = False

    def call(self, model, method, args):
        answer = self.url_open(
            f"/web/dataset/call_kw/{model}/{method}",
            json={
                "jsonrpc": "2.0",
                "method": "call",
                "params": {"model": model, "method": method, "args": args, "kwargs": {}},
            },
        ).json()
        return answer.get("error", {}).get("data", {}).get("name", "")

    @mute_logger(*QUIET)
    def test_matrix(self):
        denied = "odoo.exceptions.AccessError"
        for role in (*ROLES, "internal", "portal"):
            self.authenticate(f"role_{role}", f"role_{role}")
            for model, rights in MATRIX.items():
                allowed = dict(zip(ROLES, rights, strict=True)).get(role, "")
                own, foreign = self.own[model].ids, self.foreign[model].ids
                with self.subTest(role=role, model=model):
                    self.assertEqual(
                        self.call(model, "read", [own, ["id"]]) == denied, "R" not in allowed
                    )
                    self.assertEqual(
                        self.call(model, "write", [own, {}]) == denied, "W" not in allowed
                    )
                    self.assertEqual(self.call(model, "read", [foreign, ["id"]]), denied)
                    self.assertEqual(self.call(model, "write", [foreign, {}]), denied)
                    self.assertEqual(self.call(model, "unlink", [foreign]), denied)
                    if "C" not in allowed:
                        self.assertEqual(self.call(model, "create", [[{}]]), denied)
                    if "D" not in allowed:
                        self.assertEqual(self.call(model, "unlink", [own]), denied)

    @mute_logger(*QUIET)
    def test_methods(self):
        self.authenticate(None, None)
        self.assertIn(
            "SessionExpired", self.call("bookings.booking", "action_create_invoices", [[1]])
        )
        for role in ("internal", "portal"):
            self.authenticate(f"role_{role}", f"role_{role}")
            for model, method in sorted(self.methods()):
                with self.subTest(role=role, model=model, method=method):
                    args = self.arguments(model, method)
                    if not getattr(getattr(self.env.registry[model], method), "_api_model", False):
                        args = [self.record(model).ids, *args]
                    self.assertIn(
                        self.call(model, method, args),
                        ("odoo.exceptions.AccessError", "odoo.exceptions.MissingError")
                        + (("odoo.exceptions.UserError",) if method == "export_data" else ())
                        + (("",) if (model, method) in HARMLESS else ()),
                    )

    @mute_logger(*QUIET)
    def test_private_methods_stay_private(self):
        self.authenticate("role_manager", "role_manager")
        for model, method in (
            ("bookings.sync.setup", "_sync_run"),
            ("bookings.connection", "_secret_text"),
            ("bookings.connection", "_client"),
            ("bookings.booking", "_invoice_all"),
        ):
            self.assertEqual(
                self.call(model, method, [self.own[model].ids]), "odoo.exceptions.AccessError"
            )
