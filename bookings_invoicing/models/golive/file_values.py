"""Values of a setup file: check them, convert them for the ORM, and display them."""

TEXTS = {"char", "text", "html"}


def write_from_file(record, values):
    plain = {}
    for name, value in values.items():
        if record._fields[name].translate and isinstance(value, dict):
            # English first: Odoo does not write a translation that is equal to the English text so far
            for code in sorted(value, key=lambda code: code != "en_US"):
                record.with_context(lang=code)[name] = value[code]
        else:
            plain[name] = for_orm(record, name, value)
    record.write(plain)


def in_languages(now, then):
    """Return the translations of the file in the languages of the database. A plain text applies to all of them.

    :param dict now: ``{code: text}`` of the setup
    :param then: the value of the file
    """
    if isinstance(then, str):
        return dict.fromkeys(now, then)
    if isinstance(then, dict):
        return {code: then.get(code, text) for code, text in now.items()}
    return then


def differing(now, then):
    """Return the texts to show for two translated values: of the first language in which they differ."""
    if not isinstance(then, dict):
        return now, then
    return next((text, then[code]) for code, text in now.items() if text != then[code])


def fits(field, value):
    """Return whether a value of the file has the type of the field."""
    if field.translate and isinstance(value, dict):
        return all(isinstance(text, str) for text in value.values())
    if field.type in ("integer", "float", "monetary"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if field.type == "boolean":
        return isinstance(value, bool)
    if field.type in TEXTS:
        return isinstance(value, str) or value is False
    return True


def for_orm(record, name, value):
    field = record._fields[name]
    if field.type == "many2one":
        return value.id
    if field.type == "many2many":
        return [(6, 0, value.ids)]
    if field.translate and isinstance(value, dict):
        return value.get("en_US") or next(iter(value.values()), "")
    return value


def shown(value):
    """Return a value of the file as text for users."""
    if value in (None, False, "", []):
        return "–"
    if isinstance(value, dict):
        return str(value.get("name") or next(iter(value.values()), "–"))
    if isinstance(value, list):
        return ", ".join(shown(one) for one in value)
    return str(value)
