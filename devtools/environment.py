"""The environment of a command: Odoo, Python, PostgreSQL, and configuration."""

import hashlib
import os

from . import odoo_source, postgres, pyenv
from .console import write_atomic
from .paths import REPO, cache, manifests


class Environment:
    """A complete environment. Attributes: root (Odoo), venv, server, conf (odoo.conf)."""

    def __init__(self):
        cache().mkdir(parents=True, exist_ok=True)
        self.root = odoo_source.root()
        self.venv = pyenv.venv(self.root)
        self.server = postgres.server(self.venv)
        self.conf = self._write_conf()

    @property
    def python(self):
        """Interpreter of the venv."""
        return self.venv / "bin" / "python"

    @property
    def data_dir(self):
        """Odoo's file store and sessions."""
        return cache() / "data"

    def variables(self, **more):
        """Return the environment variables for Odoo and its tests."""
        values = {
            **self.server.environment,
            "ODOO_RC": str(self.conf),
            "BOOKINGS_DEV_CACHE": str(cache()),
            "ODOO_ROOT": str(self.root),
            "PYTHONNOUSERSITE": "1",
            "PATH": os.pathsep.join(
                [str(self.venv / "bin"), os.environ.get("PATH", ""), str(self.server.bin)]
            ),
        }
        values.pop("PYTHONPATH", None)
        return {**values, **{key: str(value) for key, value in more.items()}}

    def odoo(self, *args):
        """Return the command line of odoo-bin."""
        return [str(self.python), "-m", "odoo", *map(str, args)]

    def _write_conf(self):
        addons = odoo_source.addons_paths(self.root)
        if manifests():
            addons.append(REPO)
        options = {
            "addons_path": ",".join(map(str, addons)),
            "data_dir": self.data_dir,
            "db_host": self.server.host,
            "db_user": self.server.user,
            "http_interface": "127.0.0.1",
            "limit_time_cpu": 3600,
            "limit_time_real": 3600,
        }
        if self.server.port:
            options["db_port"] = self.server.port
        if os.environ.get("PGPASSWORD"):
            options["db_password"] = os.environ["PGPASSWORD"]
        text = "\n".join(["[options]", *(f"{key} = {value}" for key, value in options.items()), ""])
        # One file per working copy, because they share the cache.
        name = hashlib.sha256(f"{REPO}{self.root}{self.server.host}".encode()).hexdigest()[:10]
        path = cache() / "conf" / f"odoo-{name}.conf"
        write_atomic(path, text)
        path.chmod(0o600)
        return path
