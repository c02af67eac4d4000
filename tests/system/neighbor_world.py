"""Addons of others beside ours, run by test_neighbors: each scenario on its own, undone afterwards.

The last line of stdout is one JSON object: {scenario: "" or what went wrong}.
"""

import json
import sys
import traceback

from devtools.odoo_process import odoo_environment


class World:
    """A company with a sandbox business that was just synchronized."""

    def __init__(self, env):
        self.env = env
        company = env.company
        if not company.chart_template:
            env["account.chart.template"].try_loading("generic_coa", company, install_demo=False)
        env.ref("base.EUR").active = True
        connection = env["bookings.connection"].create({"name": "Sandbox", "mode": "sandbox"})
        self.template = env["product.template"].create(
            {"name": "T", "type": "service", "taxes_id": company.account_sale_tax_id.ids}
        )
        self.setup = env["bookings.sync.setup"].create(
            {
                "name": "Clinic",
                "connection_id": connection.id,
                "look_back_days": 80,
                "business_id": connection._sandbox_tenant().business_id,
                "customer_sync": "import",
                "customer_template_id": env["res.partner"].create({"name": "Template"}).id,
                "service_sync": "import",
                "service_template_id": self.template.id,
            }
        )
        run = self.setup._sync_run()
        assert run.state in ("done", "partial"), run.error
        self.ready = env["bookings.booking"].search([("status", "=", "ready")], order="start, id")
        self.ready = self.ready.filtered("amount")
        assert len(self.ready) > 10

    @property
    def pair(self):
        """Two bookings, of different days and amounts, that one payer pays."""
        first = self.ready[0]
        second = self.ready.filtered(
            lambda b: b.amount != first.amount and b.start.date() != first.start.date()
        )[0]
        second.customer_id.payer_id = first.payer_id
        assert second.payer_id == first.payer_id
        return first | second

    def drafts(self, bookings, **settings):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", bookings.ids)], **settings)
        assert not run.left_out_ids, run.result
        return run

    def merge(self, moves):
        """What a person does in OCA's wizard."""
        wizard = self.env["invoice.merge"].with_context(
            active_model="account.move", active_ids=moves.ids
        )
        before = self.env["account.move"].search([], order="id desc", limit=1).id
        wizard.create({}).merge_invoices()
        return self.env["account.move"].search([("id", ">", before)])

    def both_flows(self, check):
        """A check in the flow of drafts, and in that of orders, undone in between."""
        for flow in ("invoice", "sale"):
            with self.env.cr.savepoint() as savepoint:
                self.setup.billing_flow = flow
                check()
                savepoint.rollback()
            self.env.invalidate_all()

    def invoices(self, bookings, **settings):
        """Draft invoices of these bookings in the setup's flow, with the run."""
        run = self.drafts(bookings, **settings)
        if self.setup.billing_flow == "sale":
            for order in run.order_ids:
                order._create_invoices()
            return run.order_ids.invoice_ids
        return run.move_ids


def merge(world):
    """Merged drafts bill each booking once."""

    def check():
        pair = world.pair
        agreed = sum(pair.mapped("amount"))
        old = world.invoices(pair, grouping="booking")
        assert len(old) == 2, old
        merged = world.merge(old)
        assert set(old.mapped("state")) == {"cancel"} and len(merged) == 1
        assert set(pair.mapped("status")) == {"drafted"}, pair.mapped("status")
        assert pair.invoice_line_ids.filtered("booking_live").move_id == merged
        first, last = pair._service_period()
        assert (merged.bookings_service_start, merged.bookings_service_stop) == (first, last)
        assert merged.delivery_date == last
        assert not world.env["bookings.booking"]._invoice_all([("id", "in", pair.ids)]).move_ids
        merged.action_post()
        assert set(pair.mapped("status")) == {"invoiced"}
        assert abs(sum(pair.mapped("billed_amount")) - agreed) < 0.005

    world.both_flows(check)


def merge_equal_lines(world):
    """Lines that would fall into one are refused, and nothing is lost."""
    from odoo.exceptions import UserError

    pair = world.pair
    old = world.drafts(pair, grouping="booking").move_ids
    old.invoice_line_ids.product_id = old.invoice_line_ids[:1].product_id
    old.invoice_line_ids.write({"name": "Same", "price_unit": 10.0, "quantity": 1.0})
    try:
        with world.env.cr.savepoint():
            world.merge(old)
    except UserError as error:
        assert "combined" in str(error), error
    else:
        raise AssertionError("merged")
    assert set(pair.mapped("status")) == {"drafted"}
    assert set(old.mapped("state")) == {"draft"}


def start_end_dates(world):
    """A line has the day of its service, also where its product must have dates."""

    def check():
        pair = world.pair
        pair.product_id.must_have_dates = True
        moves = world.invoices(pair)
        for line in moves.invoice_line_ids.filtered("booking_id"):
            day = line.booking_id._service_period()
            assert (line.start_date, line.end_date) == day, (line.start_date, line.end_date, day)
        moves.action_post()
        assert set(moves.mapped("state")) == {"posted"}
        refund = moves._reverse_moves()
        refund.action_post()
        assert refund.invoice_line_ids.mapped("start_date")

    world.both_flows(check)


def tier_validation(world):
    """Drafts under review stay, approved ones are confirmed, and what is not approved is named."""
    definition = world.env["tier.definition"].create(
        {
            "model_id": world.env.ref("account.model_account_move").id,
            "review_type": "individual",
            "reviewer_id": world.env.ref("base.user_admin").id,
            "definition_domain": "[('move_type', '=', 'out_invoice')]",
        }
    )
    assert definition
    run = world.drafts(world.pair, grouping="booking")
    approved, waiting = run.move_ids
    approved.request_validation()
    approved.invalidate_recordset()
    approved.review_ids.invalidate_recordset()
    approved.with_user(definition.reviewer_id).validate_tier()
    approved.invalidate_recordset()
    waiting.request_validation()
    assert approved.validation_status == "validated", approved.validation_status
    said = run.action_undo()["params"]["message"]
    assert len(run.move_ids.exists()) == 2 and "review" in said, said
    run.action_post_all()
    assert (approved.state, waiting.state) == ("posted", "draft")
    assert waiting.display_name in (run.not_confirmed or ""), run.not_confirmed


def chronology(world):
    """Invoices of different dates are confirmed in order of their dates."""
    journals = world.env["account.journal"].search([("type", "=", "sale")])
    journals.check_chronology = True
    world.setup.invoice_date_policy = "last_service"
    pair = world.pair
    run = world.drafts(pair.sorted("start", reverse=True), grouping="booking")
    assert len(set(run.move_ids.mapped("invoice_date"))) == 2
    run.action_post_all()
    assert set(run.move_ids.mapped("state")) == {"posted"}, run.not_confirmed


def whole_life(world):
    """Draft, update, undo, confirm, credit, in both flows, with everything installed and audit rules on."""
    for model in ("account.move", "account.move.line", "bookings.booking"):
        world.env["auditlog.rule"].create(
            {
                "name": model,
                "model_id": world.env["ir.model"]._get_id(model),
                "log_read": False,
                "log_create": True,
                "log_write": True,
                "log_unlink": True,
                "log_type": "full",
                "state": "confirmed",
            }
        )
    whole_life_unaudited(world)


def whole_life_unaudited(world):
    """Draft, update, undo, confirm, credit, in both flows."""

    def check():
        pair = world.pair
        said = world.drafts(pair).action_undo()["params"]
        assert set(pair.mapped("status")) == {"ready"}, said
        moves = world.invoices(pair)
        if world.setup.billing_flow == "invoice":
            pair[:1].action_update_draft()
        moves.action_post()
        assert set(pair.mapped("status")) == {"invoiced"}
        refund = moves._reverse_moves()
        refund.action_post()
        assert set(pair.mapped("status")) <= {"attention", "invoiced"}, pair.mapped("status")
        assert not any(pair.mapped("billed_amount"))

    world.both_flows(check)


def commission(world):
    """The payer's agents get their commission from lines of bookings."""
    pair = world.pair
    agent = world.env["res.partner"].create({"name": "Agent", "agent": True})
    agent.commission_id = world.env["commission"].create(
        {"name": "Ten percent", "commission_type": "fixed", "fix_qty": 10.0}
    )
    pair.payer_id.commission_agent_ids = agent
    move = world.drafts(pair).move_ids
    assert move.invoice_line_ids.agent_ids.agent_id == agent
    move.action_post()


def contract(world):
    """An invoice of a contract for the same payer bills no booking and is billed by none."""
    pair = world.pair
    values = {
        "name": "Support",
        "partner_id": pair.payer_id.id,
        "line_recurrence": False,
        "contract_line_ids": [
            (0, 0, {"product_id": pair[:1].product_id.id, "name": "Month", "quantity": 1})
        ],
    }
    made = world.env["contract.contract"].create(values)
    made.recurring_create_invoice()
    assert set(pair.mapped("status")) == {"ready"}
    moves = world.drafts(pair).move_ids
    assert not moves & made._get_related_invoices()
    moves.action_post()
    assert set(pair.mapped("status")) == {"invoiced"}


def discounts(world):
    """A discount that another addon adds to the draft changes its total, not what is agreed; the draft says so."""
    pair = world.pair
    run = world.drafts(pair)
    line = run.move_ids.invoice_line_ids[:1]
    line.discount_fixed = 1.0
    line.discount = line._get_discount_from_fixed_discount()
    booking = line.booking_id
    assert run.move_ids._bookings_undo_reason(run), "changed by a person"
    run.move_ids.action_post()
    assert booking.billed_amount < booking.amount, (
        line.price_subtotal,
        line.discount,
        booking.amount,
    )


SCENARIOS = (
    merge,
    merge_equal_lines,
    start_end_dates,
    tier_validation,
    chronology,
    whole_life,
    commission,
    contract,
    discounts,
)


def main(database, *names):
    results = {}
    chosen = [globals()[name] for name in names] or SCENARIOS
    with odoo_environment(database) as env:
        world = World(env)
        for scenario in chosen:
            savepoint = env.cr.savepoint()
            try:
                scenario(world)
                results[scenario.__name__] = ""
            except Exception:
                results[scenario.__name__] = traceback.format_exc()
            savepoint.close(rollback=True)
            env.invalidate_all()
        env.cr.rollback()
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
