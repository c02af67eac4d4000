from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.tools import plaintext2html
from odoo.tools.safe_eval import safe_eval

from ...billing import grouping
from ..booking.undo import changed, decisions
from . import billed_line
from .crediting import (
    bill_again_line,
    check_can_be_credited,
    check_prepared,
    draft_credits,
    if_free,
)
from .together import Together

AT_ONCE = 500  # maximum number of drafts created while the user waits; more become a queued run


class Joining(frozenset):
    """IDs of drafts to which a run may add lines: value of the context key ``bookings_join``. No RPC call can send it."""


class BookingsBooking(models.Model):
    """Create drafts from bookings and update them: lock, recheck, group, and create in one transaction.

    Bookings are added to existing drafts only if a user selects these.
    """

    _inherit = "bookings.booking"

    # -- buttons -----------------------------------------------------------------------------------------

    def action_create_invoices(self):
        """Create draft invoices of the selected bookings. The result lists bookings that were not included, with reasons."""
        self._check_may_invoice()
        return self._invoice_or_queue([("id", "in", self.ids)])._result_action()

    def action_invoice_customer(self):
        """Create draft invoices of all ready bookings of the same payers."""
        self._check_may_invoice()
        return self._invoice_or_queue(self._payers_domain())._result_action()

    def action_preview_payer(self):
        """Preview the invoices of all ready bookings of the same payers."""
        return self._preview_action("payer")

    def action_preview_ready(self):
        """Preview the invoices of all ready bookings in the selected companies."""
        return self._preview_action("ready")

    def _preview_action(self, scope):
        self._check_may_invoice()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_preview"
        )
        context = {
            **safe_eval(action["context"]),
            "active_model": self._name,
            "active_ids": self.ids,
            "bookings_scope": scope,
        }
        return {**action, "context": context}

    def _payers_domain(self):
        """Return the domain of all ready bookings of the same payers in the same companies."""
        return Domain([("status", "=", "ready"), ("active", "=", True)]) & Domain.OR(
            Domain("payer_id", "=", booking.payer_id.id)
            & Domain("company_id", "=", booking.company_id.id)
            for booking in self
        )

    def _check_may_invoice(self):
        self.env["bookings.invoice.run"]._check_may_bill()
        if not self.env["account.move"].has_access("create"):
            raise AccessError(self.env._("You need the right to create invoices."))

    # -- creating drafts ---------------------------------------------------------------------------------

    @api.model
    def _chosen_for_invoices(self, domain):
        """Return the bookings of this domain in order of time, including those that are archived with their setup."""
        found = self.with_context(active_test=False).search(domain, order="start, id")
        return found.with_env(self.env)

    @api.model
    def _invoice_all(self, domain, **settings):
        """Create draft invoices of all bookings in a domain that can be billed.

        :param settings: options that replace those of the setups: ``grouping``
        :rtype: bookings.invoice.run
        """
        wanted = self._chosen_for_invoices(domain)
        run = self.env["bookings.invoice.run"]._start({"settings": settings, "state": "running"})
        wanted._invoice_into(run, settings)
        run._finish()
        return run

    @api.model
    def _invoice_or_queue(self, domain, **settings):
        """Create draft invoices for a waiting user. Many drafts are left to the scheduled action.

        :rtype: bookings.invoice.run
        """
        wanted = self._chosen_for_invoices(domain)
        if len(wanted) > AT_ONCE:
            ready = wanted.filtered(lambda booking: booking.status == "ready")
            groups = [bookings.ids for bookings, _group in ready._grouped(settings)]
            if len(groups) > AT_ONCE:
                rest = (wanted - ready).ids
                chunks = groups + ([rest] if rest else [])
                return self.env["bookings.invoice.run"]._enqueue(chunks, settings)
        return self._invoice_all([("id", "in", wanted.ids)], **settings)

    def _invoice_into(self, run, settings):
        """Lock and recheck these bookings and create drafts of the ready ones. The results are stored on the run."""
        claimed = self._claim()
        run._leave_out(self - claimed, self.env._("Another user is working on it."))
        billable = claimed._billable(run)
        for company, bookings in billable.grouped("company_id").items():
            run._draft(bookings.with_company(company), settings)

    def _claim(self):
        """Lock these bookings for this transaction, and return those that no other transaction has locked."""
        claimed = self.try_lock_for_update(allow_referencing=True)
        claimed.invalidate_recordset()
        return claimed

    def _billable(self, run):
        """Recheck these bookings and return the ready ones. The others are recorded on the run with their reasons."""
        self._recompute_status()
        self._recheck_billing()
        labels = dict(self._fields["status"]._description_selection(self.env))
        ready = self.filtered(lambda booking: booking.status == "ready")
        for booking in self - ready:
            run._leave_out(booking, booking.attention_detail or labels.get(booking.status))
        return ready

    def _recompute_status(self):
        self.env.add_to_compute(self._fields["status"], self)

    def _create_documents(self, groups):
        flow = groups[0][0].setup_id[:1].billing_flow
        return getattr(self, f"_create_documents_{flow}")(groups)

    def _create_documents_invoice(self, groups):
        """Create draft invoices of ready bookings. Each billing flow has a method ``_create_documents_<flow>``.

        :param groups: ``[(bookings in order of time, bookings_invoicing.billing.grouping.Group)]``
        :returns: the documents, for :meth:`bookings.invoice.run._record_documents`
        """
        joined, groups = self._join_drafts(groups)
        if not groups:
            return joined
        moves = self.env["account.move"]
        moves.check_access("create")
        with Together() as together:
            context = {"bookings_together": together, "skip_is_manually_modified": True}
            creating = moves.sudo().with_context(**context)
            moves |= creating.create(
                [
                    # without a value, the column would be NULL until Odoo writes it
                    {**bookings._prepare_invoice(group), "is_manually_modified": False}
                    for bookings, group in groups
                ]
            ).with_env(moves.env)
        billed = self.browse(
            booking_id for bookings, _group in groups for booking_id in bookings.ids
        )
        billed._note_billed()
        # Other addons may write on a draft while it is created, but no user has changed it yet.
        moves.filtered("is_manually_modified").is_manually_modified = False
        return joined | moves

    def _note_billed(self):
        billed = self.sudo()
        billed.filtered(lambda booking: not booking.billed_before).billed_before = True
        again = billed.filtered("bill_again_id")
        again._credited_lines().booking_released = True
        again.bill_again_id = False

    # -- existing drafts ---------------------------------------------------------------------------------

    def _join_drafts(self, groups):
        """Add groups to the existing drafts that a user selected for this.

        :param groups: as in :meth:`_create_documents_invoice`
        :returns: ``(drafts with added lines, groups that need a new draft)``
        """
        wanted = self.env.context.get("bookings_join")
        joined, rest = self.env["account.move"], []
        if type(wanted) is not Joining:
            return joined, groups
        everything = self.browse().concat(*(bookings for bookings, _group in groups))
        drafts = everything._drafts_by_split(list(wanted))
        for bookings, group in groups:
            draft = drafts.get(group.split.normal(), joined.browse())[:1]
            # if another transaction has locked the draft, the bookings get a new one
            draft = draft.try_lock_for_update()
            if draft and draft.state == "draft":
                bookings._join(draft, group.split)
                joined |= draft
            else:
                rest.append((bookings, group))
        return joined, rest

    def _drafts_by_split(self, among=None):
        """Return the drafts of these bookings' payers that were never posted, by the normal form of their split.

        :param among: IDs of the drafts to consider; None for all
        """
        domain = [
            ("move_type", "=", "out_invoice"),
            ("state", "=", "draft"),
            ("posted_before", "=", False),
            ("company_id", "in", self.company_id.ids),
            ("partner_id", "in", self.payer_id.ids),
        ]
        if among is not None:
            domain.append(("id", "in", among))
        return (
            self.env["account.move"].search(domain).grouped(lambda move: _split_of(move).normal())
        )

    def _join(self, draft, split):
        dates = (draft.invoice_line_ids.booking_id | self)._invoice_dates()
        dates.pop("invoice_date", None)  # the draft keeps its own
        dates["delivery_date"] = max(filter(None, (draft.delivery_date, dates["delivery_date"])))
        draft.check_access("write")
        draft.sudo().with_context(skip_is_manually_modified=True).write(
            {"invoice_line_ids": self._prepare_lines(split), **dates}
        )
        self._note_billed()

    # -- actions on billed bookings -------------------------------------------------------------------------

    def action_update_draft(self):
        """Update the draft lines of these bookings with the changes in Bookings.

        :raises UserError: if a booking is not on a draft
        """
        self.check_access("write")
        for booking in self:
            line = booking.invoice_line_ids.filtered("booking_live")
            if booking.status != "drafted" or not line:
                raise UserError(self.env._("%s is not on a draft invoice.", booking.display_name))
            booking._redraft(line.move_id, line)
        return True

    def action_leave_as_billed(self):
        """Record that the invoices remain as they are despite the changes in Bookings."""
        self.check_access("write")
        before = decisions(self)
        for booking in self.filtered("changed_since_billing"):
            texts = (self.env._("The invoice was kept."), booking.pending_text)
            booking.message_post(body=plaintext2html("\n".join(filter(None, texts))))
        self.sudo().changed_since_billing = False
        return changed(self, before, text=self.env._("The invoice was kept."))

    def _redraft(self, move, line):
        """Remove the line from its draft. If the booking can still be billed on that draft, add a new line to it."""
        before = _split_of(move)
        edits = self._edits(line)
        move = move.with_context(skip_is_manually_modified=True)
        runs = self.env["bookings.invoice.run"].sudo().search([("joined_line_ids", "in", line.ids)])
        line.with_context(skip_is_manually_modified=True).unlink()
        self._recompute_status()
        self._recheck_billing()
        if self.status == "ready" and grouping.can_join(before, self._split()):
            values = self._prepare_invoice_line(self._split())
            runs.joined_line_ids |= self._put_on_draft(move, values, edits).sudo()
        elif not move.invoice_line_ids:
            move.unlink()

    def _edits(self, line):
        """Return what a user changed on this line of the booking. See :mod:`.billed_line`.

        :param line: ``account.move.line`` or ``sale.order.line``
        :returns: ``(original values, manual values to keep, message about them)``
        """
        # Lines from before this was stored are compared with what would be prepared today.
        written = line.sudo().booking_written or {
            "name": billed_line.text_digest(self._line_text()),
            "discount": 0.0,
            "tax_ids": sorted(self._line_taxes(self._split()).ids),
        }
        kept = billed_line.changed(line, written, billed_line.KEPT)
        replaced = billed_line.changed(line, written, billed_line.REPLACED)

        def label(name):
            return line._fields[name]._description_string(self.env)

        text = self._edits_text(
            [label(name) for name in kept], {label(name): replaced[name] for name in replaced}
        )
        return written, kept, text

    def _edits_text(self, kept, replaced):
        """Return the message about manual changes when a line is updated from its booking, or "" without any.

        :param list kept: labels of fields whose manual values remain
        :param dict replaced: replaced values by label of the field
        """
        texts = []
        if kept:
            texts.append(self.env._("Manual changes were kept: %s.", ", ".join(kept)))
        if replaced:
            values = (f"{label} {value}" for label, value in replaced.items())
            texts.append(
                self.env._(
                    "Replaced with the current values of the booking: %s.", ", ".join(values)
                )
            )
        if not texts:
            return ""
        return " ".join([f"{self.display_name}:", *texts])

    def _put_on_draft(self, move, values, edits):
        """Add a new line for the booking to the draft, with the manual changes of its previous line.

        :param dict values: values of the invoice line
        :param edits: the result of :meth:`_edits` for the previous line
        :returns: the new line
        """
        written, kept, text = edits
        values = billed_line.with_kept(values, kept)
        move.check_access("write")
        move.sudo().write({"invoice_line_ids": [Command.create(values)]})
        line = move.invoice_line_ids.filtered(lambda one: one.booking_id == self)
        billed_line.note_written(line, written, kept)
        move._bookings_date_again()
        self._tell_edits(move, text)
        return line

    def _tell_edits(self, document, text):
        """Post the message on booking and document, and show it to the user."""
        if not text:
            return
        self.message_post(body=text)
        document.message_post(body=text)
        self.env.user._bus_send(
            "simple_notification",
            {
                "title": document.display_name,
                "message": text,
                "type": "warning",
                "sticky": True,
            },
        )

    # -- crediting -----------------------------------------------------------------------------------------

    def action_prepare_credit(self):
        """Create a draft credit note for this booking's line. When it is posted, the booking becomes ready again."""
        self.ensure_one()
        self.check_access("write")
        return draft_credits(self)._bookings_action()

    def action_bill_again(self):
        """Show what would be credited and drafted again, and the difference."""
        self.check_access("write")
        for booking in self:
            check_can_be_credited(booking)
        check_prepared(self)
        again = if_free(self)
        lines = [Command.create(bill_again_line(booking, *again[booking.id])) for booking in self]
        wizard = self.env["bookings.bill.again"].create(
            {"booking_ids": [Command.set(self.ids)], "line_ids": lines}
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Credit and Bill Again"),
            "res_model": wizard._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }


def _split_of(move):
    """Return the split of an existing draft invoice."""
    return grouping.Split(
        move.company_id.id,
        move.partner_id.id,
        move.currency_id.id,
        move.journal_id.id,
        move.fiscal_position_id.id,
        move.partner_shipping_id.id,
        move.ref or "",
    )
