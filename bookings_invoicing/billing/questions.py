"""Use answers of the booking form as invoice data: fill empty fields, propose other values, overwrite nothing.

A setup assigns questions to :data:`FIELDS`, by Graph's ``questionId``, or by their text if forms of several services ask
the same. Answers to other questions are ignored. Because answers come from strangers, an answer that fails the check of
the field is proposed with the reason and never filled in.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from stdnum import ean
from stdnum.iso7064 import mod_97_10

from .matching import name_key, normalize_email
from .sentences import Explanation

MAX_LENGTH = 250


class Answer(NamedTuple):
    """An answer: Graph's question ID, the text of the question, and the text as typed."""

    question_id: str
    question: str
    text: str


class QuestionRule(NamedTuple):
    """A question that is assigned to a field, identified by ``question_id``, or else by text without case and spaces."""

    field: str
    question_id: str = ""
    question: str = ""


@dataclass(frozen=True)
class Proposal:
    """A value for a user to decide on: the field, its current value, the answer, and why it was not filled in."""

    field: str
    current: str
    proposed: str
    why: Explanation


class Filling(NamedTuple):
    """``fill``: ``{field: clean value}`` of empty fields. ``proposals``: values for a user to decide on."""

    fill: dict[str, str]
    proposals: tuple[Proposal, ...]


def _text(value: str) -> str:
    return " ".join(value.split())


def _compact(value: str) -> str:
    return re.sub(r"[\s.\-/]", "", value).upper()


def _vat(value: str) -> str:
    """Return a tax ID of letters and digits. Odoo checks it by the rules of its country."""
    value = _compact(value)
    return value if re.fullmatch(r"[A-Z0-9+*]{4,20}", value) and re.search(r"\d", value) else ""


def _gln(value: str) -> str:
    """Return a GLN / EAN location number: 13 digits, the last one a GS1 check digit.

    >>> _gln("5790 0004 3504 3"), _gln("5790000435042")
    ('5790000435043', '')
    """
    value = _compact(value)
    return value if len(value) == 13 and ean.is_valid(value) else ""


def _peppol(value: str) -> str:
    """Return a Peppol participant: four-digit scheme, colon, identifier.

    >>> _peppol("0184: 12345674"), _peppol("12345674")
    ('0184:12345674', '')
    """
    value = re.sub(r"\s", "", value)
    return value if re.fullmatch(r"[0-9]{4}:[A-Za-z0-9._~:+-]{1,50}", value) else ""


def _leitweg(value: str) -> str:
    """Return a German Leitweg-ID: coarse and optional fine address, two check digits (ISO 7064 MOD 97-10).

    >>> _leitweg("04011000-1234512345-06"), _leitweg("04011000-1234512345-07")
    ('04011000-1234512345-06', '')
    """
    value = re.sub(r"\s", "", value).upper()
    shaped = re.fullmatch(r"[0-9]{2,12}(-[A-Z0-9]{1,30})?-[0-9]{2}", value)
    return value if shaped and mod_97_10.is_valid(value.replace("-", "")) else ""


# Functions that return the value to store for each field, or "" if the answer is invalid.
FIELDS: Mapping[str, Callable[[str], str]] = {
    "company_name": _text,
    "vat": _vat,
    "reference": _text,
    "billing_email": normalize_email,
    "gln": _gln,
    "peppol": _peppol,
    "leitweg_id": _leitweg,
}


def mapped_answers(
    answers: Iterable[Answer], rules: Iterable[QuestionRule]
) -> list[tuple[str, str]]:
    """Return ``[(field, text as typed)]`` of all answered questions that are assigned to a field.

    >>> mapped_answers([Answer("q1", "Company?", " Contoso "), Answer("q2", "Diet?", "none")],
    ...                [QuestionRule("company_name", question="company?")])
    [('company_name', 'Contoso')]
    """
    rules = list(rules)
    by_id = {rule.question_id: rule.field for rule in rules if rule.question_id}
    by_text = {
        name_key(rule.question): rule.field
        for rule in rules
        if not rule.question_id and name_key(rule.question)
    }
    found = []
    for answer in answers:
        field = by_id.get(answer.question_id) or by_text.get(name_key(answer.question))
        if field and answer.text.strip():
            found.append((field, _text(answer.text)[:MAX_LENGTH]))
    return found


def plan_filling(current: Mapping[str, str], answered: Iterable[tuple[str, str]]) -> Filling:
    """Return which fields to fill and which values to propose.

    ``current`` is ``{field: stored value}``, with "" or no entry for an empty field. Two different answers for one empty
    field are both proposed. An answer that is equivalent to the stored value is ignored.

    >>> answered = [("vat", "dk 12 34 56 74"), ("reference", "PO 7")]
    >>> plan = plan_filling({"vat": "DK12345674"}, answered)
    >>> plan.fill, plan.proposals
    ({'reference': 'PO 7'}, ())
    >>> plan_filling({"reference": "PO 6"}, [("reference", "PO 7")]).proposals[0].proposed
    'PO 7'
    """
    fill: dict[str, str] = {}
    proposals: list[Proposal] = []
    wanted: dict[str, list[str]] = {}
    for field, text in answered:
        clean = FIELDS[field](text)
        stored = current.get(field) or ""
        if not clean:
            proposals.append(Proposal(field, stored, text, Explanation("answer_invalid")))
        elif clean not in wanted.setdefault(field, []):
            wanted[field].append(clean)
    for field, values in wanted.items():
        stored = current.get(field) or ""
        if not stored and len(values) == 1:
            fill[field] = values[0]
            continue
        code = "answer_differs" if stored else "answer_several"
        proposals += [
            Proposal(field, stored, value, Explanation(code))
            for value in values
            if not _says(field, stored, value)
        ]
    return Filling(fill, tuple({(one.field, one.proposed): one for one in proposals}.values()))


def _says(field: str, stored: str, value: str) -> bool:
    """Return whether the answer is equivalent to the stored value. A tax ID may lack its country."""
    stored = (FIELDS[field](stored) or stored).casefold()
    value = value.casefold()
    return value == stored or (field == "vat" and value == re.sub(r"^[a-z]{2}", "", stored))
