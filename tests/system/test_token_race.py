"""Many workers find an expired token at once: one refreshes it, the others use what it fetched.

The login host lets a refresh token be used once only, so a second use would end the sign-in for good.
"""

from .processes import result, run_script

RACE = """
import json, os, threading
from urllib.parse import parse_qsl
import requests
from cryptography.fernet import Fernet
from odoo.addons.bookings_invoicing import graph, sandbox
from odoo.addons.bookings_invoicing.models.connection.token_store import StoredTokens, packed

os.environ["BOOKINGS_SECRET_KEY"] = Fernet.generate_key().decode()
WORKERS, ROUNDS = 16, 10
app = sandbox.make_app(sandbox.Tenant(anchor="2026-03-12"), strict_rotation=True)

def session():
    made = requests.Session()
    sandbox.mount(made, app)
    return made

def transport():
    return graph.Transport(sandbox.SANDBOX_CLOUD, session=session())

credential = graph.ClientSecret(sandbox.TENANT_ID, sandbox.CLIENT_ID, sandbox.CLIENT_SECRET)
delegated = graph.Delegated(sandbox.TENANT_ID, sandbox.CLIENT_ID, credential)
uri, flow = graph.begin_sign_in(sandbox.SANDBOX_CLOUD, transport(), delegated, "https://odoo.example/back")
answer = session().get(uri, allow_redirects=False).headers["Location"]
params = dict(parse_qsl(answer.partition("?")[2]))
signed_in = graph.finish_sign_in(sandbox.SANDBOX_CLOUD, transport(), delegated, flow, params)
connection = env["bookings.connection"].create({"name": "Race", "auth_method": "delegated"})
connection._keep_secret("tokens", packed(signed_in.cache_text))
env.cr.commit()

refreshed, errors, tokens = [], [], set()
for round_number in range(ROUNDS):
    kept = json.loads(connection._secret_text("tokens"))
    connection._keep_secret("tokens", json.dumps(kept | {"access": None, "until": 0}))
    env.cr.commit()
    app.faults.journal.clear()
    gate = threading.Barrier(WORKERS)

    def work():
        source = StoredTokens(connection, sandbox.SANDBOX_CLOUD, transport(), credential)
        gate.wait()
        try:
            tokens.add((round_number, source.token()))
        except Exception as error:
            errors.append(repr(error))

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    refreshed.append(sum(1 for method, path in app.faults.journal if method == "POST" and "/token" in path))
    env.cr.rollback()
    env.invalidate_all()
connection.unlink()
env.cr.commit()
print("RESULT" + json.dumps({"refreshed": refreshed, "errors": errors, "tokens": len(tokens)}))
"""


def test_one_refresh_for_all(environment, addon_database):
    found = result(run_script(environment, addon_database, RACE))
    assert found["errors"] == []
    assert found["refreshed"] == [1] * 10
    assert found["tokens"] <= 10
