"""Labels as instructions.

Staff set a label on an appointment in Bookings (Graph ``appointmentLabel``). The rule table of the setup turns it into
an outcome.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from .fees import Fee
from .matching import name_key

MATCHES = ("exact", "contains")
OUTCOMES = ("not_billable", "no_show", "free", "fee", "payer", "attention")


@dataclass(frozen=True)
class LabelRule:
    """A label rule. ``reason``, ``fee``, and ``payer`` (ID) belong to the outcomes of the same names."""

    text: str
    outcome: str
    match: str = "exact"
    reason: str = "label"
    fee: Fee | None = None
    payer: int | None = None
    note: str = ""

    def __post_init__(self):
        if self.match not in MATCHES or self.outcome not in OUTCOMES:
            raise ValueError(f"unknown label rule: {self.match}/{self.outcome}")
        if (self.outcome == "fee" and not self.fee) or (self.outcome == "payer" and not self.payer):
            raise ValueError(f"the outcome {self.outcome} needs its value")


def rule_for(label: str | None, rules: Iterable[LabelRule]) -> LabelRule | None:
    """Return the first rule that matches the label, regardless of case and extra spaces, or None.

    A rule without text matches nothing.

    >>> rules = [LabelRule("No show", "no_show"), LabelRule("free", "free", match="contains")]
    >>> rule_for("  NO  SHOW", rules).outcome, rule_for("First one free!", rules).outcome
    ('no_show', 'free')
    >>> rule_for("No show, free", rules[:1]) is None
    True
    """
    label = name_key(label)
    if not label:
        return None
    for rule in rules:
        text = name_key(rule.text)
        if text and (label == text if rule.match == "exact" else text in label):
            return rule
    return None
