import os
import random
from datetime import timedelta

from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from ..both_ways_account import HERE, THERE, Person
from ..both_ways_common import ServicesCase, confirm
from ..common import NOW
from .test_both_ways_random import FAULTS

SEQUENCES, STEPS = 100 if os.environ.get("BOOKINGS_TEST_LONG") else 20, 10
FIELDS = ("name", "price", "description")
THERE_AS = {"name": "displayName", "price": "defaultPrice", "description": "description"}


@tagged("post_install", "-at_install")
class TestRandomServices(ServicesCase):
    """Random edits of services on both sides, with faults and ends of the process between them.

    Sales prices are net, and prices in Bookings contain 25 percent; the account of this test converts them itself.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tax = cls.env["account.tax"].create(
            {
                "name": "25 %",
                "amount": 25.0,
                "company_id": cls.company.id,
                "price_include_override": "tax_excluded",
            }
        )
        cls.rows = cls.rows.filtered(lambda row: row.price_type == "fixedPrice")
        cls.setup.price_tax = "included"
        for row in cls.rows:
            row.product_id.write(
                {"taxes_id": [Command.set(cls.tax.ids)], "list_price": row.price / 1.25}
            )
        confirm(cls.setup)
        cls.sync()
        cls.send(cls)
        cls.env["bookings.outbox"].sudo().search([]).unlink()

    def test_random_sequences(self):
        mailbox = self.tenant.mailbox()
        before = self.facts(mailbox)
        for number in range(SEQUENCES):
            vars(mailbox).update({name: _copy(value) for name, value in before.items()})
            with self.subTest(number=number), self.cr.savepoint() as sequence:
                self.run_sequence(random.Random(number))
                sequence.rollback()
            self.env.invalidate_all()
        vars(mailbox).update(before)

    # -- one sequence ------------------------------------------------------------------------------

    def run_sequence(self, rng):
        self.rng, self.now, self.serial, self.told = rng, NOW, 0, []
        self.setup.when_both_changed = rng.choice((HERE, THERE, "ask"))
        self.app.faults.journal.clear()
        self.kept = {}
        for row in self.rows:
            self.kept[row] = Person()
            self.kept[row].agreed = self.here(row)
            self.assertEqual(self.here(row), self.read_there(row))
        steps = [self.edit_here, self.edit_there] * 4 + [self.checkpoint, self.fault, self.kill]
        try:
            for step in [*rng.choices(steps, k=STEPS), self.checkpoint, self.rest]:
                self.now += timedelta(hours=7)
                with freeze_time(self.now):
                    step()
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self.told])) from None

    def pick(self):
        self.serial += 1
        row, field = self.rng.choice([*self.rows]), self.rng.choice(FIELDS)
        values = {
            "name": f"Service {self.serial}",
            "price": self.rng.choice((0.0, round(self.rng.uniform(0.1, 300.0), 2))),
            "description": self.rng.choice(("", f"Text {self.serial}")),
        }
        back = self.rng.random() < 0.15
        return row, field, self.kept[row].agreed[field] if back else values[field]

    def edit_here(self):
        row, field, value = self.pick()
        self.told.append(f"{row.id}: here {field} = {value}")
        written = {
            "name": {"name": value},
            "price": {"list_price": value / 1.25 if field == "price" else 0.0},
            "description": {"description_sale": value or False},
        }
        row.product_id.write(written[field])
        self.kept[row].edit(HERE, field, value)

    def edit_there(self):
        row, field, value = self.pick()
        self.told.append(f"{row.id}: there {field} = {value}")
        self.edit(row, **{THERE_AS[field]: value})
        self.kept[row].edit(THERE, field, value)

    def fault(self):
        """One request fails, or its answer is lost."""
        fault = {
            "match": "*/services*",
            "occurrence": self.rng.randint(1, 3),
            **self.rng.choice(FAULTS),
        }
        if self.rng.random() < 0.7:
            fault["method"] = "PATCH"
        self.told.append(f"fault {fault}")
        self.app.faults.add(fault)
        self.setup._sync_run()
        self.send()
        self.app.faults._script.clear()
        self.cut_off()

    def kill(self):
        """The process ends while it writes."""
        if self.rng.random() < 0.7:
            self.sync()
        place = self.rng.randrange(12)
        self.told.append(f"killed at {place}: {not self.killed_at(place)}")
        self.cut_off()

    def cut_off(self):
        for person in self.kept.values():
            person.cut_off()

    def checkpoint(self):
        """A synchronization that comes to its end: both sides agree, as the account says."""
        self.told.append("checkpoint")
        self.both()
        for row, kept in self.kept.items():
            for field in FIELDS:
                self.check(row, kept, field)
            kept.checkpoint(self.here(row))

    def check(self, row, kept, field):
        allowed = kept.allowed(field, self.setup.when_both_changed)
        here, there = self.here(row)[field], self.read_there(row)[field]
        about = f"{row.id} {field}: here {here}, there {there}, allowed {allowed}"
        if here == there:
            self.assertIn(here, allowed, about)
            return
        self.assertIn(None, allowed, about)
        self.assertEqual((here, there), (kept.last(HERE, field), kept.last(THERE, field)), about)
        proposal = self.env["bookings.proposal"].search(
            [("service_id", "=", row.id), ("field", "=", field), ("state", "=", "open")]
        )
        self.assertEqual(len(proposal), 1, about)
        take_there = self.rng.random() < 0.5
        self.told.append(f"{row.id}: {field} is decided for {THERE if take_there else HERE}")
        (proposal.action_accept if take_there else proposal.action_dismiss)()
        self.send()
        wanted = there if take_there else here
        self.assertEqual((self.here(row)[field], self.read_there(row)[field]), (wanted,) * 2, about)

    def rest(self):
        """More synchronizations write nothing on either side."""
        sent, before = len(self.writes()), [self.here(row) for row in self.rows]
        for _number in range(3):
            self.both()
        self.assertEqual(len(self.writes()), sent)
        self.assertEqual([self.here(row) for row in self.rows], before)
        self.assertEqual(set(self.outbox.search([]).mapped("state")) - {"sent"}, set())

    # -- both sides --------------------------------------------------------------------------------

    def here(self, row):
        product = row.product_id
        return {
            "name": product.name,
            "price": round(product.list_price * 1.25, 2),
            "description": product.description_sale or "",
        }

    def read_there(self, row):
        record = self.tenant.mailbox().service_json(row.remote_id, False)
        return {field: record[name] for field, name in THERE_AS.items()}


def _copy(value):
    return value if isinstance(value, int) else value.copy()
