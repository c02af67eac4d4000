"""The key of the secrets in the server's configuration file, as the documentation shows it: Odoo starts without a word."""

import re
import subprocess

import pytest
from cryptography.fernet import Fernet

from devtools.odoo_log import complaints
from devtools.paths import REPO

DOCS = (REPO / "docs" / "data-protection.md").read_text()
USE = """
connection = env["bookings.connection"].create({"name": "Live", "client_secret": "canary-secret"})
env.flush_all()
env.cr.execute("SELECT sealed FROM bookings_connection_secret")
from odoo.addons.bookings_invoicing import server_settings
assert server_settings.cloud_settings() == {"BOOKINGS_GRAPH_URL": "https://graph.gateway.example/v1.0"}
print("SEALED", env.cr.fetchone()[0][:7], connection._secret_text("credential"))
"""


@pytest.fixture
def odoo(environment, database, tmp_path):
    """Run Odoo with the lines given at the end of its configuration file, nothing of ours in the environment."""

    def run(lines, *words, script=""):
        path = tmp_path / "odoo.conf"
        path.write_text(environment.conf.read_text() + lines)
        variables = environment.variables()
        variables = {
            name: value
            for name, value in variables.items()
            if name != "ODOO_RC" and (not name.startswith("BOOKINGS_") or name.endswith("CACHE"))
        }
        command = environment.odoo(*words[:1], "-c", path, "-d", database, *words[1:])
        done = subprocess.run(
            command, cwd=REPO, env=variables, input=script, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done

    return run


def test_the_documented_section(odoo):
    """Installed, started again and used: no warning, and secrets are encrypted with that key."""
    section = re.search(r"```\n(\[bookings_invoicing\]\nBOOKINGS_SECRET_KEY = )\.\.\.\n```", DOCS)
    lines = f"\n{section[1]}{Fernet.generate_key().decode()}\n"
    lines += "BOOKINGS_GRAPH_URL = https://graph.gateway.example/v1.0\n"
    for words in (("-i", "bookings_invoicing"), ("-u", "bookings_invoicing"), ()):
        log = odoo(lines, "server", *words, "--stop-after-init", "--no-http").stderr
        assert "Initiating shutdown" in log
        assert not complaints(log)
        assert "BOOKINGS" not in log
    used = odoo(lines, "shell", script=USE)
    assert "SEALED fernet: canary-secret" in used.stdout, used.stderr[-3000:]
    assert not complaints(used.stderr)


def test_the_same_key_among_odoos_own_options(odoo):
    """Why it has a section: Odoo complains of options that it does not know."""
    lines = f"\nbookings_secret_key = {Fernet.generate_key().decode()}\n"
    log = odoo(lines, "server", "--stop-after-init", "--no-http").stderr
    assert any("bookings_secret_key" in text for text in complaints(log))
