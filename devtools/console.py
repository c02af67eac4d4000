"""Messages, child processes, and locks for the setup steps."""

import contextlib
import fcntl
import os
import socket
import subprocess
import sys
import time
from pathlib import Path


class DevError(Exception):
    """A setup step failed. The text says what the user can do."""


def say(text):
    """Print progress to stderr. Only the result of a command goes to stdout."""
    print(f"[dev] {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(text):
    """Announce a slow step, and print how long it took."""
    say(f"{text} ...")
    start = time.monotonic()
    yield
    say(f"{text}: {time.monotonic() - start:.0f} s")


def run(argv, *, hint="", env=None, cwd=None, stdin=None):
    """Run a command without printing its output, and return its stdout.

    Raises DevError with the end of the output and the hint if it fails.
    """
    argv = [str(part) for part in argv]
    try:
        done = subprocess.run(
            argv,
            env=env,
            cwd=cwd,
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except FileNotFoundError:
        raise DevError(f"{argv[0]} is not installed. {hint}".strip()) from None
    if done.returncode:
        tail = (done.stdout + done.stderr).strip().splitlines()[-25:]
        lines = "\n    ".join([f"{' '.join(argv[:6])} ... failed ({done.returncode}):", *tail])
        raise DevError("\n  ".join(filter(None, [lines, hint])))
    return done.stdout


@contextlib.contextmanager
def locked(directory, name):
    """Hold an exclusive lock, because several ./dev commands may run at once."""
    path = Path(directory) / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another ./dev ({name})")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_atomic(path, text):
    """Replace a small text file, unless its content is already the same."""
    path = Path(path)
    if path.exists() and path.read_text() == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


def link_atomic(link, target):
    """Replace a symbolic link in one step."""
    link = Path(link)
    if link.is_symlink() and os.readlink(link) == str(target):
        return
    temporary = link.with_name(f"{link.name}.{os.getpid()}")
    temporary.symlink_to(target)
    temporary.replace(link)


def free_port():
    """Return an unused TCP port of 127.0.0.1 as text."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
