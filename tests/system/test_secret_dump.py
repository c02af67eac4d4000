"""What a thief of a backup gets: the secrets of a whole life, looked for in pg_dump's output, stored files and the log."""

import base64
import re

import pytest
from cryptography.fernet import Fernet

from bookings_invoicing import sandbox

from .processes import last_line, run_module
from .secret_world import CANARY

COLUMN = ("bookings_connection_secret", "sealed")


def _live(environment, database, key):
    done = run_module(
        environment,
        "secret_world",
        database,
        BOOKINGS_SECRET_KEY=key,
        BOOKINGS_GRAPH_URL=sandbox.GRAPH_URL,
        BOOKINGS_LOGIN_URL=sandbox.LOGIN_URL,
    )
    return last_line(done), done.stderr


def _needles(secrets):
    """``{text to look for: name}``: each secret as it is, and as binary columns and files would show it."""
    found = {}
    for name, secret in secrets.items():
        for text in (secret, base64.b64encode(secret.encode()).decode(), secret.encode().hex()):
            found[text] = name
    return found


def _columns_with(dump, needles):
    """``{(table, column)}`` of a dump that hold one of the texts."""
    found, table, columns = set(), None, ()
    for line in dump.splitlines():
        begin = re.match(r"COPY public\.\"?(\w+)\"? \((.*)\) FROM stdin;", line)
        if begin:
            table, columns = begin[1], [name.strip('" ') for name in begin[2].split(",")]
        elif line == "\\.":
            table = None
        elif any(needle in line for needle in needles):
            assert table, f"outside of all tables: {line[:80]}"
            for column, value in zip(columns, line.split("\t"), strict=True):
                if any(needle in value for needle in needles):
                    found.add((table, column))
    return found


def _stored_files(environment, database):
    folder = environment.data_dir / "filestore" / database
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("with_key", [True, False], ids=["key", "no key"])
def test_dump_files_and_log(environment, addon_database, with_key):
    """With a key nothing, without one exactly the one column; and a dump does hold what is not secret."""
    database = addon_database
    key = Fernet.generate_key().decode() if with_key else ""
    told, log = _live(environment, database, key)
    secrets = told["secrets"]
    kinds = {name.rstrip(" 0123456789") for name in secrets}
    assert kinds == {
        *("client secret", "passphrase", "private key", "code"),
        *("access_token", "refresh_token", "id_token"),
    }
    assert sum(name.startswith("refresh_token") for name in secrets) >= 2
    needles = _needles(secrets)
    dump = environment.server.client("pg_dump", "-d", database)
    assert "harbourclinic.example" in dump
    assert _columns_with(dump, needles) == (set() if with_key else {COLUMN})
    stored = _stored_files(environment, database)
    assert not [name for text, name in needles.items() if text.encode() in stored]
    assert not [name for text, name in needles.items() if text in told["shown"]]
    assert "A token of Microsoft 365 connection" in log
    assert not {name for text, name in needles.items() if text in log}


def test_what_looks_for_them_finds_them():
    dump = f"COPY public.a (id, b) FROM stdin;\n1\tx{CANARY}y\n\\.\n"
    assert _columns_with(dump, _needles({"client secret": CANARY})) == {("a", "b")}
