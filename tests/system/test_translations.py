"""The translation templates hold every term, and Danish and French users see their language."""

import subprocess

import polib
import pytest

from devtools import databases
from devtools.paths import REPO, manifests


@pytest.fixture(scope="module")
def installed(environment):
    """A database with every addon of the repository."""
    needed = databases.dependencies(manifests())
    with databases.temporary(environment, "bookings_check", needed) as name:
        databases.install(environment, name, list(manifests()))
        yield name


@pytest.mark.parametrize("addon", manifests())
def test_template_has_every_term(addon, environment, installed, tmp_path):
    """The .pot equals what Odoo would export now; no term is left out of translation."""
    out = tmp_path / f"{addon}.pot"
    command = environment.odoo("i18n", "export", "-d", installed, "-o", out, addon)
    variables = environment.variables(**databases.wheels(environment, manifests()))
    done = subprocess.run(command, cwd=REPO, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    now = {entry.msgid for entry in polib.pofile(str(out))}
    kept = {entry.msgid for entry in polib.pofile(str(REPO / addon / "i18n" / f"{addon}.pot"))}
    assert now - kept == set(), "terms missing from the template; export it again"
    assert kept - now == set(), "terms in the template that are gone; export it again"
    assert now
