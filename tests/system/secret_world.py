"""A life of secrets, run by test_secret_dump: entered, signed in with, refreshed, refused, read back.

Everything is logged at DEBUG to stderr. The last line of stdout is one JSON object: ``secrets`` ({name: text}) that
went through, and ``shown``, whatever an administrator gets to see of them.
"""

import json
import logging
import os
import sys
from urllib.parse import parse_qsl, urlsplit

import requests

from devtools.odoo_process import odoo_environment

CANARY = "canary-secret-Qx7~8Jh2"
PASSPHRASE = "canary-passphrase-Pw5~3Kd9"
TOKENS = ("access_token", "refresh_token", "id_token")


def live(env):
    """Three live connections, the sandbox tenant below their sessions; all tokens that it issues are noted."""
    from odoo.addons.bookings_invoicing import sandbox
    from odoo.addons.bookings_invoicing.models.connection.connection import BookingsConnection

    tenant = sandbox.Tenant(anchor="2026-03-12")
    app = sandbox.make_app(tenant)
    app.login.secrets += (CANARY,)
    secrets = {"client secret": CANARY, "passphrase": PASSPHRASE}

    def noting(environ, start_response):
        body = b"".join(app(environ, start_response))
        if environ["PATH_INFO"].endswith("/token"):
            answer = json.loads(body)
            for name in TOKENS:
                if answer.get(name):
                    secrets[f"{name} {len(secrets)}"] = answer[name]
        return [body]

    def session(_self=None):
        made = requests.Session()
        sandbox.mount(made, noting)
        return made

    BookingsConnection._session = session
    values = {
        "mode": "live",
        "cloud": "custom",
        "tenant_id": sandbox.TENANT_ID,
        "client_id": sandbox.CLIENT_ID,
    }
    pem, key = certificate()
    secrets["private key"] = key
    made = env["bookings.connection"].create(
        [
            {"name": "Secret", "client_secret": CANARY, **values},
            {
                "name": "Certificate",
                "auth_method": "certificate",
                "certificate_pem": pem,
                "certificate_passphrase": PASSPHRASE,
                **values,
            },
            {"name": "User", "auth_method": "delegated", "client_secret": CANARY, **values},
        ]
    )
    env.cr.commit()
    return tenant, made, session, secrets


def certificate():
    """``(PEM, a line of its private key)``."""
    from odoo.addons.bookings_invoicing import graph
    from odoo.addons.bookings_invoicing.tests.connection_common import make_certificate

    pem = make_certificate(PASSPHRASE)[0]
    return pem, graph.plain_pem(pem, PASSPHRASE).splitlines()[3]


def sign_in(env, connection, session, secrets):
    """Through Microsoft's page and back; the code is used up, the verifier of a second try is left lying."""
    for _again in range(2):
        address = connection.action_sign_in()["url"]
        env.cr.commit()
        answer = session().get(address, allow_redirects=False)
        query = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        secrets[f"code {_again}"] = query["code"]
    env["bookings.connection"]._finish_sign_in(query)
    env.cr.commit()


def use(env, tenant, connections):
    """Synchronize with each, with the secret and with a wrong one, and with a token that has to be refreshed."""
    for connection, business in zip(connections, tenant.businesses, strict=False):
        connection.action_test()
        setup = env["bookings.sync.setup"].create(
            {
                "name": connection.name,
                "connection_id": connection.id,
                "business_id": business["id"],
                "bill_from": "2026-01-01",
            }
        )
        env.cr.commit()
        run = setup._sync_run()
        assert run.state in ("done", "partial"), run.error
        env.cr.commit()
    user = connections[2]
    user._client().tokens.token(force=True)
    env.cr.commit()
    connections[0].client_secret = f"{CANARY}-wrong"
    connections[0].action_test()
    connections[0].client_secret = CANARY
    env.cr.commit()


def shown(env, connections):
    """What an administrator reads of the connections and of all that is ours."""
    found = [connections.read(), connections.copy_data(), connections.fields_get()]
    found.append(connections.export_data(["name", "client_secret", "certificate_pem"]))
    for name in sorted(env.registry):
        model = env[name]
        if name.startswith("bookings.") and model._auto and model.has_access("read"):
            found.append(model.with_context(active_test=False).search([], limit=500).read())
    messages = connections.message_ids
    found += [messages.read(["body", "subject"]), messages.tracking_value_ids.read()]
    return repr(found)


def main(database):
    with odoo_environment(database, "debug") as root:
        handler = logging.StreamHandler(sys.stderr)
        logging.root.handlers = [handler]
        for name in ("", *list(logging.root.manager.loggerDict)):
            logging.getLogger(name or None).setLevel(logging.DEBUG)
        if not os.environ["BOOKINGS_SECRET_KEY"]:
            # Queries hold what is stored: looked at where that is sealed.
            logging.getLogger("odoo.sql_db").setLevel(logging.INFO)
        env = root(user=root.ref("base.user_admin"))
        tenant, connections, session, secrets = live(env)
        sign_in(env, connections[2], session, secrets)
        use(env, tenant, connections)
        print(json.dumps({"secrets": secrets, "shown": shown(env, connections)}))


if __name__ == "__main__":
    main(sys.argv[1])
