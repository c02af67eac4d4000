import json
from unittest.mock import patch
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ... import graph, sandbox, server_settings
from ...models.connection.sign_in import CALLBACK, LIFETIME
from ...models.connection.token_store import packed
from ..connection_common import LiveCase


class SignInCase(LiveCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.live.auth_method = "delegated"
        cls.manager = new_test_user(
            cls.env,
            "booking_manager",
            "account.group_account_manager",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )
        cls.other = new_test_user(
            cls.env,
            "other_manager",
            "account.group_account_manager",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )

    def setUp(self):
        super().setUp()
        self.app.login._used.clear()

    def start(self, user=None, hint=None):
        """Begin a sign-in and follow it through Microsoft's page: the query of the callback."""
        action = self.live.with_user(user or self.manager).action_sign_in()
        address = action["url"] + (f"&login_hint={hint}" if hint else "")
        self.env.flush_all()
        answer = self._live_session().get(address, allow_redirects=False)
        self.assertEqual(answer.status_code, 302)
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def tokens(self):
        """The kept sign-in as msal's cache, or an empty dict."""
        self.env.invalidate_all()
        kept = json.loads(self.live._secret_text("tokens") or "{}")
        return json.loads(kept.get("cache", "{}"))


@tagged("post_install", "-at_install")
class TestSignIn(SignInCase, HttpCase):
    """Sign in with Microsoft, through Odoo's HTTP server."""

    frozen = False

    def callback(self, params, user="booking_manager", method="GET"):
        if user:
            self.authenticate(user, user)
        else:
            self.authenticate(None, None)
        return self.opener.request(
            method,
            f"{self.base_url()}{CALLBACK}?{urlencode(params)}",
            allow_redirects=False,
            timeout=20,
        )

    def assert_refused(self, answer, status=400):
        self.assertEqual(answer.status_code, status)
        self.assertFalse(self.live.is_signed_in)

    def test_signed_in_and_shown(self):
        answer = self.callback(self.start())
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(
            urlsplit(answer.headers["Location"]).path, f"/odoo/bookings-connections/{self.live.id}"
        )
        self.live.invalidate_recordset()
        self.assertTrue(self.live.is_signed_in)
        self.assertEqual(self.live.sync_user_id, self.manager)
        self.assertEqual(self.live.sync_account, "astrid.vinter@harbourclinic.example")
        self.live.action_test()
        self.assertEqual(self.live.state, "connected", self.live.error_message)

    def test_the_user_can_be_changed(self):
        self.callback(self.start())
        self.callback(self.start(self.other, "nikolaj@harbourclinic.example"), "other_manager")
        self.live.invalidate_recordset()
        self.assertEqual(self.live.sync_user_id, self.other)
        self.assertEqual(self.live.sync_account, "nikolaj@harbourclinic.example")
        self.live.action_sign_out()
        self.assertFalse(self.live.is_signed_in)
        self.assertFalse(self.live.sync_user_id)

    def test_forged_callbacks(self):
        """No, wrong, foreign, doubled or replayed state, missing code, refusal, strangers: nothing is kept or repeated."""
        evil = "<script>alert('evil')</script>"
        good = self.start()
        attacks = {
            "nothing": {},
            "no state": {"code": good["code"]},
            "wrong state": {"code": good["code"], "state": "x" * 32},
            "empty state": {"code": good["code"], "state": ""},
            "long state": {"code": good["code"], "state": "x" * 5000},
            "a list as state": {"code": good["code"], "state[]": good["state"]},
            "an error without state": {"error": "access_denied", "error_description": evil},
            "script": {"code": evil, "state": evil, "session_state": evil},
        }
        for name, params in attacks.items():
            with self.subTest(name):
                answer = self.callback(params)
                self.assert_refused(answer)
                self.assertNotIn("evil", answer.text)
        doubled = self.opener.get(
            f"{self.base_url()}{CALLBACK}?{urlencode([*good.items(), ('state', 'other')])}",
            timeout=20,
        )
        self.assert_refused(doubled)
        # none of them has used up the good one
        self.assertEqual(self.callback(good).status_code, 303)

    def test_somebody_elses_state(self):
        """A state serves the user who began it, and no other can use it up."""
        good = self.start()
        self.assert_refused(self.callback(good, "other_manager"))
        self.assertEqual(self.callback(good).status_code, 303)

    def test_used_once(self):
        good = self.start()
        self.assertEqual(self.callback(good).status_code, 303)
        self.live.action_sign_out()
        self.assert_refused(self.callback(good))

    def test_a_refused_code_uses_the_state_up(self):
        good = self.start()
        self.assert_refused(self.callback(good | {"code": "invented"}))
        self.assert_refused(self.callback(good))

    def test_missing_code(self):
        good = self.start()
        self.assert_refused(self.callback({"state": good["state"]}))

    def test_expired(self):
        good = self.start()
        pending = self.env["bookings.connection.sign.in"].sudo().search([])
        pending.expires = fields.Datetime.now() - LIFETIME
        self.assert_refused(self.callback(good))
        self.assertFalse(pending.exists())

    def test_declined_at_microsoft(self):
        params = self.start(hint="denied@harbourclinic.example")
        self.assertEqual(params["error"], "access_denied")
        answer = self.callback(params)
        self.assert_refused(answer)
        self.assertIn("canceled or not allowed", answer.text)
        self.assertNotIn("AADSTS65004", answer.text)

    def test_extra_parameters_do_nothing(self):
        good = self.start() | {"redirect": "https://evil.example", "next": "//evil.example"}
        answer = self.callback(good)
        self.assertEqual(
            urlsplit(answer.headers["Location"]).path, f"/odoo/bookings-connections/{self.live.id}"
        )
        self.assertNotIn("evil", answer.headers["Location"])

    def test_not_logged_in_and_post(self):
        good = self.start()
        answer = self.callback(good, user=None)
        self.assertEqual(urlsplit(answer.headers["Location"]).path, "/web/login")
        with mute_logger("odoo.http"):
            self.assertEqual(self.callback(good, method="POST").status_code, 405)
        self.assertFalse(self.live.is_signed_in)

    def test_who_may_not_change_connections(self):
        good = self.start()
        self.manager.write({"group_ids": [fields.Command.set(self.env.ref("base.group_user").ids)]})
        self.assert_refused(self.callback(good), 403)

    def test_connection_repointed_meanwhile(self):
        good = self.start()
        self.live.auth_method = "secret"
        self.assert_refused(self.callback(good))

    def test_token_of_another_tenant(self):
        good = self.start()
        with patch(
            "odoo.addons.bookings_invoicing.sandbox.login.TENANT_ID",
            "5a4db0c5-dead-4000-8000-000000000000",
        ):
            self.assert_refused(self.callback(good))

    def test_conflict_after_redeeming_does_not_redeem_twice(self):
        """Odoo runs a request again after a conflict: the code is redeemed once, the sign-in kept all the same."""
        good = self.start()
        model = self.env.registry["bookings.connection"]
        flaky, original = [SerializationFailure()], model._keep_secret

        def keep_secret(connection, kind, text):
            if flaky:
                raise flaky.pop()
            return original(connection, kind, text)

        self.app.faults.journal.clear()
        with patch.object(model, "_keep_secret", keep_secret):
            self.assertEqual(self.callback(good).status_code, 303)
        redeemed = [request for request in self.app.faults.journal if request[1].endswith("/token")]
        self.assertEqual((len(redeemed), flaky), (1, []))
        self.live.invalidate_recordset()
        self.assertTrue(self.live.is_signed_in)


@tagged("post_install", "-at_install")
class TestSignInRights(SignInCase):
    def test_what_goes_to_the_browser(self):
        """The address holds a challenge and a state, never the verifier, the secret or anything of the database."""
        query = parse_qs(urlsplit(self.live.with_user(self.manager).action_sign_in()["url"]).query)
        self.assertEqual(query["code_challenge_method"], ["S256"])
        self.assertEqual(query["redirect_uri"], [self.live.redirect_uri])
        self.assertEqual(query.get("response_mode", ["query"]), ["query"])
        self.assertIn("Bookings.Read.All", query["scope"][0])
        self.assertNotIn("Write", query["scope"][0])
        kept = self.env["bookings.connection.sign.in"].sudo().search([])
        flow = json.loads(server_settings.unseal(kept.flow))
        self.assertNotIn(flow["code_verifier"], str(query))
        self.assertNotIn(flow["code_verifier"], kept.flow)
        self.assertNotEqual(kept.state_hash, flow["state"])

    def test_only_who_may_change_the_connection(self):
        clerk = new_test_user(
            self.env, "clerk", "account.group_account_invoice", company_id=self.company.id
        )
        with self.assertRaises(AccessError):
            self.live.with_user(clerk).action_sign_in()
        with self.assertRaises(AccessError):
            self.live.with_user(clerk).action_sign_out()

    def test_refreshed_and_rotated(self):
        """At the end of a token the next one is fetched with the kept refresh token, whose successor is kept."""
        self.app.login.strict_rotation = True
        self.addCleanup(setattr, self.app.login, "strict_rotation", False)
        self._sign_in()
        client = self.live._client()
        token = client.tokens.token()
        first = self.tokens()["RefreshToken"]
        self.assertEqual(self.live._client().tokens.token(), token)
        self.assertEqual(
            self.tokens()["RefreshToken"], first, "a token that is still good needs no refresh"
        )
        client.tokens.token(force=True)
        second = self.tokens()["RefreshToken"]
        self.assertNotEqual(second, first)
        self.live._client().tokens.token()
        self.assertEqual(self.tokens()["RefreshToken"], second)

    def test_a_worker_that_waited_uses_what_the_other_fetched(self):
        self._sign_in()
        one, two = self.live._client().tokens, self.live._client().tokens
        self.assertEqual(one.token(), two.token())
        fresh = one.token(force=True)
        kept = self.tokens()
        self.assertEqual(two.token(force=True), fresh)
        self.assertEqual(self.tokens(), kept)

    def test_revoked_needs_a_person(self):
        self._sign_in()
        cache = self.tokens()
        for token in cache["RefreshToken"].values():
            token["secret"] = "revoked"
        cache["AccessToken"] = {}
        self.live._keep_secret("tokens", packed(json.dumps(cache)))
        self.env.flush_all()
        with self.assertRaises(graph.AuthError) as caught:
            self.live._client().tokens.token()
        self.assertTrue(caught.exception.needs_admin)
        self.live.action_test()
        self.assertEqual(self.live.state, "attention")
        self.assertTrue(self.live.is_signed_in, "only a person throws a sign-in away")

    def test_another_tenant_or_app_ends_the_sign_in(self):
        for name in ("tenant_id", "client_id"):
            self._sign_in()
            self.live[name] = "5a4db0c5-dead-4000-8000-000000000000"
            self.assertFalse(self.live.is_signed_in)
            self.live.write({"tenant_id": sandbox.TENANT_ID, "client_id": sandbox.CLIENT_ID})

    def _sign_in(self):
        params = self.start()
        self.env["bookings.connection"].with_user(self.manager)._finish_sign_in(params)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertTrue(self.live.is_signed_in)
