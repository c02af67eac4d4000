"""Invoice line texts from a template with tokens.

``{service} - {date}, {start}-{end} ({staff})``: a token without a value goes together with the
words and signs that lead to it, and with the brackets around it, so that no "Treatment -  ()" is
left. ``{{`` and ``}}`` are braces. Dates and times are formatted by the caller, in the payer's
language.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from .period import elapsed
from .price import minutes_of, time_text

TOKENS = ("service", "date", "start", "end", "duration", "staff", "attendee", "label", "reference")
PRIVATE_TOKENS = frozenset({"attendee", "staff", "label"})
DEFAULT_TEMPLATE = "{service} - {date}"
_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_PAIRS = {"(": ")", "[": "]", "<": ">", "«": "»", "“": "”", '"': '"'}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class TemplateError(ValueError):
    """A template that cannot be rendered; ``token``: the unknown one, "" for a lone brace."""

    def __init__(self, message: str, token: str = ""):
        super().__init__(message)
        self.token = token


@dataclass(frozen=True)
class LineFacts:
    """What a line may say.

    ``start`` and ``stop``: local to the business (see ``period.local_time``). ``calculation``:
    hours and rate, already in words, where the quantity does not say them; added in brackets.
    """

    service: str
    start: datetime
    stop: datetime
    staff: tuple[str, ...] = ()
    attendee: str = ""
    label: str = ""
    reference: str = ""
    calculation: str = ""


def parse(template: str) -> list[list[tuple[str, str]]]:
    """Lines of (literal before it, token) pairs; the last pair of a line has the token "".

    >>> parse("{service} on {date}")
    [[('', 'service'), (' on ', 'date'), ('', '')]]
    """
    lines = []
    for line in template.splitlines():
        pairs, literal, position = [], "", 0
        for piece in _PIECE.finditer(line):
            literal += line[position : piece.start()]
            position = piece.end()
            text = piece.group()
            if text in ("{{", "}}"):
                literal += text[0]
                continue
            if len(text) == 1:
                raise TemplateError(f"A brace stands alone in: {line}")
            token = piece.group(1).strip()
            if token not in TOKENS:
                known = ", ".join(f"{{{name}}}" for name in TOKENS)
                raise TemplateError(f"{text} is not known. Known are: {known}", token)
            pairs.append((literal, token))
            literal = ""
        pairs.append((literal + line[position:], ""))
        lines.append(pairs)
    return lines


def check_template(template: str) -> tuple[str, ...]:
    """The tokens of a template; raise :class:`TemplateError` if it cannot be rendered.

    >>> check_template("{service} by {staf}")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    bookings_invoicing.billing.text.TemplateError: {staf} is not known. Known are: {service}, ...
    """
    return tuple(token for line in parse(template) for _literal, token in line if token)


def discreet(template: str) -> str:
    """The template without attendee, staff and label, for a payer who is somebody else.

    >>> discreet("{service} - {date} ({staff})\\nFor {attendee}: {label}\\nYour PO {reference}")
    '{service} - {date}\\nYour PO {reference}'
    """
    lines = []
    for pairs in parse(template):
        kept = _without(pairs, lambda token: token in PRIVATE_TOKENS)
        if kept is not None:
            lines.append(
                "".join(_escape(text) + (f"{{{token}}}" if token else "") for text, token in kept)
            )
    return "\n".join(line.rstrip() for line in lines)


def render_line(
    template: str,
    facts: LineFacts,
    format_date: Callable[[date], str] = date.isoformat,
    format_time: Callable[[datetime], str] = "{:%H:%M}".format,
    format_duration: Callable[[timedelta], str] = lambda duration: time_text(minutes_of(duration)),
) -> str:
    """The text of one invoice line; never empty, no lines and spaces to spare.

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
    for pairs in parse(template):
        kept = _without(pairs, lambda token: not values[token])
        if kept is not None:
            lines.append(_tidy("".join(text + values.get(token, "") for text, token in kept)))
    lines = [line for line in lines if line]
    if not lines:
        lines = [" - ".join(filter(None, (values["service"], values["date"])))]
    if facts.calculation:
        lines[-1] += f" ({_tidy(facts.calculation)})"
    return "\n".join(lines)


def safe_cell(text: str) -> str:
    """``text`` so that a spreadsheet never takes it for a formula.

    >>> safe_cell("=1+1"), safe_cell(" @SUM(A1)"), safe_cell("Anna")
    ("'=1+1", "' @SUM(A1)", 'Anna')
    """
    risky = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return "'" + text if risky else text


def _tidy(text: str) -> str:
    return " ".join(text.split())


def _escape(literal: str) -> str:
    return literal.replace("{", "{{").replace("}", "}}")


def _without(pairs, gone) -> list[tuple[str, str]] | None:
    """A parsed line without the tokens that are ``gone``; ``None`` if it lost all of them."""
    tokens = [token for _text, token in pairs if token]
    if tokens and all(map(gone, tokens)):
        return None
    kept, closing = [], ""
    for text, token in pairs:
        text, closing = _strip_closing(text, closing)
        if token and gone(token):
            closing += _open_brackets(text)
            continue
        if token and not kept and pairs[0][1] and gone(pairs[0][1]):
            text = _strip_lead(text)
        kept.append((text, token))
    return kept


def _open_brackets(text: str) -> str:
    """The closing signs that ``text`` waits for, innermost first."""
    waiting = []
    for sign in text:
        if waiting and sign == waiting[-1]:
            waiting.pop()
        elif sign in _PAIRS:
            waiting.append(_PAIRS[sign])
    return "".join(reversed(waiting))


def _strip_closing(text: str, closing: str) -> tuple[str, str]:
    """Take away the brackets at the start of ``text`` whose opening went with a token."""
    while closing and text.lstrip().startswith(closing[0]):
        text, closing = text.lstrip()[1:], closing[1:]
    return text, closing


def _strip_lead(text: str) -> str:
    """Between a token that is gone and the first one kept, signs go, words and brackets stay."""
    return text.lstrip(" \t,;:-–—/|·.")
