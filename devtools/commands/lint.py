"""``./dev lint``: ruff, vermin, the checks of the OCA, and our own of definitions, translations, and file sizes."""

import os
import subprocess

from .. import odoo_source, pyenv
from ..console import DevError, say
from ..paths import REPO, cache, manifests

# Parts of an addon without Odoo, and tests. Their read() and copy() do not override the ORM's, and
# errors in tests are not translated.
PLAIN = ("graph", "billing", "sandbox", "tests")
ORM_ONLY = "method-required-super,missing-return,print-used,translation-required"
# The oldest Python that runs Odoo 19. ruff checks its grammar, vermin its standard library.
PYTHON = "3.10"
# vermin confuses this class of Odoo with a built-in of a later Python.
NOT_BUILT_IN = "frozendict"
# Styles of XML that differ in Odoo's own files.
FORM = "xml-header-wrong,xml-tag-position,xml-field-numeric-without-eval"
# The repository has one README for all addons, and models are split by concept.
NOT_OURS = "missing-readme,consider-merging-classes-inherited"


def main(args):
    """Run all checks, even after one has failed, and return 0 if all pass."""
    if args:
        raise DevError("./dev lint takes no arguments")
    cache().mkdir(parents=True, exist_ok=True)
    root = odoo_source.root()
    bin_dir = pyenv.venv(root) / "bin"
    addons = list(manifests())
    if not addons:
        raise DevError("there is no addon here to check")
    pylint = (bin_dir / "python", "-m", "pylint")
    checks = {
        "ruff check": [bin_dir / "ruff", "check", "--no-cache", "."],
        "ruff format": [bin_dir / "ruff", "format", "--no-cache", "--check", "."],
        f"Python {PYTHON}": [
            *(bin_dir / "vermin", f"--target={PYTHON}-", "--violations", "--quiet", "--no-tips"),
            *("--eval-annotations", "--exclude", NOT_BUILT_IN, "."),
        ],
        "OCA": [bin_dir / "oca-checks-odoo-module", f"--disable={FORM}", *addons],
        "pylint-odoo": [*pylint, f"--disable={NOT_OURS}", f"--ignore-paths={_plain()}", *addons],
        "pylint-odoo, plain code": [
            *(*pylint, f"--disable={NOT_OURS},{ORM_ONLY}"),
            *(path for addon in addons for part in PLAIN if (path := REPO / addon / part).is_dir()),
        ],
        "definitions, translations, sizes": [bin_dir / "python", "-m", "devtools.lint", *addons],
    }
    failed = [name for name, command in checks.items() if not _passes(name, command)]
    say(f"lint: {', '.join(failed)} failed" if failed else "lint: clean")
    return 1 if failed else 0


def _plain():
    return rf"[^/]+/({'|'.join(PLAIN)})/.*"


def _passes(name, command):
    say(name)
    environment = {**os.environ, "PYTHONNOUSERSITE": "1"}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run([str(part) for part in command], cwd=REPO, env=environment)
    return done.returncode == 0
