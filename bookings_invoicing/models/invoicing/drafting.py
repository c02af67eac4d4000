from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command, Domain
from odoo.tools import plaintext2html

from ...billing import grouping
from . import billed_line

AT_ONCE = 500  # drafts; more become a queued run


class Joining(frozenset):
    """Ids of the drafts that a run may add to, as value of the context key ``bookings_join``: no call can send it."""


class BookingsBooking(models.Model):
    """From bookings to drafts: claim, check again, group, create, all in one transaction; and what follows a change.

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
        return self._invoice_or_queue(self._payers_domain())._result_action()

    def action_preview_payer(self):
        """Preview the invoices of all ready bookings of these bookings' payers."""
        return self._preview_action("payer")

    def action_preview_ready(self):
        """Preview the invoices of all that is ready in the companies switched on, whatever is selected."""
        return self._preview_action("ready")

    def _preview_action(self, scope):
        self._check_may_invoice()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "bookings_invoicing.booking_action_preview"
        )
        context = {"active_model": self._name, "active_ids": self.ids, "bookings_scope": scope}
        return {**action, "context": context}

    def _payers_domain(self):
        """All ready bookings of these bookings' payers, each in its company."""
        return Domain("status", "=", "ready") & Domain.OR(
            Domain("payer_id", "=", booking.payer_id.id)
            & Domain("company_id", "=", booking.company_id.id)
            for booking in self
        )

    def _check_may_invoice(self):
        self.env["bookings.invoice.run"]._check_may_bill()
        if not self.env["account.move"].has_access("create"):
            raise AccessError(self.env._("You need the right to create invoices."))

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
        run._leave_out(self - claimed, self.env._("Another user is working on it."))
        billable = claimed._billable(run)
        for company, bookings in billable.grouped("company_id").items():
            run._draft(bookings.with_company(company), settings)

    def _claim(self):
        """Those bookings that nobody else works on, locked for this transaction."""
        claimed = self.try_lock_for_update(allow_referencing=True)
        claimed.invalidate_recordset()
        return claimed

    def _billable(self, run):
        """Those that are ready now, by facts looked at again; the others are left out with their reason."""
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
        """Draft invoices of bookings that are ready; each billing flow has its method of this name.

        :param groups: ``[(bookings in order of time, bookings_invoicing.billing.grouping.Group)]``
        :returns: what was made; :meth:`bookings.invoice.run._record_documents` keeps it
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

    # -- what a person does about a booking that is billed --------------------------------------------------

    def action_update_draft(self):
        """Let the lines on drafts follow what changed in Bookings since."""
        self.check_access("write")
        for booking in self:
            line = booking.invoice_line_ids.filtered("booking_live")
            if booking.status != "drafted" or not line:
                raise UserError(self.env._("%s is not on a draft invoice.", booking.display_name))
            booking._redraft(line.move_id, line)
        return True

    def action_leave_as_billed(self):
        """Say that the invoice stays as it is, whatever changed in Bookings since."""
        self.check_access("write")
        for booking in self.filtered("changed_since_billing"):
            texts = (self.env._("The invoice was kept."), booking.pending_text)
            booking.message_post(body=plaintext2html("\n".join(filter(None, texts))))
        self.sudo().changed_since_billing = False
        return True

    def _redraft(self, move, line):
        """Take the line off its draft and, if the booking can still be billed on it, put it there anew."""
        before = grouping.Split(
            move.company_id.id,
            move.partner_id.id,
            move.currency_id.id,
            move.journal_id.id,
            move.fiscal_position_id.id,
            move.partner_shipping_id.id,
            move.ref or "",
        )
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
        """What a person changed on this line of the booking, see :mod:`.billed_line`.

        :param line: ``account.move.line`` or ``sale.order.line``
        :returns: what it was when it was written, values to keep, and what is to be said
        """
        # Of a line made before this was noted: what would be prepared today.
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
        """What is said about changes by hand when a line follows its booking; empty where there were none.

        :param kept: labels
        :param dict replaced: values by label
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
        """Put the booking on the draft anew, with what a person had changed on its line before.

        :param dict values: of the invoice line
        :param edits: from :meth:`_edits`, of the line that was there
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
        """Say it on booking and document, and to who pressed the button."""
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

    def action_prepare_credit(self):
        """Draft a credit note of this booking's line; once confirmed, the booking is ready for a new draft."""
        self.ensure_one()
        self.check_access("write")
        line = self.invoice_line_ids.filtered("booking_live")
        if self.status != "invoiced" or not line:
            raise UserError(self.env._("%s is not on a posted invoice.", self.display_name))
        if self.bill_again_id.state == "draft":
            return self.bill_again_id._bookings_action()
        if already := line.sudo()._booking_credit_lines().move_id:
            raise UserError(
                self.env._(
                    "%(booking)s is already partly credited by %(refunds)s. Credit the rest on the invoice itself.",
                    booking=self.display_name,
                    refunds=", ".join(already.mapped("name")),
                )
            )
        move = line.move_id
        credit = move._reverse_moves(
            [
                {
                    "ref": self.env._("Reversal of: %s", move.name),
                    "invoice_date": fields.Date.context_today(self),
                }
            ]
        )
        credit.invoice_line_ids.filtered(lambda other: other.booking_id != self).unlink()
        self.sudo().bill_again_id = credit
        return credit._bookings_action()
