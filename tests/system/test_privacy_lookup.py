"""Odoo's Privacy Lookup, installed beside the addon, finds whoever booked, and nothing of ours once they are forgotten."""

import pytest

from devtools import databases

from .processes import result, run_script

SCRIPT = """
import json
company = env.company
env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
env["res.currency"].search([("name", "in", ("EUR", "DKK", "USD")), ("active", "=", False)]).active = True
connection = env["bookings.connection"].create({"name": "Sandbox", "mode": "sandbox"})
service = env["product.template"].create(
    {"name": "T", "type": "service", "taxes_id": company.account_sale_tax_id.ids})
person = env["res.partner"].create({"name": "Template"})
mailboxes = connection._sandbox_tenant().mailboxes
setups = env["bookings.sync.setup"].create([{
    "name": mailbox.id, "connection_id": connection.id, "look_back_days": 80, "business_id": mailbox.id,
    "customer_sync": mode, "customer_template_id": person.id,
    "service_sync": "import", "service_template_id": service.id,
} for mailbox, mode in zip(mailboxes, ("import", "off"))])
for setup in setups:
    assert setup._sync_run().state in ("done", "partial"), setup.error_message
env.cr.commit()

def people(setup, known):
    for customer in env["bookings.customer"].search([("setup_id", "=", setup.id), ("email", "!=", False)]):
        same = customer._same_people()
        statuses = set(same.booking_ids.mapped("status"))
        if bool(customer.partner_id) == known and statuses and "upcoming" not in statuses:
            if not known or "ready" in customer.booking_ids.mapped("status"):
                return customer
    raise AssertionError(f"nobody to look for in {setup.name}")

def found(name, email):
    wizard = env["privacy.lookup.wizard"].create({"name": name, "email": email})
    wizard.action_lookup()
    for line in wizard.line_ids:
        assert line.resource_ref.display_name
    rows = {}
    for line in wizard.line_ids:
        rows.setdefault(line.res_model, []).append(line.res_id)
    return {model: sorted(ids) for model, ids in rows.items()}

told = []
for setup, known in zip(setups, (True, False)):
    customer = people(setup, known)
    bookings, name, email = customer._same_people().booking_ids, customer.name, customer.email
    if known:
        bookings.filtered(lambda b: b.status == "ready")[:1].action_create_invoices()
        bookings.move_ids.action_post()
    bookings.filtered(lambda b: b.status in ("ready", "attention")).action_mark_not_billable("waived")
    before = found(name, email)
    customer.action_forget()
    after = found(name, email)
    env.cr.commit()
    for full in (False, True):
        assert setup._sync_run(full=full).state in ("done", "partial")
    env.cr.commit()
    told.append({
        "customer": customer.id, "bookings": sorted(bookings.ids), "moves": sorted(bookings.move_ids.ids),
        "before": before, "after": after, "later": found(name, email), "known": known,
    })
print("RESULT" + json.dumps(told))
"""


@pytest.fixture
def told(environment, database):
    databases.install(environment, database, ("bookings_invoicing", "privacy_lookup"))
    return result(run_script(environment, database, SCRIPT))


def _ours(rows):
    return {model for model in rows if model.startswith("bookings.")}


def test_lookup_forget_and_synchronize_again(told):
    """A customer with a contact and an invoice, and one that is known to Bookings only."""
    assert [person["known"] for person in told] == [True, False]
    for person in told:
        assert person["customer"] in person["before"]["bookings.customer"]
        if person["known"]:
            assert set(person["bookings"]) <= set(person["before"]["bookings.booking"])
            assert person["moves"] and set(person["moves"]) <= set(person["after"]["account.move"])
        assert _ours(person["after"]) == set()
        assert _ours(person["later"]) == set(), "a synchronization brought them back"
