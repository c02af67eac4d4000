"""Odoo's remark in notes that staff write, too: find, insert, replace, and remove it.

A remark is the text between ``[Odoo: `` and ``]``. Everything around it belongs to others and stays unchanged.

>>> noted = with_remark("Bring X-rays.", "Invoice INV/7: posted")
>>> noted
'Bring X-rays.\\n[Odoo: Invoice INV/7: posted]'
>>> with_remark(noted, "Invoice INV/7: credited")
'Bring X-rays.\\n[Odoo: Invoice INV/7: credited]'
>>> with_remark(noted, "")
'Bring X-rays.'
"""

import re
from collections.abc import Sequence

LONGEST = 300  # characters of a remark
_OPEN, _CLOSE = "[Odoo: ", "]"
_REMARK = re.compile(r"\[Odoo: ([^\[\]\r\n]*)\]")
# the break before it goes with it, unless somebody wrote on behind it
_TO_REMOVE = re.compile(rf"\r?\n{_REMARK.pattern}(?=\r?\n|\Z)|{_REMARK.pattern}")


def remark_in(notes: str) -> str:
    """Return the first remark in the notes, or "".

    >>> remark_in("before [Odoo: Invoice INV/7: posted] after"), remark_in("[Odoo] is nice")
    ('Invoice INV/7: posted', '')
    """
    found = _REMARK.search(notes)
    return found[1] if found else ""


def with_remark(notes: str, text: str) -> str:
    """The notes with this remark in place of the one that was there, on a line of its own where there was none; without
    any for "". Of several remarks the first is kept: an appointment that was copied in Bookings brings those of its model.

    >>> with_remark("a\\r\\nb", "x"), with_remark("a\\n", "x"), with_remark("", "x")
    ('a\\r\\nb\\r\\n[Odoo: x]', 'a\\n\\n[Odoo: x]', '[Odoo: x]')
    >>> with_remark("a [Odoo: x] b\\n[Odoo: y]", "z"), with_remark("a\\n[Odoo: x] b", "")
    ('a [Odoo: z] b', 'a\\n b')
    """
    first = _REMARK.search(notes)
    if first is None:
        gap = ("\r\n" if "\r\n" in notes else "\n") if notes else ""
        return f"{notes}{gap}{_OPEN}{text}{_CLOSE}" if text else notes
    if not text:
        return _TO_REMOVE.sub("", notes)
    rest = _TO_REMOVE.sub("", notes[first.end() :])
    return f"{notes[: first.start()]}{_OPEN}{text}{_CLOSE}{rest}"


def remark_of(documents: Sequence[str]) -> str:
    """Return the remark about these documents, each once, without line breaks and brackets, at most LONGEST characters.

    >>> remark_of(["Invoice A[1]: posted", "Invoice B: draft", "Invoice B: draft"])
    'Invoice A(1): posted; Invoice B: draft'
    >>> remark_of(["x" * 200, "y" * 200])[-4:]
    'x; …'
    >>> remark_of([])
    ''
    """
    text = ""
    for document in dict.fromkeys(" ".join(one.split()) for one in documents):
        plain = document.replace("[", "(").replace("]", ")")
        longer = f"{text}; {plain}" if text else plain[:LONGEST]
        if len(longer) > LONGEST:
            return f"{text}; …"
        text = longer
    return text
