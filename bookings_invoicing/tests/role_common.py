from odoo import fields
from odoo.tests import new_test_user

from .common import BookingsCase

# What each role may do with records of its own companies, from less to more: C create, R read, W write, D delete.
# Of other companies' records nobody may do anything. docs/roles.md shows the same table.
ROLES = ("auditor", "user", "manager", "system")
MATRIX = {
    "bookings.connection": ("R", "R", "CRW", "CRWD"),
    "bookings.connection.check": ("R", "R", "R", "R"),
    "bookings.connection.secret": ("", "", "", ""),
    "bookings.connection.sign.in": ("", "", "", ""),
    "bookings.rate.limit": ("", "", "", ""),
    "bookings.sandbox.change": ("", "", "CRWD", ""),
    "bookings.sync.setup": ("R", "R", "CRWD", ""),
    "bookings.sync.run": ("R", "R", "RD", ""),
    "bookings.sync.issue": ("R", "R", "RD", ""),
    "bookings.outbox": ("R", "R", "RW", ""),
    "bookings.label.rule": ("R", "R", "CRWD", ""),
    "bookings.question.rule": ("R", "R", "CRWD", ""),
    "bookings.proposal": ("R", "RW", "RWD", ""),
    "bookings.service": ("R", "RW", "RWD", ""),
    "bookings.staff": ("R", "R", "RWD", ""),
    "bookings.customer": ("R", "RW", "RWD", ""),
    "bookings.forgotten": ("", "", "", ""),
    "bookings.booking": ("R", "RW", "RW", ""),
    "bookings.completeness": ("R", "CRW", "CRWD", ""),
    "bookings.completeness.line": ("R", "R", "R", ""),
    "bookings.invoice.run": ("R", "R", "RD", ""),
    "bookings.invoice.run.left.out": ("R", "R", "R", ""),
}
GROUPS = {
    "auditor": "account.group_account_readonly",
    "user": "account.group_account_invoice",
    "manager": "account.group_account_manager",
    "system": "base.group_system",
    "internal": "base.group_user",
    "portal": "base.group_portal",
    "public": "base.group_public",
}
# Core methods that answer everybody, also where ours adds to them: it only takes a mark off what Odoo tells anyway.
HARMLESS = {("bookings.booking", "fields_get")}
WITHOUT = ("internal", "portal", "public")
OPERATIONS = {"C": "create", "R": "read", "W": "write", "D": "unlink"}


class RolesCase(BookingsCase):
    """A user of each role in one company, and one record of each model in that company and in another one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sync()
        other = cls.setup_other_company(name="Other company")["company"]
        connection = cls.env["bookings.connection"].create(
            {
                "name": "Other",
                "mode": "sandbox",
                "sandbox_anchor": cls.anchor,
                "company_id": other.id,
            }
        )
        template = cls.env["product.template"].create(
            {"name": "Other template", "type": "service", "company_id": other.id}
        )
        other_setup = cls.env["bookings.sync.setup"].create(
            {
                "name": "Other clinic",
                "connection_id": connection.id,
                "company_id": other.id,
                "business_id": connection._sandbox_tenant().mailboxes[1].id,
                "service_sync": "import",
                "service_template_id": template.id,
                "bill_from": cls.setup.bill_from,
            }
        )
        cls.sync(other_setup)
        cls.own, cls.foreign = cls._records(cls.setup), cls._records(other_setup)
        cls.own |= cls._wizards()
        cls.own["account.move"] = cls._draft()
        if "sale.order" in cls.env:
            payer = cls.own["account.move"].partner_id
            cls.own["sale.order"] = cls.env["sale.order"].sudo().create({"partner_id": payer.id})
        cls.users = {
            role: new_test_user(
                cls.env,
                f"role_{role}",
                group,
                company_id=cls.company.id,
                company_ids=[fields.Command.set(cls.company.ids)],
            )
            for role, group in GROUPS.items()
        }
        cls.env.flush_all()

    @classmethod
    def _wizards(cls):
        """``{model: a record of it}`` of our wizards, their required fields filled from the records there are."""
        env, made = cls.env(su=True), {}
        names = [
            name
            for name, model in env.registry.items()
            if name.startswith("bookings.") and model._transient
        ]
        for name in sorted(names, key=lambda name: (name.endswith(".line"), name)):
            made[name] = cls._filled(env[name], made | cls.own)
        return made

    @classmethod
    def _filled(cls, model, known):
        """Create a record with its required fields and the links that determine its company."""
        values = {}
        for field in model._fields.values():
            to_parent = field.type == "many2one" and field.comodel_name in (
                "bookings.sync.setup",
                "bookings.booking",
            )
            if (
                not field.store
                or field.name == "id"
                or field.related
                or not (field.required or to_parent)
            ):
                continue
            if field.default and field.name != "company_id" or (field.compute and not to_parent):
                continue
            if field.type == "many2one":
                some = model.env[field.comodel_name].search([], limit=1)
                values[field.name] = known.get(field.comodel_name, some).id
            elif field.type == "selection":
                values[field.name] = field.get_values(model.env)[0]
            else:
                values[field.name] = {"char": "x", "text": "x", "date": cls.anchor}.get(
                    field.type, 1
                )
        return model.create(values)

    @classmethod
    def _draft(cls):
        ready = cls.env["bookings.booking"].search(
            [("setup_id", "=", cls.setup.id), ("status", "=", "ready")], limit=1
        )
        ready.action_create_invoices()
        return ready.move_ids

    @classmethod
    def _records(cls, setup):
        """``{model: a record of it in the setup's company}``, every persistent model of ours among them."""
        env = cls.env(su=True)
        connection = setup.connection_id
        booking = env["bookings.booking"].search(
            [("setup_id", "=", setup.id), ("customer_id", "!=", False)], limit=1
        )
        run = env["bookings.invoice.run"].create(
            {"state": "done", "company_id": setup.company_id.id}
        )
        made = cls._values_of_records(setup, booking, run)
        found = {
            "bookings.connection": connection,
            "bookings.sync.setup": setup,
            "bookings.sync.run": setup.run_ids[:1],
            "bookings.service": booking.service_id,
            "bookings.staff": env["bookings.staff"].search([("setup_id", "=", setup.id)], limit=1),
            "bookings.customer": booking.customer_id,
            "bookings.booking": booking,
            "bookings.invoice.run": run,
        }
        found |= {model: env[model].create(values) for model, values in made.items()}
        found["res.company"] = setup.company_id
        for model in sorted(set(MATRIX) - set(found)):
            found[model] = cls._filled(env[model], found)
        return found

    @classmethod
    def _values_of_records(cls, setup, booking, run):
        """``{model: values}`` of those that nothing has made yet."""
        connection = setup.connection_id
        state = f"{setup.id}-state"
        return {
            "bookings.connection.check": {
                "connection_id": connection.id,
                "step": "token",
                "result": "ok",
                "message": "Works",
            },
            "bookings.connection.secret": {
                "connection_id": connection.id,
                "kind": "credential",
                "sealed": "clear:x",
            },
            "bookings.connection.sign.in": {
                "connection_id": connection.id,
                "user_id": cls.env.uid,
                "state_hash": state,
                "expires": fields.Datetime.now(),
                "flow": "clear:{}",
            },
            "bookings.sandbox.change": {
                "connection_id": connection.id,
                "change": connection._sandbox_tenant().apply(
                    {
                        "op": "cancel",
                        "appointment": connection._sandbox_tenant().appointments[0]["id"],
                    }
                ),
            },
            "bookings.sync.issue": {
                "setup_id": setup.id,
                "kind": "appointment",
                "remote_id": "x",
                "reason": "x",
            },
            "bookings.outbox": {
                "setup_id": setup.id,
                "booking_id": booking.id,
                "appointment_id": booking.appointment_id,
                "value_to": "x",
            },
            "bookings.label.rule": {"setup_id": setup.id, "text": "x", "outcome": "free"},
            "bookings.question.rule": {"setup_id": setup.id, "question": "x"},
            "bookings.proposal": {"setup_id": setup.id, "field": "vat", "proposed": "x"},
            "bookings.forgotten": {
                "setup_id": setup.id,
                "digest": state,
                "pseudonym": "forgotten:x",
            },
            "bookings.rate.limit": {"key": state},
            "bookings.invoice.run.left.out": {
                "run_id": run.id,
                "booking_id": booking.id,
                "reason": "x",
            },
        }

    def persistent_models(self):
        """Names of our models that have records to keep."""
        return {
            name
            for name in self.env.registry
            if name.startswith("bookings.")
            and not self.env[name]._abstract
            and not self.env[name]._transient
        }
