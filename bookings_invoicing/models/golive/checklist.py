import base64
import json
from types import SimpleNamespace
from typing import NamedTuple

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ... import graph
from ..base.graph_errors import tell, told
from ..base.next_step import NextStep
from ..base.safe_text import plain_records
from .rehearsal import Rehearsal
from .setup_file import SetupFile, read_file

# Common combinations of billing options: {field: value}
PRESETS = {
    "as_they_come": {"grouping": "customer", "invoice_date_policy": "at_posting"},
    "monthly": {"grouping": "customer_month", "invoice_date_policy": "month_end_of_service"},
    "per_visit": {"grouping": "booking", "invoice_date_policy": "last_service"},
}


class Step(NamedTuple):
    """A step of the checklist.

    ``text`` is its current state, ``action`` the method of the setup that opens the place to do it, and ``confirm``
    whether a user can confirm it.
    """

    key: str
    name: str
    done: bool
    text: str
    action: str
    confirm: bool = False
    templates: bool = False  # whether the templates can be made for the user


class BookingsSyncSetup(models.Model):
    """The checklist of the steps before the first invoice."""

    _inherit = "bookings.sync.setup"

    def _compute_checklist_text(self):
        for setup in self:
            steps = setup._checklist()
            done = sum(step.done for step in steps)
            setup.checklist_open = len(steps) - done
            setup.checklist_text = self.env._("%(done)s of %(all)s done", done=done, all=len(steps))

    def _checklist(self):
        """Return the steps in the order in which to do them.

        :rtype: list[Step]
        """
        self.ensure_one()
        return [
            self._step_connect(),
            self._step_business(),
            self._step_customers(),
            self._step_services(),
            self._step_price_tax(),
            self._step_preset(),
            self._step_bill_from(),
        ]

    def _confirmed(self, key):
        return key in (self.checklist_confirmed or ())

    def _label(self, name):
        """Return the label of the value of a selection field."""
        return dict(self._fields[name]._description_selection(self.env))[self[name]]

    def _step_connect(self):
        connection = self.connection_id
        done = connection.state == "connected"
        texts = {
            False: self.env._("Connect to Microsoft 365"),
            "connected": self.env._("%s is connected.", connection.name),
            "draft": self.env._("%s has not been tested yet.", connection.name),
            "attention": self.env._(
                "%(name)s: %(error)s",
                name=connection.name,
                error=told(self.env, connection.error_message) or "",
            ),
        }
        return Step(
            "connect", self.env._("Connect"), done, texts[connection.state], "_checklist_connection"
        )

    def _step_business(self):
        if not self.service_ids:
            text = self.env._("The services of %s have not been fetched yet.", self.business_id)
        else:
            text = self.env._(
                "%(name)s, prices in %(currency)s, times of %(tz)s.",
                name=self.business_id,
                currency=self.currency_id.name,
                tz=self.tz,
            )
        name, done = self.env._("Choose the business"), bool(self.service_ids)
        if done and not self.currency_id.active:
            text += " " + self.env._("Activate this currency and enter its rate.")
            return Step("business", name, False, text, "_checklist_currency")
        return Step("business", name, done, text, "_checklist_business")

    def _services_to_map(self):
        return self.service_ids.filtered(lambda service: service.taken and not service.removed)

    def _step_services(self):
        services = self._services_to_map()
        mapped = services.filtered("product_id")
        text = self.env._(
            "Services with a product: %(mapped)s of %(all)s.", mapped=len(mapped), all=len(services)
        )
        done = bool(services) and mapped == services
        return Step(
            "services", self.env._("Services to products"), done, text, "action_propose_products"
        )

    def _step_customers(self):
        if self._imports("customer"):
            text = self.env._(
                "New customers are created from “%s”.", self.customer_template_id.display_name
            )
            if self._imports("service"):
                text += " " + self.env._(
                    "New services get products from “%s”.", self.service_template_id.display_name
                )
            done = bool(self.customer_template_id)
        else:
            text = self.env._(
                "Customers who are not in Odoo are not created. Their bookings need your attention."
            )
            done = self._confirmed("customers")
        return Step(
            "customers",
            self.env._("Templates"),
            done,
            text,
            "_checklist_form",
            confirm=not done,
            templates=not (done and self.service_template_id),
        )

    def _step_price_tax(self):
        text = self.env._("Prices in Bookings: %s.", self._label("price_tax"))
        products = self._services_to_map().filtered(lambda service: not service.no_tax).product_id
        untaxed = products.filtered(
            lambda product: not product.taxes_id._filter_taxes_by_company(self.company_id)
        )
        if untaxed:
            names = ", ".join(untaxed.mapped("display_name"))
            text += " " + self.env._("Without tax: %s.", names)
        done = self._confirmed("price_tax") and not untaxed
        return Step(
            "price_tax",
            self.env._("Price and tax"),
            done,
            text,
            "_checklist_form",
            confirm=not untaxed,
        )

    def _step_preset(self):
        text = self.env._(
            "%(flow)s. %(grouping)s. Invoice date: %(date)s.",
            flow=self._label("billing_flow"),
            grouping=self._label("grouping"),
            date=self._label("invoice_date_policy"),
        )
        done = self._confirmed("preset")
        return Step(
            "preset", self.env._("How to bill"), done, text, "_checklist_form", confirm=True
        )

    def _step_bill_from(self):
        text = self.env._(
            "Appointments that ended before %s count as billed elsewhere. Rehearse a past month to verify this.",
            format_date(self.env, self.bill_from),
        )
        done = self._confirmed("bill_from")
        return Step(
            "bill_from", self.env._("Bill from"), done, text, "action_rehearse", confirm=True
        )

    # -- next step ------------------------------------------------

    def _next_step(self):
        if not self._origin:
            return None
        if first := self.connection_id._next_step():
            label = self.env._("Open Connection")
            return NextStep(first.text, label, "_checklist_connection")
        if todo := next((step for step in self._checklist() if not step.done), None):
            label = self.env._("Open Checklist")
            return NextStep(f"{todo.name}. {todo.text}", label, "action_checklist")
        if not self._last_good():
            return NextStep(
                self.env._("Synchronize for the first time."),
                self.env._("Sync Now"),
                "_first_sync",
            )
        return None

    # -- actions ------------------------------------------------

    def action_checklist(self):
        """Open the checklist."""
        self.check_access("write")
        self.ensure_one()
        return self.env["bookings.checklist"].create({"setup_id": self.id})._open()

    def _confirm_step(self, *keys):
        """Record that a user confirmed these steps.

        :param str keys: keys of steps
        """
        self.ensure_one()
        self.check_access("write")
        self.sudo().checklist_confirmed = sorted({*(self.checklist_confirmed or ()), *keys})

    def action_sync(self):
        """Synchronize now. A setup that was never synchronized has its checklist done first.

        :returns: the notification of the synchronization, or the action that opens the checklist
        """
        self.check_access("read")
        new = self.filtered(lambda setup: setup.checklist_open and not setup._last_good())
        if not new:
            return self.action_sync_now()
        if len(self) == 1 and self.has_access("write"):
            return self.action_checklist()
        text = self.env._(
            "Complete the checklist before the first synchronization: %s.",
            ", ".join(new.mapped("display_name")),
        )
        if new == self:
            raise UserError(text)
        notification = (self - new).action_sync_now()
        params = notification["params"]
        params.update(message=f"{params['message']}\n{text}", type="warning", sticky=True)
        return notification

    def _first_sync(self):
        """Synchronize and open the bookings that can be invoiced.

        :returns: the notification of the synchronization
        """
        self.ensure_one()
        notification = self.action_sync_now()
        if self.last_appointment_sync:
            # Customers from an earlier synchronization, without the import, are created now.
            unknown = [("setup_id", "=", self.id), ("attention_reason", "=", "no_customer")]
            self._for_sync()._look_again(self.env["bookings.booking"].sudo().search(unknown))
            notification["params"]["next"] = self.action_open_uninvoiced()
        return notification

    def _apply_preset(self, preset):
        """Set the billing options of a preset.

        :param str preset: a key of :data:`PRESETS`
        :raises UserError: if there is no such preset
        """
        self.ensure_one()
        self.check_access("write")
        if preset not in PRESETS:
            raise UserError(self.env._("Unknown preset “%s”.", preset))
        self.write(PRESETS[preset])
        self._confirm_step("preset")

    def _checklist_connection(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": "bookings.connection",
            "res_id": self.connection_id.id,
            "view_mode": "form",
        }

    def _checklist_currency(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": "res.currency",
            "res_id": self.currency_id.id,
            "view_mode": "form",
        }

    def _checklist_business(self):
        """Fetch the services of the business and reopen the checklist."""
        self._read_services()
        return self.action_checklist()

    def _checklist_form(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
        }

    def action_propose_products(self):
        """Open the proposals of products for the services without one."""
        self.check_access("write")
        self.ensure_one()
        if not self.service_ids:
            self._read_services()
        return self.env["bookings.service.proposal"].create({"setup_id": self.id})._open()

    def _read_services(self):
        """Read the services of the business, so that users can select products before the first synchronization.

        :raises UserError: if Bookings cannot be read
        """
        self.ensure_one()
        try:
            pages = list(self._client().services(self.business_id))
        except graph.GraphError as error:
            raise UserError(tell(self.env, error)) from error
        job = SimpleNamespace(setup=self)
        for page in pages:
            self.env["bookings.service"].sudo()._import_page(job, plain_records(page.records))

    # -- rehearsal and file ------------------------------------------------

    def _rehearse(self, day):
        """Compare what would have been billed in the month of this day with its posted invoices.

        See :meth:`.rehearsal.Rehearsal.compare`.
        """
        return Rehearsal(self).compare(day)

    def action_rehearse(self):
        """Rehearse last month and open the result."""
        self.check_access("write")
        self.ensure_one()
        return self.env["bookings.rehearsal"].create({"setup_id": self.id}).action_rehearse()

    def _to_file(self):
        """Return the setup as a dict for JSON, see :mod:`.setup_file`."""
        return SetupFile(self).to_dict()

    def _file_changes(self, data):
        return SetupFile(self).changes(data)

    def _apply_file(self, data):
        return SetupFile(self).apply(data)

    def _read_file(self, content):
        return read_file(self.env, content)

    def action_export_file(self):
        """Download this setup as a JSON file, without secrets."""
        self.check_access("write")
        self.ensure_one()
        text = json.dumps(self._to_file(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"
        wizard = self.env["bookings.setup.file"].create(
            {
                "content": base64.b64encode(text.encode()),
                "filename": f"bookings-setup-{self.id}.json",
                "setup_ids": False,
            }
        )
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{wizard._name}/{wizard.id}/content/{wizard.filename}"
            "?download=true",
            "target": "download",
        }
