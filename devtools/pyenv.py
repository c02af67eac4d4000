"""The Python environment: a venv with Odoo's and our requirements in fixed versions."""

import hashlib
import os
import shutil
import subprocess
import sys

from . import odoo_source
from .console import DevError, link_atomic, locked, run, step
from .paths import REPO, cache, locks

REQUIREMENTS = (REPO / "requirements.txt", REPO / "devtools" / "requirements.txt")
CONSTRAINTS = REPO / "devtools" / "constraints.txt"
NETWORK = "Is the network up, and can pip reach a package index (pip config list)?"


def venv(odoo_root):
    """Return the folder of the venv for an Odoo, and create it if necessary. Raises DevError."""
    target = cache() / f"venv-{_key(odoo_root)}"
    stamp = target / ".complete"
    if not stamp.exists():
        with locked(locks(), "venv"):
            if not stamp.exists():
                _install(target, odoo_root)
                stamp.touch()
    link_atomic(cache() / "venv", target.name)
    return target


def python(odoo_root):
    """Return the interpreter that can import Odoo and its requirements."""
    return venv(odoo_root) / "bin" / "python"


def _key(odoo_root):
    digest = hashlib.sha256(f"{sys.version_info[:3]}{odoo_root}".encode())
    for path in (*REQUIREMENTS, CONSTRAINTS):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def _install(target, odoo_root):
    if sys.version_info >= (3, 14):
        raise DevError("Odoo 19 runs on Python 3.10 to 3.13; start ./dev with one of these.")
    # A venv cannot be moved, so it is created in place and is valid only once it has its stamp.
    for unfinished in cache().glob("venv-*"):
        if not (unfinished / ".complete").exists():
            shutil.rmtree(unfinished)
    with step("installing Python packages"):
        base = getattr(sys, "_base_executable", None) or sys.executable
        run([base, "-m", "venv", "--without-pip", target])
        pip = [target / "bin" / "python", *_pip(target)]
        arguments = [part for path in REQUIREMENTS for part in ("-r", path)]
        run(
            [
                *pip,
                "install",
                "-q",
                "--no-input",
                "--no-compile",
                "-c",
                CONSTRAINTS,
                "pip",
                *arguments,
            ],
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONNOUSERSITE": "1"},
            hint=NETWORK,
        )
    site = next(target.glob("lib/python3*/site-packages"))
    (site / "zz-odoo.pth").write_text(f"{odoo_root}\n")


def _pip(target):
    """Return the arguments that run pip: from ensurepip, or else from Debian's wheel of pip."""
    python_ = target / "bin" / "python"
    done = subprocess.run([python_, "-m", "ensurepip", "--default-pip"], capture_output=True)
    if done.returncode == 0:
        return ["-m", "pip"]
    unpacked = cache() / "pip"
    if not list(unpacked.glob("usr/share/python-wheels/pip-*.whl")):
        odoo_source.fetch(["python3-pip-whl"], unpacked)
    wheel = next(unpacked.glob("usr/share/python-wheels/pip-*.whl"))
    return [wheel / "pip"]
