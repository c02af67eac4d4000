"""Names and remarks from the internet, made harmless for spreadsheets.

Two layers. What no honest name begins with (``= + - @``) goes when a name comes in, because names travel on: to contacts,
products and invoice lines, whose exports are not ours. Labels and places keep their ``+`` and ``-`` ("+1 guest"), lose a
leading ``=``, and every text of our own models that a spreadsheet could take for a formula is quoted when it is exported. So
lists and forms show what was written, without odd apostrophes.
"""

import dataclasses
import re

from ... import graph
from ...billing import text

_NAME = re.compile(r"\A\s*(?:[=+@-]|\{(?==))(?:[=+@\s-]|\{(?==))*")
_LINE = re.compile(r"\A\s*(?:=|\{(?==))(?:[=\s]|\{(?==))*")
_NUMBER = re.compile(r"[+-]?[\d\s().,/:-]*")  # amounts and phone numbers stay as they are


def plain_name(name):
    """A name without what a spreadsheet takes for the beginning of a formula."""
    return _NAME.sub("", name)


def plain_text(line):
    """A label or place: only a leading ``=`` goes."""
    return _LINE.sub("", line)


def plain_records(records):
    """Records of :mod:`..graph` with plain names; those that have them are the same objects."""
    return [_plain(record) for record in records]


def _plain(record):
    changes = {}
    if isinstance(record, graph.Appointment):
        people = tuple(_plain_fields(one, name=plain_name) for one in record.attendees)
        if any(new is not old for new, old in zip(people, record.attendees, strict=True)):
            changes["attendees"] = people
        record = _plain_fields(record, service_name=plain_name, label=plain_text, place=plain_text)
    else:
        record = _plain_fields(record, name=plain_name)
    return dataclasses.replace(record, **changes) if changes else record


def _plain_fields(record, **rules):
    changes = {
        name: rule(getattr(record, name))
        for name, rule in rules.items()
        if getattr(record, name) != rule(getattr(record, name))
    }
    return dataclasses.replace(record, **changes) if changes else record


def safe_cell(value):
    """A cell of an export that no spreadsheet calculates."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    # a writer of XLSX takes {=...} for a formula too
    return "'" + value if value.lstrip().startswith("{=") else text.safe_cell(value)
