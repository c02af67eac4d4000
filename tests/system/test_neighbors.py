"""Addons of others, from their wheels, beside ours: drafting, merging, confirming and crediting in both flows."""

import pytest

from devtools import databases, neighbors

from .neighbor_world import SCENARIOS
from .processes import last_line, run_module

OURS = ("bookings_invoicing", "bookings_invoicing_sale")
NEIGHBORS = (
    "account_commission_oca",
    "account_global_discount",
    "account_invoice_constraint_chronology",
    "account_invoice_fixed_discount",
    "account_invoice_merge",
    "account_invoice_start_end_dates",
    "account_invoice_transmit_method",
    "account_move_name_sequence",
    "account_move_tier_validation",
    "auditlog",
    "base_exception",
    "contract",
    "partner_invoicing_mode",
    "partner_statement",
    "queue_job",
)


def _outcomes(environment, modules, *names):
    """``{scenario: what went wrong}`` of scenarios in a database with these addons beside ours."""
    variables = {"PYTHONPATH": neighbors.folder(environment)}
    with databases.temporary(environment, "bookings_check", ["account", "sale"]) as name:
        databases.install(environment, name, (*OURS, *modules), **variables)
        return last_line(run_module(environment, "neighbor_world", name, *names, **variables))


@pytest.fixture(scope="module")
def outcomes(environment):
    return _outcomes(environment, NEIGHBORS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_beside_all_of_them(outcomes, scenario):
    assert outcomes[scenario.__name__] == ""


@pytest.mark.long
def test_beside_triple_discount(environment):
    """It excludes the fixed discount, so it gets a database of its own."""
    names = ("merge", "whole_life_unaudited")
    found = _outcomes(
        environment, ("account_invoice_triple_discount", "account_invoice_merge"), *names
    )
    assert found == dict.fromkeys(names, "")
