"""Uninstalling the addon takes bookings and secrets away and leaves invoices as they are."""

from devtools import databases

from .processes import result, run_script

DRAFT_AND_POST = """
import json
from datetime import date
company = env.company
if not company.chart_template:
    env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
connection = env["bookings.connection"].create({"name": "Sandbox", "mode": "sandbox"})
tax = company.account_sale_tax_id
template = env["product.template"].create({"name": "T", "type": "service", "taxes_id": tax.ids})
setup = env["bookings.sync.setup"].create({
    "name": "Clinic", "connection_id": connection.id, "look_back_days": 80,
    "business_id": connection._sandbox_tenant().business_id,
    "customer_sync": "import",
    "customer_template_id": env["res.partner"].create({"name": "Template"}).id,
    "service_sync": "import", "service_template_id": template.id,
})
env.ref("base.EUR").active = True
run = setup._sync_run()
assert run.state in ("done", "partial"), run.error
ready = env["bookings.booking"].search([("status", "=", "ready")], limit=20)
assert ready
ready.action_create_invoices()
ready.move_ids[:2].action_post()
env.cr.commit()
"""
UNINSTALL = """
env["ir.module.module"].search([("name", "=", "bookings_invoicing")]).button_immediate_uninstall()
"""
INVOICES = """
import json
env.cr.execute(
    "SELECT m.id, m.name, m.state, m.amount_total, m.partner_id, l.id, l.name, l.price_subtotal "
    "FROM account_move m JOIN account_move_line l ON l.move_id = m.id ORDER BY l.id")
rows = [[str(value) for value in row] for row in env.cr.fetchall()]
env.cr.execute("SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'bookings%'")
print("RESULT" + json.dumps([rows, env.cr.fetchone()[0]]))
"""


def test_invoices_survive(environment, database):
    def invoices():
        return result(run_script(environment, database, INVOICES))

    databases.install(environment, database, ("bookings_invoicing",))
    run_script(environment, database, DRAFT_AND_POST)
    before, tables = invoices()
    assert before and tables > 10
    log = run_script(environment, database, UNINSTALL).stderr
    assert "ERROR" not in log, log
    after, tables = invoices()
    assert after == before
    assert tables == 0
