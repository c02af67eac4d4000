"""The wheel holds the whole addon, and Odoo finds and installs the addon from it."""

import ast
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.parser import Parser

import pytest

from devtools import databases
from devtools.odoo_log import complaints
from devtools.paths import REPO, manifests

ADDON = "bookings_invoicing"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel, built from a copy so that no build folder is left in the repository."""
    source = tmp_path_factory.mktemp("source")
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((REPO / name).read_bytes())
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(out), str(source)], check=True)
    (found,) = out.glob("*.whl")
    return found


def tracked(*under):
    """Paths, relative to the repository, that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *under]
    out = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in set(out.split("\0")) if name and (REPO / name).exists())


def test_wheel_holds_exactly_the_addons(wheel):
    """Every file of every addon is in, and nothing else."""
    inside = {
        name.removeprefix("odoo/addons/")
        for name in zipfile.ZipFile(wheel).namelist()
        if ".dist-info/" not in name
    }
    assert inside == set(tracked(*manifests()))


def test_wheel_asks_for_no_odoo(wheel):
    """The requirements are those of the manifest; Odoo is not on the index."""
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith("dist-info/METADATA"))
    metadata = Parser().parsestr(archive.read(name).decode())
    required = sorted(metadata.get_all("Requires-Dist"))
    manifest = ast.literal_eval((REPO / ADDON / "__manifest__.py").read_text())
    assert required == sorted(manifest["external_dependencies"]["python"])
    assert metadata["Version"] == manifest["version"]
    assert metadata["Requires-Python"] == ">=3.10"


def test_odoo_installs_the_addon_from_the_wheel(wheel, environment, database, tmp_path):
    """In a second venv, with an addons path that does not name this repository."""
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False)
    site = next(folder.glob("lib/python3*/site-packages"))
    # Reuses the packages of the first venv instead of downloading them once more.
    (site / "first.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n{environment.root}\n")
    python = str(folder / "bin" / "python")
    install = ["-m", "pip", "install", "-q", "--no-index", "--no-deps", str(wheel)]
    subprocess.run([python, *install], check=True)
    conf = tmp_path / "odoo.conf"
    lines = environment.conf.read_text().splitlines()
    conf.write_text("\n".join(_without_repository(line) for line in lines))

    command = [python, "-m", "odoo", "-c", str(conf), "-d", database, "-i", ADDON]
    done = subprocess.run(
        [*command, "--stop-after-init", "--no-http"],
        cwd=tmp_path,
        env={**environment.variables(), "ODOO_RC": str(conf)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )

    assert not complaints(done.stderr)
    assert done.returncode == 0
    query = f"SELECT state FROM ir_module_module WHERE name = '{ADDON}'"
    assert environment.server.query(query, database) == [["installed"]]
    assert databases.exists(environment, database)
    where = f"import odoo.modules.module as m; print(m.get_module_path({ADDON!r}))"
    found = subprocess.run(
        [python, "-c", where],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == str(site / "odoo" / "addons" / ADDON)


def _without_repository(line):
    if not line.startswith("addons_path"):
        return line
    key, _equals, value = line.partition(" = ")
    return f"{key} = {','.join(part for part in value.split(',') if part != str(REPO))}"
