"""Create databases from templates with the dependencies of our addons, and drop them."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess

from . import neighbors, odoo_source
from .console import DevError, locked, step
from .paths import locks, manifests
from .pyenv import CONSTRAINTS

PREFIX = "bookings_template_"
# All other templates are created from the one with these modules.
BASE = ["account"]
# Modules that the tests of an addon need in addition to its dependencies: charts of accounts and e-invoice formats.
FOR_TESTS = {
    "bookings_invoicing_edi": (
        *("l10n_be", "l10n_ch", "l10n_de", "l10n_dk", "l10n_fr_account", "l10n_nl"),
        *("l10n_dk_nemhandel", "l10n_dk_oioubl"),
    ),
    "bookings_invoicing_sale": ("l10n_es",),
}
# Addons of others that come from the wheels of devtools/neighbors.txt.
FROM_WHEELS = ("queue_job",)
MARK = "made by ./dev of bookings-invoicing"
TEMPORARY = re.compile(r"bookings_(?:test|bench|serve|check|ready)_(\d+)$")


def exists(env, name):
    """Return whether the server has a database with this name."""
    quoted = name.replace("'", "''")
    return bool(env.server.query(f"SELECT 1 FROM pg_database WHERE datname = '{quoted}'"))


def create_empty(env, name):
    """Create a database with createdb, because Odoo's own method logs errors for missing extensions."""
    _createdb(env, "-T", "template0", "-E", "UTF8", "--lc-collate=C", name)


def made(env):
    """Return the names of the databases that ./dev created. They have a comment that says so."""
    rows = env.server.query(
        "SELECT datname FROM pg_database WHERE "
        f"shobj_description(oid, 'pg_database') = '{MARK}' ORDER BY 1"
    )
    return [name for (name,) in rows]


def _createdb(env, *args):
    env.server.client("createdb", *args, MARK)


def drop(env, name):
    """Drop a database and its files, if it exists."""
    env.server.client("dropdb", "--if-exists", "--force", name)
    shutil.rmtree(_files(env, name), ignore_errors=True)


def copy(env, source, name):
    """Copy a database with its files in about a second."""
    _createdb(env, "-T", source, name)
    files = _files(env, source)
    if files.exists():
        # Stored files never change, so links are enough.
        shutil.copytree(files, _files(env, name), copy_function=os.link, dirs_exist_ok=True)


def create(env, name, modules=None):
    """Create a database with the dependencies of our addons (or ``modules``) installed."""
    copy(env, template(env, modules), name)


@contextlib.contextmanager
def temporary(env, stem, modules=None, *, source=None):
    """A database of this process's own, dropped at the end; a copy of ``source``, a database with nobody in it, if given."""
    name = f"{stem}_{os.getpid()}"
    drop(env, name)
    copy(env, source or template(env, modules), name)
    try:
        yield name
    finally:
        drop(env, name)


def dependencies(names=("bookings_invoicing",)):
    """Return the modules of others on which these addons depend."""
    ours = manifests()
    needed = {"account"}
    for name in names:
        needed.update(ours.get(name, {}).get("depends", ()))
    return sorted(needed - set(ours))


def with_own_dependencies(names):
    """Return these addons and our other addons on which they depend."""
    ours, found, left = manifests(), set(), list(names)
    while left:
        name = left.pop()
        if name in ours and name not in found:
            found.add(name)
            left += ours[name].get("depends", ())
    return sorted(found)


def wheels(env, modules):
    """Return the environment variables with which Odoo finds those of these modules that come from wheels."""
    needed = {*modules, *dependencies(with_own_dependencies(modules))}
    return {"PYTHONPATH": neighbors.folder(env)} if needed & {*FROM_WHEELS} else {}


def prune(env):
    """Drop temporary databases of processes that were killed."""
    for (name,) in env.server.query("SELECT datname FROM pg_database"):
        match = TEMPORARY.match(name)
        if match and not _alive(int(match[1])):
            drop(env, name)


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def template(env, modules=None):
    """Return the name of the template database with these modules, and create it if necessary. Raises DevError."""
    modules = sorted(modules or dependencies())
    # The stored files of a template are in the cache with which it was created.
    made_by = f"{odoo_source.version(env.root)}{CONSTRAINTS.read_text()}{env.data_dir}"
    key = f"{made_by}{modules}"
    name = PREFIX + "_".join([*modules, hashlib.sha256(key.encode()).hexdigest()[:8]])[-44:]
    if not exists(env, name):
        with locked(locks(), name):
            if not exists(env, name):
                _build_template(env, name, modules)
    return name


def _build_template(env, name, modules):
    building = f"{name}_new"
    with step(f"making the template database with {', '.join(modules)}"):
        drop(env, building)
        if modules == BASE:
            create_empty(env, building)
        else:
            copy(env, template(env, BASE), building)
        install(env, building, modules)
        env.server.client("psql", "-Xq", "-d", building, "-c", "VACUUM ANALYZE")
        shutil.rmtree(_files(env, name), ignore_errors=True)
        if _files(env, building).exists():
            _files(env, building).rename(_files(env, name))
        env.server.query(f'ALTER DATABASE "{building}" RENAME TO "{name}"')
        _drop_older(env, name)


def _drop_older(env, name):
    """Drop templates with the same modules that were created from other versions."""
    for (other,) in env.server.query("SELECT datname FROM pg_database"):
        if other != name and re.fullmatch(re.escape(name[:-8]) + "[0-9a-f]{8}", other):
            drop(env, other)


def install(env, database, modules, *extra, **variables):
    """Install modules and return Odoo's log. Raises DevError with its end if that fails."""
    command = env.odoo("-d", database, "-i", ",".join(modules), "--stop-after-init", "--no-http")
    done = subprocess.run(
        [*command, *extra],
        env=env.variables(**wheels(env, modules) | variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode or " CRITICAL " in done.stdout:
        tail = "\n".join(done.stdout.splitlines()[-40:])
        raise DevError(f"installing {', '.join(modules)} failed:\n{tail}")
    return done.stdout


def without_autovacuum(env, database):
    """Turn off autovacuum while tests write in transactions that they roll back.

    If autovacuum runs during such a transaction, PostgreSQL considers the tables empty, and joins compare every pair of
    rows. A test of a few seconds then takes fifteen minutes.
    """
    env.server.query(
        "DO $$ DECLARE name regclass; BEGIN FOR name IN SELECT oid FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP"
        " EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', name); END LOOP; END $$",
        database,
    )


def _files(env, name):
    return env.data_dir / "filestore" / name
