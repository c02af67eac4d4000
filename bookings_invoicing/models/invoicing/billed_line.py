"""What a person changed on the line of a booking, by what the line was when it was written.

How it works: a line of an invoice or order notes its own facts when it is made (``booking_written``, texts as digests:
they may hold names). What differs from them later was changed by hand. Where the line follows its booking, that stays,
except for what the booking itself decides: what it costs.
"""

from odoo.fields import Command

from ...billing.fingerprint import content_hash

KEPT = ("name", "account_id", "discount", "tax_ids", "analytic_distribution")
REPLACED = ("quantity", "product_uom_qty", "price_unit")


def text_digest(text):
    return content_hash({"text": text or ""})


def facts(line):
    """The facts of a line that a person may change, as JSON.

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
    """Values of what a person changed on the line since it was written, by field name.

    :param dict written: what its facts were
    :param names: :data:`KEPT` or :data:`REPLACED`
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
    """Values of a line, with what a person changed on it before."""
    values = values | kept
    if not kept.keys().isdisjoint(("discount", "tax_ids")):
        values["extra_tax_data"] = False  # amounts of the line as it was prepared
    return values


def note_written(line, before, kept):
    """Note what the line is now as written, but for what a person changed: that stays a change."""
    written = facts(line) | {name: before[name] for name in kept if name in before}
    line.sudo().booking_written = written
