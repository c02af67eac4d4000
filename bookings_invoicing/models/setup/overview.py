"""The accountant's overview: open work of each setup, with its amounts and next steps."""

from odoo.fields import Domain
from odoo.tools.safe_eval import safe_eval

from ...billing.status import ATTENTION_REASONS, BILLED
from ..base.titles import titled

# Statuses that each row of the overview counts. One more row counts bookings that changed since billing.
ROWS = {
    "ready": ("ready",),
    "attention": ("attention",),
    "drafted": tuple(status for status in BILLED if status != "invoiced"),
    "upcoming": ("upcoming",),
}
CHANGED = Domain("changed_since_billing", "=", True)


def overview_of(setups):
    """Return counts and amounts of each row by setup, with two grouped queries for all setups.

    ``{row: {"count": 3, "text": "3 ready", "amount": "$ 120.00", "detail": "Price Missing: 2"}}``. Rows without
    bookings are left out.
    """
    found = {setup: {} for setup in setups}
    reasons = {setup: {} for setup in setups}
    rows = {status: row for row, statuses in ROWS.items() for status in statuses}
    mine = Domain("setup_id", "in", setups.ids)
    bookings = setups.env["bookings.booking"]
    for setup, status, reason, currency, count, amount in bookings._read_group(
        mine & Domain("status", "in", list(rows)),
        ["setup_id", "status", "attention_reason", "currency_id"],
        ["__count", "amount:sum"],
    ):
        _add_to_row(found[setup], rows[status], count, currency, amount)
        if reason:
            reasons[setup][reason] = reasons[setup].get(reason, 0) + count
    for setup, currency, count, amount in bookings._read_group(
        mine & CHANGED, ["setup_id", "currency_id"], ["__count", "amount:sum"]
    ):
        _add_to_row(found[setup], "changed", count, currency, amount)
    labels = dict(bookings._fields["attention_reason"]._description_selection(setups.env))
    overviews = {}
    for setup in setups:
        overview = {row: _row_texts(setup, row, *sums) for row, sums in found[setup].items()}
        if "attention" in overview:
            overview["attention"]["detail"] = ", ".join(
                setup.env._(
                    "%(what)s: %(count)s", what=labels[reason], count=reasons[setup][reason]
                )
                for reason, _label in ATTENTION_REASONS
                if reason in reasons[setup]
            )
        overviews[setup] = overview
    return overviews


def _add_to_row(found, row, count, currency, amount):
    before, amounts = found.get(row, (0, {}))
    found[row] = (before + count, amounts | {currency: amounts.get(currency, 0.0) + amount})


def money_text(amounts):
    """Return amounts by currency as text; a business that changed its currency has bookings in both."""
    return " + ".join(currency.format(amount) for currency, amount in amounts.items())


def _row_texts(setup, row, count, amounts):
    texts = {
        "ready": setup.env._("%s ready", count),
        "attention": setup.env._("%s need attention", count),
        "changed": setup.env._("%s changed since billing", count),
        "drafted": setup.env._("%s on drafts", count),
        "upcoming": setup.env._("%s not yet ended", count),
    }
    return {"count": count, "text": texts[row], "amount": money_text(amounts)}


def open_bookings(setups, which):
    """Return the action that opens these bookings of the setups.

    :param Domain which:
    """
    setups.check_access("read")
    action = setups.env["ir.actions.act_window"]._for_xml_id(
        "bookings_invoicing.booking_action_all"
    )
    domain = Domain("setup_id", "in", setups.ids) & which
    context = safe_eval(action["context"] or "{}")
    return {**titled(action, setups[:1].name), "domain": list(domain), "context": context}
