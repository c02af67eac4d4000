"""Checks that other linters lack. It prints ``file: message`` for each finding."""

import ast
import re
import subprocess
import sys
from pathlib import Path

from .lint_definitions import check_definitions
from .lint_po import check_translations
from .paths import REPO

MAX_LINES = 400
MAX_MODEL = 600  # for a file that defines a model, because it contains all fields of the model
MAX_FUNCTION = 60
# Attributes and elements that Odoo 19 no longer has.
OLD_ELEMENTS = {"tree": "list", "openerp": "odoo"}
OLD_ATTRIBUTES = ("attrs", "states", "groups_id")


def main(addons):
    """Print all findings, and return exit code 1 if there are any."""
    findings = list(check_sizes())
    for addon in addons:
        findings += check_xml(REPO / addon)
        findings += check_definitions(REPO / addon)
        findings += check_translations(REPO / addon)
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def tracked(*patterns):
    """Return the files that git tracks or would track."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    out = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout
    return [REPO / name for name in out.split("\0") if name and (REPO / name).exists()]


def check_sizes():
    """Yield files and functions that are too long."""
    for path in tracked("*.py", "*.js", "dev"):
        text = path.read_text()
        lines = text.count("\n")
        limit = MAX_MODEL if re.search(r"^    _name = ", text, re.MULTILINE) else MAX_LINES
        if lines > limit:
            yield f"{_name(path)}: {lines} lines, the limit is {limit}"
        if path.suffix == ".py":
            yield from _long_functions(path, text)


def _long_functions(path, text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            if length > MAX_FUNCTION:
                where = f"{_name(path)}:{node.lineno}"
                yield f"{where}: {node.name}() has {length} lines, the limit is {MAX_FUNCTION}"


def check_xml(addon):
    """Yield elements and attributes in data files that Odoo 19 no longer has."""
    from lxml import etree

    for path in sorted(addon.rglob("*.xml")):
        for node in etree.parse(str(path)).getroot().iter(etree.Element):
            yield from _old_words(f"{_name(path)}:{node.sourceline}", node)


def _old_words(where, node):
    if node.tag in OLD_ELEMENTS:
        yield f"{where}: <{node.tag}> is <{OLD_ELEMENTS[node.tag]}> in Odoo 19"
    for name in OLD_ATTRIBUTES:
        if node.get(name) is not None:
            yield f"{where}: the attribute {name} is gone in Odoo 19"
    text = node.text or ""
    if node.tag == "field" and re.search(r"\btree\b", text) and node.get("name") == "view_mode":
        yield f"{where}: the view type tree is list in Odoo 19"


def _name(path):
    return Path(path).relative_to(REPO)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
