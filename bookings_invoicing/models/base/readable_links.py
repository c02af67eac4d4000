from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import ormcache

OURS = "bookings_invoicing"
# Groups that see the fields that we add to Odoo's models. Bookings are personal data.
ROLES = "bookings_invoicing.group_auditor,bookings_invoicing.group_user"
# Fields that determine who owns a record. Links with ondelete="cascade" do so, too.
WHOSE = {"setup_id", "company_id", "connection_id", "business_id"}


class OwnValue(int):
    """A value for a read-only field that only server code can create, because an RPC call never sends this class.

    Used for values that Odoo passes on to its own ``create``. All other read-only fields are written in superuser mode.
    """


class BookingsOwnLinks(models.AbstractModel):
    """Mixin that forbids RPC calls whatever the screens forbid.

    All our models inherit it, and so do Odoo's models with fields of ours; on those it checks only our fields.

    * Read-only fields are written in superuser mode only (by our code, after ``check_access``). ``default_`` keys of the
      context and user-defined defaults do not fill them. Wizards are exempt, because a wizard belongs to the user who
      opened it.
    * Fields that determine who owns a record never change after creation.
    * A record may link only to records that its user may read. This is checked in ``create``, ``write``, and
      ``onchange``, because Odoo shows the name of a linked record to everyone who sees the link and computes stored
      fields in superuser mode.
    """

    _name = "bookings.own.links"
    _description = "Links to Own Records"

    @api.model
    def _our_fields(self):
        """Return the fields that this addon or one of its extensions declares."""
        return [
            field
            for field in self._fields.values()
            if field.name not in models.MAGIC_COLUMNS and (field._module or "").startswith(OURS)
        ]

    @api.model
    @ormcache()
    def _read_only_fields(self):
        if self._transient:
            return frozenset()  # a wizard contains only data that its user sees
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
            # fields that we compute from Odoo's records may show these
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
        read_only = self._read_only_fields()
        records = super().create([self._without_own_values(vals, read_only) for vals in vals_list])
        records._check_links(self._link_fields())
        return records

    def write(self, vals):
        if self.env.su:
            return super().write(vals)
        if moved := self._whose_fields() & vals.keys():
            self._check_not_moved(moved, vals)
        result = super().write(self._without_own_values(vals, self._read_only_fields()))
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

    def _without_own_values(self, vals, read_only):
        """Return these values with each :class:`OwnValue` replaced by a plain integer.

        :param frozenset read_only: the result of :meth:`_read_only_fields`
        :raises AccessError: if a user sends a value for a read-only field
        """
        if self.env.su and OwnValue not in map(type, vals.values()):
            return vals
        if not (touched := read_only & vals.keys()):
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
        """Return whether the user may change this field, which determines who owns the record."""
        return False

    def _check_links(self, names):
        """:raises AccessError: if one of these records links to a record that the user may not read"""
        if self.env.su:
            return
        for name in sorted(names):
            self.sudo()[name].sudo(False).check_access("read")

    def _check_sent_links(self, values):
        """Check the links in values that are not written yet, including those of lines.

        :raises AccessError: as :meth:`_check_links`
        """
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
    """Return the record ids in the value that a client sends for a link."""
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
