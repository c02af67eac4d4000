"""Check that each method and field of a model is defined once per addon, and that few classes make up a model.

Odoo combines the classes of a model in the order in which they are imported. If two of them in the same addon define the
same name, the order of imports determines what happens, and a reader finds only half of it. Instead, one method calls the
parts by name, in order. Overriding a method of another addon or of an abstract model is Odoo's own way and allowed.
"""

import ast
from collections import defaultdict
from pathlib import Path

# Maximum number of classes of a model, so that it remains readable. A booking has more to it than others.
MAX_CLASSES = 6
MORE_CLASSES = {"bookings.booking": 9}


def check_definitions(addon):
    """Yield the findings for an addon.

    :param Path addon: the folder with the manifest
    """
    classes = _classes(addon)
    for model, found in sorted(classes.items()):
        limit = MORE_CLASSES.get(model, MAX_CLASSES)
        if len(found) > limit:
            yield f"{addon.name}: {model} is made by {len(found)} classes, the limit is {limit}"
    for model, names in sorted(_doubled(classes).items()):
        for name, places in sorted(names.items()):
            yield f"{places[-1]}: {name} of {model} is defined at {', '.join(places[:-1])} too"


def _classes(addon):
    """Return ``{model: [(file, class)]}`` of the classes that define or extend a model, without those of tests."""
    classes = defaultdict(list)
    for path in sorted(addon.rglob("*.py")):
        if "tests" in path.relative_to(addon).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and (model := _model(node)):
                classes[model].append((Path(addon.name, path.relative_to(addon)), node))
    return classes


def _doubled(classes):
    """Return ``{model: {name: ["file:line", ...]}}`` of names that several classes of the model define."""
    doubled = {}
    for model, found in classes.items():
        places = defaultdict(list)
        for path, node in found:
            for name, line in _definitions(node).items():
                places[name].append(f"{path}:{line}")
        doubled[model] = {name: where for name, where in places.items() if len(where) > 1}
    return doubled


def _model(node):
    """Return the model that a class defines or extends, or None if it is not a model."""
    values = {}
    for target, value in _assignments(node):
        if target in ("_name", "_inherit"):
            values[target] = ast.literal_eval(value)
    inherited = values.get("_inherit")
    if isinstance(inherited, list | tuple):
        inherited = inherited[0] if len(inherited) == 1 else None
    return values.get("_name") or inherited


def _definitions(node):
    """Return ``{name: line}`` of the methods and fields in the body of a class."""
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
