"""Move bookings with their lines when other code moves the lines to another draft.

Merging, splitting, or moving drafts (OCA's *Merge Invoices*, a script) copies lines without their bookings to a new
draft and cancels or deletes the old one in the same transaction. Without this module, the bookings would become ready
again and be billed twice.

How to use: call :func:`note_made` for all new customer invoices, and :func:`hand_over` for lines that have just left
their drafts.

How it works: both are remembered until the end of the transaction, so that their order does not matter. A line is a copy
of another if all fields in :data:`SAME` are equal. With the same quantity, it gets the booking. Combined lines and lines
with a split quantity are refused, because they cannot bill their bookings exactly once.
"""

from dataclasses import dataclass, field

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command

SAME = ("company_id", "name", "product_id", "price_unit", "discount", "tax_ids")


@dataclass
class Memory:
    """The IDs of drafts that were created in one transaction, and the lines that left their drafts in it."""

    transaction: object
    made: set = field(default_factory=set)
    left: list = field(default_factory=list)


@dataclass(frozen=True)
class Left:
    """A line that left its draft: its booking, and the values that identify its copy."""

    booking: object
    key: tuple
    quantity: float
    taken: dict
    reference: str
    document: str


def _memory(env):
    # The cursor and its cache survive a commit. The start time identifies the transaction.
    now = env.cr.now()
    found = env.cr.cache.get(__name__)
    if not found or found.transaction != now:
        found = env.cr.cache[__name__] = Memory(now)
    return found


def _key(line):
    facts = (line[name] for name in SAME)
    return (
        line.move_id.commercial_partner_id.id,
        *(frozenset(fact.ids) if isinstance(fact, models.BaseModel) else fact for fact in facts),
    )


def note_made(moves):
    """Remember new customer invoices of this transaction, which may contain copies of lines that left their drafts."""
    made = moves.filtered(lambda move: move.move_type == "out_invoice")
    if made:
        memory = _memory(moves.env)
        memory.made.update(made.ids)
        if memory.left:
            _match(moves.env, memory)


def describe(lines):
    """Describe lines before they leave their drafts.

    :returns: ``[Left]`` for :func:`hand_over`
    """
    return [
        Left(
            booking=line.booking_id,
            key=_key(line),
            quantity=line.quantity,
            taken={
                "booking_tax_included": line.booking_tax_included,
                "extra_tax_data": line.extra_tax_data,
                "booking_written": line.booking_written,
            },
            reference=line.move_id.ref or "",
            document=line.move_id.display_name,
        )
        for line in lines.sudo()
        if line.booking_live and line.parent_state == "draft"
    ]


def hand_over(env, left):
    """Move the bookings of lines that left their drafts to the copies of these lines, if there are any.

    :param list left: the result of :func:`describe`, which was called before the lines left
    :raises UserError: if lines were combined or split
    """
    if left:
        memory = _memory(env)
        memory.left += left
        if memory.made:
            _match(env, memory)


def _match(env, memory):
    moves = env["account.move"].sudo().browse(memory.made).exists()
    copies = {}
    for line in moves.filtered(lambda move: move.state == "draft").invoice_line_ids:
        if not line.booking_id and line.display_type == "product":
            copies.setdefault(_key(line), []).append(line)
    if not copies:
        return
    waiting, changed = [], moves.browse()
    for one in memory.left:
        found = copies.get(one.key, ())
        copy = next((line for line in found if line.quantity == one.quantity), None)
        if not found or one.booking.sudo().invoice_line_ids.filtered("booking_live"):
            waiting.append(one)
            continue
        if copy is None:
            raise UserError(
                env._(
                    "The line of %(booking)s on %(old)s was combined or split when it moved to another draft. "
                    "Each booking needs its own line: exclude %(old)s from the merge, or remove the booking from "
                    "it first.",
                    booking=one.booking.display_name,
                    old=one.document,
                )
            )
        found.remove(copy)
        _take_over(copy, one)
        changed |= copy.move_id
    memory.left = waiting
    for move in changed:
        move._bookings_date_again()


def _take_over(line, left):
    draft = line.move_id.with_context(skip_is_manually_modified=True)
    draft.write(
        {
            "invoice_line_ids": [
                Command.update(line.id, {"booking_id": left.booking.id, **left.taken})
            ]
        }
    )
    if left.reference and not draft.ref:
        draft.ref = left.reference
