"""Answers of strangers: what is empty is filled, what is there stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.questions import (
    FIELDS,
    MAX_LENGTH,
    Answer,
    QuestionRule,
    mapped_answers,
    plan_filling,
)

CLEAN = [
    ("company_name", "  Contoso \n A/S ", "Contoso A/S"),
    ("vat", "dk 12.34-56 74", "DK12345674"),
    ("vat", "ATU12345678", "ATU12345678"),
    ("vat", "CHE-123.456.788 MWST", "CHE123456788MWST"),
    ("vat", "I have none", ""),
    ("vat", "1", ""),
    ("reference", " PO  4711 ", "PO 4711"),
    ("billing_email", "Accounts <AP@Contoso.com>", "ap@contoso.com"),
    ("billing_email", "ap at contoso", ""),
    ("gln", "579-0000 435043", "5790000435043"),
    ("gln", "5790000435044", ""),
    ("gln", "579000043504", ""),
    ("gln", "12345670", ""),
    ("gln", "４０００００１００００００", ""),
    ("peppol", "0184:12345674", "0184:12345674"),
    ("peppol", "184:12345674", ""),
    ("peppol", "0184:", ""),
    ("leitweg_id", "04011000-1234512345-06", "04011000-1234512345-06"),
    ("leitweg_id", " 991-33333TEST-33 ", "991-33333TEST-33"),
    ("leitweg_id", "991-33333TEST-34", ""),
    ("leitweg_id", "991", ""),
    ("leitweg_id", "04011000--06", ""),
]


@pytest.mark.parametrize(("field", "text", "value"), CLEAN)
def test_cleaning(field, text, value):
    assert FIELDS[field](text) == value


@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=60))
def test_cleaning_twice_changes_nothing(field, text):
    once = FIELDS[field](text)
    assert FIELDS[field](once) == once


RULES = [
    QuestionRule("vat", question_id="q-vat"),
    QuestionRule("reference", question="Your PO number?"),
    QuestionRule("company_name", question="Company"),
]


def test_questions_by_id_and_by_text():
    answers = [
        Answer("q-vat", "Was it renamed?", " DK12345674 "),
        Answer("other", "  your  po NUMBER? ", "7"),
        Answer("other", "Company", "  "),
        Answer("secret", "Which pills do you take?", "blue ones"),
    ]
    assert mapped_answers(answers, RULES) == [("vat", "DK12345674"), ("reference", "7")]


def test_a_rule_without_a_question_takes_nothing():
    assert mapped_answers([Answer("", "", "x")], [QuestionRule("vat")]) == []


def test_long_answers_are_cut():
    found = mapped_answers([Answer("", "Company", "x" * 10_000)], RULES)
    assert found == [("company_name", "x" * MAX_LENGTH)]


PLANS = [
    # stored, answered -> fill, (field, proposed, code)
    ({}, [("reference", "PO 7")], {"reference": "PO 7"}, []),
    ({"reference": ""}, [("reference", "PO 7")], {"reference": "PO 7"}, []),
    ({"reference": "PO 7"}, [("reference", "po 7")], {}, []),
    (
        {"reference": "PO 6"},
        [("reference", "PO 7")],
        {},
        [("reference", "PO 7", "answer_differs")],
    ),
    ({"vat": "DK 12345674"}, [("vat", "12345674")], {}, []),
    ({"vat": "DK12345674"}, [("vat", "87654321")], {}, [("vat", "87654321", "answer_differs")]),
    ({}, [("gln", "12")], {}, [("gln", "12", "answer_invalid")]),
    (
        {},
        [("reference", "1"), ("reference", "2")],
        {},
        [("reference", "1", "answer_several"), ("reference", "2", "answer_several")],
    ),
    ({}, [("reference", "1"), ("reference", " 1")], {"reference": "1"}, []),
    (
        {"billing_email": "AP@contoso.com"},
        [("billing_email", "Ap <ap@contoso.com>")],
        {},
        [],
    ),
]


@pytest.mark.parametrize(("stored", "answered", "fill", "proposals"), PLANS)
def test_plans(stored, answered, fill, proposals):
    plan = plan_filling(stored, answered)
    assert plan.fill == fill
    assert [(one.field, one.proposed, one.why.code) for one in plan.proposals] == proposals
    assert all(one.current == stored.get(one.field, "") for one in plan.proposals)


FIELD = st.sampled_from(sorted(FIELDS))
TEXT = st.sampled_from(["", "1", "DK12345674", "ap@x.org", "5790000435043", "0184:1", "Contoso"])


@given(st.dictionaries(FIELD, TEXT), st.lists(st.tuples(FIELD, TEXT.filter(bool))))
def test_nothing_stored_is_ever_overwritten(stored, answered):
    plan = plan_filling(stored, answered)
    assert not any(stored.get(field) for field in plan.fill)
    assert all(FIELDS[field](value) == value for field, value in plan.fill.items())
    assert not {one.field for one in plan.proposals if one.why.code != "answer_invalid"} & set(
        plan.fill
    )
    again = plan_filling({**stored, **plan.fill}, answered)
    assert not again.fill
