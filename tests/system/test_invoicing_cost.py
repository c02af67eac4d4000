"""No hook that costs those who confirm invoices without bookings: the same queries with the addon as without it."""

import re

from devtools import databases

from .processes import last_line, run_module, run_script

INVOICE = """
if not env.company.chart_template:
    env["account.chart.template"].try_loading("generic_coa", env.company, install_demo=False)
partner = env["res.partner"].create({"name": "Customer"})
line = {"name": "Work", "price_unit": 50.0}
env["account.move"].create({"move_type": "out_invoice", "partner_id": partner.id, "invoice_line_ids": [(0, 0, line)]})
env.cr.commit()
"""
ORDER = """
product = env["product.product"].create({"name": "Thing", "type": "consu"})
partner = env["res.partner"].create({"name": "Customer"})
env["sale.order"].create({"partner_id": partner.id, "order_line": [(0, 0, {"product_id": product.id})]})
env.cr.commit()
"""


def _queries(environment, database):
    return last_line(run_module(environment, "plain_invoices", database, "1", "20"))


def test_invoices_without_bookings_cost_no_query_more(environment, database):
    """One and twenty invoices in the same database, before the addon was installed and after."""
    without = _queries(environment, database)
    databases.install(environment, database, ("bookings_invoicing",))
    more = {
        f"{number} x {step}": count - without[number][step]
        for number, steps in _queries(environment, database).items()
        for step, count in steps.items()
    }
    assert len(more) == 20
    assert {step: extra for step, extra in more.items() if extra > 0} == {}


def test_installing_works_nothing_out_for_documents_that_there_are(environment, database):
    """A database may hold millions of them, and none has a booking. Odoo logs each field that it prepares."""

    def prepared(*modules):
        log = databases.install(environment, database, modules)
        return set(
            re.findall(r"Prepare computation of ((?:account\.move|sale\.order)[a-z.]*)\.\w+", log)
        )

    run_script(environment, database, INVOICE)
    assert "account.move" in prepared("sale"), "Odoo's own Sales does, and the log tells"
    run_script(environment, database, ORDER)
    assert prepared("bookings_invoicing", "bookings_invoicing_sale") == set()
