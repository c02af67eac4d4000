"""Drafts that a run creates in one call: what Odoo looks up or writes again for each of them happens once for all.

The result is the same in each row: Odoo still posts the first message of each draft and tracks its values.
"""

import contextlib

from odoo import models


class Together:
    """What was looked up for the drafts of one ``create``: value of the context key ``bookings_together``.

    It counts only while its ``with`` block is open. No RPC call can send it.
    """

    def __init__(self):
        self._asked = {}
        self._open = True

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._open = False
        self._asked.clear()

    @classmethod
    def of(cls, records):
        """Return the open object in the context of these records, or None."""
        found = records.env.context.get("bookings_together")
        return found if type(found) is cls and found._open else None

    def answer(self, move, question, ask):
        """Return the answer for one draft. The first time, the question is asked for all drafts that were created with it.

        Each answer is given once, because a second message of a draft may find others.

        :param tuple question: its kind, and what else the answer depends on
        :param ask: function of drafts that returns ``{id: answer}``
        """
        asked, answers = self._asked.setdefault(question, (set(), {}))
        if move.id not in asked:
            others = move.browse(set(move._prefetch_ids) - asked)
            asked.update(others._ids)
            answers.update(ask(others))
        if move.id in answers:
            return answers.pop(move.id)
        return ask(move)[move.id]

    def forget(self, kind, move_ids):
        """Forget the answers about these drafts, because what they say has changed. Each is asked again by itself."""
        for (asked_kind, *_more), (_asked, answers) in self._asked.items():
            if asked_kind == kind:
                for move_id in move_ids:
                    answers.pop(move_id, None)


class AccountMove(models.Model):
    _inherit = "account.move"

    def write(self, vals):
        # EXTENDS 'account': when drafts have been created, Odoo writes that no user modified them, and for that it
        # compares and synchronizes all of their lines again
        if (
            vals == {"is_manually_modified": False}
            and Together.of(self)
            and not any(self.mapped("is_manually_modified"))
        ):
            return True
        return super().write(vals)

    def _compute_tax_country_id(self):
        # EXTENDS 'account': a constraint calls this, too, which writes on the drafts where Odoo does not compute
        protected = contextlib.nullcontext()
        if Together.of(self):
            protected = self.env.protecting([self._fields["tax_country_id"]], self)
        with protected:
            return super()._compute_tax_country_id()

    def _creation_subtype(self):
        # EXTENDS 'account', where it depends on the type
        together = Together.of(self)
        if not together:
            return super()._creation_subtype()
        ask = super()._creation_subtype
        question = ("subtype", self.move_type)
        return together.answer(self, question, lambda moves: dict.fromkeys(moves._ids, ask()))

    def _message_compute_parent_id(self, parent_id):
        # EXTENDS 'mail': usually, no draft has a message before its first one
        together = Together.of(self)
        if not together or parent_id:
            return super()._message_compute_parent_id(parent_id)

        def ask(moves):
            messages = self.env["mail.message"].sudo()
            domain = [("model", "=", self._name), ("res_id", "in", moves._ids)]
            found = {move_id for (move_id,) in messages._read_group(domain, ["res_id"])}
            return {
                move.id: move.id in found
                and super(AccountMove, move)._message_compute_parent_id(parent_id)
                for move in moves
            }

        return together.answer(self, ("parent",), ask)

    def _mail_get_alias_domains(self, default_company=False):
        # EXTENDS 'mail'
        together = Together.of(self)
        if not together or len(self) != 1:
            return super()._mail_get_alias_domains(default_company)

        def ask(moves):
            return super()._mail_get_alias_domains(default_company)

        return {self.id: together.answer(self, ("domain", default_company), ask)}

    def _notify_get_reply_to(self, default=None, author_id=False):
        # EXTENDS 'mail'
        together = Together.of(self)
        if not together or len(self) != 1:
            return super()._notify_get_reply_to(default, author_id)

        def ask(moves):
            return super()._notify_get_reply_to(default, author_id)

        return {self.id: together.answer(self, ("reply", default, author_id), ask)}


class MailMessage(models.Model):
    _inherit = "mail.message"

    def _create(self, data_list):
        # EXTENDS 'mail': another message of a draft may answer this one
        if together := Together.of(self):
            rows = [data["stored"] for data in data_list]
            together.forget(
                "parent", [row.get("res_id") for row in rows if row.get("model") == "account.move"]
            )
        return super()._create(data_list)
