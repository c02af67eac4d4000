"""A sync setup as a JSON file, to copy it to other companies or keep it under version control.

The file contains settings, templates, products of services, rules, and texts, but no connections, secrets, people, or
state.

How to use: ``SetupFile(setup).to_dict()`` returns a dict for JSON, ``read_file(env, content)`` parses a file,
``SetupFile(setup).changes(data)`` lists what applying it would change, and ``.apply(data)`` applies it. After that, no
changes are left.

How it works: the file refers to records by external ID, else by a reference that users maintain (internal reference of a
product, code of a journal), else by name. In the target company, the reference must match exactly one record.
"""

import json
from typing import NamedTuple

from psycopg2 import IntegrityError

from odoo.exceptions import UserError
from odoo.fields import Domain

from .file_values import TEXTS, differing, fits, for_orm, in_languages, shown, write_from_file

FORMAT = "bookings_invoicing.setup"
VERSION = 1
MAX_BYTES = 2**20
# Fields that identify a record of a model. The first one with a value is used.
REFERENCES = {
    "product.product": ("default_code", "barcode"),
    "product.template": ("default_code", "barcode"),
    "res.partner": ("ref", "vat"),
    "account.journal": ("code",),
    "res.currency": ("name",),
    "res.lang": ("code",),
    "account.cash.rounding": ("name",),
    "account.analytic.account": ("code",),
}
# Fields that are specific to one company, business, or time.
NEVER = {
    "name",
    "active",
    "company_id",
    "connection_id",
    "business_id",
    "user_id",
    "bill_from",
    "write_invoice",
    "paused",
    "next_sync",
    # Read from Bookings
    "currency_id",
    "tz",
    "language_id",
    # Keys are ids of accounts of one company
    "analytic_distribution",
    "display_name",
    "activity_user_id",
}
# Steps of the checklist that confirm contents of the file
CONFIRMED = {"customers", "price_tax", "preset"}
MAGIC = {"id", "create_uid", "create_date", "write_uid", "write_date"}
SERVICE_KEYS = ("remote_id", "name")
PLAIN = {*TEXTS, "boolean", "integer", "float", "monetary", "selection", "date", "json"}


class Change(NamedTuple):
    """One difference between setup and file. ``problem`` is why it cannot be applied, or ""."""

    place: str
    field: str
    now: str
    file: str
    problem: str = ""


class SetupFile:
    """Converts one ``bookings.sync.setup`` to the contents of a file and back."""

    def __init__(self, setup, translate=None):
        setup.ensure_one()
        self.setup = setup
        self.env = setup.env
        self._ = translate or setup.env._  # in the language of the user

    def _in_english(self):
        """Return the same object in superuser mode, in the setup's company, and in the language of files."""
        setup = self.setup.sudo().with_company(self.setup.company_id).with_context(lang="en_US")
        return SetupFile(setup, self._)

    # -- writing ------------------------------------------------

    def to_dict(self):
        """Return the setup as a dict for JSON."""
        plain = self._in_english()
        setup = plain.setup
        return {
            "format": FORMAT,
            "version": VERSION,
            "made_from": {"setup": setup.name},
            "settings": plain._values_of(setup, plain._fields_of(setup)),
            "services": [
                {key: service[key] for key in SERVICE_KEYS}
                | plain._values_of(service, plain._service_fields())
                for service in setup.service_ids.sorted("remote_id")
            ],
            "rules": {
                name: [plain._values_of(rule, plain._fields_of(rule)) for rule in setup[name]]
                for name in self._rule_lists()
            },
            "confirmed": sorted(CONFIRMED.intersection(setup.checklist_confirmed or ())),
        }

    def _fields_of(self, records):
        """Return the names of the fields of a setup or rule that users choose, including those of other addons."""
        return sorted(
            name
            for name, field in records._fields.items()
            if field.store
            and field.copy
            and not field.readonly
            and not field.related
            and not name.startswith(("message_", "activity_", "my_activity_"))
            and name not in NEVER | MAGIC | {"setup_id"}
            and (field.type in PLAIN or field.type in ("many2one", "many2many"))
            and not field.groups
        )

    def _service_fields(self):
        names = self._fields_of(self.env["bookings.service"])
        return [name for name in names if name not in SERVICE_KEYS]

    def _rule_lists(self):
        """Return the names of the setup's one2many fields that contain rules."""
        state = {"run_ids", "service_ids", "message_ids", "activity_ids", "message_follower_ids"}
        return sorted(
            name
            for name, field in self.setup._fields.items()
            if field.type == "one2many"
            and name not in state
            and field.inverse_name == "setup_id"
            and not field.related
            and name.endswith("rule_ids")
        )

    def _values_of(self, record, names):
        return {name: self._to_json(record, name) for name in names}

    def _to_json(self, record, name):
        field = record._fields[name]
        if field.type == "many2one":
            return self._to_reference(record[name])
        if field.type == "many2many":
            return sorted((self._to_reference(one) for one in record[name]), key=json.dumps)
        if field.translate:
            langs = [code for code, _label in self.env["res.lang"].get_installed()]
            return {code: record.with_context(lang=code)[name] or "" for code in sorted(langs)}
        if field.type == "date":
            return str(record[name]) if record[name] else False
        return record[name]

    def _to_reference(self, record):
        """Return the reference of a record in a file, or None without a record."""
        if not record:
            return None
        xmlid = record.get_external_id()[record.id]
        if xmlid and not xmlid.startswith("__"):
            return {"xmlid": xmlid, "name": record.display_name}
        for name in REFERENCES.get(record._name, ()):
            if record[name]:
                return {name: record[name]}
        return {"name": record.name if "name" in record._fields else record.display_name}

    # -- reading ------------------------------------------------

    def changes(self, data):
        """Return what applying a file would change, as ``[Change]``."""
        return self._plan(data)[0]

    def apply(self, data):
        """Apply a file to this setup. Values that cannot be applied remain unchanged.

        :returns: ``[Change]`` as from :meth:`changes`, plus refused values with the reason
        """
        self.setup.check_access("write")
        changes, writes = self._plan(data)
        for record, values in writes:
            if self._refused(write_from_file, record, values):
                # Dependent values are written together. If that is refused, each one is written separately.
                for name, value in values.items():
                    if why := self._refused(write_from_file, record, {name: value}):
                        label = record._fields[name]._description_string(self.env)
                        changes.append(Change(record.display_name, label, "", "", why))
        for name in self._rule_lists():
            if name in data.get("rules", {}):
                if why := self._refused(self._apply_rules, name, data["rules"][name]):
                    label = self.setup._fields[name]._description_string(self.env)
                    changes.append(Change(self.env._("Rules"), label, "", "", why))
        self.setup._confirm_step(*data.get("confirmed", ()))
        return changes

    def _refused(self, write, *args):
        """Write in a savepoint, and return the error if Odoo refuses, else ""."""
        try:
            with self.env.cr.savepoint():
                write(*args)
        except (UserError, IntegrityError) as error:
            self.env.invalidate_all(flush=False)
            return str(error)
        return ""

    def _plan(self, data):
        """Return the differences and what to write: ``([Change], [(record, {field: value for the ORM})])``."""
        changes, writes = [], []
        place = self.env._("Settings")
        self._compare(
            self.setup, data["settings"], self._fields_of(self.setup), place, changes, writes
        )
        services = self.setup.service_ids
        for row in data.get("services", []):
            service = self._service_of(services, row)
            label = str(row.get("name") or row.get("remote_id") or "?")
            if not service:
                if row.get("product_id"):
                    problem = self.env._("The business does not have this service.")
                    changes.append(Change(label, "", "", "", problem))
                continue
            values = {key: value for key, value in row.items() if key not in SERVICE_KEYS}
            self._compare(service, values, self._service_fields(), label, changes, writes)
        for name in self._rule_lists():
            rules = data.get("rules", {}).get(name)
            if rules is not None and rules != self.to_dict()["rules"][name]:
                field = self.setup._fields[name]._description_string(self.env)
                now, then = len(self.setup[name]), len(rules)
                changes.append(
                    Change(
                        self.env._("Rules"),
                        field,
                        self.env._("%s rules", now),
                        self.env._("%s rules", then),
                    )
                )
        return changes, writes

    def _service_of(self, services, row):
        """Return the service of a row of the file: the one with the same ID, else the only one with that name."""
        same = services.filtered(lambda service: service.remote_id == row.get("remote_id"))
        if same:
            return same
        name = " ".join(str(row.get("name") or "").split()).casefold()
        named = services.filtered(lambda service: " ".join(service.name.split()).casefold() == name)
        return named if len(named) == 1 else services.browse()

    def _compare(self, record, values, names, place, changes, writes):
        english = self._in_english()
        plain = record.sudo().with_env(english.env)
        to_write = {}
        for name in names:
            if name not in values:
                continue
            field = record._fields[name]
            now, then = english._to_json(plain, name), values[name]
            if field.translate:
                then = in_languages(now, then)
            if now == then:
                continue
            problem = ""
            try:
                value = english._from_json(plain, name, then)
            except UserError as error:
                problem = str(error)
            else:
                if field.type in ("many2one", "many2many") and value == plain[name]:
                    continue  # another reference to the same record
                to_write[name] = value
            if field.translate:
                now, then = differing(now, then)
            label = field._description_string(self.env)
            changes.append(
                Change(place, label, self._shown(field, now), self._shown(field, then), problem)
            )
        if to_write:
            writes.append((record, to_write))

    def _shown(self, field, value):
        """Return a value of the file as forms show it, in the language of the user."""
        if field.type == "selection":
            labels = field._description_selection(self.env)
            return next((label for key, label in labels if key == value), shown(value))
        if field.type == "boolean" and isinstance(value, bool):
            return self.env._("Yes") if value else self.env._("No")
        return shown(value)

    def _from_json(self, record, name, value):
        """Convert a value of the file for the ORM, with records as recordsets.

        :raises UserError: if it matches no record or several ones, or does not fit the field
        """
        field = record._fields[name]
        if field.type == "many2one":
            return self._from_reference(field.comodel_name, value)
        if field.type == "many2many":
            found = self.env[field.comodel_name]
            for one in value or []:
                found |= self._from_reference(field.comodel_name, one)
            return found
        if field.type == "selection":
            if value and value not in field.get_values(self.env):
                raise UserError(
                    self._("“%s” is not a valid option; a module may be missing.", value)
                )
        elif not fits(field, value):
            expected = {
                "boolean": self._("Expected yes or no."),
                "char": self._("Expected a text."),
                "text": self._("Expected a text."),
            }
            raise UserError(expected.get(field.type, self._("Expected a number.")))
        return value

    def _from_reference(self, model, reference):
        """Return the record of this company to which the file refers.

        :raises UserError: if there is no such record or several ones
        """
        records = self.env[model]
        if reference is None:
            return records
        if not isinstance(reference, dict) or not reference:
            raise UserError(self._("Expected a reference."))
        company = Domain.TRUE
        if "company_id" in records._fields or "company_ids" in records._fields:
            company = Domain(records._check_company_domain(self.setup.company_id))
        if isinstance(reference.get("xmlid"), str):
            found = self.env.ref(reference["xmlid"], raise_if_not_found=False)
            if (
                found is not None
                and found
                and found._name == model
                and found.filtered_domain(company)
            ):
                return found
        for name in (*REFERENCES.get(model, ()), "name"):
            value = reference.get(name)
            if isinstance(value, str) and value and name in records._fields:
                found = records.search(company & Domain(name, "=", value), limit=2)
                if len(found) == 1:
                    return found
                if found:
                    raise UserError(self._("Several records are named “%s”.", value))
        raise UserError(self._("“%s” does not exist in this company.", shown(reference)))

    def _apply_rules(self, name, rows):
        """Replace a list of rules with the one in the file, unless they are equal."""
        if rows == self.to_dict()["rules"][name]:
            return
        field = self.setup._fields[name]
        rules = self.env[field.comodel_name]
        made = []
        for row in rows:
            values = {}
            for key in self._fields_of(rules):
                if key in row:
                    value = self._from_json(rules, key, row[key])
                    values[key] = for_orm(rules, key, value)
            made.append(values | {field.inverse_name: self.setup.id})
        self.setup[name].unlink()
        rules.create(made)


def read_file(env, text):
    """Parse the contents of a file.

    :param bytes text:
    :returns: a dict as from :meth:`SetupFile.to_dict`
    :raises UserError: if it is not a setup file or has another version
    """
    try:
        if len(text) > MAX_BYTES:
            raise ValueError
        data = json.loads(text)
        if data["format"] != FORMAT or not isinstance(data["settings"], dict):
            raise ValueError
        services, confirmed = data.get("services", []), data.get("confirmed", [])
        if not all(isinstance(row, dict) for row in services) or not set(confirmed) <= CONFIRMED:
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UserError(env._("This file does not contain a Bookings sync setup.")) from error
    if data.get("version") != VERSION:
        raise UserError(env._("This file was created by a newer version of the addon."))
    return data
