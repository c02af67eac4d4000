"""``./dev clean``: remove everything that ./dev created."""

import os
import shutil

from .. import databases, postgres
from ..console import DevError, locked, say
from ..environment import Environment
from ..paths import cache, locks

# Only these are ours. The folder in BOOKINGS_DEV_CACHE may contain other things, too.
PARTS = ("apt", "conf", "data", "odoo", "packages", "pg", "pip", "tls", "venv", "venv-*", "lock")


def main(args):
    """Stop the server, drop the databases, remove the cache."""
    if args:
        raise DevError("./dev clean takes no arguments")
    base = cache()
    if not base.exists():
        say(f"nothing to clean in {base}")
        return 0
    with locked(locks(), "clean"):
        if os.environ.get("PGHOST") and (base / "venv").exists():
            _drop_foreign()
        for venv in base.glob("venv-*"):
            if (venv / ".complete").exists():
                postgres.stop(venv)
                break
        for pattern in PARTS:
            for path in base.glob(pattern):
                say(f"removing {path}")
                path.unlink() if path.is_symlink() else shutil.rmtree(path)
    if not any(base.iterdir()):
        base.rmdir()
    return 0


def _drop_foreign():
    """Drop our databases on the server in PGHOST."""
    env = Environment()
    for name in databases.made(env):
        say(f"dropping the database {name}")
        databases.drop(env, name)
