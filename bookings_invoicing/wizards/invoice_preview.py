from odoo import api, fields, models
from odoo.fields import Command, Domain
from odoo.tools import format_date, format_list

from ..billing import hints, money, period
from ..models.base.bounded import DAYS
from ..models.invoicing.drafting import AT_ONCE
from ..models.invoicing.plan_facts import PlanFacts

SHOWN = 200  # maximum number of listed invoices; the totals include all
SHORT = 90  # characters of a hint in a row


class BookingsInvoicePreview(models.TransientModel):
    """The planned invoices, hints to check, and the bookings not included, with reasons. One click creates the drafts."""

    _name = "bookings.invoice.preview"
    _inherit = ["bookings.own.links", "bookings.bounded"]
    _description = "Preview of Invoices from Bookings"

    booking_ids = fields.Many2many(
        "bookings.booking",
        readonly=True,
        string="Selected Bookings",
        context={"active_test": False},
    )
    scope = fields.Char(readonly=True, string="Bookings Considered")
    grouping = fields.Selection(
        [
            ("setup", "Default Grouping"),
            ("customer", "One invoice per customer"),
            ("customer_month", "One per customer and month"),
            ("customer_week", "One per customer and week"),
            ("booking", "One per booking"),
        ],
        default="setup",
        required=True,
    )
    ended_before = fields.Date(
        bounds=DAYS,
        help="Only bookings that ended before this date (business time zone). Leave empty for all.",
    )
    line_ids = fields.One2many(
        "bookings.invoice.preview.line",
        "preview_id",
        compute="_compute_plan",
        store=True,
        string="Planned Invoices",
    )
    serious_line_ids = fields.One2many(
        "bookings.invoice.preview.line",
        compute="_compute_serious_line_ids",
        string="Planned Invoices to Check",
    )
    left_out_ids = fields.One2many(
        "bookings.invoice.preview.left.out",
        "preview_id",
        compute="_compute_plan",
        store=True,
        string="Bookings Not Included",
    )
    candidate_draft_ids = fields.Many2many(
        "account.move",
        "bookings_invoice_preview_candidate_rel",
        compute="_compute_plan",
        store=True,
        string="Possible Drafts",
    )
    join_draft_ids = fields.Many2many(
        "account.move",
        "bookings_invoice_preview_join_rel",
        string="Add to These Drafts",
        domain="[('id', 'in', candidate_draft_ids)]",
        help="Compatible drafts of the same payers. New lines are added to the drafts you select; leave empty to "
        "create new invoices only.",
    )
    invoice_count = fields.Integer(string="Number of Invoices", compute="_compute_plan", store=True)
    create_label = fields.Char(compute="_compute_create_label")
    booking_count = fields.Integer(compute="_compute_plan", store=True)
    left_out_count = fields.Integer(
        string="Number Not Included", compute="_compute_plan", store=True
    )
    totals = fields.Char(compute="_compute_plan", store=True)
    is_cut = fields.Boolean(string="Not All Listed", compute="_compute_is_cut", store=True)
    is_queued = fields.Boolean(string="Created in the Background", compute="_compute_is_queued")
    serious_count = fields.Integer(
        string="To Check",
        compute="_compute_plan",
        store=True,
        help="Invoices with which something may be wrong. They are listed first.",
    )
    only_serious = fields.Boolean(
        string="Only Invoices to Check", help="The other invoices are created as well."
    )

    @api.model
    def default_get(self, fields_list):
        self.check_access("create")
        values = super().default_get(fields_list)
        if "booking_ids" in fields_list and "booking_ids" not in values:
            bookings, scope, is_everything = self._scope()
            bookings._recheck_billing()
            values.update(
                booking_ids=[Command.set(bookings.ids)],
                scope=self.env._("%(what)s: %(count)s", what=scope, count=len(bookings)),
            )
            if is_everything:
                values.setdefault("ended_before", self._month_end_cut())
        return values

    @api.model
    def _scope(self):
        """Return the bookings of the screen from which the preview was opened.

        They are the selection or the search of a list, or the bookings of a setup or journal, or else all uninvoiced
        bookings of the selected companies.

        :returns: ``(bookings, description, whether the user did not narrow them down)``
        """
        booking, context = self.env["bookings.booking"], self.env.context
        companies = Domain("company_id", "in", self.env.companies.ids)
        uninvoiced = companies & booking._uninvoiced_domain()
        names = format_list(self.env, self.env.companies.mapped("display_name"))
        is_list = context.get("active_model") == booking._name
        chosen = booking.browse(context.get("active_ids", ()) if is_list else ())
        if context.get("bookings_scope") == "ready":
            ready = companies & Domain("status", "=", "ready")
            return booking.search(ready), self.env._("All ready bookings of %s", names), False
        if context.get("bookings_scope") == "payer":
            payers = format_list(self.env, chosen.payer_id.mapped("display_name"))
            payers_bookings = booking.search(chosen._payers_domain())
            return payers_bookings, self.env._("All ready bookings of %s", payers), False
        if chosen:
            return chosen, self.env._("Selected bookings"), False
        everything = booking.search(uninvoiced)
        if is_list and "active_domain" in context:
            found = booking.search(uninvoiced & Domain(context["active_domain"]))
            if found != everything:
                return found, self.env._("Uninvoiced bookings that match the search"), False
        if context.get("active_model") == "bookings.sync.setup":
            setups = self.env["bookings.sync.setup"].browse(context.get("active_ids", ()))
            found = booking.search(uninvoiced & Domain("setup_id", "in", setups.ids))
            names = format_list(self.env, setups.mapped("display_name"))
            return found, self.env._("Uninvoiced bookings of %s", names), True
        if context.get("active_model") == "account.journal":
            journal = self.env["account.journal"].browse(context.get("active_id"))
            found = booking.search(uninvoiced & journal._bookings_domain())
            return found, self.env._("Uninvoiced bookings of %s", journal.display_name), True
        return everything, self.env._("All uninvoiced bookings of %s", names), True

    @api.model
    def _month_end_cut(self):
        """Return the first day of the month during its first ten days, when last month is billed, else False."""
        today = fields.Date.context_today(self)
        return period.month_start(today) if today.day <= 10 else False

    @api.depends("invoice_count")
    @api.depends_context("lang")
    def _compute_create_label(self):
        for preview in self:
            preview.create_label = f"{self._documents_label()} ({preview.invoice_count})"

    @api.depends("invoice_count")
    def _compute_is_queued(self):
        for preview in self:
            preview.is_queued = preview.invoice_count > AT_ONCE

    @api.depends("invoice_count", "serious_count", "only_serious")
    def _compute_is_cut(self):
        for preview in self:
            listed = preview.serious_count if preview.only_serious else preview.invoice_count
            preview.is_cut = listed > SHOWN

    @api.model
    def _documents_label(self):
        """Return the label of the button that creates the documents."""
        return self.env._("Create Draft Invoices")

    # -- the plan ------------------------------------------------------------------------------------

    @api.depends("booking_ids", "grouping", "ended_before")
    def _compute_plan(self):
        for preview in self:
            groups, left_out = preview._plan()
            ready = preview.booking_ids.browse().concat(*(bookings for bookings, _group in groups))
            rows, serious, totals, drafts = preview._rows(ready, groups)
            preview.candidate_draft_ids = drafts
            preview.line_ids = [Command.clear(), *(Command.create(row) for row in rows)]
            preview.serious_count = serious
            preview.left_out_ids = [
                Command.clear(),
                *(
                    Command.create({"booking_id": booking.id, "reason": reason})
                    for booking, reason in list(left_out.items())[:SHOWN]
                ),
            ]
            preview.invoice_count = len(groups)
            preview.booking_count = len(ready)
            preview.left_out_count = len(left_out)
            preview.totals = ", ".join(currency.format(total) for currency, total in totals.items())

    @api.depends("line_ids.is_serious")
    def _compute_serious_line_ids(self):
        for preview in self:
            preview.serious_line_ids = preview.line_ids.filtered("is_serious")

    def _plan(self):
        """Return what will be invoiced, and what will not, with reasons.

        :returns: ``([(bookings, bookings_invoicing.billing.grouping.Group)], {booking: reason})``
        """
        everything, chosen = self.booking_ids._origin or self.booking_ids, self._chosen()
        ready = chosen.filtered(lambda booking: booking.status == "ready")
        groups, stopped = ready._part_by_payer_details(ready._grouped(self._settings()))
        labels = dict(everything._fields["status"]._description_selection(self.env))
        reasons = {booking: reason for bookings, reason in stopped for booking in bookings}
        for booking in chosen - ready:
            reasons[booking] = booking.attention_detail or labels.get(booking.status)
        for booking in everything - chosen:
            reasons[booking] = self.env._(
                "The booking did not end before %s.", format_date(self.env, self.ended_before)
            )
        return groups, reasons

    def _chosen(self):
        """Return the bookings that ended before the selected date."""
        bookings = self.booking_ids._origin or self.booking_ids
        if self.ended_before:
            bookings = bookings.filtered(lambda one: one._last_day() < self.ended_before)
        return bookings

    def _settings(self):
        return {} if self.grouping == "setup" else {"grouping": self.grouping}

    def _rows(self, ready, groups):
        """Return the rows of the preview. The invoices to check come first; only the first rows are listed.

        :returns: ``([values of a line], number of invoices to check, {currency: total with tax}, drafts that could take
            lines)``
        """
        noted, plan = ready._hints(), PlanFacts(ready)
        planned, totals, drafts = [], {}, self.env["account.move"]
        for bookings, group in groups:
            amounts = bookings._invoice_totals(group.split)
            currency = bookings.currency_id[:1]
            totals[currency] = totals.get(currency, 0.0) + amounts["amount_total"]
            drafts |= plan.draft(group.split)
            told = self._ranked_hints(bookings, group, amounts, noted, plan)
            planned.append((bool(told and told[0].serious), bookings, group, amounts, told))
        planned.sort(key=lambda one: not one[0])
        rows = [self._row(*one) for one in planned[:SHOWN]]
        return rows, sum(one[0] for one in planned), totals, drafts

    def _ranked_hints(self, bookings, group, amounts, noted, plan):
        """Return the hints for a planned invoice and its bookings, serious ones first.

        :param dict noted: hints by booking ID
        :param PlanFacts plan: what the planned invoices share
        """
        total = money.decimal_of(amounts["amount_total"])
        told = bookings._invoice_hints(total, group.split, plan)
        told += [
            booking._told_hint(hint, f"{booking.day}: ")
            for booking in bookings
            for hint in noted.get(booking.id, ())
        ]
        return hints.ranked(told)

    def _row(self, is_serious, bookings, group, amounts, told):
        """Return the values of a line of the preview."""
        days = [booking._last_day() for booking in bookings]
        return {
            "payer_id": group.split.payer,
            "booking_ids": [Command.set(bookings.ids)],
            "booking_count": len(bookings),
            "service_from": min(days),
            "service_to": max(days),
            "currency_id": bookings.currency_id[:1].id,
            "is_serious": is_serious,
            "hint": "\n".join(one.text for one in told),
            "hint_short": _shortened([one.short or one.text for one in told]),
            "details": "\n".join(booking._preview_text() for booking in bookings),
            **amounts,
        }

    # -- buttons -------------------------------------------------------------------------------------

    def action_create(self):
        """Create the drafts of the ready bookings. A large number becomes a queued run."""
        self.ensure_one()
        booking = self.env["bookings.booking"]
        booking._check_may_invoice()
        ready = self._chosen().filtered(lambda row: row.status == "ready")
        settings = self._settings()
        if self.join_draft_ids:
            settings["join"] = self.join_draft_ids.ids
        run = booking._invoice_or_queue([("id", "in", ready.ids)], **settings)
        return run._result_action()

    def action_open_left_out(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_all"
        )
        _groups, left_out = self._plan()
        domain, context = [("id", "in", [one.id for one in left_out])], {"active_test": False}
        return {**action, "domain": domain, "context": context}


class BookingsInvoicePreviewLine(models.TransientModel):
    """A planned invoice."""

    _name = "bookings.invoice.preview.line"
    _inherit = "bookings.own.links"
    _description = "Invoice in the Preview"
    _rec_name = "payer_id"

    preview_id = fields.Many2one(
        "bookings.invoice.preview", required=True, ondelete="cascade", index=True
    )
    payer_id = fields.Many2one("res.partner")
    booking_ids = fields.Many2many("bookings.booking", context={"active_test": False})
    booking_count = fields.Integer(string="Bookings", readonly=True)
    service_from = fields.Date(string="From", readonly=True)
    service_to = fields.Date(string="To", readonly=True)
    currency_id = fields.Many2one("res.currency")
    amount_untaxed = fields.Monetary(string="Untaxed", readonly=True)
    amount_tax = fields.Monetary(string="Tax", readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True)
    hint = fields.Text(string="Check")
    hint_short = fields.Char(string="First Hint")
    is_serious = fields.Boolean(string="To Check", help="Something may be wrong with this invoice.")
    details = fields.Text(string="Booked Services")


class BookingsInvoicePreviewLeftOut(models.TransientModel):
    """A booking that is not included, with the reason."""

    _name = "bookings.invoice.preview.left.out"
    _inherit = "bookings.own.links"
    _description = "Booking Not Included in the Preview"
    _rec_name = "booking_id"

    preview_id = fields.Many2one(
        "bookings.invoice.preview", required=True, ondelete="cascade", index=True
    )
    booking_id = fields.Many2one("bookings.booking")
    reason = fields.Text()


def _shortened(texts):
    """Return the first hint, shortened, with the number of further hints."""
    if not texts:
        return ""
    first, more = texts[0], len(texts) - 1
    if len(first) > SHORT:
        first = first[: SHORT - 1].rstrip() + "…"
    return f"{first} (+{more})" if more else first
