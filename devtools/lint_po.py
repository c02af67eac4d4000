"""Check that the translations of an addon are complete in all languages and have the same placeholders.

Other languages may have a part: German has what prints on invoices.
"""

import re

from .paths import REPO

LANGUAGES = ("da", "fr")
PLACEHOLDER = re.compile(r"%\(\w+\)[0-9.]*[sdfr]|%[sdr]|\{\w*\}|\$\{[^}]*\}")
TAG = re.compile(r"</?\w+|/>")


def check_translations(addon):
    """Yield the findings for an addon, which must have a template and all languages."""
    import polib

    folder = addon / "i18n"
    template_path = folder / f"{addon.name}.pot"
    if not template_path.exists():
        yield f"{template_path.relative_to(REPO)}: missing"
        return
    wanted = {_key(entry): entry for entry in polib.pofile(str(template_path))}
    for language in LANGUAGES:
        path = folder / f"{language}.po"
        if not path.exists():
            yield f"{path.relative_to(REPO)}: missing"
    for path in sorted(folder.glob("*.po")):
        catalogue = polib.pofile(str(path), check_for_duplicates=True)
        findings = _findings(catalogue, wanted, whole=path.stem in LANGUAGES)
        yield from (f"{path.relative_to(REPO)}: {text}" for text in findings)


def _findings(catalogue, wanted, whole):
    found = {_key(entry): entry for entry in catalogue if not entry.obsolete}
    for key in wanted.keys() - found.keys() if whole else ():
        yield f"not translated: {key[1]!r}"
    for key in found.keys() - wanted.keys():
        yield f"not in the template any more: {key[1]!r}"
    for entry in found.values():
        if entry.fuzzy:
            yield f"fuzzy: {entry.msgid!r}"
        elif not entry.msgstr.strip():
            yield f"empty: {entry.msgid!r}"
        else:
            yield from _differences(entry)


def _differences(entry):
    for what, pattern in (("placeholders", PLACEHOLDER), ("tags", TAG)):
        before, after = (sorted(pattern.findall(text)) for text in (entry.msgid, entry.msgstr))
        if before != after:
            yield f"{what} differ: {entry.msgid!r} -> {entry.msgstr!r}"
    if entry.msgid[:1].isspace() != entry.msgstr[:1].isspace():
        yield f"leading space differs: {entry.msgid!r}"


def _key(entry):
    return entry.msgctxt, entry.msgid
