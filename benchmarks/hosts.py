"""Several Odoo servers on one database: 20 setups that are due at once, large invoice runs, and automatic drafts.

Each server is a process with a port and two cron threads of its own, Odoo's default. Microsoft's answers are simulated and
take a fifth of a second each. ``value`` is the seconds of two servers from the moment that all is due until all is done;
``one`` and ``four`` are those of one and four servers, ``ratio`` is two by one, ``cpu_one`` and ``cpu_two`` the processors
that the servers used on average (PostgreSQL uses more). ``twice`` and ``lost`` must be 0, also in ``killed``: the
seconds of two servers of which one is killed in the middle of a synchronization. The test of several servers uses the same.
"""

import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from devtools import databases
from devtools.console import free_port
from devtools.paths import REPO

from .runner import benchmark, scaled

SETUPS, SIZE, LATENCY = 20, scaled(40, 10), 0.2
BILLED = 3  # more setups, which were synchronized before: two with a queued run, one with automatic drafts
CLAIMS = 0x626B6E67  # models/sync/job.py
POLL = 5  # seconds after which a cron thread looks for work, instead of a minute
CRONS = ("ir_cron_sync", "ir_cron_sync_2", "ir_cron_sync_3", "ir_cron_sync_4")
CRONS += ("ir_cron_invoice_runs", "ir_cron_auto_draft")
START_SECONDS, WORK_SECONDS = 180, 280  # a scheduled action comes every 300 seconds


@benchmark("hosts")
def hosts(ctx):
    """Seconds of two servers for 20 first synchronizations, two invoice runs, and automatic drafts."""
    result, seen = {"n": SETUPS}, []
    with ctx.database() as source:
        subprocess.run(
            _command(ctx.env, "build", source, SETUPS, SIZE),
            cwd=REPO,
            env=ctx.env.variables(),
            check=True,
        )
        for name, number, kill in (
            ("one", 1, False),
            ("value", 2, False),
            ("four", 4, False),
            ("killed", 2, True),
        ):
            with databases.temporary(ctx.env, "bookings_serve", source=source) as database:
                with servers(ctx.env, database, number, LATENCY) as started:
                    result[name], cpu = started.work(kill)
                result[f"cpu_{name}"] = cpu
                seen.append(judged(ctx.env, database))
    result["cpu_two"] = result.pop("cpu_value")
    result["ratio"] = round(result["value"] / result["one"], 2)
    return result | {name: sum(one[name] for one in seen) for name in ("twice", "lost")}


# -- the servers, from outside -----------------------------------------------------------------------


def _command(env, *words):
    return [str(env.python), "-m", "benchmarks.hosts", *map(str, words)]


@contextlib.contextmanager
def servers(env, database, number, latency=0.0):
    """Start servers on a database where nothing is due yet; yields :class:`Servers`."""
    with TemporaryDirectory() as folder:
        started = Servers(env, database, Path(folder))
        try:
            for _server in range(number):
                started.start(latency)
            started.wait_until_they_answer()
            yield started
        finally:
            for process in started.processes:
                if process.poll() is None:
                    process.kill()
                process.wait()


class Servers:
    """Odoo servers on one database."""

    def __init__(self, env, database, folder):
        self.env, self.database, self.folder = env, database, folder
        self.processes, self.ports = [], []

    def start(self, latency):
        port = free_port()
        log = (self.folder / f"{port}.log").open("w")
        command = _command(self.env, "serve", self.database, port, latency)
        self.processes.append(
            subprocess.Popen(
                command,
                cwd=REPO,
                env=self.env.variables(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        )
        self.ports.append(port)

    def log(self):
        """What all of them have logged."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def wait_until_they_answer(self):
        deadline = time.monotonic() + START_SECONDS
        for port in self.ports:
            while not _answers(port):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"a server did not start:\n{self.log()[-3000:]}")
                time.sleep(0.2)

    def work(self, kill=False):
        """Make everything due, and wait until it is done.

        :param bool kill: whether to kill the first server in the middle of a synchronization
        :returns: ``(seconds, average number of processors in use)``; seconds since the server was killed, if one was
        """
        used, start = self._cpu(), time.monotonic()
        release(self.env, self.database)
        deadline = start + WORK_SECONDS
        while not done(self.env, self.database):
            if kill and self._is_held_in_the_middle(self.processes[0]):
                self.processes[0].kill()
                self.processes[0].wait()
                kill, start = False, time.monotonic()
            if time.monotonic() > deadline:
                raise RuntimeError(f"the work was not done in time:\n{self.log()[-3000:]}")
            time.sleep(0.3)
        seconds = time.monotonic() - start
        return round(seconds, 2), round((self._cpu() - used) / seconds, 2)

    def _is_held_in_the_middle(self, process):
        """Stop a server in the middle of a synchronization. Return False if it was not, or has just ended one."""
        if not self._synchronizes(process.pid):
            return False
        process.send_signal(signal.SIGSTOP)
        if self._synchronizes(process.pid):
            return True
        process.send_signal(signal.SIGCONT)
        return False

    def _synchronizes(self, pid):
        """Whether this server is in the middle of a synchronization that it has noted."""
        return self.env.server.query(
            f"""SELECT r.id FROM bookings_sync_run r
                  JOIN pg_locks l ON l.locktype = 'advisory' AND l.granted
                   AND l.classid = {CLAIMS} AND l.objid = r.setup_id
                  JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
                 WHERE r.state = 'running' AND a.application_name = 'odoo-{pid}'""",
            self.database,
        )

    def _cpu(self):
        """Seconds of processor time of the living servers."""
        total = 0
        for process in self.processes:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")


def _answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/web/login", timeout=30):
            return True
    except OSError:
        return False


def release(env, database):
    """Everything is due now, and all servers hear of it."""
    names = ", ".join(f"'{name}'" for name in CRONS)
    env.server.query(
        f"""UPDATE bookings_sync_setup SET next_sync = now() AT TIME ZONE 'utc' WHERE last_appointment_sync IS NULL;
            INSERT INTO ir_cron_trigger (cron_id, call_at)
            SELECT res_id, now() AT TIME ZONE 'utc' FROM ir_model_data
             WHERE module = 'bookings_invoicing' AND name IN ({names})""",
        database,
    )
    env.server.query(f"NOTIFY cron_trigger, '{database}'")


def done(env, database):
    """Whether no setup is due, no run is queued, and the automatic drafts of today are made."""
    [[left]] = env.server.query(
        """SELECT (SELECT COUNT(*) FROM bookings_sync_setup
                    WHERE next_sync <= now() AT TIME ZONE 'utc' OR auto_draft IS NOT NULL AND auto_drafted_on IS NULL)
                + (SELECT COUNT(*) FROM bookings_invoice_run WHERE state = 'queued')
                + (SELECT COUNT(*) FROM bookings_sync_run WHERE state = 'running')""",
        database,
    )
    return left == "0"


def judged(env, database):
    """What was done twice, and what was lost: ``{"twice": number, "lost": number, ...}``, by SQL alone."""
    names = ("setups", "synced", "again", "interrupted", "queued", "drafted", "drafted_twice")
    names += ("left_out", "automatic", "automatic_wanted", "contacts_twice")
    [values] = env.server.query(
        f"""WITH runs AS (
               SELECT setup_id, COUNT(*) FILTER (WHERE state IN ('done', 'partial')) AS good,
                      COUNT(*) FILTER (WHERE error LIKE '%interrupted%') AS interrupted
                 FROM bookings_sync_run WHERE trigger = 'cron' GROUP BY setup_id),
           wanted AS (
               SELECT (jsonb_array_elements(jsonb_array_elements(settings -> 'all')))::int AS booking
                 FROM bookings_invoice_run WHERE settings ? 'all'),
           lines AS (
               SELECT booking_id, COUNT(*) AS live FROM account_move_line WHERE booking_live GROUP BY booking_id)
           SELECT (SELECT COUNT(*) FROM bookings_sync_setup) - {BILLED}, (SELECT COUNT(*) FROM runs WHERE good > 0),
                  (SELECT COALESCE(SUM(good - 1), 0) FROM runs WHERE good > 1),
                  (SELECT SUM(interrupted) FROM runs), (SELECT COUNT(*) FROM wanted),
                  (SELECT COUNT(*) FROM wanted JOIN lines ON booking = booking_id),
                  (SELECT COUNT(*) FROM lines WHERE live > 1),
                  (SELECT COUNT(DISTINCT booking) FROM wanted JOIN bookings_invoice_run_left_out ON booking = booking_id),
                  (SELECT COUNT(*) FROM bookings_invoice_run WHERE is_automatic AND state IN ('done', 'partial')),
                  (SELECT COUNT(*) FROM bookings_sync_setup WHERE auto_draft IS NOT NULL),
                  (SELECT COALESCE(SUM(n - 1), 0) FROM (SELECT COUNT(*) AS n FROM res_partner
                    WHERE email_normalized IS NOT NULL AND company_id IS NOT NULL
                    GROUP BY email_normalized, company_id HAVING COUNT(*) > 1) doubled)""",
        database,
    )
    seen = {name: int(value or 0) for name, value in zip(names, values, strict=True)}
    automatic = seen["automatic"] - seen["automatic_wanted"]
    return seen | {
        "twice": seen["again"] + seen["drafted_twice"] + seen["contacts_twice"] + max(automatic, 0),
        "lost": seen["setups"]
        - seen["synced"]
        + seen["queued"]
        - seen["drafted"]
        - min(automatic, 0),
    }


# -- inside Odoo -------------------------------------------------------------------------------------


def build(database, number, size):
    """Setups of one company on tenants of their own, which share people; some more have something to bill already."""
    from devtools.odoo_process import odoo_environment

    from .sync import make_setup

    with odoo_environment(database) as env:
        connections, setups = type(env["bookings.connection"]), env["bookings.sync.setup"]
        tenant = connections._sandbox_tenant
        for seed in range(1, number + BILLED + 1):
            setups |= make_setup(env, size, people=size, seed=seed)
        connections._sandbox_tenant = tenant  # the servers know no other
        *queued, automatic = setups[:BILLED]
        for setup in (*queued, automatic):
            setup._sync_run()
        for setup in queued:
            chunks = [[booking.id] for booking in _ready(setup)]
            env["bookings.invoice.run"]._enqueue(chunks, {"all": chunks})
        automatic.auto_draft = "daily"
        if not _ready(automatic):
            raise ValueError("there is nothing to draft")
        later = datetime.datetime.now() + datetime.timedelta(days=1)
        setups.next_sync = later
        env["ir.cron"].search([]).nextcall = later
        env["ir.cron.trigger"].search([]).unlink()


def _ready(setup):
    domain = [("setup_id", "=", setup.id), ("status", "=", "ready")]
    return setup.env["bookings.booking"].search(domain, order="start, id")


def serve(database, port, latency):
    """One Odoo server whose sandbox takes its time to answer."""
    import odoo.cli.server
    from odoo.service import server
    from odoo.tools import config

    words = ["-d", database, f"--db-filter=^{database}$", "--http-port", port]
    words += ["--max-cron-threads=2", "--workers=0", "--log-level=warn"]
    config.parse_config(words, setup_logging=True)
    from odoo.addons.bookings_invoicing.sandbox.adapter import SandboxAdapter

    send = SandboxAdapter.send

    def slow(self, request, **options):
        time.sleep(float(latency))
        return send(self, request, **options)

    SandboxAdapter.send = slow
    server.SLEEP_INTERVAL = POLL
    odoo.cli.server.main(words)


if __name__ == "__main__":
    what, name, *more = sys.argv[1:]
    if what == "build":
        build(name, *map(int, more))
    elif what == "serve":
        serve(name, *more)
    else:
        print(json.dumps({"error": f"unknown: {what}"}))
