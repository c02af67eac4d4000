from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import float_repr

from ...billing import money, period
from ...billing.digest import content_hash
from ..base.bounded import DAYS
from ..base.dates import moment_text, month_text, period_text
from ..base.titles import titled
from .row import OUTCOMES, SUMMED, name_of, row_of, sums_of

UNBILLED = ("drafted", "ready", "attention", "removed_after")
OPEN = {"check_text"}  # fields of a signed report that can still be written


class BookingsCompleteness(models.Model):
    """The proof that every booking of a period was billed or has a reason why it was not.

    Each booking has exactly one outcome. Signing off stores rows, sums, and their hash. A later check shows only the
    differences from the signed report.
    """

    _name = "bookings.completeness"
    _inherit = ["bookings.own.links", "bookings.bounded"]
    _description = "Completeness of Bookings"
    _check_company_auto = True
    _order = "date_to desc, id desc"

    setup_id = fields.Many2one(
        "bookings.sync.setup",
        string="Bookings Company",
        required=True,
        ondelete="restrict",
        index=True,
    )
    company_id = fields.Many2one(related="setup_id.company_id", store=True, index=True)
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id", store=True)
    date_from = fields.Date(required=True, default=lambda self: self._last_month()[0], bounds=DAYS)
    date_to = fields.Date(required=True, default=lambda self: self._last_month()[1], bounds=DAYS)
    line_ids = fields.One2many("bookings.completeness.line", "report_id", readonly=True)
    booking_count = fields.Integer(readonly=True)
    held_count = fields.Integer(
        string="Present at Last Sync",
        readonly=True,
        help="Bookings that were present in Bookings at the last synchronization.",
    )
    expected = fields.Monetary(readonly=True)
    billed = fields.Monetary(readonly=True)
    credited = fields.Monetary(readonly=True)
    difference = fields.Monetary(readonly=True)
    other_totals = fields.Text(
        string="Other Currencies",
        compute="_compute_other_totals",
        help="Totals of the bookings in other currencies than that of the report.",
    )
    unbilled_count = fields.Integer(
        string="Not Billed",
        compute="_compute_unbilled_count",
        help="Bookings that are not billed and have no decision why not.",
    )
    ledger = fields.Json(string="Revenue", readonly=True)
    ledger_text = fields.Text(string="Revenue by Account", compute="_compute_ledger_text")
    state = fields.Selection(
        [("draft", "Not Signed Off"), ("signed", "Signed Off")],
        default="draft",
        required=True,
        readonly=True,
    )
    signed_uid = fields.Many2one("res.users", string="Signed Off By", readonly=True, copy=False)
    signed_on = fields.Datetime(readonly=True, copy=False)
    sign_text = fields.Text(string="To Sign Off", compute="_compute_sign_text")
    snapshot = fields.Json(readonly=True, copy=False)
    digest = fields.Char(string="Fingerprint", readonly=True, copy=False)
    check_text = fields.Text(string="Changes Since Sign-Off", readonly=True, copy=False)

    _period = models.Constraint(
        "CHECK(date_from <= date_to)", "The end of the period must not be before its start."
    )

    @api.model
    def _last_month(self):
        first = period.month_start(fields.Date.context_today(self))
        last = fields.Date.subtract(first, days=1)
        return period.month_start(last), last

    @api.depends("setup_id", "date_from", "date_to")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for report in self:
            name = report.setup_id.name or self.env._("New Report")
            report.display_name = (
                f"{name} {period_text(self.env, report.date_from, report.date_to)}"
            )

    @api.depends("setup_id.currency_id")
    def _compute_currency_id(self):
        for report in self:
            # calculated amounts keep their currency
            if not (report.booking_count and report.currency_id):
                report.currency_id = report.setup_id.currency_id

    @api.depends("ledger")
    @api.depends_context("lang")
    def _compute_ledger_text(self):
        for report in self:
            currency = report.company_id.currency_id
            report.ledger_text = "\n".join(
                f"{row['account']}  {month_text(report.env, row['month'] + '-01')}  "
                f"{currency.format(float(row['balance']))}"
                for row in report.ledger or ()
            )

    def _totals(self):
        """Return the totals of each currency, that of the report first: ``{currency: {"expected": 10.0, ...}}``."""
        self.ensure_one()
        lines = self.line_ids.grouped("currency_id")
        own = self.currency_id
        return {own: {name: self[name] for name in SUMMED}} | {
            currency: {name: sum(lines[currency].mapped(name)) for name in SUMMED}
            for currency in sorted(lines.keys() - {own}, key=lambda one: one.name)
        }

    @api.depends("line_ids.currency_id", *(f"line_ids.{name}" for name in SUMMED))
    @api.depends_context("lang")
    def _compute_other_totals(self):
        for report in self:
            texts = [
                report.env._(
                    "%(currency)s: expected %(expected)s, billed %(billed)s, credited %(credited)s, difference "
                    "%(difference)s",
                    currency=currency.name,
                    **{name: currency.format(value) for name, value in totals.items()},
                )
                for currency, totals in report._totals().items()
                if currency != report.currency_id
            ]
            report.other_totals = "\n".join(texts) or False

    def _unbilled_lines(self):
        return self.line_ids.filtered(lambda line: line.outcome in UNBILLED)

    @api.depends("line_ids.outcome", "line_ids.booking_count")
    def _compute_unbilled_count(self):
        for report in self:
            report.unbilled_count = sum(report._unbilled_lines().mapped("booking_count"))

    def action_open_unbilled(self):
        """Open the bookings that keep the period from being billed completely."""
        return self._unbilled_lines().action_open()

    # -- counting ------------------------------------------------------------------------------------

    def _bookings(self):
        """Return all bookings whose last service date is in the period, including archived and removed ones."""
        self.ensure_one()
        tz = self.setup_id.tz
        # One more day on both sides, because the service date of a booking that ends at midnight is the day before.
        start = period.start_of_day(fields.Date.subtract(self.date_from, days=1), tz)
        end = period.start_of_day(fields.Date.add(self.date_to, days=2), tz)
        found = (
            self.env["bookings.booking"]
            .with_context(active_test=False)
            .search(
                Domain("setup_id", "=", self.setup_id.id)
                & Domain("stop", ">=", start)
                & Domain("stop", "<", end),
                order="start, id",
            )
        )
        return found.filtered(lambda booking: self.date_from <= booking._last_day() <= self.date_to)

    def _rows(self):
        """Return one row per booking, see :func:`.row.row_of`."""
        return [row_of(booking) for booking in self._bookings()]

    def action_compute(self):
        """Calculate the report from Odoo, and compare it with Bookings.

        :raises UserError: if the report is signed
        """
        self.check_access("write")
        if self.filtered(lambda report: report.state == "signed"):
            raise UserError(self._signed_text())
        asked = {report: report._ask_bookings() for report in self}  # before the first write
        for report in self:
            rows = report._rows()
            report.sudo().write(report._sums(rows) | {"ledger": report._ledger()} | asked[report])
        return True

    def _sums(self, rows):
        sums, causes = sums_of(rows), self._causes()
        names = sorted({name for _outcome, name in sums})
        currencies = {one.name: one for one in self._currencies(names)}
        own = self.setup_id.currency_id
        if names and own.name not in names:
            own = currencies[names[0]]  # a period before the business changed its currency
        lines = [
            {
                "outcome": outcome,
                "currency_id": currencies[name].id,
                "booking_count": found["count"],
                "booking_ids": [Command.set(found["ids"])],
                "cause": ", ".join(sorted(causes[cause] for cause in found["causes"])),
                **{amount: float(found[amount]) for amount in SUMMED},
            }
            for outcome, _label in OUTCOMES
            for name in sorted(names, key=lambda name: (name != own.name, name))
            if (found := sums.get((outcome, name)))
        ]
        mine = [found for (_outcome, name), found in sums.items() if name == own.name]
        return {
            "currency_id": own.id,
            "line_ids": [Command.clear(), *(Command.create(values) for values in lines)],
            "booking_count": len(rows),
            "held_count": sum(not row["gone"] for row in rows),
            **{name: float(sum(found[name] for found in mine)) for name in SUMMED},
        }

    def _currencies(self, names):
        """Return the currencies with these names, including inactive ones."""
        currencies = self.env["res.currency"].with_context(active_test=False)
        return currencies.search([("name", "in", names)])

    def _causes(self):
        """Return the causes of a difference between expected and billed amount, in the user's language."""
        return {
            "credited": self.env._("credited"),
            "discount": self.env._("discount"),
            "rounding": self.env._("rounding"),
            "edited": self.env._("changed on the draft"),
        }

    def _ledger(self):
        """Return the balance of the linked lines by account and month, in company currency.

        :returns: list of dicts of ``account``, ``account_id``, ``month`` (YYYY-MM), and ``balance`` (text)
        """
        sums = {}
        for line in (
            self._bookings()
            .sudo()
            .invoice_line_ids.filtered(lambda line: line.parent_state == "posted")
        ):
            account = line.account_id
            key = (account.display_name, account.id, line.date.strftime("%Y-%m"))
            sums[key] = sums.get(key, Decimal(0)) - money.decimal_of(line.balance)
        return [
            {"account": name, "account_id": account, "month": month, "balance": str(value)}
            for (name, account, month), value in sorted(sums.items())
        ]

    def action_last_month(self):
        """Create and calculate the reports of last month for all setups of the selected companies, and open them."""
        self.check_access("create")
        first, last = self._last_month()
        domain = [
            ("company_id", "in", self.env.companies.ids),
            ("date_from", "=", first),
            ("date_to", "=", last),
        ]
        reports = self.search(domain)
        setups = self.env["bookings.sync.setup"].search(
            [("company_id", "in", self.env.companies.ids), ("bill_from", "<=", last)]
        )
        reports |= self.create(
            [
                {"setup_id": setup.id, "date_from": first, "date_to": last}
                for setup in setups - reports.setup_id
            ]
        )
        reports.filtered(lambda report: report.state == "draft").action_compute()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.completeness_action"
        )
        return {
            **titled(action, period_text(self.env, first, last)),
            "domain": [("id", "in", reports.ids)],
        }

    # -- signing -------------------------------------------------------------------------------------

    @api.depends("line_ids.booking_count", "line_ids.expected", "line_ids.billed")
    @api.depends_context("lang")
    def _compute_sign_text(self):
        for report in self:
            report.sign_text = "\n".join(report._sign_sentences())

    def _sign_sentences(self):
        """Return what a signature accepts: how much was billed, and what was not and why."""
        self.ensure_one()
        texts = [
            self.env._(
                "%(count)s bookings, %(billed)s billed.",
                count=self.booking_count,
                billed=", ".join(
                    currency.format(totals["billed"]) for currency, totals in self._totals().items()
                ),
            )
        ]
        unbilled = self._unbilled_lines()
        if not unbilled:
            return [*texts, self.env._("Every booking was billed or has a decision.")]
        texts.append(
            self.env._(
                "Not billed: %(count)s bookings, %(amount)s.",
                count=self.unbilled_count,
                amount=", ".join(
                    currency.format(sum(lines.mapped("expected")))
                    for currency, lines in unbilled.grouped("currency_id").items()
                ),
            )
        )
        bookings = unbilled.booking_ids
        reasons = dict(bookings._fields["attention_reason"]._description_selection(self.env))
        texts += [
            self.env._("%(what)s: %(count)s", what=reasons[reason], count=len(found))
            for reason, found in bookings.filtered("attention_reason")
            .grouped("attention_reason")
            .items()
        ]
        return texts

    def action_ask_sign(self):
        """Calculate the report and show what would be signed off."""
        self.ensure_one()
        self.action_compute()
        view = self.env.ref("bookings_invoicing.completeness_sign_view_form")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Sign Off %s", self.display_name),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(view.id, "form")],
            "target": "new",
        }

    def action_sign(self):
        """Calculate the report a last time and sign it off."""
        self.ensure_one()
        self.action_compute()
        snapshot = {"rows": self._rows(), **self._frozen_sums()}
        self.sudo().write(
            {
                "state": "signed",
                "signed_uid": self.env.uid,
                "signed_on": fields.Datetime.now(),
                "snapshot": snapshot,
                "digest": content_hash(snapshot),
                "check_text": False,
            }
        )
        return True

    def _frozen_sums(self):
        """Return the displayed sums, revenue, and comparison with Bookings as JSON values."""
        return {
            "sums": [
                [line.outcome, line.booking_count, *line._amounts()] for line in self.line_ids
            ],
            "ledger": self.ledger,
            "in_bookings": [self.source_state, self.source_count, self.source_text or ""],
        }

    def action_check(self):
        """Store the differences between the signed report and the current data.

        :raises UserError: if the signed report was altered
        """
        self.ensure_one()
        self.check_access("write")
        snapshot = self.snapshot
        if content_hash(snapshot) != self.digest or any(
            snapshot[name] != value for name, value in self._frozen_sums().items()
        ):
            raise UserError(
                self.env._("The signed report was altered: its fingerprint does not match.")
            )
        asked = self._ask_bookings()
        before = {row["id"]: row for row in snapshot["rows"]}
        now = {row["id"]: row for row in self._rows()}
        texts = [
            self._row_difference(booking_id, before.get(booking_id), now.get(booking_id))
            for booking_id in sorted({*before, *now})
        ]
        texts = [*filter(None, texts), *self._ledger_differences(snapshot["ledger"])]
        if asked["source_state"] != "agrees" and asked["source_text"] != self.source_text:
            texts.append(asked["source_text"])
        self.sudo().check_text = "\n".join(texts) or self.env._("Nothing has changed.")
        return True

    def _row_difference(self, booking_id, old, new):
        """Return the old and new values of a booking as one line, or "" if they are equal."""
        booking = self.env["bookings.booking"].browse(booking_id).exists()
        name = name_of(booking) if booking else (old or new)["name"]
        if not (old and new):
            text = (
                self.env._("moved into the period")
                if new
                else self.env._("moved out of the period")
            )
            return f"{name}: {text}"
        changes = [
            f"{label} {self._to_read(key, old)} → {self._to_read(key, new)}"
            for key, label in self._row_labels().items()
            if self._row_value(key, old) != self._row_value(key, new)
        ]
        return f"{name}: {', '.join(changes)}" if changes else ""

    def _row_labels(self):
        return {
            "when": self.env._("date"),
            "outcome": self.env._("outcome"),
            "numbers": self.env._("invoices"),
            "currency": self.env._("currency"),
            "expected": self.env._("expected"),
            "billed": self.env._("billed"),
            "credited": self.env._("credited"),
            "gone": self.env._("removed from Bookings"),
            "reason": self.env._("reason"),
        }

    def _row_value(self, key, row):
        """Return a value of a row so that equal ones are equal, whichever version of the addon stored them."""
        if key == "currency":  # earlier rows are in the currency of the report
            return row.get(key, self.currency_id.name)
        return float(row[key]) if key in SUMMED else row[key]

    def _to_read(self, key, row):
        """Return a value of a row in readable form."""
        value = self._row_value(key, row)
        if key in SUMMED:
            return self._currencies([self._row_value("currency", row)]).format(value)
        if not value:
            return "–"
        if key == "when":
            return moment_text(self.env, f"{value}:00", tz="UTC")
        if key == "gone":
            return self.env._("yes")
        return self._row_words().get(value, value)

    def _row_words(self):
        """Return the labels of outcomes and reasons."""
        fields_ = [
            self.line_ids._fields["outcome"],
            *(
                self.env["bookings.booking"]._fields[name]
                for name in ("attention_reason", "not_billable_reason")
            ),
        ]
        return {
            key: label for one in fields_ for key, label in one._description_selection(self.env)
        }

    def _ledger_differences(self, signed):
        old = {(row["month"], row["account_id"]): row for row in signed or ()}
        new = {(row["month"], row["account_id"]): row for row in self._ledger()}
        currency, texts = self.company_id.currency_id, []
        for key in sorted({*old, *new}):
            row = new.get(key) or old[key]
            was, now = (
                currency.format(float(rows[key]["balance"])) if key in rows else "–"
                for rows in (old, new)
            )
            if was != now:
                month = month_text(self.env, row["month"] + "-01")
                texts.append(f"{row['account']} {month}: {was} → {now}")
        return texts

    def _signed_text(self):
        return self.env._("This report has been signed off. Check it again, or create a new one.")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_signed(self):
        if self.filtered(lambda report: report.state == "signed"):
            raise UserError(self.env._("You cannot delete a signed report."))

    def write(self, vals):
        if vals.keys() - OPEN and self.filtered(lambda report: report.state == "signed"):
            raise UserError(self._signed_text())
        return super().write(vals)


class BookingsCompletenessLine(models.Model):
    """The bookings with one outcome."""

    _name = "bookings.completeness.line"
    _inherit = ["bookings.own.links"]
    _description = "Outcome in a Completeness Report"
    _order = "id"

    report_id = fields.Many2one(
        "bookings.completeness", required=True, readonly=True, ondelete="cascade", index=True
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id", store=True)
    outcome = fields.Selection(OUTCOMES, required=True, readonly=True)
    booking_ids = fields.Many2many(
        "bookings.booking", readonly=True, context={"active_test": False}
    )
    booking_count = fields.Integer(string="Bookings", readonly=True)
    expected = fields.Monetary(readonly=True)
    billed = fields.Monetary(readonly=True, help="Posted invoice lines.")
    credited = fields.Monetary(readonly=True, help="Posted credit note lines.")
    difference = fields.Monetary(
        readonly=True, help="Expected amount less billed amount plus credits."
    )
    cause = fields.Char(readonly=True)

    @api.depends("report_id")
    def _compute_currency_id(self):
        for line in self:
            line.currency_id = line.currency_id or line.report_id.currency_id

    def _amounts(self):
        """Return the amounts as text, with their currency if it is not that of the report."""
        currency = self.currency_id
        other = [currency.name] if currency != self.report_id.currency_id else []
        return [*(float_repr(self[name], currency.decimal_places) for name in SUMMED), *other]

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._check_open()
        return lines

    def write(self, vals):
        self._check_open()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _check_open(self):
        """:raises UserError: if the report is signed, whoever the user is"""
        signed = self.report_id.filtered(lambda report: report.state == "signed")
        if signed:
            raise UserError(signed._signed_text())

    def action_open(self):
        """Open the bookings with these outcomes."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_all"
        )
        context = {"active_test": False}
        return {**action, "domain": [("id", "in", self.booking_ids.ids)], "context": context}
