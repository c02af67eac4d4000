"""``./dev demo`` does the main job, and its figures are those of the tenant."""

import json
import os

from devtools.odoo_log import complaints

DATABASE = f"bookings_check_{os.getpid()}"
KEYS = (
    "bookings customers_created ready attention upcoming not_billable cancelled drafts "
    "drafted_bookings amount_by_currency seconds"
)


def test_demo_does_the_main_job(dev, environment):
    """The last line is the report; all ready bookings are drafted; nobody complains."""
    try:
        done = dev("demo", "--no-serve", "--json", "-d", DATABASE)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout.splitlines()[-1])
        assert set(report) == set(KEYS.split())
        statuses = ("ready", "attention", "upcoming", "not_billable", "cancelled")
        assert sum(report[status] for status in statuses) == report["bookings"]
        assert report["ready"] > 0
        assert report["drafted_bookings"] == report["ready"]
        assert 0 < report["drafts"] <= report["ready"]
        assert report["customers_created"] > 0
        assert all(amount > 0 for amount in report["amount_by_currency"].values())
        assert not complaints(done.stderr)
        assert _drafted_total(environment) == report["amount_by_currency"]
    finally:
        environment.server.client("dropdb", "--if-exists", "--force", DATABASE)


def _drafted_total(environment):
    """What the database itself says about the drafts."""
    rows = environment.server.query(
        "SELECT c.name, sum(m.amount_total) FROM account_move m "
        "JOIN res_currency c ON c.id = m.currency_id "
        "WHERE m.state = 'draft' AND m.move_type = 'out_invoice' GROUP BY c.name",
        DATABASE,
    )
    return {name: float(total) for name, total in rows}
