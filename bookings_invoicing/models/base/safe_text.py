"""Make names and remarks from the internet harmless for spreadsheets.

Two layers:

* The import removes leading ``= + - @`` from names, because names are copied to contacts, products, and invoice lines,
  whose exports we do not control. Labels and places lose only a leading ``=``, so that "+1 guest" remains readable.
* The export of our own models puts an apostrophe before every text that a spreadsheet could interpret as a formula.
  Lists and forms show such texts without it.
"""

import dataclasses
import re

from ... import graph
from ...billing import text

_NAME = re.compile(r"\A\s*(?:[=+@-]|\{(?==))(?:[=+@\s-]|\{(?==))*")
_LINE = re.compile(r"\A\s*(?:=|\{(?==))(?:[=\s]|\{(?==))*")
_NUMBER = re.compile(r"[+-]?[\d\s().,/:-]*")  # amounts and phone numbers stay as they are


def plain_name(name):
    """Return a name without leading characters that start a formula in a spreadsheet."""
    return _NAME.sub("", name)


def plain_text(line):
    """Return a label or place without a leading ``=``."""
    return _LINE.sub("", line)


def plain_records(records):
    """Return records of :mod:`..graph` with harmless names, labels, and places. Harmless records are not copied."""
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
    """Return the value for a cell of an export so that no spreadsheet interprets it as a formula."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    # XLSX writers interpret {=...} as a formula, too
    return "'" + value if value.lstrip().startswith("{=") else text.safe_cell(value)
