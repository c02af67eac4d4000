"""What the docs say of tests is true: each test that they name exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md")) + [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
TESTS = {
    path.name: path
    for folder in (
        "tests",
        *(f"{path.parent.name}/tests" for path in ROOT.glob("*/__manifest__.py")),
    )
    for path in (ROOT / folder).rglob("test_*.py")
}
NAMED = re.compile(r"`(?:[\w/]*/)?(test_\w+\.py)`((?: (?:Test\w+|test_\w+),?)*)")


def names_in(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.ClassDef, ast.FunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize("doc", DOCS, ids=lambda path: path.name)
def test_each_test_that_is_named_exists(doc):
    missing = []
    for file, inner in NAMED.findall(doc.read_text(encoding="utf-8")):
        if file not in TESTS:
            missing.append(file)
            continue
        missing += [
            f"{file} {name}"
            for name in inner.replace(",", " ").split()
            if name not in names_in(TESTS[file])
        ]
    assert not missing


def test_each_weakness_of_the_reference_product_has_its_row():
    text = (ROOT / "docs" / "business-central.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ][2:]
    assert len(rows) >= 28
    for it, we, test in rows:
        assert it and we
        assert NAMED.search(test) or re.search(r"`tests/unit/\w+`", test), it
