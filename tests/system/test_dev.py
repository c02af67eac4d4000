"""What ./dev promises about itself."""

import os
import socket
import subprocess

from devtools import databases, odoo_log
from devtools.commands.odoo import database_of
from devtools.environment import Environment
from devtools.lanes import Lane
from devtools.paths import REPO


def test_set_up_again_is_quick(dev):
    """A second set-up finds everything in place and says nothing."""
    done = dev("odoo", "--version")
    assert done.returncode == 0
    assert "19.0" in done.stdout
    assert "[dev]" not in done.stderr


def test_unknown_command_lists_the_commands(dev):
    """A typing error costs no set-up and shows what there is."""
    done = dev("tests")
    assert done.returncode == 2
    assert "./dev test" in done.stderr


def test_demo_looks_at_its_port_first(dev, environment):
    """A port that is in use is told at once, before the database is made anew."""
    name = f"bookings_port_{os.getpid()}"
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        done = dev("demo", "-d", name, "--port", str(busy.getsockname()[1]))
    assert done.returncode == 1
    assert "is in use" in done.stderr
    assert not databases.exists(environment, name)


def test_database_name_is_found_in_every_spelling():
    """The ways in which odoo-bin takes a database name."""
    assert database_of(["shell", "-d", "one"]) == "one"
    assert database_of(["-i", "account", "--database=two"]) == "two"
    assert database_of(["--database", "three"]) == "three"
    assert database_of(["-dfour"]) == "four"
    assert database_of(["--dev", "xml"]) is None


def test_temporary_database_has_the_dependencies_and_is_dropped(environment, database):
    """The template's modules are installed in the copy; an own copy goes away."""
    state = "SELECT state FROM ir_module_module WHERE name = 'account'"
    assert environment.server.query(state, database) == [["installed"]]
    with databases.temporary(environment, "bookings_test") as other:
        assert databases.exists(environment, other)
    assert not databases.exists(environment, other)


def test_prune_drops_only_what_a_dead_process_left(environment):
    """A database of a process that has ended goes; one of a running process stays."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    left, used = f"bookings_test_{ended.pid}", f"bookings_bench_{os.getpid()}"
    databases.create_empty(environment, left)
    databases.create_empty(environment, used)
    try:
        databases.prune(environment)
        assert not databases.exists(environment, left)
        assert databases.exists(environment, used)
    finally:
        databases.drop(environment, left)
        databases.drop(environment, used)


def test_log_reader_finds_warnings_with_their_tracebacks():
    """INFO is passed over, a record keeps its lines, what the machine causes is left out."""
    text = "\n".join(
        [
            "2026-01-01 10:00:00,000 1 INFO db odoo.modules: fine",
            "2026-01-01 10:00:00,000 1 ERROR db odoo.addons.x: broken",
            "Traceback (most recent call last):",
            f"2026-01-01 10:00:00,000 1 WARNING db odoo.y: {odoo_log.FOREIGN[0]}",
            "  more of it",
        ]
    )
    (found,) = odoo_log.complaints(text)
    assert "broken" in found
    assert found.endswith("last):")


def run_lane(environment, tmp_path, source):
    """Counts of a lane that runs one file of tests."""
    path = tmp_path / "test_it.py"
    path.write_text(source)
    lane = Lane("plain", marked=True)
    lane.pytest(environment, ["-p", "no:odoo", "-p", "no:cacheprovider", str(path)])
    return lane.result


def test_lane_counts_what_pytest_counts(environment, tmp_path):
    """A passed, a failed, a broken and a skipped test."""
    result = run_lane(
        environment,
        tmp_path,
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "def test_broken(no_such_fixture): pass\n"
        "@pytest.mark.skip\n"
        "def test_skipped(): pass\n",
    )
    assert (result.passed, result.failed, result.skipped) == (1, 2, 1)


def test_lane_that_cannot_be_collected_fails(environment, tmp_path):
    """A syntax error is a failure, not an empty run."""
    assert run_lane(environment, tmp_path, "def broken(:").failed == 1


def test_browser_test_without_browser_fails(environment, tmp_path):
    """Odoo skips such a test; skipped would look as good as passed."""
    source = (
        "import unittest\n"
        "class TestBrowser(unittest.TestCase):\n"
        "    def test_tour(self):\n"
        "        raise unittest.SkipTest('Chrome executable not found')\n"
    )
    result = run_lane(environment, tmp_path, source)
    assert (result.passed, result.failed, result.skipped) == (0, 1, 0)


def test_file_that_does_not_exist_is_named(dev):
    """A typing error in a path does not start everything else."""
    done = dev("test", "tests/unit/test_nothing.py")
    assert done.returncode == 1
    assert "test_nothing.py" in done.stderr


def test_repository_names_no_place_of_one_machine():
    """No absolute path of a home or work folder, no package host."""
    words = ["/root" + "/", "/home" + "/", "pypi" + ".org", "deb.debian" + ".org"]
    command = ["git", "grep", "-lIF", *(part for word in words for part in ("-e", word))]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_environment_is_the_same_for_all(environment):
    """Two look-ups give the same interpreter, server and configuration."""
    again = Environment()
    assert (again.python, again.server.host, again.conf) == (
        environment.python,
        environment.server.host,
        environment.conf,
    )
