import base64
from datetime import date, timezone
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from ... import graph, sandbox
from ...models.base.graph_errors import tell
from ..common import NOW
from ..connection_common import LiveCase, make_certificate

STEPS = ("token", "permission", "businesses", "business", "services", "customers", "calendar")


@tagged("post_install", "-at_install")
class TestConnectionChecklist(LiveCase):
    """Test connection: every step with a tick, or with what to do next."""

    def test_every_step_works(self):
        answer = self.live.action_test()
        self.assertEqual(self.results(), dict.fromkeys(STEPS, "ok"))
        self.assertEqual(self.live.state, "connected")
        self.assertEqual(answer["params"]["type"], "success")
        lines = answer["params"]["message"].splitlines()
        self.assertEqual([line[0] for line in lines if line], ["✓"] * len(STEPS))
        self.assertRegex(lines[-1], "Calendar: .*can be read")
        self.assertEqual(answer["params"]["className"], "text-prewrap", "else they run together")

    def test_sandbox_passes_its_own_test(self):
        self.connection.action_test()
        self.assertEqual(self.results(self.connection), dict.fromkeys(STEPS, "ok"))

    def test_each_fault_says_what_to_do(self):
        """Wrong secret, secret's id, tenant, client, consent, business: the first broken step names the next action."""
        cases = {
            "secret": (
                {"client_secret": "3f6e7a52-1111-4000-8000-000000000000"},
                "token",
                "“Value” of the secret",
            ),
            "tenant": (
                {"tenant_id": "5a4db0c5-dead-4000-8000-000000000000"},
                "token",
                "tenant does not exist",
            ),
            "client": (
                {"client_id": "5a4db0c5-dead-4000-8000-000000000000"},
                "token",
                "no app with this client ID",
            ),
            "nothing": ({"tenant_id": False}, "settings", "Fill in Tenant ID"),
        }
        for name, (values, step, sentence) in cases.items():
            with self.subTest(name), self.cr.savepoint() as savepoint:
                self.live.write(values)
                answer = self.live.action_test()
                failed = self.live.check_ids.filtered(lambda check: check.result == "failed")
                self.assertEqual(failed.step, step)
                self.assertIn(sentence, failed.message)
                self.assertEqual(
                    (self.live.state, self.live.error_message), ("attention", failed.message)
                )
                self.assertEqual(
                    (answer["params"]["type"], answer["params"]["message"]),
                    ("danger", failed.message),
                )
                savepoint.rollback()
                self.env.invalidate_all()

    def test_a_change_makes_the_last_test_void(self):
        """Another secret or way to sign in: neither the error nor the steps of the last test stay."""
        for values in (
            {"client_secret": "another"},
            {"auth_method": "delegated"},
            {"client_id": "5a4db0c5-dead-4000-8000-000000000000"},
        ):
            with self.subTest(values):
                self.app.login.permissions = ()
                self.addCleanup(setattr, self.app.login, "permissions", ("Bookings.Read.All",))
                self.live.action_test()
                self.assertTrue(self.live.error_message and self.live.check_date)
                self.live.write(values)
                self.assertEqual(self.live.state, "draft")
                self.assertFalse(
                    self.live.error_message or self.live.check_date or self.live.check_ids
                )

    def test_what_microsoft_entra_needs_is_on_the_form(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "http://odoo.example.com")
        self.assertEqual(self.live.permission_name, "Bookings.Read.All")
        self.assertTrue(self.live.redirect_uri_refused)
        self.env["ir.config_parameter"].set_param("web.base.url", "https://odoo.example.com/")
        self.env.invalidate_all()
        self.assertFalse(self.live.redirect_uri_refused)
        self.assertEqual(
            self.live.redirect_uri, "https://odoo.example.com/bookings_invoicing/oauth/callback"
        )

    def test_expired_secret(self):
        self.app.login.expired_secrets = (sandbox.CLIENT_SECRET,)
        self.addCleanup(setattr, self.app.login, "expired_secrets", ())
        self.live.action_test()
        self.assertIn("has expired", self.live.check_ids[0].message)
        self.assertEqual(set(self.live.check_ids[1:].mapped("result")), {"skipped"})

    def test_missing_permission(self):
        self.app.login.permissions = ()
        self.addCleanup(setattr, self.app.login, "permissions", ("Bookings.Read.All",))
        self.live.action_test()
        self.assertEqual(self.results()["permission"], "failed")
        self.assertIn("Grant admin consent", self.live.error_message)

    def test_business_not_found(self):
        self.env["bookings.sync.setup"].create(
            {
                "name": "Gone",
                "connection_id": self.live.id,
                "business_id": "gone@x.example",
                "company_id": self.company.id,
            }
        )
        self.live.action_test()
        self.assertEqual(self.results()["business"], "failed")
        self.assertIn("does not exist", self.live.error_message)

    def test_newcomer_is_led_from_step_to_step(self):
        self.assertEqual(self.live.next_step, "Test the connection.")
        self.live.action_test()
        self.live.invalidate_recordset(["next_step"])
        self.assertIn("Find the Bookings businesses", self.live.next_step)
        empty = self.env["bookings.connection"].create({"name": "New"})
        self.assertIn("Register the app", empty.next_step)

    def test_errors_speak_the_language_of_the_reader(self):
        """In English word for word what the log says; Microsoft's code stays in every language."""
        for kind in graph.SENTENCES:
            error = graph.GraphError(
                kind=kind, host="graph.example", code="AADSTS1", request_id="r-1"
            )
            self.assertEqual(tell(self.env, error), str(error), kind)
        self.env["res.lang"]._activate_lang("da_DK")
        danish = tell(
            self.env(context={"lang": "da_DK"}),
            graph.GraphError(kind="key_mismatch", code="AADSTS1"),
        )
        self.assertNotIn(graph.SENTENCES["key_mismatch"], danish)
        self.assertIn("AADSTS1", danish)

    def test_a_stored_result_speaks_the_language_of_the_reader(self):
        """Whoever tested: a scheduled action has no language, and two administrators may have two."""
        self.env["res.lang"]._activate_lang("da_DK")
        self.app.login.permissions = ()
        self.addCleanup(setattr, self.app.login, "permissions", ("Bookings.Read.All",))
        danish = self.live.with_context(lang="da_DK")
        answer = danish.action_test()["params"]["message"]
        self.assertIn("Giv administratorsamtykke", answer)
        self.assertIn("Grant admin consent", self.live.error_message, "as the log says it")
        self.assertIn("Grant admin consent", self.live.read(["error_message"])[0]["error_message"])
        self.assertEqual(danish.read(["error_message"])[0]["error_message"], answer)
        self.assertEqual(danish.next_step, answer)
        messages = [row["message"] for row in danish.check_ids.read(["message"])]
        self.assertIn("Microsoft accepterer logonet.", messages)
        self.assertIn("Ikke prøvet, fordi et tidligere trin mislykkedes.", messages)

    def test_custom_cloud_only_by_the_server(self):
        """Endpoints come from the server's configuration; without it the connection says which key is missing."""
        with patch.dict("os.environ", {"BOOKINGS_GRAPH_URL": ""}):
            self.live.action_test()
        self.assertIn("BOOKINGS_GRAPH_URL", self.live.error_message)


@tagged("post_install", "-at_install")
class TestConnectionBusinesses(LiveCase):
    def test_found_by_text_and_by_address(self):
        finder = self.env["bookings.business.finder"].browse(
            self.live.action_find_businesses()["res_id"]
        )
        self.assertEqual(
            set(finder.line_ids.mapped("business_id")), {b["id"] for b in self.tenant.businesses}
        )
        finder.query = self.tenant.businesses[1]["displayName"][:6]
        finder.action_search()
        self.assertIn(self.tenant.businesses[1]["id"], finder.line_ids.mapped("business_id"))
        finder.address = f" {self.tenant.businesses[1]['id']} "
        setup = self.env["bookings.sync.setup"].browse(finder.action_use_address()["res_id"])
        self.assertEqual(setup.currency_id.name, self.tenant.businesses[1]["defaultCurrencyIso"])

    def test_unknown_address(self):
        finder = self.env["bookings.business.finder"].create(
            {"connection_id": self.live.id, "address": "no@x.example"}
        )
        with self.assertRaisesRegex(UserError, "does not exist"):
            finder.action_use_address()

    def test_a_full_list_asks_for_a_search(self):
        """Graph lists 500 at most, or refuses to list at all: both ask for a part of the name."""
        client = "odoo.addons.bookings_invoicing.graph.BookingsClient.businesses"
        many = [
            graph.Business(f"b{n}@x.example", f"B{n}", None, None, "", "", "", "")
            for n in range(500)
        ]
        for answer in (
            {"return_value": many},
            {"side_effect": graph.GraphError(kind="too_many_businesses")},
        ):
            with patch(client, **answer):
                finder = self.env["bookings.business.finder"].browse(
                    self.live.action_find_businesses()["res_id"]
                )
            self.assertFalse(finder.is_complete)


@tagged("post_install", "-at_install")
class TestSandboxRecords(LiveCase):
    """An administrator looks into the sandbox's Bookings."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.administrator = new_test_user(cls.env, "administrator", "base.group_system")

    def listed(self):
        action = self.connection.with_user(self.administrator).action_view_sandbox()
        return self.env[action["res_model"]].search([("connection_id", "=", self.connection.id)])

    def test_what_it_holds_and_what_was_written(self):
        before = self.listed()
        self.assertEqual(set(before.mapped("written")), {False})
        now = NOW.replace(tzinfo=timezone.utc)
        truth = [self.tenant.truth(now, box.id) for box in self.tenant.mailboxes]
        for kind in ("customer", "service"):
            rows = before.filtered(lambda row, kind=kind: row.kind == kind)
            self.assertEqual(len(rows), sum(one[f"{kind}s"] for one in truth))
        self.assertTrue(all(before.filtered(lambda row: row.kind == "appointment").mapped("notes")))
        self.connection.sudo().may_write = True
        client, business = self.connection._client(), self.tenant.business_id
        graph.DirectoryWriter(client, business).create_service({"name": "New", "duration": 25})
        writer = graph.DirectoryWriter(self.connection._client(), business)
        key = next(iter(self.tenant.mailbox().customer_ids()))
        writer.write_customer(key, {"phone": "+45 1"})
        quiet = next(one for one in self.tenant.appointments if not one["serviceNotes"])
        graph.ServiceNotes(self.connection._client(), business).write(quiet["id"], "Room 2")
        after = self.listed()
        written = after.filtered("written")
        self.assertEqual(after[:3], written)
        appointment, customer, service = written.sorted("kind")
        self.assertEqual((customer.remote_id, customer.phone), (key, "+45 1"))
        self.assertEqual((service.name, service.minutes), ("New", 25))
        self.assertEqual((appointment.remote_id, appointment.notes), (quiet["id"], "Room 2"))
        self.assertEqual(len(after), len(before) + 2)

    def test_for_administrators_of_a_sandbox(self):
        with self.assertRaises(UserError):
            self.live.action_view_sandbox()
        manager = new_test_user(self.env, "manager", "account.group_account_manager")
        with self.assertRaises(AccessError):
            self.connection.with_user(manager).action_view_sandbox()
        with self.assertRaises(AccessError):
            self.env["bookings.sandbox.record"].with_user(manager).search([])


@tagged("post_install", "-at_install")
class TestConnectionCertificate(LiveCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.live.auth_method = "certificate"
        cls.pem, cls.thumbprint, cls.pfx = make_certificate()

    def test_a_stored_secret_is_no_certificate(self):
        self.assertFalse(self.live.has_secret)
        self.live.action_test()
        self.assertEqual(self.live.state, "attention")
        self.assertIn("Certificate", self.live.error_message)
        self.live.auth_method = "secret"
        self.assertTrue(self.live.has_secret, "the secret was kept")
        self.live.action_test()
        self.assertEqual(self.live.state, "connected")
        self.live.certificate_pem = self.pem
        self.assertFalse(self.live.has_secret, "a certificate is no secret")

    def test_pasted(self):
        self.live.certificate_pem = self.pem
        self.assertEqual(self.live.certificate_thumbprint, self.thumbprint)
        self.assertEqual(self.live.secret_expiry, date(2027, 1, 1))
        self.live.action_test()
        self.assertEqual(self.live.state, "connected")

    def test_uploaded_as_pfx_with_passphrase(self):
        pem, thumbprint, pfx = make_certificate("open sesame")
        self.live.write(
            {"certificate_file": base64.b64encode(pfx), "certificate_passphrase": "open sesame"}
        )
        self.assertEqual(self.live.certificate_thumbprint, thumbprint)
        self.live.write({"certificate_pem": pem, "certificate_passphrase": "open sesame"})
        self.assertEqual(self.live._credential().key_pair().thumbprint, thumbprint)

    def test_what_is_no_certificate_is_refused(self):
        other, _thumbprint, _pfx = make_certificate()
        key, certificate = self.pem.split("-----BEGIN CERTIFICATE-----")
        wrong = {
            "no private key": "-----BEGIN CERTIFICATE-----" + certificate,
            "no certificate": key,
            "does not belong": key
            + "-----BEGIN CERTIFICATE-----"
            + other.split("-----BEGIN CERTIFICATE-----")[1],
        }
        for sentence, text in wrong.items():
            with self.subTest(sentence), self.assertRaisesRegex(UserError, sentence):
                self.live.certificate_pem = text
        encrypted, _thumbprint, pfx = make_certificate("open sesame")
        for values in ({"certificate_pem": encrypted}, {"certificate_file": base64.b64encode(pfx)}):
            with self.assertRaisesRegex(UserError, "cannot be read"):
                self.live.write({**values, "certificate_passphrase": "wrong"})

    def test_microsoft_does_not_know_it(self):
        self.live.certificate_pem = self.pem
        self.app.login.certificates = ()
        self.addCleanup(setattr, self.app.login, "certificates", None)
        self.live.action_test()
        self.assertIn("does not know this certificate", self.live.error_message)
