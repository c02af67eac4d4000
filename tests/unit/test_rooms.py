"""No import and no method call goes from a lower room of the addon to a higher one.

CONTRIBUTING draws the order. A lower room knows nothing of those above it, so it can be read, tested and changed alone;
what must follow above it is a step of one of its moments (``models/base/moments.py``).
"""

import ast
from collections import defaultdict

from devtools.paths import REPO

ADDON = REPO / "bookings_invoicing"
# From the ground up; billing and graph know neither Odoo nor each other.
GROUND = ("billing", "graph")
MODELS = (
    "models.base",
    "models.connection",
    "models.setup",
    "models.directory",
    "models.booking",
    "models.invoicing",
    "models.sync",
    "models.completeness",
    "models.privacy",
    "models.golive",
)
ROOMS = ("sandbox", *MODELS, "wizards", "controllers")


def test_no_import_goes_up():
    upwards = [
        f"{path.relative_to(ADDON)}:{line} imports {target}"
        for path, own, line, target in _imports()
        if _height(target) > _height(own) or own != target and {own, target} <= {*GROUND}
    ]
    assert not upwards, upwards


def test_no_method_call_goes_up():
    """Judged by name, where all definitions of that name stand in one room; a button may open a wizard."""
    defined = defaultdict(set)
    for _path, own, tree in _modules():
        for method in _methods(tree):
            defined[method].add(own)
    upwards = []
    for path, own, tree in _modules():
        for node in ast.walk(tree) if own in MODELS else ():
            if isinstance(node, ast.Attribute) and len(defined[node.attr]) == 1:
                (target,) = defined[node.attr]
                if target in MODELS and _height(target) > _height(own):
                    upwards.append(f"{path.relative_to(ADDON)}:{node.lineno} {node.attr}: {target}")
    assert not upwards, upwards


def test_every_file_of_models_is_in_a_room():
    """A new room or a file beside the rooms would not be looked at."""
    folders = {path.name for path in (ADDON / "models").iterdir()}
    assert folders - {"__pycache__"} == {"__init__.py", *(room.split(".")[1] for room in MODELS)}


def test_there_is_something_to_judge():
    assert len({own for _path, own, _line, _target in _imports()}) > 8
    assert sum(len({*_methods(tree)}) for _path, _own, tree in _modules()) > 500


def _height(room):
    return 0 if room in GROUND else 1 + ROOMS.index(room)


def _room(parts):
    """The room that a dotted place of the addon belongs to, or None."""
    name = ".".join(parts[:2] if parts[:1] == ["models"] else parts[:1])
    return name if name in GROUND + ROOMS else None


def _modules():
    """(file, its room, its syntax tree) of each module in a room."""
    for path in sorted(ADDON.rglob("*.py")):
        if own := _room(list(path.relative_to(ADDON).parent.parts)):
            yield path, own, ast.parse(path.read_text())


def _imports():
    """(file, its room, line, room that is imported) for each relative import of the addon."""
    for path, own, tree in _modules():
        package = list(path.relative_to(ADDON).parent.parts)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                source = package[: len(package) - node.level + 1]
                source += node.module.split(".") if node.module else []
                for target in {_room([*source, alias.name]) for alias in node.names} - {None}:
                    yield path, own, node.lineno, target


def _methods(tree):
    """Names of the methods of the models in a module that are its own: no hooks of Odoo's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.FunctionDef) and not part.name.startswith("__"):
                    if part.name.startswith(("_", "action_")):
                        yield part.name
