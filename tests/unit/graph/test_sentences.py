"""The sentences for users: each one that the code can raise is known, so that Odoo can translate it."""

import ast
from pathlib import Path

from bookings_invoicing import graph


def _problems():
    """Yield each text that the package gives to RecordError as what is wrong."""
    for path in Path(graph.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "RecordError":
                yield from (
                    leaf.value
                    for problem in node.args[1:2]
                    for leaf in (
                        [problem.body, problem.orelse]
                        if isinstance(problem, ast.IfExp)
                        else [problem]
                    )
                    if isinstance(leaf, ast.Constant)
                )


def test_every_problem_of_a_record_can_be_translated():
    assert set(_problems()) == set(graph.PROBLEMS)
