"""Find the country that a free text names, by code or by name in any language.

Sources: ISO 3166 codes, and the names of territories in Unicode CLDR, which Babel contains for all languages.
"""

import pickle
import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from babel import localedata
from babel.core import get_global

# Common names that CLDR lacks. The parts of the United Kingdom have no codes of their own.
SHORT_NAMES = {
    "AE": "UAE, Emirates",
    "BO": "Plurinational State of Bolivia",
    "CD": "DR Congo, DRC",
    "CI": "Ivory Coast",
    "CN": "PR China, PRC, People's Republic of China",
    "CV": "Cape Verde",
    "CZ": "Czech Republic",
    "DE": "BRD, Bundesrepublik Deutschland, Federal Republic of Germany",
    "FM": "Micronesia",
    "GB": "UK, U.K., Great Britain, Britain, England, Scotland, Wales, Northern Ireland, Großbritannien, Schottland, "
    "Nordirland, Storbritannien, Skotland, Skottland, Nordirland, Grande-Bretagne, Royaume Uni, Angleterre, Écosse, "
    "Pays de Galles, Irlande du Nord, Gran Bretaña, Inglaterra, Escocia, Gran Bretagna, Inghilterra, Scozia, "
    "Groot-Brittannië, Engeland, Schotland, Anglia, Wielka Brytania, Grã-Bretanha",
    "HK": "Hong Kong",
    "IE": "Republic of Ireland, Eire",
    "KP": "DPRK",
    "KR": "Korea, Republic of Korea, ROK",
    "MK": "Macedonia, Republic of Macedonia",
    "MM": "Burma",
    "MO": "Macau, Macao",
    "NL": "Holland, The Netherlands, Hollande, Olanda, Holanda, Niederland",
    "PS": "Palestine",
    "RU": "Russian Federation",
    "SK": "Slovak Republic",
    "SZ": "Swaziland",
    "TR": "Turkey",
    "TW": "Republic of China, ROC",
    "US": "USA, U.S., U.S.A., US of A, United States of America, America, Amerika, Vereinigte Staaten von Amerika, "
    "Amerikas Forenede Stater, États-Unis d'Amérique, Estados Unidos de América, EUA, EE. UU., Stati Uniti d'America, "
    "Verenigde Staten van Amerika",
    "VA": "Vatican",
}
# Names of countries where they are spoken, found without reading all languages of CLDR, which takes half a second.
OWN_NAMES = {
    "AT": "Österreich",
    "BE": "België, Belgique, Belgien",
    "BG": "България",
    "CH": "Schweiz, Suisse, Svizzera, Svizra",
    "CZ": "Česko, Česká republika",
    "DE": "Deutschland",
    "DK": "Danmark",
    "EE": "Eesti",
    "ES": "España",
    "FI": "Suomi",
    "GR": "Ελλάδα",
    "HR": "Hrvatska",
    "HU": "Magyarország",
    "IS": "Ísland",
    "IT": "Italia",
    "LT": "Lietuva",
    "LU": "Luxemburg, Lëtzebuerg",
    "LV": "Latvija",
    "NL": "Nederland",
    "NO": "Norge, Noreg",
    "PL": "Polska",
    "SE": "Sverige",
    "SI": "Slovenija",
    "SK": "Slovensko",
}
# Territories in CLDR that are not countries: regions, outlying oceans, pseudo-locales, "unknown".
NO_COUNTRY = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())
# All characters except letters and digits, including separate accents.
_OTHERS = re.compile(r"[\W_]+")


@lru_cache(maxsize=4096)
def resolve_country(text: str | None) -> str | None:
    """Return the ISO 3166 alpha-2 code of the country that a free text names, or None if it is ambiguous or unknown.

    >>> [resolve_country(text) for text in ("dk", "D.K.", "DNK", " danmark ", "Dänemark", "デンマーク")]
    ['DK', 'DK', 'DK', 'DK', 'DK', 'DK']
    >>> [resolve_country(text) for text in ("USA", "U.S.A.", "UK", "England", "Holland", "Deutschland")]
    ['US', 'US', 'GB', 'GB', 'NL', 'DE']
    >>> resolve_country("Kongo"), resolve_country("n/a"), resolve_country("")
    (None, None, None)
    """
    wanted = _plain(text)
    if not wanted:
        return None
    letters = "".join(
        text.replace(".", " ").split()
    ).lower()  # "D.K." is a code, "n/a" is not that of Namibia
    if letters in _codes():
        return _codes()[letters]
    return _short_names().get(wanted) or _names("en").get(wanted) or _names(None).get(wanted)


@lru_cache(maxsize=4096)
def _plain(text: str | None) -> str:
    """Return only the letters and digits, without case and accents."""
    return _OTHERS.sub("", unicodedata.normalize("NFKD", (text or "").casefold()))


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """Return current alpha-2, alpha-3, and numeric codes, and former codes that correspond to one country today."""
    countries = _territories("en")
    codes = {code.lower(): code for code in countries}
    for alias, (code, *more) in get_global("territory_aliases").items():
        if code in countries and not more:
            codes.setdefault(alias.lower(), code)
    return codes


@lru_cache(maxsize=1)
def _short_names() -> dict[str, str]:
    return {
        _plain(name): code
        for known in (OWN_NAMES, SHORT_NAMES)
        for code, names in known.items()
        for name in names.split(",")
    }


@lru_cache(maxsize=2)
def _names(language: str | None) -> dict[str, str]:
    """Return codes by plain name in one language, or in all (takes a second), without ambiguous names."""
    named, found = set(), {}
    for locale in [language] if language else _languages():
        named.update(_territories(locale).items())
    for code, name in named:
        found.setdefault(_plain.__wrapped__(name), set()).add(code)
    return {name: codes.pop() for name, codes in found.items() if len(codes) == 1 and name}


def _languages() -> list[str]:
    """Return all languages in all their scripts ("zh_Hant"), but without regions ("en_GB")."""
    locales = (locale.split("_") for locale in localedata.locale_identifiers())
    return ["_".join(parts) for parts in locales if len(parts) == 1 or len(parts[-1]) == 4]


def _territories(locale: str) -> dict[str, str]:
    """Return ``{code: name}`` of the countries in a locale, without names that it inherits from its language.

    This bypasses Babel's own cache, which would keep all locales forever and could be read by other threads half filled.
    """
    path = Path(localedata.__file__).with_name("locale-data") / f"{locale}.dat"
    return {
        code: name
        for code, name in pickle.loads(path.read_bytes()).get("territories", {}).items()
        if len(code) == 2 and code.isalpha() and code not in NO_COUNTRY
    }
