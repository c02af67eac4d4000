"""The source of Odoo 19: Debian's package unpacked into the cache, or ODOO_ROOT.

The package is only in Debian's unstable suite. apt downloads and verifies it with a separate state folder, so the
machine's package lists and installed packages do not change.
"""

import os
import re
import shutil
from pathlib import Path

from .console import DevError, link_atomic, locked, run, step
from .paths import cache, locks

PACKAGE = "odoo-19"
# The web client needs these. Debian has separate packages for them.
ASSETS = (
    "fonts-font-awesome",
    "fonts-glyphicons-halflings",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "gsfonts",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
)
SITE_PACKAGES = Path("usr/lib/python3/dist-packages")
KEYRINGS = ("debian-archive-keyring.pgp", "debian-archive-keyring.gpg")
NO_DEBIAN = (
    "Set ODOO_ROOT to the folder of an Odoo 19 source checkout (the one that holds odoo-bin) "
    "or of an installed package, and run the command again."
)


def root():
    """Return the folder to add to Python's path, so that ``import odoo`` imports Odoo 19. Raises DevError."""
    given = os.environ.get("ODOO_ROOT")
    if given:
        return _checked(Path(given).expanduser().resolve())
    link = cache() / "odoo"
    if not (link / "odoo" / "release.py").exists():
        with locked(locks(), "odoo"):
            if not (link / "odoo" / "release.py").exists():
                _install(link)
    return link.resolve()


def addons_paths(base):
    """Return the folders with Odoo's own complete addons.

    In the Debian package, they are inside the namespace package, and the top-level ``addons`` has only Python files. A
    source checkout needs both folders.
    """
    inside = base / "odoo" / "addons"
    outside = base / "addons"
    if (inside / "account" / "__manifest__.py").exists():
        return [inside]
    return [outside, inside]


def version(base):
    """Return a text that identifies the version of Odoo, so that other versions do not reuse its databases."""
    marker = base / ".bookings-version"
    if marker.exists():
        return marker.read_text().strip()
    release = base / "odoo" / "release.py"
    return f"{base}@{release.stat().st_mtime_ns}"


def _checked(base):
    release = base / "odoo" / "release.py"
    if not release.exists():
        raise DevError(f"ODOO_ROOT={base} holds no odoo/release.py; it must be Odoo's source root.")
    if not re.search(r"version_info = \(19, 0", release.read_text()):
        raise DevError(f"ODOO_ROOT={base} is not Odoo 19.0; this addon is for 19.0.")
    return base


def _install(link):
    apt = _Apt(cache() / "apt")
    with step("reading the list of Debian packages"):
        apt.update()
    with step(f"downloading {PACKAGE} (122 MB)"):
        debs = apt.download([PACKAGE, *ASSETS])
    name = next(deb.name for deb in debs if deb.name.startswith(PACKAGE + "_"))
    target = cache() / "packages" / name.removesuffix(".deb")
    with step("unpacking Odoo (1.2 GB)"):
        if not target.exists():
            _unpack(debs, target)
    link_atomic(link, target / SITE_PACKAGES)
    for deb in debs:
        deb.unlink()


def _unpack(debs, target):
    """Unpack next to the target and rename, so that an interrupted run leaves no incomplete target."""
    temporary = target.with_name(f"{target.name}.{os.getpid()}")
    for leftover in target.parent.glob(f"{target.name}.*"):
        shutil.rmtree(leftover)
    temporary.mkdir(parents=True)
    for deb in debs:
        run(["dpkg-deb", "-x", deb, temporary], hint="Is the disk full? 1.5 GB are needed.")
    base = temporary / SITE_PACKAGES
    _mend(base)
    (base / ".bookings-version").write_text(target.name + "\n")
    temporary.rename(target)


def _mend(base):
    """Add a file that the package lacks. Without it, the asset bundle causes errors in browser tests."""
    stub = base / "odoo/addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"
    if not stub.exists():
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text("/* left out of the package: needs a non-free model */\n")


def fetch(names, into):
    """Download Debian packages of the unstable suite and unpack them into a folder."""
    apt = _Apt(cache() / "apt")
    apt.update()
    for deb in apt.download(names):
        run(["dpkg-deb", "-x", deb, into])
        deb.unlink()


class _Apt:
    """apt with a separate state folder and one source: unstable on this machine's own mirror."""

    def __init__(self, folder):
        self.folder = folder
        for tool in ("apt-get", "dpkg-deb"):
            if not shutil.which(tool):
                raise DevError(f"{tool} is missing: this is not a Debian system. {NO_DEBIAN}")

    def update(self):
        """Read the suite's package list from the first mirror that answers. Raises DevError."""
        failures = []
        for site in self._sites():
            self._write_source(site)
            try:
                run([*self._command(), "update", "-o", "APT::Update::Error-Mode=any"])
                return
            except DevError as error:
                failures.append(str(error))
        raise DevError(
            "\n".join(failures)
            + f"\n  No Debian mirror could be read. Is the network up?\n  {NO_DEBIAN}"
        )

    def download(self, names):
        """Download packages, which apt verifies, and return their files."""
        into = self.folder / "debs"
        into.mkdir(exist_ok=True)
        hint = f"Is the network up? {NO_DEBIAN}"
        run([*self._command(), "download", *names], cwd=into, hint=hint)
        return [next(into.glob(f"{name}_*.deb")) for name in names]

    def _command(self):
        here = self.folder
        options = {
            "Dir::Etc::SourceList": here / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": here / "state",
            "Dir::State::Lists": here / "lists",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": here / "cache",
            # apt's helper user cannot write to a home folder.
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        pairs = [f"-o{key}={value}" for key, value in options.items()]
        return ["apt-get", "-q", *pairs]

    def _sites(self):
        """Return the mirror addresses in this machine's own sources, the most likely ones first."""
        out = run(["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"])
        sites = [site for site in dict.fromkeys(out.split()) if "security" not in site]
        if not sites:
            raise DevError(f"apt knows no package source. {NO_DEBIAN}")
        return sorted(sites, key=lambda site: not site.rstrip("/").endswith("/debian"))

    def _write_source(self, site):
        for part in ("lists/partial", "cache/archives/partial", "state"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for name in KEYRINGS:
            keyring = Path("/usr/share/keyrings") / name
            if keyring.exists():
                break
        else:
            raise DevError(f"Debian's archive keyring is missing. {NO_DEBIAN}")
        line = f"deb [signed-by={keyring}] {site} sid main\n"
        (self.folder / "sources.list").write_text(line)
