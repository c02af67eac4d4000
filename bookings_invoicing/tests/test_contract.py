from odoo.tests import TransactionCase, tagged

FIELDS = {
    "bookings.connection": """name active company_id mode cloud tenant_id client_id auth_method client_secret has_secret
        secret_expiry user_id sync_user_id state error_message error_date setup_ids""",
    "bookings.sync.setup": """name active paused user_id connection_id company_id business_id currency_id tz
        sync_appointments look_back_days look_ahead_days customer_sync service_sync
        remote_customer_filter service_filter interval_number
        interval_type next_sync customer_template_id service_template_id bill_from bill_after billing_flow price_tax grouping
        line_template journal_id invoice_date_policy group_price fee_product_id invoice_cash_rounding_id auto_draft
        last_customer_sync last_service_sync last_appointment_sync health run_ids""",
    "bookings.booking": """setup_id company_id appointment_id attendee_key name customer_id partner_id payer_id service_id
        product_id staff_ids label start stop duration attendance price_type price currency_id quantity price_unit amount
        price_explanation status attention_reason attention_detail not_billable_reason not_billable_note not_billable_uid
        not_billable_date invoice_line_ids move_ids payment_state changed_since_billing""",
    "bookings.customer": "setup_id remote_id name email phone partner_id payer_id",
    "bookings.service": "setup_id remote_id name price price_type duration product_id billing_rule",
    "bookings.staff": "setup_id remote_id name email",
    "bookings.sync.run": "setup_id started finished state error issue_ids",
    "bookings.invoice.run": "state user_id",
    "account.move.line": "booking_id booking_live booking_released",
    "account.move": "booking_ids booking_count",
    "res.partner": "booking_ids booking_count",
    "res.company": "bookings_billing_flow",
}
METHODS = {
    "bookings.connection": "action_test action_find_businesses",
    "bookings.sync.setup": "action_sync_now _sync_run action_open_uninvoiced action_change_business",
    "bookings.booking": """action_create_invoices action_invoice_customer action_mark_not_billable action_put_back
        _invoice_all _billing_blockers""",
    "bookings.invoice.run": "action_undo",
}
SELECTIONS = {
    ("bookings.connection", "mode"): "live sandbox",
    ("bookings.connection", "cloud"): "global gcc_high dod custom",
    ("bookings.connection", "auth_method"): "secret certificate delegated",
    ("bookings.connection", "state"): "draft connected attention",
    ("bookings.sync.setup", "customer_sync"): "off import both",
    ("bookings.sync.setup", "service_sync"): "off import both",
    ("bookings.sync.setup", "interval_type"): "minutes hours days",
    ("bookings.sync.setup", "billing_flow"): "invoice",
    ("bookings.sync.setup", "price_tax"): "included excluded",
    ("bookings.sync.setup", "grouping"): "customer customer_month customer_week booking",
    ("bookings.sync.setup", "invoice_date_policy"): "at_posting month_end_of_service last_service",
    ("bookings.sync.setup", "group_price"): "attendee appointment",
    ("bookings.sync.setup", "health"): "ok late attention",
    ("bookings.booking", "attendance"): "unknown came no_show late_cancel",
    (
        "bookings.booking",
        "status",
    ): "upcoming ready attention drafted invoiced not_billable cancelled",
    (
        "bookings.booking",
        "not_billable_reason",
    ): "free billed_elsewhere label no_show waived duplicate other",
    ("bookings.service", "billing_rule"): "bookings fixed hourly pricelist free ask",
    ("bookings.sync.run", "state"): "running done partial failed held",
    ("bookings.invoice.run", "state"): "queued running done partial undone",
}
XMLIDS = """group_user group_manager group_auditor booking_action_uninvoiced booking_action_all
    booking_action_create_invoices booking_action_not_billable sync_setup_action connection_action ir_cron_sync
    ir_cron_auto_draft"""
IMPLIED = {
    "account.group_account_invoice": "bookings_invoicing.group_user",
    "account.group_account_manager": "bookings_invoicing.group_manager",
    "account.group_account_readonly": "bookings_invoicing.group_auditor",
}


@tagged("post_install", "-at_install")
class TestContract(TransactionCase):
    """Names that users' scripts and glue addons rely on."""

    def test_fields(self):
        for model, names in FIELDS.items():
            missing = set(names.split()) - set(self.env[model]._fields)
            self.assertFalse(missing, model)

    def test_methods(self):
        for model, names in METHODS.items():
            missing = {
                name for name in names.split() if not callable(getattr(self.env[model], name, None))
            }
            self.assertFalse(missing, model)

    def test_selections(self):
        for (model, name), values in SELECTIONS.items():
            field = self.env[model]._fields[name]
            missing = set(values.split()) - set(field.get_values(self.env))
            self.assertFalse(missing, f"{model}.{name}")

    def test_external_ids(self):
        for xmlid in XMLIDS.split():
            self.assertTrue(
                self.env.ref(f"bookings_invoicing.{xmlid}", raise_if_not_found=False), xmlid
            )
        self.assertEqual(self.env.ref("bookings_invoicing.ir_cron_sync").interval_number, 5)
        self.assertEqual(
            self.env.ref("bookings_invoicing.booking_action_uninvoiced").name, "Uninvoiced Bookings"
        )
        self.assertEqual(
            self.env.ref("bookings_invoicing.sync_setup_action").name, "Booking Sync. Setup"
        )

    def test_groups_follow_those_of_accounting(self):
        for group, implied in IMPLIED.items():
            self.assertIn(self.env.ref(implied), self.env.ref(group).all_implied_ids)

    def test_indexes_exist(self):
        """A unique index that could not be made is only logged by Odoo: look for those that keep the promise."""
        wanted = {"account_move_line_booking_live_uniq", "bookings_booking_attendee_uniq"}
        self.env.cr.execute(
            "SELECT indexname FROM pg_indexes WHERE indexname = ANY(%s)", [list(wanted)]
        )
        self.assertEqual({name for (name,) in self.env.cr.fetchall()}, wanted)
