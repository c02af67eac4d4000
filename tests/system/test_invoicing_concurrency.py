"""Eight processes, then sixteen clicks over RPC, bill the same 120 bookings at the same time: by drafts, and by orders.

No booking twice, none lost, no error that nobody handled, and next to no work for the bin.
"""

import json
import os
import subprocess
import time
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

import pytest

from devtools import databases
from devtools.paths import REPO

from .invoicing_world import GATE

BOOKINGS, PROCESSES, CLICKS = 120, 8, 16
LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))
ROUNDS = 20 if LONG else 3
# The claim is the same; orders take longer.
ORDER_ROUNDS = 4 if LONG else 1

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def world(environment, addon_database):
    _run(environment, addon_database, "build", BOOKINGS, "invoice")
    return addon_database


@pytest.fixture
def ordering_world(environment):
    addons = ("bookings_invoicing", "bookings_invoicing_sale")
    needed = databases.dependencies(addons)
    with databases.temporary(environment, "bookings_check", needed) as database:
        databases.install(environment, database, addons)
        _run(environment, database, "build", BOOKINGS, "sale")
        yield database


def _start(environment, database, *words):
    command = [environment.python, "-m", "tests.system.invoicing_world", database, *map(str, words)]
    return subprocess.Popen(
        command,
        cwd=REPO,
        env=environment.variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(environment, database, *words):
    process = _start(environment, database, *words)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


def _query(environment, database, statement):
    code = (
        "import json, sys, psycopg2; c = psycopg2.connect(dbname=sys.argv[1]); k = c.cursor(); k.execute(sys.argv[2]);"
        "print(json.dumps(k.fetchall(), default=str))"
    )
    done = subprocess.run(
        [environment.python, "-c", code, database, statement],
        env=environment.variables(),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def _check(environment, database, status="drafted", lines="account_move_line"):
    rows = _query(
        environment,
        database,
        f"""SELECT b.id, b.status, COUNT(l.id) FILTER (WHERE l.booking_live), COUNT(l.id)
              FROM bookings_booking b LEFT JOIN {lines} l ON l.booking_id = b.id GROUP BY b.id""",
    )
    assert len(rows) == BOOKINGS
    wrong = [row for row in rows if row[1:] != [status, 1, 1]]
    assert not wrong, wrong


def _waiting(environment, database):
    return _query(
        environment,
        database,
        "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
    )[0][0]


def _race(environment, database):
    """Bill by all processes, which begin at the same moment; return how many documents they made."""
    import psycopg2

    variables = environment.variables()
    connection = psycopg2.connect(
        dbname=database,
        **{
            key: variables[name]
            for key, name in (("host", "PGHOST"), ("port", "PGPORT"), ("user", "PGUSER"))
            if variables.get(name)
        },
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [GATE])
        processes = [_start(environment, database, "draft") for _number in range(PROCESSES)]
        while _waiting(environment, database) < PROCESSES:
            dead = [process for process in processes if process.poll() is not None]
            assert not dead, dead[0].stderr.read()
            time.sleep(0.2)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [GATE])
    connection.close()
    made = 0
    for process in processes:
        out, err = process.communicate()
        assert process.returncode == 0, err
        made += json.loads(out.splitlines()[-1])["made"]
    return made


def test_processes(environment, world):
    """What is made twice and thrown away is at most a twentieth."""
    made = 0
    for _round in range(ROUNDS):
        made += _race(environment, world)
        _check(environment, world)
        _run(environment, world, "free")
    assert made == ROUNDS * BOOKINGS // 3
    # Sequence numbers are spent by rolled back work too: what they counted beyond what was kept was for the bin.
    spent = _query(environment, world, "SELECT last_value FROM account_move_id_seq")[0][0]
    wasted = spent - made - _history(environment, world)
    assert wasted <= 0.05 * made, f"{wasted} of {made} drafts were made in vain"


def test_processes_that_order(environment, ordering_world):
    """The same where bookings become sale orders: one living order line each, and no draft beside."""
    made = 0
    for _round in range(ORDER_ROUNDS):
        made += _race(environment, ordering_world)
        _check(environment, ordering_world, "ordered", "sale_order_line")
        _run(environment, ordering_world, "free")
    assert made == ORDER_ROUNDS * BOOKINGS // 3
    spent = _query(environment, ordering_world, "SELECT last_value FROM sale_order_id_seq")[0][0]
    assert spent - made <= 0.05 * made, f"{spent - made} of {made} orders were made in vain"


def _history(environment, database):
    return _query(
        environment,
        database,
        "SELECT COUNT(*) FROM account_move m WHERE NOT EXISTS"
        " (SELECT 1 FROM account_move_line l WHERE l.move_id = m.id AND l.booking_id IS NOT NULL)",
    )[0][0]


def test_clicks(environment, world, served, tmp_path):
    """Sixteen clerks press the button for the same selection over RPC."""
    ids = [
        row[0] for row in _query(environment, world, "SELECT id FROM bookings_booking ORDER BY id")
    ]
    with served(world, tmp_path / "odoo.log") as address:
        uid = xmlrpc.client.ServerProxy(f"{address}/xmlrpc/2/common").authenticate(
            world, "admin", "admin", {}
        )

        def click(_number):
            server = xmlrpc.client.ServerProxy(f"{address}/xmlrpc/2/object", allow_none=True)
            return server.execute_kw(
                world, uid, "admin", "bookings.booking", "action_create_invoices", [ids]
            )

        for _round in range(ROUNDS):
            with ThreadPoolExecutor(CLICKS) as pool:
                list(pool.map(click, range(CLICKS)))
            _check(environment, world)
            _run(environment, world, "free")
    assert "Traceback" not in (tmp_path / "odoo.log").read_text()
