"""Many new rows of a model at once, equal in every column to those that the model's own ``create`` writes.

What: Odoo completes, converts, caches and marks each record by itself. For hundreds of records whose values are complete
that takes far longer than the rows take PostgreSQL; here it is done once for all of them.

How to use: override ``_prepare_create_values`` and ``_create`` of a model and call these functions where the values are
complete. The model's ``create`` remains the way in, with its access checks and everything that other addons add to it.

How it works: values are converted by the fields of the registry, whoever declared them. What is not given is computed
by Odoo as after any ``create``. Equal values are converted once.
"""

from datetime import date, datetime
from decimal import Decimal
from itertools import repeat
from types import NoneType

from psycopg2.extras import Json

from odoo.fields import Command
from odoo.tools import SQL
from odoo.tools.misc import clean_context

# Types whose converted value follows from the given one alone
PLAIN = {"boolean", "char", "date", "datetime", "float", "integer", "many2one", "selection", "text"}
# Types of which equal values may be converted differently
NUMBERS = {bool, Decimal, float, int}
MISSING = object()  # where a row has no value
# Types of values that PostgreSQL reads from their text
TEXTUAL = {bool, date, datetime, Decimal, float, int, str}


def completed(model, vals_list, prepare):
    """Return these values with the defaults and the values of the log fields, which are the same for all rows.

    :param prepare: Odoo's ``_prepare_create_values``
    """
    if any(field.precompute for field in model._fields.values()):
        return prepare(vals_list)
    [shared] = prepare([{}])
    return [shared | vals for vals in vals_list]


def protect_given(model, data_list):
    """Keep Odoo from computing values that are given.

    :param list data_list: as Odoo's ``create`` gives it to ``_create``
    """
    names, computed = (), ()
    for data in data_list:
        if data["stored"].keys() != names:  # those of the previous row
            names = data["stored"].keys()
            computed = {field for name in names if (field := model._fields[name]).compute}
        data["protected"].update(computed)


def insert(model, data_list):
    """Insert the rows of a ``create`` and trigger what depends on them; the counterpart of Odoo's ``_create``.

    :param list data_list: as Odoo's ``create`` gives it to ``_create``; each gets its ``record``
    :returns: the new records
    """
    rows = [data["stored"] for data in data_list]
    names = {name for row in rows for name in row}
    given = sorted((model._fields[name] for name in names), key=lambda field: field._sequence)
    columns = [field for field in given if field.column_type]
    keys = {field: _keys(field, model, rows) for field in columns}
    records = model.browse(_inserted_ids(model, keys, rows))
    by_protected = {}
    for data, record_id in zip(data_list, records._ids, strict=True):
        data["record"] = model.browse(record_id)
        by_protected.setdefault(frozenset(data["protected"]), []).append(record_id)
    _tell_other_sides(model, columns, rows)
    _remember(records, keys, rows)
    records._parent_store_create()
    # Odoo updates the definition of properties when it creates their values.
    elsewhere = [field for field in given if field not in keys or field.type == "properties"]
    with model.env.protecting(
        [(fields, model.browse(ids)) for fields, ids in by_protected.items()]
    ):
        _link(records, elsewhere, rows)
        records.modified(model._fields, create=True)
    records._validate_fields(names)
    records.check_access("create")
    return records


def _keys(field, model, rows):
    """Return a key per row, equal for rows whose values of the field are converted alike; None if those of all rows are."""
    values = [row.get(field.name, MISSING) for row in rows]
    currency = field.type == "monetary" and field.get_currency_field(model)
    if currency:
        return list(zip(values, (row.get(currency) for row in rows), strict=True))
    if len(rows) > 1 and all(value is values[0] for value in values):
        return None
    if field.type == "json":
        return list(map(id, values))
    if field.type not in PLAIN:
        return range(len(rows))
    types = list(map(type, values))
    # True equals 1, but is converted differently.
    return values if len(NUMBERS.intersection(types)) < 2 else list(zip(types, values, strict=True))


def _converted(field_keys, rows, convert):
    """Return the converted value per row, or the one of all rows if they have no keys.

    :param convert: function of a row and its place; it is called once per key
    """
    if field_keys is None:
        return convert(rows[0], 0)
    places = dict(zip(field_keys, range(len(rows)), strict=True))
    found = {key: convert(rows[place], place) for key, place in places.items()}
    return list(map(found.__getitem__, field_keys))


def _inserted_ids(model, keys, rows):
    """Write the columns of all rows in one statement and return the new IDs, in order.

    A value that all rows share is sent once, the others as one array a column.

    :param dict keys: the result of :func:`_keys` by field
    """
    shared, arrays = [], []
    for field, field_keys in keys.items():

        def convert(row, _place, field=field):
            if field.name not in row:
                return None
            value = field.convert_to_column_insert(row[field.name], model, row)
            # as text, so that equal ones are encoded once
            return value.dumps(value.adapted) if isinstance(value, Json) else value

        values = _converted(field_keys, rows, convert)
        (shared if field_keys is None else arrays).append((field, values))
    if not arrays:  # an array tells how many rows there are
        field, value = shared.pop()
        arrays.append((field, [value] * len(rows)))
    inserted = model.env.execute_query(
        SQL(
            "INSERT INTO %s (%s) SELECT %s FROM unnest(%s) AS new (%s) RETURNING id",
            SQL.identifier(model._table),
            SQL(", ").join(SQL.identifier(field.name) for field, _values in shared + arrays),
            SQL(", ").join(
                [SQL(f"%s::{field.column_type[0]}", value) for field, value in shared]
                + [SQL.identifier("new", field.name) for field, _values in arrays]
            ),
            SQL(", ").join(
                SQL(f"%s::{field.column_type[0]}[]", _array_text(values))
                for field, values in arrays
            ),
            SQL(", ").join(SQL.identifier(field.name) for field, _values in arrays),
        )
    )
    return [row_id for (row_id,) in inserted]


def _array_text(values):
    """Return values of one column as the text of a PostgreSQL array; psycopg2 would adapt and quote each one again.

    Values of several types, or of types whose text PostgreSQL reads otherwise, are returned as they are, for psycopg2.
    """
    types = set(map(type, values)) - {NoneType}
    if len(types) > 1 or not types <= TEXTUAL:
        return values
    texts = {value: _quoted(str(value)) for value in set(values)} | {None: "NULL"}
    return "{" + ",".join(map(texts.__getitem__, values)) + "}"


def _quoted(text):
    """Return the text as an element of an array."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _remember(records, keys, rows):
    """Put the columns of the new rows into the cache, as Odoo does, so that they need not be read."""
    model = records.browse()
    for field in records._fields.values():
        if not (field.store and field.column_type) or field.translate:
            continue
        if field not in keys:
            if field.name != "id":
                field._insert_cache(records, repeat(None))
        elif field.type in PLAIN or field.type in ("json", "monetary"):

            def convert(row, place, field=field):
                if field.name not in row:
                    return None
                record = model if field.type in PLAIN else records.browse(records._ids[place])
                return field.convert_to_cache(row[field.name], record)

            found = _converted(keys[field], rows, convert)
            field._insert_cache(records, repeat(found) if keys[field] is None else found)


def _link(records, fields, rows):
    """Write what is not in columns of the rows: many2many links, lines, attachments, and definitions of properties."""
    # A default of the context is meant for these records, not for those that they link to.
    context = clean_context(records.env.context)
    others = records.with_env(records.env(context=context))
    by_odoo = []
    for field in fields:
        given = [
            (record, row[field.name])
            for record, row in zip(others, rows, strict=True)
            if field.name in row
        ]
        if _only_sets(field, records, given):
            _set_links(field, others, given)
        else:
            by_odoo.append((field, given))
    for field in records._fields.values():
        if field.store and field.type in ("one2many", "many2many"):
            field._insert_cache(records, repeat(()))  # where nothing is known
    for field, given in by_odoo:
        field.create(given)


def _only_sets(field, records, given):
    """Return whether all commands set the links of a field whose other side does not need to know."""
    return (
        field.type == "many2many"
        and records.env.su  # otherwise, Odoo checks the access to the linked records
        and not records.pool.field_inverses[field]
        and all([command[0] for command in commands] == [Command.SET] for _one, commands in given)
    )


def _set_links(field, records, given):
    """Write all links of new records in one statement.

    :param list given: ``[(record, [Command.set(ids)])]``
    """
    linked = {record.id: tuple(dict.fromkeys(ids)) for record, [(_set, _zero, ids)] in given}
    if pairs := [(one, other) for one, others in linked.items() for other in others]:
        ones, others = map(_array_text, zip(*pairs, strict=True))
        records.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s, %s) SELECT * FROM unnest(%s::int[], %s::int[])",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
                SQL.identifier(field.column2),
                ones,
                others,
            )
        )
    field._insert_cache(records.browse(linked), linked.values())


def _tell_other_sides(model, columns, rows):
    """Forget cached lists of records that these rows now belong to."""
    for field in columns:
        if field.type == "many2one":
            for other in model.pool.field_inverses[field]:
                other._invalidate_cache(model.env, {row.get(field.name) for row in rows})
