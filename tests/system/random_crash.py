"""Three processes do what people and the clock do, at random and at once, and are killed one after the other.

Run as ``python -m tests.system.random_crash DATABASE --kills N [--seed N]`` in the environment of ./dev, on a database with
the addon. The last line of stdout is one JSON object: ``kills``, ``done`` (operations that came to their end, by name),
``refused`` (those that the addon refused in words), ``errors`` (anything else), ``violations`` and ``seen`` (whether the
judge sees a status that was made wrong on purpose).

How it works: the registry is loaded once and each worker is a fork of it. A worker writes a line for each operation and
works until it is killed, in the middle of whatever it does. After each kill SQL looks at the tables in one snapshot: which
line bills a booking follows from invoices and credit notes alone, not from what the addon stored about it.
"""

import argparse
import collections
import json
import os
import random
import signal
import sys
import time
import traceback

from .crash import CrashSweep

WORKERS, APPOINTMENTS = 3, 60
LONGEST = 6.0  # seconds from one kill to the next

# A line bills its booking while its invoice is not cancelled, nobody has released it and, once it is posted, credits leave
# something.
LIVE = """
    SELECT l.booking_id, m.state FROM account_move_line l JOIN account_move m ON m.id = l.move_id
     WHERE l.booking_id IS NOT NULL AND m.move_type = 'out_invoice' AND m.state != 'cancel'
       AND NOT coalesce(l.booking_released, false)
       AND (m.state != 'posted' OR l.price_subtotal > coalesce((
           SELECT sum(c.price_subtotal) FROM account_move_line c JOIN account_move r ON r.id = c.move_id
            WHERE c.booking_id = l.booking_id AND r.reversed_entry_id = m.id AND r.state = 'posted'), 0))"""
WRONG = {
    "on two live lines": f"SELECT booking_id FROM ({LIVE}) live GROUP BY booking_id HAVING count(*) > 1",
    "of another status than its line": f"""
        SELECT b.id FROM bookings_booking b LEFT JOIN ({LIVE}) live ON live.booking_id = b.id
         WHERE b.amount > 0
           AND CASE live.state WHEN 'draft' THEN b.status != 'drafted' WHEN 'posted' THEN b.status != 'invoiced'
                    ELSE b.status IN ('drafted', 'invoiced') END""",
    "marked live and is not, or the other way round": f"""
        SELECT b.id FROM bookings_booking b
         WHERE b.amount > 0 AND (SELECT count(*) FROM account_move_line l WHERE l.booking_id = b.id AND l.booking_live)
            != (SELECT count(*) FROM ({LIVE}) live WHERE live.booking_id = b.id)""",
}


class NothingToDo(Exception):
    """No record for the operation that chance chose."""


class RandomCrash(CrashSweep):
    """:class:`.crash.CrashSweep` brings registry and cursors; here many work at once and nobody counts statements."""

    def _prepare(self, env):
        company = env.ref("base.main_company")
        if not company.chart_template:
            env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
        env["res.currency"].search([("name", "=", "EUR")]).active = True
        connection = env["bookings.connection"].create(
            {
                "name": "Random",
                "mode": "sandbox",
                "sandbox_size": APPOINTMENTS,
                "company_id": company.id,
            }
        )
        template = env["product.template"].create(
            {"name": "Service", "type": "service", "taxes_id": company.account_sale_tax_id.ids}
        )
        setup = env["bookings.sync.setup"].create(
            {
                "name": "Random",
                "connection_id": connection.id,
                "company_id": company.id,
                "business_id": connection._sandbox_tenant().business_id,
                "customer_sync": "import",
                "customer_template_id": env["res.partner"].create({"name": "Template"}).id,
                "service_sync": "import",
                "service_template_id": template.id,
                "look_back_days": 80,
            }
        )
        assert setup._sync_run().state in ("done", "partial")
        self.setup_id, self.company_id = setup.id, company.id

    # -- what the workers do -------------------------------------------------------------------------------

    def operations(self, env, chance):
        """``{name: function}``; each takes what it finds at random and does it by the methods behind the buttons."""
        bookings, moves = env["bookings.booking"], env["account.move"]

        def some(model, domain, most=4):
            ids = model.search(domain).ids
            if not ids:
                raise NothingToDo
            return model.browse(chance.sample(ids, min(len(ids), chance.randint(1, most))))

        def invoices(*states):
            return some(moves, [("move_type", "=", "out_invoice"), ("state", "in", states)], 1)

        def cancel():
            for move in invoices("posted", "draft"):
                move.button_draft() if move.state == "posted" else None
                move.button_cancel()

        return {
            "draft": lambda: some(bookings, [("status", "=", "ready")], 8).action_create_invoices(),
            "post": lambda: invoices("draft").action_post(),
            "cancel": cancel,
            "reset": lambda: invoices("posted", "cancel").button_draft(),
            "credit": lambda: invoices("posted")._reverse_moves(cancel=True),
            "delete": lambda: invoices("draft").unlink(),
            "put back": lambda: some(
                bookings, [("status", "in", ("not_billable", "attention", "invoiced"))]
            ).action_put_back(),
            "mark": lambda: some(
                bookings, [("status", "in", ("ready", "attention", "drafted"))]
            ).action_mark_not_billable("waived"),
            "sync": lambda: env["bookings.sync.setup"].browse(self.setup_id)._sync_run(full=True),
        }

    def work_for_ever(self, seed, tell):
        """:param tell: is called with the outcome and the name of each operation"""
        import odoo.service.model
        from odoo.exceptions import UserError

        chance = random.Random(seed)
        while True:
            with self.registry.cursor() as cr:
                env = odoo.api.Environment(cr, 1, {"allowed_company_ids": [self.company_id]})
                operations = self.operations(env, chance)
                # without drafts there is nothing for the others
                name = chance.choice([*sorted(operations), "draft", "post"])
                work = operations[name]
                try:
                    odoo.service.model.retrying(work, env)
                    tell("done", name)
                except UserError:
                    cr.rollback()
                    tell("refused", name)
                except NothingToDo:
                    cr.rollback()
                except Exception as error:
                    cr.rollback()
                    tell(
                        "errors",
                        f"{name}: {type(error).__name__}: {error}"[:300].replace("\n", " "),
                    )

    # -- who kills them ------------------------------------------------------------------------------------

    def fork(self, seed):
        """A worker: its process id, and the file where it tells."""
        self.sql_db.close_all()
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            try:
                os.close(reading)
                self.work_for_ever(
                    seed, lambda *words: os.write(writing, ("\t".join(words) + "\n").encode())
                )
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(writing)
        return pid, reading

    def rounds(self, kills, seed):
        chance, told, wrong = (
            random.Random(seed),
            collections.defaultdict(collections.Counter),
            set(),
        )
        workers = [self.fork(f"{seed} {number}") for number in range(WORKERS)]
        for number in range(kills):
            time.sleep(chance.uniform(0.05, LONGEST))
            index = chance.randrange(WORKERS)
            _end(workers[index], told)
            wrong.update(self.violations())
            workers[index] = self.fork(f"{seed} again {number}")
        for worker in workers:
            _end(worker, told)
        self._wait_for_backends()
        wrong.update(self.violations())
        return {
            "kills": kills,
            "done": told["done"],
            "refused": told["refused"],
            "errors": told["errors"],
            "violations": sorted(wrong),
            "seen": bool(self.violations(spoil=True)),
        }

    def violations(self, spoil=False):
        """What is wrong in one snapshot; with ``spoil`` a status is made wrong before, and put back."""
        wrong = []
        with self.cursor() as cr:
            if spoil:
                cr.execute(
                    """UPDATE bookings_booking SET status = CASE status WHEN 'invoiced' THEN 'ready' ELSE 'invoiced' END
                        WHERE id = (SELECT min(id) FROM bookings_booking WHERE amount > 0)"""
                )
            for words, query in WRONG.items():
                cr.execute(query)
                wrong += [f"booking {row[0]} is {words}" for row in cr.fetchall()]
            cr.rollback()
        return wrong


def _end(worker, told):
    """Kill a worker and count the lines that it printed, except an unfinished one."""
    pid, reading = worker
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as pipe:
        for line in pipe.read().split("\n")[:-1]:
            outcome, name = line.split("\t", 1)
            told[outcome][name] += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("--kills", type=int, required=True)
    parser.add_argument("--seed", type=int, default=20261128)
    options = parser.parse_args()
    print(json.dumps(RandomCrash(options.database).rounds(options.kills, options.seed)), flush=True)


if __name__ == "__main__":
    sys.exit(main())
