"""The precedence of statuses and of reasons, over every combination of facts."""

from datetime import datetime, timedelta
from itertools import product

import pytest

from bookings_invoicing.billing.status import (
    ATTENTION_REASONS,
    LINE_STATUS,
    NOT_BILLABLE_REASONS,
    STATUSES,
    BookingFacts,
    automatic_reason,
    sort_reasons,
    status_of,
)

STOP = datetime(2026, 2, 3, 10)
AFTER = STOP + timedelta(hours=1)


def facts(**changes):
    return BookingFacts(**{"stop": STOP, "now": AFTER, **changes})


def expected(live, not_billable, cancelled, fee, upcoming, attention):
    """The order of precedence, written as the sentence it is."""
    if live:
        return {"draft": "drafted", "posted": "invoiced"}[live]
    for status, holds in (
        ("not_billable", not_billable),
        ("cancelled", cancelled and not fee),
        ("upcoming", upcoming),
        ("attention", attention),
    ):
        if holds:
            return status
    return "ready"


def test_every_combination():
    booleans = (False, True)
    for combination in product((None, "draft", "posted"), *[booleans] * 5):
        live, not_billable, cancelled, fee, upcoming, attention = combination
        found = status_of(
            facts(
                live_line=live,
                not_billable_reason="waived" if not_billable else None,
                cancelled=cancelled,
                charge_fee=fee,
                now=STOP - timedelta(seconds=1) if upcoming else AFTER,
                blockers=["no_tax"] if attention else [],
            )
        )
        assert found.status == expected(*combination), combination
        assert bool(found.reason) == (found.status == "attention")


@pytest.mark.parametrize(
    ("seconds", "bill_after", "status"),
    [
        (-1, timedelta(0), "upcoming"),
        (0, timedelta(0), "ready"),
        (3599, timedelta(hours=1), "upcoming"),
        (3600, timedelta(hours=1), "ready"),
    ],
)
def test_the_clock_makes_it_ready(seconds, bill_after, status):
    now = STOP + timedelta(seconds=seconds)
    assert status_of(facts(now=now, bill_after=bill_after)).status == status


@pytest.mark.parametrize("flag", ["price_to_decide", "credited", "removed_after"])
def test_facts_that_are_reasons(flag):
    assert status_of(facts(**{flag: True})) == ("attention", flag, (flag,))


def test_all_reasons_are_kept_and_the_first_is_shown():
    found = status_of(facts(blockers={"lock_date", "no_customer", "from_a_glue"}, credited=True))
    assert found.reason == "no_customer"
    assert found.reasons == ("no_customer", "lock_date", "credited", "from_a_glue")


def test_reasons_come_in_the_order_of_the_selection():
    keys = [key for key, _label in ATTENTION_REASONS]
    assert list(sort_reasons(reversed(keys))) == keys


@pytest.mark.parametrize("selection", [STATUSES, ATTENTION_REASONS, NOT_BILLABLE_REASONS])
def test_selections_have_keys_and_labels_once(selection):
    for values in zip(*selection, strict=True):
        assert all(values) and len(set(values)) == len(values)


def test_statuses_are_those_of_the_selection():
    assert set(LINE_STATUS.values()) < {key for key, _label in STATUSES}


def test_a_glue_names_a_line_state_of_its_own():
    lines = {**LINE_STATUS, "ordered": "ordered"}
    assert status_of(facts(live_line="ordered"), lines).status == "ordered"


@pytest.mark.parametrize(
    ("stop", "free", "label", "reason"),
    [
        (STOP - timedelta(seconds=1), True, "no_show", "billed_elsewhere"),
        (STOP, False, None, None),
        (STOP, True, None, "free"),
        (STOP, True, "label", "label"),
        (STOP, False, "no_show", "no_show"),
    ],
)
def test_not_billable_by_itself(stop, free, label, reason):
    assert automatic_reason(stop, STOP, free, label) == reason


def test_without_a_date_nothing_is_billed_elsewhere():
    assert automatic_reason(datetime(1999, 1, 1), None, False) is None
