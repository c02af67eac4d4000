"""Runs the examples in the docstrings of the plain packages."""

import doctest
import importlib

import pytest

from .conftest import ADDON

PACKAGES = [
    *(ADDON / name for name in ("graph", "billing", "sandbox")),
    ADDON.parent / "devtools",
]


def modules_with_examples():
    """Dotted names of the modules whose text has a prompt."""
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            if ">>> " in path.read_text():
                relative = path.relative_to(ADDON.parent).with_suffix("")
                yield ".".join(relative.parts).removesuffix(".__init__")


@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_examples(name):
    """Every example gives what its docstring says, and at least one is found."""
    result = doctest.testmod(importlib.import_module(name), verbose=False)
    assert result.attempted
    assert not result.failed
