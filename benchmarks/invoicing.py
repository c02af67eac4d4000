"""Drafts from bookings beside plain ``account.move.create`` of equal invoices and the native sale flow.

All three run in one database and one process, in rounds that alternate and are rolled back; the best
round of each counts. ``value`` is ``bookings.booking._invoice_all``: search, claim, checks, pricing,
drafts, links and the run. ``floor`` is one ``create(vals_list)`` of the same invoices in its default
context. ``peer`` is ``sale.order`` create, confirm, ``_create_invoices`` for the same lines.
"""

import contextlib
import datetime
import os
import time

from devtools import databases
from devtools.odoo_process import odoo_environment

from .runner import benchmark, scaled

ROUNDS = 3
SERVICES = 4
NOON = datetime.datetime(2026, 2, 2, 12)
# What only bookings give, and what Odoo finds by itself.
OF_BOOKINGS = {
    *("booking_id", "booking_live", "booking_released", "bookings_service_start"),
    *("bookings_service_stop", "balance", "amount_currency", "tax_tag_ids"),
}


@benchmark("invoicing_1000x1")
def invoicing_1000x1(ctx):
    """1,000 bookings of 1,000 customers."""
    return _compare(ctx, scaled(1000), 1)


@benchmark("invoicing_50x20")
def invoicing_50x20(ctx):
    """1,000 bookings of 50 customers."""
    return _compare(ctx, scaled(50), 20)


@benchmark("invoicing_10k")
def invoicing_10k(ctx):
    """10,000 bookings of 2,000 customers; the floor is the same plain create."""
    return _compare(ctx, scaled(2000), 5, rounds=1, peer=False)


def _compare(ctx, customers, each, rounds=ROUNDS, peer=True):
    with _odoo(ctx) as env:
        world = World(env, customers, each)
        ways = {"floor": world.plain, "value": world.ours}
        if peer:
            ways["peer"] = world.sale
        times = {name: [] for name in ways}
        queries = {}
        for _ in range(rounds):
            for name, way in ways.items():
                seconds, queries[name] = world.timed(way)
                times[name].append(seconds)
    result = {name: round(min(seconds), 3) for name, seconds in times.items()}
    return result | {
        "n": customers * each,
        "queries": queries["value"],
        "floor_queries": queries["floor"],
    }


@contextlib.contextmanager
def _odoo(ctx):
    """Odoo with the addon and ``sale`` on a database of its own."""
    os.environ.update(ctx.env.variables())
    needed = sorted({*databases.dependencies(), "sale"})
    with databases.temporary(ctx.env, "bookings_bench", needed) as name:
        databases.install(ctx.env, name, ("bookings_invoicing",))
        try:
            with odoo_environment(name, "error") as env:
                yield env
        finally:
            import odoo.sql_db

            odoo.sql_db.close_db(name)


class World:
    """A company with a chart of accounts, a setup and bookings that are ready."""

    def __init__(self, env, customers, each):
        company = env.ref("base.main_company")
        if not company.chart_template:
            env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
        self.env = env(context={"allowed_company_ids": company.ids})
        self.company = company.with_env(self.env)
        self.tax = self.env["account.tax"].create(
            {"name": "8.1 %", "amount": 8.1, "type_tax_use": "sale"}
        )
        self.setup = self._setup()
        self.services = self._services()
        self.bookings = self._bookings(customers, each)
        # A company in business has invoices; without them PostgreSQL plans for empty tables.
        self.values = _plain_values(self.bookings[:50])
        self.plain()
        self.env.cr.commit()
        self.env.cr.execute("ANALYZE")

    def _setup(self):
        connection = self.env["bookings.connection"].create(
            {"name": "Bench", "mode": "sandbox", "company_id": self.company.id}
        )
        return self.env["bookings.sync.setup"].create(
            {
                "name": "Bench",
                "connection_id": connection.id,
                "company_id": self.company.id,
                "business_id": "bench@example.invalid",
                "bill_from": "2026-01-01",
                "price_tax": "excluded",
                "tz": "Europe/Zurich",
                "currency_id": self.company.currency_id.id,
            }
        )

    def _services(self):
        products = self.env["product.product"].create(
            [
                {
                    "name": f"Service {n}",
                    "type": "service",
                    "taxes_id": self.tax.ids,
                }
                for n in range(SERVICES)
            ]
        )
        if "invoice_policy" in products._fields:
            products.invoice_policy = "order"
        return self.env["bookings.service"].create(
            [
                {
                    "setup_id": self.setup.id,
                    "remote_id": f"s{n}",
                    "name": product.name,
                    "product_id": product.id,
                }
                for n, product in enumerate(products)
            ]
        )

    def _bookings(self, customers, each):
        partners = self.env["res.partner"].create(
            [
                {"name": f"Customer {n}", "email": f"customer{n}@example.com"}
                for n in range(customers)
            ]
        )
        rows = self.env["bookings.customer"].create(
            [
                {
                    "setup_id": self.setup.id,
                    "remote_id": f"c{n}",
                    "name": partner.name,
                    "email": partner.email,
                    "partner_id": partner.id,
                }
                for n, partner in enumerate(partners)
            ]
        )
        bookings = self.env["bookings.booking"].create(
            [
                {
                    "setup_id": self.setup.id,
                    "appointment_id": f"a{number}",
                    "attendee_key": f"c:{row.remote_id}",
                    "name": row.name,
                    "customer_id": row.id,
                    "service_id": self.services[number % SERVICES].id,
                    "start": NOON + datetime.timedelta(hours=number % 200),
                    "stop": NOON + datetime.timedelta(hours=number % 200, minutes=30),
                    "price_type": "fixedPrice",
                    "price": 40.0 + number % 50,
                }
                for number, row in enumerate(row for row in rows for _ in range(each))
            ]
        )
        bookings._recheck_billing()
        if set(bookings.mapped("status")) != {"ready"}:
            raise ValueError(f"bookings are not ready: {bookings[0].attention_detail}")
        return bookings

    # -- the three ways --------------------------------------------------------------------------

    def ours(self):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.bookings.ids)])
        if run.booking_count != len(self.bookings):
            raise ValueError(run.result)
        return run.move_ids

    def plain(self):
        return self.env["account.move"].create(self.values)

    def sale(self):
        order = self.env["sale.order"].create(
            [
                {
                    "partner_id": values["partner_id"],
                    "order_line": [
                        (0, 0, {"product_id": line[2]["product_id"], "name": line[2]["name"],
                                "product_uom_qty": line[2]["quantity"], "price_unit": line[2]["price_unit"]})
                        for line in values["invoice_line_ids"]
                    ],
                }
                for values in self.values
            ]
        )  # fmt: skip
        order.action_confirm()
        return order._create_invoices()

    def timed(self, way):
        """Seconds and queries of one way from a cold cache; undone afterwards."""
        self.values = _plain_values(self.bookings)
        self.env.flush_all()
        self.env.invalidate_all()
        before, start = self.env.cr.sql_log_count, time.perf_counter()
        way()
        self.env.flush_all()
        seconds = time.perf_counter() - start
        queries = self.env.cr.sql_log_count - before
        self.env.cr.rollback()
        self.env.transaction.reset()
        return seconds, queries


def _plain_values(bookings):
    """The invoices that the bookings would make, as anybody would give them to ``create``."""
    found = []
    for own, group in bookings._grouped({}):
        values = own._prepare_invoice(group)
        lines = [
            (0, 0, {name: value for name, value in line[2].items() if name not in OF_BOOKINGS})
            for line in values["invoice_line_ids"]
        ]
        found.append(
            {name: value for name, value in values.items() if name not in OF_BOOKINGS}
            | {"invoice_line_ids": lines}
        )
    return found
