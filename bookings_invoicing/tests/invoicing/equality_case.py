"""Drafts of bookings are what a plain ``account.move.create`` of equal invoices makes.

The same invoices are made from bookings and by ``create(vals_list)`` in its default context, each time undone. Every
stored field of moves, lines, analytic lines, messages, tracking values and followers is compared, by introspection, and
which columns are NULL, because Odoo reads that as False or 0. What is left out is named here, with the reason.
"""

from odoo.fields import Command
from odoo.tools import SQL

from .test_ledger import LedgerCase

LEFT_OUT = {
    "account.move": {
        "bookings_service_start": "only bookings give it",
        "bookings_service_stop": "only bookings give it",
        "access_token": "drawn by lot for each invoice that is sent",
    },
    "account.move.line": {
        "booking_id": "only bookings give it",
        "booking_live": "follows from the booking",
        "booking_released": "follows from the booking",
        "booking_tax_included": "follows from the booking",
        "booking_written": "what the line of a booking was when it was written",
    },
    "account.analytic.line": {},
    "mail.message": {"message_id": "drawn by lot for each message"},
    "mail.tracking.value": {},
    "mail.followers": {},
    "mail.notification": {},
    "mail.mail": {
        "body_html": "its links hold the access token",
        "references": "hold the drawn message_id",
        "headers": "hold the id of the draft",
    },
}
OF_EVERY_MAKING = {
    "id": "counted by the database; what is new is compared by its rank",
    "create_date": "the time of the making",
    "write_date": "the time of the making",
}
# Given by bookings beside the lines, though Odoo finds the same: see _prepare_lines.
GIVEN_AHEAD = ("balance", "amount_currency", "tax_tag_ids")
# What nobody types and Odoo does not fill in.
NOT_TYPED = {
    "delivery_date": "the last day of service",
}
NULL = " is NULL"


class EqualityCase(LedgerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Odoo's tests switch chatter and tracking off by context; here they are what is looked at.
        cls.env = cls.env(context={"allowed_company_ids": cls.company.ids})
        cls.setup.price_tax = "excluded"
        cls.some = cls.ready[:12].with_env(cls.env)
        cls.some[:4].payer_id = cls.some[0].payer_id
        cls.some[4:6].payer_id = cls.some[4].payer_id

    # -- the ways ----------------------------------------------------------------------------------

    def _ours(self):
        run = self.env["bookings.booking"]._invoice_all([("id", "in", self.some.ids)])
        self.assertFalse(run.left_out_ids, run.result)
        return run.move_ids.sorted("id")

    def _plain(self):
        """The same invoices without what only bookings give."""
        return self.env["account.move"].create(self._values())

    def _values(self):
        own = {*LEFT_OUT["account.move"], *LEFT_OUT["account.move.line"], *GIVEN_AHEAD}

        def foreign(values):
            return {name: value for name, value in values.items() if name not in own}

        found = []
        for bookings, group in self.some._grouped({}):
            values = foreign(bookings._prepare_invoice(group))
            values["invoice_line_ids"] = [
                Command.create(foreign(line)) for _create, _id, line in values["invoice_line_ids"]
            ]
            found.append(values)
        return found

    def _typed(self):
        """No more than a person types: who, what, how much."""
        typed = ("product_id", "name", "quantity", "price_unit")
        return self.env["account.move"].create(
            [
                {
                    "move_type": "out_invoice",
                    "partner_id": values["partner_id"],
                    "invoice_line_ids": [
                        Command.create({name: line[name] for name in typed})
                        for _create, _id, line in values["invoice_line_ids"]
                    ],
                }
                for values in self._values()
            ]
        )

    # -- what they made ----------------------------------------------------------------------------

    def _made(self, way):
        """``{(stage, model): [{stored field: value} of each new record]}``, drafted and confirmed; nothing is kept."""
        self.env.flush_all()
        self.env.invalidate_all()
        with self.env.cr.savepoint() as trial:
            self._newest = {model: self._last_id(model) for model in LEFT_OUT}
            moves = way()
            made = self._snapshot("drafted", moves)
            moves.action_post()
            made |= self._snapshot("confirmed", moves)
            trial.rollback()
        self.env.invalidate_all()
        return made

    def _snapshot(self, stage, moves):
        self.env.flush_all()
        self.env.cr.flush()  # as at the end of a transaction: tracking values are written then
        self.env.invalidate_all()
        return {
            (stage, model): [self._stored_values(record) for record in self._new(model, moves)]
            for model in LEFT_OUT
        }

    def _last_id(self, model):
        """The last id given, also to what was undone since."""
        sequence = SQL.identifier(f"{self.env[model]._table}_id_seq")
        self.env.cr.execute(SQL("SELECT last_value - (NOT is_called)::int FROM %s", sequence))
        return self.env.cr.fetchone()[0]

    def _new(self, model, moves):
        """New records of a model that belong to the moves, in the order of the database."""
        records = self.env[model].sudo()
        if model == "account.move":
            return moves.sudo()
        if model == "account.move.line":
            return moves.sudo().line_ids.sorted("id")
        if model == "account.analytic.line":
            return moves.sudo().line_ids.analytic_line_ids.sorted("id")
        domain = [("id", ">", self._newest[model])]
        if model == "mail.message":
            domain += [("model", "=", "account.move"), ("res_id", "in", moves.ids)]
        elif model == "mail.followers":
            domain += [("res_model", "=", "account.move"), ("res_id", "in", moves.ids)]
        else:  # values, notifications and mails of the messages
            domain += [("mail_message_id", "in", self._new("mail.message", moves).ids)]
        return records.search(domain, order="id")

    def _stored_values(self, record):
        left_out = {*LEFT_OUT[record._name], *OF_EVERY_MAKING}
        table = SQL.identifier(record._table)
        [row] = self.env.execute_query_dict(SQL("SELECT * FROM %s WHERE id = %s", table, record.id))
        return {
            name: self._value(record, field)
            for name, field in record._fields.items()
            if field.store and name not in left_out
        } | {name + NULL: value is None for name, value in row.items() if name not in left_out}

    def _value(self, record, field):
        value = record[field.name]
        if field.type == "many2one_reference":
            return self._ranked(record[field.model_field], [value])
        if field.relational:
            return self._ranked(field.comodel_name, value.ids)
        return value

    def _ranked(self, model, ids):
        """Ids as they are, those of new records counted from the newest before."""
        newest = self._newest.get(model)
        if newest is None:
            return sorted(ids)
        return sorted(f"new {one - newest}" if one > newest else str(one) for one in ids)

    def _assert_equal(self, ours, plain, left_out=()):
        for key, records in ours.items():
            self.assertEqual(len(records), len(plain[key]), key)
            for number, (mine, theirs) in enumerate(zip(records, plain[key], strict=True)):
                differing = {
                    name: (mine[name], theirs[name])
                    for name in mine
                    if mine[name] != theirs[name] and name.removesuffix(NULL) not in left_out
                }
                self.assertFalse(differing, f"{key} {number}")

    def _compare(self):
        self._assert_equal(self._made(self._ours), self._made(self._plain))
