"""Builds one wheel with every addon of the repository, which Odoo finds once pip installs it."""

import ast
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).resolve().parent
LEFT_OUT = ("__pycache__",)
SCRIPTS = "migrations"  # folders named like versions: files that Odoo runs, no packages
MAIN = "bookings_invoicing"


def addons():
    """Names of the addons, the folders that hold a manifest."""
    return sorted(path.parent.name for path in HERE.glob("*/__manifest__.py"))


def packages(addon):
    """The addon and its Python packages: {dotted name: folder}."""
    folders = {path.parent for path in (HERE / addon).rglob("*.py")}
    return {
        "odoo.addons." + ".".join(folder.relative_to(HERE).parts): str(folder.relative_to(HERE))
        for folder in folders
        if not set(folder.parts) & {*LEFT_OUT, SCRIPTS}
    }


def data_files(addon):
    """Every other file of the addon, relative to it; views, translations, images, scripts and the like."""
    root = HERE / addon
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix not in (".pyc", ".pyo")
        if path.suffix != ".py" or SCRIPTS in path.relative_to(root).parts
        if not any(
            part.startswith(".") or part in LEFT_OUT for part in path.relative_to(root).parts
        )
    ]


def manifest():
    """Manifest of the main addon."""
    return ast.literal_eval((HERE / MAIN / "__manifest__.py").read_text())


def readme():
    """Text of the project's page on an index."""
    path = HERE / "README.md"
    return path.read_text() if path.exists() else ""


package_dir = {name: folder for addon in addons() for name, folder in packages(addon).items()}

setup(
    name="odoo-addons-bookings-invoicing",
    version=manifest()["version"],
    description=manifest()["summary"],
    long_description=readme(),
    long_description_content_type="text/markdown",
    license="LGPL-3.0-only",
    packages=sorted(package_dir),
    package_dir=package_dir,
    package_data={f"odoo.addons.{addon}": data_files(addon) for addon in addons()},
    # Odoo itself is not on the index; naming it would make the installation fail.
    install_requires=["requests", "msal", "cryptography"],
    python_requires=">=3.10",
    zip_safe=False,
    classifiers=[
        "Framework :: Odoo",
        "Framework :: Odoo :: 19.0",
        "Programming Language :: Python",
    ],
)
