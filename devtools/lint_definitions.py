"""Check that inside one addon a method of a model is defined once and a field is declared once.

Odoo puts the classes that extend a model together in the order in which they are imported. Where two of them, in one
addon, define one name, the order of imports decides what happens, and a reader finds only half of it. What several
parts contribute is called by name, in order, in one method instead. Across addons, and from an abstract model that a
model inherits, overriding is Odoo's own way and no finding.
"""

import ast
from collections import defaultdict
from pathlib import Path


def check_definitions(addon):
    """Findings for one addon, the folder that holds its manifest."""
    for model, names in sorted(_doubled(addon).items()):
        for name, places in sorted(names.items()):
            yield f"{places[-1]}: {name} of {model} is defined at {', '.join(places[:-1])} too"


def _doubled(addon):
    """{model: {name: ["file:line", ...]}} of what more than one class of the model defines."""
    places = defaultdict(lambda: defaultdict(list))
    for path in sorted(addon.rglob("*.py")):
        if "tests" in path.relative_to(addon).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and (model := _model(node)):
                for name, line in _definitions(node).items():
                    places[model][name].append(
                        f"{Path(addon.name, path.relative_to(addon))}:{line}"
                    )
    doubled = {
        model: {name: where for name, where in names.items() if len(where) > 1}
        for model, names in places.items()
    }
    return {model: names for model, names in doubled.items() if names}


def _model(node):
    """The model that a class defines or extends, or None where it is no model."""
    values = {}
    for target, value in _assignments(node):
        if target in ("_name", "_inherit"):
            values[target] = ast.literal_eval(value)
    inherited = values.get("_inherit")
    if isinstance(inherited, list | tuple):
        inherited = inherited[0] if len(inherited) == 1 else None
    return values.get("_name") or inherited


def _definitions(node):
    """{name: line} of the methods and fields in a class body."""
    found = {
        part.name: part.lineno
        for part in node.body
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for target, value in _assignments(node):
        if isinstance(value, ast.Call) and ast.unparse(value.func).startswith("fields."):
            found[target] = value.lineno
    return found


def _assignments(node):
    for part in node.body:
        if isinstance(part, ast.Assign):
            for target in part.targets:
                if isinstance(target, ast.Name):
                    yield target.id, part.value
        elif isinstance(part, ast.AnnAssign) and part.value and isinstance(part.target, ast.Name):
            yield part.target.id, part.value
