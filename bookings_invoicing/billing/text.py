"""Texts of invoice lines from a template with tokens, such as ``{service} - {date}, {start}-{end} ({staff})``.

A token without a value is removed together with the text before it and the brackets around it, so that no
"Treatment -  ()" remains. ``{{`` and ``}}`` are literal braces. The caller formats dates and times in the payer's
language.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from .period import elapsed
from .price import minutes_of, time_text

TOKENS = ("service", "date", "start", "end", "duration", "staff", "attendee", "label", "reference")
PRIVATE_TOKENS = frozenset({"attendee", "staff", "label"})
DEFAULT_TEMPLATE = "{service} - {date}"
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PAIRS = {"(": ")", "[": "]", "<": ">", "«": "»", "“": "”", '"': '"'}
_BRACKETS = re.compile(f"([{re.escape(''.join({*_PAIRS, *_PAIRS.values()}))}])")
_DEEPEST = 8
_SEPARATORS = " \t,;:-–—/|·."
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class TemplateError(ValueError):
    """A template that cannot be rendered. ``token`` is the unknown token, or "" for a single brace."""

    def __init__(self, message: str, token: str = ""):
        super().__init__(message)
        self.token = token


@dataclass(frozen=True)
class LineFacts:
    """The values of the tokens.

    ``start`` and ``stop`` are in the time zone of the business (see ``period.local_time``). ``calculation`` is a text
    with hours and rate if the quantity does not state them; it is added in brackets.
    """

    service: str
    start: datetime
    stop: datetime
    staff: tuple[str, ...] = ()
    attendee: str = ""
    label: str = ""
    reference: str = ""
    calculation: str = ""


@dataclass(frozen=True)
class _Node:
    """A token, or brackets (``signs``) around parts that contain at least one token."""

    token: str = ""
    signs: tuple[str, str] = ("", "")
    parts: "tuple[_Part, ...]" = ()


class _Part(NamedTuple):
    """A node and the literal text before it. The last part of a sequence has no node."""

    lead: str
    node: _Node | None


def check_template(template: str) -> tuple[str, ...]:
    """Return the tokens of a template. Raises :class:`TemplateError` if it cannot be rendered.

    >>> check_template("{service} by {staf}")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    bookings_invoicing.billing.text.TemplateError: {staf} is not known. Known are: {service}, ...
    """
    pieces = [_pieces(line) for line in template.splitlines()]
    return tuple(token for line in pieces for _text, token in line if token)


def discreet(template: str) -> str:
    """Return the template without attendee, staff, and label, for a payer who is not the attendee.

    >>> discreet("{service} - {date} ({staff})\\nFor {attendee}: {label}\\nYour PO {reference}")
    '{service} - {date}\\nYour PO {reference}'
    """
    lines = []
    for line in template.splitlines():
        kept = _keep(_parse(line), lambda token: token not in PRIVATE_TOKENS)
        if kept is not None:
            lines.append(_write(kept, "{{{}}}".format, _escape).rstrip())
    return "\n".join(filter(None, lines))


def render_line(
    template: str,
    facts: LineFacts,
    format_date: Callable[[date], str] = date.isoformat,
    format_time: Callable[[datetime], str] = "{:%H:%M}".format,
    format_duration: Callable[[timedelta], str] = lambda duration: time_text(minutes_of(duration)),
) -> str:
    """Return the text of an invoice line. It is never empty, and has no empty lines or extra spaces.

    >>> facts = LineFacts("Massage", datetime(2026, 2, 3, 9), datetime(2026, 2, 3, 9, 20))
    >>> render_line("{service} - {date}, {start}-{end} ({staff})", facts)
    'Massage - 2026-02-03, 09:00-09:20'
    """
    values = {
        "service": facts.service,
        "date": format_date(facts.start.date()),
        "start": format_time(facts.start),
        "end": format_time(facts.stop),
        "duration": format_duration(elapsed(facts.start, facts.stop)),
        "staff": ", ".join(filter(None, map(_tidy, facts.staff))),
        "attendee": facts.attendee,
        "label": facts.label,
        "reference": facts.reference,
    }
    values = {name: _tidy(value) for name, value in values.items()}
    lines = []
    for line in template.splitlines():
        kept = _keep(_parse(line), values.get)
        if kept is not None:
            lines.append(_tidy(_write(kept, values.get)))
    lines = [line for line in lines if line]
    if not lines:
        lines = [" - ".join(filter(None, (values["service"], values["date"])))]
    if facts.calculation:
        lines[-1] += f" ({_tidy(facts.calculation)})"
    return "\n".join(lines)


def safe_cell(text: str) -> str:
    """Return ``text`` in a form that no spreadsheet interprets as a formula.

    >>> safe_cell("=1+1"), safe_cell(" @SUM(A1)"), safe_cell("Anna")
    ("'=1+1", "' @SUM(A1)", 'Anna')
    """
    starts = (text, text.lstrip(" "), text.lstrip())
    return "'" + text if any(start.startswith(_FORMULA) for start in starts) else text


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _escape(literal: str) -> str:
    return literal.replace("{", "{{").replace("}", "}}")


def _pieces(line: str) -> list[tuple[str, str]]:
    """Split a line into ``(text, "")`` and ``("", token)``. Brackets are separate pieces.

    >>> _pieces("{service} ({staff})")
    [('', 'service'), (' ', ''), ('(', ''), ('', 'staff'), (')', '')]
    """
    found, literal, position = [], "", 0
    for match in _PIECE.finditer(line):
        literal += line[position : match.start()]
        position = match.end()
        text = match.group()
        if text in ("{{", "}}"):
            literal += text[0]
            continue
        if len(text) == 1:
            raise TemplateError(f"A brace stands alone in: {line}")
        token = match.group(1).strip()
        if token not in TOKENS:
            known = ", ".join(f"{{{name}}}" for name in TOKENS)
            raise TemplateError(f"{text} is not known. Known are: {known}", token)
        found += [(piece, "") for piece in _BRACKETS.split(literal) if piece]
        found.append(("", token))
        literal = ""
    literal += line[position:]
    return found + [(piece, "") for piece in _BRACKETS.split(literal) if piece]


@lru_cache(maxsize=256)
def _parse(line: str) -> tuple[_Part, ...]:
    pieces = _pieces(line)
    return _sequence(pieces, _pairs(pieces), 0, len(pieces))


def _pairs(pieces) -> dict[int, int]:
    """Return ``{position of an opening bracket: position of its closing one}``. Single brackets count as text."""
    pairs, waiting = {}, []
    for place, (text, _token) in enumerate(pieces):
        closes = [opening for opening in waiting if _PAIRS[pieces[opening][0]] == text]
        if text and closes:
            pairs[closes[-1]] = place
            del waiting[waiting.index(closes[-1]) :]
        elif text in _PAIRS and len(waiting) < _DEEPEST:
            waiting.append(place)
    return pairs


def _sequence(pieces, pairs, place, end) -> tuple[_Part, ...]:
    parts, lead = [], ""
    while place < end:
        text, token = pieces[place]
        node = _Node(token) if token else None
        closing = pairs.get(place)
        if closing and any(token for _text, token in pieces[place:closing]):
            inner = _sequence(pieces, pairs, place + 1, closing)
            node, place = _Node("", (text, _PAIRS[text]), inner), closing
        if node is None:
            lead += text
        else:
            parts.append(_Part(lead, node))
            lead = ""
        place += 1
    return (*parts, _Part(lead, None))


def _keep(parts, wanted) -> tuple[_Part, ...] | None:
    """Return the parts whose tokens are ``wanted``, or None if there are none.

    A removed node is removed with the text before it. If the first nodes are removed, the separators between them and the
    first remaining one are removed, too.
    """
    kept, first_gone = [], False
    for lead, node in parts:
        if node is not None and node.parts:
            inner = _keep(node.parts, wanted)
            node = inner and _Node("", node.signs, inner)
        elif node is not None:
            node = node if wanted(node.token) else None
        elif kept or not first_gone:
            kept.append(_Part(lead, None))
            continue
        if node is None:
            first_gone = first_gone or not kept
            continue
        if first_gone and not kept:
            lead = lead.lstrip(_SEPARATORS)
        kept.append(_Part(lead, node))
    return tuple(kept) or None


def _write(parts, value, literal=str) -> str:
    """Return the parts as text. ``value`` converts tokens, and ``literal`` the text between them."""
    text = ""
    for lead, node in parts:
        text += literal(lead)
        if node is not None and node.parts:
            text += node.signs[0] + _write(node.parts, value, literal) + node.signs[1]
        elif node is not None:
            text += value(node.token)
    return text
