"""Countries as people type them, in whatever language."""

import pytest
from babel import Locale

from bookings_invoicing.billing.countries import (
    OWN_NAMES,
    SHORT_NAMES,
    _names,
    _plain,
    resolve_country,
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", None),
        (None, None),
        ("--", None),
        ("Den", None),
        ("dk", "DK"),
        ("It", "IT"),
        ("cote d ivoire", "CI"),
        ("Osterreich", "AT"),
        ("日本", "JP"),
        ("Danmark", "DK"),
        ("DANEMARK", "DK"),
        ("Dinamarca", "DK"),
        ("Дания", "DK"),
        ("USA", "US"),
        ("U.S.", "US"),
        ("United States of America", "US"),
        ("États-Unis", "US"),
        ("UK", "GB"),
        ("England", "GB"),
        ("Scotland", "GB"),
        ("Grossbritannien", "GB"),
        ("Großbritannien", "GB"),
        ("Holland", "NL"),
        ("the netherlands", "NL"),
        ("Niederlande", "NL"),
        ("Deutschland", "DE"),
        ("Tyskland", "DE"),
        ("N/A", None),
        ("DEU", "DE"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("Czech Republic", "CZ"),
        ("Česko", "CZ"),
        ("Schweiz/Suisse", None),
        ("Europe", None),
        ("EU", None),
        ("Georgia", "GE"),
        ("Kongo", None),
        ("somewhere", None),
    ],
)
def test_in_any_language(text, code):
    assert resolve_country(text) == code


@pytest.mark.parametrize(
    "language", ["da", "de", "fr", "es", "it", "nl", "pl", "sv", "nb", "fi", "pt", "ja", "ar"]
)
def test_every_country_of_a_language(language):
    """Each country is found by its name there; a name that means another country elsewhere may be asked about."""
    english = Locale("en").territories
    for code, name in Locale(language).territories.items():
        if len(code) == 2 and code.isalpha() and code in english:
            found = resolve_country(name)
            assert found in (code, None), name
            assert found or name in ("Kongo", "Congo") or code in NOT_COUNTRIES, (name, code)


NOT_COUNTRIES = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}


def test_short_names_are_of_countries():
    for code, names in (*SHORT_NAMES.items(), *OWN_NAMES.items()):
        assert code in Locale("en").territories
        for name in names.split(","):
            assert resolve_country(name) == code, name


def test_own_names_are_those_of_all_languages():
    """They only spare reading all languages: without them, the result would be the same."""
    for code, names in OWN_NAMES.items():
        for name in names.split(","):
            assert _names(None)[_plain(name)] == code, name
