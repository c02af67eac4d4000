"""Queries of what people do with invoices that bill no booking; started by test_invoicing_cost.

Run as ``python -m tests.system.plain_invoices DATABASE [NUMBER ...]`` in the environment of ./dev. The last line of stdout
is one JSON object: ``{number of invoices: {step: queries}}``. Everything is undone.
"""

import json
import sys

from devtools.odoo_process import odoo_environment


class Steps:
    """A life of invoices, step by step; each step begins with empty caches."""

    def __init__(self, env, number):
        company = env.ref("base.main_company")
        if not company.chart_template:
            env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
        self.env, self.number = env(context={"allowed_company_ids": company.ids}), number
        self.partner = self.env["res.partner"].create({"name": "Customer"})
        self.product = self.env["product.product"].create({"name": "Thing", "type": "consu"})
        self.moves = self.env["account.move"]

    def counted(self):
        return {name: self._count(name) for name in STEPS}

    def _count(self, name):
        self.env.cr.flush()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        getattr(self, name)()
        self.env.flush_all()
        self.env.cr.flush()
        return self.env.cr.sql_log_count - before

    def create(self):
        line = {"product_id": self.product.id, "quantity": 2.0, "price_unit": 50.0}
        self.moves = self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": self.partner.id,
                    "invoice_line_ids": [(0, 0, line), (0, 0, line)],
                }
                for _number in range(self.number)
            ]
        )

    def change(self):
        for move in self.moves:
            move.invoice_line_ids[0].price_unit = 60.0

    def confirm(self):
        self.moves.action_post()

    def reset(self):
        self.moves.button_draft()

    def cancel(self):
        self.moves.button_cancel()

    def revive(self):
        self.moves.button_draft()

    def confirm_again(self):
        self.moves.action_post()

    def pay(self):
        self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=self.moves.ids
        ).create({})._create_payments()

    def credit(self):
        self.moves._reverse_moves([{} for _move in self.moves]).action_post()

    def copy_and_delete(self):
        self.moves.copy().unlink()


STEPS = (
    *("create", "change", "confirm", "reset", "cancel", "revive"),
    *("confirm_again", "pay", "credit", "copy_and_delete"),
)


def measure(env, number):
    try:
        return Steps(env, number).counted()
    finally:
        env.cr.rollback()
        env.transaction.reset()


if __name__ == "__main__":
    database, *numbers = sys.argv[1:]
    with odoo_environment(database, "error") as environment:
        measure(environment, 1)  # what is cached for good is cached now
        found = {number: measure(environment, int(number)) for number in numbers or ("1", "20")}
    print(json.dumps(found), flush=True)
