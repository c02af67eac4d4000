import base64
import contextlib
import io
import logging
import os
import re
from pathlib import Path
from unittest.mock import patch

from cryptography.fernet import Fernet

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import config, mute_logger

from ... import graph, server_settings
from ..connection_common import KEY, OLD_KEY, LiveCase, make_certificate

CANARY = "canary-secret-Qx7~8Jh2"
COLUMN = ("bookings_connection_secret", "sealed")


def dumped(cr, *needles):
    """Every ``(table, column)`` of the database whose text holds one of these texts, as a dump would show it."""
    cr.execute(
        """SELECT c.table_name, c.column_name FROM information_schema.columns c
             JOIN information_schema.tables t USING (table_schema, table_name)
            WHERE c.table_schema = current_schema AND t.table_type = 'BASE TABLE'
              AND c.data_type IN ('character varying', 'text', 'jsonb', 'json', 'bytea', 'ARRAY')"""
    )
    found = set()
    for table, column in cr.fetchall():
        shown = (
            f"""encode("{column}", 'escape')"""
            if column in ("db_datas", "raw")
            else f'"{column}"::text'
        )
        conditions = " OR ".join([f"position(%s in {shown}) > 0"] * len(needles))
        cr.execute(f'SELECT 1 FROM "{table}" WHERE {conditions} LIMIT 1', needles)
        if cr.rowcount:
            found.add((table, column))
    return found


@contextlib.contextmanager
def everything_logged():
    """All that any logger says at DEBUG, as one text in ``.getvalue()``, and nowhere else meanwhile."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(pathname)s"))
    loggers = [
        logging.getLogger(),
        *(logging.getLogger(name) for name in list(logging.root.manager.loggerDict)),
    ]
    levels = {logger: logger.level for logger in loggers}
    handlers, logging.root.handlers = logging.root.handlers, [handler]
    try:
        for logger in loggers:
            # the queries of the database hold what is stored, which is sealed: they are looked at as the dump is
            logger.setLevel(logging.DEBUG)
        yield stream
    finally:
        logging.root.handlers = handlers
        for logger, level in levels.items():
            logger.setLevel(level)


@tagged("post_install", "-at_install")
class TestSecrets(LiveCase):
    """A secret goes in and never comes out: not by reading, searching, exporting, copying, logging or dumping."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.app.login.secrets += (CANARY,)
        cls.live.client_secret = CANARY
        cls.system = new_test_user(
            cls.env,
            "settings",
            "base.group_system,account.group_account_manager",
            company_id=cls.company.id,
        )

    def test_the_client_gets_nothing_back(self):
        live = self.live.with_user(self.system)
        names = ("client_secret", "certificate_pem", "certificate_file", "certificate_passphrase")
        spec = {name: {} for name in [*names, "has_secret"]}
        saved = live.web_save({"client_secret": CANARY, "name": "Live"}, spec)
        created = live.web_save({"name": "Second", "client_secret": CANARY}, spec)
        copied = live.copy()
        shown = [
            saved,
            created,
            live.read(),
            live.web_read(spec),
            live.search_read([("id", "=", live.id)]),
            live.web_search_read([("id", "=", live.id)], spec),
            live.export_data(["name", *names, "has_secret"]),
            live.default_get(list(live._fields)),
            copied.read(),
            live.copy_data(),
            live.fields_get(),
            live.message_ids.mapped("body"),
            live.message_ids.tracking_value_ids.read(),
            live.get_views([(None, "form"), (None, "list")]),
            self.env["res.config.settings"].with_user(self.system).create({}).read(),
        ]
        self.assertNotIn(CANARY, repr(shown))
        self.assertTrue(saved[0]["has_secret"])
        self.assertFalse(copied.has_secret)

    def test_not_even_the_sealed_text_is_read(self):
        secret = self.env["bookings.connection.secret"]
        row = secret.sudo().search([("connection_id", "=", self.live.id)])
        for user in (self.system, self.env.ref("base.user_admin")):
            for attempt in (
                lambda rows: rows.read(["sealed"]),
                lambda rows: rows.search([]),
                lambda rows: rows.search_read([]),
                lambda rows: rows.export_data(["sealed"]),
                lambda rows: rows.write({"sealed": "clear:x"}),
                lambda rows: rows.copy(),
            ):
                with (
                    self.assertRaises(AccessError),
                    mute_logger("odoo.models", "odoo.addons.base.models.ir_rule"),
                ):
                    attempt(row.with_user(user))

    def test_no_oracle_in_searches(self):
        """Asking whether the secret begins with a text is refused, whoever asks and however."""
        live = self.live.with_user(self.system)
        for name in ("client_secret", "certificate_pem"):
            attempts = [
                lambda name=name, operator=operator: live.search([(name, operator, [CANARY])])
                for operator in ("in", "not in")
            ]
            attempts += [
                lambda name=name, operator=operator: live.search(
                    [(name, operator, CANARY[:4] + "%")]
                )
                for operator in ("like", "=like", "=ilike", "=")
            ]
            attempts += [
                lambda name=name: live.search([], order=name),
                lambda name=name: live._read_group([], [name]),
                lambda name=name: live.search(
                    [(f"setup_ids.connection_id.{name}", "like", CANARY[:4])]
                ),
            ]
            for number, attempt in enumerate(attempts):
                with self.subTest(name, number=number):
                    self.assertTrue(self._refused(attempt))

    def _refused(self, attempt):
        try:
            with self.cr.savepoint():
                attempt()
        except (ValueError, UserError, AccessError):
            return True
        return False

    def test_managers_do_not_touch_it(self):
        manager = new_test_user(
            self.env, "manager", "account.group_account_manager", company_id=self.company.id
        )
        live = self.live.with_user(manager)
        with self.assertRaises(AccessError):
            live.write({"client_secret": "mine"})
        self.assertNotIn("client_secret", live.fields_get())
        with self.assertRaises(AccessError):
            live.read(["client_secret"])
        with self.assertRaises(AccessError):
            live.action_reseal()
        self.assertEqual(self.live._secret_text("credential"), CANARY)

    def test_dump_and_attachments(self):
        """With a key the database holds neither the secret nor what it is made of; without, in one column only."""
        self.env.flush_all()
        needles = (CANARY, base64.b64encode(CANARY.encode()).decode(), CANARY.encode().hex())
        self.assertEqual(dumped(self.cr, *needles), set())
        pem, _thumbprint, _pfx = make_certificate()
        self.live.write(
            {"auth_method": "certificate", "certificate_file": base64.b64encode(pem.encode())}
        )
        self.env.flush_all()
        key_line = pem.splitlines()[3]
        self.assertEqual(
            dumped(self.cr, key_line, base64.b64encode(pem.encode()).decode()[:200]), set()
        )
        with patch.dict(os.environ, {server_settings.SECRET_KEY: ""}):
            self.live.write({"auth_method": "secret", "client_secret": CANARY})
            self.env.flush_all()
            self.assertEqual(dumped(self.cr, *needles), {COLUMN})
            self.assertTrue(self.live.key_missing)

    def test_logs_at_debug(self):
        """Saving, testing, failing: no logger of this process says the secret, a token or a header with one."""
        with everything_logged() as log, mute_logger("odoo.tests"):
            self.live.client_secret = CANARY
            self.live.action_test()
            client = self.live._client()
            token = client.tokens.token()
            self.live.client_secret = CANARY + "-wrong"
            self.live.action_test()
            self.env.flush_all()
            repr([client, client.tokens, self.live._credential(), client.transport])
        text = log.getvalue()
        self.assertIn("bookings", text)
        for secret in (CANARY, token):
            self.assertNotIn(secret, text)

    def test_errors_do_not_quote_it(self):
        self.live.client_secret = CANARY + "-wrong"
        with self.assertRaises(graph.AuthError) as caught:
            self.live._client().tokens.token()
        error = caught.exception
        self.assertNotIn(CANARY, f"{error!r} {error} {vars(error)} {error.__context__!r}")
        self.assertNotIn(CANARY, repr(self.live._credential()))

    # -- keys ------------------------------------------------------------------------------------------

    def test_key_rotation(self):
        """New key first, old one behind it: everything is encrypted anew, then the old one can go."""
        with patch.dict(os.environ, {server_settings.SECRET_KEY: OLD_KEY}):
            self.live.client_secret = CANARY
        with patch.dict(os.environ, {server_settings.SECRET_KEY: f"{KEY}, {OLD_KEY}"}):
            self.assertEqual(self.live._secret_text("credential"), CANARY)
            answer = self.live.with_user(self.system).action_reseal()
            self.assertIn("1 secrets", answer["params"]["message"])
            self.assertIn(
                "0 secrets", self.live.with_user(self.system).action_reseal()["params"]["message"]
            )
        self.assertEqual(self.live._secret_text("credential"), CANARY)

    def test_a_key_set_later_encrypts_what_was_clear(self):
        with patch.dict(os.environ, {server_settings.SECRET_KEY: ""}):
            self.live.client_secret = CANARY
        self.env["bookings.connection"]._cron_daily()
        self.env.flush_all()
        self.assertEqual(dumped(self.cr, CANARY), set())
        self.assertEqual(self.live._secret_text("credential"), CANARY)

    def test_lost_key(self):
        """The secret is asked for again, in words; nothing breaks, and nothing is stored in clear instead."""
        for key, sentence in (
            (Fernet.generate_key().decode(), "Enter it again"),
            ("no key at all", "Enter it again"),
        ):
            with self.subTest(key=key), patch.dict(os.environ, {server_settings.SECRET_KEY: key}):
                self.live.action_test()
                self.assertIn(sentence, self.live.error_message)
                self.live.read()
                self.env["bookings.connection"]._cron_daily()
        with (
            patch.dict(os.environ, {server_settings.SECRET_KEY: "no key at all"}),
            self.assertRaises(UserError),
        ):
            self.live.client_secret = CANARY

    def test_key_in_the_configuration_file(self):
        """A section of its own in odoo.conf, read by our own parser; the environment wins."""
        path = Path(self.env["ir.attachment"]._filestore()).parent / "bookings_test.conf"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.addCleanup(path.unlink, missing_ok=True)
        path.write_text(
            f"[options]\nworkers = 0\n\n[bookings_invoicing]\nbookings_secret_key = {OLD_KEY}\n"
        )
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("BOOKINGS_")
        }
        with (
            patch.dict(os.environ, environment, clear=True),
            patch.dict(config._runtime_options, {"config": str(path)}),
        ):
            self.assertEqual(server_settings.read_setting(server_settings.SECRET_KEY), OLD_KEY)
            self.assertTrue(server_settings.has_key())
            self.assertEqual(server_settings.cloud_settings(), {})
            with patch.dict(os.environ, {server_settings.SECRET_KEY: KEY}):
                self.assertEqual(server_settings.read_setting(server_settings.SECRET_KEY), KEY)

    # -- copies of the database --------------------------------------------------------------------------

    def test_neutralized(self):
        """The addon's neutralize.sql leaves no secret, no sign-in under way, and every setup paused."""
        self.live._keep_secret("tokens", CANARY)
        self.live.auth_method = "delegated"
        self.env.flush_all()
        script = Path(__file__).parents[2] / "data" / "neutralize.sql"
        for _twice in range(2):
            self.cr.execute(script.read_text())
        self.env.invalidate_all()
        self.assertFalse(self.live.has_secret or self.live.is_signed_in)
        self.assertEqual(self.live.state, "draft")
        self.assertTrue(all(self.env["bookings.sync.setup"].search([]).mapped("paused")))
        self.assertFalse(self.env["bookings.connection.secret"].sudo().search([]))

    def test_copy_of_a_database_synchronizes_nothing(self):
        setup = self._make_setup(
            connection_id=self.live.id, business_id=self.tenant.businesses[1]["id"]
        )
        self.env["ir.config_parameter"].sudo().set_param("database.uuid", "another")
        self.live.invalidate_recordset()
        self.assertTrue(self.live.is_foreign_database)
        self.app.faults.journal.clear()
        run = setup._sync_run()
        self.assertEqual(run.state, "failed")
        self.assertIn("copy", setup.error_message)
        self.live.action_test()
        self.assertEqual(self.app.faults.journal, [], "nothing may leave a copy")
        with self.assertRaises(AccessError):
            self.live.with_user(
                new_test_user(
                    self.env, "m2", "account.group_account_manager", company_id=self.company.id
                )
            ).action_confirm_database()
        self.live.with_user(self.system).action_confirm_database()
        self.assertEqual(setup._sync_run().state, "done")

    def test_a_raw_copy_has_the_same_uuid_and_is_noticed_all_the_same(self):
        """``CREATE DATABASE ... TEMPLATE`` under another name; a dump under the same name on another server."""
        connections = type(self.live)
        uuid = self.live._this_database()["database_uuid"]
        name, cluster = self.cr.dbname, self.live.database_cluster
        self.assertTrue(cluster.isdigit(), "the user of these tests may read the cluster")
        for here, foreign in (
            ((uuid, name, cluster), False),
            ((uuid, "copy", cluster), True),
            ((uuid, name, "7000000000000000000"), True),
            ((uuid, name, False), False),  # not readable: says nothing
            (("another", name, cluster), True),
        ):
            known = dict(
                zip(("database_uuid", "database_name", "database_cluster"), here, strict=True)
            )
            with (
                self.subTest(known),
                patch.object(connections, "_this_database", lambda _, known=known: known),
            ):
                self.live.invalidate_recordset()
                self.assertEqual(self.live.is_foreign_database, foreign)
                if foreign:
                    self.live.with_user(self.system).action_confirm_database()
                    self.assertFalse(self.live.is_foreign_database)
            self.live.with_user(self.system).action_confirm_database()


@tagged("post_install", "-at_install")
class TestSecretsOverHttp(LiveCase, HttpCase):
    """The same through the web client's own doors, with what the server logs and answers."""

    frozen = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.live.client_secret = CANARY
        new_test_user(
            cls.env,
            "settings",
            "base.group_system,account.group_account_manager",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )

    def test_saving_exporting_and_failing(self):
        self.authenticate("settings", "settings")
        with everything_logged() as log, mute_logger("odoo.tests"):
            answers = [
                self._call(
                    "web_save",
                    [[self.live.id], {"client_secret": CANARY}],
                    {"specification": {"client_secret": {}}},
                ),
                self._call(
                    "write", [[self.live.id], {"client_secret": CANARY, "nonsense": CANARY[:0]}]
                ),
                self._call("search", [[["client_secret", "like", CANARY[:6] + "%"]]]),
                self._call("read", [[self.live.id], ["client_secret"]]),
                self._call("export_data", [[self.live.id], ["client_secret", "name"]]),
            ]
        body = "".join(answer.text for answer in answers[:2] + answers[3:])
        self.assertNotIn(CANARY, body)
        calls = re.findall(r"odoo\.service\.model call [^\n]*", log.getvalue())
        self.assertTrue(calls)
        self.assertNotIn(CANARY, log.getvalue())

    def _call(self, method, args, kwargs=None):
        params = {
            "model": "bookings.connection",
            "method": method,
            "args": args,
            "kwargs": kwargs or {},
        }
        return self.url_open(
            f"/web/dataset/call_kw/bookings.connection/{method}",
            json={"jsonrpc": "2.0", "method": "call", "params": params},
        )
