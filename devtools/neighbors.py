"""Addons of others that the tests install beside ours: wheels in a folder of their own in the cache."""

import hashlib
import shutil

from .console import locked, run, step
from .paths import REPO, cache, locks
from .pyenv import NETWORK

WHEELS = REPO / "devtools" / "neighbors.txt"


def folder(env):
    """Folder to put on PYTHONPATH, so that Odoo finds these addons. Raises DevError."""
    target = cache() / f"neighbors-{hashlib.sha256(WHEELS.read_bytes()).hexdigest()[:10]}"
    if not target.exists():
        with locked(locks(), "neighbors"):
            if not target.exists():
                _install(env, target)
    return target


def _install(env, target):
    with step("downloading addons to test beside ours"):
        building = target.with_name(f"{target.name}.new")
        shutil.rmtree(building, ignore_errors=True)
        # Their requirements name Odoo itself, which is here already, so they are installed without.
        pip = [env.python, "-m", "pip", "install", "-q", "--no-input", "--no-compile", "--no-deps"]
        run([*pip, "--target", building, "-r", WHEELS], hint=NETWORK)
        building.rename(target)
