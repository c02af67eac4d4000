from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ...billing import period
from ...billing import status as status_rules
from ..base.dates import moment_text
from ..directory.service import PRICE_TYPES
from . import facts as booking_rules
from .undo import changed, decisions, note_undoable

ATTENTION_REASONS = list(status_rules.ATTENTION_REASONS)
NOT_BILLABLE_REASONS = list(status_rules.NOT_BILLABLE_REASONS)
BILLED = status_rules.BILLED
UNINVOICED = ("ready", "attention")
TYPED = {"price_unit", "quantity"}  # parts of the price that a user can enter
RECHECKED = TYPED | {"partner_id", "payer_id", "attendance"}
UNDOABLE = TYPED | {
    "partner_id",
    "payer_id",
    "attendance",
    "date_today",
}  # what a user can enter in a row


# The calendar in the web app, as linked in Microsoft's guides. It opens with the last viewed business.
WEB = {
    "global": "https://outlook.office.com/bookings/calendar",
    "gcc_high": "https://outlook.office365.us/bookings/calendar",
    "dod": "https://outlook-dod.office365.us/bookings/calendar",
}


class BookingsBooking(models.Model):
    """One attendee of one appointment: the unit that is billed exactly once or has a reason why it is not.

    How it works: :mod:`.importing` stores the values from Bookings, :mod:`.pricing` determines product, payer, and
    price, :mod:`.blockers` finds what prevents billing, and :mod:`..invoicing.drafting` creates the drafts. ``status``
    follows from the booking's fields and its invoice lines, by the rules of :mod:`..billing.status`.
    """

    _name = "bookings.booking"
    _description = "Booking"
    _inherit = [
        "mail.thread",
        "mail.activity.mixin",
        "bookings.own.links",
        "bookings.bounded",
        "bookings.imported",
        "bookings.safe.export",
    ]
    _check_company_auto = True
    _order = "start desc, id desc"

    setup_id = fields.Many2one(
        "bookings.sync.setup",
        string="Bookings Company",
        required=True,
        readonly=True,
        ondelete="restrict",
    )
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    active = fields.Boolean(
        default=True, readonly=True, help="A booking is only archived with its setup."
    )
    appointment_id = fields.Char(string="Appointment ID", required=True, readonly=True, copy=False)
    attendee_key = fields.Char(required=True, readonly=True, copy=False, exportable=False)
    remote_hash = fields.Char(
        string="Fingerprint in Bookings", readonly=True, copy=False, exportable=False
    )
    name = fields.Char(string="Attendee", required=True, readonly=True)

    # Attendee and appointment
    unnamed = fields.Boolean(
        string="No Attendee",
        readonly=True,
        copy=False,
        help="Bookings lists no attendee.",
        exportable=False,
    )
    customer_id = fields.Many2one(
        "bookings.customer",
        string="Bookings Customer",
        readonly=True,
        ondelete="restrict",
        index=True,
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Customer",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        check_company=True,
        ondelete="restrict",
        index=True,
        help="The customer who attended.",
    )
    payer_id = fields.Many2one(
        "res.partner",
        compute="_compute_payer_id",
        inverse="_inverse_payer_id",
        store=True,
        readonly=False,
        check_company=True,
        ondelete="restrict",
        index=True,
        help="The contact who is invoiced.",
    )
    payer_hand_id = fields.Many2one(
        "res.partner",
        string="Has Manual Payer",
        readonly=True,
        exportable=False,
        copy=False,
        ondelete="set null",
        help="A payer that a user selected for this booking is kept. Otherwise, the payer follows the customer.",
    )
    payer_waits = fields.Boolean(
        string="Payer Change Pending",
        compute="_compute_payer_id",
        store=True,
        help="The payer was changed while the booking is on an invoice. The change applies as soon as the "
        "booking is no longer on the invoice.",
        exportable=False,
    )
    service_id = fields.Many2one("bookings.service", readonly=True, ondelete="restrict", index=True)
    product_id = fields.Many2one(
        "product.product", compute="_compute_product_id", store=True, index=True
    )
    staff_ids = fields.Many2many("bookings.staff", readonly=True)
    label = fields.Char(readonly=True)
    label_rule_id = fields.Many2one(
        "bookings.label.rule",
        readonly=True,
        copy=False,
        ondelete="set null",
        index="btree_not_null",
    )
    label_settled = fields.Boolean(
        string="Label Decided",
        readonly=True,
        copy=False,
        help="A user has decided on the label.",
        exportable=False,
    )
    notes = fields.Text(
        readonly=True, copy=False, help="Notes that the customer wrote when booking."
    )
    reference = fields.Char(
        help="The payer's purchase order. Bookings with different references are invoiced separately, and the "
        "reference is shown on the invoice.",
        copy=False,
    )
    date_today = fields.Boolean(
        string="Use Confirmation Date",
        copy=False,
        tracking=True,
        help="The invoice is dated when it is confirmed, regardless of the invoice date policy of the setup.",
    )
    is_online = fields.Boolean(string="Online", readonly=True)
    place = fields.Char(readonly=True)
    start = fields.Datetime(required=True, readonly=True, index=True)
    stop = fields.Datetime(string="End", required=True, readonly=True)
    duration = fields.Float(string="Duration (Hours)", compute="_compute_duration", store=True)
    service_day = fields.Date(
        string="Date",
        compute="_compute_service_day",
        store=True,
        help="Last day of the appointment in the time zone of the business.",
    )
    day = fields.Char(
        string="Date and Time",
        compute="_compute_day",
        help="Date and time in the time zone of the business.",
    )
    attendance = fields.Selection(
        [
            ("unknown", "Unknown"),
            ("came", "Attended"),
            ("no_show", "No-Show"),
            ("late_cancel", "Late Cancellation"),
        ],
        default="unknown",
        required=True,
        tracking=True,
    )
    attendance_source = fields.Selection(
        [
            ("hand", "User"),
            ("staff", "Staff member"),
            ("label", "Label"),
            ("cancellation", "Time of cancellation"),
        ],
        readonly=True,
        copy=False,
    )
    fee_cause = fields.Selection(
        [("no_show", "No-Show"), ("late_cancel", "Late Cancellation"), ("label", "Label")],
        string="Fee For",
        compute="_compute_fee_cause",
        store=True,
    )

    # Price
    price_type = fields.Selection(PRICE_TYPES, readonly=True, default="undefined", required=True)
    price = fields.Float(min_display_digits="Product Price", readonly=True, aggregator=None)
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id", store=True)
    list_price = fields.Float(
        readonly=True, aggregator=None, help="Price of the product for the payer."
    )
    manual_price = fields.Float(readonly=True, copy=False, aggregator=None)
    manual_quantity = fields.Float(
        readonly=True, copy=False, digits="Product Unit", aggregator=None
    )
    has_manual_price = fields.Boolean(readonly=True, copy=False, exportable=False)
    has_manual_quantity = fields.Boolean(readonly=True, copy=False, exportable=False)
    manual_unit = fields.Selection(
        [("unit", "Unit"), ("hour", "Hour")],
        readonly=True,
        copy=False,
        string="Manual Price Unit",
        exportable=False,
    )
    manual_uid = fields.Many2one("res.users", readonly=True, copy=False, string="Price Changed by")
    manual_date = fields.Datetime(string="Price Changed on", readonly=True, copy=False)
    has_share = fields.Boolean(
        string="Shares the Price", readonly=True, copy=False, exportable=False
    )
    share_amount = fields.Float(
        string="Share of the Price",
        readonly=True,
        copy=False,
        digits=0,
        aggregator=None,
        exportable=False,
    )
    share_total = fields.Float(
        string="Price Shared",
        readonly=True,
        copy=False,
        digits=0,
        aggregator=None,
        exportable=False,
    )
    share_count = fields.Integer(
        string="Attendees Sharing the Price",
        readonly=True,
        copy=False,
        aggregator=None,
        exportable=False,
    )
    quantity = fields.Float(
        compute="_compute_amount",
        inverse="_inverse_quantity",
        store=True,
        readonly=False,
        digits="Product Unit",
        bounds=(-(10**9), 10**9),
        aggregator=None,
    )
    price_unit = fields.Float(
        string="Unit Price",
        compute="_compute_amount",
        inverse="_inverse_price_unit",
        store=True,
        readonly=False,
        min_display_digits="Product Price",
        bounds=(-(10**12), 10**12),
        aggregator=None,
    )
    amount = fields.Monetary(compute="_compute_amount", store=True)
    price_outcome = fields.Selection(
        [("priced", "Priced"), ("free", "Free"), ("ask", "Missing")],
        compute="_compute_amount",
        store=True,
        string="Pricing Result",
        exportable=False,
    )
    price_unit_of = fields.Selection(
        [("unit", "Unit"), ("hour", "Hour")],
        compute="_compute_amount",
        store=True,
        string="Price Unit",
        exportable=False,
    )
    price_facts = fields.Json(
        string="Price Details", compute="_compute_amount", store=True, exportable=False
    )
    price_explanation = fields.Char(compute="_compute_price_explanation")

    # Status and billing
    status = fields.Selection(
        list(status_rules.STATUSES),
        compute="_compute_status",
        store=True,
        index=True,
    )
    due_at = fields.Datetime(
        string="Billable From",
        compute="_compute_due_at",
        store=True,
        help="The booking can be billed from this time.",
    )
    blockers = fields.Json(readonly=True, copy=False, exportable=False)
    attention_reason = fields.Selection(ATTENTION_REASONS, compute="_compute_status", store=True)
    attention_detail = fields.Text(compute="_compute_attention_detail")
    not_billable_reason = fields.Selection(
        NOT_BILLABLE_REASONS, compute="_compute_status", store=True, tracking=True
    )
    not_billable_decision = fields.Selection(
        NOT_BILLABLE_REASONS, "Decision Not to Bill", readonly=True, copy=False, exportable=False
    )
    not_billable_note = fields.Char(readonly=True, copy=False, tracking=True)
    not_billable_uid = fields.Many2one("res.users", string="Decided by", readonly=True, copy=False)
    not_billable_date = fields.Datetime(string="Decided on", readonly=True, copy=False)
    last_seen = fields.Datetime(readonly=True, copy=False)
    removed_on = fields.Datetime(string="Removed on", readonly=True, copy=False)
    removed_settled = fields.Boolean(
        string="Billed Despite Removal",
        readonly=True,
        copy=False,
        help="A user decided to bill the booking although it was removed from Bookings after it took place.",
        exportable=False,
    )
    billed_before = fields.Boolean(
        readonly=True, copy=False, help="The booking was on an invoice before.", exportable=False
    )
    posted_invoice_deleted = fields.Boolean(
        readonly=True,
        copy=False,
        help="An invoice with the booking was posted, reset to draft, and deleted.",
        exportable=False,
    )
    billed_amount = fields.Monetary(
        compute="_compute_billed", help="Posted invoice lines less credits."
    )
    credited_amount = fields.Monetary(
        string="Credited Part",
        compute="_compute_billed",
        help="The amount of the invoice that was credited and not billed again.",
    )
    changed_since_billing = fields.Boolean(readonly=True, copy=False)
    let_go = fields.Boolean(
        string="Left to Another Company",
        readonly=True,
        copy=False,
        help="The service is billed by another company that shares the business.",
        exportable=False,
    )
    late_changes = fields.Json(
        readonly=True,
        copy=False,
        help="Changes in Bookings after the appointment took place: field, old and new value, time, and run.",
        exportable=False,
    )
    late_changes_text = fields.Text(
        compute="_compute_late_changes_text", string="Changes After the Appointment"
    )
    pending_values = fields.Json(
        string="Values from Bookings", readonly=True, copy=False, exportable=False
    )
    has_hints = fields.Boolean(
        string="With Hints",
        compute="_compute_has_hints",
        search="_search_has_hints",
        exportable=False,
        help="Something should be checked before the booking is billed.",
    )
    pending_text = fields.Text(string="Changes in Bookings", compute="_compute_pending_text")
    invoice_line_ids = fields.One2many(
        "account.move.line", "booking_id", readonly=True, string="Invoice Lines"
    )
    bill_again_id = fields.Many2one(
        "account.move",
        string="Prepared Credit Note",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="When this credit note is posted, the booking is ready again.",
        exportable=False,
    )
    move_ids = fields.Many2many("account.move", string="Invoices", compute="_compute_moves")
    move_count = fields.Integer(string="Number of Invoices", compute="_compute_moves")
    payment_state = fields.Selection(
        lambda self: self.env["account.move"]._fields["payment_state"].selection,
        compute="_compute_moves",
    )

    # This index also serves searches by setup.
    _attendee_uniq = models.UniqueIndex(
        "(setup_id, appointment_id, attendee_key)",
        "A booking already exists for this attendee of the appointment.",
    )
    _uninvoiced_index = models.Index("(company_id, start) WHERE status IN ('ready', 'attention')")
    _due_index = models.Index("(due_at) WHERE status = 'upcoming'")
    # the dashboard counts the few changed bookings among all billed ones
    _changed_idx = models.Index("(setup_id) WHERE changed_since_billing IS TRUE")
    _amount_sane = models.Constraint(
        "CHECK(amount > -1e12 AND amount < 1e12)", "The amount is too large to be billed."
    )

    def write(self, vals):
        importing = self._is_import()
        typed = not (importing or self.env.su or UNDOABLE.isdisjoint(vals))
        before = decisions(self) if typed else {}
        told = self.filtered(lambda one: one._is_told_of(vals.get("attendance")))
        result = super().write(vals)
        if not TYPED.isdisjoint(vals):
            self._reprice()
        if "attendance" in vals:
            if "attendance_source" not in vals:
                self.sudo().attendance_source = "hand"
            # The document does not change. The flag tells users about the difference.
            told._for_import().changed_since_billing = True
        if not importing and not RECHECKED.isdisjoint(vals):
            # Blockers depend on payer, total, and attendance, and must follow immediately.
            self._recheck_billing()
        if typed:
            note_undoable(self, before)
        return result

    # -- computed facts ------------------------------------------------------------------------------

    @api.depends("service_id", "name")
    def _compute_display_name(self):
        for booking in self:
            booking.display_name = " – ".join(filter(None, (booking.service_id.name, booking.name)))

    @api.depends("customer_id.partner_id")
    def _compute_partner_id(self):
        for booking in self:
            if booking.customer_id:
                booking.partner_id = booking.customer_id.partner_id

    def _init_column(self, name):
        result = super()._init_column(name)
        if name == "payer_hand_id":
            # For bookings from before this field: a payer outside the customer's company was selected by a user.
            self.env.execute_query(
                SQL(
                    """UPDATE bookings_booking booking SET payer_hand_id = booking.payer_id
                         FROM res_partner partner, res_partner payer
                        WHERE partner.id = booking.partner_id AND payer.id = booking.payer_id
                          AND partner.commercial_partner_id != payer.commercial_partner_id
                          AND NOT EXISTS (SELECT FROM bookings_customer customer WHERE customer.id = booking.customer_id
                                             AND customer.payer_id = booking.payer_id)
                          AND NOT EXISTS (SELECT FROM bookings_label_rule rule WHERE rule.id = booking.label_rule_id
                                             AND rule.payer_id = booking.payer_id) RETURNING booking.id"""
                )
            )
        return result

    @api.depends("start", "stop")
    def _compute_duration(self):
        for booking in self:
            booking.duration = booking_rules.duration(booking)

    @api.depends("start", "stop", "setup_id.tz")
    def _compute_service_day(self):
        for booking in self:
            booking.service_day = (
                booking.start
                and booking.stop
                and period.service_day(booking.start, booking.stop, booking.setup_id.tz)
            )

    @api.depends("start", "setup_id.tz")
    @api.depends_context("lang")
    def _compute_day(self):
        for booking in self:
            booking.day = booking._local_text() if booking.start else False

    def _local_text(self):
        """Return date and time in the time zone of the business, in the format of the user's language."""
        self.ensure_one()
        return moment_text(self.env, self.start, self.setup_id.tz)

    @api.depends("stop", "setup_id.bill_after")
    def _compute_due_at(self):
        for booking in self:
            booking.due_at = booking_rules.due_at(booking)

    def _local(self, moment):
        """Convert a naive UTC time to the time zone of the business."""
        return period.local_time(moment, self.setup_id.tz)

    @api.depends("blockers", "attention_reason", "removed_on", "last_seen")
    @api.depends_context("lang")
    def _compute_attention_detail(self):
        for booking in self:
            booking.attention_detail = "\n".join(booking._attention_sentences()) or False

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        # EXTENDS 'base': technical fields are not offered for grouping, just as they are not for export
        result = super().fields_get(allfields, attributes)
        for name, description in result.items():
            technical = not self._fields[name].exportable or name in ("active", "appointment_id")
            if "groupable" in description and technical:
                description["groupable"] = False
        return result

    @api.model
    def get_empty_list_help(self, help_message):
        # OVERRIDE: before the first synchronization, an empty list shows the next setup step
        setups = self.env["bookings.sync.setup"]
        return setups._first_step_help() or super().get_empty_list_help(help_message)

    # -- decisions of users ----------------------------------------------------------------------------

    def action_mark_not_billable(self, reason, note=None):
        """Mark these bookings as not billable.

        :param str reason: a key of ``not_billable_reason``
        :param str note: a remark of the user
        :raises UserError: if the reason is unknown or a booking is already on a document
        """
        self.check_access("write")
        if reason not in dict(NOT_BILLABLE_REASONS):
            raise UserError(
                self.env._(
                    "“%(reason)s” is not a valid reason. Select one of: %(reasons)s.",
                    reason=reason,
                    reasons=", ".join(dict(NOT_BILLABLE_REASONS)),
                )
            )
        billed = self.filtered(lambda booking: booking.status in BILLED)
        if billed:
            raise UserError(
                self.env._(
                    "%(bookings)s: already on an invoice or order. Remove it from there first.",
                    bookings=", ".join(billed.mapped("display_name")),
                )
            )
        before = decisions(self)
        self.sudo().write(
            {
                "not_billable_decision": reason,
                "not_billable_note": note,
                "not_billable_uid": self.env.uid,
                "not_billable_date": fields.Datetime.now(),
            }
        )
        return changed(self, before)

    def action_put_back(self):
        """Make bookings billable again: revoke *not billable*, or release the credited part of a billed booking."""
        self.check_access("write")
        before = decisions(self)
        removed = self.filtered(lambda booking: booking.attention_reason == "removed_after")
        removed.sudo().removed_settled = True
        self.sudo()._release_credited()
        self.sudo().write(
            {
                "not_billable_decision": False,
                "not_billable_note": False,
                "not_billable_uid": False,
                "not_billable_date": False,
            }
        )
        self._recheck_billing()
        return changed(self, before)

    def action_create_customer(self):
        """Create the customers of these bookings from the templates of their setups, or link existing contacts."""
        self.check_access("write")
        # attendees without an email address and ID belong only to their booking
        named = self.filtered(lambda one: not (one.customer_id or one.partner_id or one.unnamed))
        return self.customer_id._create_contacts(named)

    def action_date_today(self):
        """Date the invoices of these bookings when they are confirmed, because their own date is in a locked period."""
        self.check_access("write")
        before = decisions(self)
        self.sudo().date_today = True
        self._recheck_billing()
        return changed(self, before)

    def action_open_in_bookings(self):
        """Open the calendar of Microsoft Bookings, because neither Graph nor the web app links to single appointments."""
        self.ensure_one()
        connection = self.setup_id.connection_id.sudo()
        if connection.mode == "sandbox":
            raise UserError(self.env._("The sandbox has no web page."))
        return {
            "type": "ir.actions.act_url",
            "target": "new",
            "url": WEB.get(connection.cloud, WEB["global"]),
        }

    @api.model
    def _uninvoiced_domain(self):
        """Return the domain of completed bookings that are not invoiced."""
        return Domain("status", "in", UNINVOICED)
