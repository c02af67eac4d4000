"""Answers of the booking form as invoice data: fill the empty, propose the rest, overwrite nothing.

A setup maps questions (by Graph's ``questionId``, or by their text where forms of several services
ask the same) to :data:`FIELDS`. Answers to other questions are not looked at. Answers come from
strangers: what fails the field's own check is proposed with the reason, never filled.
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
    """One answer: Graph's question id, the question's text, and what was typed."""

    question_id: str
    question: str
    text: str


class QuestionRule(NamedTuple):
    """A mapped question; ``question_id`` wins, else the text counts, without case and spaces."""

    field: str
    question_id: str = ""
    question: str = ""


@dataclass(frozen=True)
class Proposal:
    """For a person: the field, what is there, what was answered, and why it was not filled."""

    field: str
    current: str
    proposed: str
    why: Explanation


class Filling(NamedTuple):
    """``fill``: field -> clean value for what was empty. ``proposals``: for a person to decide."""

    fill: dict[str, str]
    proposals: tuple[Proposal, ...]


def _text(value: str) -> str:
    return " ".join(value.split())


def _compact(value: str) -> str:
    return re.sub(r"[\s.\-/]", "", value).upper()


def _vat(value: str) -> str:
    """A tax id has letters and digits; its country's own check is Odoo's business."""
    value = _compact(value)
    return value if re.fullmatch(r"[A-Z0-9+*]{4,20}", value) and re.search(r"\d", value) else ""


def _gln(value: str) -> str:
    """A GLN / EAN location number: 13 digits, the last a GS1 check digit.

    >>> _gln("5790 0004 3504 3"), _gln("5790000435042")
    ('5790000435043', '')
    """
    value = _compact(value)
    return value if len(value) == 13 and ean.is_valid(value) else ""


def _peppol(value: str) -> str:
    """A Peppol participant: four-digit scheme, colon, identifier.

    >>> _peppol("0184: 12345674"), _peppol("12345674")
    ('0184:12345674', '')
    """
    value = re.sub(r"\s", "", value)
    return value if re.fullmatch(r"[0-9]{4}:[A-Za-z0-9._~:+-]{1,50}", value) else ""


def _leitweg(value: str) -> str:
    """A German Leitweg-ID: coarse and optional fine address, two check digits (ISO 7064 MOD 97-10).

    >>> _leitweg("04011000-1234512345-06"), _leitweg("04011000-1234512345-07")
    ('04011000-1234512345-06', '')
    """
    value = re.sub(r"\s", "", value).upper()
    shaped = re.fullmatch(r"[0-9]{2,12}(-[A-Z0-9]{1,30})?-[0-9]{2}", value)
    return value if shaped and mod_97_10.is_valid(value.replace("-", "")) else ""


# Each field's cleaning: the value to keep, or "" where the answer cannot be one.
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
    """(field, text as typed) for every mapped question that was answered.

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
    """What to write into empty fields and what to propose.

    ``current``: field -> value as stored ("" or missing = empty). Two different answers to one
    empty field are both proposed. An answer that says what is there already (in other clothes) is
    nothing to do.

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
    """Whether the answer says what is stored; a tax id may come without its country."""
    stored = (FIELDS[field](stored) or stored).casefold()
    value = value.casefold()
    return value == stored or (field == "vat" and value == re.sub(r"^[a-z]{2}", "", stored))
