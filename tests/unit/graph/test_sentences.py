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


def test_a_stored_sentence_is_recognized_in_any_language():
    """Whatever it names, together with Microsoft's code behind it and one more sentence after it."""
    for kind in graph.SENTENCES:
        stored = str(graph.GraphError(kind=kind, host="graph.example", code="AADSTS1"))
        assert graph.say_again(stored, "da: {}".format) == f"da: {stored}"
        graph.say_again(stored, _only(graph.SENTENCES[kind]))
    for check in (
        graph.Check("permission", True, "ok", {"permissions": "Bookings.Read.All, Mail.Read"}),
        graph.Check("businesses", True, "ok", {"count": 2}),
        graph.Check("services", False, "skipped"),
    ):
        assert graph.say_again(check.message, "da: {}".format) == f"da: {check.message}"
    pages = graph.Check("services", True, "ok", {"count": 10, "malformed": 2})
    assert graph.say_again(pages.message, "da: {}".format).count("da: ") == 2
    assert graph.say_again("Clinic (EUR)", "da: {}".format) == "Clinic (EUR)"


def _only(sentence):
    def translate(found):
        assert found == sentence
        return found

    return translate
