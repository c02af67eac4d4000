"""A piece of work killed at every chosen point and then done again: nothing lost, nothing twice.

:class:`CrashSweep` is the harness; ``sync_crash`` and ``invoicing_crash`` say what the work is and what must be true after
it. Each is run as ``python -m tests.system.NAME DATABASE [--every N] [--bugs NAME ...]`` in the environment of ./dev, on a
database with the addon. The last line of stdout is one JSON object: for "none" (``--every``: kill after each commit and at
every so many statements) and for each bug ``points``, ``violations`` by point, ``in_peace``, ``statements`` and ``commits``.

How it works: the registry is loaded once; each trial forks, the child counts its SQL statements and commits and sends
itself SIGKILL at the given one. A second child then does the work in peace. After the kill and after the second time SQL
compares the tables with an account that no code of ours keeps. Between trials the tables are put back as they were. What
is durable depends on the commits only, so the second child is left out where one went on from the same commit, unless
every statement is tried. A
*bug* is a deliberate mistake in the engine, put in by the children of both, that does no harm while nobody is killed; the
sweep must find it.
"""

import argparse
import contextlib
import json
import os
import signal
import time
import traceback

COMMITTED = b"."  # what a child tells after each commit
STRIDE = (
    0,
    4,
    2,
    6,
    1,
    5,
    3,
    7,
)  # commits between which a seeded bug is looked for first, then between those


class CrashSweep:
    """What subclasses give: ``_prepare``, ``reset``, ``work``, ``violations`` and their ``bugs``."""

    bugs = {}

    def __init__(self, database):
        import odoo.modules.registry
        import odoo.sql_db
        from odoo.tools import config

        config.parse_config(["-d", database, "--log-level=critical"], setup_logging=True)
        self.database, self.bug, self.sql_db = database, None, odoo.sql_db
        self.went_on = set()  # commits that were done before a kill from which the work went on
        self.registry = odoo.modules.registry.Registry(database)
        with self.environment() as env:
            self._prepare(env)

    # -- what is swept -------------------------------------------------------------------------------

    def _prepare(self, env):
        """Make what the work needs; keep only plain values of it."""
        raise NotImplementedError

    def reset(self):
        """Take back what the work writes, in one transaction."""
        raise NotImplementedError

    def work(self, env):
        """The work; ``{"state": "done"}`` and what else helps a reader, where it came to its end."""
        raise NotImplementedError

    def violations(self, done):
        """What is wrong in the tables, in words; ``done``: after work that came to its end."""
        raise NotImplementedError

    # -- the database --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def environment(self):
        """Superuser environment; committed at the end."""
        import odoo.api

        with self.registry.cursor() as cr:
            yield odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})

    @contextlib.contextmanager
    def cursor(self):
        """Plain SQL beside the registry; committed at the end."""
        with self.sql_db.db_connect(self.database).cursor() as cr:
            yield cr

    # -- one trial -----------------------------------------------------------------------------------

    def child(self, point=None):
        """Work in a child that dies at ``point``: ("statement", n) or ("after", n) a commit.

        :returns: ``(answer, commits)``; the answer is that of :meth:`work` with its numbers, or ``None`` where it died
        """
        self.sql_db.close_all()
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            code = 1
            try:
                os.close(reading)
                answer = self._counted_work(point, lambda: os.write(writing, COMMITTED))
                os.write(writing, json.dumps(answer).encode())
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            told = pipe.read()
        os.waitpid(pid, 0)
        self._wait_for_backends()
        text = told.lstrip(COMMITTED)
        return json.loads(text) if text else None, len(told) - len(text)

    def _wait_for_backends(self):
        """A killed client's server process ends its statement first; its locks go with it."""
        deadline = time.monotonic() + 60
        with self.cursor() as cr:
            while time.monotonic() < deadline:
                cr.execute(
                    """SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND pid != pg_backend_pid() AND backend_type = 'client backend'"""
                )
                if not cr.fetchone()[0]:
                    return
                cr.rollback()
        raise RuntimeError("a killed client's server process does not end")

    def _counted_work(self, point, tell_commit):
        counts = self._count_and_die(point, tell_commit)
        with self.environment() as env:
            if self.bug:
                self.bugs[self.bug](env)
            answer = self.work(env)
        return counts | answer

    def _count_and_die(self, point, tell_commit):
        counts = {"statements": 0, "commits": 0}
        cursor = self.sql_db.Cursor
        execute, commit = cursor.execute, cursor.commit

        def die_at(kind, number):
            if point == (kind, number):
                os.kill(os.getpid(), signal.SIGKILL)

        def counted_execute(self, *args, **named):
            result = execute(self, *args, **named)
            counts["statements"] += 1
            die_at("statement", counts["statements"])
            return result

        def counted_commit(self):
            counts["commits"] += 1
            commit(self)
            tell_commit()
            die_at("after", counts["commits"])

        cursor.execute, cursor.commit = counted_execute, counted_commit
        return counts

    def warm(self):
        """Do the work once in this process: the children then find filled what a process fills once.

        The names of countries in all languages and Odoo's caches took most of the time of a child.
        """
        self.reset()
        with self.environment() as env:
            self.work(env)

    def trial(self, point, always=True):
        """Kill at the point and check, then work again and check. Return what is wrong.

        :param always: work again also where another trial went on after the same number of commits
        """
        self.reset()
        answer, commits = self.child(point)
        if answer is not None:
            return []
        wrong = [f"after the kill: {text}" for text in self.violations(done=False)]
        if commits in self.went_on and not always:
            return wrong
        self.went_on.add(commits)
        again, _commits = self.child()
        if again is None or again["state"] != "done":
            return [*wrong, f"the next run ended {again}"]
        return [*wrong, *(f"after the next run: {text}" for text in self.violations(done=True))]

    # -- all of them ---------------------------------------------------------------------------------

    def sweep(self, every):
        """Kill after each commit and at every n-th statement. Return what is wrong, by point.

        Just before a commit is at the statement before it, and what is durable there is what was after the last commit.
        """
        whole = self._in_peace()
        points = [("after", n) for n in range(1, whole["commits"] + 1)]
        points += [("statement", n) for n in range(1, whole["statements"] + 1, every)]
        found = {
            f"{kind} {number}": self.trial((kind, number), always=every == 1)
            for kind, number in points
        }
        wrong = {point: words for point, words in found.items() if words}
        return whole | {"points": len(points), "violations": wrong}

    def hunt(self, bug):
        """Put the bug in and kill after one commit after the other, until it shows.

        In strides from the last commit on, because a mistake does its harm at several neighboring commits, mostly late.
        """
        self.bug = bug
        try:
            whole = self._in_peace()
            numbers = [
                n for first in STRIDE for n in range(whole["commits"] - first, 0, -len(STRIDE))
            ]
            for tried, number in enumerate(numbers, 1):
                if words := self.trial(("after", number)):
                    return whole | {"points": tried, "violations": {f"after {number}": words}}
            return whole | {"points": whole["commits"], "violations": {}}
        finally:
            self.bug = None

    def _in_peace(self):
        """The work done twice and undisturbed: its numbers, and what is wrong after it.

        A bug that shows here already proves nothing of the kills.
        """
        self.reset()
        answers = [self.child()[0] for _time in range(2)]
        if not all(answer and answer["state"] == "done" for answer in answers):
            raise RuntimeError(f"undisturbed, the work ended {answers}")
        return answers[0] | {"in_peace": self.violations(done=True)}

    @classmethod
    def main(cls, argv=None):
        parser = argparse.ArgumentParser()
        parser.add_argument("database")
        parser.add_argument("--every", type=int)
        parser.add_argument("--bugs", nargs="*", choices=sorted(cls.bugs), default=())
        options = parser.parse_args(argv)
        sweep = cls(options.database)
        try:
            sweep.warm()
            result = {"none": sweep.sweep(options.every)} if options.every else {}
            result |= {bug: sweep.hunt(bug) for bug in options.bugs}
        finally:
            sweep.reset()
        print(json.dumps(result), flush=True)
        return 0
