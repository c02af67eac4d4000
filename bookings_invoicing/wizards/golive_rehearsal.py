from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date, format_list

from ..billing import period
from ..billing.status import BILLED
from ..models.base.bounded import DAYS

VERDICTS = [
    ("different", "Different"),
    ("only_ours", "Only From Bookings"),
    ("only_theirs", "Only Invoiced"),
    ("same", "Same"),
]


class BookingsRehearsal(models.TransientModel):
    """The rehearsal of a past month for sign-off, and the choice of the date from which to bill."""

    _name = "bookings.rehearsal"
    _inherit = ["bookings.own.links", "bookings.bounded"]
    _description = "Rehearsal of a Past Month"

    setup_id = fields.Many2one(
        "bookings.sync.setup", required=True, readonly=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="setup_id.company_id")
    currency_id = fields.Many2one(related="setup_id.currency_id")
    month = fields.Date(
        required=True,
        default=lambda self: self._last_month(),
        bounds=DAYS,
        help="Any day of the month to rehearse.",
    )
    rehearsed = fields.Date(readonly=True, help="First day of the month whose result is shown.")
    month_text = fields.Char(string="Month Rehearsed", compute="_compute_month_text")
    line_ids = fields.One2many(
        "bookings.rehearsal.line", "rehearsal_id", readonly=True, string="Comparison"
    )
    appointment_count = fields.Integer(string="Appointments Read", readonly=True)
    invoice_count = fields.Integer(string="Number of Invoices", readonly=True)
    read_text = fields.Char(compute="_compute_read_text")
    same_count = fields.Integer(compute="_compute_totals")
    other_count = fields.Integer(compute="_compute_totals")
    ours_total = fields.Monetary(string="From Bookings", compute="_compute_totals")
    theirs_total = fields.Monetary(string="Invoiced", compute="_compute_totals")
    difference_total = fields.Monetary(string="Difference", compute="_compute_totals")
    bill_from = fields.Date(
        compute="_compute_bill_from",
        store=True,
        readonly=False,
        bounds=DAYS,
    )

    @api.model
    def _last_month(self):
        return period.month_start(fields.Date.context_today(self)) - timedelta(days=1)

    @api.depends("line_ids")
    def _compute_totals(self):
        for rehearsal in self:
            lines = rehearsal.line_ids
            same = lines.filtered(lambda line: line.verdict == "same")
            rehearsal.same_count = len(same)
            rehearsal.other_count = len(lines - same)
            rehearsal.ours_total = sum(lines.mapped("ours"))
            rehearsal.theirs_total = sum(lines.mapped("theirs"))
            rehearsal.difference_total = rehearsal.ours_total - rehearsal.theirs_total

    @api.depends("rehearsed")
    @api.depends("appointment_count", "invoice_count")
    @api.depends_context("lang")
    def _compute_read_text(self):
        for rehearsal in self:
            rehearsal.read_text = self.env._(
                "%(appointments)s appointments were read. They would result in %(invoices)s invoices.",
                appointments=rehearsal.appointment_count,
                invoices=rehearsal.invoice_count,
            )

    @api.depends_context("lang")
    def _compute_month_text(self):
        for rehearsal in self:
            day = rehearsal.rehearsed
            rehearsal.month_text = day and format_date(self.env, day, date_format="LLLL y")

    @api.depends("rehearsed")
    def _compute_bill_from(self):
        for rehearsal in self:
            day = rehearsal.rehearsed
            rehearsal.bill_from = period.month_end(day) + timedelta(days=1) if day else False

    def action_rehearse(self):
        """Read the month and compare it with the posted invoices. Bookings, customers, and invoices are not changed."""
        self.check_access("write")
        self.ensure_one()
        self.setup_id.check_access("write")
        rows, appointments, invoices = self.setup_id._rehearse(self.month)
        drafts = self._draft_texts()
        self.line_ids = [
            Command.clear(),
            *(
                Command.create(
                    {
                        "partner_id": row.payer if isinstance(row.payer, int) else False,
                        "name": row.name,
                        "verdict": row.verdict,
                        "ours": float(row.ours),
                        "theirs": float(row.theirs),
                        "difference": float(row.difference),
                        "cause": " ".join(
                            filter(
                                None,
                                (
                                    self._cause_text(row.cause, row.params),
                                    self._asked_text(row.asked),
                                    drafts.get(row.payer),
                                ),
                            )
                        ),
                    }
                )
                for row in rows
            ),
        ]
        self.write(
            {
                "rehearsed": period.month_start(self.month),
                "appointment_count": appointments,
                "invoice_count": invoices,
            }
        )
        return self._open()

    def _asked_text(self, count):
        return count and self.env._(
            "Not billed before attendance is known, included as attended: %s bookings.", count
        )

    def _draft_texts(self):
        """Return which bookings of the month are on drafts already, as ``{id of the payer: sentence}``."""
        bookings = self.env["bookings.booking"].search(
            [
                ("setup_id", "=", self.setup_id.id),
                ("status", "in", [status for status in BILLED if status != "invoiced"]),
                ("service_day", ">=", period.month_start(self.month)),
                ("service_day", "<=", period.month_end(self.month)),
            ]
        )
        return {
            payer.id: self.env._(
                "On drafts already: %s.",
                format_list(
                    self.env,
                    [
                        f"{one.service_id.name}, {one._local_text()}"
                        for one in theirs.sorted("start")
                    ],
                ),
            )
            for payer, theirs in bookings.grouped(
                lambda booking: booking.payer_id.commercial_partner_id
            ).items()
        }

    def action_choose_month(self):
        """Let the user select another month."""
        self.check_access("write")
        self.ensure_one()
        self.write({"rehearsed": False, "line_ids": [Command.clear()]})
        return self._open()

    def _cause_text(self, cause, params):
        texts = {
            "": "",
            "tax": self.env._(
                "The amounts match if tax is treated the other way (included instead of excluded, or vice versa)."
            ),
            "also_other_products": self.env._(
                "The invoice also contains other products for %(amount)s."
            ),
            "missing_there": self.env._("Not invoiced: %(booking)s."),
            "missing_here": self.env._("Not in Bookings: %(line)s."),
            "other_month": self.env._("Invoiced in another month: %(invoice)s."),
            "discount": self.env._("A discount of %(percent)s %% was given."),
            "undecided": self.env._("Bookings that need a manual price: %(count)s."),
            "count": self.env._("Bookings: %(bookings)s, but invoice lines: %(lines)s."),
            "prices": self.env._("Invoiced at different prices."),
            "unknown_customer": self.env._("Not a customer in Odoo yet."),
            "never_invoiced": self.env._(
                "Bookings: %(count)s. There is no invoice around that time."
            ),
            "no_appointment": self.env._("No appointment in Bookings for %(invoices)s."),
            "other_products": self.env._("%(invoices)s: no booked services."),
        }
        return texts[cause] % params if params else texts[cause]

    def action_print(self):
        """Print the result as a PDF for sign-off."""
        self.check_access("write")
        self.ensure_one()
        return self.env.ref("bookings_invoicing.action_report_rehearsal").report_action(self)

    def action_go_live(self):
        """Set *Bill From* on the setup to the selected date, and log the result of the rehearsal there."""
        self.check_access("write")
        self.ensure_one()
        setup = self.setup_id
        setup.check_access("write")
        if not self.bill_from:
            raise UserError(self.env._("Select the date from which bookings are billed."))
        setup.bill_from = self.bill_from
        setup._confirm_step("bill_from")
        setup.message_post(
            body=self.env._(
                "Rehearsed %(month)s: %(same)s payers match, %(other)s differ; %(ours)s from Bookings, "
                "%(theirs)s invoiced. Billing starts on %(day)s.",
                month=self.month_text,
                same=self.same_count,
                other=self.other_count,
                ours=self.currency_id.format(self.ours_total),
                theirs=self.currency_id.format(self.theirs_total),
                day=format_date(self.env, self.bill_from),
            )
        )
        return {"type": "ir.actions.act_window_close"}

    def _open(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Rehearse: %s", self.setup_id.name),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }


class BookingsRehearsalLine(models.TransientModel):
    """One payer of a rehearsed month."""

    _name = "bookings.rehearsal.line"
    _inherit = "bookings.own.links"
    _description = "Payer in a Rehearsal"

    rehearsal_id = fields.Many2one(
        "bookings.rehearsal", required=True, ondelete="cascade", index=True
    )
    currency_id = fields.Many2one(related="rehearsal_id.currency_id")
    partner_id = fields.Many2one("res.partner", ondelete="cascade")
    name = fields.Char(string="Payer")
    verdict = fields.Selection(VERDICTS, required=True)
    ours = fields.Monetary(string="From Bookings", readonly=True)
    theirs = fields.Monetary(string="Invoiced", readonly=True)
    difference = fields.Monetary(readonly=True)
    cause = fields.Text(string="Probable Cause")
