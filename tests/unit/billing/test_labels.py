"""Labels as instructions."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings_invoicing.billing.fees import Fee
from bookings_invoicing.billing.labels import OUTCOMES, LabelRule, rule_for

D = Decimal
RULES = [
    LabelRule("No show", "no_show"),
    LabelRule("Free", "free", match="contains"),
    LabelRule("Bill Contoso", "payer", payer=7),
    LabelRule("Cancelled late", "fee", fee=Fee("percent", D(50))),
    LabelRule("call", "attention", match="contains"),
    LabelRule("Training", "not_billable", reason="waived"),
    LabelRule("training", "free"),
    LabelRule("", "free", match="contains"),
]


@pytest.mark.parametrize(
    ("label", "outcome"),
    [
        ("No show", "no_show"),
        (" no   SHOW ", "no_show"),
        ("No show!", None),
        ("feel free to come", "free"),
        ("Free call", "free"),
        ("Please call", "attention"),
        ("bill contoso", "payer"),
        ("Cancelled late", "fee"),
        ("TRAINING", "not_billable"),
        ("VIP", None),
        ("", None),
        ("   ", None),
        (None, None),
    ],
)
def test_the_first_rule_that_fits(label, outcome):
    rule = rule_for(label, RULES)
    assert (rule.outcome if rule else None) == outcome


@given(st.text(max_size=20), st.lists(st.sampled_from(RULES)))
def test_a_rule_found_is_a_rule_given(label, rules):
    rule = rule_for(label, rules)
    assert rule is None or (rule in rules and rule.text)


@pytest.mark.parametrize(
    "arguments",
    [("x", "explode"), ("x", "free", "regex"), ("x", "fee"), ("x", "payer")],
)
def test_impossible_rules_are_refused(arguments):
    with pytest.raises(ValueError):
        LabelRule(*arguments)


def test_every_outcome_can_be_written_down():
    values = {"fee": {"fee": Fee("amount", D(5))}, "payer": {"payer": 1}}
    for outcome in OUTCOMES:
        assert rule_for("x", [LabelRule("x", outcome, **values.get(outcome, {}))])
