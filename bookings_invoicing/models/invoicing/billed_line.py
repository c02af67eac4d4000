"""Detect what a user changed on the line of a booking since the line was created.

How it works: an invoice or order line stores its values on creation (``booking_written``; texts as digests, because they
may contain names). Later differences are manual changes. When the line is updated from its booking, manual changes
remain, except for the price and quantity, which the booking determines.
"""

from odoo.fields import Command

from ...billing.digest import content_hash

KEPT = ("name", "account_id", "discount", "tax_ids", "analytic_distribution")
REPLACED = ("quantity", "product_uom_qty", "price_unit")


def text_digest(text):
    return content_hash({"text": text or ""})


def facts(line):
    """Return the values of a line that a user can change, for JSON.

    :param line: ``account.move.line`` or ``sale.order.line``
    """
    found = {
        "name": text_digest(line.name),
        "tax_ids": sorted(line.tax_ids.ids),
        "analytic_distribution": line.analytic_distribution or {},
    }
    names = ("discount", "account_id", *REPLACED)
    values = line._convert_to_write({name: line[name] for name in names if name in line._fields})
    return found | values


def changed(line, written, names):
    """Return the current values of the fields that a user changed since the line was created, by field name.

    :param dict written: the original values, from :func:`facts`
    :param names: the fields to compare: :data:`KEPT` or :data:`REPLACED`
    """
    now = facts(line)
    differing = [
        name for name in names if name in now and now[name] != written.get(name, now[name])
    ]
    values = line._convert_to_write({name: line[name] for name in differing})
    if "tax_ids" in values:
        values["tax_ids"] = [Command.set(line.tax_ids.ids)]
    return values


def with_kept(values, kept):
    """Return the values of a new line with the manual changes of the previous one."""
    values = values | kept
    if not kept.keys().isdisjoint(("discount", "tax_ids")):
        values["extra_tax_data"] = False  # its amounts do not match the manual changes
    return values


def note_written(line, before, kept):
    """Store the line's current values as the original ones. Manual changes in ``kept`` continue to count as changes.

    :param dict before: original values of the previous line
    """
    written = facts(line) | {name: before[name] for name in kept if name in before}
    line.sudo().booking_written = written
