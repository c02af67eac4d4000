import logging
from datetime import date

from odoo import models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, format_date, formatLang

_logger = logging.getLogger(__name__)
DAYS = (date(2000, 1, 1), date(2100, 1, 1))  # bounds of a date that means anything here


class BookingsBounded(models.AbstractModel):
    """Numbers and dates that a person can set have bounds: one absurd value must not stop lists and nightly work.

    How to use: give the field ``bounds=(lowest, highest)``. What is written is checked, what is stored already is not: a
    row from before can be changed in its other fields, and is brought to the nearest bound when the addon is updated.
    """

    _name = "bookings.bounded"
    _description = "Bounded Numbers and Dates"

    def _valid_field_parameter(self, field, name):
        return name == "bounds" or super()._valid_field_parameter(field, name)

    def _validate_fields(self, field_names, excluded_names=()):
        # excluded ones too: these are about to be taken over by their inverse
        field_names = set(field_names)
        for name in field_names:
            self._check_bounds(self._fields[name])
        return super()._validate_fields(field_names, excluded_names)

    def _check_bounds(self, field):
        """:raises ValidationError: a value of the field lies outside its bounds; no number lies within"""
        bounds = getattr(field, "bounds", None)
        for record in self if bounds else ():
            value = record[field.name]
            # an empty date is for "required" to judge
            empty = value is False
            if not empty and not bounds[0] <= value <= bounds[1]:
                lowest, highest = (self._bound_text(field, bound) for bound in bounds)
                raise ValidationError(
                    self.env._(
                        "%(field)s must be between %(lowest)s and %(highest)s.",
                        field=field._description_string(self.env),
                        lowest=lowest,
                        highest=highest,
                    )
                )

    def _bound_text(self, field, bound):
        if field.type in ("date", "datetime"):
            return format_date(self.env, bound)
        return formatLang(self.env, bound, digits=0)

    def _bounded(self, name):
        """The value of a field, or the nearest bound: for what is worked out while a form is filled in."""
        lowest, highest = self._fields[name].bounds
        return min(max(self[name], lowest), highest)

    def _auto_init(self):
        result = super()._auto_init()
        if self._auto:
            self._bring_within_bounds()
        return result

    def _bring_within_bounds(self):
        for field in self._fields.values():
            bounds = getattr(field, "bounds", None)
            if not (bounds and field.column_type and field.store):
                continue
            changed = self.env.execute_query(
                SQL(
                    """UPDATE %(table)s SET %(column)s = LEAST(GREATEST(%(column)s, %(lowest)s), %(highest)s)
                        WHERE %(column)s < %(lowest)s OR %(column)s > %(highest)s RETURNING id""",
                    table=SQL.identifier(self._table),
                    column=SQL.identifier(field.name),
                    lowest=bounds[0],
                    highest=bounds[1],
                )
            )
            if changed:
                _logger.warning("%s was out of bounds and is changed on rows %s", field, changed)
