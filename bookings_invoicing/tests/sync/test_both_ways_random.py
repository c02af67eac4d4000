import copy
import logging
import os
import random
from datetime import timedelta

from freezegun import freeze_time

from odoo.tests import tagged

from ..both_ways_account import (
    FIELDS,
    HERE,
    NOWHERE,
    THERE,
    Person,
    values_there,
    written_there,
)
from ..common import NOW
from ..outbox_common import OutboxCase

_logger = logging.getLogger(__name__)
LONG = bool(os.environ.get("BOOKINGS_TEST_LONG"))
SEQUENCES, STEPS = 100 if LONG else 20, 12
FAULTS = (
    {"status": 503},
    {"status": 429, "headers": {"Retry-After": "600"}},
    {"status": 500, "body": {"error": {"code": "", "message": ""}}},
    {"disconnect": True},
    {"truncate": 5},
)


@tagged("post_install", "-at_install")
class TestRandomEdits(OutboxCase):
    """Random edits of customers on both sides, with faults and ends of the process between them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tenant.keep = lambda change: None  # it is not that of the sandbox connection here
        cls.tag = cls.env["res.partner.category"].create({"name": "In Bookings"})
        cls.setup = cls._make_setup(
            connection_id=cls.live.id,
            customer_sync="both",
            sync_appointments=False,
            partner_filter=str([("category_id", "in", cls.tag.ids)]),
        )
        cls.sync()
        action = cls.setup.action_both_ways()
        cls.env[action["res_model"]].browse(action["res_id"]).action_confirm()
        cls.sync()
        cls.countries = {one.name: one for one in cls.env.ref("base.dk") + cls.env.ref("base.de")}

    def test_random_sequences(self):
        mailbox = self.tenant.mailbox()
        before = dict(vars(mailbox))
        for number in range(SEQUENCES):
            for name, value in before.items():
                if isinstance(value, dict | set | list | int):
                    setattr(mailbox, name, value if isinstance(value, int) else value.copy())
            with self.subTest(number=number), self.cr.savepoint() as sequence:
                self.run_sequence(random.Random(number))
                sequence.rollback()
            self.env.invalidate_all()

    def test_changed_back_after_a_write_that_nobody_noted(self):
        """What Odoo wrote itself is no change of Bookings, also if the process ended before it was noted."""
        self.by = ()
        (partner_id, person), *_others = self.start(random.Random(1)).items()
        partner = self.env["res.partner"].browse(partner_id)
        before, mailbox = dict(vars(self.tenant.mailbox())), self.tenant.mailbox()
        ended = 0
        for place in range(20):
            vars(mailbox).update({name: copy.copy(value) for name, value in before.items()})
            with self.cr.savepoint() as test:
                self.env["bookings.outbox"].search([]).unlink()
                partner.write({"phone": "+45 12345678", "street": "Kort Vej 1"})
                self.env.flush_all()
                finished = self.killed_at(place)
                written = self.there(partner_id)["phone"] == "+45 12345678"
                ended += written and not finished
                partner.write(
                    self.written_here("address", person.agreed["address"])
                    | {"phone": person.agreed["phone"]}
                )
                self.sync()
                self.send()
                for values in (self.here(partner_id), self.there(partner_id)):
                    self.assertEqual(values, person.agreed, (place, finished))
                test.rollback()
            self.env.invalidate_all()
            if finished:
                break
        vars(mailbox).update(before)
        self.assertGreater(ended, 1, "it must end between writing and noting")

    # -- one sequence ------------------------------------------------------------------------------

    def run_sequence(self, rng):
        self.rng, self.now, self.serial = rng, NOW, 0
        self.told, self.posted, self.idle = [], 0, []
        self.setup.when_both_changed = rng.choice((HERE, THERE, "ask"))
        self.app.faults.journal.clear()
        self.people = self.start(rng)
        apply = self.tenant.apply
        self.tenant.apply = self.watched(apply)
        steps = (
            *[self.edit_here, self.edit_there] * 5,
            *(self.new_here, self.new_there, self.new_on_both, self.checkpoint, self.checkpoint),
            *[self.fault, self.kill] * 2,
        )
        try:
            for _step in range(STEPS):
                self.now += timedelta(hours=7)
                with freeze_time(self.now):
                    rng.choice(steps)()
            self.now += timedelta(hours=7)
            with freeze_time(self.now):
                self.checkpoint()
                self.quiet()
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self.told])) from None
        finally:
            self.tenant.apply = apply

    def start(self, rng):
        """``{partner ID: Person}`` of a few customers with email addresses of their own."""
        rows = self.env["bookings.customer"].search(
            [("setup_id", "=", self.setup.id), ("partner_id", "!=", False)], order="id"
        )
        emails = rows.mapped("email_normalized")
        usable = rows.filtered(
            lambda row: (
                row.name != row.email
                and row.email
                and emails.count(row.email_normalized) == 1
                and row.partner_id.country_id.code in (False, "DK")
            )
        )
        people = {}
        for row in rng.sample(usable, 3):
            person = people[row.partner_id.id] = Person()
            person.agreed = self.here(row.partner_id.id)
            self.assertEqual(person.agreed, self.there(row.partner_id.id))
        return people

    def watched(self, apply):
        """Count what is created by request, and note what is written without a difference."""

        def watched(change):
            remote_id = change.get("customer")
            before = remote_id and self.tenant.mailbox().customer_json(remote_id)
            made = apply(change)
            if "staff" not in self.by:
                self.posted += change["op"] == "new_customer"
                after = self.tenant.mailbox().customer_json(made["customer"])
                if before and before | {"lastUpdatedDateTime": ""} == after | {
                    "lastUpdatedDateTime": ""
                }:
                    self.idle.append(change)
            return made

        self.by = ()
        return watched

    # -- steps -------------------------------------------------------------------------------------

    def value(self, field):
        self.serial += 1
        number = self.serial
        if field == "address":
            country = self.rng.choice([*self.countries])
            place = (f"Vej {number}", f"{5000 + number}", f"By {number}", country)
            return self.rng.choice((place, place, place, NOWHERE))
        if field == "phone":
            return self.rng.choice((f"+45 {number:08d}", f"+45 {number:08d}", ""))
        return {"name": f"Person {number}", "email": f"p{number}@random.example"}[field]

    def pick(self):
        partner_id = self.rng.choice([*self.people])
        person = self.people[partner_id]
        # before they meet, both are known by their email address only
        field = self.rng.choice([one for one in FIELDS if not (person.meets and one == "email")])
        back = self.rng.random() < 0.15 and field in person.agreed
        return partner_id, person, field, person.agreed[field] if back else self.value(field)

    def edit_here(self):
        partner_id, person, field, value = self.pick()
        if not isinstance(partner_id, int):
            return
        self.told.append(f"{partner_id}: here {field} = {value}")
        self.env["res.partner"].browse(partner_id).write(self.written_here(field, value))
        person.edit(HERE, field, value)

    def edit_there(self):
        partner_id, person, field, value = self.pick()
        remote_id = self.remote_id(partner_id)
        if not remote_id:
            return
        self.told.append(f"{partner_id}: there {field} = {value}")
        self.staff(op="edit_customer", customer=remote_id, values=written_there(field, value))
        person.edit(THERE, field, value)

    def new_here(self, email=None):
        person = Person()
        values = {field: self.value(field) for field in FIELDS} | (
            {"email": email} if email else {}
        )
        written = {"category_id": self.tag.ids}
        for field, value in values.items():
            written |= self.written_here(field, value)
            if value and value != NOWHERE:
                person.edit(HERE, field, value)
        partner = self.env["res.partner"].create(written)
        self.told.append(f"{partner.id}: new here {values}")
        self.people[partner.id] = person

    def new_there(self, key=None):
        """Until it is imported, it is known by its ID there."""
        person = self.people[key] if key else Person()
        values, written = {}, {}
        for field in FIELDS:
            value = values[field] = self.value(field)
            if field == "email" and key:
                value = values[field] = person.last(HERE, "email")
            written |= written_there(field, value)
            if value and value != NOWHERE:
                person.edit(THERE, field, value)
        remote_id = self.staff(op="new_customer", values=written)["customer"]
        self.told.append(f"{key or remote_id}: new there {values}")
        self.people.setdefault(key or remote_id, person)
        return remote_id

    def new_on_both(self):
        """The same person, before anybody has synchronized."""
        self.new_here()
        partner_id = [*self.people][-1]
        self.people[partner_id].meets = True
        self.new_there(partner_id)

    def fault(self):
        """One request fails, or its answer is lost."""
        fault = {
            "match": "*/customers*",
            "occurrence": self.rng.randint(1, 3),
            **self.rng.choice(FAULTS),
        }
        if self.rng.random() < 0.7:
            fault["method"] = self.rng.choice(("POST", "PATCH"))
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
        finished = self.killed_at(place)
        self.told.append(f"killed at {place}: {not finished}")
        self.cut_off()

    def cut_off(self):
        for person in self.people.values():
            person.cut_off()

    def checkpoint(self):
        """A synchronization that comes to its end: both sides agree, as the account says."""
        self.told.append("checkpoint")
        self.sync()
        self.send()
        self.rename_imported()
        for partner_id, person in self.people.items():
            for field in FIELDS:
                self.check(partner_id, person, field)
            person.checkpoint(self.here(partner_id))
        self.assertEqual(self.idle, [], "written without a difference")
        created = self.env["res.partner"].search_count([("category_id", "in", self.tag.ids)])
        self.assertLessEqual(self.posted, created, "created twice")
        emails = [values_there(one)["email"] for one in self.tenant.customers]
        ours = [email for email in emails if email.endswith("@random.example")]
        self.assertEqual(len(ours), len(set(ours)), "one email address, two customers")

    def check(self, partner_id, person, field):
        allowed = person.allowed(field, self.setup.when_both_changed)
        here, there = self.here(partner_id)[field], self.there(partner_id)[field]
        about = f"{partner_id} {field}: here {here}, there {there}, allowed {allowed}"
        if here != there:
            self.assertIn(None, allowed, about)
            last = person.last(HERE, field), person.last(THERE, field)
            self.assertEqual((here, there), last, about)
            here = there = self.decide(partner_id, field, here, there)
        else:
            self.assertIn(here, allowed, about)
        self.assertEqual((self.here(partner_id)[field], self.there(partner_id)[field]), (here,) * 2)

    def decide(self, partner_id, field, here, there):
        """Settle a conflict as a user does. Return the value that was chosen."""
        proposal = self.env["bookings.proposal"].search(
            [
                ("customer_id.partner_id", "=", partner_id),
                ("field", "=", field),
                ("state", "=", "open"),
            ]
        )
        self.assertEqual(len(proposal), 1, f"nobody is asked about {field} of {partner_id}")
        take_there = self.rng.random() < 0.5
        self.told.append(f"{partner_id}: {field} is decided for {THERE if take_there else HERE}")
        (proposal.action_accept if take_there else proposal.action_dismiss)()
        self.send()
        return there if take_there else here

    def quiet(self):
        """Ten more synchronizations write nothing on either side."""
        sent = len(self.writes())
        before = {one: self.here(one) for one in self.people}
        for _number in range(10):
            self.sync()
            self.send()
        self.assertEqual(len(self.writes()), sent)
        self.assertEqual({one: self.here(one) for one in self.people}, before)
        self.assertEqual(set(self.outbox.search([]).mapped("state")) - {"sent"}, set())

    # -- both sides --------------------------------------------------------------------------------

    def staff(self, **change):
        """Change something in the tenant, as somebody in Bookings would."""
        self.by = ("staff",)
        try:
            return self.tenant.apply(change)
        finally:
            self.by = ()

    def remote_id(self, partner_id):
        if not isinstance(partner_id, int):
            return partner_id
        self.env.flush_all()
        self.cr.execute(
            "SELECT remote_id FROM bookings_customer WHERE partner_id = %s AND setup_id = %s",
            [partner_id, self.setup.id],
        )
        found = [one for (one,) in self.cr.fetchall()]
        self.assertLessEqual(len(found), 1)
        return found[0] if found else None

    def rename_imported(self):
        """Who was created there has a contact now."""
        for remote_id in [key for key in self.people if not isinstance(key, int)]:
            self.env.flush_all()
            self.cr.execute(
                "SELECT partner_id FROM bookings_customer WHERE remote_id = %s AND setup_id = %s",
                [remote_id, self.setup.id],
            )
            (partner_id,) = self.cr.fetchone()
            self.told.append(f"{remote_id} is {partner_id}")
            self.people[partner_id] = self.people.pop(remote_id)

    def there(self, partner_id):
        remote_id = self.remote_id(partner_id)
        self.assertTrue(remote_id, f"{partner_id} is not in Bookings")
        return values_there(self.tenant.mailbox().customer_json(remote_id))

    def here(self, partner_id):
        partner = self.env["res.partner"].browse(partner_id)
        return {
            "name": partner.name,
            "email": partner.email or "",
            "phone": partner.phone or "",
            "address": (
                partner.street or "",
                partner.zip or "",
                partner.city or "",
                partner.country_id.with_context(lang="en_US").name or "",
            ),
        }

    def written_here(self, field, value):
        if field != "address":
            return {field: value or False}
        street, code, city, country = value
        return {
            "street": street or False,
            "zip": code or False,
            "city": city or False,
            "country_id": self.countries[country].id if country else False,
            "state_id": False,
        }
