"""``./dev test``: run two lanes in parallel, the plain tests and those inside Odoo."""

import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import databases, neighbors, odoo_log, system
from ..console import DevError, say
from ..environment import Environment
from ..lanes import Lane, Result
from ..long_suites import run_suites
from ..paths import REPO, manifests

# Odoo's plug-in for pytest starts Odoo in each run that loads it.
PLAIN = ("-p", "no:odoo")
# Wheels for the tests of an addon: devtools/NAME.txt.
VALIDATORS = {"bookings_invoicing_edi": "validators"}


def main(args):
    """Run the tests. The last line is ``N passed, N failed, N skipped``."""
    long = "--long" in args
    words = [word for word in args if word != "--long"]
    options, plain, inside = _split(words)
    env = Environment()
    databases.prune(env)
    system.ensure("chromium", "wkhtmltopdf")
    variables = {"BOOKINGS_TEST_LONG": 1} if long else {}
    both = bool(plain and inside)
    lanes = []
    if plain:
        lanes.append((Lane("plain", both), _run_plain, (plain, options)))
    if inside:
        lanes.append((Lane("odoo", both), _run_inside, (inside, options)))
    _watch_signals([lane for lane, _run, _args in lanes])
    with ThreadPoolExecutor(len(lanes)) as pool:
        jobs = [pool.submit(_guarded, run, env, lane, *a, variables) for lane, run, a in lanes]
        results = [job.result() for job in jobs]
    if long and not words:  # Odoo's own suites: with a whole run only
        results.append(run_suites(env))
    return _conclude(results)


def _split(args):
    """Split arguments into options, paths of plain tests, and ``{addon: paths}`` of tests inside Odoo."""
    options, plain, inside = [], [], {}
    for word in args:
        name, *parts = word.split("::")
        path = (Path.cwd() / name).resolve()
        if word.startswith("-") or not path.exists() or REPO not in path.parents:
            if ".py" in name and not word.startswith("-"):
                raise DevError(f"there is no {word} in this repository")
            options.append(word)
            continue
        word = "::".join([str(path), *parts])
        addon = path.relative_to(REPO).parts[0]
        if addon in manifests():
            inside.setdefault(addon, []).append(word)
        else:
            plain.append(word)
    if not plain and not inside:
        plain = [str(REPO / "tests" / name) for name in ("unit", "system")]
        inside = {
            name: [str(REPO / name / "tests")]
            for name in manifests()
            if (REPO / name / "tests").is_dir()
        }
    return options, plain, inside


def _guarded(run, env, lane, *args):
    try:
        run(env, lane, *args)
    except (DevError, OSError) as error:
        lane.result.failed += 1
        lane.result.problems.append(f"{lane.name}: {error}")
    return lane.result


def _run_plain(env, lane, paths, options, variables):
    lane.pytest(env, [*PLAIN, *paths, *options], **variables)


def _run_inside(env, lane, chosen, options, variables):
    """Run the tests of each addon on a database with only its dependencies and those of its tests."""
    for addon, paths in sorted(chosen.items()):
        needed = databases.dependencies(databases.with_own_dependencies([addon]))
        needed += databases.FOR_TESTS.get(addon, ())
        with databases.temporary(env, "bookings_test", needed) as name:
            lane.say(f"installing {addon} into {name}")
            _check_log(lane, f"installing {addon}", databases.install(env, name, [addon]))
            more = databases.wheels(env, [addon])
            if validators := VALIDATORS.get(addon):
                more = {"PYTHONPATH": neighbors.folder(env, validators)}
            _run_addon(env, lane, name, [*paths, *options], {**variables, **more})


def _run_addon(env, lane, database, args, variables):
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "odoo.log"
        arguments = [
            f"--odoo-database={database}",
            "--odoo-http",
            "--odoo-log-level=warn",
            f"--odoo-extra=logfile={log}",
            f"--odoo-extra=db-filter=^{database}$",
        ]
        lane.pytest(env, [*arguments, *args], **variables)
        _check_log(lane, "the tests", log.read_text() if log.exists() else "")


def _check_log(lane, what, text):
    found = odoo_log.complaints(text)
    if found:
        lane.result.failed += 1
        listed = "\n    ".join(found[:10])
        lane.result.problems.append(
            f"Odoo's log of {what} holds {len(found)} warnings or errors:\n    {listed}"
        )


def _watch_signals(lanes):
    def stop(_number, _frame):
        for lane in lanes:
            lane.stop()
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


def _conclude(results):
    total = Result("total")
    for result in results:
        total.add(result)
        say(f"{result.name}: {_counts(result)}")
    for problem in total.problems:
        say(problem)
    if not total.passed and not total.failed:
        say("nothing was tested")
    print(_counts(total), flush=True)
    return 1 if total.failed or total.problems or not total.passed else 0


def _counts(result):
    return f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped"
