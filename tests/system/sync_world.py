"""Synchronizations in transactions of their own, with real cursors; started by test_sync_processes.

Run as ``python -m tests.system.sync_world DATABASE SCENARIO`` in the environment of ./dev, on a database with the addon. A
scenario makes a connection and setups and prints what it saw as one line of JSON; it judges nothing.
"""

import datetime
import json
import os
import sys
from contextlib import contextmanager
from functools import partial

from devtools.odoo_process import odoo_environment

SIZE = 14


def make_setup(env, number=0, size=SIZE, connection=None, **values):
    """A setup on one of the businesses of a sandbox tenant that is read as a whole, whatever day it is."""
    connection = connection or env["bookings.connection"].create(
        {
            "name": "World",
            "mode": "sandbox",
            "sandbox_anchor": datetime.date(2026, 3, 12),
            "sandbox_size": size,
            "company_id": env.company.id,
        }
    )
    person = env["res.partner"].create({"name": "Template"})
    product = env["product.template"].create({"name": "Template", "type": "service"})
    return env["bookings.sync.setup"].create(
        {
            "name": f"World {number}",
            "connection_id": connection.id,
            "business_id": connection._sandbox_tenant().mailboxes[number].id,
            "customer_sync": "import",
            "customer_template_id": person.id,
            "service_sync": "import",
            "service_template_id": product.id,
            "look_back_days": 1000,
            "look_ahead_days": 60,
            **values,
        }
    )


def make_user(env, login):
    """A clerk who may synchronize."""
    return env["res.users"].create(
        {
            "name": login,
            "login": f"{login} {os.getpid()}",
            "group_ids": [(4, env.ref("bookings_invoicing.group_user").id)],
        }
    )


@contextmanager
def on_execute(watch):
    """Call ``watch(cursor, statement)`` before each SQL statement of this process; gives the names of what they raise."""
    import odoo.sql_db

    kept, raised = odoo.sql_db.Cursor.execute, []

    def execute(self, query, *args, **named):
        try:
            watch(self, str(getattr(query, "code", query)))
            return kept(self, query, *args, **named)
        except Exception as error:
            raised.append(type(error).__name__)
            raise

    odoo.sql_db.Cursor.execute = execute
    try:
        yield raised
    finally:
        odoo.sql_db.Cursor.execute = kept


def _cron(env):
    env.cr.commit()
    env.ref("bookings_invoicing.ir_cron_sync").method_direct_trigger()
    _look_again(env)


def _look_again(env):
    """What other transactions have committed is seen from here on."""
    env.cr.commit()
    env.invalidate_all()


def _alone_due(env, setups):
    (env["bookings.sync.setup"].search([("id", "not in", setups.ids)])).paused = True
    now = datetime.datetime.now().replace(microsecond=0)
    for number, setup in enumerate(setups):
        setup.next_sync = now - datetime.timedelta(minutes=10 - number)


def _told(setup):
    run = setup.run_ids[:1]
    return {
        "bookings": setup.env["bookings.booking"].search_count([("setup_id", "=", setup.id)]),
        "error": setup.error_message or "",
        "health": setup.health,
        "activities": [[one.user_id.name, one.note] for one in setup.activity_ids],
        "next_in_future": setup.next_sync > datetime.datetime.now(),
        "runs": setup.run_ids.mapped("state"),
        "run_error": run.error or "",
        "by": run.user_id.name or "",
    }


# -- scenarios ---------------------------------------------------------------------------------------


def failing(env, kind):
    """Of two setups, the first fails: ``inside`` its job, or ``outside`` where no job can take care of it."""
    import psycopg2

    user = make_user(env, "Responsible")
    first = make_setup(env, user_id=user.id)
    second = make_setup(env, 1, connection=first.connection_id)
    _alone_due(env, first + second)
    marks = {"inside": "SELECT appointment_id, bool_or", "outside": "pg_try_advisory_xact_lock"}
    broken = []

    def refuse(_cursor, statement):
        if marks[kind] in statement and not broken:
            broken.append(statement)
            raise psycopg2.errors.OutOfMemory("out of shared memory")

    with on_execute(refuse):
        _cron(env)
    told = {"broken": len(broken), "first": _told(first), "second": _told(second)}
    first.next_sync = datetime.datetime.now() - datetime.timedelta(minutes=1)
    _cron(env)
    return told | {"again": _told(first)}


def serialization(env):
    """Somebody writes rows of a batch between the first look of the sync and its own write of them, once."""
    import odoo.sql_db

    setup = make_setup(env)
    env.cr.commit()
    setup._sync_run(commit=env.cr.commit)
    bookings = env["bookings.booking"].search([("setup_id", "=", setup.id)], order="id")
    one = bookings.filtered("customer_id")[:1]
    changes = [
        {"op": "reprice", "appointment": one.appointment_id, "price": "12.34"},
        {"op": "create", "service": one.service_id.remote_id, "start": "2026-03-13T09:00:00Z"}
        | {"attendees": [{"name": "New Person", "email": f"new.{os.getpid()}@person.example"}]},
    ]
    tenant = setup.connection_id._sandbox_tenant()
    for change in changes:
        env["bookings.sandbox.change"].create(
            {"connection_id": setup.connection_id.id, "change": tenant.apply(change)}
        )
    partners = env["res.partner"].search_count([])
    env.cr.commit()
    interfered = []

    def interfere(cursor, statement):
        if cursor is env.cr and 'UPDATE "bookings_booking"' in statement and not interfered:
            interfered.append(1)
            with odoo.sql_db.db_connect(env.cr.dbname).cursor() as other:
                other.execute(
                    "UPDATE bookings_booking SET notes = 'meanwhile' WHERE id = %s", [one.id]
                )

    with on_execute(interfere) as raised:
        run = setup._sync_run(commit=env.cr.commit)
    _look_again(env)
    after = env["bookings.booking"].search([("setup_id", "=", setup.id)])
    return {
        "interfered": len(interfered),
        "raised": raised,
        "state": run.state,
        "counts": run.counts["appointment"],
        "price": one.price,
        "notes": one.notes,
        "new": len(after - bookings),
        "lost": len(bookings - after),
        "partners": env["res.partner"].search_count([]) - partners,
        "runs": setup.run_ids.mapped("state"),
    }


def claim(env):
    """While one process is in the middle of a sync, another begins one by hand and one by schedule."""
    setup = make_setup(env)
    _alone_due(env, setup)
    env.cr.commit()
    begun, go_on = os.pipe(), os.pipe()
    child = _forked(env, partial(_sync_slowly, setup.id, begun[1], go_on[0]))
    os.read(begun[0], 1)
    answer = setup.action_sync_now()
    env.cr.commit()
    by_hand = answer["params"]["message"]
    _cron(env)
    while_running = setup.run_ids.mapped("state")
    os.write(go_on[1], b".")
    os.waitpid(child, 0)
    _look_again(env)
    expected = len(list(setup.connection_id._sandbox_tenant().expected_bookings()))
    return {
        "by_hand": by_hand,
        "while_running": while_running,
        "after": setup.run_ids.mapped("state"),
        "expected": expected,
        **_told(setup),
    }


def two_buttons(env, when):
    """Two clerks press *Sync Now* for two businesses of one company that know the same people.

    :param when: the second one ``meanwhile``, or ``after`` the first one, in a transaction that began ``before``
    """
    connections = env["bookings.connection"].create(
        [
            {"name": f"Seed {seed}", "mode": "sandbox", "sandbox_seed": seed, "sandbox_size": SIZE}
            | {"sandbox_anchor": datetime.date(2026, 3, 12), "company_id": env.company.id}
            for seed in (int(f"{number}{len(when)}") for number in (1, 2))
        ]
    )
    first, second = (make_setup(env, connection=connection) for connection in connections)
    _alone_due(env, second)
    begun, go_on = os.pipe(), os.pipe()
    meanwhile = when == "meanwhile"
    child = _forked(env, partial(_press_slowly, first.id, begun[1], go_on[0], meanwhile))
    os.read(begun[0], 1)
    known = env["res.partner"].search_count(
        []
    )  # from here on, only what is committed by now is seen
    if not meanwhile:
        os.write(go_on[1], b".")
        os.waitpid(child, 0)
    second.action_sync_now()
    env.cr.commit()
    pressed = second.run_ids.mapped("state")
    if meanwhile:
        os.write(go_on[1], b".")
        os.waitpid(child, 0)
    _cron(env)
    people = [
        setup.env["bookings.customer"].search([("setup_id", "=", setup.id)])
        for setup in (first, second)
    ]
    emails = [
        set(rows.filtered("partner_id").mapped("email_normalized")) - {False} for rows in people
    ]
    shared = emails[0] & emails[1]
    contacts = env["res.partner"].search([("email_normalized", "in", list(shared))])
    return {
        "pressed": pressed,
        "created": len(contacts) > 0 and env["res.partner"].search_count([]) > known,
        "shared": len(shared),
        "contacts": len(contacts),
        "first": _told(first),
        "second": _told(second),
    }


def created_while_waiting(env):
    """A scheduled sync waits for a process that creates contacts of the same people and commits them meanwhile."""
    company = env["res.company"].create({"name": "Waiting"})
    connection = env["bookings.connection"].create(
        {"name": "Waiting", "mode": "sandbox", "sandbox_size": SIZE, "company_id": company.id}
        | {"sandbox_anchor": datetime.date(2026, 3, 12)}
    )
    setup = make_setup(env, connection=connection, company_id=company.id)
    pages = setup._client().customers(setup.business_id)
    emails = {person.email.lower() for page in pages for person in page.records if person.email}
    env.cr.commit()
    waited = []

    def create_first(_cursor, statement):
        if not waited and "pg_advisory_xact_lock(%s, key)" in statement:
            with env.registry.cursor() as cursor:
                other = env(cr=cursor)
                # people are listed first, and get their contacts with their appointments
                if other["bookings.customer"].search_count([("setup_id", "=", setup.id)]):
                    waited.append(1)
                    other["res.partner"].create(
                        [{"name": one, "email": one, "company_id": company.id} for one in emails]
                    )

    with on_execute(create_first):
        run = setup._sync_run(commit=env.cr.commit)
    _look_again(env)
    theirs = [("company_id", "=", company.id), ("email_normalized", "in", list(emails))]
    contacts = env["res.partner"].search_count(theirs)
    return {
        "state": run.state,
        "waited": len(waited),
        "people": len(emails),
        "contacts": contacts,
    }


def _press_slowly(setup_id, begun, go_on, in_the_middle, env):
    """Press *Sync Now*; wait for the parent before it begins, or in the middle of it."""
    stopped = []

    def stop(_cursor, statement):
        if not stopped and (not in_the_middle or 'INSERT INTO "bookings_booking"' in statement):
            stopped.append(1)
            os.write(begun, b".")
            os.read(go_on, 1)

    with on_execute(stop):
        env["bookings.sync.setup"].browse(setup_id).action_sync_now()
    env.cr.commit()


def _sync_slowly(setup_id, begun, go_on, env):
    """Stop in the middle of the sync, when services are committed, until the parent lets it go on."""
    stopped = []

    def stop(_cursor, statement):
        if 'INSERT INTO "bookings_booking"' in statement and not stopped:
            stopped.append(1)
            os.write(begun, b".")
            os.read(go_on, 1)

    with on_execute(stop):
        env["bookings.sync.setup"].browse(setup_id)._sync_run(commit=env.cr.commit)
    env.cr.commit()


def _forked(env, work):
    """A process of its own for ``work(env)``, with connections of its own; its id."""
    import odoo.api
    import odoo.sql_db

    env.cr.commit()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        # The sockets are the parent's: this process has a pool of its own and closes none of the other.
        inherited = odoo.sql_db._Pool, env.registry._db  # noqa: F841
        odoo.sql_db._Pool = None
        env.registry._db = odoo.sql_db.db_connect(env.cr.dbname)
        with env.registry.cursor() as cr:
            work(odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {}))
        code = 0
    finally:
        os._exit(code)


def hand_over(env):
    """A clerk's *Sync now* takes too long, twice; the scheduled action goes on with it."""
    from odoo.addons.bookings_invoicing.models.sync import job as sync_job

    user = make_user(env, "Clerk")
    setup = make_setup(env)
    _alone_due(env, setup)
    setup.next_sync = datetime.datetime.now() + datetime.timedelta(days=1)
    triggers = env["ir.cron.trigger"].search_count([])
    sync_job.BUTTON_SECONDS = -1
    clicks = [setup.with_user(user).action_full_sync()["params"] for _click in range(2)]
    waiting = _told(setup) | {"full": setup.run_ids.mapped("full")}
    messages = env["bus.bus"].search_count([])
    triggered = env["ir.cron.trigger"].search_count([]) - triggers
    _cron(env)
    told = env["bus.bus"].search([], order="id")[messages:].mapped("message")
    return {
        "clicks": [click["message"] for click in clicks],
        "waiting": waiting,
        "triggered": triggered,
        "done": _told(setup) | {"summary": setup.run_ids[:1].summary},
        "told": [text for text in told if "simple_notification" in text],
        "expected": len(list(setup.connection_id._sandbox_tenant().expected_bookings())),
    }


if __name__ == "__main__":
    database, scenario, *words = sys.argv[1:]
    with odoo_environment(database, "critical") as environment:
        print(json.dumps(globals()[scenario](environment, *words)), flush=True)
