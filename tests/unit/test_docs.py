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


def test_the_rules_are_where_the_table_says():
    """Each file named under "Where is the rule for ..." exists, and so does each function in it."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("## Where is the rule for ...")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
        if line.startswith("|")
    ][2:]
    addon = ROOT / "bookings_invoicing"
    missing, right = [], []
    for question, guess, place in rows:
        places = re.findall(r"`([\w/]+\.py)` ((?:`\w+`(?:, )?)+)", place)
        assert places, question
        for file, names in places:
            found = names_in(addon / file)
            missing += [(file, name) for name in re.findall(r"\w+", names) if name not in found]
        right.append(guess.strip("`") == places[0][0])
    assert not missing
    assert sum(right[:10]) >= 9
