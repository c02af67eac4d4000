import logging

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)
AT_ONCE = 500  # drafts; more become a queued run


class Joining(frozenset):
    """Ids of the drafts that a run may add to, as value of the context key ``bookings_join``: no call can send it."""


class BookingsBooking(models.Model):
    """From bookings to drafts: claim, check again, group, create, all in one transaction.

    A draft that is there already takes bookings where a person says so; that is never the default.
    """

    _inherit = "bookings.booking"

    # -- buttons -----------------------------------------------------------------------------------------

    def action_create_invoices(self):
        """Draft the invoices of the selected bookings; what cannot be billed is left out and named."""
        self._check_may_invoice()
        return self._invoice_or_queue([("id", "in", self.ids)])._result_action()

    def action_invoice_customer(self):
        """Draft the invoices of all ready bookings of these bookings' payers."""
        self._check_may_invoice()
        domain = Domain("status", "=", "ready") & Domain.OR(
            Domain("payer_id", "=", booking.payer_id.id)
            & Domain("company_id", "=", booking.company_id.id)
            for booking in self
        )
        return self._invoice_or_queue(domain)._result_action()

    def action_invoice_ready(self):
        """Draft the invoices of all that is ready in the companies switched on, whatever is selected."""
        self._check_may_invoice()
        return self._invoice_or_queue(
            [("status", "=", "ready"), ("company_id", "in", self.env.companies.ids)]
        )._result_action()

    def _check_may_invoice(self):
        self.env["bookings.invoice.run"]._check_may_bill()
        if not self.env["account.move"].has_access("create"):
            raise AccessError(self.env._("Drafting invoices needs the right to create invoices."))

    # -- the work ----------------------------------------------------------------------------------------

    @api.model
    def _invoice_all(self, domain, **settings):
        """Draft the invoices of all bookings of a domain that can be billed.

        :param domain: which bookings
        :param settings: what differs from the setups: ``grouping``
        :rtype: bookings.invoice.run
        """
        wanted = self.search(domain, order="start, id")
        run = self.env["bookings.invoice.run"]._start({"settings": settings, "state": "running"})
        wanted._invoice_into(run, settings)
        run._finish()
        return run

    @api.model
    def _invoice_or_queue(self, domain, **settings):
        """The same for a person who waits: what makes many drafts is left to the scheduled action.

        :rtype: bookings.invoice.run
        """
        wanted = self.search(domain, order="start, id")
        if len(wanted) > AT_ONCE:
            ready = wanted.filtered(lambda booking: booking.status == "ready")
            groups = [group.items for group in ready._grouped(settings)]
            if len(groups) > AT_ONCE:
                rest = (wanted - ready).ids
                chunks = [[item.id for item in items] for items in groups] + (
                    [rest] if rest else []
                )
                return self.env["bookings.invoice.run"]._enqueue(chunks, settings)
        return self._invoice_all([("id", "in", wanted.ids)], **settings)

    def _invoice_into(self, run, settings):
        """Claim these bookings, check them again and draft what is ready; the run keeps what came of it."""
        claimed = self._claim()
        run._leave_out(self - claimed, self.env._("Somebody else is working on it."))
        billable = claimed._billable(run)
        for company, bookings in billable.grouped("company_id").items():
            bookings.with_company(company)._draft(run, settings)

    def _claim(self):
        """Those bookings that nobody else works on, locked for this transaction."""
        claimed = self.try_lock_for_update(allow_referencing=True)
        claimed.invalidate_recordset()
        return claimed

    def _billable(self, run):
        """Those that are ready now, by facts looked at again; the others are left out with their reason."""
        self._pass_by_clock_again()
        self._refresh_billing()
        labels = dict(self._fields["status"]._description_selection(self.env))
        ready = self.filtered(lambda booking: booking.status == "ready")
        for booking in self - ready:
            run._leave_out(booking, booking.attention_detail or labels.get(booking.status))
        return ready

    def _pass_by_clock_again(self):
        self.env.add_to_compute(self._fields["status"], self)

    def _draft(self, run, settings):
        """Create the drafts of ready bookings of one company; one that fails costs only itself.

        Bookings whose setups bill by different flows never share a document.

        :param dict settings: ``join``: ids of drafts that may take the bookings
        """
        wanted = settings.get("join")
        records = self.with_context(bookings_join=Joining(wanted)) if wanted else self
        for bookings in records.grouped(lambda booking: booking.setup_id.billing_flow).values():
            groups = [
                (bookings.browse(item.id for item in g.items), g)
                for g in bookings._grouped(settings)
            ]
            groups, stopped = bookings._let_out_by_total(groups)
            for left, reason in stopped:
                run._leave_out(left, reason)
            bookings._draft_groups(run, groups)
        if wanted:
            run.sudo().joined_line_ids |= self.sudo().invoice_line_ids.filtered(
                lambda line: line.booking_live and line.move_id.id in wanted
            )

    def _draft_groups(self, run, groups):
        """Make the documents of these groups; on failure by halves, until the bad bookings are found and left out."""
        if not groups:
            return
        try:
            with self.env.cr.savepoint():
                documents = self._create_documents(groups)
                self.env.flush_all()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:
            self.env.invalidate_all()
            if len(groups) > 1:
                for half in _halves(groups):
                    self._draft_groups(run, half)
            else:
                self._draft_without_bad(run, *groups[0], error)
            return
        run._take(documents)

    def _draft_without_bad(self, run, bookings, group, error):
        """Leave out what keeps a document from being made; the rest still becomes one document."""
        bad = self._find_bad(bookings, group, error)
        for booking_id, reason in bad.items():
            _logger.info("Booking %s cannot be drafted: %s", booking_id, reason)
            run._leave_out(self.browse(booking_id), _reason_text(self.env, reason))
        good = bookings.filtered(lambda booking: booking.id not in bad)
        if bad:
            self._draft_groups(run, [(good, group)] if good else [])
        else:
            run._leave_out(bookings, _reason_text(self.env, error))

    def _find_bad(self, bookings, group, error):
        """``{booking id: error}`` of those that fail alone, found by halves; nothing of the trials is kept."""
        if len(bookings) == 1:
            return {bookings.id: error}
        bad = {}
        middle = len(bookings) // 2
        for half in (bookings[:middle], bookings[middle:]):
            try:
                with self.env.cr.savepoint() as trial:
                    self._create_documents([(half, group)])
                    self.env.flush_all()
                    trial.rollback()
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                raise
            except Exception as found:
                self.env.invalidate_all()
                bad |= self._find_bad(half, group, found)
        return bad

    def _create_documents(self, groups):
        flow = groups[0][0].setup_id[:1].billing_flow
        return getattr(self, f"_create_documents_{flow}")(groups)

    def _create_documents_invoice(self, groups):
        """Draft invoices of bookings that are ready; each billing flow has its method of this name.

        :param groups: ``[(bookings in order of time, bookings_invoicing.billing.grouping.Group)]``
        :returns: what was made; :meth:`bookings.invoice.run._take` keeps it
        """
        joined, groups = self._join_drafts(groups)
        if not groups:
            return joined
        moves = self.env["account.move"]
        moves.check_access("create")
        moves |= (
            moves.sudo()
            .create([bookings._prepare_invoice(group) for bookings, group in groups])
            .sudo(False)
        )
        billed = self.browse(
            booking_id for bookings, _group in groups for booking_id in bookings.ids
        )
        billed._note_billed()
        # Other addons may write on a draft while it is made; no person has changed it yet.
        moves.filtered("is_manually_modified").is_manually_modified = False
        return joined | moves

    def _note_billed(self):
        billed = self.sudo()
        billed.filtered(lambda booking: not booking.billed_before).billed_before = True
        again = billed.filtered("bill_again_id")
        again._credited_lines().booking_released = True
        again.bill_again_id = False

    # -- drafts that are there already -------------------------------------------------------------------

    def _join_drafts(self, groups):
        """Put groups on the drafts that may take them; nothing is joined where no person said so.

        :param groups: as of :meth:`_create_documents_invoice`
        :returns: the drafts, and the groups that need one of their own
        """
        wanted = self.env.context.get("bookings_join")
        joined, rest = self.env["account.move"], []
        if type(wanted) is not Joining:
            return joined, groups
        for bookings, group in groups:
            # somebody who works on the draft at this moment keeps it: the bookings get one of their own
            draft = bookings._draft_to_join(group.split, list(wanted)).try_lock_for_update()
            if draft and draft.state == "draft":
                bookings._join(draft, group.split)
                joined |= draft
            else:
                rest.append((bookings, group))
        return joined, rest

    def _draft_to_join(self, split, among=None):
        """A draft of the same payer, never confirmed, that agrees in all that separates invoices.

        :param bookings_invoicing.billing.grouping.Split split:
        :param among: ids of drafts; others are not looked at
        """
        domain = [
            ("move_type", "=", "out_invoice"),
            ("state", "=", "draft"),
            ("posted_before", "=", False),
            ("company_id", "=", split.company),
            ("partner_id", "=", split.payer),
            ("currency_id", "=", split.currency),
            ("journal_id", "=", split.journal),
            ("fiscal_position_id", "=", split.fiscal_position),
            ("partner_shipping_id", "=", split.delivery_address),
            ("ref", "=", split.reference or False),
        ]
        if among is not None:
            domain.append(("id", "in", among))
        return self.env["account.move"].search(domain, limit=1)

    def _join(self, draft, split):
        dates = (draft.invoice_line_ids.booking_id | self)._invoice_dates()
        dates.pop("invoice_date", None)  # the draft's own stays
        dates["delivery_date"] = max(filter(None, (draft.delivery_date, dates["delivery_date"])))
        draft.check_access("write")
        draft.sudo().with_context(skip_is_manually_modified=True).write(
            {"invoice_line_ids": self._prepare_lines(split), **dates}
        )
        self._note_billed()


def _halves(items):
    middle = len(items) // 2
    return items[:middle], items[middle:]


def _reason_text(env, error):
    """What a person can read of an error; the log has the rest."""
    if isinstance(error, UserError):
        return str(error)
    return env._("Odoo cannot draft it: %s", str(error).split("\n", 1)[0] or type(error).__name__)
