"""Changes of customers and services of Bookings by a user, among them new contacts and products: told, and undone.

Usage: ``change = RowChange(rows)``, change the rows, then ``changed(bookings, before, change.facts(created))`` of
:mod:`.undo`. The facts are JSON: model, values before and after by ID, created records, and texts for the user.
"""

from odoo import fields
from odoo.exceptions import UserError

# Fields with which a user decides how the bookings of a row are billed. *Undo* writes them back.
DECIDING = {
    "bookings.customer": ("partner_id", "payer_id", "match"),
    "bookings.service": (
        "product_id", "billing_rule", "rule_price", "rounding", "rounding_minutes", "minimum_minutes", "no_tax",
        "ask_attendance",
    ),
}  # fmt: skip
UNTOLD = {"match"}


class RowChange:
    """What a user changes on customers or services, collected before the change."""

    def __init__(self, rows):
        self.rows = rows
        self.before = _values(rows)

    def facts(self, created=None):
        """Return the change as JSON, or None without one.

        :param created: new contacts or products, which *Undo* deletes
        """
        created = self.rows.browse() if created is None else created
        after = _values(self.rows)
        if after == self.before and not created:
            return None
        return {
            "model": self.rows._name,
            "before": self.before,
            "after": after,
            "created": created._name,
            "written": _written(created),
            "title": self.rows.display_name if len(self.rows) == 1 else "",
            "texts": self._texts(created),
        }

    def _texts(self, created):
        env = self.rows.env
        if created:
            return [env._("Created: %s", ", ".join(created.mapped("display_name")))]
        if len(self.rows) != 1:
            return []
        old = self.before[str(self.rows.id)]
        return [
            f"{self.rows._fields[name]._description_string(env)}: "
            f"{_readable(self.rows, name, old[name])} → {_readable(self.rows, name, value)}"
            for name, value in _values(self.rows)[str(self.rows.id)].items()
            if name not in UNTOLD and value != old[name]
        ]


def are_as_left(env, facts):
    """Return whether the rows still have the values that the change gave them."""
    return not facts or _values(_rows(env, facts)) == facts["after"]


def write_back(env, facts):
    """Restore the previous values of the rows. Their bookings follow."""
    if not facts:
        return
    rows = _rows(env, facts)
    rows.check_access("write")
    for row in rows.sudo():
        row.write(facts["before"][str(row.id)])


def delete_created(env, facts):
    """Delete the contacts or products that the change created.

    :raises UserError: if one was changed since, or is used by other records
    """
    if not facts or not facts["written"]:
        return
    env.flush_all()
    created = env[facts["created"]].sudo().with_context(active_test=False)
    created = created.browse(map(int, facts["written"])).exists()
    if any(facts["written"][key] != value for key, value in _written(created).items()):
        raise UserError(
            env._(
                "%s was changed in the meantime. Nothing was undone.",
                ", ".join(created.mapped("display_name")),
            )
        )
    if users := _used_by(created):
        raise UserError(
            env._(
                "%(names)s: already used elsewhere (%(where)s). Nothing was undone.",
                names=", ".join(created.mapped("display_name")),
                where=", ".join(users),
            )
        )
    created.unlink()


def _used_by(records):
    """Return the names of the models with records that link to one of these.

    The links of the records themselves, such as tags of a template, are not uses.
    """
    own = {field.relation for field in _links(records)}
    return [
        model._description
        for model in records.env.values()
        if model._auto and not model._abstract and not model._transient
        for field in model._fields.values()
        if field.store
        and field.type in ("many2one", "many2many")
        and field.comodel_name == records._name
        and not (
            field.model_name != records._name
            and field.type == "many2many"
            and field.relation in own
        )
        and model.sudo()
        .with_context(active_test=False)
        .search_count(_links_to(field, records), limit=1)
    ]


def _links_to(field, records):
    domain = [(field.name, "in", records.ids)]
    # a contact is its own commercial entity
    return domain + [("id", "not in", records.ids)] * (field.model_name == records._name)


def _rows(env, facts):
    return env[facts["model"]].browse(map(int, facts["before"])).exists()


def _values(rows):
    return {
        str(row.id): {
            name: row._fields[name].convert_to_write(row[name], row) for name in DECIDING[row._name]
        }
        for row in rows.sudo()
    }


def _links(records):
    """Return the stored many2many fields of these records. To link from the other side does not write on a record."""
    return [
        field for field in records._fields.values() if field.type == "many2many" and field.store
    ]


def _written(records):
    """Return when each record was last written, and its links, by ID: it shows whether someone has worked on it since."""
    records.env.flush_all()
    links = [field.name for field in _links(records)]
    records = records.sudo().with_context(active_test=False)
    records.invalidate_recordset(["write_date", *links])
    return {
        str(record.id): [
            fields.Datetime.to_string(record.write_date),
            {name: sorted(record[name].ids) for name in links if record[name]},
        ]
        for record in records
    }


def _readable(row, name, value):
    field = row._fields[name]
    if field.type == "many2one":
        return row.env[field.comodel_name].browse(value).sudo().display_name or "–"
    if field.type == "selection":
        return dict(field._description_selection(row.env)).get(value, "–")
    if field.type == "boolean":
        return row.env._("Yes") if value else row.env._("No")
    return str(value)
