"""Programs that come from the system's packages: the browser and the PDF printer."""

import os
import shutil
import subprocess

from .console import DevError, locked, run, say, step
from .paths import locks

# Any of the programs will do; the package is Debian's.
PROGRAMS = {
    "chromium": ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable"),
    "wkhtmltopdf": ("wkhtmltopdf",),
}


def ensure(*packages):
    """Install what is missing where that is allowed; return the packages still missing."""
    missing = [package for package in packages if not present(package)]
    if missing:
        with locked(locks(), "system"):
            missing = [package for package in missing if not present(package)]
            missing = [package for package in missing if not _install(package)]
    return missing


def present(package):
    """Whether a program of the package is on the path."""
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
                # The list may be older than the mirror.
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
    """Prefix of a command that runs as root; None where that is not allowed."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        done = subprocess.run(["sudo", "-n", "true"], capture_output=True, stdin=subprocess.DEVNULL)
        if done.returncode == 0:
            return ["sudo", "-n"]
    return None
