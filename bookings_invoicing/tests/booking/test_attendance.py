from odoo.tests import tagged

from ..common import BookingsCase


@tagged("post_install", "-at_install")
class TestSyncLabels(BookingsCase):
    """Label rules: what each outcome makes of a booking, and what happens when rule or label change later."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fee_product = cls.env["product.product"].create({"name": "Fee", "type": "service"})
        cls.setup.fee_product_id = cls.fee_product
        cls.sync()
        cls.booking = cls.env["bookings.booking"].search(
            [
                ("setup_id", "=", cls.setup.id),
                ("status", "=", "ready"),
                ("price", ">", 0),
                ("price_type", "=", "fixedPrice"),
            ]
        )[:1]
        cls.price = cls.booking.amount
        cls.payer = cls.env["res.partner"].create({"name": "Contoso"})

    def _rule(self, outcome, text="Special", **values):
        return self.env["bookings.label.rule"].create(
            {"setup_id": self.setup.id, "text": text, "outcome": outcome, **values}
        )

    def _label(self, text, booking=None):
        booking = booking or self.booking
        self.change(op="label", appointment=booking.appointment_id, label=text)
        self.assertEqual(self.sync().state, "done")

    def _seen(self):
        booking = self.booking
        return {
            "status": booking.status,
            "reason": booking.not_billable_reason or booking.attention_reason or None,
            "amount": booking.amount,
            "product": "fee" if booking.product_id == self.fee_product else "service",
            "payer": booking.payer_id.name,
            "attendance": booking.attendance,
        }

    def _outcomes(self):
        """``(values of the rule, what it changes)`` for each outcome."""
        return [
            (
                {"outcome": "not_billable", "reason": "waived"},
                {"status": "not_billable", "reason": "waived"},
            ),
            ({"outcome": "not_billable"}, {"status": "not_billable", "reason": "label"}),
            (
                {"outcome": "no_show"},
                {"status": "not_billable", "reason": "no_show", "attendance": "no_show"},
            ),
            ({"outcome": "free"}, {"status": "not_billable", "reason": "free"}),
            (
                {"outcome": "fee", "fee_kind": "amount", "fee_value": 19.5},
                {"amount": 19.5, "product": "fee"},
            ),
            (
                {"outcome": "fee", "fee_kind": "percent", "fee_value": 30},
                {"amount": round(self.price * 0.3, 2), "product": "fee"},
            ),
            ({"outcome": "payer", "payer_id": self.payer.id}, {"payer": "Contoso"}),
            ({"outcome": "attention"}, {"status": "attention", "reason": "label"}),
        ]

    def test_outcomes_come_with_the_label_and_go_with_it(self):
        """Each outcome by sync; a label that is taken away leaves the booking as it was."""
        before = self._seen()
        for values, expected in self._outcomes():
            with self.subTest(values):
                rule = self._rule(**values)
                self._label(" sPECIAL ")
                self.assertEqual(self._seen(), before | expected)
                self._label(None)
                self.assertEqual(self._seen(), before)
                rule.unlink()

    def test_one_rule_changed_again_and_again(self):
        """Changed, the rule counts at once for what is not billed; renamed or removed, it counts no more."""
        before = self._seen()
        rule = self._rule("attention")
        self._label("Special")
        for values, expected in self._outcomes():
            with self.subTest(values):
                rule.write({"reason": "label", **values})
                self.assertEqual(self._seen(), before | expected)
        rule.text = "Other"
        self.assertEqual(self._seen(), before)
        rule.write({"text": "spec", "match": "contains"})
        self.assertEqual(self._seen(), before | {"status": "attention", "reason": "label"})
        rule.unlink()
        self.assertEqual(self._seen(), before)

    def test_removed_with_its_outcome(self):
        """A rule that is removed leaves nothing of what it said, whatever it said."""
        before = self._seen()
        self._label("Special")
        for values, expected in self._outcomes():
            with self.subTest(values):
                rule = self._rule(**values)
                self.assertEqual(self._seen(), before | expected)
                rule.unlink()
                self.assertEqual(self._seen(), before)

    def test_first_rule_met_wins(self):
        first = self._rule("free", text="special", match="contains", sequence=1)
        second = self._rule("attention", text="Very special", sequence=2)
        self._label("Very special")
        self.assertEqual(self.booking.label_rule_id, first)
        (first + second).write({"sequence": 3})
        second.sequence = 1
        self.assertEqual(self.booking.label_rule_id, second)

    def test_no_show_with_fee(self):
        """The fee of the setup, an amount or per cent of the price, with the fee product; changed, it is followed."""
        self.setup.write({"no_show_fee_kind": "amount", "no_show_fee": 25})
        self._rule("no_show")
        self._label("Special")
        before = self._seen()
        self.assertEqual(
            (before["status"], before["amount"], before["product"]), ("ready", 25, "fee")
        )
        self.setup.write({"no_show_fee_kind": "percent", "no_show_fee": 100})
        self.assertEqual(self.booking.amount, self.price)

    def test_a_persons_word_counts_more(self):
        self.booking.action_came()
        before = self._seen()
        self._rule("no_show")
        self._label("Special")
        self.assertEqual(self._seen(), before)

    def test_what_is_settled_stays_settled_until_the_rule_is_another(self):
        rule = self._rule("attention")
        self._label("Special")
        self.booking.action_settle_label()
        self.sync()
        self.assertEqual(self.booking.status, "ready")
        rule.note = "Ask twice"
        self.assertEqual(self.booking.status, "ready")
        self._rule("attention", text="Other")
        self._label("Other")
        self.assertEqual(self.booking.status, "attention")

    def test_billed_bookings_do_not_follow_rules(self):
        self.booking.action_create_invoices()
        self.assertEqual(self.booking.status, "drafted")
        before = self._seen()
        lines = self.booking.invoice_line_ids.mapped("price_subtotal")
        rule = self._rule("fee", fee_kind="amount", fee_value=5)
        self._label("Special")
        self.assertEqual(self._seen(), before)
        rule.write({"outcome": "free"})
        self.assertEqual(self._seen(), before)
        self.assertEqual(self.booking.invoice_line_ids.mapped("price_subtotal"), lines)
        self.booking.move_ids.unlink()
        self.booking.action_create_invoices()
        self.assertEqual(self.booking.status, "not_billable")
        self.assertFalse(self.booking.invoice_line_ids)
