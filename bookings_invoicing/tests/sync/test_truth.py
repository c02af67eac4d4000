"""After any sequence of edits in Bookings and synchronizations, the bookings equal what the tenant holds.

The oracle reads the sandbox's own accounts of its tenant (``expected_bookings``, ``gone``) and plain SQL; it uses nothing
of the code that it judges.
"""

import os
import random
from collections import Counter
from datetime import timedelta, timezone
from functools import partial
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from ... import sandbox
from ...sandbox.random_changes import random_change
from ..common import NOW, BookingsCase

SEQUENCES = 200 if os.environ.get("BOOKINGS_TEST_LONG") else 20
STEPS = 6
BACK, AHEAD = 80, 25  # days; the tenant's data and every edit lie inside


@tagged("post_install", "-at_install")
class TestSyncTruth(BookingsCase):
    empty_customers = 0.1  # share of the listed appointments that show no customers

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tenant = partial(sandbox.Tenant, empty_customers=cls.empty_customers)
        cls.startClassPatcher(patch.object(sandbox, "Tenant", tenant))
        cls.connection.sandbox_size = 24
        cls.setup.look_back_days = BACK
        cls.setup.look_ahead_days = AHEAD
        cls.sync()

    def test_random_edits(self):
        """Each sequence is a few rounds of edits with a sync after each round, on a tenant that has been synchronized."""
        for seed in range(SEQUENCES):
            with self.subTest(seed=seed):
                self._sequence(seed)

    def _sequence(self, seed):
        # Each begins at the same state: what a sequence writes is rolled back.
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            self._edit_and_compare(random.Random(seed))
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all()

    def _edit_and_compare(self, rng):
        now = NOW
        tenant = self.connection._sandbox_tenant()
        for _round in range(rng.randint(1, 3)):
            now += timedelta(hours=rng.randint(0, 30))
            with freeze_time(now):
                for _step in range(rng.randint(1, STEPS)):
                    stored = tenant.apply(random_change(tenant, rng))
                    self.env["bookings.sandbox.change"].create(
                        {"connection_id": self.connection.id, "change": stored}
                    )
                run = self.sync()
                self.assertEqual(run.state, "done", run.issue_ids.mapped("reason"))
                self._compare(tenant)

    # -- the oracle --------------------------------------------------------------------------------

    def _compare(self, tenant):
        self.env.flush_all()
        rows = self._rows()
        expected = list(tenant.expected_bookings())
        wanted = Counter(map(_of_tenant, expected))
        found = Counter(_of_odoo(row) for row in rows if not row["gone"])
        self.assertEqual(
            (list((wanted - found).elements()), list((found - wanted).elements())), ([], [])
        )
        here = {row["appointment"] for row in expected}
        for row in rows:
            if row["appointment_id"] not in here:
                self.assertTrue(
                    row["gone"], "an appointment that is gone keeps a booking that is not"
                )
        self._check_people(rows)

    def _rows(self):
        self.env.cr.execute(
            """SELECT b.id, b.appointment_id, b.attendee_key, b.start, b.stop, b.price, b.price_type, b.label, b.name,
                      b.unnamed, b.removed_on IS NOT NULL AS gone, b.partner_id, s.remote_id AS service,
                      c.remote_id AS customer,
                      c.email, ARRAY(SELECT m.remote_id FROM bookings_booking_bookings_staff_rel r
                                       JOIN bookings_staff m ON m.id = r.bookings_staff_id
                                      WHERE r.bookings_booking_id = b.id) AS staff
                 FROM bookings_booking b
                 JOIN bookings_service s ON s.id = b.service_id
                 LEFT JOIN bookings_customer c ON c.id = b.customer_id
                WHERE b.setup_id = %s""",
            [self.setup.id],
        )
        return self.env.cr.dictfetchall()

    def _check_people(self, rows):
        """One partner per person: the same remote id is the same partner, and no key is given twice."""
        keys = Counter((row["appointment_id"], row["attendee_key"]) for row in rows)
        self.assertEqual(set(keys.values()) - {1}, set())
        partners = {}
        for row in rows:
            if row["customer"] and row["partner_id"]:
                partners.setdefault(row["customer"], set()).add(row["partner_id"])
        self.assertEqual({key for key, found in partners.items() if len(found) > 1}, set())


@tagged("post_install", "-at_install")
class TestSyncTruthWithoutCustomers(TestSyncTruth):
    """The same for a tenant whose lists show the customers of no appointment, as many do."""

    empty_customers = 1.0


def _of_tenant(row):
    named = row["position"] is not None
    return (
        row["appointment"],
        row["service"],
        row["start"],
        row["end"],
        f"{row['price']:.2f}",
        row["price_type"],
        row["label"],
        tuple(sorted(row["staff"])),
        (row["customer_id"] or "") if named else None,
        # Who gave no name goes by the e-mail.
        (row["name"] or row["email"]) if named else None,
        row["email"].strip().lower() if named else None,
    )


def _of_odoo(row):
    named = not (row["unnamed"] and row["attendee_key"] == "-")
    customer = row["customer"] or ""
    return (
        row["appointment_id"],
        row["service"],
        row["start"].replace(tzinfo=timezone.utc),
        row["stop"].replace(tzinfo=timezone.utc),
        f"{row['price']:.2f}",
        row["price_type"],
        row["label"] or "",
        tuple(sorted(row["staff"])),
        ("" if customer.startswith("e:") else customer) if named else None,
        row["name"] if named else None,
        (row["email"] or "").strip().lower() if named else None,
    )
