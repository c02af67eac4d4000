"""``./dev demo`` does the main job, and its figures are those of the tenant."""

import json
import os
from datetime import datetime, timezone

import pytest

from bookings_invoicing import sandbox
from devtools import databases
from devtools.odoo_log import complaints

DATABASE = f"bookings_check_{os.getpid()}"
STATUSES = ("ready", "attention", "upcoming", "not_billable", "cancelled")
KEYS = (
    "bookings customers_created ready attention upcoming not_billable cancelled drafts "
    "drafted_bookings amount_by_currency seconds"
)


@pytest.fixture
def demo(dev, environment):
    """The finished process of the demo; its database is dropped afterwards."""
    yield dev("demo", "--no-serve", "--json", "-d", DATABASE)
    databases.drop(environment, DATABASE)


def test_demo_does_the_main_job(demo, environment):
    """All ready bookings are drafted, figures are the tenant's and the database's own."""
    assert demo.returncode == 0, demo.stderr
    report = json.loads(demo.stdout.splitlines()[-1])
    assert set(report) == set(KEYS.split())
    assert sum(report[status] for status in STATUSES) == report["bookings"]
    assert report["ready"] == report["drafted_bookings"] > 0
    assert 0 < report["drafts"] <= report["ready"]
    assert all(amount > 0 for amount in report["amount_by_currency"].values())
    assert _drafted_total(environment) == report["amount_by_currency"]
    ((untaxed,),) = environment.server.query(
        "SELECT count(*) FROM account_move WHERE move_type = 'out_invoice' AND amount_tax = 0",
        DATABASE,
    )
    assert not int(untaxed), "invoices without tax would ask to be checked"

    now = datetime.now(timezone.utc)
    truth = sandbox.Tenant(seed=1, anchor=now.date()).truth(now)
    assert report["bookings"] == truth["bookings"]
    assert report["customers_created"] == truth["people"]
    ((not_ended,),) = environment.server.query(
        "SELECT count(*) FROM bookings_booking WHERE stop > now() AT TIME ZONE 'UTC'", DATABASE
    )
    assert int(not_ended) == truth["running"] + truth["upcoming"]
    assert not complaints(demo.stderr)


def _drafted_total(environment):
    """What the database itself says about the drafts."""
    rows = environment.server.query(
        "SELECT c.name, sum(m.amount_total) FROM account_move m "
        "JOIN res_currency c ON c.id = m.currency_id "
        "WHERE m.state = 'draft' AND m.move_type = 'out_invoice' GROUP BY c.name",
        DATABASE,
    )
    return {name: float(total) for name, total in rows}
