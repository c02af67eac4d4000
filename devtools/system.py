"""Programs from the system's packages: the browser and the PDF printer."""

import os
import shutil
import subprocess

from .console import DevError, locked, run, say, step
from .paths import locks

# One of the programs is enough. The names of the packages are Debian's.
PROGRAMS = {
    "chromium": ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable"),
    "wkhtmltopdf": ("wkhtmltopdf",),
}


def ensure(*packages):
    """Install missing packages if that is allowed, and return those that are still missing."""
    missing = [package for package in packages if not present(package)]
    if missing:
        with locked(locks(), "system"):
            missing = [package for package in missing if not present(package)]
            missing = [package for package in missing if not _install(package)]
    return missing


def present(package):
    """Return whether a program of the package is in PATH."""
    return any(shutil.which(program) for program in PROGRAMS[package])


def _install(package):
    become = _become_root()
    if become is None or not shutil.which("apt-get"):
        say(f"{package} is missing. Install it, then run again: apt-get install {package}")
        return False
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    apt = [*become, *environment, "apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300"]
    install = [*apt, "install", "--no-install-recommends", package]
    try:
        with step(f"installing {package}"):
            if not _known(package):
                run([*apt, "update"])
            try:
                run(install)
            except DevError:
                # The list of packages may be outdated.
                run([*apt, "update"])
                run(install)
    except DevError as error:
        say(f"{package} could not be installed; what needs it will fail. {error}")
        return False
    return present(package)


def _known(package):
    done = subprocess.run(["apt-cache", "show", package], capture_output=True)
    return done.returncode == 0


def _become_root():
    """Return the prefix of a command that runs as root, or None if that is not allowed."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        done = subprocess.run(["sudo", "-n", "true"], capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            return ["sudo", "-n"]
    return None
