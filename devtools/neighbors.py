"""Install wheels that only some tests need in separate folders of the cache.

``neighbors.txt``: addons of others that are installed together with ours. ``validators.txt``: the rules of e-invoices.
"""

import hashlib
import shutil

from .console import locked, run, step
from .paths import REPO, cache, locks
from .pyenv import NETWORK


def folder(env, name="neighbors"):
    """Return the folder for PYTHONPATH with the wheels in ``devtools/NAME.txt``. Raises DevError."""
    wheels = REPO / "devtools" / f"{name}.txt"
    target = cache() / f"{name}-{hashlib.sha256(wheels.read_bytes()).hexdigest()[:10]}"
    if not target.exists():
        with locked(locks(), name):
            if not target.exists():
                _install(env, target, wheels)
    return target


def _install(env, target, wheels):
    with step(f"downloading what {wheels.name} lists"):
        building = target.with_name(f"{target.name}.new")
        shutil.rmtree(building, ignore_errors=True)
        # Installed without requirements, because these include Odoo itself.
        pip = [env.python, "-m", "pip", "install", "-q", "--no-input", "--no-compile", "--no-deps"]
        run([*pip, "--target", building, "-r", wheels], hint=NETWORK)
        building.rename(target)
