"""Sentences: every code has one, every one can be translated and is used."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from bookings_invoicing.billing import sentences
from bookings_invoicing.billing.fees import FEE_CAUSES
from bookings_invoicing.billing.price import PRICE_TYPES
from bookings_invoicing.billing.sentences import EXPLANATIONS, MONEY, Explanation, render

PACKAGE = Path(sentences.__file__).parent
# Who gives sentences: the rules, and the models that apply them.
RULES = "\n".join(
    path.read_text()
    for folder in (PACKAGE, PACKAGE.parent / "models")
    for path in folder.rglob("*.py")
    if path.name != "sentences.py"
)
# Codes that the rules put together from a word of theirs.
COMPUTED = {
    *(f"ask_{kind}" for kind in PRICE_TYPES if kind not in ("fixedPrice", "hourly", "free")),
    *(f"fee_{cause}{kind}" for cause in FEE_CAUSES for kind in ("", "_percent")),
    *("time_up", "time_nearest", "hint_no_show", "hint_late_cancel"),
}


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_every_sentence_is_used(code):
    assert code in COMPUTED or f'"{code}"' in RULES


def test_every_code_has_a_sentence():
    written = set(re.findall(r'Explanation\(\s*"(\w+)"', RULES))
    assert written | COMPUTED <= set(EXPLANATIONS)
    assert len(written) > 10


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_every_sentence_is_found_by_the_term_extraction(code):
    """It looks for literals in calls of ``_lt``; placeholders are the only per cent signs."""
    extracted = re.findall(
        rf'"{code}": _lt\(\s*"([^"]+)"\s*\)', (PACKAGE / "sentences.py").read_text()
    )
    assert extracted == [EXPLANATIONS[code]]
    assert "%" not in re.sub(r"%\(\w+\)s|%%", "", EXPLANATIONS[code])


def test_rendering_translates_and_formats():
    minimum = Explanation("time_minimum", {"real": "0:05 h", "minimum": 15})
    text = render(
        Explanation("price_fixed", {"price": Decimal("60.00")}, minimum),
        translate=lambda sentence: sentence.replace("Fixed price of", "Fast pris"),
        fmt=lambda name, value: f"kr. {value}" if name in MONEY else str(value),
    )
    assert text == (
        "Fast pris kr. 60.00 from Bookings. "
        "The appointment took 0:05 h; at least 15 minutes are billed."
    )
