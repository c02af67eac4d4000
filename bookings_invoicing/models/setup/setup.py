from datetime import datetime

from odoo import api, fields, models
from odoo.addons.base.models.res_partner import _tz_get
from odoo.exceptions import ValidationError
from odoo.tools.safe_eval import safe_eval

from ...billing import period, text
from ..base.bounded import DAYS
from ..base.graph_errors import Told
from ..base.moments import BILLING_CHANGED, GROUP_PRICE_CHANGED
from .line_template import check_line_template

FEE_KINDS = [("none", "No fee"), ("amount", "Amount"), ("percent", "Percentage of price")]
BUSINESS = {"business_id", "connection_id"}
# Fields that affect the blockers of bookings
BLOCKING = {"journal_id", "invoice_date_policy", "price_tax", "fee_product_id", "fee_no_tax"}
# Fields that new customers get from the template. TEMPLATE_NEVER: fields that identify or address one party.
TEMPLATE_FIELDS = (
    "property_payment_term_id",
    "property_account_position_id",
    "property_product_pricelist",
    "specific_property_product_pricelist",
    "property_account_receivable_id",
    "property_account_payable_id",
    "property_inbound_payment_method_line_id",
    "invoice_sending_method",
    "invoice_edi_format",
    "credit_limit",
    "category_id",
    "user_id",
    "lang",
    "country_id",
    "is_company",
    "followup_reminder_type",
)
TEMPLATE_NEVER = (
    "vat", "company_registry", "email", "phone", "street", "ref", "barcode", "bank_ids", "parent_id", "child_ids",
    "user_ids", "image_1920", "peppol_endpoint", "peppol_eas",
)  # fmt: skip


class BookingsSyncSetup(models.Model):
    """The settings for one Bookings business in one company: what to synchronize and when, templates, and billing.

    For the schedule and the handling of failures, see :mod:`..sync.schedule`.
    """

    _name = "bookings.sync.setup"
    _description = "Booking Sync. Setup"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "bookings.own.links",
        "bookings.bounded",
        "bookings.responsible",
        "bookings.next.step",
        "bookings.both.ways.settings",
    ]
    _check_company_auto = True
    _order = "company_id, name, id"

    name = fields.Char(string="Bookings Company", required=True, tracking=True)
    active = fields.Boolean(default=True)
    paused = fields.Boolean(tracking=True, help="A paused setup is not synchronized on a schedule.")
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        help="Notified when the synchronization needs attention.",
    )
    connection_id = fields.Many2one(
        "bookings.connection",
        required=True,
        check_company=True,
        ondelete="restrict",
        index=True,
        tracking=True,
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, index=True
    )
    business_id = fields.Char(
        string="Business Address",
        required=True,
        tracking=True,
        help="The mailbox address of the business in Microsoft Bookings.",
    )
    currency_id = fields.Many2one(
        "res.currency",
        required=True,
        default=lambda self: self.env.company.currency_id,
        help="The currency of the business's prices. It is read from Microsoft Bookings.",
    )
    tz = fields.Selection(
        _tz_get,
        string="Time Zone",
        required=True,
        default=lambda self: self.env.user.tz or "UTC",
        help="Determines the date of an appointment.",
    )
    language_id = fields.Many2one(
        "res.lang", help="The language of the business. New customers get this language."
    )

    # Sharing with other companies
    business_key = fields.Char(
        compute="_compute_business_key", store=True, compute_sudo=True, index=True
    )
    shared = fields.Boolean(
        string="Business Is Shared",
        readonly=True,
        copy=False,
        help="Other companies bill services of this business, too. Select the services that this company bills.",
    )

    # Scope
    sync_appointments = fields.Boolean(string="Appointments", default=True)
    look_back_days = fields.Integer(default=60, bounds=(0, 3660))
    look_ahead_days = fields.Integer(default=14, bounds=(0, 1830))
    customer_sync = fields.Selection(
        [("off", "Off"), ("import", "Import"), ("both", "Both Ways")],
        string="Customers",
        default="off",
        required=True,
        help="Import: customers who are not in Odoo are created from the customer template. Both Ways: changes in Odoo "
        "are written to Bookings as well.",
    )
    service_sync = fields.Selection(
        [("off", "Off"), ("import", "Import"), ("both", "Both Ways")],
        string="Services",
        default="off",
        required=True,
        help="Import: services without a product get a product created from the service template. Both Ways: changes in "
        "Odoo are written to Bookings as well.",
    )
    remote_customer_filter = fields.Char(
        string="Customer Filter", help="The Bookings customers to synchronize. Leave empty for all."
    )
    service_filter = fields.Char(help="The Bookings services to synchronize. Leave empty for all.")
    question_rule_ids = fields.One2many(
        "bookings.question.rule", "setup_id", string="Form Questions", copy=True
    )
    keep_notes = fields.Boolean(help="Store the notes that customers write when they book.")
    read_again = fields.Datetime(
        string="Full Sync Requested",
        readonly=True,
        copy=False,
        help="Since this time, the next synchronization is expected to read everything since Bill From.",
    )
    write_invoice = fields.Boolean(
        string="Write Invoice to Bookings",
        copy=False,
        tracking=True,
        help="Odoo adds one line to the internal notes of an appointment when its invoice is confirmed, canceled, or "
        "credited: number, date, and state. It contains neither amounts nor names, and other notes are kept.",
    )
    may_write = fields.Boolean(related="connection_id.may_write", string="Writing Allowed")
    connection_state = fields.Selection(related="connection_id.state")
    write_refused = Told(
        string="Refused by Microsoft",
        readonly=True,
        copy=False,
        help="Why Microsoft accepts no changes of appointments that have ended. Nothing is written until somebody "
        "clicks Write Again.",
    )
    retention_months = fields.Integer(
        string="Anonymize After (Months)",
        default=36,
        bounds=(0, 1200),
        help="Customers who were never invoiced are anonymized this many months after their last booking. 0 = "
        "never.",
    )

    # Schedule
    interval_number = fields.Integer(string="Every", default=1, bounds=(1, 10_000))
    interval_type = fields.Selection(
        [("minutes", "Minutes"), ("hours", "Hours"), ("days", "Days")],
        default="hours",
        required=True,
        string="Unit of the Interval",
    )
    next_sync = fields.Datetime(
        copy=False, default=fields.Datetime.now, bounds=(datetime(2000, 1, 1), datetime(2100, 1, 1))
    )

    # Templates
    customer_template_id = fields.Many2one(
        "res.partner",
        check_company=True,
        help="New customers get the payment terms, fiscal position, pricelist, tags, salesperson, and so on of "
        "this template.",
    )
    customer_template_warning = fields.Char(compute="_compute_customer_template_warning")
    service_template_id = fields.Many2one(
        "product.template",
        check_company=True,
        domain="[('sale_ok', '=', True)]",
        help="Products created for services get the taxes, accounts, and category of this template. They are "
        "always services.",
    )

    # Billing
    bill_from = fields.Date(
        compute="_compute_bill_from",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        tracking=True,
        bounds=DAYS,
        help="Appointments that ended before this date count as billed elsewhere.",
    )
    bill_after = fields.Float(
        string="Bill After (Hours)",
        bounds=(0, 8784),
        help="Hours between the end of an appointment and the time when it can be billed.",
    )
    billing_flow = fields.Selection(
        [("invoice", "Draft invoices from Bookings")],
        compute="_compute_billing_flow",
        store=True,
        readonly=False,
        precompute=True,
        required=True,
        tracking=True,
        help="How ready bookings are billed. A change applies to bookings that are billed afterwards.",
    )
    price_tax = fields.Selection(
        [("included", "Tax included"), ("excluded", "Tax excluded")],
        string="Bookings Prices",
        compute="_compute_price_tax",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        tracking=True,
    )
    grouping = fields.Selection(
        [
            ("customer", "One invoice per customer"),
            ("customer_month", "One per customer and month"),
            ("customer_week", "One per customer and week"),
            ("booking", "One per booking"),
        ],
        default="customer",
        required=True,
    )
    group_price = fields.Selection(
        [("attendee", "Each attendee"), ("appointment", "The whole appointment")],
        string="Price Applies To",
        default="attendee",
        required=True,
        help="For appointments with several attendees: each attendee pays the price, or they share it.",
    )
    line_template = fields.Char(
        required=True,
        default=text.DEFAULT_TEMPLATE,
        translate=True,
        help="Text of an invoice line. These placeholders are replaced: {service} {date} {start} {end} "
        "{duration} {staff} {attendee} {label} {reference}",
    )
    journal_id = fields.Many2one(
        "account.journal",
        domain="[('type', '=', 'sale')]",
        check_company=True,
        help="Leave empty for the company's sales journal.",
    )
    invoice_date_policy = fields.Selection(
        [
            ("at_posting", "When it is confirmed"),
            ("month_end_of_service", "End of the service month"),
            ("last_service", "Day of the last service"),
        ],
        string="Invoice Date",
        default="at_posting",
        required=True,
    )
    invoice_cash_rounding_id = fields.Many2one("account.cash.rounding", string="Cash Rounding")
    analytic_distribution = fields.Json()
    analytic_precision = fields.Integer(
        store=False,
        default=lambda self: self.env["decimal.precision"].precision_get("Percentage Analytic"),
    )
    ask_attendance = fields.Boolean(
        string="Flag Unknown Attendance",
        help="Bookings with unknown attendance are highlighted in the preview and skipped by automatic drafts. "
        "They can still be billed.",
    )
    ask_staff = fields.Boolean(
        tracking=True,
        help="Staff members with an email address get one message in the evening, with links to record who came to "
        "their appointments of services that ask who came.",
    )
    ask_staff_hour = fields.Integer(
        string="Ask at (Hour)", default=18, bounds=(0, 23), help="In the time zone of the business."
    )
    ask_staff_initials = fields.Boolean(
        string="Initials Only",
        help="Messages and pages for staff contain the initials of attendees instead of their first names.",
    )
    auto_draft = fields.Selection(
        [("daily", "Every night"), ("weekly", "Every week"), ("monthly", "Every month")],
        string="Automatic Drafts",
        tracking=True,
        help="Leave empty to turn it off. Drafts are created on a schedule and never posted automatically. "
        "Bookings that were billed before, first-time payers, amounts above the limit, and bookings with a "
        "hint are left to a user.",
    )
    auto_draft_limit = fields.Monetary(
        string="Limit of Automatic Drafts",
        bounds=(0, 10**12),
        help="Invoices above this amount are left to a user. 0 = no limit.",
    )
    auto_drafted_on = fields.Date(string="Last Automatic Drafts", readonly=True, copy=False)

    # Labels and fees
    label_rule_ids = fields.One2many(
        "bookings.label.rule", "setup_id", string="Label Rules", copy=True
    )
    no_show_fee_kind = fields.Selection(
        FEE_KINDS, string="No-Show Fee", default="none", required=True
    )
    no_show_fee = fields.Float(
        string="Amount of the No-Show Fee",
        min_display_digits="Product Price",
        bounds=(0, 10**9),
    )
    late_cancel_fee_kind = fields.Selection(
        FEE_KINDS, string="Late Cancellation Fee", default="none", required=True
    )
    late_cancel_fee = fields.Float(
        string="Amount of the Late Cancellation Fee",
        min_display_digits="Product Price",
        bounds=(0, 10**9),
    )
    cancel_notice_hours = fields.Float(
        string="Cancel Until (Hours)",
        bounds=(0, 8784),
        help="Cancellations within this many hours of the start are late. 0 = never.",
    )
    fee_product_id = fields.Many2one(
        "product.product",
        check_company=True,
        ondelete="restrict",
        help="Fees are invoiced with this product, its account, and its taxes.",
    )
    fee_no_tax = fields.Boolean(
        string="Fees Without Tax",
        help="Fees are intentionally invoiced without tax.",
    )

    # State
    last_customer_sync = fields.Datetime(readonly=True, copy=False)
    last_service_sync = fields.Datetime(readonly=True, copy=False)
    last_appointment_sync = fields.Datetime(readonly=True, copy=False)
    last_sync_age = fields.Char(
        string="Last Sync",
        compute="_compute_last_sync_age",
        help="Time since appointments were last read.",
    )
    secret_expiry = fields.Date(related="connection_id.secret_expiry", string="Secret Expires")
    secret_days_left = fields.Integer(compute="_compute_secret_days_left")
    unmapped_service_count = fields.Integer(
        string="Services Without a Product", compute="_compute_open_points", compute_sudo=True
    )
    unknown_customer_count = fields.Integer(
        string="Customers Not in Odoo", compute="_compute_open_points", compute_sudo=True
    )
    unbilled_text = fields.Char(
        string="Unbilled",
        compute="_compute_open_points",
        compute_sudo=True,
        help="Amount of completed bookings that have not been invoiced.",
    )
    checklist_confirmed = fields.Json(copy=False, readonly=True, default=list)
    checklist_text = fields.Char(string="Checklist", compute="_compute_checklist_text")
    checklist_open = fields.Integer(compute="_compute_checklist_text")
    health = fields.Selection(
        [("ok", "OK"), ("late", "Late"), ("attention", "Needs Attention")],
        compute="_compute_health",
    )
    error_message = Told(readonly=True, copy=False)
    error_date = fields.Datetime(readonly=True, copy=False)
    retry_at = fields.Datetime(string="Next Retry", readonly=True, copy=False)
    waiting_reason = Told(
        readonly=True,
        copy=False,
        help="The temporary problem that ended the last synchronization.",
    )
    waiting_text = fields.Char(string="Waiting", compute="_compute_waiting_text")
    trouble_text = fields.Text(string="Reason", compute="_compute_trouble_text")
    last_look = fields.Datetime(
        string="Older Bookings Checked on",
        readonly=True,
        copy=False,
        help="When unbilled bookings outside the synchronized period were last checked.",
    )
    late_since = fields.Datetime(
        readonly=True,
        copy=False,
        help="When it was noticed and reported that the setup is late.",
    )
    held_missing = fields.Integer(
        string="Missing Appointments Held",
        readonly=True,
        copy=False,
        help="Number of appointments that disappeared from Bookings at the same time, in the held run.",
    )
    hold_confirmed = fields.Boolean(string="Removals Confirmed", readonly=True, copy=False)
    run_ids = fields.One2many("bookings.sync.run", "setup_id", string="Runs")
    service_ids = fields.One2many("bookings.service", "setup_id", string="Bookings Services")
    ready_count = fields.Integer(string="Ready", compute="_compute_counts")
    attention_count = fields.Integer(string="Needs Attention", compute="_compute_counts")
    overview = fields.Json(
        compute="_compute_overview", exportable=False, help="Open work with its amounts."
    )

    _business_uniq = models.UniqueIndex(
        "(connection_id, lower(business_id), company_id)",
        "This business already has a sync setup in this company. Check the archived setups.",
    )
    _business_key_uniq = models.UniqueIndex(
        "(business_key, company_id)",
        "This business already has a sync setup in this company. Check the archived setups.",
    )

    @api.depends("name", "company_id")
    @api.depends_context("allowed_company_ids")
    def _compute_display_name(self):
        # EXTENDS: companies may have businesses with the same name
        several = len(self.env.companies) > 1
        for setup in self:
            company = setup.company_id.name
            setup.display_name = f"{setup.name} ({company})" if several else setup.name

    @api.depends("connection_id")
    def _compute_bill_from(self):
        for setup in self:
            if not setup.bill_from:
                setup.bill_from = setup.connection_id._first_day() or fields.Date.context_today(
                    setup
                )

    @api.depends("company_id")
    def _compute_billing_flow(self):
        for setup in self:
            if not setup.billing_flow:
                setup.billing_flow = setup.company_id.bookings_billing_flow or "invoice"

    @api.depends("company_id")
    def _compute_price_tax(self):
        for setup in self:
            if not setup.price_tax:
                included = setup.company_id.account_price_include == "tax_included"
                setup.price_tax = "included" if included else "excluded"

    @api.depends("customer_template_id")
    def _compute_customer_template_warning(self):
        for setup in self:
            template = setup.customer_template_id.with_company(setup.company_id)
            held = [
                template._fields[name]._description_string(self.env)
                for name in TEMPLATE_NEVER
                if name in template._fields and template.sudo()[name]
            ]
            setup.customer_template_warning = (
                self.env._(
                    "The template contains %(fields)s. New customers do not get these values.",
                    fields=", ".join(held),
                )
                if held
                else False
            )

    def _compute_counts(self):
        counts = {
            (setup, status): count
            for setup, status, count in self.env["bookings.booking"]._read_group(
                [("setup_id", "in", self.ids), ("status", "in", ("ready", "attention"))],
                ["setup_id", "status"],
                ["__count"],
            )
        }
        for setup in self:
            setup.ready_count = counts.get((setup, "ready"), 0)
            setup.attention_count = counts.get((setup, "attention"), 0)

    @api.constrains("customer_sync", "customer_template_id")
    def _check_customer_template(self):
        for setup in self:
            if setup._imports("customer") and not setup.customer_template_id:
                raise ValidationError(
                    self.env._(
                        "Select a customer template, from which customers from Bookings are created, or turn off "
                        "the import of customers."
                    )
                )

    @api.constrains("write_invoice")
    def _check_may_write(self):
        for setup in self:
            if setup.write_invoice and not setup.connection_id.sudo().may_write:
                raise ValidationError(
                    self.env._(
                        "An administrator must allow writing on the connection first. Then you can turn on Write "
                        "Invoice to Bookings."
                    )
                )

    @api.constrains("line_template")
    def _check_line_template(self):
        for setup in self.filtered("line_template"):
            check_line_template(self.env, setup.line_template)

    @api.constrains("service_sync", "service_template_id")
    def _check_service_template(self):
        for setup in self:
            if setup._imports("service") and not setup.service_template_id:
                raise ValidationError(
                    self.env._(
                        "Select a service template, from which products for services are created, or turn off "
                        "the import of services."
                    )
                )

    def write(self, vals):
        earlier = self._takes_earlier(vals.get("bill_from"))
        services = {one: one._services_so_far() for one in self if "service_filter" in vals}
        regrouped = self.filtered(
            lambda one: vals.get("group_price", one.group_price) != one.group_price
        )
        result = super().write(vals)
        if "active" in vals:
            self._archive_bookings_alike()
        (earlier | self._takes_more_than(services))._ask_to_read_again()
        if "service_filter" in vals:
            self._ask_to_look()
        if not BUSINESS.isdisjoint(vals):
            self._note_sharing()
        if not BLOCKING.isdisjoint(vals):
            waiting = [("setup_id", "in", self.ids), ("status", "in", ("ready", "attention"))]
            BILLING_CHANGED(self.env["bookings.booking"].search(waiting))
        GROUP_PRICE_CHANGED(regrouped)
        return result

    # -- buttons ---------------------------------------------------------------------------------------

    def _today(self):
        """Return today's date in the time zone of the business."""
        return period.local_time(fields.Datetime.now(), self.tz).date()

    def action_open_uninvoiced(self):
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_uninvoiced"
        )
        action["domain"] = [("setup_id", "in", self.ids), *safe_eval(action["domain"])]
        return action

    def action_view_services(self):
        return self._open_mine("bookings_invoicing.bookings_service_action")

    def action_view_customers(self):
        return self._open_mine("bookings_invoicing.bookings_customer_action")

    def action_view_runs(self):
        return self._open_mine("bookings_invoicing.bookings_sync_run_action")

    def _open_mine(self, xmlid):
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        return {
            **action,
            "domain": [("setup_id", "=", self.id)],
            "context": {"default_setup_id": self.id},
        }

    def action_change_business(self):
        """Archive this setup with its bookings and let the user select another business, so that mappings never mix."""
        self.ensure_one()
        self.check_access("write")
        self.action_archive()
        return self.connection_id.action_find_businesses()

    def _archive_bookings_alike(self):
        """Archive the bookings of archived setups and restore those of active ones, whoever may read them."""
        bookings = self.env["bookings.booking"].sudo().with_context(active_test=False)
        for active, setups in self.grouped("active").items():
            bookings.search(
                [("setup_id", "in", setups.ids), ("active", "!=", active)]
            ).active = active
