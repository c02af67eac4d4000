"""The main workflow on a fresh database: connect, sync, list, draft. ``./dev demo`` runs it."""

import argparse
import json
import sys
import time
from collections import Counter

from .odoo_process import odoo_environment

COUNTED = ("ready", "attention", "upcoming", "not_billable", "cancelled")


def main(argv=None):
    """Run the workflow and print a table; with --json, also print a JSON object as the last line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--started", type=float, default=time.time())
    args = parser.parse_args(argv)
    with odoo_environment(args.database) as env:
        env = env(user=env.ref("base.user_admin"))
        setup = connect(env)
        partners = env["res.partner"].search_count([])
        setup.action_sync_now()
        created = env["res.partner"].search_count([]) - partners
        bookings = env["bookings.booking"].search([("setup_id", "=", setup.id)])
        statuses = Counter(bookings.mapped("status"))
        ready = bookings.filtered(lambda booking: booking.status == "ready")
        ready.action_create_invoices()
        moves = ready.mapped("move_ids")
        report = {
            "bookings": len(bookings),
            "customers_created": created,
            **{status: statuses[status] for status in COUNTED},
            "drafts": len(moves),
            "drafted_bookings": len(bookings.filtered(lambda b: b.status == "drafted")),
            "amount_by_currency": totals(moves),
            "seconds": round(time.time() - args.started, 1),
        }
        print_table(setup, bookings, moves, report)
    if args.json:
        print(json.dumps(report), flush=True)
    return 0


def connect(env):
    """Create a sandbox connection with templates, and return the sync setup of its business."""
    company = env.company
    euro = env.ref("base.EUR")
    euro.active = True
    company.write({"name": "Riverside Advisers", "currency_id": euro.id})
    # Patients are taxed where they are treated. Otherwise, most invoices would lose their tax and ask to be checked.
    env["account.fiscal.position"].search([("country_id", "=", False)]).auto_apply = False
    connection = env["bookings.connection"].create(
        {"name": "Sandbox tenant", "mode": "sandbox", "company_id": company.id}
    )
    connection.action_test()
    business = connection._client().businesses()[0]
    customer_template = env["res.partner"].create(
        {
            "name": "Template: Bookings customer",
            "property_payment_term_id": env.ref("account.account_payment_term_30days").id,
            "category_id": [(0, 0, {"name": "Bookings"})],
        }
    )
    service_template = env["product.template"].create(
        {"name": "Template: Bookings service", "type": "service"}
    )
    return env["bookings.sync.setup"].create(
        {
            "name": business.name,
            "connection_id": connection.id,
            "company_id": company.id,
            "business_id": business.id,
            "customer_sync": "import",
            "service_sync": "import",
            # All data of the sandbox, so that the figures are those of the tenant.
            "look_back_days": 80,
            "look_ahead_days": 30,
            "customer_template_id": customer_template.id,
            "service_template_id": service_template.id,
        }
    )


def totals(moves):
    """Return the sum of the totals of invoices by currency: ``{name: amount}``."""
    sums = {}
    for currency, group in moves.grouped("currency_id").items():
        sums[currency.name] = currency.round(sum(group.mapped("amount_total")))
    return sums


def print_table(setup, bookings, moves, report):
    """Print the result for the user."""
    days = [
        f"{day:%d %b %Y}" for day in (min(bookings.mapped("start")), max(bookings.mapped("stop")))
    ]
    print(f"\n{setup.name}: {report['bookings']} bookings, {days[0]} to {days[1]}")
    print(f"{report['customers_created']} customers created, {len(setup.service_ids)} services\n")
    for status in COUNTED:
        print(f"  {status.replace('_', ' '):<14}{report[status]:>6}")
    reasons = Counter(
        bookings.filtered(lambda b: b.status == "attention").mapped("attention_reason")
    )
    for reason, count in reasons.most_common():
        print(f"    {'needs':<6}{reason:<20}{count:>4}")
    print(f"\n{report['drafts']} draft invoices for {report['drafted_bookings']} bookings")
    print(f"  {'customer':<34}{'bookings':>9}{'total':>14}")
    for move in moves.sorted("amount_total", reverse=True)[:12]:
        name = (move.partner_id.display_name or "")[:32]
        amount = f"{move.amount_total:,.2f} {move.currency_id.name}"
        print(f"  {name:<34}{len(move.booking_ids):>9}{amount:>14}")
    if len(moves) > 12:
        print(f"  ... and {len(moves) - 12} more")
    for currency, amount in report["amount_by_currency"].items():
        print(f"  {'all':<34}{report['drafted_bookings']:>9}{f'{amount:,.2f} {currency}':>14}")
    print(flush=True)


if __name__ == "__main__":
    sys.exit(main())
