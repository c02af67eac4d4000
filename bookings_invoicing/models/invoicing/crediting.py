"""Credit notes of billed bookings, and new drafts with their current values."""

from odoo import fields
from odoo.exceptions import UserError


def draft_credits(bookings):
    """Create draft credit notes for these bookings' lines, one per invoice, or return those that exist already.

    When a credit note is posted, its bookings become ready.

    :rtype: account.move
    """
    for booking in bookings:
        check_can_be_credited(booking)
    prepared = bookings.filtered(lambda one: one.bill_again_id.state == "draft")
    credits = prepared.bill_again_id
    lines = (bookings - prepared).invoice_line_ids.filtered("booking_live")
    for move in lines.move_id:
        credited = (lines & move.invoice_line_ids).booking_id
        values = {
            "ref": bookings.env._("Reversal of: %s", move.name),
            "invoice_date": fields.Date.context_today(bookings),
        }
        credit = move._reverse_moves([values])
        credit.invoice_line_ids.filtered(
            lambda line, kept=credited: line.booking_id not in kept
        ).unlink()
        credited.sudo().bill_again_id = credit
        credits |= credit
    return credits


def check_can_be_credited(booking):
    """Check that the booking is on a posted invoice and not partly credited.

    :raises UserError: if it is not
    """
    booking.ensure_one()
    line = booking.invoice_line_ids.filtered("booking_live")
    if booking.status != "invoiced" or not line:
        raise UserError(booking.env._("%s is not on a posted invoice.", booking.display_name))
    already = line.sudo()._booking_credit_lines().move_id - booking.bill_again_id
    if already:
        raise UserError(
            booking.env._(
                "%(booking)s is already partly credited by %(refunds)s. Credit the rest on the invoice itself.",
                booking=booking.display_name,
                refunds=", ".join(already.mapped("name")),
            )
        )


def check_prepared(bookings):
    """Check that the draft credit notes of these bookings credit exactly what is billed for them, because they are posted.

    :raises UserError: if one also credits something else, or another amount
    """
    for credit in bookings.bill_again_id.filtered(lambda move: move.state == "draft"):
        lines = credit.invoice_line_ids.filtered(lambda line: line.display_type == "product")
        asked = bookings.filtered(lambda booking, credit=credit: booking.bill_again_id == credit)
        if {line.booking_id.id for line in lines} != set(asked.ids) or any(
            booking.currency_id.compare_amounts(
                booking.billed_amount,
                sum(line._booking_amount() for line in lines if line.booking_id == booking),
            )
            for booking in asked
        ):
            raise UserError(
                bookings.env._(
                    "%(credit)s was prepared for %(bookings)s and has changed since, or also credits other "
                    "bookings. Post or delete it first.",
                    credit=credit.display_name,
                    bookings=", ".join(asked.mapped("display_name")),
                )
            )


def bill_again_line(booking, amount, note):
    """Return the values of the dialog's line for a booking; ``amount`` and ``note`` as from :func:`if_free`."""
    return {
        "booking_id": booking.id,
        "invoice_name": booking.invoice_line_ids.filtered("booking_live").move_id.name,
        "credited": -booking.billed_amount,
        "again": amount,
        "note": note,
    }


def credit_and_bill_again(bookings):
    """Post credit notes for these bookings, as Odoo's "Reverse and Create Invoice" does, and draft the bookings again.

    :returns: ``(credit notes, bookings.invoice.run)``
    :raises UserError: if a credit note that was prepared before credits something else
    """
    check_prepared(bookings)
    credits = draft_credits(bookings)
    credits.action_post()
    return credits, bookings._invoice_all([("id", "in", bookings.ids)])


def if_free(bookings):
    """Return what would be billed if these bookings were on no invoice. The trial is rolled back.

    :returns: ``{booking id: (amount, reason why it cannot be drafted)}``
    """
    with bookings.env.cr.savepoint() as trial:
        free = bookings.sudo()
        free.invoice_line_ids.filtered("booking_live").booking_released = True
        free._recompute_status()
        free._recheck_billing()
        labels = dict(bookings._fields["status"]._description_selection(bookings.env))
        found = {
            booking.id: (booking.amount, "")
            if booking.status == "ready"
            else (0.0, booking.attention_detail or labels[booking.status])
            for booking in free
        }
        bookings.env.flush_all()
        trial.rollback()
    bookings.env.invalidate_all()
    return found
