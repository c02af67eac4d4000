import logging
from datetime import date

from odoo import models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, format_date, formatLang

_logger = logging.getLogger(__name__)
DAYS = (date(2000, 1, 1), date(2100, 1, 1))  # bounds for dates


class BookingsBounded(models.AbstractModel):
    """Mixin that limits numbers and dates that a user can enter, so that one absurd value cannot stop lists and crons.

    How to use: give the field ``bounds=(lowest, highest)``. Written values are checked. Stored values are not, so the
    other fields of an older row can still be changed; updating the addon moves its value to the nearest bound.
    """

    _name = "bookings.bounded"
    _description = "Bounded Numbers and Dates"

    def _valid_field_parameter(self, field, name):
        return name == "bounds" or super()._valid_field_parameter(field, name)

    def _validate_fields(self, field_names, excluded_names=()):
        # excluded fields, too: their inverse is about to store these values
        field_names = set(field_names)
        for name in field_names:
            self._check_bounds(self._fields[name])
        return super()._validate_fields(field_names, excluded_names)

    def _check_bounds(self, field):
        """:raises ValidationError: if a value of the field is out of bounds; NaN always is"""
        bounds = getattr(field, "bounds", None)
        for record in self if bounds else ():
            value = record[field.name]
            # whether a date may be empty is decided by "required"
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
        """Return the value of a field or the nearest bound, for computations while a user fills in the form."""
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
