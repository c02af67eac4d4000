from typing import NamedTuple

from odoo import api, fields, models


class NextStep(NamedTuple):
    """What to do next with a record.

    :param text: a sentence
    :param label: the label of its button; empty if the step is done on the form itself
    :param method: the method of the record that the button calls
    """

    text: str
    label: str = ""
    method: str = ""


class BookingsNextStep(models.AbstractModel):
    """A record that shows what to do next with it, and a button for it."""

    _name = "bookings.next.step"
    _description = "Record With a Next Step"

    _next_step_depends = ()  # fields of a form that is not saved yet

    next_step = fields.Char(compute="_compute_next_step")
    next_step_label = fields.Char(string="Next Step Button", compute="_compute_next_step")

    def _next_step(self):
        """Return the next :class:`NextStep`, or None if nothing is left to do."""
        return None

    @api.depends(lambda self: self._next_step_depends)
    def _compute_next_step(self):
        for record in self:
            step = record._next_step() or NextStep("")
            record.next_step, record.next_step_label = step.text, step.label

    def action_next_step(self):
        """Do the next step, or open the record on which it is done."""
        self.ensure_one()
        self.check_access("write")
        step = self._next_step()
        return getattr(self, step.method)() if step and step.method else None
