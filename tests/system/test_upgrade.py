"""A database of an earlier version is updated to this one, and loses nothing.

The earlier version is a commit of this repository's history, taken out by ``git archive``. What others changed in the
schema since then is named here: a column that is gone without a word is a fault.
"""

import io
import subprocess
import tarfile

import pytest
from lxml import etree

from devtools import databases
from devtools.odoo_log import complaints
from devtools.paths import REPO

from .processes import result, run_odoo, run_script

ADDONS = ("bookings_invoicing", "bookings_invoicing_sale")
EARLIER = "d19c6f27b7d42010e888f93309ab78e6db5ce2dc"
# Columns of the earlier version that are no more, and why: {"table.column"}.
DROPPED = set()
# Values that an update writes anew: {"table.column": (before, after)}.
REWRITTEN = {"bookings_sync_setup.look_back_days": ("1:5000", "1:3660")}
# What the log says at WARNING or above: a number that was out of bounds.
SAID = ["bookings.sync.setup.look_back_days was out of bounds and is changed on rows [(1,)]"]
# Kinds of records that an addon's files make, and that must go with their line in the file.
MADE_BY_FILES = {
    "ir.ui.view": "//record[@model='ir.ui.view']/@id | //template/@id",
    "ir.ui.menu": "//record[@model='ir.ui.menu']/@id | //menuitem/@id",
    "ir.rule": "//record[@model='ir.rule']/@id",
    "ir.actions.act_window": "//record[@model='ir.actions.act_window']/@id",
    "ir.cron": "//record[@model='ir.cron']/@id",
}

USE = """
env["res.lang"]._activate_lang("da_DK")
env["ir.module.module"].search([("name", "=like", "bookings_invoicing%")])._update_translations(["da_DK"])
company = env.company
if not company.chart_template:
    env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
env.ref("base.EUR").active = True
connection = env["bookings.connection"].create({"name": "Sandbox", "mode": "sandbox"})
template = env["product.template"].create(
    {"name": "T", "type": "service", "taxes_id": company.account_sale_tax_id.ids})
template.with_context(lang="da_DK").name = "Skabelon"
setup = env["bookings.sync.setup"].create({
    "name": "Clinic", "connection_id": connection.id, "look_back_days": 80, "price_tax": "excluded",
    "business_id": connection._sandbox_tenant().business_id, "customer_sync": "import",
    "customer_template_id": env["res.partner"].create({"name": "Template"}).id,
    "service_sync": "import", "service_template_id": template.id, "no_show_fee_kind": "percent", "no_show_fee": 50,
    "fee_product_id": env["product.product"].create({"name": "Fee", "type": "service"}).id,
})
env["bookings.label.rule"].create({"setup_id": setup.id, "text": "Courtesy", "outcome": "free"})
env["ir.config_parameter"].set_param("bookings_invoicing.kept", "as it was")
run = setup._sync_run()
assert run.state in ("done", "partial"), run.error
ready = env["bookings.booking"].search([("status", "=", "ready")], order="start, id", limit=24)
ready[0].price = ready[8].price = 12.5
ready[2].action_no_show()
ready[23].action_mark_not_billable("waived", "a friend")
ready[:20].action_create_invoices()
moves = ready.move_ids.sorted("id")
moves[:3].action_post()
moves[0]._reverse_moves([{"date": moves[0].date}], cancel=True)
assert len(moves) > 5
setup.billing_flow = "sale"
ready[20:23].action_create_invoices()
assert ready.order_ids
for number in "12":
    env["bookings.sync.issue"].create(
        {"setup_id": setup.id, "kind": "appointment", "remote_id": number, "reason": "odd", "payload": "{}"})
report = env["bookings.completeness"].create({"setup_id": setup.id})
setup.look_back_days = 5000
assert setup.id == 1
env.cr.commit()
"""

# Every row of our tables and of our columns in Odoo's: {table: {column: {id: value}}}.
STORED = """
import json
env.cr.execute(
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND ("
    " table_name LIKE 'bookings%' OR column_name LIKE 'bookings%' OR column_name LIKE 'booking_%')"
    " AND column_name NOT IN ('write_date', 'write_uid') ORDER BY 1, 2")
stored = {}
for table, column in env.cr.fetchall():
    env.cr.execute(f"SELECT string_agg(v, '|' ORDER BY v) FROM ("
                   f"SELECT CONCAT(to_jsonb(t)->>'id', ':', to_jsonb(t)->>'{column}') AS v FROM {table} t) rows")
    stored.setdefault(table, {})[column] = env.cr.fetchone()[0]
env.cr.execute("SELECT key, value FROM ir_config_parameter WHERE key LIKE 'bookings%' ORDER BY 1")
stored["ir_config_parameter"] = dict(env.cr.fetchall())
env.cr.execute("SELECT id, name FROM product_template ORDER BY 1")
stored["product_template"] = {str(id): name for id, name in env.cr.fetchall()}
terms = {}
for model, name in (("ir.ui.menu", "name"), ("ir.model.fields", "field_description"), ("ir.actions.act_window", "name")):
    table = env[model]._table
    env.cr.execute(f"SELECT d.name, t.{name} FROM {table} t JOIN ir_model_data d ON d.res_id = t.id AND d.model = %s"
                   " WHERE d.module LIKE 'bookings_invoicing%%'", [model])
    terms |= {f"{model} {key}": value for key, value in env.cr.fetchall()}
env.cr.execute("SELECT model, name FROM ir_model_data WHERE module LIKE 'bookings_invoicing%' ORDER BY 1, 2")
print("RESULT" + json.dumps({"stored": stored, "terms": terms, "records": env.cr.fetchall()}))
"""


# What is in the tables of our models and in no field or constraint of theirs, or the other way round.
SCHEMA = """
faults = []
for model in env.values():
    if not model._auto or not model._table.startswith("bookings"):
        continue
    env.cr.execute(
        "SELECT column_name, is_nullable = 'NO' FROM information_schema.columns WHERE table_name = %s", [model._table])
    columns = dict(env.cr.fetchall())
    stored = {name for name, field in model._fields.items() if field.store and field.column_type}
    required = {name for name in stored if model._fields[name].required or name == "id"}
    env.cr.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'u', 'x')"
        " UNION SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " WHERE x.indrelid = %s::regclass AND NOT indisprimary", [model._table] * 2)
    constraints = {name for name, in env.cr.fetchall()}
    named = set(model._table_objects)
    named |= {f"{model._table}__{name}_index" for name in stored if model._fields[name].index}
    env.cr.execute(
        "SELECT a.attname, c.confdeltype FROM pg_constraint c JOIN pg_attribute a"
        " ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE c.conrelid = %s::regclass AND c.contype = 'f'",
        [model._table])
    links = dict(env.cr.fetchall())
    kinds = {"set null": "n", "restrict": "r", "cascade": "c"}
    ondelete = {name: kinds[model._fields[name].ondelete or "set null"] for name in stored
                if model._fields[name].type == "many2one"}
    for what, wanted, there in (
        ("columns", stored, set(columns)),
        ("required", required, {name for name, is_required in columns.items() if is_required}),
        ("constraints", named, constraints),
        ("ondelete", set(ondelete.items()), set(links.items())),
    ):
        faults += [(model._name, what, sorted(map(str, wanted ^ there)))] if wanted ^ there else []
print("SCHEMA" + json.dumps(faults))
"""

# The next synchronization finds everything as it left it.
SYNC = """
setup = env["bookings.sync.setup"].search([])
bookings, partners = (env[name].with_context(active_test=False) for name in ("bookings.booking", "res.partner"))
known, people, lines = bookings.search([]), partners.search([]), env["account.move.line"].search_count([])
run = setup._sync_run()
assert run.state == "done", run.error
assert bookings.search([]) == known and partners.search([]) == people
assert env["account.move.line"].search_count([]) == lines
assert not run.counts.get("bookings_changed"), run.counts
"""


@pytest.fixture
def earlier(environment, tmp_path):
    """Configuration file of an Odoo that has the earlier version of the addon."""
    archive = subprocess.run(["git", "archive", EARLIER, *ADDONS], cwd=REPO, capture_output=True)
    if archive.returncode:
        pytest.fail(
            f"The history here has no commit {EARLIER}, from which this test updates. "
            "Fetch the whole history: git fetch --unshallow."
        )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(tmp_path)
    conf = tmp_path / "odoo.conf"
    conf.write_text(environment.conf.read_text().replace(str(REPO), str(tmp_path)))
    return conf


def test_nothing_is_lost(environment, earlier):
    with databases.temporary(environment, "bookings_check", databases.dependencies(ADDONS)) as name:
        databases.install(environment, name, ADDONS, ODOO_RC=earlier)
        before = result(run_script(environment, name, USE + STORED, ODOO_RC=earlier))
        words = ("-d", name, "-u", ADDONS[0], "--stop-after-init", "--no-http")
        said = complaints(run_odoo(environment, *words).stderr)
        done = run_script(environment, name, STORED + SCHEMA + SYNC)
    after = result(done)
    assert [line.rpartition(": ")[2].strip() for line in said] == SAID
    assert _changed(before["stored"], after["stored"]) == {}
    assert any("da_DK" in term for term in before["terms"].values())
    assert _untranslated(before["terms"], after["terms"]) == []
    assert _left_over(after["records"]) == []
    assert result(done, "SCHEMA") == []


def _changed(before, after):
    """{"table.column": (rows before, rows after)} of what is not as it was or as it should be now."""
    changed = {}
    for table, columns in before.items():
        for column, rows in columns.items():
            name = f"{table}.{column}"
            now = after.get(table, {}).get(column)
            if now != rows and name not in DROPPED and REWRITTEN.get(name) != (rows, now):
                changed[name] = (rows, now)
    return changed


def _untranslated(before, after):
    """Terms that are the same in English and had a Danish text, which is not there any more."""
    return [
        (key, term)
        for key, term in before.items()
        if "da_DK" in term
        and (now := after.get(key))
        and now["en_US"] == term["en_US"]
        and "da_DK" not in now
    ]


def _left_over(records):
    """Records that no file of the addon makes."""
    made = {model: set() for model in MADE_BY_FILES}
    for path in (path for addon in ADDONS for path in (REPO / addon).rglob("*.xml")):
        tree = etree.parse(str(path))
        for model, ids in MADE_BY_FILES.items():
            made[model].update(tree.xpath(ids))
    return [(model, name) for model, name in records if model in made and name not in made[model]]
