"""Paths of the repository and of the environment's cache."""

import ast
import os
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent


def cache():
    """Return the folder of the environment: BOOKINGS_DEV_CACHE, or one in the user's cache folder."""
    given = os.environ.get("BOOKINGS_DEV_CACHE")
    if given:
        return Path(given).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "bookings-invoicing"


def locks():
    """Return the folder of the lock files."""
    return cache() / "lock"


def manifests():
    """Return the manifests of the repository's addons: ``{name: dict}``, the main addon first."""
    found = {}
    for path in sorted(REPO.glob("*/__manifest__.py")):
        found[path.parent.name] = ast.literal_eval(path.read_text())
    return found
