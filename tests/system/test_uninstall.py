"""Uninstalling takes bookings and secrets away and leaves invoices; what they bill is not billed again after installing."""

import pytest

from devtools import databases

from .processes import result, run_script

pytestmark = pytest.mark.timeout(1800)

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
SYNC, DRAFT = DRAFT_AND_POST.split("ready = ")
BILLED = """
print("RESULT" + json.dumps([
    [f"{one.appointment_id} {one.attendee_key}", one.move_ids.name or one.move_ids.display_name] for one in ready]))
"""
# An invoice that is cancelled in the meantime bills nothing.
KEPT = """
import json
move = env["account.move"].search([("move_type", "=", "out_invoice"), ("state", "=", "posted")], limit=1)
move.button_draft()
move.button_cancel()
env.cr.commit()
env.cr.execute("SELECT t::text FROM billed_appointments t")
rows = [row[0] for row in env.cr.fetchall()]
people = env["res.partner"].search([("email", "!=", False)])
print("RESULT" + json.dumps({
    "rows": rows, "people": people.mapped("email") + people.mapped("name"), "cancelled": move.name}))
"""
AGAIN = """
env.cr.commit()
print("RESULT" + json.dumps([
    [f"{one.appointment_id} {one.attendee_key}", one.status, one.not_billable_reason, one.not_billable_note]
    for one in env["bookings.booking"].search([])]))
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


def test_invoices_survive_and_installed_again_nothing_is_billed_again(environment, addon_database):
    """The same month, the same Bill From: what was on an invoice or a draft is billed elsewhere, and says by which."""

    database = addon_database

    def invoices():
        return result(run_script(environment, database, INVOICES))

    billed = result(run_script(environment, database, DRAFT_AND_POST + BILLED))
    assert len(billed) == 20
    assert any(name.startswith("INV/") for _key, name in billed)
    before, tables = invoices()
    assert before and tables > 10
    log = run_script(environment, database, UNINSTALL).stderr
    assert "ERROR" not in log, log
    after, tables = invoices()
    assert after == before
    assert tables == 0
    kept = result(run_script(environment, database, KEPT))
    assert len(kept["rows"]) >= 20
    assert not [text for text in kept["rows"] for name in kept["people"] if name in text]
    databases.install(environment, database, ("bookings_invoicing",))
    again = result(run_script(environment, database, SYNC + AGAIN))
    marked = {key: note for key, status, reason, note in again if reason == "billed_elsewhere"}
    gone = kept["cancelled"]
    assert set(marked) == {key for key, name in billed if name != gone}
    for key, name in billed:
        assert name == gone or name.split(" (")[0] in marked[key]
    rest = [status for key, status, *_more in again if key not in marked]
    assert "ready" in rest, "what was on no invoice waits as before"
