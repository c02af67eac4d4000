from datetime import date, datetime, timedelta

from freezegun import freeze_time

from odoo import SUPERUSER_ID, api
from odoo.addons.account.tests.common import AccountTestInvoicingCommon
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import common as odoo_tests

from .. import sandbox

ANCHOR = date(2026, 3, 12)
NOW = datetime(2026, 3, 12, 12, 0)
COMPANY = "Company of the tests"


class BookingsCase(AccountTestInvoicingCommon):
    """A company with a chart of accounts, a sandbox tenant, a connection and a sync setup on its first business.

    The clock stands at noon UTC of the tenant's anchor day. Requests go through the live client down to the sandbox's
    adapter; any other host is refused by it.
    """

    anchor = ANCHOR
    frozen = True

    @classmethod
    def setUpClass(cls):
        cls._keep_company()
        super().setUpClass()
        if cls.frozen:
            cls.startClassPatcher(freeze_time(NOW))
        cls.company = cls.company_data["company"]
        cls.connection = cls.env["bookings.connection"].create(
            {
                "name": "Sandbox",
                "mode": "sandbox",
                "sandbox_anchor": cls.anchor,
                "company_id": cls.company.id,
            }
        )
        cls.tenant = cls.connection._sandbox_tenant()
        cls.customer_template = cls.env["res.partner"].create(
            {
                "name": "Customer template",
                "property_payment_term_id": cls.env.ref("account.account_payment_term_30days").id,
                "lang": "en_US",
            }
        )
        cls.service_template = cls.env["product.template"].create(
            {
                "name": "Service template",
                "type": "service",
                "taxes_id": cls.company_data["default_tax_sale"].ids,
            }
        )
        cls.setup = cls._make_setup()

    @classmethod
    def _keep_company(cls):
        """Commit a company with a chart of accounts once for all classes: loading the chart was half of their set-up."""
        with Registry(odoo_tests.get_db_name()).cursor() as cursor:
            env = api.Environment(cursor, SUPERUSER_ID, {})
            if not env["res.company"].search_count([("name", "=", COMPANY)]):
                company = env["res.company"].create({"name": COMPANY})
                env.user.company_ids |= company
                env["account.chart.template"].try_loading(
                    "generic_coa", company, install_demo=False
                )
                company.account_fiscal_country_id = env.ref("base.us")

    @classmethod
    def setup_independent_company(cls, **kwargs):
        if kwargs or cls.country_code or cls.chart_template:
            return super().setup_independent_company(**kwargs)
        company = cls.env["res.company"].sudo().search([("name", "=", COMPANY)]).sudo(False)
        cls.env.user.company_ids = [Command.link(company.id)]
        return company

    @classmethod
    def _request_handler(cls, session, request, /, **kwargs):
        # Odoo's tests refuse requests to the outside; the sandbox answers its own from inside this process.
        if request.url.startswith((sandbox.GRAPH_URL, sandbox.LOGIN_URL)):
            return odoo_tests._super_send(session, request, **kwargs)
        return super()._request_handler(session, request, **kwargs)

    @classmethod
    def _make_setup(cls, **values):
        return cls.env["bookings.sync.setup"].create(
            {
                "name": "Harbour Street Clinic",
                "connection_id": cls.connection.id,
                "company_id": cls.company.id,
                "business_id": cls.tenant.business_id,
                "customer_sync": "import",
                "customer_template_id": cls.customer_template.id,
                "service_sync": "import",
                "service_template_id": cls.service_template.id,
                "bill_from": cls.anchor - timedelta(days=80),
                "look_back_days": 80,
                **values,
            }
        )

    @classmethod
    def sync(cls, setup=None, *, full=False):
        """Synchronize and return the run, which must not have failed."""
        run = (setup or cls.setup)._sync_run(full=full)
        assert run.state in ("done", "partial", "held"), run.error
        return run

    def change(self, **change):
        """Change something in the tenant, as somebody in Bookings would."""
        stored = self.connection._sandbox_tenant().apply(change)
        return self.env["bookings.sandbox.change"].create(
            {"connection_id": self.connection.id, "change": stored}
        )

    def bookings(self, **facts):
        """The bookings of the setup with these field values."""
        domain = [
            ("setup_id", "=", self.setup.id),
            *((name, "=", value) for name, value in facts.items()),
        ]
        return self.env["bookings.booking"].search(domain, order="start, id")
