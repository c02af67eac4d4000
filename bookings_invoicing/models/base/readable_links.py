from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import ormcache

OURS = "bookings_invoicing"
# Who sees the fields that we add to models of Odoo's: what somebody booked is nobody else's business.
ROLES = "bookings_invoicing.group_auditor,bookings_invoicing.group_user"
# What says whose a record is; so does a link that a record is deleted with.
WHOSE = {"setup_id", "company_id", "connection_id", "business_id"}


class OwnValue(int):
    """A value of a read-only field that only server code can make: what a call sends is never of this class.

    For values that Odoo itself passes on to its own ``create``; everything else is written in superuser mode.
    """


class BookingsOwnLinks(models.AbstractModel):
    """What a person may not do on the screen, no call can do either.

    Every model of ours inherits this, and every model of Odoo's that has fields of ours; there it looks at these alone.

    * A field declared read-only is written in superuser mode (our own code, after ``check_access``) or not at all;
      neither ``default_`` keys of the context nor defaults that a user has saved fill it. Wizards belong to who
      opened them: theirs are not sealed.
    * What says whose a record is never changes after it was made.
    * Odoo shows the name of a linked record to whoever sees the link, and works out stored fields with all rights: a
      record links only to what its user may read, on ``create``, ``write`` and ``onchange``.
    """

    _name = "bookings.own.links"
    _description = "Links to Own Records"

    @api.model
    def _our_fields(self):
        """Fields that this addon, or one that extends it, has declared."""
        return [
            field
            for field in self._fields.values()
            if field.name not in models.MAGIC_COLUMNS and (field._module or "").startswith(OURS)
        ]

    @api.model
    @ormcache()
    def _read_only_fields(self):
        if self._transient:
            return frozenset()  # a wizard holds nothing but what its own user sees
        return frozenset(field.name for field in self._our_fields() if field.readonly)

    @api.model
    @ormcache()
    def _link_fields(self):
        return frozenset(
            field.name
            for field in self._our_fields()
            if field.type in ("many2one", "many2many")
            and field.store
            and not self.pool[field.comodel_name]._transient
            # what we work out ourselves from Odoo's records is ours to show
            and (
                not field.compute
                or not field.readonly
                or field.comodel_name.startswith("bookings.")
            )
        )

    @api.model
    @ormcache()
    def _whose_fields(self):
        if self._transient:
            return frozenset()
        return frozenset(
            field.name
            for field in self._our_fields()
            if field.store
            and not field.readonly
            and (field.name in WHOSE or getattr(field, "ondelete", None) == "cascade")
        )

    # -- ways in -------------------------------------------------------------------------------------

    @api.model
    def default_get(self, fields):
        read_only = self._read_only_fields()
        values = super().default_get([name for name in fields if name not in read_only])
        for name in read_only.intersection(fields):
            if default := self._fields[name].default:
                field = self._fields[name]
                value = field.convert_to_cache(default(self), self, validate=False)
                values[name] = field.convert_to_write(field.convert_to_record(value, self), self)
        return values

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create([self._without_own_values(vals) for vals in vals_list])
        records._check_links(self._link_fields())
        return records

    def write(self, vals):
        if self.env.su:
            return super().write(vals)
        if moved := self._whose_fields() & vals.keys():
            self._check_not_moved(moved, vals)
        result = super().write(self._without_own_values(vals))
        if links := self._link_fields() & vals.keys():
            self._check_links(links)
        return result

    def onchange(self, values, field_names, fields_spec):
        if not self.env.su:
            self._check_sent_links(values)
        return super().onchange(values, field_names, fields_spec)

    def copy_data(self, default=None):
        copies = super().copy_data(default)
        if not self.env.su:
            for name in self._read_only_fields() - (default or {}).keys():
                for vals in copies:
                    if not isinstance(vals.get(name), OwnValue):
                        vals.pop(name, None)
        return copies

    # -- checks --------------------------------------------------------------------------------------

    def _without_own_values(self, vals):
        """These values with plain ones for our own; AccessError where a person sends one for a read-only field."""
        if not (touched := self._read_only_fields() & vals.keys()):
            return vals
        own = {name: int(vals[name]) for name in touched if type(vals[name]) is OwnValue}
        if not self.env.su and (sent := sorted(touched - own.keys())):
            raise AccessError(
                self.env._(
                    "%(field)s of %(model)s is filled in by Odoo. Use the buttons on the form to change it.",
                    field=self._fields[sent[0]]._description_string(self.env),
                    model=self._description,
                )
            )
        return vals | own if own else vals

    def _check_not_moved(self, names, vals):
        for record in self.sudo():
            for name in sorted(names):
                kept = record._fields[name].convert_to_write(record[name], record)
                if kept != (vals[name] or False) and not self._may_move(name):
                    raise AccessError(
                        self.env._(
                            "%(field)s of %(model)s cannot be changed after it has been saved. Create a new "
                            "record instead.",
                            field=self._fields[name]._description_string(self.env),
                            model=self._description,
                        )
                    )

    def _may_move(self, _name):
        """Whether the user may change this field that says whose a record is."""
        return False

    def _check_links(self, names):
        """Raise AccessError where these records link to one that the user may not read."""
        if self.env.su:
            return
        for name in sorted(names):
            self.sudo()[name].sudo(False).check_access("read")

    def _check_sent_links(self, values):
        """The same for values that are not written yet, those of lines among them."""
        links = self._link_fields()
        for name, value in values.items():
            field = self._fields.get(name)
            if name in links:
                self.env[field.comodel_name].browse(_ids(value)).exists().check_access("read")
            elif field is not None and field.type == "one2many":
                lines = self.env[field.comodel_name]
                if isinstance(lines, self.pool["bookings.own.links"]):
                    for command in value or ():
                        if isinstance(command, list | tuple) and isinstance(command[-1], dict):
                            lines._check_sent_links(command[-1])


def _ids(value):
    """The ids in the value of a link as a client sends it."""
    if isinstance(value, dict):
        value = value.get("id")
    if isinstance(value, int):
        return [value] if value else []
    ids = []
    for command in value or () if isinstance(value, list | tuple) else ():
        if isinstance(command, int):
            ids.append(command)
        elif command[0] in (1, 4):
            ids.append(command[1])
        elif command[0] == 6:
            ids += command[2]
    return ids
